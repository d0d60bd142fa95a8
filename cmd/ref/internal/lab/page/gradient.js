// Gradient: how an output's derivative flows back through the iterations.
import { el, slider, choices, exercise, formula, table, count, show, percent, mi, mo, row, sub, sup, frac } from "./ui.js";
import { picture, paintImage, paintMaps } from "./draw.js";
import { pictureState } from "./state.js";

const kinds = [2, 10, 50, 0];
const name = (k) => (k ? `${k} iterations` : "the solution");

export default {
  id: "gradient",
  title: "Gradient",
  question: "Which pixels does one number of the code depend on?",
  lead: "Choose a number z of the code. Its derivative with respect to every pixel goes back through the unrolled iterations, through the mask where z is not zero. More iterations let it spread; the solution’s own derivative, without iterations, is where that ends.",
  state: {
    picture: pictureState, atom: { min: 0, max: 17, step: 1, def: 1 }, row: { min: 0, max: 15, step: 1, def: 8 }, column: { min: 0, max: 15, step: 1, def: 5 },
    lambda: { min: 0, max: 1, step: 0.05, def: 0.1 }, mu: { min: 0, max: 2, step: 0.1, def: 0.2 }, solver: { of: ["fista", "published"], def: "fista" },
  },

  build(lab) {
    const s0 = lab.state;
    const choose = lab.picker();
    const make = (key, label, min, max, step, text) => slider({ name: key, label, min, max, step, value: s0[key], text, change: (v) => lab.set({ [key]: v }) });
    const atom = make("atom", "Atom of the number", 0, 17, 1), rows = make("row", "Row", 0, 15, 1), columns = make("column", "Column", 0, 15, 1);
    const lambda = make("lambda", "λ", 0, 1, 0.05, (v) => v.toFixed(2)), mu = make("mu", "μ, the elastic net", 0, 2, 0.1, (v) => v.toFixed(1));
    const solver = choices({ name: "solver", label: "Iteration", options: [["fista", "FISTA, as in the paper"], ["published", "the published code"]], value: s0.solver, change: (v) => lab.set({ solver: v }) });
    const x = picture("x; click to choose the place");
    const sentence = el("p", { class: "answer", role: "status" });
    const shown = kinds.map((k) => ({ k, dx: picture(`∂z/∂x, ${name(k)}`), mask: picture(`mask z ≠ 0, ${name(k)}`), dw: picture(`∂z/∂w, ${name(k)}`) }));
    const data = table("The four gradients as numbers");
    const pick = (e, canvas) => {
      const box = canvas.getBoundingClientRect(), at = (v) => Math.max(0, Math.min(15, Math.floor(v * 16)));
      lab.set({ row: at((e.clientY - box.top) / box.height), column: at((e.clientX - box.left) / box.width) });
    };
    for (const c of [x.canvas, ...shown.map((v) => v.mask.canvas)]) c.addEventListener("click", (e) => pick(e, c));
    const request = (s) => ({ ask: "gradient", dictionary: "cosines", picture: s.picture, solver: s.solver, lambda: s.lambda, mu: s.mu, at: { atom: s.atom, row: s.row, column: s.column, value: 0 } });
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, choose.element, atom.element, rows.element, columns.element, lambda.element, mu.element, solver.element, el("p", { class: "dim" }, "18 cosines on a grey picture of 16 × 16, in float64. Blue is positive, orange negative; in the masks orange is the number chosen.")),
      el("div", { class: "view" }, sentence, el("div", { class: "pictures one" }, x.element), ...["dx", "mask", "dw"].map((key) => el("div", { class: "pictures four" }, shown.map((v) => v[key].element))), data.element),
      formula(row(frac(row(mo("∂"), mi("z")), row(mo("∂"), mi("u"))), mo("="), frac(`<mn>1</mn>`, row(`<mn>1</mn>`, mo("+"), mi("μ"), mi("t"))), mo("["), mi("z"), mo("≠"), `<mn>0</mn>`, mo("]")), "(A.3)", "The mask: what is zero passes nothing."),
      formula(row(mi("H"), mi("q"), mo("="), mi("g"), mo(","), mi("H"), mo("="), `<msubsup>${mi("A")}${mi("S")}${mo("∗")}</msubsup>`, sub(mi("A"), mi("S")), mo("+"), mi("μ")), "implicit", "The solution’s derivative: one linear system on the support S."),
      formula(row(sup(mi("A"), mo("∗")), mo("→"), mi("A"), mo(","), mi("A"), mo("→"), sup(mi("A"), mo("∗"))), "backward", "Backwards, matching becomes stamping: the graph of the gradient is appended to the code’s."),
      exercise({
        question: "With FISTA as in the paper and μ = 1 (all else as you see it): how far is the gradient at x of 10 unrolled iterations from the solution’s, in per cent of that? Two digits will do.",
        answer: "per cent:",
        hint: "Set μ to 1 and look at the table.",
        check: async (given) => {
          const a = await lab.fetch({ ...request(lab.state), mu: 1, solver: "fista" }, "back-exercise");
          if (!a.gradients[3].norm) return [false, "This number is zero in the solution, and so is its derivative; choose another one."];
          const truth = 100 * a.gradients[1].distance, right = Math.abs(given - truth) <= Math.max(0.06, 0.05 * truth);
          return [right, right ? `It is ${show(truth)} %.` : "The column “distance” of the row “10 iterations”."];
        },
      }));
    return {
      element,
      async update(s) {
        atom.set(s.atom); rows.set(s.row); columns.set(s.column); lambda.set(s.lambda); mu.set(s.mu); solver.set(s.solver); choose.set(s.picture);
        if (element.dataset.seen && !(await lab.rest())) return;
        element.dataset.seen = "true";
        const a = await lab.ask(request(s), "back-gradient");
        if (!a) return;
        paintImage(x.canvas, a.arrays.x);
        let top = 0;
        for (const k of kinds) for (const v of a.arrays[`dx${k}`].data) top = Math.max(top, Math.abs(v));
        for (const v of shown) {
          paintMaps(v.dx.canvas, { data: a.arrays[`dx${v.k}`].data, shape: [1, 16, 16] }, { columns: 1, scale: top });
          const z = a.arrays[`z${v.k}`];
          paintMaps(v.mask.canvas, { data: z.data.map((n, i) => (i === s.row * 16 + s.column ? -1 : n !== 0 ? 0.5 : 0)), shape: [1, 16, 16] }, { columns: 1, scale: 1 });
          paintMaps(v.dw.canvas, { data: a.arrays[`dw${v.k}`].data, shape: [1, 3, 3] }, { columns: 1 });
        }
        const g = a.gradients, two = g[0];
        element.dataset.norm = g[3].norm;
        sentence.replaceChildren(...(g.every((v) => v.value === 0)
          ? [el("strong", {}, "This number is exactly zero, and stays so when a pixel changes a little:"), " its gradient is zero. Choose a coloured place of the mask."]
          : [el("strong", {}, `After two iterations the number is ${show(two.value)}, in the solution ${show(g[3].value)}.`), g[3].norm ? ` The gradient through two iterations, which is the network’s, differs from the solution’s by ${percent(two.distance)} of its length; through 50 by ${show(100 * g[2].distance)}\u00a0%.` : " In the solution it is zero, and so is its gradient."]));
        data.set(["differentiated", "z there", "‖∂z/∂x‖", "distance from the solution’s", "z not zero"], g.map((v) => [name(v.iterations), v.value, v.norm, v.iterations && g[3].norm ? `${show(100 * v.distance)} %` : "", count(v.nonzeros)]));
      },
    };
  },
};
