// The page's state is its address: #SCREEN&name=value. Each screen says which names it knows and what they may be.

/** parse reads an address's hash for the screens; notes are sentences about what made no sense. */
export function parse(hash, screens) {
  const notes = [];
  const [name, ...pairs] = hash.replace(/^#/, "").split("&");
  let screen = screens.find((s) => s.id === name);
  if (!screen) {
    if (name) notes.push(`The address asks for a screen ${quote(name)}; there is none of that name, so this is the first.`);
    screen = screens[0];
  }
  const given = new Map();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    let value = at < 0 ? "" : pair.slice(at + 1);
    try { value = decodeURIComponent(value); } catch { /* it stays as it is, and will hardly make sense */ }
    given.set(at < 0 ? pair : pair.slice(0, at), value);
  }
  const state = {};
  for (const [key, spec] of Object.entries(screen.state)) {
    state[key] = spec.def;
    if (!given.has(key)) continue;
    const value = read(given.get(key), spec);
    if (value === undefined) notes.push(`The address says ${key}=${quote(given.get(key))}, which is not ${words(spec)}; this is ${spec.def}.`);
    else state[key] = value;
    given.delete(key);
  }
  for (const key of given.keys()) if (key) notes.push(`The address says something about ${quote(key)}, which this screen does not know.`);
  return { screen, state, notes };
}

function read(text, spec) {
  if (spec.of) return spec.of.includes(text) ? text : undefined;
  if (spec.pattern) return spec.pattern.test(text) ? text : undefined;
  const v = Number(text);
  if (text.trim() === "" || !Number.isFinite(v) || v < spec.min || v > spec.max) return undefined;
  return spec.step ? Number((Math.round((v - spec.min) / spec.step) * spec.step + spec.min).toFixed(6)) : v;
}

const quote = (text) => `“${text.length > 40 ? text.slice(0, 40) + "…" : text}”`;
const words = (spec) => (spec.of ? `one of ${spec.of.join(", ")}` : spec.pattern ? "of the form that it must have" : `a number from ${spec.min} to ${spec.max}`);

/** format is the hash of a screen's state; what is as at the start is left out. */
export function format(screen, state) {
  return "#" + [screen.id, ...Object.entries(screen.state).filter(([k, spec]) => state[k] !== spec.def).map(([k]) => `${k}=${encodeURIComponent(state[k])}`)].join("&");
}

/** pictureState is the state of a picture: a drawn one, or 3 x 32 x 32 pixels in base64url. */
export const pictureState = { pattern: /^(shapes:\d{1,3}|px:[A-Za-z0-9_-]{4096})$/, def: "shapes:0" };
