// Makes a backend of `ref judge` from functions: files, folders and the command line, under Node. sdref_backend.mjs beside it
// has the computations, and says what the functions are.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { declaration, run } from './sdref_backend.mjs';

// serve has a backend's functions answer the folders that the judge names. Option --no-trace: answer required nodes only.
export async function serve(backend) {
  await serveFolders(declaration(backend), (entry, wanted) => run(backend, entry, wanted));
}

// serveFolders answers the folder that the command line names last, and then those that standard input names, a line each. It
// prints done after each.
export async function serveFolders(said, answer) {
  await answerFolder(process.argv.at(-1), { ...said, folders: 'stdin' }, answer);
  console.log('done');
  for await (const folder of readline.createInterface({ input: process.stdin })) {
    await answerFolder(folder, said, answer);
    console.log('done');
  }
}

// answerFolder has answer return, for each case of the kinds said, a Map from name to {shape, data}, and writes what is
// wanted, and backend.json.
export async function answerFolder(folder, said, answer) {
  const trace = !process.argv.includes('--no-trace');
  for (const entry of JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json'))).cases) {
    if (!said.kinds.includes(entry.kind)) {
      continue;
    }
    const files = new Map(entry.outputs.filter((o) => trace || o.required).map((o) => [o.name, path.join(folder, o.file)]));
    const inputs = new Map(entry.inputs.map((i) => [i.name, readArray(path.join(folder, i.file))]));
    try {
      for (const [name, value] of await answer({ ...entry, inputs }, new Set(files.keys()))) {
        writeArray(files.get(name), value);
      }
    } catch (error) { // the judge reports what is missing
      console.error(`${entry.id}: ${error.message}`);
    }
  }
  fs.writeFileSync(path.join(folder, 'backend.json'), JSON.stringify(said));
}

// readArray reads a .npy file of float64 as float32, or of int64 as int32.
export function readArray(file) {
  const bytes = fs.readFileSync(file), start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const shape = header.match(/'shape': *\(([^)]*)\)/)[1].split(',').filter((s) => s.trim()).map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const body = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + 8 * count);
  const data = header.includes('<i8') ? Int32Array.from(new BigInt64Array(body), Number) : Float32Array.from(new Float64Array(body));
  return { shape, data };
}

// writeArray writes a .npy file of float32.
export function writeArray(file, { shape, data }) {
  const sides = shape.join(', ') + (shape.length === 1 ? ',' : '');
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sides}), }`;
  header += ' '.repeat(63 - (10 + header.length) % 64) + '\n';
  const prefix = Buffer.alloc(10);
  prefix.write('\x93NUMPY\x01\x00', 'latin1');
  prefix.writeUInt16LE(header.length, 8);
  fs.writeFileSync(file, Buffer.concat([prefix, Buffer.from(header, 'latin1'), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}
