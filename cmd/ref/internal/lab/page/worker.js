// A worker that runs the program: it is given the compiled program, then requests, one at a time, and gives responses back. Go's
// starter, wasm_exec.js, stands before this text.
"use strict";
let ready;
const started = new Promise((resolve) => (ready = resolve));
globalThis.labReady = ready;
onmessage = async ({ data }) => {
  try {
    if (data.program) {
      const go = new Go();
      const instance = await WebAssembly.instantiate(data.program, go.importObject);
      go.run(instance);
      await started;
      postMessage({ ready: true });
      return;
    }
    const begin = performance.now(), bytes = globalThis.labAnswer(data.request);
    postMessage({ bytes, computed: performance.now() - begin }, [bytes.buffer]);
  } catch (e) {
    postMessage({ error: `The program has stopped: ${e.message}` });
  }
};
