// Network: what a whole network makes of a picture, and what is left of it.
import { el, choices, exercise, formula, table, percent, show, mi, mo, row, sub, frac } from "./ui.js";
import { picture, paintImage, paintMaps } from "./draw.js";
import { pictureState } from "./state.js";

const blocks = ["block0.0", "block1.1", "block2.1", "block3.1"];

export default {
  id: "network",
  title: "Network",
  question: "What is left of the picture, layer by layer?",
  lead: "A small network whose every 3 × 3 convolution is a sparse-coding layer, trained on CIFAR-10’s photographs. Since each code z says what picture it stands for, A z, one can walk back from any layer to an image.",
  state: { picture: pictureState, layer: { of: blocks, def: "block1.1" } },

  build(lab) {
    const choose = lab.picker();
    const layer = choices({ name: "layer", label: "How deep", options: blocks.map((b, i) => [b, i === 0 ? "after the stem" : `after stage ${i}`]), value: lab.state.layer, change: (v) => lab.set({ layer: v }) });
    const x = picture("the picture"), back = picture("walked back from here"), restored = picture("the same, contrast restored");
    const maps = el("canvas", { class: "maps", role: "img", "aria-label": "Maps of this layer" });
    const bars = el("div", { class: "bars", role: "list", "aria-label": "Classes" });
    const sentence = el("p", { class: "answer", role: "status" });
    const second = el("p", { class: "dim", role: "status" });
    const data = table("Classes as numbers");
    const request = (s, block = s.layer) => ({ ask: "predict", picture: s.picture, network: "sdnet8_all_slim_noshortcut", layer: block });
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, choose.element, layer.element, el("p", { class: "dim" }, "It has seen photographs only: of a drawn disc it can say nothing sensible. Drop a photograph of a ship or a cat.")),
      el("div", { class: "view" }, sentence, el("div", { class: "pictures" }, x.element, back.element, restored.element), bars, second, data.element),
      el("section", { class: "wide" }, el("h2", {}, "The maps of this layer"), el("div", { class: "split" }, maps, el("p", { class: "dim" }, "Blue is positive, orange negative: BatchNorm has moved the zeros."))),
      formula(row(sub(mi("x"), mi("l")), mo("="), frac(row(mi("z"), mo("−"), mi("β")), mi("γ")), mi("σ"), mo("+"), mi("μ"), mo(","), mi("x"), mo("←"), mi("A"), mi("x")), "(B.2), (B.3)", "BatchNorm undone, and each code replaced by what it stands for, down to the image."),
      formula(row(mi("logits"), mo("="), mi("f"), mo("("), mi("x"), mo(")")), "predict", "The prediction."),
      exercise({
        question: "For the picture that you see: what share of the contrast (standard deviation) is left in the reconstruction from after stage 3, in per cent?",
        answer: "per cent:",
        hint: "Choose “after stage 3” and read the sentence.",
        check: async (given) => {
          const a = await lab.fetch(request(lab.state, "block3.1"), "back-exercise"), truth = 100 * a.contrast;
          const right = Math.abs(given - truth) <= Math.max(0.5, 0.05 * truth);
          return [right, right ? `It is ${show(truth)} %.` : "Choose the deepest layer."];
        },
      }));
    return {
      element,
      async update(s) {
        choose.set(s.picture); layer.set(s.layer);
        if (element.dataset.seen && !(await lab.rest())) return;
        const a = await lab.ask(request(s), "back-network");
        if (!a) return;
        element.dataset.seen = "true";
        const mean = a.mean[0], std = a.std[0];
        paintImage(x.canvas, a.arrays.x, { mean, std }); paintImage(back.canvas, a.arrays.back, { mean, std });
        paintImage(restored.canvas, stretch(a.arrays.back, a.arrays.x), { mean, std });
        paintMaps(maps, { ...a.arrays.maps, shape: a.arrays.maps.shape.slice(1) });
        const order = a.probabilities.map((p, i) => [p, a.classes[i]]).sort((p, q) => q[0] - p[0]);
        sentence.replaceChildren(el("strong", {}, `From here ${percent(a.contrast)} of the contrast comes back,`), ` and its correlation with the picture is ${show(a.correlation)}. The network says ${order[0][1]}, ${percent(order[0][0])}.`);
        element.dataset.contrast = a.contrast; element.dataset.class = order[0][1];
        bars.replaceChildren(...order.slice(0, 5).map(([p, name]) => el("div", { class: "class", role: "listitem" }, el("span", {}, name), el("i", { style: `width:${Math.max(0.5, p * 100)}%` }), el("b", {}, percent(p)))));
        data.set(["class", "probability"], order.map(([p, name]) => [name, p]));
        const b = await lab.ask({ ask: "predict", picture: s.picture, network: "sdnet_air_whitened", layer: "block0.0", unsolved: true }, "back-best");
        if (!b) return;
        const likely = b.probabilities.indexOf(Math.max(...b.probabilities));
        second.textContent = `The network here that recognises most, sdnet_air_whitened, says ${b.classes[likely]}, ${percent(b.probabilities[likely])}. It has one sparse-coding layer, and no way back.`;
      },
    };
  },
};

/** stretch gives an image the channels' means and deviations of another. */
function stretch(image, like) {
  const plane = image.data.length / 3, data = new Float32Array(image.data.length);
  for (let c = 0; c < 3; c++) {
    const [m, d] = moments(image.data, c, plane), [m2, d2] = moments(like.data, c, plane);
    for (let i = 0; i < plane; i++) data[c * plane + i] = ((image.data[c * plane + i] - m) / (d || 1)) * d2 + m2;
  }
  return { data, shape: image.shape };
}

function moments(data, c, plane) {
  let sum = 0, squares = 0;
  for (let i = c * plane; i < (c + 1) * plane; i++) { sum += data[i]; squares += data[i] * data[i]; }
  return [sum / plane, Math.sqrt(Math.max(0, squares / plane - (sum / plane) ** 2))];
}
