// How the page asks the program: through the server of ref lab, or the program itself, as WebAssembly, in two workers, one for what a
// slider waits for and one for what takes longer. In either way a question in a slot takes the place of the one before it in that slot.

/** Superseded is what a question ends with when a newer one has taken its slot. */
export class Superseded extends Error {}

const offline = globalThis.labOffline;

/** file is the text or, for the program, the bytes of one of the page's files. */
export async function file(name) {
  if (offline) {
    const held = offline.files[name];
    if (held === undefined) throw new Error(`${name} is missing`);
    return name.endsWith(".bin") ? Uint8Array.from(atob(held), (c) => c.charCodeAt(0)) : held;
  }
  const response = await fetch(name);
  if (!response.ok) throw new Error(response.status === 404 ? (await response.text()).trim() || `${name} is missing` : `${name}: status ${response.status}`);
  return name.endsWith(".bin") ? new Uint8Array(await response.arrayBuffer()) : response.text();
}

/** decode reads a response: {values, arrays by name}; each array is {shape, data}. computed is how long it took alone, in milliseconds. */
export function decode(buffer, computed) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  if (header.error) throw new Error(header.error);
  const answer = { ...header.values, arrays: {}, computed };
  const types = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array };
  for (const a of header.arrays ?? []) {
    const count = a.shape.reduce((p, n) => p * n, 1);
    answer.arrays[a.name] = { shape: a.shape, data: new types[a.type](buffer, 8 + length + a.offset, count) };
  }
  return answer;
}

/** connect returns what answers: {ask(request, slot), kind}. */
export async function connect() {
  let config;
  try {
    config = JSON.parse(await file("config.json"));
  } catch (e) {
    throw new Error(`The page does not know who computes: ${e.message}`);
  }
  return config.transport === "server" ? new Server() : Workers.start();
}

class Server {
  kind = "server";
  #running = new Map();

  async ask(request, slot = request.ask) {
    this.#running.get(slot)?.abort();
    const abort = new AbortController();
    this.#running.set(slot, abort);
    try {
      const response = await fetch("answer", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request), signal: abort.signal,
      });
      if (!response.ok) throw new Error((await response.text()).trim());
      return decode(await response.arrayBuffer(), Number(/answer;dur=([\d.]+)/.exec(response.headers.get("Server-Timing"))?.[1]));
    } catch (e) {
      if (abort.signal.aborted) throw new Superseded();
      throw e instanceof TypeError ? new Error("The server does not answer; is ref lab still running?") : e;
    }
  }
}

/** Workers runs the program here. */
export class Workers {
  kind = "worker";
  #program;
  #text;
  #lanes = {};

  static async start() {
    const w = new Workers();
    const packed = await file("program.bin");
    const gzipped = packed[0] === 0x1f && packed[1] === 0x8b; // a server may have unpacked it
    const stream = new Blob([packed]).stream();
    const bytes = await new Response(gzipped ? stream.pipeThrough(new DecompressionStream("gzip")) : stream).arrayBuffer();
    w.#program = await WebAssembly.compile(bytes);
    w.#text = (await file("wasm_exec.js")) + "\n" + (await file("worker.js"));
    for (const name of ["front", "back"]) w.#lanes[name] = { queue: new Map(), running: null, name };
    await w.#open(w.#lanes.front);
    return w;
  }

  /** ask answers a request. Slots that begin with "back" are for what takes long: there a newer question ends the older one at once. */
  ask(request, slot = request.ask) {
    const lane = slot.startsWith("back") ? this.#lanes.back : this.#lanes.front;
    return new Promise((resolve, reject) => {
      lane.queue.get(slot)?.reject(new Superseded());
      lane.queue.delete(slot);
      lane.queue.set(slot, { slot, request, resolve, reject });
      if (lane.name === "back" && lane.running?.slot === slot) {
        lane.running.reject(new Superseded());
        this.#close(lane);
      }
      this.#next(lane);
    });
  }

  async #open(lane) {
    const url = URL.createObjectURL(new Blob([this.#text], { type: "text/javascript" }));
    const worker = new Worker(url);
    lane.worker = worker;
    lane.ready = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => {
        if (data.ready) return resolve();
        if (!lane.running) return reject(new Error(data.error));
        const { resolve: good, reject: bad } = lane.running;
        lane.running = null;
        try {
          if (data.error) throw new Error(data.error);
          good(decode(data.bytes.buffer, data.computed));
        } catch (e) {
          bad(e);
        }
        if (data.error) this.#close(lane);
        this.#next(lane);
      };
      worker.onerror = (e) => reject(new Error(e.message));
    });
    worker.postMessage({ program: this.#program });
    await lane.ready;
    URL.revokeObjectURL(url);
  }

  #close(lane) {
    lane.worker?.terminate();
    lane.worker = lane.running = null;
  }

  async #next(lane) {
    if (lane.running || lane.queue.size === 0) return;
    const [slot, job] = lane.queue.entries().next().value;
    lane.queue.delete(slot);
    lane.running = job;
    try {
      if (!lane.worker) await this.#open(lane);
      else await lane.ready;
      if (lane.running === job) lane.worker.postMessage({ request: JSON.stringify(job.request) });
    } catch (e) {
      if (lane.running === job) lane.running = null;
      job.reject(e);
    }
  }
}
