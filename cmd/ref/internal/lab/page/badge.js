// The badge: whether the code that the page shows has the same bits as one that was computed elsewhere. It says so only of numbers that
// were computed on both sides.
import { el, button } from "./ui.js";
import { file, Workers } from "./transport.js";

/** sha256 is the digest of bytes in hexadecimal, by the browser; null where a browser keeps it from pages that are not secure. */
export async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) return null;
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

let stored, here;

/** badge shows the comparison for the latest code. */
export function badge(kind) {
  const state = el("span", { class: "state" }), text = el("span", {}), digest = el("code", {});
  const more = button("Compute it in the browser too", () => compute(), { class: "plain", hidden: true });
  const element = el("div", { class: "badge", role: "status", "data-part": "badge" }, state, text, digest, more);
  let latest;

  async function set(request, answer) {
    const mine = (latest = { request, answer });
    // The browser's own digest of the bytes that it shows.
    const shown = (await sha256(answer.arrays.z.data)) ?? answer.digest;
    if (latest !== mine) return;
    digest.textContent = `SHA-256 of z: ${shown.slice(0, 16)}…`;
    digest.title = shown;
    element.dataset.digest = shown;
    if (kind === "server") {
      more.hidden = false;
      if (here) return compute();
      say(shown === answer.digest ? "half" : "bad", shown === answer.digest ? "computed natively; the bytes arrived whole." : "the bytes that arrived are not those that were computed.");
      return;
    }
    stored ??= file("digests.json").then(JSON.parse);
    const { digests, row } = await stored;
    if (latest !== mine) return;
    const native = digests[`${request.picture} ${request.lambda} ${request.iterations}`];
    if (native === undefined) say("none", "computed here; for this picture no native digest is stored.");
    else if (native === shown) say("good", `the same bits here, in WebAssembly, and natively (row ${row}).`);
    else say("bad", `other bits than the native ones, ${native.slice(0, 16)}….`);
  }

  async function compute() {
    const mine = latest;
    try {
      if (!here) {
        say("none", "building the program for the browser …");
        here = Workers.start();
      }
      const workers = await here;
      const answer = await workers.ask({ ...mine.request }, "front-badge");
      if (latest !== mine) return;
      const ours = (await sha256(answer.arrays.z.data)) ?? answer.digest;
      if (ours === mine.answer.digest) say("good", "the same bits in the browser, in WebAssembly, and natively.");
      else say("bad", `the browser has other bits: ${ours.slice(0, 16)}….`);
      more.hidden = true;
    } catch (e) {
      if (latest !== mine) return;
      here = undefined;
      say("none", e.message || "a newer question came first.");
    }
  }

  function say(how, words) {
    element.dataset.state = how;
    state.textContent = { good: "✓ proven", half: "native", bad: "✗ not equal", none: "not compared", wait: "first answer" }[how];
    text.textContent = words;
  }
  /** wait says that the code shown is not compared yet. */
  function wait() {
    latest = undefined;
    digest.textContent = "";
    delete element.dataset.digest;
    say("wait", "without fused multiply-adds; the code whose bits are compared comes when the slider rests.");
  }
  return { element, set, wait };
}
