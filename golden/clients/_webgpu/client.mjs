// A backend of ref judge that computes each case on WebGPU, with kernels of its own (kernels.mjs), by Dawn under Node:
//
//     npm ci --ignore-scripts                                    in this folder, once
//     ref judge -- node client.mjs [--no-trace]
//
// Without a GPU, SwiftShader computes on the processor, for instance Debian's, which comes with its browser:
//
//     VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json ref judge -- node client.mjs
//
// The last argument is the judge's folder.
import { gpu, version } from './gpu.mjs';
import { serve } from '../harness/sdref_node.mjs';
import { kernels } from './kernels.mjs';

const size = (shape) => shape.reduce((a, b) => a * b, 1);

// Device runs kernels. A tensor is {shape, buffer}.
class Device {
  constructor(device) {
    Object.assign(this, { device, pipelines: new Map(), failure: null });
    device.addEventListener('uncapturederror', (event) => { this.failure ??= event.error.message; });
  }

  pipeline(name) {
    if (!this.pipelines.has(name)) {
      const module = this.device.createShaderModule({ label: name, code: kernels[name].source });
      this.pipelines.set(name, this.device.createComputePipeline({ label: name, layout: 'auto', compute: { module, entryPoint: 'main' } }));
    }
    return this.pipelines.get(name);
  }

  buffer(bytes, usage) {
    return this.device.createBuffer({ size: Math.max(bytes, 4), usage });
  }

  // launch runs a kernel on tensors and returns its result.
  launch(name, inputs, shape, values = {}) {
    const { ints, floats, each } = kernels[name], count = size(shape);
    const words = new DataView(new ArrayBuffer(4 * (1 + ints.length + floats.length)));
    words.setInt32(0, count, true);
    ints.forEach((key, i) => words.setInt32(4 * (1 + i), values[key], true));
    floats.forEach((key, i) => words.setFloat32(4 * (1 + ints.length + i), values[key], true));
    const parameters = this.buffer(words.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    this.device.queue.writeBuffer(parameters, 0, words.buffer);
    const y = this.buffer(4 * count, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    const pipeline = this.pipeline(name);
    const entries = [...inputs.map((t) => t.buffer), y, parameters].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = this.device.createCommandEncoder(), pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    const groups = Math.ceil(count / each), across = Math.min(groups, 65535);
    pass.dispatchWorkgroups(across, Math.ceil(groups / across));
    pass.end();
    this.device.queue.submit([encoder.finish()]);
    parameters.destroy();
    return { shape, buffer: y };
  }

  array({ shape, data }) {
    const buffer = this.buffer(4 * data.length, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST);
    this.device.queue.writeBuffer(buffer, 0, Float32Array.from(data));
    return { shape, buffer };
  }

  async values({ shape, buffer }) {
    const bytes = 4 * size(shape), copy = this.buffer(bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, bytes);
    this.device.queue.submit([encoder.finish()]);
    await copy.mapAsync(GPUMapMode.READ);
    const data = new Float32Array(copy.getMappedRange().slice(0, bytes));
    copy.destroy();
    if (this.failure) {
      throw new Error(this.failure);
    }
    return { shape, data };
  }
}

// backend is the functions of the harness.
function backend(device, about) {
  const run = (...args) => device.launch(...args);
  const number = async (tensor) => (await device.values(tensor)).data[0];
  const channel = ([, C, H, W]) => ({ C, area: H * W });
  const overChannels = ([n, , h, w]) => ({ terms: n * h * w, area: h * w });
  const overRows = ({ shape: [n, ...rest] }) => ({ terms: size(rest), area: size(rest), rows: n });
  const conv = ([, C, H, W], [, M, Ho, Wo], [kh, kw], g) => ({ C, H, W, M, Ho, Wo, kh, kw, ...g });
  const pooled = (sides, { size: k, stride, padding }) => sides.map((side) => Math.floor((side + 2 * padding - k) / stride) + 1);
  const pool = ([, , H, W], [Ho, Wo], window) => ({ H, W, Ho, Wo, ...window });
  const labelled = (x, labels) => [x, device.array({ shape: [labels.length], data: labels })];
  return {
    ...about,
    subnormals: 'flushed', // which WGSL allows, like maxima without NaN
    nan: 'unspecified',
    array: (values) => device.array(values),
    values: (tensor) => device.values(tensor),
    release: (tensors) => tensors.forEach((t) => t.buffer?.destroy()),
    analysis(x, w, g) {
      const [M, , kh, kw] = w.shape, kernel = [kh, kw];
      const out = kernel.map((k, i) => Math.floor((x.shape[2 + i] + 2 * g.padding - g.dilation * (k - 1) - 1) / g.stride) + 1);
      const shape = [x.shape[0], M, ...out];
      return run('analysis', [x, w], shape, conv(x.shape, shape, kernel, g));
    },
    synthesis(z, w, g, height, width) {
      const shape = [z.shape[0], w.shape[1], height, width];
      return run('synthesis', [z, w], shape, conv(shape, z.shape, w.shape.slice(2), g));
    },
    filter_gradient(x, z, g, kh, kw) {
      return run('filter_gradient', [x, z], [z.shape[1], x.shape[1], kh, kw], { ...conv(x.shape, z.shape, [kh, kw], g), N: x.shape[0] });
    },
    prox: (u, scale, threshold, nonnegative) => run('prox', [u], u.shape, { scale, threshold, nonnegative: Number(nonnegative) }),
    prox_gradient: (z, dz, scale) => run('prox_gradient', [z, dz], z.shape, { scale }),
    axpy: (a, x, y) => (y === null ? run('scale', [x], x.shape, { a }) : run('axpy', [x, y], x.shape, { a })),
    squared_norm(x) {
      const terms = size(x.shape);
      return number(run('squares', [x], [1], { terms, area: terms }));
    },
    unit(x) {
      const { rows, ...row } = overRows(x);
      return run('unit', [x, run('squares', [x], [rows], row)], x.shape, { row: row.area });
    },
    statistics(x) {
      const shape = [x.shape[1]], mean = run('mean', [x], shape, overChannels(x.shape));
      return [mean, run('variance', [x, mean], shape, overChannels(x.shape))];
    },
    batch_norm(x, mean, variance, weight, bias, epsilon) {
      return run('batch_norm', [x, mean, variance, weight, bias], x.shape, { ...channel(x.shape), epsilon });
    },
    batch_norm_gradient(x, dy, mean, variance, weight, epsilon, training) {
      const shape = weight.shape, over = overChannels(x.shape);
      const dweight = run('batch_norm_dweight', [x, dy, mean, variance], shape, { ...over, epsilon });
      const dbias = run('sum', [dy], shape, over), share = training ? 1 / over.terms : 0;
      const dx = run('batch_norm_dx', [x, dy, mean, variance, weight, dweight, dbias], x.shape, { ...channel(x.shape), epsilon, share });
      return [dx, dweight, dbias];
    },
    max_pool(x, k, stride, padding) {
      const window = { size: k, stride, padding }, out = pooled(x.shape.slice(2), window);
      return run('max_pool', [x], [...x.shape.slice(0, 2), ...out], pool(x.shape, out, window));
    },
    max_pool_gradient(x, dy, k, stride, padding) {
      return run('max_pool_gradient', [x, dy], x.shape, pool(x.shape, dy.shape.slice(2), { size: k, stride, padding }));
    },
    mean_pool: (x) => run('mean_pool', [x], x.shape.slice(0, 2), { area: x.shape[2] * x.shape[3] }),
    mean_pool_gradient: (dy, height, width) => run('mean_pool_gradient', [dy], [...dy.shape, height, width], { area: height * width }),
    linear(x, w, bias) {
      const [n, inner] = x.shape, columns = w.shape[0];
      return run('product', [x, w, bias], [n, columns],
        { columns, inner, uRow: inner, uInner: 1, vInner: 1, vColumn: inner, biased: 1 });
    },
    linear_gradient(x, w, dy) {
      const [n, k] = dy.shape, c = x.shape[1];
      const dx = run('product', [dy, w, w], x.shape, { columns: c, inner: k, uRow: k, uInner: 1, vInner: c, vColumn: 1, biased: 0 });
      const dw = run('product', [dy, x, x], w.shape, { columns: c, inner: n, uRow: 1, uInner: k, vInner: c, vColumn: 1, biased: 0 });
      return [dx, dw, run('sum', [dy], [k], { terms: n, area: 1 })];
    },
    async cross_entropy(x, labels) {
      const [N, K] = x.shape, each = run('cross_entropy', labelled(x, labels), [N], { K });
      return number(run('mean', [each], [1], { terms: N, area: N }));
    },
    cross_entropy_gradient: (x, labels) => run('cross_entropy_gradient', labelled(x, labels), x.shape, { K: x.shape[1], N: x.shape[0] }),
  };
}

async function main() {
  const adapter = await gpu.requestAdapter();
  if (!adapter) {
    throw new Error('no GPU; without one, let VK_ICD_FILENAMES name the description of SwiftShader');
  }
  const { vendor, architecture, description } = adapter.info;
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  await serve(backend(new Device(device), {
    name: `WGSL kernels on webgpu ${version} (Dawn)`,
    device: [vendor, architecture, description].filter(Boolean).join(' '),
  }));
  device.destroy();
}

main().then(() => process.exit(), (error) => {
  console.error(error.message);
  process.exit(1);
});
