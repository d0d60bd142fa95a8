// The page's parts: elements, sliders, buttons, charts with a table behind them, exercises, formulas, and the dialog that shows a line
// of the source.
import { file } from "./transport.js";

/** el makes an element; attributes that are functions are listeners, children may be text. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** svg makes an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(e, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") e.addEventListener(name.replace(/^on/, ""), value);
    else if (value !== undefined && value !== null && value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children.flat().filter((c) => c !== null && c !== undefined).flatMap((c) => (typeof c === "string" ? typeset(c) : [c])));
  return e;
}

/** typeset makes λ_max and z_k of a text into letters with a subscript, and keeps A z and 16 × 16 on one line. */
export function typeset(text) {
  const parts = text.replace(/\bA z/g, "A\u00a0z").replace(/ × (?=\d)/g, "\u00a0×\u00a0").split(/(?<=(?:^|[^\w])[λmz])_(max|k)(?!\w)/);
  return parts.map((p, i) => (i % 2 ? el("sub", {}, p) : p));
}

/** show writes a number as people read it. */
export function show(v, digits = 3) {
  if (v === 0) return "0";
  const a = Math.abs(v);
  if (a >= 1e6 || a < 1e-3) return v.toExponential(digits - 1).replace("e+", "e");
  return a >= 1000 ? Math.round(v).toLocaleString("en") : String(Number(v.toPrecision(digits)));
}

export const percent = (v) => (v > 0 && v * 100 < 10 ? (v * 100).toFixed(1) : Math.round(v * 100)) + "\u00a0%";
export const count = (n) => n.toLocaleString("en");

let ids = 0;
export const fresh = (prefix) => `${prefix}-${++ids}`;

/** slider is a labelled native range input; text says its value in words. */
export function slider({ name, label, min, max, step, value, text = String, change }) {
  const id = fresh("slider");
  const output = el("output", { for: id });
  const input = el("input", { type: "range", id, name, min, max, step, value });
  const say = () => {
    output.textContent = text(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { say(); change(Number(input.value)); });
  say();
  return {
    element: el("div", { class: "slider" }, el("label", { for: id }, label), output, input),
    set(v) { if (Number(input.value) !== v) input.value = v; say(); },
  };
}

/** choices is a group of radio buttons. */
export function choices({ name, label, options, value, change }) {
  const group = fresh(name);
  const inputs = options.map(([v, words]) => {
    const input = el("input", { type: "radio", name: group, value: v, checked: v === value, onchange: () => change(v) });
    return el("label", {}, input, el("span", {}, words));
  });
  return {
    element: el("fieldset", { class: "choices", "data-name": name }, el("legend", {}, label), el("div", {}, inputs)),
    set(v) { for (const l of inputs) l.firstChild.checked = l.firstChild.value === v; },
  };
}

export const button = (words, press, attributes = {}) => el("button", { type: "button", ...attributes, onclick: press }, words);

/** table is a data table behind a chart or a picture, closed at first. */
export function table(summary) {
  const inner = el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": summary });
  const element = el("details", { class: "data" }, el("summary", {}, summary), inner);
  let latest;
  const draw = () => {
    if (!latest || !element.open) return;
    const [heads, rows] = latest;
    inner.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, rows.map((r) => el("tr", {}, r.map((c, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, typeof c === "number" ? show(c, 6) : c)))))));
  };
  element.addEventListener("toggle", draw);
  return { element, set(heads, rows) { latest = [heads, rows]; draw(); } };
}

/** exercise is a question whose answer, a number, check judges: it returns, perhaps later, [right, sentence]. */
export function exercise({ question, answer, check, hint }) {
  const id = fresh("answer");
  const input = el("input", { id, inputmode: "decimal", autocomplete: "off", size: 8, required: true });
  const verdict = el("p", { class: "verdict", role: "status" });
  const form = el("form", {
    class: "exercise", "data-part": "exercise",
    onsubmit: async (e) => {
      e.preventDefault();
      const given = Number(input.value.replace(",", ".").replace("%", ""));
      verdict.className = "verdict";
      if (input.value.trim() === "" || !Number.isFinite(given)) {
        verdict.textContent = "A number, please.";
        return;
      }
      verdict.textContent = "Computing it …";
      try {
        const [right, words] = await check(given);
        verdict.className = right ? "verdict right" : "verdict wrong";
        verdict.textContent = (right ? "Right. " : "Not yet. ") + words;
      } catch (err) {
        verdict.textContent = err.message || "That was interrupted; try again.";
      }
    },
  }, el("h2", {}, "Exercise"), el("p", {}, question), el("div", { class: "row" }, el("label", { for: id }, answer), input, el("button", { type: "submit" }, "Check")),
  hint ? el("details", {}, el("summary", {}, "Hint"), el("p", {}, hint)) : null, verdict);
  return form;
}

/** formula is MathML with a button that shows the lines of source which compute it. */
export function formula(mathml, id, words) {
  const box = el("div", { class: "formula", "data-part": "formula" });
  const math = el("div", { class: "math" });
  math.innerHTML = `<math display="block">${mathml}</math>`; // of this file and the screens only, nobody's input
  box.append(math, el("p", {}, words, " ", line(id)));
  return box;
}

/** line is a button that shows a place in the source. */
export const line = (id) => button("Show the line", () => showSource(id), { class: "line", "data-line": id });

let source;

async function showSource(id) {
  source ??= file("source.json").then(JSON.parse);
  const { places, files } = await source;
  const place = places[id];
  const close = button("Close", () => dialog.close(), { class: "plain" });
  const code = el("pre", { tabindex: 0 });
  const dialog = el("dialog", { class: "source", "aria-label": `Source of ${id}`, onclose: () => dialog.remove() },
    el("div", { class: "head" }, el("p", {}, el("strong", {}, place ? place.file : id), place ? `, ${place.name}, lines ${place.from} to ${place.to}` : " is not listed"), close), code);
  let first;
  for (const [i, text] of (place ? files[place.file] : "").split("\n").entries()) {
    const inside = place && i + 1 >= place.from && i + 1 <= place.to;
    const cited = inside && text.includes(id);
    const row = el("span", { class: cited ? "cited" : inside ? "inside" : "", "data-n": i + 1 });
    row.textContent = text + "\n"; // as it is
    code.append(row);
    if (inside && !first) first = row;
  }
  document.body.append(dialog);
  dialog.showModal();
  first?.scrollIntoView({ block: "start" });
}

// MathML in a few letters: mi("x") is an identifier, and so on. Screens write formulas with these.
export const mi = (x) => `<mi>${x}</mi>`;
export const mo = (x) => `<mo stretchy="false">${x}</mo>`;
export const fn = (x) => `<mo form="prefix" lspace="0.17em" rspace="0.1em">${x}</mo>`; // a function's name, such as max
export const bar = `<mo stretchy="false" lspace="0" rspace="0">|</mo>`;
export const mn = (x) => `<mn>${x}</mn>`;
export const row = (...x) => `<mrow>${x.join("")}</mrow>`;
export const sub = (x, y) => `<msub>${x}${y}</msub>`;
export const sup = (x, y) => `<msup>${x}${y}</msup>`;
export const frac = (x, y) => `<mfrac>${x}${y}</mfrac>`;
export const norm = (...x) => row(mo("‖"), ...x, mo("‖"));
