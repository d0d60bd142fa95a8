// Runs the page's program under Node: node node.mjs wasm_exec.js program.wasm reads requests, a line each, from standard input and writes
// the responses in base64, a line each.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
const [starter, program] = process.argv.slice(2);
runInThisContext(readFileSync(starter, "utf8"));
const go = new globalThis.Go();
const ready = new Promise((resolve) => (globalThis.labReady = resolve));
const { instance } = await WebAssembly.instantiate(readFileSync(program), go.importObject);
go.run(instance);
await ready;
for await (const line of createInterface({ input: process.stdin })) {
  const response = Buffer.from(globalThis.labAnswer(line)).toString("base64");
  await new Promise((written) => process.stdout.write(response + "\n", written));
}
process.exit(0);
