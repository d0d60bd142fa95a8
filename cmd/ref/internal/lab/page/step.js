// Step size: power iteration, and what becomes of steps that are too long.
import { el, slider, choices, exercise, formula, table, show, mi, mo, row, sub, sup, frac, norm, mn } from "./ui.js";
import { picture, paintImage, chart } from "./draw.js";
import { pictureState } from "./state.js";

const steps = 40;

export default {
  id: "step",
  title: "Step size",
  question: "How long may a step be?",
  lead: "As long as 1/λ_max, the largest eigenvalue of A*A. Power iteration finds it: apply A*A again and again, and what is left is the picture that the dictionary answers to most. Then make the step too long, and see who diverges.",
  state: {
    picture: pictureState, dictionary: { of: ["cosines", "stem"], def: "cosines" }, rounds: { min: 1, max: 50, step: 1, def: 8 },
    tl: { min: 0.1, max: 3, step: 0.1, def: 0.9 }, lambda: { min: 0, max: 1, step: 0.05, def: 0.1 },
  },

  build(lab) {
    const s0 = lab.state;
    const choose = lab.picker();
    const dictionary = choices({ name: "dictionary", label: "Dictionary", options: [["cosines", "18 cosines"], ["stem", "the trained stem, slower"]], value: s0.dictionary, change: (v) => lab.set({ dictionary: v }) });
    const rounds = slider({ name: "rounds", label: "Rounds of power iteration", min: 1, max: 50, step: 1, value: s0.rounds, change: (v) => lab.set({ rounds: v }) });
    const tl = slider({ name: "tl", label: "t λ_max, the length of a step", min: 0.1, max: 3, step: 0.1, value: s0.tl, text: (v) => v.toFixed(1), change: (v) => lab.set({ tl: v }) });
    const lambda = slider({ name: "lambda", label: "λ of the code", min: 0, max: 1, step: 0.05, value: s0.lambda, text: (v) => v.toFixed(2), change: (v) => lab.set({ lambda: v }) });
    const first = picture("A v at the start"), now = picture("A v after the rounds");
    const climb = chart({ label: "The eigenvalue that power iteration has by round", x: "round", y: "‖A v‖²", height: 240 });
    const fall = chart({ label: "Objective by iteration for three iterations", x: "iteration k", y: "F", logY: true, height: 300 });
    const sentence = el("p", { class: "answer", role: "status" }), fate = el("p", { class: "answer", role: "status" });
    const data = table("Rounds as numbers"), objectives = table("Objectives as numbers");
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, dictionary.element, rounds.element, tl.element, lambda.element, choose.element),
      el("div", { class: "view" }, sentence, el("div", { class: "pictures" }, first.element, now.element), climb.element, data.element, fate, fall.element, objectives.element),
      formula(row(mi("v"), mo("←"), frac(row(sup(mi("A"), mo("∗")), mi("A"), mi("v")), norm(sup(mi("A"), mo("∗")), mi("A"), mi("v")))), "(A.4)", "A round."),
      formula(row(sub(mi("λ"), mi("k")), mo("="), sup(norm(mi("A"), mi("v")), mn(2)), mo(","), mi("t"), mo("="), frac(mn("0.9"), sub(mi("λ"), mi("k")))), "(A.5)", "The eigenvalue so far, from below; the layer’s step."),
      formula(row(sub(mi("λ"), mi("max")), mo("≤"), mi("bound")), "bound", "A proven bound from above, so that a step can be proven safe."),
      exercise({
        question: "Which is the smallest t λ_max, in tenths from 0.1 to 3, at which FISTA no longer ends below F(0), after the iterations that the lower chart shows, with the picture, λ and dictionary that you see?",
        answer: "t λ_max =",
        hint: "Move the second slider to the right until the solid curve ends above where it began.",
        check: async (given) => {
          const max = (await bounds(lab.state.dictionary, "back-exercise")).ritz;
          const ends = async (v) => {
            const a = await lab.fetch(diverge(lab.state, v / max), "back-exercise");
            return !(a.curves.fista.at(-1) <= a.zero);
          };
          if (!(given >= 0.1 && given <= 3)) return [false, "Between 0.1 and 3, please."];
          const bad = await ends(given), before = given > 0.15 && (await ends(Math.round(given * 10 - 1) / 10));
          return [bad && !before, bad && !before ? "One tenth less, and it still comes down." : bad ? "A shorter step fails too." : "With this step it still comes down."];
        },
      }));
    const known = {};
    async function bounds(name, slot) {
      return (known[name] ??= slot ? await lab.fetch({ ask: "bounds", dictionary: name }, slot) : await lab.ask({ ask: "bounds", dictionary: name }, "back-bounds"));
    }
    const diverge = (s, t) => ({ ask: "diverge", dictionary: s.dictionary, picture: s.picture, lambda: s.lambda, step: t, iterations: s.dictionary === "stem" ? 15 : steps });
    return {
      element,
      async update(s) {
        dictionary.set(s.dictionary); rounds.set(s.rounds); tl.set(s.tl); lambda.set(s.lambda); choose.set(s.picture);
        if (s.dictionary === "stem" && element.dataset.seen && !(await lab.rest())) return;
        element.dataset.seen = "true";
        const a = await lab.ask({ ask: "power", dictionary: s.dictionary, iterations: s.rounds }, s.dictionary === "stem" ? "back-power" : "front-power");
        if (!a) return;
        const size = a.arrays.av.shape.slice(1).reduce((p, n) => p * n, 1), n = a.values.length - 1;
        const image = (k) => {
          const part = a.arrays.av.data.subarray(k * size, (k + 1) * size);
          let top = 1e-9;
          for (const v of part) top = Math.max(top, Math.abs(v));
          return [{ data: part, shape: a.arrays.av.shape.slice(1) }, { mean: 0.5, std: 0.5 / top }];
        };
        paintImage(first.canvas, ...image(0)); paintImage(now.canvas, ...image(n));
        const b = await bounds(s.dictionary);
        if (!b) return;
        climb.set([{ name: "‖A v‖², power iteration", points: a.values.map((v, k) => [k, v]), style: 0 }, { name: "proven bound", points: [[0, b.bound], [n, b.bound]], style: 1 }, { name: "Ritz value (Lanczos)", points: [[0, b.ritz], [n, b.ritz]], style: 2 }],
          { summary: `After ${n} rounds ${show(a.values[n], 6)}.` });
        sentence.replaceChildren(el("strong", {}, `After ${n} rounds λ_k = ${show(a.values[n], 6)}`), `, ${show((1 - a.values[n] / b.ritz) * 100)} % below ${show(b.ritz, 6)}; no eigenvalue is above ${show(b.bound, 6)}, which is proven.`);
        element.dataset.value = a.values[n]; element.dataset.ritz = b.ritz; element.dataset.bound = b.bound;
        data.set(["round", "‖A v‖²"], a.values.map((v, k) => [`${k}`, v]));
        const d = await lab.ask(diverge(s, s.tl / b.ritz), "back-diverge");
        if (!d) return;
        const names = { fista: "the paper’s FISTA", published: "the published code", ista: "ISTA" };
        const curves = Object.entries(names).map(([key, name], i) => ({ name, points: [[0, d.zero], ...(d.curves[key] ?? []).map((v, k) => [k + 1, Math.min(v, d.zero * 1e6)])], style: i }));
        const least = Math.min(...curves.flatMap((c) => c.points.map((p) => p[1]))), most = Math.max(...curves.flatMap((c) => c.points.map((p) => p[1])));
        fall.set(curves, { yRange: [least * 0.9, Math.min(most, d.zero * 100) * 1.1], summary: `With t λ_max = ${s.tl}.` });
        const lost = Object.entries(names).filter(([key]) => !((d.curves[key] ?? []).at(-1) <= d.zero));
        fate.replaceChildren(el("strong", {}, lost.length ? `With t λ_max = ${s.tl.toFixed(1)}, ${lost.map((l) => l[1]).join(" and ")} diverge${lost.length > 1 ? "" : "s"}.` : `With t λ_max = ${s.tl.toFixed(1)} all three come down.`));
        element.dataset.diverged = lost.map((l) => l[0]).join(" ");
        const longest = Math.max(...curves.map((c) => c.points.length));
        objectives.set(["k", ...Object.values(names)], Array.from({ length: longest }, (_, k) => [`${k}`, ...curves.map((c) => c.points[k]?.[1] ?? "diverged")]));
      },
    };
  },
};
