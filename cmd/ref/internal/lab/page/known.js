// How much of a picture do two iterations know?
import { el, slider, exercise, formula, table, percent, count, show, mi, mo, mn, row, sub, sup, frac, norm, fn, typeset } from "./ui.js";
import { picture, paintImage, paintMaps, atomImage } from "./draw.js";
import { pictureState } from "./state.js";
import { badge } from "./badge.js";

const energyKnown = (a) => 1 - a.fidelity / a.energy;

export default {
  id: "known",
  title: "Two iterations",
  question: "How much of this picture do two iterations know?",
  lead: "The network’s first layer does not filter a picture, it explains it: by 64 maps of numbers, the code z, whose stamped atoms add up to A z. It stops after two iterations. See what it has by then.",
  state: { picture: pictureState, lambda: { min: 0, max: 1, step: 0.05, def: 0.1 }, k: { min: 1, max: 10, step: 1, def: 2 } },

  build(lab) {
    const choose = lab.picker();
    const lambda = slider({ name: "lambda", label: "λ, the price of a number in z", min: 0, max: 1, step: 0.05, value: lab.state.lambda, text: (v) => v.toFixed(2), change: (v) => lab.set({ lambda: v }) });
    const k = slider({ name: "k", label: "k, the iterations", min: 1, max: 10, step: 1, value: lab.state.k, change: (v) => lab.set({ k: v }) });
    const x = picture("x, the picture"), az = picture("A z, what the code says"), rest = picture("x − A z, what it misses");
    const sentence = el("p", { class: "answer", role: "status" });
    const bar = el("div", { class: "bar", "aria-hidden": "true" }, el("i", {}));
    const proof = el("p", { class: "proof dim" });
    const mark = badge(lab.kind);
    const maps = el("canvas", { class: "maps", tabindex: 0, role: "grid", "aria-label": "The 64 code maps; arrow keys choose one" });
    const about = el("div", { class: "about" });
    const data = table("The maps as numbers");
    let latest, atoms, chosen = null;

    function describe(m) {
      if (!latest) return;
      m ??= latest.maps.reduce((best, v, i, all) => (v.sum > all[best].sum ? i : best), 0);
      const v = latest.maps[m], atom = el("canvas", { width: 3, height: 3, role: "img", "aria-label": `atom ${m}` });
      if (atoms?.arrays) atomImage(atom, atoms.arrays.atoms.data.subarray(27 * m, 27 * m + 27), 3);
      about.replaceChildren(atom, el("p", {}, `Atom ${m}: ${count(v.nonzeros)} of 1,024 places use it, ${show(v.sum)} in all.`), el("p", { class: "dim" }, chosen === null ? "It is the busiest. Point at another map, or focus the grid and use the arrow keys." : ""));
    }
    const at = (e) => {
      const box = maps.getBoundingClientRect();
      return Math.min(7, Math.floor((e.clientY - box.top) / box.height * 8)) * 8 + Math.min(7, Math.floor((e.clientX - box.left) / box.width * 8));
    };
    maps.addEventListener("pointermove", (e) => describe(at(e)));
    maps.addEventListener("pointerdown", (e) => { chosen = at(e); describe(chosen); });
    maps.addEventListener("pointerleave", () => describe(chosen));
    maps.addEventListener("keydown", (e) => {
      const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[e.key];
      if (!by) return;
      e.preventDefault(); e.stopPropagation();
      chosen = chosen === null ? 0 : Math.max(0, Math.min(63, chosen + by));
      describe(chosen);
    });

    const request = (s) => ({ ask: "code", picture: s.picture, lambda: s.lambda, iterations: s.k });
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, choose.element, lambda.element, k.element),
      el("div", { class: "view" }, sentence, bar, el("div", { class: "pictures" }, x.element, az.element, rest.element), proof, mark.element),
      el("section", { class: "wide" }, el("h2", {}, "The 64 code maps"),
        el("p", { class: "dim" }, "Where a map is coloured, its atom is stamped there with that weight. Of the ground’s colour: exactly zero."),
        el("div", { class: "split" }, maps, about), data.element),
      formula(row(sub(mi("z"), mi("k")), mo("="), fn("prox"), mo("("), sub(mi("y"), mi("k")), mo("+"), mi("t"), sup(mi("A"), mo("∗")), mo("("), mi("x"), mo("−"), mi("A"), sub(mi("g"), mi("k")), mo(")"), mo(")")), "(A.1), first line", "One iteration: match what is missing against every atom, take a step, shrink."),
      formula(row(mi("F"), mo("="), mi("λ"), sub(norm(mi("z")), mn(1)), mo("+"), frac(mn(1), mn(2)), sup(norm(mi("x"), mo("−"), mi("A"), mi("z")), mn(2))), "(B.1)", "What the iterations make small."),
      exercise({
        question: "With the picture and the λ that you see: after how many iterations k does the code first know at least half of the picture’s energy, 1 − ‖x − A z‖² / ‖x‖² ≥ ½? Say 11 if ten are not enough.",
        answer: "k =",
        hint: "Move the slider of k and read the sentence above the pictures.",
        check: async (given) => {
          let first = 11;
          for (let i = 1; i <= 10 && first === 11; i++) {
            const a = await lab.fetch({ ...request(lab.state), iterations: i, quick: true });
            if (energyKnown(a) >= 0.5) first = i;
          }
          return [given === first, given === first ? `At k = ${first}${first === 11 ? " it would be, or later" : ""}: the network, which stops at 2, works with far less than the picture.` : "Compare the shares on both sides of your k."];
        },
      }));

    function draw(asked, a) {
      latest = a;
      const share = energyKnown(a), k = asked.iterations;
      sentence.replaceChildren(el("strong", {}, `${k === 1 ? "One iteration knows" : k === 2 ? "Two iterations know" : `${k} iterations know`} ${percent(Math.max(0, share))}`),
        ` of the picture’s energy, with ${count(a.nonzeros)} of ${count(a.elements)} numbers other than zero.`);
      bar.firstChild.style.width = `${Math.max(0, share) * 100}%`;
      paintImage(x.canvas, a.arrays.x); paintImage(az.canvas, a.arrays.az);
      const r = { shape: a.arrays.x.shape, data: a.arrays.x.data.map((v, i) => v - a.arrays.az.data[i]) };
      paintImage(rest.canvas, r);
      paintMaps(maps, { data: a.arrays.z.data, shape: [64, 32, 32] });
      describe(chosen);
      data.set(["atom", "places other than 0", "sum of |z|"], a.maps.map((m, i) => [`${i}`, m.nonzeros, m.sum]));
      proof.textContent = "";
      element.dataset.objective = a.objective;
      element.dataset.nonzeros = a.nonzeros;
      element.dataset.state = `${asked.picture.slice(0, 12)} ${asked.lambda} ${asked.iterations}`;
    }

    return {
      element,
      async update(s) {
        lambda.set(s.lambda); k.set(s.k); choose.set(s.picture);
        atoms ??= lab.ask({ ask: "atoms" }).then((a) => { atoms = a; describe(chosen); return a; });
        const asked = request(s), stale = () => JSON.stringify(request(lab.state)) !== JSON.stringify(asked);
        // WebAssembly puts fused multiply-adds together from parts: what a slider waits for goes without them, and the code that has the bits
        // of every machine comes when the hand rests.
        const hasty = lab.kind === "worker";
        if (hasty) {
          const first = await lab.ask({ ...asked, quick: true }, "front-code");
          if (!first) return;
          mark.wait();
          draw(asked, first);
          if (!(await lab.rest()) || stale()) return;
        }
        const a = await lab.ask(asked, hasty ? "back-code" : "front-code");
        if (!a || (hasty && stale())) return;
        mark.set(asked, a);
        draw(asked, a);
        proof.textContent = "Proving how far from the solution this is …";
        if (!hasty && (!(await lab.rest()) || stale())) return;
        const c = await lab.ask({ ...asked, certificate: true }, "back-certificate");
        if (!c || stale()) return;
        const p = c.certificate;
        proof.replaceChildren(...typeset(`F(z) = ${show(p.objective, 7)}, and no code can be below ${show(p.objective - p.gap, 4)}: at most ${percent(p.relative)} of F ${p.relative > 0.5 ? "could still be saved" : "is still to be saved"}. λ_max, from which on z = 0 is the answer, is ${show(p.lambdaMax)}.`));
        element.dataset.proven = c.certificate.objective;
      },
    };
  },
};
