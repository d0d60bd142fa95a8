// A backend of ref judge that computes each case with ONNX Runtime.
//
//     npm ci --ignore-scripts                                    in this folder, once
//     ref judge -- node client.js [options]                      operator by operator, any case
//
//     ref cases -export MODELS -format onnx
//     ref judge -- node client.js [options] MODELS               whole cases, each one graph
//
// Options: --runtime web computes with onnxruntime-web, compiled to WebAssembly; --provider NAME with another execution provider,
// such as webgpu or cuda; --plain switches the optimisation of graphs off; --required takes the models ID_required, which answer
// required nodes only and hold the weights. Provider webgpu needs a GPU, or VK_ICD_FILENAMES as ../_webgpu/client.mjs says.
//
// docs/golden.md has the protocol. The last argument is the judge's folder.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { declaration, run } from '../harness/sdref_backend.mjs';
import { answerFolder, serveFolders } from '../harness/sdref_node.mjs';
import { backend } from './operators.mjs';

const require = createRequire(import.meta.url);

// runtime loads ONNX Runtime and returns it with its name.
async function runtime(web) {
  if (!web) {
    return [require('onnxruntime-node'), `ONNX Runtime ${require('onnxruntime-node/package.json').version}`];
  }
  const ort = await import('onnxruntime-web');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const file = path.join(path.dirname(require.resolve('onnxruntime-web')), '../package.json');
  return [ort, `ONNX Runtime Web ${JSON.parse(fs.readFileSync(file)).version}`];
}

// whole has the models of ref cases -format onnx answer: a folder of them, and what is added to a case's name.
function whole(ort, options, models, suffix) {
  const file = (entry) => path.join(models, entry.id.replace(/_again$/, '') + suffix, 'model.onnx');
  const tensor = ({ shape, data }) => (data instanceof Int32Array
    ? new ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape) : new ort.Tensor('float32', data, shape));
  return {
    has: (entry) => fs.existsSync(file(entry)),
    async answer(entry, wanted) {
      const session = await ort.InferenceSession.create(fs.readFileSync(file(entry)), options), feeds = {};
      for (const [name, value] of entry.inputs) {
        if (session.inputNames.includes(name)) {
          feeds[name] = tensor(value);
        }
      }
      const results = Object.entries(await session.run(feeds)).filter(([name]) => wanted.has(name));
      await session.release();
      return new Map(results.map(([name, { dims, data }]) => [name, { shape: [...dims], data }]));
    },
  };
}

async function main(args) {
  const { values, positionals } = parseArgs({
    args, allowPositionals: true,
    options: {
      runtime: { type: 'string', default: 'node' }, provider: { type: 'string', default: '' },
      plain: { type: 'boolean' }, required: { type: 'boolean' }, 'no-trace': { type: 'boolean' },
    },
  });
  const web = values.runtime === 'web', provider = values.provider || (web ? 'wasm' : 'cpu');
  const [ort, name] = await runtime(web);
  const options = { executionProviders: [provider], logSeverityLevel: 3 };
  if (!web) {
    Object.assign(options, { intraOpNumThreads: 2, interOpNumThreads: 1 });
  }
  if (values.plain) {
    options.graphOptimizationLevel = 'disabled';
  }
  const about = { name, device: provider, ...platform[provider] };
  if (positionals.length === 1) {
    const functions = backend(ort, options, about);
    await serveFolders(declaration(functions), (entry, wanted) => run(functions, entry, wanted));
    return;
  }
  const [models, folder] = positionals, graphs = whole(ort, options, models, values.required ? '_required' : '');
  const { cases } = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json')));
  const kinds = [...new Set(cases.filter(graphs.has).map((entry) => entry.kind))];
  await answerFolder(folder, { profile: 'fp32', deterministic: true, ...about, kinds }, graphs.answer);
}

// platform is what an execution provider leaves open.
const platform = {
  webgpu: { subnormals: 'flushed', nan: 'unspecified' },
};

main(process.argv.slice(2)).then(() => process.exit(), (error) => {
  console.error(error.message);
  process.exit(1);
});
