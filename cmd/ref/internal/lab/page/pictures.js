// Choosing a picture: one of the drawn ones, a file, or drawing.
import { el, button, fresh } from "./ui.js";
import { paintBytes } from "./draw.js";

const side = 32, maxFile = 20 << 20, maxPixels = 1 << 26;

/** encode makes a state of an RGBA image of 32 x 32. */
function encode(rgba) {
  let text = "";
  for (let c = 0; c < 3; c++) for (let i = 0; i < side * side; i++) text += String.fromCharCode(rgba[4 * i + c]);
  return "px:" + btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** pixels is the bytes (3, 32, 32) of a state. */
export function pixels(state, drawn) {
  if (state.startsWith("shapes:")) {
    const i = Number(state.slice(7));
    return i < drawn.shape[0] ? drawn.data.subarray(i * 3072, (i + 1) * 3072) : null;
  }
  return Uint8Array.from(atob(state.slice(3).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

/** fromFile reads a picture, takes its middle square and scales that to 32 x 32. Errors are sentences. */
async function fromFile(f) {
  if (f.size > maxFile) throw new Error(`${f.name} has ${Math.round(f.size / 2 ** 20)} MB; at most ${maxFile >> 20} are read.`);
  if (f.size === 0) throw new Error(`${f.name} is empty.`);
  const url = URL.createObjectURL(f), image = new Image();
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = () => reject(new Error(`${f.name} is no picture that this browser can read.`));
      image.src = url;
    });
    const w = image.naturalWidth, h = image.naturalHeight, s = Math.min(w, h);
    if (!(s > 0)) throw new Error(`${f.name} says nothing about its size.`);
    if (w * h > maxPixels) throw new Error(`${f.name} has ${w} x ${h} pixels; at most ${maxPixels.toLocaleString("en")} are taken.`);
    const canvas = el("canvas", { width: side, height: side }), pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.fillRect(0, 0, side, side);
    pen.drawImage(image, (w - s) / 2, (h - s) / 2, s, s, 0, 0, side, side);
    return encode(pen.getImageData(0, 0, side, side).data);
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** picker is the row of pictures; choose is called with a state. */
export function picker(drawn, names, current, choose) {
  const note = el("p", { class: "note", role: "status" });
  const thumbs = names.map((name, i) => {
    const canvas = el("canvas", { width: side, height: side, "aria-hidden": "true" });
    paintBytes(canvas, drawn.data.subarray(i * 3072, (i + 1) * 3072));
    return el("button", { type: "button", class: "thumb", "aria-label": `drawn picture: ${name}`, title: name, "data-picture": `shapes:${i}`, onclick: () => pick(`shapes:${i}`) }, canvas);
  });
  const id = fresh("file");
  const input = el("input", { type: "file", id, accept: "image/*", class: "hidden", onchange: () => take(input.files[0]) });
  const own = el("button", { type: "button", class: "thumb", "aria-label": "your own picture", "data-picture": "own", onclick: () => paint() }, el("canvas", { width: side, height: side, "aria-hidden": "true" }));
  const element = el("div", { class: "picker", role: "group", "aria-label": "Picture" },
    el("div", { class: "thumbs" }, thumbs, own), el("div", { class: "row" }, button("Draw one", () => paint(), { class: "plain" }), el("label", { for: id, class: "plain file", tabindex: -1 }, "Open a file", input), el("span", { class: "dim drop" }, "or drop one here")), note);
  element.addEventListener("dragover", (e) => { e.preventDefault(); element.classList.add("over"); });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (e) => { e.preventDefault(); element.classList.remove("over"); take(e.dataTransfer.files[0]); });

  function pick(state) { note.textContent = ""; set(state); choose(state); }
  async function take(f) {
    if (!f) return;
    try { pick(await fromFile(f)); } catch (e) { note.textContent = e.message; }
    input.value = "";
  }
  function set(state) {
    current = state;
    for (const b of thumbs) b.setAttribute("aria-pressed", b.dataset.picture === state);
    const mine = !state.startsWith("shapes:");
    own.hidden = !mine;
    own.setAttribute("aria-pressed", mine);
    if (mine) paintBytes(own.firstChild, pixels(state, drawn));
  }
  function paint() {
    const canvas = el("canvas", { width: side, height: side, class: "easel", tabindex: 0, "aria-label": "Canvas of 32 x 32 pixels; draw with the mouse or a finger" });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const ink = el("input", { type: "color", value: "#f2b233", id: fresh("ink") }), ground = el("input", { type: "color", value: "#203050", id: fresh("ground") });
    const now = pixels(current, drawn);
    if (now) paintBytes(canvas, now); else clear();
    function clear() { pen.fillStyle = ground.value; pen.fillRect(0, 0, side, side); }
    let last = null;
    const stroke = (e) => {
      const box = canvas.getBoundingClientRect(), x = (e.clientX - box.left) / box.width * side, y = (e.clientY - box.top) / box.height * side;
      pen.strokeStyle = ink.value; pen.lineWidth = 3; pen.lineCap = "round";
      pen.beginPath(); pen.moveTo(...(last ?? [x, y])); pen.lineTo(x + 0.01, y); pen.stroke();
      last = [x, y];
      pick(encode(pen.getImageData(0, 0, side, side).data));
    };
    canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); last = null; stroke(e); });
    canvas.addEventListener("pointermove", (e) => { if (e.buttons) stroke(e); });
    const dialog = el("dialog", { class: "paint", "aria-label": "Draw a picture", onclose: () => dialog.remove() },
      el("div", { class: "head" }, el("strong", {}, "Draw"), button("Done", () => dialog.close(), { class: "plain" })), canvas,
      el("div", { class: "row" }, el("label", {}, "Ink ", ink), el("label", {}, "Ground ", ground), button("Clear", () => { clear(); pick(encode(pen.getImageData(0, 0, side, side).data)); }, { class: "plain" })));
    document.body.append(dialog);
    dialog.showModal();
  }
  set(current);
  return { element, set };
}
