// A backend of ref judge that computes each case with ONNX Runtime, from the models of ref cases -format onnx:
//
//     npm ci --ignore-scripts                                    in this folder, once
//     ref cases -export MODELS -format onnx
//     ref judge -- node client.js [options] MODELS
//
// Options: --required takes the models ID_required, which answer required nodes only and hold the weights;
// --plain switches ONNX Runtime's optimisation of graphs off; --provider NAME computes with another execution
// provider, such as cuda. docs/golden.md has the protocol. The last argument is the judge's folder.
'use strict';
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

// readArray reads a .npy file of float64 or int64.
function readArray(file) {
  const bytes = fs.readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, start);
  const shape = header.match(/'shape': *\(([^)]*)\)/)[1].split(',').filter((s) => s.trim()).map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const body = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + 8 * count);
  if (header.includes('<i8')) {
    return new ort.Tensor('int64', new BigInt64Array(body), shape);
  }
  return new ort.Tensor('float32', Float32Array.from(new Float64Array(body)), shape);
}

// writeArray writes a .npy file of float32.
function writeArray(file, tensor) {
  const shape = tensor.dims.join(', ') + (tensor.dims.length === 1 ? ',' : '');
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  header += ' '.repeat(63 - (10 + header.length) % 64) + '\n';
  const prefix = Buffer.alloc(10);
  prefix.write('\x93NUMPY\x01\x00', 'latin1');
  prefix.writeUInt16LE(header.length, 8);
  const data = Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  fs.writeFileSync(file, Buffer.concat([prefix, Buffer.from(header, 'latin1'), data]));
}

async function answer(folder, model, entry, options) {
  const session = await ort.InferenceSession.create(model, options);
  const feeds = {};
  for (const input of entry.inputs) {
    if (session.inputNames.includes(input.name)) {
      feeds[input.name] = readArray(path.join(folder, input.file));
    }
  }
  const results = await session.run(feeds);
  for (const output of entry.outputs) {
    if (results[output.name]) {
      writeArray(path.join(folder, output.file), results[output.name]);
    }
  }
  await session.release();
}

async function main(args) {
  const options = { intraOpNumThreads: 2, interOpNumThreads: 1, logSeverityLevel: 3 };
  let suffix = '', device = 'cpu';
  while (args[0].startsWith('--')) {
    const option = args.shift();
    if (option === '--required') {
      suffix = '_required';
    } else if (option === '--plain') {
      options.graphOptimizationLevel = 'disabled';
    } else if (option === '--provider') {
      device = args.shift();
      options.executionProviders = [device];
    } else {
      throw new Error(`unknown option ${option}`);
    }
  }
  const [models, folder] = args;
  const kinds = new Set();
  for (const entry of JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json'))).cases) {
    const model = path.join(models, entry.id.replace(/_again$/, '') + suffix, 'model.onnx');
    if (fs.existsSync(model)) {
      kinds.add(entry.kind);
      await answer(folder, model, entry, options);
    }
  }
  fs.writeFileSync(path.join(folder, 'backend.json'), JSON.stringify({
    name: `ONNX Runtime ${require('onnxruntime-node/package.json').version}`,
    profile: 'fp32', device, deterministic: true, kinds: [...kinds],
  }));
}

main(process.argv.slice(2)).catch((e) => {
  console.error(e.message);
  process.exitCode = 1;
});
