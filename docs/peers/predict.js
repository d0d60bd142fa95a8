// The speed of ONNX Runtime on a network that peers.py exported, for docs/performance.md, with 2 threads.
//
//     npm install --ignore-scripts onnxruntime-node
//     node docs/peers/predict.js FILE.onnx BATCH
//
// The module is looked for where npm was run.
const load = require('module').createRequire(process.cwd() + '/');
const ort = load('onnxruntime-node');

async function main(file, batch) {
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 2, interOpNumThreads: 1 });
  const values = Float32Array.from({ length: batch * 3 * 32 * 32 }, () => Math.random() - 0.5);
  const images = new ort.Tensor('float32', values, [batch, 3, 32, 32]);
  const times = [];
  await session.run({ images });
  for (const start = performance.now(); times.length < 3 || performance.now() - start < 3000;) {
    const begin = performance.now();
    await session.run({ images });
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  console.log(`${file} batch ${batch}: ${(batch / times[times.length >> 1] * 1000).toFixed(1)} images/s`);
}

main(process.argv[2], Number(process.argv[3]));
