// Pictures on canvases and charts in SVG.
import { el, svg, show, fresh, typeset } from "./ui.js";

/** colour is one of the page's colours as [r, g, b]. */
export function colour(name) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  probe.fillRect(0, 0, 1, 1);
  return probe.getImageData(0, 0, 1, 1).data;
}

/** picture is a canvas with a caption. */
export function picture(caption, { width = 32, height = 32, part } = {}) {
  const canvas = el("canvas", { width, height, role: "img", "aria-label": caption });
  const words = el("figcaption", {}, caption);
  return { element: el("figure", { class: "picture", "data-part": part }, canvas, words), canvas, caption(text) { words.replaceChildren(...typeset(text)); canvas.setAttribute("aria-label", text); } };
}

/** paintImage shows a signal (3, H, W) as colours: value * std + mean is a pixel between 0 and 1. */
export function paintImage(canvas, { data, shape }, { mean = 0.5, std = 0.3 } = {}) {
  const [h, w] = shape.slice(-2), plane = h * w, channels = shape.at(-3) ?? 1;
  canvas.width = w; canvas.height = h;
  const image = new ImageData(w, h);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * (data[Math.min(c, channels - 1) * plane + i] * std + mean) + 0.5;
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** paintBytes shows pixels (3, 32, 32). */
export function paintBytes(canvas, bytes) {
  paintImage(canvas, { data: bytes, shape: [3, 32, 32] }, { mean: 0, std: 1 / 255 });
}

/** ramp mixes the page's colours: 0 is the ground, 1 the accent, -1 the opposite. */
export function ramp() {
  const ground = colour("--map"), high = colour("--accent"), low = colour("--opposite");
  return (v, out, at) => {
    const end = v < 0 ? low : high, a = Math.min(1, Math.abs(v));
    for (let c = 0; c < 3; c++) out[at + c] = ground[c] + (end[c] - ground[c]) * a;
    out[at + 3] = 255;
  };
}

/** shades is the ramp as a table of pixels, for values from -1 to 1 in steps of 1/255, the middle one for 0 alone. */
function shades(gamma) {
  const pixels = new Uint32Array(511), bytes = new Uint8ClampedArray(pixels.buffer), mix = ramp();
  for (let i = -255; i <= 255; i++) mix(Math.sign(i) * Math.pow(Math.abs(i) / 255, gamma), bytes, 4 * (255 + i));
  return pixels;
}

/** paintMaps shows maps (M, H, W) in a grid; scale is the value of the full colour, by default the largest. */
export function paintMaps(canvas, { data, shape }, { columns = 8, scale, gamma = 0.6 } = {}) {
  const [maps, h, w] = shape.slice(-3), rows = Math.ceil(maps / columns), gap = h > 8 ? 2 : 1;
  canvas.width = columns * (w + gap) - gap; canvas.height = rows * (h + gap) - gap;
  let top = scale ?? 0;
  if (scale === undefined) for (const v of data) top = Math.max(top, Math.abs(v));
  const image = new ImageData(canvas.width, canvas.height), pixels = new Uint32Array(image.data.buffer), table = shades(gamma);
  for (let m = 0; m < maps; m++) {
    const left = (m % columns) * (w + gap), above = Math.floor(m / columns) * (h + gap);
    for (let row = 0, i = m * h * w; row < h; row++) {
      for (let at = (above + row) * image.width + left, end = at + w; at < end; at++, i++) {
        const v = top ? (255 * data[i]) / top : 0, level = v > 0 ? Math.max(1, Math.min(255, Math.round(v))) : v < 0 ? Math.min(-1, Math.max(-255, Math.round(v))) : 0;
        pixels[at] = table[255 + level];
      }
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** atomImage is an atom (3, k, k) stretched to colours around grey. */
export function atomImage(canvas, data, k) {
  let top = 1e-9;
  for (const v of data) top = Math.max(top, Math.abs(v));
  paintImage(canvas, { data, shape: [data.length / (k * k), k, k] }, { mean: 0.5, std: 0.5 / top });
}

/**
 * chart draws curves: series are {name, points: [[x, y], ...], style}. Options: x and y labels, logX, logY, ranges, marks (vertical lines
 * {at, label}), points.
 */
export function chart({ label, x, y, logX = false, logY = false, height = 260 }) {
  const box = el("div", { class: "chart" });
  const legend = el("div", { class: "legend", "aria-hidden": "true" });
  const element = el("figure", { class: "plot" }, box, legend);
  let latest;
  const draw = () => { if (latest) render(...latest); };
  new ResizeObserver(draw).observe(box);

  function render(series, { xRange, yRange, marks = [], summary = "" } = {}) {
    const width = Math.max(260, box.clientWidth || 600), right = 12, bottom = 40;
    const all = series.flatMap((s) => s.points).filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b) && (!logX || a > 0) && (!logY || b > 0));
    const range = (values, given, log) => {
      let [lo, hi] = given ?? [Math.min(...values), Math.max(...values)];
      if (!Number.isFinite(lo) || !Number.isFinite(hi)) [lo, hi] = log ? [0.1, 1] : [0, 1];
      if (lo === hi) [lo, hi] = log ? [lo / 2, hi * 2] : [lo - 0.5, hi + 0.5];
      return log ? [Math.log10(lo), Math.log10(hi)] : [lo, hi];
    };
    const [x0, x1] = range(all.map((p) => p[0]), xRange, logX), [y0, y1] = range(all.map((p) => p[1]), yRange, logY);
    const shown = marks.filter((m) => m.at >= (logX ? 10 ** x0 : x0) && m.at <= (logX ? 10 ** x1 : x1)), named = shown.filter((m) => m.label);
    const up = ticks(y0, y1, logY, 5), left = 32 + 7 * Math.max(2, ...up.map((t) => tick(t).length)), top = 12 + 15 * named.length; // labels of marks stand above
    const px = (v) => left + ((logX ? Math.log10(v) : v) - x0) / (x1 - x0) * (width - left - right);
    const py = (v) => height - bottom - ((logY ? Math.log10(v) : v) - y0) / (y1 - y0) * (height - top - bottom);
    const clip = fresh("clip");
    const out = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${label}. ${summary}` },
      svg("clipPath", { id: clip }, svg("rect", { x: left, y: top - 4, width: width - left - right, height: height - top - bottom + 8 })));
    for (const t of ticks(x0, x1, logX, Math.floor(width / 90))) {
      out.append(svg("line", { class: "grid", x1: px(t), x2: px(t), y1: top, y2: height - bottom }), svg("text", { x: px(t), y: height - bottom + 16, "text-anchor": "middle" }, tick(t)));
    }
    for (const t of up) {
      out.append(svg("line", { class: "grid", x1: left, x2: width - right, y1: py(t), y2: py(t) }), svg("text", { x: left - 8, y: py(t) + 4, "text-anchor": "end" }, tick(t)));
    }
    out.append(svg("text", { class: "axis", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, x),
      svg("text", { class: "axis", x: 12, y: (top + height - bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${(top + height - bottom) / 2})` }, y));
    const inside = svg("g", { "clip-path": `url(#${clip})` });
    for (const m of shown) {
      const level = named.indexOf(m), late = px(m.at) > width * 0.7;
      out.append(svg("line", { class: "mark", x1: px(m.at), x2: px(m.at), y1: level < 0 ? top : 2 + 15 * level, y2: height - bottom }));
      if (level >= 0) out.append(svg("text", { class: "marked", x: px(m.at) + (late ? -6 : 6), y: 12 + 15 * level, "text-anchor": late ? "end" : "start" }, m.label));
    }
    for (const [i, s] of series.entries()) {
      const points = s.points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b) && (!logX || a > 0) && (!logY || b > 0));
      const path = points.map(([a, b], j) => `${j ? "L" : "M"}${px(a).toFixed(1)},${py(b).toFixed(1)}`).join("");
      if (!s.dots) inside.append(svg("path", { class: `curve s${s.style ?? i}`, d: path }));
      if (s.dots || points.length < 2) for (const [a, b] of points) inside.append(svg("circle", { class: `dot s${s.style ?? i}`, cx: px(a), cy: py(b), r: s.dots === true ? 4 : s.dots || 3 }));
    }
    out.append(inside);
    box.replaceChildren(out);
    legend.replaceChildren(...series.filter((s) => s.name).map((s) => el("span", {}, key(s, s.style ?? series.indexOf(s)), s.name)));
  }
  return { element, set(series, options) { latest = [series, options]; draw(); } };
}

/** key is what a curve looks like, for the legend: its colour and its dashes. */
const key = (s, style) => svg("svg", { class: "key", width: 26, height: 10 }, s.dots ? svg("circle", { class: `dot s${style}`, cx: 13, cy: 5, r: 4 }) : svg("path", { class: `curve s${style}`, d: "M0,5H26" }));

const tick = (t) => (t !== 0 && (Math.abs(t) >= 1e6 || Math.abs(t) < 1e-3) ? t.toExponential(0).replace("e+", "e") : show(t, 4));

function ticks(lo, hi, log, want) {
  const list = [];
  if (log) {
    const each = Math.max(1, Math.ceil((hi - lo) / want));
    for (let e = Math.ceil(lo - 1e-9); e <= hi + 1e-9; e += each) list.push(10 ** e);
    if (list.length > 1) return list;
    // Less than two powers of ten: round numbers between them, or the ends.
    const round = [1, 2, 3, 5, 7].flatMap((m) => [m * 10 ** Math.floor(lo), m * 10 ** Math.floor(hi)]).filter((v, i, all) => all.indexOf(v) === i && Math.log10(v) >= lo && Math.log10(v) <= hi);
    return round.length > 1 ? round : [10 ** lo, 10 ** hi].map((v) => Number(v.toPrecision(2)));
  }
  const rough = (hi - lo) / Math.max(2, want), unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((m) => m * unit >= rough) ?? 10);
  for (let v = Math.ceil(lo / step - 1e-9) * step; v <= hi + step * 1e-9; v += step) list.push(Number(v.toPrecision(12)));
  return list;
}
