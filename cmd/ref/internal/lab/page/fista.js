// FISTA: the iterates one by one.
import { el, slider, choices, button, exercise, formula, table, percent, count, show, mi, mo, mn, row, sub, sup, frac, fn } from "./ui.js";
import { picture, paintImage, paintMaps, chart } from "./draw.js";
import { pictureState } from "./state.js";

const rounds = { cosines: 120, stem: 20 };

export default {
  id: "fista",
  title: "FISTA",
  question: "How does a code get better, and how would you know?",
  lead: "Step through the iterations. The upper curve is F, what they make small. The lower one is proven: no code whatever lies below it. Where the two meet, the problem is solved.",
  state: {
    picture: pictureState, dictionary: { of: ["cosines", "stem"], def: "cosines" }, solver: { of: ["fista", "published", "ista"], def: "fista" },
    lambda: { min: 0, max: 1, step: 0.05, def: 0.2 }, mu: { min: 0, max: 2, step: 0.1, def: 0.2 }, k: { min: 1, max: 120, step: 1, def: 2 },
  },

  build(lab) {
    const s0 = lab.state;
    const choose = lab.picker();
    const dictionary = choices({ name: "dictionary", label: "Dictionary", options: [["cosines", "18 cosines"], ["stem", "the trained stem"]], value: s0.dictionary, change: (v) => lab.set({ dictionary: v, k: Math.min(lab.state.k, rounds[v]) }) });
    const solver = choices({ name: "solver", label: "Iteration", options: [["fista", "FISTA, as in the paper"], ["published", "the published code"], ["ista", "ISTA, no momentum"]], value: s0.solver, change: (v) => lab.set({ solver: v }) });
    const lambda = slider({ name: "lambda", label: "λ", min: 0, max: 1, step: 0.05, value: s0.lambda, text: (v) => v.toFixed(2), change: (v) => lab.set({ lambda: v }) });
    const mu = slider({ name: "mu", label: "μ, the elastic net", min: 0, max: 2, step: 0.1, value: s0.mu, text: (v) => v.toFixed(1), change: (v) => lab.set({ mu: v }) });
    let k = makeK();
    const x = picture("x"), az = picture("A z_k"), rest = picture("x − A z_k"), maps = picture("the busiest maps of z_k");
    const plot = chart({ label: "Objective and proven lower bound by iteration", x: "iteration k", y: "F", logY: true, height: 300 });
    const support = chart({ label: "The support by iteration", x: "iteration k", y: "elements", height: 200 });
    const sentence = el("p", { class: "answer", role: "status" });
    const why = el("p", { class: "dim" });
    const data = table("All iterates as numbers");
    maps.canvas.style.aspectRatio = "3 / 2";
    let latest, playing = null;

    function makeK() {
      return slider({ name: "k", label: "k, the iteration shown", min: 1, max: rounds[lab.state.dictionary], step: 1, value: lab.state.k, change: (v) => { stop(); lab.set({ k: v }); } });
    }
    const stop = () => { clearInterval(playing); playing = null; play.textContent = "Play"; };
    const move = (to) => lab.set({ k: Math.max(1, Math.min(rounds[lab.state.dictionary], to)) });
    const play = button("Play", () => {
      if (playing) return stop();
      if (lab.state.k >= rounds[lab.state.dictionary]) move(1);
      play.textContent = "Pause";
      playing = setInterval(() => {
        if (!element.isConnected || lab.state.k >= rounds[lab.state.dictionary]) return stop();
        move(lab.state.k + 1);
      }, 160);
    });
    const kBox = el("div", {}, k.element);
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, choose.element, dictionary.element, solver.element, lambda.element, mu.element),
      el("div", { class: "view" }, sentence,
        el("div", { class: "player" }, kBox, el("div", { class: "row" }, button("Step", () => { stop(); move(lab.state.k + 1); }), play, button("Reset", () => { stop(); move(1); }, { class: "plain" }))), el("div", { class: "pictures four" }, x.element, az.element, rest.element, maps.element), plot.element, why, support.element, data.element),
      formula(row(sub(mi("z"), mi("k")), mo("="), fn("prox"), mo("("), sub(mi("y"), mi("k")), mo("+"), mi("t"), sup(mi("A"), mo("∗")), mo("("), mi("x"), mo("−"), mi("A"), sub(mi("g"), mi("k")), mo(")"), mo(")")), "(A.1), first line", "g is y in the paper, and z of the iteration before in the published code."),
      formula(row(sub(mi("m"), row(mi("k"), mo("+"), mn(1))), mo("="), frac(row(mn(1), mo("+"), `<msqrt>${row(mn(1), mo("+"), mn(4), `<msubsup>${mi("m")}${mi("k")}${mn(2)}</msubsup>`)}</msqrt>`), mn(2))), "(A.1), second line", "The momentum."),
      formula(row(sub(mi("y"), row(mi("k"), mo("+"), mn(1))), mo("="), sub(mi("z"), mi("k")), mo("+"), frac(row(sub(mi("m"), mi("k")), mo("−"), mn(1)), sub(mi("m"), row(mi("k"), mo("+"), mn(1)))), mo("("), sub(mi("z"), mi("k")), mo("−"), sub(mi("z"), row(mi("k"), mo("−"), mn(1))), mo(")")), "(A.1), third line", "The next point lies beyond the last move."),
      formula(row(mi("F"), mo("("), mi("z"), mo(")"), mo("−"), fn("min"), mi("F"), mo("≤"), mi("gap")), "certificate", "How the lower bound is proven."),
      exercise({
        question: "Cosines, FISTA as in the paper, and the picture, λ and μ that you see: after how many iterations is F proven to be within 1 % of its least value? (121 if 120 are not enough.)",
        answer: "k =",
        hint: "The table has a column “relative gap”.",
        check: async (given) => {
          const a = await lab.fetch({ ...request(lab.state), dictionary: "cosines", solver: "fista", iterations: 120 }, "back-exercise");
          const first = a.iterates.find((i) => i.relative <= 0.01)?.k ?? 121;
          return [given === first, given === first ? `The relative gap is ${show(a.iterates[Math.min(119, first - 1)].relative)} then.` : "Look at where the relative gap first is 0.01 or less."];
        },
      }));

    const request = (s) => ({ ask: "fista", picture: s.picture, dictionary: s.dictionary, solver: s.solver, lambda: s.lambda, mu: s.mu, iterations: rounds[s.dictionary] });

    function draw(s) {
      const at = Math.min(s.k, latest.iterates.length) - 1, i = latest.iterates[at], plane = latest.arrays.x.data.length;
      const signal = latest.arrays.az.data.subarray(at * plane, (at + 1) * plane), shape = latest.arrays.x.shape;
      paintImage(x.canvas, latest.arrays.x);
      paintImage(az.canvas, { data: signal, shape });
      paintImage(rest.canvas, { data: latest.arrays.x.data.map((v, j) => v - signal[j]), shape });
      const z = latest.arrays.z, size = z.shape[1] * z.shape[2] * z.shape[3];
      paintMaps(maps.canvas, { data: z.data.subarray(at * size, (at + 1) * size), shape: z.shape.slice(1) }, { columns: 3 });
      maps.caption(`the busiest maps of z_k: atoms ${latest.maps.join(", ")}`);
      const bound = i.objective - i.gap;
      sentence.replaceChildren(el("strong", {}, `k = ${i.k}: F = ${show(i.objective, 6)}, and no code is below ${show(Math.max(0, bound), 4)}.`),
        ` ${count(i.nonzeros)} of ${count(latest.elements)} numbers are not zero; ${count(i.born)} ${i.born === 1 ? "was" : "were"} born and ${count(i.died)} died in this step.`);
      element.dataset.objective = i.objective; element.dataset.gap = i.gap; element.dataset.nonzeros = i.nonzeros; element.dataset.k = i.k;
      const all = latest.iterates, least = Math.max(...all.map((v) => v.objective - v.gap));
      plot.set([
        { name: "F", points: all.map((v) => [v.k, v.objective]), style: 0 }, { name: "proven lower bound, the best so far", points: best(all), style: 1 },
        { name: "½‖x − A z‖²", points: all.map((v) => [v.k, v.fidelity]), style: 2 }, { name: "λ‖z‖₁", points: all.map((v) => [v.k, v.sparsity]), style: 3 },
      ], { marks: [{ at: i.k, label: `k = ${i.k}` }], yRange: [Math.max(1e-3 * all[0].objective, Math.min(least > 0 ? least : Infinity, ...all.map((v) => v.sparsity).filter((v) => v > 0)) * 0.8), Math.max(...all.map((v) => v.objective)) * 1.2], summary: `After ${all.length} iterations F is ${show(all.at(-1).objective, 5)}.` });
      support.set([{ name: "not zero", points: all.map((v) => [v.k, v.nonzeros]), style: 0 }, { name: "staying", points: all.map((v) => [v.k, v.nonzeros - v.born]), style: 3 }, { name: "born", points: all.map((v) => [v.k, v.born]), style: 2 }, { name: "died", points: all.map((v) => [v.k, v.died]), style: 1 }], { marks: [{ at: i.k }] });
      const last = all.at(-1);
      why.textContent = s.dictionary === "cosines"
        ? `The cosines answer to every picture alike (AA* is 18 times the identity but for the borders). After ${last.k} iterations the proven share that is left is ${show(last.relative)}.${s.mu ? "" : " There are twice as many atoms as a picture needs, so several codes are nearly as good: raise μ, and the gap closes."}`
        : `The trained stem: eigenvalues of A*A that are not zero lie a factor of 1,280 apart, so after ${last.k} iterations ${percent(last.relative)} of F ${s.mu ? "is" : "is still"} unproven.${s.mu ? "" : " Raise μ and watch the gap close."}`;
    }
    const best = (all) => {
      let most = -Infinity;
      return all.map((v) => [v.k, (most = Math.max(most, v.objective - v.gap))]);
    };
    let asked = "";
    return {
      element,
      async update(s) {
        dictionary.set(s.dictionary); solver.set(s.solver); lambda.set(s.lambda); mu.set(s.mu); choose.set(s.picture);
        if (Number(k.element.querySelector("input").max) !== rounds[s.dictionary]) { k = makeK(); kBox.replaceChildren(k.element); }
        k.set(s.k);
        const now = JSON.stringify(request(s));
        if (latest && asked === now) { draw(s); return; }
        if (latest && !(await lab.rest())) return;
        sentence.textContent = `Computing ${rounds[s.dictionary]} iterations, each with its proof …`;
        const a = await lab.ask(request(s), "back-fista");
        if (!a) return;
        latest = a; asked = now;
        data.set(["k", "m_k", "F", "λ‖z‖₁", "½‖x−Az‖²", "½μ‖z‖²", "gap", "relative gap", "|dz|", "not zero", "staying", "born", "died"], a.iterates.map((i) => [`${i.k}`, i.m.toFixed(4), i.objective.toFixed(6), i.sparsity.toFixed(5), i.fidelity.toFixed(5), i.ridge.toFixed(5), i.gap.toPrecision(3), i.relative.toPrecision(3), i.change.toPrecision(3), count(i.nonzeros), count(i.nonzeros - i.born), count(i.born), count(i.died)]));
        draw(lab.state);
      },
    };
  },
};
