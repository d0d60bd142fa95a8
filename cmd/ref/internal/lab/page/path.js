// Lambda path: zeros against fidelity.
import { el, slider, choices, exercise, formula, table, percent, show, mi, mo, mn, row, sub, sup, frac, norm, fn } from "./ui.js";
import { chart } from "./draw.js";
import { pictureState } from "./state.js";

const lambdas = { stem: [0, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4], cosines: [0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1, 1.3, 1.6, 2, 2.5, 3] };

export default {
  id: "path",
  title: "Lambda path",
  question: "What does λ buy, and what does it cost?",
  lead: "A larger λ makes more numbers zero and leaves more of the picture unsaid. But many zeros of the networks’ codes have nothing to do with λ: z ≥ 0 alone makes them.",
  state: { picture: pictureState, dictionary: { of: ["stem", "cosines"], def: "stem" }, k: { min: 1, max: 5, step: 1, def: 2 } },

  build(lab) {
    const choose = lab.picker();
    const dictionary = choices({ name: "dictionary", label: "Which codes", options: [["stem", "the stem’s, after k iterations"], ["cosines", "18 cosines, solved"]], value: lab.state.dictionary, change: (v) => lab.set({ dictionary: v }) });
    const k = slider({ name: "k", label: "k, iterations of the stem", min: 1, max: 5, step: 1, value: lab.state.k, change: (v) => lab.set({ k: v }) });
    const plot = chart({ label: "Shares of zeros and of the picture that is missing, by lambda", x: "λ", y: "share", height: 320 });
    const trade = chart({ label: "What is missing against the share of numbers that are not zero", x: "numbers that are not zero", y: "missing", height: 260 });
    const sentence = el("p", { class: "answer", role: "status" });
    const data = table("The path as numbers");
    const request = (s) => ({ ask: "path", picture: s.picture, dictionary: s.dictionary, iterations: s.k, values: lambdas[s.dictionary] });
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, dictionary.element, k.element, choose.element),
      el("div", { class: "view" }, sentence, plot.element, trade.element, data.element),
      formula(row(fn("min"), mi("λ"), sub(norm(mi("z")), mn(1)), mo("+"), frac(mn(1), mn(2)), sup(norm(mi("x"), mo("−"), mi("A"), mi("z")), mn(2))), "(B.1)", "Two wishes, and λ between them."),
      formula(row(mi("T"), mo("("), mi("u"), mo(")"), mo("="), fn("max"), mo("("), mi("u"), mo("−"), mi("λ"), mi("t"), mo(","), mn(0), mo(")")), "(A.3)", "Where both kinds of zeros are made."),
      exercise({
        question: "The stem, two iterations, the picture that you see: what per cent of the numbers are zero at λ = 0 already, by z ≥ 0 alone?",
        answer: "per cent:",
        hint: "The first row of the table.",
        check: async (given) => {
          const a = await lab.fetch({ ...request(lab.state), dictionary: "stem", iterations: 2, values: [0, 0.1] }, "back-exercise"), truth = 100 * a.path[0].zeros;
          const right = Math.abs(given - truth) <= 1;
          return [right, right ? `${show(truth)} % of ${show(100 * a.path[1].zeros)} % at the networks’ λ = 0.1.` : "At λ = 0 nothing is shrunk; only the negative numbers go."];
        },
      }));
    return {
      element,
      async update(s) {
        dictionary.set(s.dictionary); k.set(s.k); choose.set(s.picture);
        if (element.dataset.seen && !(await lab.rest())) return;
        element.dataset.seen = "true";
        const a = await lab.ask(request(s), "back-path");
        if (!a) return;
        const p = a.path;
        plot.set([{ name: "zeros, z ≥ 0", points: p.map((v) => [v.lambda, v.zeros]), style: 0 }, { name: "zeros, any sign", points: p.map((v) => [v.lambda, v.signed]), style: 1 }, { name: "missing, ‖x − A z‖²/‖x‖²", points: p.map((v) => [v.lambda, v.fidelity]), style: 2 }],
          { yRange: [0, Math.max(1, ...p.map((v) => v.fidelity))], marks: [{ at: 0.1, label: "the networks’ λ" }, ...(a.lambdaMax ? [{ at: a.lambdaMax, label: "z = 0 from here" }] : [])], summary: `At 0.1 ${percent(p.find((v) => v.lambda === 0.1).zeros)} are zero.` });
        trade.set([{ name: "", points: p.map((v) => [1 - v.zeros, v.fidelity]), style: 0 }, { name: "the networks’ λ", points: p.filter((v) => v.lambda === 0.1).map((v) => [1 - v.zeros, v.fidelity]), dots: true, style: 1 }], { summary: "Fewer numbers, more missing." });
        const at = p.find((v) => v.lambda === 0.1), share = at.zeros ? p[0].zeros / at.zeros : 0;
        sentence.replaceChildren(el("strong", {}, `At λ = 0.1, ${percent(at.zeros)} are zero; at λ = 0, ${percent(p[0].zeros)} already are.`), ` So ${percent(share)} of the zeros come from z ≥ 0, and the rest from λ.`);
        element.dataset.zeros = at.zeros;
        data.set(["λ", "zeros, z ≥ 0", "zeros, any sign", "missing", ...(s.dictionary === "cosines" ? ["relative gap"] : [])], p.map((v) => [String(v.lambda), percent(v.zeros), percent(v.signed), percent(v.fidelity), ...(s.dictionary === "cosines" ? [show(v.proven)] : [])]));
      },
    };
  },
};
