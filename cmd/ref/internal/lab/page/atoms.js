// Atoms: A stamps, A* matches.
import { el, slider, button, exercise, formula, table, show, mi, mo, row, sup } from "./ui.js";
import { picture, paintImage, paintMaps, atomImage } from "./draw.js";
import { pictureState } from "./state.js";

export default {
  id: "atoms",
  title: "Atoms",
  question: "What do A and A* do?",
  lead: "A stamps: it puts an atom, 3 × 3 pixels in three colours, wherever the code says so, and adds. A* matches: at each place it multiplies an atom with the picture there, 27 products, and adds.",
  state: {
    picture: pictureState, atom: { min: 0, max: 63, step: 1, def: 31 }, value: { min: -3, max: 3, step: 0.25, def: 2 },
    row: { min: 0, max: 31, step: 1, def: 10 }, column: { min: 0, max: 31, step: 1, def: 12 },
    places: { pattern: /^(\d{1,2},\d{1,2},\d{1,2},-?\d(\.\d{1,2})?;){0,200}$/, def: "31,6,6,2;31,6,9,2;31,6,12,2;4,16,20,3;" },
  },

  build(lab) {
    const choose = lab.picker();
    const list = el("div", { class: "atoms", role: "group", "aria-label": "Atoms" });
    const value = slider({ name: "value", label: "The number that is stamped", min: -3, max: 3, step: 0.25, value: lab.state.value, text: (v) => v.toFixed(2), change: (v) => lab.set({ value: v }) });
    const rows = slider({ name: "row", label: "Row of the match", min: 0, max: 31, step: 1, value: lab.state.row, change: (v) => lab.set({ row: v }) });
    const columns = slider({ name: "column", label: "Column of the match", min: 0, max: 31, step: 1, value: lab.state.column, change: (v) => lab.set({ column: v }) });
    const az = picture("A z: click to stamp"), x = picture("x: point to match"), match = picture("A*x for this atom");
    const products = el("div", { class: "triple" });
    const sentence = el("p", { class: "answer", role: "status" });
    const data = table("The 27 products");
    const layouts = el("div", { class: "layouts" });
    const here = (canvas, e) => {
      const box = canvas.getBoundingClientRect(), at = (v) => Math.max(0, Math.min(31, Math.floor(v * 32)));
      return { row: at((e.clientY - box.top) / box.height), column: at((e.clientX - box.left) / box.width) };
    };
    const parse = (text) => text.split(";").filter(Boolean).map((p) => p.split(",").map(Number)).map(([atom, row, column, v]) => ({ atom, row, column, value: v }));
    const stamp = (at) => lab.set({ places: lab.state.places + `${lab.state.atom},${at.row},${at.column},${lab.state.value};` });
    az.canvas.addEventListener("click", (e) => { if (parse(lab.state.places).length < 200) stamp(here(az.canvas, e)); });
    for (const c of [x.canvas, match.canvas]) {
      c.addEventListener("pointermove", (e) => { const at = here(c, e); if (at.row !== lab.state.row || at.column !== lab.state.column) lab.set(at); });
      c.addEventListener("click", (e) => lab.set(here(c, e)));
    }
    const request = (s) => ({ ask: "stamp", picture: s.picture, places: parse(s.places), at: { atom: s.atom, row: s.row, column: s.column, value: 0 } });
    const element = el("div", { class: "screen" },
      el("div", { class: "controls" }, el("div", {}, el("p", { class: "dim" }, "Choose an atom"), list), value.element,
        el("div", { class: "row" }, button("Stamp at the match", () => stamp(lab.state)), button("Undo", () => lab.set({ places: lab.state.places.replace(/[^;]*;$/, "") }), { class: "plain" }), button("Clear", () => lab.set({ places: "" }), { class: "plain" })),
        rows.element, columns.element, choose.element),
      el("div", { class: "view" }, sentence, el("div", { class: "pictures" }, az.element, x.element, match.element), products, data.element),
      el("section", { class: "wide" }, el("h2", {}, "The same atom in two layouts"), layouts),
      formula(row(mi("A"), mi("z"), mo("="), mi("conv_transpose2d"), mo("("), mi("z"), mo(","), mi("w"), mo(")")), "(A.6)", "Stamping, with the published weights w."),
      formula(row(sup(mi("A"), mo("∗")), mi("x"), mo("="), mi("conv2d"), mo("("), mi("x"), mo(","), mi("w"), mo(")")), "(A.2)", "Matching."),
      exercise({
        question: "Every atom has norm 1. Stamp one with the number 2 on an empty picture, away from the borders, and match the same atom at the same place of that picture: what is the sum of the 27 products?",
        answer: "A*Az there:",
        hint: "⟨w, 2w⟩ = 2 ‖w‖².",
        check: async (given) => {
          const a = await lab.fetch({ ask: "stamp", picture: lab.state.picture, places: [{ atom: lab.state.atom, row: 15, column: 15, value: 2 }] });
          let sum = 0;
          for (const v of a.arrays.az.data) sum += v * v / 2; // <A z, A z>/2 = <w, 2w>
          return [Math.abs(given - sum) < 0.01, Math.abs(given - sum) < 0.01 ? "Matching is how much of an atom there is, if no other is near." : "Think of the sum of the squares of the atom’s numbers."];
        },
      }));
    let atoms;
    return {
      element,
      async update(s) {
        value.set(s.value); rows.set(s.row); columns.set(s.column); choose.set(s.picture);
        if (!atoms) {
          atoms = lab.ask({ ask: "atoms" }, "front-atoms");
          const all = await atoms;
          if (!all) { atoms = undefined; return; }
          list.replaceChildren(...Array.from({ length: 64 }, (_, m) => {
            const c = el("canvas", { width: 3, height: 3, "aria-hidden": "true" });
            atomImage(c, all.arrays.atoms.data.subarray(27 * m, 27 * m + 27), 3);
            return el("button", { type: "button", class: "thumb", "aria-label": `atom ${m}`, "data-atom": m, onclick: () => lab.set({ atom: m }) }, c);
          }));
        }
        for (const b of list.children) b.setAttribute("aria-pressed", Number(b.dataset.atom) === s.atom);
        const a = await lab.ask(request(s), "front-stamp");
        if (!a) return;
        paintImage(az.canvas, a.arrays.az); paintImage(x.canvas, a.arrays.x);
        paintMaps(match.canvas, { data: a.arrays.match.data, shape: [1, 32, 32] }, { columns: 1 });
        frame(x.canvas, s); frame(match.canvas, s);
        sentence.replaceChildren(el("strong", {}, `Atom ${s.atom} matches ${show(a.value)} at row ${s.row}, column ${s.column}:`), " the sum of these 27 products. Orange is negative.");
        element.dataset.value = a.value;
        const square = (name, t) => {
          const c = el("canvas", { role: "img", "aria-label": name });
          paintMaps(c, { data: t.data, shape: [3, 3, 3] }, { columns: 3, gamma: 1 });
          return el("figure", {}, c, el("figcaption", {}, name));
        };
        products.replaceChildren(square("atom, red green blue", a.arrays.atom), el("b", {}, "×"), square("picture there", a.arrays.window), el("b", {}, "="), square("products", a.arrays.products));
        data.set(["colour, row, column", "atom", "picture", "product"], Array.from({ length: 27 }, (_, i) => [`${["red", "green", "blue"][Math.floor(i / 9)]} ${Math.floor(i / 3) % 3} ${i % 3}`, a.arrays.atom.data[i], a.arrays.window.data[i], a.arrays.products.data[i]]));
        layouts.replaceChildren(square("PyTorch’s and the published weights, (M, C, k, k): A* is conv2d", a.arrays.atom), square("the paper’s kernel, (C, M, k, k), flipped: A is conv2d", a.arrays.paper));
      },
    };
  },
};

/** frame marks a window of 3 x 3 on a picture of 32 x 32, in black and white, so that it is seen on any. */
function frame(canvas, at) {
  const pen = canvas.getContext("2d");
  for (let i = -2; i <= 2; i++) for (let j = -2; j <= 2; j++) {
    const r = at.row + i, c = at.column + j;
    if (Math.max(Math.abs(i), Math.abs(j)) !== 2 || r < 0 || r >= 32 || c < 0 || c >= 32) continue;
    pen.fillStyle = (i + j) % 2 ? "#000" : "#fff";
    pen.fillRect(c, r, 1, 1);
  }
}
