// Shrink: what the proximal operator does to one number.
import { el, slider, choices, exercise, formula, table, show, mi, mo, mn, row, sub, fn, bar } from "./ui.js";
import { chart } from "./draw.js";

const grid = Array.from({ length: 161 }, (_, i) => (i - 80) / 40);

export default {
  id: "shrink",
  title: "Shrink",
  question: "Where do the zeros of a code come from?",
  lead: "From one small function. After each step every number is moved towards zero by λt, and what is nearer than that becomes exactly zero. With z ≥ 0, so does everything negative.",
  state: {
    u: { min: -2, max: 2, step: 0.05, def: 0.8 }, lambda: { min: 0, max: 2, step: 0.05, def: 0.5 }, t: { min: 0.1, max: 2, step: 0.1, def: 1 },
    mu: { min: 0, max: 2, step: 0.1, def: 0 }, sign: { of: ["positive", "any"], def: "positive" },
  },

  build(lab) {
    const s0 = lab.state;
    const u = slider({ name: "u", label: "u, the number", min: -2, max: 2, step: 0.05, value: s0.u, text: (v) => v.toFixed(2), change: (v) => lab.set({ u: v }) });
    const lambda = slider({ name: "lambda", label: "λ", min: 0, max: 2, step: 0.05, value: s0.lambda, text: (v) => v.toFixed(2), change: (v) => lab.set({ lambda: v }) });
    const t = slider({ name: "t", label: "t, the step size", min: 0.1, max: 2, step: 0.1, value: s0.t, text: (v) => v.toFixed(1), change: (v) => lab.set({ t: v }) });
    const mu = slider({ name: "mu", label: "μ, the elastic net", min: 0, max: 2, step: 0.1, value: s0.mu, text: (v) => v.toFixed(1), change: (v) => lab.set({ mu: v }) });
    const sign = choices({ name: "sign", label: "What a code may be", options: [["positive", "z ≥ 0, as in the networks"], ["any", "any sign"]], value: s0.sign, change: (v) => lab.set({ sign: v }) });
    const plot = chart({ label: "The shrinkage T as a function of u", x: "u", y: "T(u)", height: 340 });
    const sentence = el("p", { class: "answer", role: "status" });
    const data = table("The curve as numbers");
    const request = (s, values) => ({ ask: "shrink", values, lambda: s.lambda, step: s.t, mu: s.mu, signed: s.sign === "any" });
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, u.element, lambda.element, t.element, mu.element, sign.element),
      el("div", { class: "view" }, sentence, plot.element, data.element),
      formula(row(mi("T"), mo("("), mi("u"), mo(")"), mo("="), fn("sign"), mo("("), mi("u"), mo(")"), fn("max"), mo("("), bar, mi("u"), bar, mo("−"), mi("λ"), mi("t"), mo(","), mn(0), mo(")")), "(A.3)", "And max(u − λt, 0) where z ≥ 0."),
      formula(row(sub(mi("z"), mi("k")), mo("="), mi("T"), mo("("), sub(mi("y"), mi("k")), mo("+"), mi("t"), mi("…"), mo(")")), "(A.1), first line", "It is the last thing that an iteration does."),
      exercise({
        question: "Let t = 0.5 and μ = 0, with z ≥ 0. What is the smallest λ that makes 0.8 exactly zero?",
        answer: "λ =",
        hint: "The threshold is λt.",
        check: async (given) => {
          if (given < 0 || given > 100) return [false, "λ is a weight between 0 and 100 here."];
          const at = async (lambdaHere) => (await lab.fetch({ ask: "shrink", values: [0.8], lambda: lambdaHere, step: 0.5 })).values[0];
          const now = await at(given), less = await at(Math.max(0, given - 0.01));
          if (now !== 0) return [false, `With λ = ${given} it becomes ${show(now)}.`];
          return [less > 0, less > 0 ? "One hundredth less, and a little is left." : "It is zero, but with a smaller λ too."];
        },
      }));
    return {
      element,
      async update(s) {
        u.set(s.u); lambda.set(s.lambda); t.set(s.t); mu.set(s.mu); sign.set(s.sign);
        const a = await lab.ask(request(s, [...grid, s.u]), "front-shrink");
        if (!a) return;
        const value = a.values.at(-1), points = grid.map((v, i) => [v, a.values[i]]);
        sentence.replaceChildren(el("strong", {}, `${show(s.u)} becomes ${value === 0 ? "exactly 0" : show(value)}.`), ` The threshold is ${show(a.threshold)}.`);
        element.dataset.value = value;
        plot.set([{ name: "T(u)", points, style: 0 }, { name: "u itself", points: [[-2, -2], [2, 2]], style: 2 }, { name: "your number", points: [[s.u, value]], dots: true, style: 1 }],
          { xRange: [-2, 2], yRange: [-2, 2], marks: [{ at: a.threshold, label: "threshold" }], summary: `At ${s.u} it is ${show(value)}.` });
        data.set(["u", "T(u)"], points.filter((_, i) => i % 4 === 0).map(([x, y]) => [show(x), y]));
      },
    };
  },
};
