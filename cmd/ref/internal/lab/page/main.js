// The page: which screen, its state, who computes. Left and right go from screen to screen.
import { el } from "./ui.js";
import { connect, Superseded } from "./transport.js";
import { parse, format } from "./state.js";
import { picker } from "./pictures.js";
import known from "./known.js";
import shrink from "./shrink.js";
import atoms from "./atoms.js";
import fista from "./fista.js";
import step from "./step.js";
import path from "./path.js";
import gradient from "./gradient.js";
import network from "./network.js";
import robust from "./robust.js";

const all = [known, shrink, atoms, fista, step, path, gradient, network, robust];

// ?only=a,b shows these screens alone; ?hide=exercise,formula,data,badge,nav leaves parts out.
const query = new URLSearchParams(location.search);
const listed = (name) => (query.get(name) ?? "").split(",").map((s) => s.trim()).filter(Boolean);
const only = listed("only"), notes = [];
for (const name of only) if (!all.some((s) => s.id === name)) notes.push(`?only= names ${name.slice(0, 40)}, and there is no such screen.`);
const screens = only.length && all.some((s) => only.includes(s.id)) ? all.filter((s) => only.includes(s.id)) : all;
const parts = ["exercise", "formula", "data", "badge", "nav"];
for (const part of listed("hide")) {
  if (parts.includes(part)) document.documentElement.classList.add(`hide-${part}`);
  else notes.push(`?hide= names ${part.slice(0, 40)}; it can leave out ${parts.join(", ")}.`);
}

globalThis.labLatency = []; // what every answer took, for those who measure

const main = document.getElementById("main");
let transport, about, drawn, current;

function fail(e) {
  main.replaceChildren(el("p", { class: "failure", role: "alert" }, e.message));
}

/** Lab is what a screen sees of the page. */
class Lab {
  constructor(screen, state) {
    this.screen = screen; this.state = state;
    this.kind = transport.kind; this.row = about.row; this.drawn = drawn;
    this.note = el("p", { class: "note", role: "alert" });
    this.time = el("p", { class: "time" });
  }
  /** set changes the state, what is shown, and the address. That waits for the slider to rest: browsers refuse to change it more than some tens of times a minute. */
  set(patch) {
    Object.assign(this.state, patch);
    clearTimeout(this.addressing);
    this.addressing = setTimeout(() => {
      if (current === this) history.replaceState(null, "", location.search + format(this.screen, this.state));
    }, 250);
    this.update();
  }
  update() {
    this.view.update(this.state);
  }
  picker() {
    return picker(drawn.arrays.pictures, drawn.names, this.state.picture, (picture) => this.set({ picture }));
  }
  /** ask answers a request, and shows what went wrong; undefined if a newer one came first or there is no answer. */
  async ask(request, slot) {
    const begin = performance.now(), name = slot ?? request.ask;
    this.busy(1);
    try {
      const answer = await transport.ask(request, name);
      if (current !== this) return undefined;
      this.note.textContent = "";
      const took = performance.now() - begin;
      globalThis.labLatency.push({ screen: this.screen.id, slot: name, took, computed: answer.computed });
      this.time.textContent = `${name.startsWith("back") ? "Computed in the background" : "Answered"} in ${took < 2000 ? `${Math.round(took)} ms` : `${(took / 1000).toFixed(1)} s`} by ${this.kind === "server" ? `this machine, kernel row ${this.row}` : `this browser: WebAssembly, kernel row ${this.row}`}.`;
      return answer;
    } catch (e) {
      if (e instanceof Superseded || current !== this) return undefined;
      this.note.textContent = e.message;
      return undefined;
    } finally {
      // What a screen draws with the answer it draws before the next task.
      setTimeout(() => this.busy(-1));
    }
  }
  /** busy says on the screen that something is being computed, or no longer. */
  busy(by) {
    this.asked = (this.asked ?? 0) + by;
    if (this.asked) this.view.element.setAttribute("aria-busy", "true");
    else this.view.element.removeAttribute("aria-busy");
  }
  /** rest waits until the hand has rested, for what takes longer than a slider may; false if it has not. */
  async rest() {
    const mine = (this.resting = {});
    this.busy(1);
    await new Promise((resolve) => setTimeout(resolve, 250));
    this.busy(-1);
    return current === this && this.resting === mine;
  }
  /** fetch is ask for an exercise, whose errors it shows itself. */
  fetch(request, slot = "exercise") {
    return transport.ask(request, slot);
  }
}

function open() {
  const { screen, state, notes: found } = parse(location.hash, screens);
  const lab = (current = new Lab(screen, state));
  lab.view = screen.build(lab);
  const at = screens.indexOf(screen);
  document.title = `${screen.title}: the lab`;
  const step = (by, words) => {
    const other = screens[at + by];
    return other ? el("a", { href: "#" + other.id, rel: by > 0 ? "next" : "prev" }, ...(by > 0 ? [el("strong", {}, other.title), " ", words] : [words, " ", el("strong", {}, other.title)])) : el("span", {});
  };
  main.replaceChildren(
    ...[...notes, ...found].map((n) => el("p", { class: "note", role: "alert" }, n)),
    el("p", { class: "kicker" }, `${at + 1} of ${screens.length} · ${screen.title}`),
    el("h1", {}, screen.question), el("p", { class: "lead" }, screen.lead),
    el("div", { id: "stage", tabindex: -1 }, lab.view.element), lab.note, lab.time,
    el("div", { class: "pages" }, step(-1, "←"), step(1, "→")));
  for (const a of document.querySelectorAll("#screens a")) {
    if (a.hash === "#" + screen.id) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  reveal();
  lab.update();
}

/** reveal scrolls the list of screens to the present one, where a narrow window does not show all. */
function reveal() {
  const here = document.querySelector("#screens [aria-current]");
  if (here) here.closest("ol").scrollLeft = here.offsetLeft - 24;
}

async function begin() {
  try {
    transport = await connect();
    [about, drawn] = [await transport.ask({ ask: "about" }), await transport.ask({ ask: "pictures" })];
  } catch (e) {
    fail(e);
    return;
  }
  document.getElementById("screens").replaceChildren(...screens.map((s) => el("li", {}, el("a", { href: "#" + s.id }, s.title))));
  document.getElementById("foot").replaceChildren(el("p", {}, "Computed by sdref, the CPU reference of SDNet, ",
    transport.kind === "server" ? `on this machine (${about.cpu}, kernel row ${about.row}).` : `in this browser (WebAssembly, kernel row ${about.row}). Nothing leaves it.`,
    " Equation numbers are those of the supplement of Dai et al., NeurIPS 2022. Arrow keys turn the pages."));
  addEventListener("resize", reveal);
  addEventListener("hashchange", () => { open(); scrollTo(0, 0); });
  addEventListener("keydown", (e) => {
    if (e.altKey || e.ctrlKey || e.metaKey || e.shiftKey || document.querySelector("dialog[open]") || /^(INPUT|TEXTAREA|SELECT|CANVAS)$/.test(e.target.tagName) || e.target.getAttribute?.("role") === "grid") return;
    const other = screens[screens.indexOf(current.screen) + { ArrowRight: 1, ArrowLeft: -1 }[e.key]];
    if (other) location.hash = other.id;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => current.update()); // canvases do not change their colours alone
  open();
  document.documentElement.dataset.ready = "true";
}

begin();
