// Makes a backend of `ref judge` from functions such as a convolution and a dot product: the computations. It uses neither
// files nor Node, so that it runs in a browser too; sdref_node.mjs beside it has files, folders and the command line:
//
//     import { serve } from './sdref_node.mjs';
//     serve({
//       name: 'my backend 0.1', device: 'cpu',
//       analysis(x, w, geometry) {...},
//       synthesis(z, w, geometry, height, width) {...},
//     });
//
// FISTA, power iteration, networks, training steps and all gradients are done here, from the functions that the object has;
// docs/golden.md has the protocol and the formulas. A kind of case that needs a function which the object lacks is not listed
// in backend.json, so that the judge reports it as NOT COVERED.
//
// A tensor is whatever the functions take and return; it must have a `shape`, an array. Every function may return a promise.
// Numbers are exact in float32. x (N, C, H, W) is a signal, z (N, M, Ho, Wo) a code, w (M, C, kh, kw) the atoms; geometry has
// stride, padding and dilation.
//
//     array({shape, data})                            a tensor of the values, a Float32Array; left out, tensors are such objects
//     values(tensor)                                  and back
//
//     analysis(x, w, geometry)                        A* x, conv2d
//     synthesis(z, w, geometry, height, width)        A z of that size, conv_transpose2d
//     filter_gradient(x, z, geometry, kh, kw)         the gradient of sum(z * analysis(x, w)) towards w
//     prox(u, scale, threshold, nonnegative)          soft(scale u, threshold), or max(scale u - threshold, 0)
//     prox_gradient(z, dz, scale)                     scale dz where z is not 0, else 0
//     axpy(a, x, y)                                   a x + y; y is null for a x
//     squared_norm(x)                                 a number: the sum of the squares
//     unit(x)                                         each x[i] divided by its l2 norm, which is at least 1e-12
//
// With these eight all but BatchNorm and networks are covered. The other functions:
//
//     statistics(x)                                   mean and biased variance of each channel, [(C), (C)]
//     batch_norm(x, mean, var, weight, bias, epsilon) weight (x - mean)/sqrt(var + epsilon) + bias
//     batch_norm_gradient(x, dy, mean, var, weight, epsilon, training)    [dx, dweight, dbias]
//     max_pool(x, size, stride, padding)              the padding is never the maximum
//     max_pool_gradient(x, dy, size, stride, padding) goes to the first maximum of each window
//     mean_pool(x), mean_pool_gradient(dy, height, width)                 (N, C, H, W) to (N, C), and back
//     linear(x, w, bias), linear_gradient(x, w, dy)   x w^T + bias; [dx, dw, dbias]
//     cross_entropy(x, labels), cross_entropy_gradient(x, labels)         a number, the mean over the images; its gradient.
//                                                     labels are an Int32Array
//
// Properties of the object: name (needed), device ('cpu'), profile ('fp32'), deterministic (true), subnormals and nan ('kept').
// A function release(tensors), if there is one, is called with the tensors of a case at its end.

const code = ['analysis', 'synthesis', 'prox', 'axpy'];
const power = ['analysis', 'synthesis', 'axpy', 'squared_norm', 'unit'];
const norm = ['statistics', 'batch_norm', 'axpy'];
const network = [...code, ...power, ...norm, 'max_pool', 'mean_pool', 'linear'];
const solverGradient = ['filter_gradient', 'prox_gradient'];
const blockGradient = [...solverGradient, 'batch_norm_gradient'];

// needs lists what each kind of case needs, and what its gradients need besides.
export const needs = {
  conv_forward: [['analysis'], []],
  conv_transpose: [['synthesis'], []],
  conv_filter: [['filter_gradient'], []],
  prox: [['prox'], ['prox_gradient']],
  fista: [code, solverGradient],
  power_iteration: [power, []],
  csc_layer: [[...code, ...power], solverGradient],
  batchnorm: [norm, ['batch_norm_gradient']],
  block: [[...code, ...power, ...norm], blockGradient],
  network: [network, []],
  training_step: [[...network, ...blockGradient, 'max_pool_gradient', 'mean_pool_gradient', 'linear_gradient', 'cross_entropy',
    'cross_entropy_gradient'], []],
};

// declaration is what backend.json says of a backend. Gradients are promised once every listed kind has all it needs for them.
export function declaration(backend) {
  const has = (functions) => functions.every((f) => typeof backend[f] === 'function');
  let kinds = Object.keys(needs).filter((kind) => has(needs[kind][0]));
  const gradients = kinds.every((kind) => has(needs[kind][1]));
  if (!gradients) {
    kinds = kinds.filter((kind) => kind !== 'conv_filter' && kind !== 'training_step');
  }
  const { name, profile = 'fp32', device = 'cpu', deterministic = true, subnormals = 'kept', nan = 'kept' } = backend;
  return { name, profile, device, deterministic, gradients, subnormals, nan, kinds };
}

// run computes a case with a backend's functions and returns a Map from name to {shape, data}. A case has kind, attrs, inputs,
// a Map of {shape, data}, and outputs, as in the manifest; only names in wanted, a Set, are returned.
export async function run(backend, entry, wanted) {
  const tape = new Tape(backend, entry);
  try {
    await kinds[entry.kind](tape, entry.attrs);
    if (declaration(backend).gradients) {
      await tape.differentiate();
    }
    const answers = new Map();
    for (const [name, value] of tape.values) {
      if (wanted.has(name)) {
        answers.set(name, typeof value === 'number' ? { shape: [], data: Float32Array.of(value) } : await tape.read(value));
      }
    }
    return answers;
  } finally {
    backend.release?.([...tape.made]);
  }
}

const single = Math.fround;

// Tape is the values of a case in the order of their making, for the reverse sweep. A value on it has name, data, pull (from its
// gradient to functions, one for each input's part), the inputs and what is known so far of its gradient.
class Tape {
  constructor(backend, entry) {
    Object.assign(this, { entry, values: new Map(), order: [], loss: null, made: new Set() });
    this.shapes = new Map(entry.outputs.map((o) => [o.name, o.shape]));
    this.array = (v) => this.own(backend.array ? backend.array(v) : v);
    this.read = (tensor) => (backend.values ? backend.values(tensor) : tensor);
    // The functions, with every tensor that they return noted.
    this.backend = new Proxy(backend, {
      get: (target, f) => async (...args) => this.own(await target[f](...args)),
    });
  }

  own(result) {
    for (const tensor of Array.isArray(result) ? result : [result]) {
      if (typeof tensor === 'object') {
        this.made.add(tensor);
      }
    }
    return result;
  }

  input(name) {
    return this.array(this.entry.inputs.get(name));
  }

  number(name) {
    return this.entry.inputs.get(name).data[0];
  }

  keep(name, data) {
    this.values.set(name, data);
    return data;
  }

  // leaf is a value by which is differentiated: an input, or what is given.
  leaf(name, data = this.input(name)) {
    return this.node(name, data, null);
  }

  node(name, data, pull, ...inputs) {
    const value = { name, data: this.keep(name, data), pull, inputs, parts: [] };
    this.order.push(value);
    return value;
  }

  // differentiate is the reverse sweep: from the inputs grad/..., or from the loss. A gradient has a part for each use of its value.
  async differentiate() {
    const seeds = new Map();
    for (const name of this.entry.inputs.keys()) {
      if (name.startsWith('grad/')) {
        seeds.set(name.slice('grad/'.length), this.input(name));
      }
    }
    for (const value of this.order.reverse()) {
      if (seeds.has(value.name)) {
        value.parts.push(seeds.get(value.name));
      }
      if (value.parts.length === 0 && value !== this.loss) {
        continue;
      }
      let total = null;
      for (const part of value.parts) {
        total = total === null ? part : await this.backend.axpy(1, part, total);
      }
      if (total !== null) {
        this.keep(`grad/${value.name}`, total);
      }
      const parts = value.pull ? await value.pull(total) : [];
      for (const [i, source] of value.inputs.entries()) {
        if (source.pull === null && !this.shapes.has(`grad/${source.name}`)) {
          continue; // an input by which nobody asks to differentiate
        }
        source.parts.push(this.keep(`grad/${source.name}/${value.name}`, await parts[i]()));
      }
    }
    this.order = [];
  }
}

// The mathematics, in the terms of docs/golden.md.

const geometry = ({ stride = 1, padding = 0, dilation = 1 }) => ({ stride, padding, dilation });
const sides = (tensor) => tensor.shape.slice(2);

async function analysis(tape, name, x, w, g) {
  const b = tape.backend;
  const pull = (dy) => [
    () => b.synthesis(dy, w.data, g, ...sides(x.data)),
    () => b.filter_gradient(x.data, dy, g, ...sides(w.data))];
  return tape.node(name, await b.analysis(x.data, w.data, g), pull, x, w);
}

async function synthesis(tape, name, z, w, g, size) {
  const b = tape.backend;
  const pull = (dx) => [
    () => b.analysis(dx, w.data, g),
    () => b.filter_gradient(dx, z.data, g, ...sides(w.data))];
  return tape.node(name, await b.synthesis(z.data, w.data, g, ...size), pull, z, w);
}

// combine is p x + q y, of which p or q is 1.
async function combine(tape, name, p, x, q, y) {
  const b = tape.backend;
  const scaled = (factor, d) => () => (factor === 1 ? d : b.axpy(factor, d, null));
  const data = await (q === 1 ? b.axpy(p, x.data, y.data) : b.axpy(q, y.data, x.data));
  return tape.node(name, data, (d) => [scaled(p, d), scaled(q, d)], x, y);
}

// shrinkage is scale and threshold of the shrinkage (A.3) with the elastic net, in float32.
function shrinkage(a, step) {
  const scale = single(1 / single(1 + single(single(a.mu ?? 0) * step)));
  return [scale, single(single(single(a.lambda) * step) * scale), Boolean(a.nonnegative ?? 0)];
}

async function prox(tape, name, u, scale, threshold, nonnegative) {
  const b = tape.backend, z = await b.prox(u.data, scale, threshold, nonnegative);
  return tape.node(name, z, (dz) => [() => b.prox_gradient(z, dz, scale)], u);
}

// fista is the code after the given iterations, (A.1).
async function fista(tape, layer, x, w, step, a) {
  const b = tape.backend, g = geometry(a), shrink = shrinkage(a, step);
  let z = null, before = null, m = 1, s, u;
  for (let k = 1; k <= a.iterations; k++) {
    const name = (quantity) => `${layer}${k}/${quantity}`;
    if (k === 1) {
      s = await analysis(tape, name('analysis'), x, w, g);
      u = tape.node(name('prethreshold'), await b.axpy(step, s.data, null), (d) => [() => b.axpy(step, d, null)], s);
    } else {
      const next = (1 + Math.sqrt(1 + 4 * m * m)) / 2;
      const y = k === 2 ? z : await momentum(tape, name('momentum'), z, before, single((m - 1) / next));
      m = next;
      s = await synthesis(tape, name('synthesis'), a.variant === 'paper' ? y : z, w, g, sides(x.data));
      s = await analysis(tape, name('analysis'), await combine(tape, name('residual'), 1, x, -1, s), w, g);
      u = await combine(tape, name('prethreshold'), 1, y, step, s);
    }
    before = z;
    z = await prox(tape, name('code'), u, ...shrink);
  }
  return z;
}

// momentum is z + ratio (z - before), the third line of (A.1).
async function momentum(tape, name, z, before, ratio) {
  const b = tape.backend;
  const data = await b.axpy(ratio, await b.axpy(-1, before.data, z.data), z.data);
  return tape.node(name, data, (d) => [() => b.axpy(single(1 + ratio), d, null), () => b.axpy(-ratio, d, null)], z, before);
}

// stepSize is the step size by power iteration, (A.4) and (A.5), and the vector that it ends with.
async function stepSize(tape, layer, v, w, a, size) {
  const b = tape.backend, g = geometry(a);
  let stop = 0;
  for (let k = 1; k <= a.rounds; k++) {
    const keep = (quantity, value) => tape.keep(`${layer}power/${k}/${quantity}`, value);
    let u = keep('synthesis', await b.synthesis(v, w, g, ...size));
    u = keep('analysis', await b.analysis(u, w, g));
    u = keep('vector', await b.unit(u));
    const change = keep('change', await b.squared_norm(await b.axpy(-1, v, u)));
    stop = stop === 0 && change <= a.tolerance ? k : stop;
    v = u;
  }
  tape.keep(`${layer}power/rounds`, stop || a.rounds);
  const signal = tape.keep(`${layer}power/synthesis`, await b.synthesis(v, w, g, ...size));
  const eigenvalue = tape.keep(`${layer}eigenvalue`, single(await b.squared_norm(signal)));
  return [tape.keep(`${layer}step`, single(single(a.share) / eigenvalue)), v];
}

// batchNorm is BatchNorm, and the running statistics after it.
async function batchNorm(tape, layer, x, weight, bias, running, a) {
  const b = tape.backend, training = Boolean(a.training), [n, , h, w] = x.data.shape, count = n * h * w;
  let [mean, variance] = running;
  if (training) {
    const after = async (old, now, share) => b.axpy(single(share), now, await b.axpy(single(1 - a.momentum), old, null));
    const [m, v] = await b.statistics(x.data);
    running = [
      tape.keep(`${layer}new_running_mean`, await after(mean, m, a.momentum)),
      tape.keep(`${layer}new_running_var`, await after(variance, v, a.momentum * count / (count - 1)))];
    [mean, variance] = [tape.keep(`${layer}mean`, m), tape.keep(`${layer}var`, v)];
  }
  const pull = async (dy) => {
    const gradients = await b.batch_norm_gradient(x.data, dy, mean, variance, weight.data, a.epsilon, training);
    return gradients.map((d) => () => d);
  };
  const y = await b.batch_norm(x.data, mean, variance, weight.data, bias.data, a.epsilon);
  return [tape.node(`${layer}y`, y, pull, x, weight, bias), running];
}

// Network is blocks and networks from modules with their published names, and the state of their parameters and buffers.
class Network {
  constructor(tape) {
    Object.assign(this, { tape, a: tape.entry.attrs, prefix: '', leaves: new Map(), state: new Map() });
    for (const name of tape.entry.inputs.keys()) {
      if (name !== 'labels') {
        this.state.set(name, [name, tape.input(name)]);
      }
    }
  }

  // parameter is what the parameter is at the moment, to be differentiated by.
  parameter(name) {
    this.leaves.set(name, this.tape.leaf(...this.state.get(name)));
    return this.leaves.get(name);
  }

  name(m) {
    return `${this.prefix}${m}/y`;
  }

  async convolve(m, x, stride, padding, sparse = false) {
    if (sparse) {
      return this.sparse(`${m}.dn`, x, { ...this.a, stride, padding });
    }
    return analysis(this.tape, this.name(m), x, this.parameter(`${m}.weight`), { stride, padding, dilation: 1 });
  }

  // sparse is a CSC layer. A training step takes the step size from the raw atoms, evaluation from those of norm 1.
  async sparse(m, x, a) {
    const layer = `${this.prefix}${m}/`, raw = this.state.get(`${m}.weight`)[1];
    const w = this.tape.keep(`${layer}weight`, await this.tape.backend.unit(raw));
    const [step, v] = await stepSize(this.tape, layer, this.state.get(`${m}.v0`)[1], a.training ? raw : w, a, sides(x.data));
    this.state.set(`${m}.v0`, [null, v]);
    this.state.set(`${m}.weight`, [`${layer}weight`, w]);
    return fista(this.tape, layer, x, this.parameter(`${m}.weight`), step, a);
  }

  async norm(m, x) {
    const names = [`${m}.running_mean`, `${m}.running_var`], weight = this.parameter(`${m}.weight`), bias = this.parameter(`${m}.bias`);
    const running = names.map((name) => this.state.get(name)[1]);
    const [y, moved] = await batchNorm(this.tape, `${this.prefix}${m}/`, x, weight, bias, running, this.a);
    names.forEach((name, i) => this.state.set(name, [null, moved[i]]));
    return y;
  }

  relu(m, x) {
    return prox(this.tape, this.name(m), x, 1, 0, true);
  }

  async block(m, x, width, stride, sparse) {
    let h = await this.norm(`${m}bn1`, await this.convolve(`${m}conv1`, x, stride, 1, sparse));
    h = sparse ? h : await this.relu(`${m}relu1`, h);
    h = await this.norm(`${m}bn2`, await this.convolve(`${m}conv2`, h, 1, 1, sparse));
    if (this.a.plain) {
      return h;
    }
    if (stride !== 1 || x.data.shape[1] !== width) {
      x = await this.norm(`${m}shortcut.1`, await this.convolve(`${m}shortcut.0`, x, stride, 0));
    }
    return this.relu(`${m}relu2`, await combine(this.tape, this.name(`${m}add`), 1, h, 1, x));
  }

  async stem(x) {
    const a = this.a;
    let h = await this.norm('layer0.1', await this.convolve('layer0.0', x, a.stem_stride, a.stem_padding, a.csc_stem));
    if (a.stem_pool && a.csc_blocks) {
      return this.convolve('layer0.2', h, 2, 1, true);
    }
    h = a.csc_stem ? h : await this.relu('layer0.relu', h);
    return a.stem_pool ? this.maxPool('layer0.pool', h) : h;
  }

  async maxPool(m, x) {
    const b = this.tape.backend;
    return this.tape.node(this.name(m), await b.max_pool(x.data, 3, 2, 1), (dy) => [() => b.max_pool_gradient(x.data, dy, 3, 2, 1)], x);
  }

  async meanPool(m, x) {
    const b = this.tape.backend;
    return this.tape.node(this.name(m), await b.mean_pool(x.data), (dy) => [() => b.mean_pool_gradient(dy, ...sides(x.data))], x);
  }

  async linear(m, x) {
    const b = this.tape.backend, w = this.parameter(`${m}.weight`), bias = this.parameter(`${m}.bias`);
    const pull = async (dy) => (await b.linear_gradient(x.data, w.data, dy)).map((d) => () => d);
    return this.tape.node(this.name(m), await b.linear(x.data, w.data, bias.data), pull, x, w, bias);
  }

  async logits(x) {
    const sparse = this.a.csc_blocks, [blocks, widths] = [this.a.blocks, this.a.widths].map((text) => String(text).split(',').map(Number));
    let h = await this.stem(x);
    for (const [i, count] of blocks.entries()) {
      for (let j = 0; j < count; j++) {
        h = await this.block(`layer${i + 1}.${sparse ? 'layers.' : ''}${j}.`, h, widths[i], i > 0 && j === 0 ? 2 : 1, sparse);
      }
    }
    return this.linear('linear', await this.meanPool('pool', h));
  }

  // train is a step: step sizes, atoms of norm 1, forward, mean cross-entropy, backward, SGD with Nesterov momentum.
  async train(x) {
    const { tape } = this, b = tape.backend, labels = tape.entry.inputs.get('labels').data, h = await this.logits(x);
    const loss = await b.cross_entropy(h.data, labels);
    tape.loss = tape.node(this.name('loss'), loss, () => [() => b.cross_entropy_gradient(h.data, labels)], h);
    await tape.differentiate();
    const [decay, keeps, rate] = [this.a.decay, this.a.sgd_momentum, this.a.rate].map(single);
    for (const [name, w] of this.leaves) {
      const d = await b.axpy(decay, w.data, tape.values.get(`grad/${w.name}`));
      const v = await b.axpy(keeps, this.state.get(`velocity/${name}`)[1], d), after = `${this.prefix}after/${name}`;
      const moved = await b.axpy(-rate, await b.axpy(keeps, v, d), w.data);
      this.state.set(`velocity/${name}`, [null, tape.keep(`${this.prefix}velocity_after/${name}`, v)]);
      this.state.set(name, [after, tape.keep(after, moved)]);
    }
  }
}

const kinds = {
  async conv_forward(tape, a) {
    tape.keep('y', await tape.backend.analysis(tape.input('x'), tape.input('w'), geometry(a)));
  },
  async conv_transpose(tape, a) {
    tape.keep('x', await tape.backend.synthesis(tape.input('z'), tape.input('w'), geometry(a), a.height, a.width));
  },
  async conv_filter(tape, a) {
    const [kh, kw] = tape.shapes.get('grad/w').slice(2);
    tape.keep('grad/w', await tape.backend.filter_gradient(tape.input('x'), tape.input('grad/y'), geometry(a), kh, kw));
  },
  prox(tape, a) {
    return prox(tape, 'z', tape.leaf('u'), ...shrinkage(a, tape.number('step')));
  },
  fista(tape, a) {
    return fista(tape, '', tape.leaf('x'), tape.leaf('w'), tape.number('step'), a);
  },
  power_iteration(tape, a) {
    return stepSize(tape, '', tape.input('v0'), tape.input('w'), a, [a.height, a.width]);
  },
  async csc_layer(tape, a) {
    const x = tape.leaf('x'), raw = tape.input('w');
    const w = a.unit_norm ? tape.leaf('weight', await tape.backend.unit(raw)) : tape.leaf('w', raw);
    const [step] = await stepSize(tape, '', tape.input('v0'), w.data, a, sides(x.data));
    return fista(tape, '', x, w, step, a);
  },
  batchnorm(tape, a) {
    const running = [tape.input('running_mean'), tape.input('running_var')];
    return batchNorm(tape, '', tape.leaf('x'), tape.leaf('weight'), tape.leaf('bias'), running, a);
  },
  block(tape, a) {
    return new Network(tape).block('', tape.leaf('x'), a.width, a.stride, a.csc);
  },
  network(tape) {
    return new Network(tape).logits(tape.leaf('x'));
  },
  async training_step(tape, a) {
    const net = new Network(tape);
    for (let i = 0; i < a.steps; i++) {
      net.prefix = i ? `step${i + 1}/` : '';
      await net.train(tape.leaf('x'));
    }
  },
};
