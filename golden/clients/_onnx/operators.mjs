// The functions of the harness, each a small ONNX model. A model is made for the shapes at hand and kept for the next time.
import { call, constant, model } from './model.mjs';

const atMost = 200; // models kept

// Runner runs calls as models on ONNX Runtime. A tensor is {shape, data}.
class Runner {
  constructor(ort, options) {
    Object.assign(this, { ort, options, sessions: new Map() });
  }

  // run computes outputs, a list of names, by body, a list of calls and constants, from inputs, tensors by name. Result tensors
  // are float32.
  async run(name, inputs, outputs, body) {
    const given = Object.entries(inputs).map(([key, t]) => ({ name: key, shape: t.shape }));
    const file = model(name, given, outputs.map((key) => ({ name: key })), body);
    const session = await this.session(Buffer.from(file).toString('latin1'), file);
    const feeds = {};
    for (const [key, t] of Object.entries(inputs)) {
      feeds[key] = new this.ort.Tensor('float32', t.data, t.shape);
    }
    const results = await session.run(feeds);
    return outputs.map((key) => ({ shape: [...results[key].dims], data: results[key].data }));
  }

  async session(key, file) {
    if (!this.sessions.has(key)) {
      if (this.sessions.size >= atMost) {
        const [oldest, session] = this.sessions.entries().next().value;
        this.sessions.delete(oldest);
        await session.release();
      }
      this.sessions.set(key, await this.ort.InferenceSession.create(file, this.options));
    }
    return this.sessions.get(key);
  }
}

const scalar = (v) => ({ shape: [], data: Float32Array.of(v) });
const both = (v) => [v, v];
const swapped = { perm: [1, 0, 2, 3] }; // images for channels

function conv(operator, inputs, output, { stride, dilation, padding }, kernel, more = {}) {
  return call(operator, inputs, [output],
    { kernel_shape: kernel, strides: both(stride), dilations: both(dilation), pads: [...both(padding), ...both(padding)], ...more });
}

function oneHot(labels, [n, k]) {
  const data = new Float32Array(n * k);
  labels.forEach((label, i) => { data[i * k + label] = 1; });
  return { shape: [n, k], data };
}

// backend is the functions of the harness on ONNX Runtime; about says name, device and the like.
export function backend(ort, options, about) {
  const runner = new Runner(ort, options);
  const all = (...args) => runner.run(...args);
  const one = async (...args) => (await runner.run(...args))[0];
  const pool = (size, stride, padding) => ({ kernel_shape: both(size), strides: both(stride), pads: [...both(padding), ...both(padding)] });
  return {
    ...about,
    analysis(x, w, g) {
      return one('analysis', { x, w }, ['y'], [conv('Conv', ['x', 'w'], 'y', g, w.shape.slice(2))]);
    },
    synthesis(z, w, g, ...size) {
      const kernel = w.shape.slice(2);
      const more = size.map((side, i) => side - ((z.shape[2 + i] - 1) * g.stride - 2 * g.padding + g.dilation * (kernel[i] - 1) + 1));
      return one('synthesis', { z, w }, ['y'], [conv('ConvTranspose', ['z', 'w'], 'y', g, kernel, { output_padding: more })]);
    },
    // The kernel's gradient is a convolution, too: of the signal with the code, images in the place of channels, in which stride
    // and dilation have changed places. What it has beyond the kernel's size is cut off.
    filter_gradient(x, z, { stride, padding, dilation }, kh, kw) {
      const missing = [kh, kw].map((k, i) => (k - 1) * dilation + (z.shape[2 + i] - 1) * stride + 1 - x.shape[2 + i] - padding);
      const pads = [...both(padding), ...missing.map((n) => Math.max(0, n))];
      return one('filter', { x, z }, ['y'], [
        call('Transpose', ['x'], ['signal'], swapped), call('Transpose', ['z'], ['kernel'], swapped),
        conv('Conv', ['signal', 'kernel'], 'w', { stride: dilation, dilation: stride, padding: 0 }, z.shape.slice(2), { pads }),
        constant('from', [0, 0]), constant('to', [kh, kw]), constant('axes', [2, 3]),
        call('Slice', ['w', 'from', 'to', 'axes'], ['cut']), call('Transpose', ['cut'], ['y'], swapped)]);
    },
    prox(u, scale, threshold, nonnegative) {
      const inputs = { u, scale: scalar(scale), t: scalar(threshold) }, v = call('Mul', ['u', 'scale'], ['v']);
      if (nonnegative) {
        return one('prox', inputs, ['y'], [v, call('Sub', ['v', 't'], ['rest']), call('Relu', ['rest'], ['y'])]);
      }
      return one('signed', inputs, ['y'], [
        v, call('Neg', ['t'], ['least']), call('Clip', ['v', 'least', 't'], ['near']), call('Sub', ['v', 'near'], ['y'])]);
    },
    prox_gradient(z, dz, scale) {
      return one('prox_gradient', { z, dz, scale: scalar(scale) }, ['y'], [
        constant('zero', 0), call('Equal', ['z', 'zero'], ['off']), call('Mul', ['dz', 'scale'], ['on']),
        call('Where', ['off', 'zero', 'on'], ['y'])]);
    },
    axpy(a, x, y) {
      if (y === null) {
        return one('scale', { a: scalar(a), x }, ['y'], [call('Mul', ['a', 'x'], ['y'])]);
      }
      return one('axpy', { a: scalar(a), x, z: y }, ['y'], [call('Mul', ['a', 'x'], ['ax']), call('Add', ['ax', 'z'], ['y'])]);
    },
    async squared_norm(x) {
      return (await one('squared_norm', { x }, ['y'], [call('ReduceSumSquare', ['x'], ['y'], { keepdims: 0 })])).data[0];
    },
    unit(x) {
      return one('unit', { x }, ['y'], [
        constant('least', 1e-12), call('ReduceL2', ['x'], ['norm'], { axes: [1, 2, 3] }),
        call('Max', ['norm', 'least'], ['floor']), call('Div', ['x', 'floor'], ['y'])]);
    },
    statistics(x) {
      const axes = { axes: [0, 2, 3] };
      return all('statistics', { x }, ['m', 'v'], [
        call('ReduceMean', ['x'], ['mean'], axes), call('Sub', ['x', 'mean'], ['d']), call('Mul', ['d', 'd'], ['dd']),
        call('ReduceMean', ['dd'], ['v'], { ...axes, keepdims: 0 }), call('ReduceMean', ['x'], ['m'], { ...axes, keepdims: 0 })]);
    },
    batch_norm(x, mean, variance, weight, bias, epsilon) {
      return one('batch_norm', { x, weight, bias, mean, variance }, ['y'], [
        call('BatchNormalization', ['x', 'weight', 'bias', 'mean', 'variance'], ['y'], { epsilon: Float32Array.of(epsilon) })]);
    },
    async batch_norm_gradient(x, dy, mean, variance, weight, epsilon, training) {
      const count = x.shape[0] * x.shape[2] * x.shape[3], C = weight.shape[0];
      const channel = (name) => call('Reshape', [name, 'perChannel'], [`${name}C`]);
      return all('batch_norm_gradient', { x, dy, mean, variance, weight, share: scalar(training ? 1 / count : 0) }, ['dx', 'dw', 'db'], [
        constant('perChannel', [1, C, 1, 1]), constant('flat', [C]), constant('epsilon', epsilon), constant('axes', [0, 2, 3]),
        ...['mean', 'variance', 'weight'].map(channel),
        call('Add', ['varianceC', 'epsilon'], ['above']), call('Sqrt', ['above'], ['deviation']), call('Sub', ['x', 'meanC'], ['centred']),
        call('Div', ['centred', 'deviation'], ['normal']), call('Mul', ['dy', 'normal'], ['product']),
        call('ReduceSum', ['product', 'axes'], ['dwC']), call('ReduceSum', ['dy', 'axes'], ['dbC']),
        call('Reshape', ['dwC', 'flat'], ['dw']), call('Reshape', ['dbC', 'flat'], ['db']),
        call('Mul', ['dbC', 'share'], ['shift']), call('Mul', ['dwC', 'share'], ['slope']), call('Mul', ['normal', 'slope'], ['tilt']),
        call('Sub', ['dy', 'shift'], ['level']), call('Sub', ['level', 'tilt'], ['rest']),
        call('Div', ['weightC', 'deviation'], ['factor']), call('Mul', ['factor', 'rest'], ['dx'])]);
    },
    max_pool(x, size, stride, padding) {
      return one('max_pool', { x }, ['y'], [call('MaxPool', ['x'], ['y'], pool(size, stride, padding))]);
    },
    max_pool_gradient(x, dy, size, stride, padding) {
      return one('max_pool_gradient', { x, dy }, ['y'], [
        constant('flat', [-1]), constant('shape', x.shape), constant('count', [x.data.length]),
        call('MaxPool', ['x'], ['top', 'winners'], pool(size, stride, padding)), call('Reshape', ['winners', 'flat'], ['at']),
        call('Reshape', ['dy', 'flat'], ['d']), call('ConstantOfShape', ['count'], ['zeros']),
        call('ScatterElements', ['zeros', 'at', 'd'], ['sums'], { axis: 0, reduction: 'add' }), call('Reshape', ['sums', 'shape'], ['y'])]);
    },
    mean_pool(x) {
      return one('mean_pool', { x }, ['y'], [call('GlobalAveragePool', ['x'], ['mean']), call('Flatten', ['mean'], ['y'])]);
    },
    mean_pool_gradient(dy, height, width) {
      return one('mean_pool_gradient', { dy }, ['y'], [
        constant('area', height * width), constant('axes', [2, 3]), constant('shape', [1, 1, height, width]),
        call('Div', ['dy', 'area'], ['share']), call('Unsqueeze', ['share', 'axes'], ['point']), call('Expand', ['point', 'shape'], ['y'])]);
    },
    linear(x, w, bias) {
      return one('linear', { x, w, bias }, ['y'], [call('Gemm', ['x', 'w', 'bias'], ['y'], { transB: 1 })]);
    },
    linear_gradient(x, w, dy) {
      return all('linear_gradient', { x, w, dy }, ['dx', 'dw', 'db'], [
        constant('axes', [0]), call('MatMul', ['dy', 'w'], ['dx']), call('Gemm', ['dy', 'x'], ['dw'], { transA: 1 }),
        call('ReduceSum', ['dy', 'axes'], ['db'], { keepdims: 0 })]);
    },
    async cross_entropy(x, labels) {
      const loss = await one('cross_entropy', { x, hot: oneHot(labels, x.shape) }, ['y'], [
        constant('images', -labels.length), call('LogSoftmax', ['x'], ['log'], { axis: 1 }), call('Mul', ['log', 'hot'], ['chosen']),
        call('ReduceSum', ['chosen'], ['sum'], { keepdims: 0 }), call('Div', ['sum', 'images'], ['y'])]);
      return loss.data[0];
    },
    cross_entropy_gradient(x, labels) {
      return one('cross_entropy_gradient', { x, hot: oneHot(labels, x.shape) }, ['y'], [
        constant('images', labels.length), call('Softmax', ['x'], ['p'], { axis: 1 }), call('Sub', ['p', 'hot'], ['d']),
        call('Div', ['d', 'images'], ['y'])]);
    },
  };
}
