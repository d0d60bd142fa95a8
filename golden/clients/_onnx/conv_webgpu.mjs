// Shows a wrong Conv of ONNX Runtime's WebGPU provider, by itself: node conv_webgpu.mjs [PROVIDER]
//
// First the smallest model, then for each number of channels C and of output channels M how many elements of a 3x3 convolution differ
// from its definition, in whole numbers, where nothing rounds. A star: all elements are those that come out if channel c is read
// from c - c % 3, divided by 4, + c % 3. docs/backends.md has the report. A GPU is needed, or VK_ICD_FILENAMES as client.js says.
import { createRequire } from 'node:module';
import { call, model } from './model.mjs';

const require = createRequire(import.meta.url), ort = require('onnxruntime-node');
const provider = process.argv[2] ?? 'webgpu';

async function conv(x, w, stride, padding) {
  const file = model('conv', [{ name: 'x', shape: x.shape }, { name: 'w', shape: w.shape }], [{ name: 'y' }], [
    call('Conv', ['x', 'w'], ['y'], { strides: [stride, stride], pads: [padding, padding, padding, padding] })]);
  const session = await ort.InferenceSession.create(file, { executionProviders: [provider] });
  const tensor = ({ data, shape }) => new ort.Tensor('float32', data, shape);
  const { y } = await session.run({ x: tensor(x), w: tensor(w) });
  await session.release();
  return y;
}

// defined is the convolution by its definition. Channel c of the signal is read from channel from(c).
function defined(x, w, stride, padding, [N, M, Ho, Wo], from) {
  const [, C, H, W] = x.shape, [, , kh, kw] = w.shape, y = [];
  for (let i = 0; i < N * M * Ho * Wo; i++) {
    const column = i % Wo, row = Math.floor(i / Wo) % Ho, m = Math.floor(i / (Wo * Ho)) % M, n = Math.floor(i / (Wo * Ho * M));
    let sum = 0;
    for (let k = 0; k < C * kh * kw; k++) {
      const c = Math.floor(k / (kh * kw)), h = row * stride + Math.floor(k / kw) % kh - padding, l = column * stride + k % kw - padding;
      if (h >= 0 && h < H && l >= 0 && l < W) {
        sum += x.data[((n * C + from(c)) * H + h) * W + l] * w.data[m * C * kh * kw + k];
      }
    }
    y.push(sum);
  }
  return y;
}

// whole is a tensor of whole numbers from -4 to 4, the same each time.
function whole(shape) {
  let state = 1;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (state * 48271) % 2147483647;
    return state % 9 - 4;
  });
  return { shape, data };
}

const right = (c) => c, suspected = (c) => Math.floor((c - c % 3) / 4) + c % 3;

const one = { shape: [1, 6, 1, 2], data: Float32Array.of(1, 0, 2, 0, 4, 0, 8, 0, 16, 0, 32, 0) };
const ones = { shape: [4, 6, 1, 1], data: new Float32Array(24).fill(1) };
const { data, dims } = await conv(one, ones, 2, 0);
console.log(`ONNX Runtime ${require('onnxruntime-node/package.json').version}, provider ${provider}`);
console.log(`x ${one.shape}: 1 2 4 8 16 32, w ${ones.shape}: all 1, stride 2: y ${dims}: ${data.join(' ')}, right is 63 63 63 63`);
const outputs = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16];
console.log(`elements that differ, 2x3 images\n C   M ${outputs.map((m) => String(m).padStart(7)).join('')}`);
for (let C = 1; C <= 24; C++) {
  let line = '';
  for (const M of outputs) {
    const x = whole([2, C, 2, 3]), w = whole([M, C, 3, 3]), y = await conv(x, w, 1, 1);
    const differ = (from) => defined(x, w, 1, 1, y.dims, from).filter((v, i) => v !== y.data[i]).length;
    const wrong = differ(right);
    line += `${wrong}${wrong > 0 && differ(suspected) === 0 ? '*' : ''}`.padStart(7);
  }
  console.log(`${String(C).padStart(2)}     ${line}`);
}
process.exit();
