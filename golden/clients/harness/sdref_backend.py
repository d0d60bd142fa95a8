"""Makes a backend of `ref judge` from functions such as a convolution and a dot product. Needs NumPy only.

    import sdref_backend

    class Backend:
        name, device = 'my backend 0.1', 'cpu'
        def analysis(self, x, w, geometry): ...
        def synthesis(self, z, w, geometry, height, width): ...

    sdref_backend.serve(Backend())

Protocol, files, FISTA, power iteration, networks, training steps and all gradients are done here, from the functions that
the object has; docs/golden.md has the protocol and the formulas. A kind of case that needs a function which the object lacks
is not listed in backend.json, so that the judge reports it as NOT COVERED.

A tensor is whatever the functions take and return; it must have a `shape`. Numbers are Python's, exact in float32.
x (N, C, H, W) is a signal, z (N, M, Ho, Wo) a code, w (M, C, kh, kw) the atoms; geometry has stride, padding and dilation.

    array(values)                                   float32 values of NumPy as a tensor; left out, tensors are NumPy's
    numpy(tensor)                                   and back

    analysis(x, w, geometry)                        A* x, conv2d
    synthesis(z, w, geometry, height, width)        A z of that size, conv_transpose2d
    filter_gradient(x, z, geometry, kh, kw)         the gradient of sum(z * analysis(x, w)) towards w
    prox(u, scale, threshold, nonnegative)          soft(scale u, threshold), or max(scale u - threshold, 0)
    prox_gradient(z, dz, scale)                     scale dz where z is not 0, else 0
    axpy(a, x, y)                                   a x + y; y is None for a x
    squared_norm(x)                                 a number: the sum of the squares
    unit(x)                                         each x[i] divided by its l2 norm, which is at least 1e-12

With these eight all but BatchNorm and networks are covered. The other functions:

    statistics(x)                                   mean and biased variance of each channel, (C), (C)
    batch_norm(x, mean, var, weight, bias, epsilon) weight (x - mean)/sqrt(var + epsilon) + bias
    batch_norm_gradient(x, dy, mean, var, weight, epsilon, training)    dx, dweight, dbias
    max_pool(x, size, stride, padding)              the padding is never the maximum
    max_pool_gradient(x, dy, size, stride, padding) goes to the first maximum of each window
    mean_pool(x), mean_pool_gradient(dy, height, width)                 (N, C, H, W) to (N, C), and back
    linear(x, w, bias), linear_gradient(x, w, dy)   x w^T + bias; dx, dw, dbias
    cross_entropy(x, labels), cross_entropy_gradient(x, labels)         a number, the mean over the images; its gradient.
                                                    labels are NumPy's, int64

Attributes of the object: name (needed), device ('cpu'), profile ('fp32'), deterministic (True), subnormals and nan ('kept').
"""
import collections
import json
import math
import pathlib
import sys

import numpy

Geometry = collections.namedtuple('Geometry', 'stride padding dilation')

# What each kind of case needs, and what its gradients need besides.
_CODE = {'analysis', 'synthesis', 'prox', 'axpy'}
_POWER = {'analysis', 'synthesis', 'axpy', 'squared_norm', 'unit'}
_NORM = {'statistics', 'batch_norm', 'axpy'}
_NETWORK = _CODE | _POWER | _NORM | {'max_pool', 'mean_pool', 'linear'}
_SOLVER_GRADIENT = {'filter_gradient', 'prox_gradient'}
_BLOCK_GRADIENT = _SOLVER_GRADIENT | {'batch_norm_gradient'}
NEEDS = {
    'conv_forward': ({'analysis'}, set()),
    'conv_transpose': ({'synthesis'}, set()),
    'conv_filter': ({'filter_gradient'}, set()),
    'prox': ({'prox'}, {'prox_gradient'}),
    'fista': (_CODE, _SOLVER_GRADIENT),
    'power_iteration': (_POWER, set()),
    'csc_layer': (_CODE | _POWER, _SOLVER_GRADIENT),
    'batchnorm': (_NORM, {'batch_norm_gradient'}),
    'block': (_CODE | _POWER | _NORM, _BLOCK_GRADIENT),
    'network': (_NETWORK, set()),
    'training_step': (_NETWORK | _BLOCK_GRADIENT | {
        'max_pool_gradient', 'mean_pool_gradient', 'linear_gradient', 'cross_entropy', 'cross_entropy_gradient'}, set()),
}


def declaration(backend):
    """What backend.json says of a backend. Gradients are promised once every listed kind has all it needs for them."""
    has = lambda functions: all(hasattr(backend, f) for f in functions)
    kinds = [kind for kind, (forward, _) in NEEDS.items() if has(forward)]
    gradients = all(has(NEEDS[kind][1]) for kind in kinds)
    if not gradients:
        kinds = [kind for kind in kinds if kind not in ('conv_filter', 'training_step')]
    said = {'name': backend.name, 'kinds': kinds, 'gradients': gradients}
    for key, otherwise in {'profile': 'fp32', 'device': 'cpu', 'deterministic': True, 'subnormals': 'kept', 'nan': 'kept'}.items():
        said[key] = getattr(backend, key, otherwise)
    return said


def serve(backend):
    """Has a backend's functions answer the folders that the judge names. Option --no-trace: answer required nodes only."""
    serve_folders(declaration(backend), lambda case: run(backend, case))


def serve_folders(said, answer):
    """Answers the folder that the command line names last, and then those that standard input names, a line each."""
    answer_folder(pathlib.Path(sys.argv[-1]), {**said, 'folders': 'stdin'}, answer)
    print('done', flush=True)
    for line in sys.stdin:
        answer_folder(pathlib.Path(line.rstrip('\n')), said, answer)
        print('done', flush=True)


def answer_folder(folder, said, answer):
    """Has answer return, for each case of the kinds said, NumPy's values by name, and writes them and backend.json."""
    trace = '--no-trace' not in sys.argv
    for entry in json.loads((folder / 'manifest.json').read_text())['cases']:
        if entry['kind'] not in said['kinds']:
            continue
        case = Case(folder, entry, trace)
        try:
            values = answer(case)
        except Exception as error:  # the judge reports what is missing
            print(f'{case.id}: {type(error).__name__}: {error}', file=sys.stderr)
            continue
        for name, value in values.items():
            numpy.save(folder / case.files[name], value)
    (folder / 'backend.json').write_text(json.dumps(said))


class Case:
    """One case as the manifest has it: id, kind, attributes, inputs; shapes and files of what may be answered, by name."""

    def __init__(self, folder, entry, trace=True):
        self.id, self.kind, self.attrs = entry['id'], entry['kind'], entry['attrs']
        self.inputs = {i['name']: self._read(folder / i['file']) for i in entry['inputs']}
        self.shapes = {o['name']: o['shape'] for o in entry['outputs']}
        self.files = {o['name']: o['file'] for o in entry['outputs'] if trace or o['required']}

    @staticmethod
    def _read(file):
        values = numpy.load(file)
        return values if values.dtype == numpy.int64 else values.astype(numpy.float32)


def run(backend, case):
    """Computes a case with a backend's functions and returns NumPy's values by name."""
    tape = _Tape(backend, case)
    _RUN[case.kind](tape, case.attrs)
    if declaration(backend)['gradients']:
        tape.differentiate()
    values = {name: tape.values[name] for name in case.files if name in tape.values}
    return {name: numpy.float32(v) if isinstance(v, float) else tape.numpy(v) for name, v in values.items()}


def _single(number):
    """A number as float32 has it."""
    return float(numpy.float32(number))


class _Value:
    """A named tensor, how it was made, and what is known so far of its gradient."""

    def __init__(self, name, data, pull=None, inputs=()):
        self.name, self.data, self.pull, self.inputs = name, data, pull, inputs
        self.parts = []


class _Tape:
    """The values of a case in the order of their making, for the reverse sweep."""

    def __init__(self, backend, case):
        self.backend, self.case, self.values, self.order = backend, case, {}, []
        self.array = getattr(backend, 'array', lambda values: values)
        self.numpy = getattr(backend, 'numpy', lambda tensor: tensor)
        self.loss = None

    def input(self, name):
        return self.array(self.case.inputs[name])

    def number(self, name):
        return float(self.case.inputs[name])

    def keep(self, name, data):
        self.values[name] = data
        return data

    def leaf(self, name, data=None):
        """A value by which is differentiated: an input, or what is given."""
        value = _Value(name, self.keep(name, self.input(name) if data is None else data))
        self.order.append(value)
        return value

    def node(self, name, data, pull, *inputs):
        """Names what was computed from other values. pull takes its gradient and returns functions, one for each of the inputs'."""
        value = _Value(name, self.keep(name, data), pull, inputs)
        self.order.append(value)
        return value

    def differentiate(self):
        """The reverse sweep: from the inputs grad/..., or from the loss. A gradient has a part for each use of its value."""
        seeds = {name[len('grad/'):]: self.input(name) for name in self.case.inputs if name.startswith('grad/')}
        for value in reversed(self.order):
            if value.name in seeds:
                value.parts.append(seeds[value.name])
            if not value.parts and value is not self.loss:
                continue
            total = None
            for part in value.parts:
                total = part if total is None else self.backend.axpy(1.0, part, total)
            if total is not None:
                self.keep('grad/' + value.name, total)
            if value.pull is None:
                continue
            for source, part in zip(value.inputs, value.pull(total)):
                if source.pull is None and 'grad/' + source.name not in self.case.shapes:
                    continue  # an input by which nobody asks to differentiate
                source.parts.append(self.keep(f'grad/{source.name}/{value.name}', part()))
        self.order = []


# The mathematics, in the terms of docs/golden.md.

def _geometry(a):
    return Geometry(a.get('stride', 1), a.get('padding', 0), a.get('dilation', 1))


def _analysis(tape, name, x, w, g):
    b = tape.backend
    def pull(dy):
        return (lambda: b.synthesis(dy, w.data, g, *x.data.shape[2:])), lambda: b.filter_gradient(x.data, dy, g, *w.data.shape[2:])
    return tape.node(name, b.analysis(x.data, w.data, g), pull, x, w)


def _synthesis(tape, name, z, w, g, size):
    b = tape.backend
    def pull(dx):
        return (lambda: b.analysis(dx, w.data, g)), lambda: b.filter_gradient(dx, z.data, g, *w.data.shape[2:])
    return tape.node(name, b.synthesis(z.data, w.data, g, *size), pull, z, w)


def _combine(tape, name, p, x, q, y):
    """p x + q y, of which p or q is 1."""
    b = tape.backend
    data = b.axpy(p, x.data, y.data) if q == 1 else b.axpy(q, y.data, x.data)
    scaled = lambda factor, d: (lambda: d if factor == 1 else b.axpy(factor, d, None))
    return tape.node(name, data, lambda d: (scaled(p, d), scaled(q, d)), x, y)


def _shrinkage(a, step):
    """scale and threshold of the shrinkage (A.3) with the elastic net, in float32."""
    scale = numpy.float32(1) / (numpy.float32(1) + numpy.float32(a.get('mu', 0)) * numpy.float32(step))
    return float(scale), float(numpy.float32(a['lambda']) * numpy.float32(step) * scale), bool(a.get('nonnegative', 0))


def _prox(tape, name, u, scale, threshold, nonnegative):
    b = tape.backend
    z = b.prox(u.data, scale, threshold, nonnegative)
    return tape.node(name, z, lambda dz: (lambda: b.prox_gradient(z, dz, scale),), u)


def _fista(tape, layer, x, w, step, a):
    """The code after the given iterations, (A.1)."""
    b, g, size = tape.backend, _geometry(a), x.data.shape[2:]
    shrinkage, z, before, m = _shrinkage(a, step), None, None, 1.0
    for k in range(1, a['iterations'] + 1):
        name = lambda quantity: f'{layer}{k}/{quantity}'
        if k == 1:
            s = _analysis(tape, name('analysis'), x, w, g)
            u = tape.node(name('prethreshold'), b.axpy(step, s.data, None), lambda d: (lambda: b.axpy(step, d, None),), s)
        else:
            following = (1 + math.sqrt(1 + 4 * m * m)) / 2
            y = z if k == 2 else _momentum(tape, name('momentum'), z, before, _single((m - 1) / following))
            m = following
            s = _synthesis(tape, name('synthesis'), y if a['variant'] == 'paper' else z, w, g, size)
            s = _analysis(tape, name('analysis'), _combine(tape, name('residual'), 1.0, x, -1.0, s), w, g)
            u = _combine(tape, name('prethreshold'), 1.0, y, step, s)
        before, z = z, _prox(tape, name('code'), u, *shrinkage)
    return z


def _momentum(tape, name, z, before, ratio):
    """z + ratio (z - before), the third line of (A.1)."""
    b = tape.backend
    data = b.axpy(ratio, b.axpy(-1.0, before.data, z.data), z.data)
    def pull(d):
        return (lambda: b.axpy(_single(1 + ratio), d, None)), lambda: b.axpy(-ratio, d, None)
    return tape.node(name, data, pull, z, before)


def _step_size(tape, layer, v, w, a, size):
    """The step size by power iteration, (A.4) and (A.5), and the vector that it ends with."""
    b, g, stop = tape.backend, _geometry(a), None
    for k in range(1, a['rounds'] + 1):
        keep = lambda quantity, value: tape.keep(f'{layer}power/{k}/{quantity}', value)
        u = keep('analysis', b.analysis(keep('synthesis', b.synthesis(v, w, g, *size)), w, g))
        u = keep('vector', b.unit(u))
        change = keep('change', float(b.squared_norm(b.axpy(-1.0, v, u))))
        stop = k if stop is None and change <= a['tolerance'] else stop
        v = u
    tape.keep(layer + 'power/rounds', float(stop or a['rounds']))
    eigenvalue = float(b.squared_norm(tape.keep(layer + 'power/synthesis', b.synthesis(v, w, g, *size))))
    tape.keep(layer + 'eigenvalue', eigenvalue)
    return tape.keep(layer + 'step', float(numpy.float32(a['share']) / numpy.float32(eigenvalue))), v


def _batch_norm(tape, layer, x, weight, bias, running, a):
    """BatchNorm, and the running statistics after it."""
    b, training, epsilon, (mean, var) = tape.backend, bool(a['training']), a['epsilon'], running
    if training:
        moved, count = a['momentum'], x.data.shape[0] * x.data.shape[2] * x.data.shape[3]
        m, v = b.statistics(x.data)
        after = lambda old, new, share: b.axpy(_single(share), new, b.axpy(_single(1 - moved), old, None))
        running = [tape.keep(layer + 'new_running_mean', after(mean, m, moved)),
                   tape.keep(layer + 'new_running_var', after(var, v, moved * count / (count - 1)))]
        mean, var = tape.keep(layer + 'mean', m), tape.keep(layer + 'var', v)
    def pull(dy):
        gradients = b.batch_norm_gradient(x.data, dy, mean, var, weight.data, epsilon, training)
        return [lambda d=d: d for d in gradients]
    y = b.batch_norm(x.data, mean, var, weight.data, bias.data, epsilon)
    return tape.node(layer + 'y', y, pull, x, weight, bias), running


class _Network:
    """Blocks and networks from modules with their published names, and the state of their parameters and buffers."""

    def __init__(self, tape):
        self.tape, self.a, self.prefix, self.leaves = tape, tape.case.attrs, '', {}
        self.state = {name: (name, tape.array(values)) for name, values in tape.case.inputs.items() if name != 'labels'}

    def parameter(self, name):
        """What the parameter is at the moment, to be differentiated by."""
        self.leaves[name] = self.tape.leaf(*self.state[name])
        return self.leaves[name]

    def name(self, m):
        return f'{self.prefix}{m}/y'

    def convolve(self, m, x, stride, padding, sparse=False):
        if sparse:
            return self.sparse(m + '.dn', x, {**self.a, 'stride': stride, 'padding': padding})
        return _analysis(self.tape, self.name(m), x, self.parameter(m + '.weight'), Geometry(stride, padding, 1))

    def sparse(self, m, x, a):
        """A CSC layer. A training step takes the step size from the raw atoms, evaluation from those of norm 1."""
        tape, layer, raw = self.tape, f'{self.prefix}{m}/', self.state[m + '.weight'][1]
        w = tape.keep(layer + 'weight', tape.backend.unit(raw))
        step, v = _step_size(tape, layer, self.state[m + '.v0'][1], raw if a['training'] else w, a, x.data.shape[2:])
        self.state[m + '.v0'], self.state[m + '.weight'] = (None, v), (layer + 'weight', w)
        return _fista(tape, layer, x, self.parameter(m + '.weight'), step, a)

    def norm(self, m, x):
        names = [m + '.running_mean', m + '.running_var']
        running = [self.state[name][1] for name in names]
        y, running = _batch_norm(self.tape, f'{self.prefix}{m}/', x, self.parameter(m + '.weight'), self.parameter(m + '.bias'), running, self.a)
        for name, moved in zip(names, running):
            self.state[name] = None, moved
        return y

    def relu(self, m, x):
        return _prox(self.tape, self.name(m), x, 1.0, 0.0, True)

    def block(self, m, x, width, stride, sparse):
        h = self.norm(m + 'bn1', self.convolve(m + 'conv1', x, stride, 1, sparse))
        h = h if sparse else self.relu(m + 'relu1', h)
        h = self.norm(m + 'bn2', self.convolve(m + 'conv2', h, 1, 1, sparse))
        if self.a['plain']:
            return h
        if stride != 1 or x.data.shape[1] != width:
            x = self.norm(m + 'shortcut.1', self.convolve(m + 'shortcut.0', x, stride, 0))
        return self.relu(m + 'relu2', _combine(self.tape, self.name(m + 'add'), 1.0, h, 1.0, x))

    def stem(self, x):
        a = self.a
        h = self.norm('layer0.1', self.convolve('layer0.0', x, a['stem_stride'], a['stem_padding'], a['csc_stem']))
        if a['stem_pool'] and a['csc_blocks']:
            return self.convolve('layer0.2', h, 2, 1, True)
        h = h if a['csc_stem'] else self.relu('layer0.relu', h)
        return self.max_pool('layer0.pool', h) if a['stem_pool'] else h

    def max_pool(self, m, x):
        b = self.tape.backend
        pull = lambda dy: (lambda: b.max_pool_gradient(x.data, dy, 3, 2, 1),)
        return self.tape.node(self.name(m), b.max_pool(x.data, 3, 2, 1), pull, x)

    def mean_pool(self, m, x):
        b = self.tape.backend
        pull = lambda dy: (lambda: b.mean_pool_gradient(dy, *x.data.shape[2:]),)
        return self.tape.node(self.name(m), b.mean_pool(x.data), pull, x)

    def linear(self, m, x):
        b, w, bias = self.tape.backend, self.parameter(m + '.weight'), self.parameter(m + '.bias')
        pull = lambda dy: [lambda d=d: d for d in b.linear_gradient(x.data, w.data, dy)]
        return self.tape.node(self.name(m), b.linear(x.data, w.data, bias.data), pull, x, w, bias)

    def logits(self, x):
        h, sparse = self.stem(x), self.a['csc_blocks']
        blocks, widths = ([int(n) for n in str(self.a[key]).split(',')] for key in ('blocks', 'widths'))
        for i, (count, width) in enumerate(zip(blocks, widths)):
            for j in range(count):
                h = self.block(f'layer{i + 1}.{"layers." if sparse else ""}{j}.', h, width, 2 if i > 0 and j == 0 else 1, sparse)
        return self.linear('linear', self.mean_pool('pool', h))

    def train(self, x):
        """Step sizes, atoms of norm 1, forward, mean cross-entropy, backward, SGD with Nesterov momentum."""
        tape, b, labels = self.tape, self.tape.backend, self.tape.case.inputs['labels']
        h = self.logits(x)
        pull = lambda _: (lambda: b.cross_entropy_gradient(h.data, labels),)
        tape.loss = tape.node(self.name('loss'), float(b.cross_entropy(h.data, labels)), pull, h)
        tape.differentiate()
        decay, momentum, rate = (_single(self.a[key]) for key in ('decay', 'sgd_momentum', 'rate'))
        for name, w in self.leaves.items():
            d = b.axpy(decay, w.data, tape.values['grad/' + w.name])
            v = tape.keep(f'{self.prefix}velocity_after/{name}', b.axpy(momentum, self.state['velocity/' + name][1], d))
            moved = b.axpy(-rate, b.axpy(momentum, v, d), w.data)
            after = f'{self.prefix}after/{name}'
            self.state['velocity/' + name], self.state[name] = (None, v), (after, tape.keep(after, moved))


def _conv_forward(tape, a):
    tape.keep('y', tape.backend.analysis(tape.input('x'), tape.input('w'), _geometry(a)))


def _conv_transpose(tape, a):
    tape.keep('x', tape.backend.synthesis(tape.input('z'), tape.input('w'), _geometry(a), a['height'], a['width']))


def _conv_filter(tape, a):
    kh, kw = tape.case.shapes['grad/w'][2:]
    tape.keep('grad/w', tape.backend.filter_gradient(tape.input('x'), tape.input('grad/y'), _geometry(a), kh, kw))


def _power_iteration(tape, a):
    _step_size(tape, '', tape.input('v0'), tape.input('w'), a, (a['height'], a['width']))


def _csc_layer(tape, a):
    x, w = tape.leaf('x'), tape.input('w')
    w = tape.leaf('weight', tape.backend.unit(w)) if a['unit_norm'] else tape.leaf('w', w)
    step, _ = _step_size(tape, '', tape.input('v0'), w.data, a, x.data.shape[2:])
    _fista(tape, '', x, w, step, a)


def _batchnorm(tape, a):
    running = [tape.input(name) for name in ('running_mean', 'running_var')]
    _batch_norm(tape, '', tape.leaf('x'), tape.leaf('weight'), tape.leaf('bias'), running, a)


def _training_step(tape, a):
    network = _Network(tape)
    for i in range(a['steps']):
        network.prefix = f'step{i + 1}/' if i else ''
        network.train(tape.leaf('x'))


_RUN = {
    'conv_forward': _conv_forward, 'conv_transpose': _conv_transpose, 'conv_filter': _conv_filter,
    'prox': lambda tape, a: _prox(tape, 'z', tape.leaf('u'), *_shrinkage(a, tape.number('step'))),
    'fista': lambda tape, a: _fista(tape, '', tape.leaf('x'), tape.leaf('w'), tape.number('step'), a),
    'power_iteration': _power_iteration, 'csc_layer': _csc_layer, 'batchnorm': _batchnorm,
    'block': lambda tape, a: _Network(tape).block('', tape.leaf('x'), a['width'], a['stride'], a['csc']),
    'network': lambda tape, a: _Network(tape).logits(tape.leaf('x')),
    'training_step': _training_step,
}
