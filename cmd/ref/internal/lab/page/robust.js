// Robust: noise, lambda, an attack.
import { el, slider, choices, exercise, formula, table, percent, show, mi, mo, row, fn } from "./ui.js";
import { picture, paintBytes, paintImage } from "./draw.js";
import { pictureState } from "./state.js";

export default {
  id: "robust",
  title: "Robust",
  question: "Does a sparser code see through noise? And through malice?",
  lead: "Section 4 of the paper: on a noisy picture, raise the stem’s λ, and how much follows from what the stem cannot explain. It helps against noise, as far as it goes. Against an adversary it is no defence, and this page says so.",
  state: {
    picture: pictureState, noise: { of: ["gaussian", "shot", "speckle", "impulse"], def: "gaussian" }, severity: { min: 0, max: 5, step: 1, def: 3 },
    lambda: { min: 0, max: 2, step: 0.1, def: 0.5 }, steps: { min: 1, max: 10, step: 1, def: 3 }, epsilon: { min: 0, max: 8, step: 1, def: 2 },
  },

  build(lab) {
    const s0 = lab.state;
    const choose = lab.picker();
    const noise = choices({ name: "noise", label: "Noise", options: [["gaussian", "Gaussian"], ["shot", "shot"], ["speckle", "speckle"], ["impulse", "impulse"]], value: s0.noise, change: (v) => lab.set({ noise: v }) });
    const make = (key, label, min, max, step, text) => slider({ name: key, label, min, max, step, value: s0[key], text, change: (v) => lab.set({ [key]: v }) });
    const severity = make("severity", "Severity, as in CIFAR-10-C", 0, 5, 1, (v) => (v ? String(v) : "none")), lambda = make("lambda", "λ of the stem", 0, 2, 0.1, (v) => v.toFixed(1));
    const epsilon = make("epsilon", "ε of the attack, in 1/255", 0, 8, 1), steps = make("steps", "Steps of the attack", 1, 10, 1);
    const noisy = picture("the picture with noise"), worst = picture("after the attack"), change = picture("the change, × 1/ε");
    const sentence = el("p", { class: "answer", role: "status" }), fate = el("p", { class: "answer", role: "status" });
    const data = table("What the network sees, as numbers");
    const honest = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Accuracy on test images" }, el("table", {},
      el("thead", {}, el("tr", {}, ["noise", "λ = 0.1", "by set", "by image"].map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, [["none", "88.1", "81.6", "83.7"], ["Gaussian", "40.2", "58.8", "52.4"], ["shot", "49.2", "61.5", "58.0"], ["speckle", "51.4", "59.8", "58.8"], ["impulse", "53.2", "54.5", "52.1"]].map((r) => el("tr", {}, r.map((c, i) => el(i ? "td" : "th", {}, c)))))));
    const attack = (s) => ({ ask: "attack", picture: s.picture, epsilon: s.epsilon, iterations: s.steps });
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, choose.element, noise.element, severity.element, lambda.element, epsilon.element, steps.element),
      el("div", { class: "view" }, sentence, fate, el("div", { class: "pictures" }, noisy.element, worst.element, change.element), data.element),
      el("section", { class: "wide" }, el("h2", {}, "On a thousand pictures, not one"), el("p", { class: "dim" }, "One picture proves nothing. This is sdnet8_slim’s accuracy in % on CIFAR-10’s test images, mean over five severities, as ref robust measured it (standard error 1.2). Of 100 test images 80 are recognised; 42 withstand ε = 1/255, 3 withstand 2/255, none 4/255 (ref attack)."), honest),
      formula(row(mi("λ"), mo("("), mi("x"), mo(")"), mo("="), mi("a"), mi("r"), mo("("), mi("x"), mo(")"), mo("+"), mi("b")), "line", "λ from the residual r, a line fitted to training images."),
      formula(row(mi("p"), mo("←"), mi("P"), mo("("), mi("p"), mo("+"), mi("α"), fn("sign"), mo("∇"), mi("L"), mo(")")), "attack", "One step of the attack: up the loss, back into the ball of ε."),
      exercise({
        question: "How many steps does the attack need, at the ε that you see, until the network calls the picture something else? (11 if ten are not enough.)",
        answer: "steps:",
        hint: "An attack of n steps divides 2.5 ε among them, so try each number.",
        check: async (given) => {
          let first = 11;
          for (let i = 1; i <= 10 && first === 11; i++) {
            const a = await lab.fetch({ ...attack(lab.state), iterations: i }, "back-exercise");
            if (a.now[a.label] < Math.max(...a.now)) first = i;
          }
          return [given === first, given === first ? "So little is enough." : "Move the slider of the steps."];
        },
      }));
    return {
      element,
      async update(s) {
        choose.set(s.picture); noise.set(s.noise); severity.set(s.severity); lambda.set(s.lambda); epsilon.set(s.epsilon); steps.set(s.steps);
        if (element.dataset.seen && !(await lab.rest())) return;
        element.dataset.seen = "true";
        const a = await lab.ask({ ask: "robust", picture: s.picture, noise: s.noise, severity: s.severity, lambda: s.lambda }, "back-robust");
        if (!a) return;
        paintBytes(noisy.canvas, a.arrays.noisy.data);
        const [trained, now] = a.seen;
        sentence.replaceChildren(el("strong", {}, `At λ = ${trained.lambda} the network says ${trained.class}, at ${s.lambda.toFixed(1)} ${now.class}.`), ` The stem cannot explain r = ${show(trained.residual)} of this picture.`);
        element.dataset.class = trained.class;
        fate.textContent = "Attacking the picture without noise …";
        const b = await lab.ask(attack(s), "back-attack");
        if (!b) return;
        paintImage(worst.canvas, b.arrays.worst, { mean: 0, std: 1 });
        paintImage(change.canvas, b.arrays.change, { mean: 0.5, std: s.epsilon ? 127.5 / s.epsilon : 1 });
        const best = b.now.indexOf(Math.max(...b.now));
        fate.replaceChildren(el("strong", {}, `After ${s.steps} step${s.steps > 1 ? "s" : ""} within ${s.epsilon}/255 it says ${b.classes[best]}, ${percent(b.now[best])}`), `, where it said ${b.classes[b.label]}, ${percent(b.clean[b.label])}, before.`);
        data.set(["class", "the picture as it is", "after the attack"], b.classes.map((name, i) => [name, percent(b.clean[i]), percent(b.now[i])]));
      },
    };
  },
};
