// The kernels of the WebGPU client, in WGSL: one invocation computes one element of the result, or one workgroup one sum.
//
// x (N, C, H, W) is a signal, z (N, M, Ho, Wo) a code, w (M, C, kh, kw) the atoms. A kernel reads the arrays that it names, and
// whole numbers and numbers by name from p; y is its result, of p.count elements, i the index of this invocation's.

const lanes = 64; // invocations of a workgroup

const conv = ['C', 'H', 'W', 'M', 'Ho', 'Wo', 'kh', 'kw', 'stride', 'padding', 'dilation'];
const pool = ['H', 'W', 'Ho', 'Wo', 'size', 'stride', 'padding'];
const channel = ['C', 'area'];

// first is the place in the plane of the first largest element of the window of output (row, column).
const first = `
fn first(plane: i32, row: i32, column: i32) -> i32 {
  var best = -1;
  for (var u = max(0, row * p.stride - p.padding); u < min(p.H, row * p.stride - p.padding + p.size); u++) {
    for (var v = max(0, column * p.stride - p.padding); v < min(p.W, column * p.stride - p.padding + p.size); v++) {
      let at = (plane * p.H + u) * p.W + v;
      if (best < 0 || x[at] > x[max(best, 0)]) { best = at; }
    }
  }
  return best;
}`;

// softmax has the largest logit of an image, and the sum of exp(x - largest).
const softmax = `
fn largest(n: i32) -> f32 {
  var top = x[n * p.K];
  for (var k = 1; k < p.K; k++) { top = max(top, x[n * p.K + k]); }
  return top;
}
fn total(n: i32, top: f32) -> f32 {
  var sum = 0.0;
  for (var k = 0; k < p.K; k++) { sum += exp(x[n * p.K + k] - top); }
  return sum;
}`;

const elements = {
  analysis: { inputs: ['x', 'w'], ints: conv, body: `
    let column = i % p.Wo; let row = i / p.Wo % p.Ho; let m = i / (p.Wo * p.Ho) % p.M; let n = i / (p.Wo * p.Ho * p.M);
    var sum = 0.0;
    for (var c = 0; c < p.C; c++) {
      for (var u = 0; u < p.kh; u++) {
        let h = row * p.stride + u * p.dilation - p.padding;
        if (h < 0 || h >= p.H) { continue; }
        for (var v = 0; v < p.kw; v++) {
          let l = column * p.stride + v * p.dilation - p.padding;
          if (l < 0 || l >= p.W) { continue; }
          sum += x[((n * p.C + c) * p.H + h) * p.W + l] * w[((m * p.C + c) * p.kh + u) * p.kw + v];
        }
      }
    }
    y[i] = sum;` },
  synthesis: { inputs: ['z', 'w'], ints: conv, body: `
    let l = i % p.W; let h = i / p.W % p.H; let c = i / (p.W * p.H) % p.C; let n = i / (p.W * p.H * p.C);
    var sum = 0.0;
    for (var u = 0; u < p.kh; u++) {
      let down = h + p.padding - u * p.dilation; let row = down / p.stride;
      if (down < 0 || down % p.stride != 0 || row >= p.Ho) { continue; }
      for (var v = 0; v < p.kw; v++) {
        let right = l + p.padding - v * p.dilation; let column = right / p.stride;
        if (right < 0 || right % p.stride != 0 || column >= p.Wo) { continue; }
        for (var m = 0; m < p.M; m++) {
          sum += z[((n * p.M + m) * p.Ho + row) * p.Wo + column] * w[((m * p.C + c) * p.kh + u) * p.kw + v];
        }
      }
    }
    y[i] = sum;` },
  filter_gradient: { inputs: ['x', 'z'], ints: [...conv, 'N'], body: `
    let v = i % p.kw; let u = i / p.kw % p.kh; let c = i / (p.kw * p.kh) % p.C; let m = i / (p.kw * p.kh * p.C);
    var sum = 0.0;
    for (var n = 0; n < p.N; n++) {
      for (var row = 0; row < p.Ho; row++) {
        let h = row * p.stride + u * p.dilation - p.padding;
        if (h < 0 || h >= p.H) { continue; }
        for (var column = 0; column < p.Wo; column++) {
          let l = column * p.stride + v * p.dilation - p.padding;
          if (l < 0 || l >= p.W) { continue; }
          sum += x[((n * p.C + c) * p.H + h) * p.W + l] * z[((n * p.M + m) * p.Ho + row) * p.Wo + column];
        }
      }
    }
    y[i] = sum;` },
  prox: { inputs: ['x'], ints: ['nonnegative'], floats: ['scale', 'threshold'], body: `
    let v = p.scale * x[i]; let rest = abs(v) - p.threshold;
    if (rest <= 0.0 || (p.nonnegative != 0 && v < 0.0)) { y[i] = 0.0; } else { y[i] = select(rest, -rest, v < 0.0); }` },
  prox_gradient: { inputs: ['z', 'd'], floats: ['scale'], body: `
    if (z[i] == 0.0) { y[i] = 0.0; } else { y[i] = p.scale * d[i]; }` },
  scale: { inputs: ['x'], floats: ['a'], body: 'y[i] = p.a * x[i];' },
  axpy: { inputs: ['x', 'z'], floats: ['a'], body: 'y[i] = p.a * x[i] + z[i];' },
  unit: { inputs: ['x', 'squares'], ints: ['row'], body: 'y[i] = x[i] / max(sqrt(squares[i / p.row]), 1e-12);' },
  batch_norm: { inputs: ['x', 'mean', 'variance', 'weight', 'bias'], ints: channel, floats: ['epsilon'], body: `
    let c = i / p.area % p.C;
    y[i] = (x[i] - mean[c]) / sqrt(variance[c] + p.epsilon) * weight[c] + bias[c];` },
  batch_norm_dx: { inputs: ['x', 'd', 'mean', 'variance', 'weight', 'dweight', 'dbias'], ints: channel,
    floats: ['epsilon', 'share'], body: `
    let c = i / p.area % p.C; let inverse = 1.0 / sqrt(variance[c] + p.epsilon);
    y[i] = weight[c] * inverse * (d[i] - p.share * dbias[c] - (x[i] - mean[c]) * inverse * (p.share * dweight[c]));` },
  max_pool: { inputs: ['x'], ints: pool, functions: first, body: `
    y[i] = x[first(i / (p.Wo * p.Ho), i / p.Wo % p.Ho, i % p.Wo)];` },
  max_pool_gradient: { inputs: ['x', 'd'], ints: pool, functions: first, body: `
    let l = i % p.W + p.padding; let h = i / p.W % p.H + p.padding; let plane = i / (p.W * p.H);
    var sum = 0.0;
    for (var row = max(0, (h - p.size + p.stride) / p.stride); row < min(p.Ho, h / p.stride + 1); row++) {
      for (var column = max(0, (l - p.size + p.stride) / p.stride); column < min(p.Wo, l / p.stride + 1); column++) {
        if (first(plane, row, column) == i) { sum += d[(plane * p.Ho + row) * p.Wo + column]; }
      }
    }
    y[i] = sum;` },
  mean_pool: { inputs: ['x'], ints: ['area'], body: `
    var sum = 0.0;
    for (var k = 0; k < p.area; k++) { sum += x[i * p.area + k]; }
    y[i] = sum / f32(p.area);` },
  mean_pool_gradient: { inputs: ['d'], ints: ['area'], body: 'y[i] = d[i / p.area] / f32(p.area);' },
  // product is u v of matrices (rows, inner) and (inner, columns), either of them transposed by its strides, plus bias if there is one.
  product: { inputs: ['u', 'v', 'bias'], ints: ['columns', 'inner', 'uRow', 'uInner', 'vInner', 'vColumn', 'biased'], body: `
    let column = i % p.columns; let row = i / p.columns;
    var sum = 0.0;
    for (var k = 0; k < p.inner; k++) { sum += u[row * p.uRow + k * p.uInner] * v[k * p.vInner + column * p.vColumn]; }
    if (p.biased != 0) { sum += bias[column]; }
    y[i] = sum;` },
  cross_entropy: { inputs: ['x', 'labels'], ints: ['K'], functions: softmax, body: `
    let top = largest(i);
    y[i] = log(total(i, top)) - (x[i * p.K + i32(labels[i])] - top);` },
  cross_entropy_gradient: { inputs: ['x', 'labels'], ints: ['K', 'N'], functions: softmax, body: `
    let n = i / p.K; let top = largest(n);
    let hot = select(0.0, 1.0, i % p.K == i32(labels[n]));
    y[i] = (exp(x[i] - top) / total(n, top) - hot) / f32(p.N);` },
};

// Sums over the elements of each channel c of (N, C, area): the term of element e, and what is done to the sum.
const sums = {
  squares: { inputs: ['x'], term: 'x[e] * x[e]' },
  sum: { inputs: ['x'], term: 'x[e]' },
  mean: { inputs: ['x'], term: 'x[e]', result: 'sum / f32(p.terms)' },
  variance: { inputs: ['x', 'mean'], term: '(x[e] - mean[c]) * (x[e] - mean[c])', result: 'sum / f32(p.terms)' },
  batch_norm_dweight: { inputs: ['x', 'd', 'mean', 'variance'], floats: ['epsilon'], term: 'd[e] * (x[e] - mean[c])',
    result: 'sum / sqrt(variance[c] + p.epsilon)' },
};

function module({ inputs, ints = [], floats = [], functions = '' }, main) {
  const fields = ['count: i32', ...ints.map((n) => `${n}: i32`), ...floats.map((n) => `${n}: f32`)];
  const arrays = inputs.map((name, b) => `@group(0) @binding(${b}) var<storage, read> ${name}: array<f32>;`);
  return `struct Parameters { ${fields.join(', ')} }
${arrays.join('\n')}
@group(0) @binding(${inputs.length}) var<storage, read_write> y: array<f32>;
@group(0) @binding(${inputs.length + 1}) var<uniform> p: Parameters;
${functions}
${main}`;
}

function element(kernel) {
  return module(kernel, `@compute @workgroup_size(${lanes})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = i32(id.x + id.y * groups.x * ${lanes}u);
    if (i >= p.count) { return; }
    ${kernel.body}
}`);
}

// sum: each lane adds every 64th term, then halves are added to halves.
function sum(kernel) {
  return module(kernel, `var<workgroup> part: array<f32, ${lanes}>;
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_id) local: vec3<u32>) {
    let c = i32(id.x + id.y * groups.x);
    let lane = i32(local.x);
    var sum = 0.0;
    for (var k = lane; c < p.count && k < p.terms; k += ${lanes}) {
      let e = (k / p.area * p.count + c) * p.area + k % p.area;
      sum += ${kernel.term};
    }
    part[lane] = sum;
    for (var half = ${lanes / 2}; half > 0; half /= 2) {
      workgroupBarrier();
      if (lane < half) { part[lane] += part[lane + half]; }
    }
    if (lane == 0 && c < p.count) {
      sum = part[0];
      y[c] = ${kernel.result ?? 'sum'};
    }
}`);
}

// kernels has, by name, the source, the names of the parameters after count, and the number of elements that a workgroup computes.
export const kernels = Object.fromEntries([
  ...Object.entries(elements).map(([name, k]) => [name, { ints: k.ints ?? [], floats: k.floats ?? [], source: element(k), each: lanes }]),
  ...Object.entries(sums).map(([name, k]) => {
    const whole = { ...k, ints: ['terms', 'area'] };
    return [name, { ints: whole.ints, floats: k.floats ?? [], source: sum(whole), each: 1 }];
  }),
]);
