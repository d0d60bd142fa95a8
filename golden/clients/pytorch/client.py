"""Answers the cases of `ref judge` with PyTorch: every kind, with traces and gradients, on the CPU or on CUDA.

    ref judge -- python3 client.py [--device cuda] [--precision fp32|tf32|bf16|fp16] [--no-trace]

The first half is glue and fits any PyTorch code; the second is the mathematics, in the terms of docs/golden.md.
"""
import argparse
import json
import math
import pathlib
import sys

import numpy
import torch
import torch.nn.functional as F

DTYPES = {'fp32': torch.float32, 'tf32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
options = None  # the command line


class Case:
    """One case: its settings, its inputs, and the named values that become its answers."""

    def __init__(self, entry):
        self.entry, self.attrs, self.values = entry, entry['attrs'], {}
        self.inputs = {i['name']: self.read(i['file']) for i in entry['inputs']}
        self.seeds = [name for name in self.inputs if name.startswith('grad/')]
        self.differentiate = bool(self.seeds) or entry['kind'] == 'training_step'

    def read(self, file):
        array = numpy.load(options.folder / file)
        kind = torch.int64 if array.dtype == numpy.int64 else torch.float32
        return torch.as_tensor(array).to(device=options.device, dtype=kind)

    def leaf(self, name, value=None):
        """An input, or a value in its place: a constant, but for the gradients that the case asks for."""
        value = self.inputs[name] if value is None else value
        return self.keep(name, value.detach().requires_grad_(self.differentiate))

    def keep(self, name, value):
        """Names a value, so that it and its gradient can be answered."""
        if value.requires_grad:
            value.retain_grad()
        value.label, self.values[name] = name, value
        return value

    def node(self, name, operation, *inputs):
        """Applies an operation to named values. Each use of a value has a name too, for its part of the value's gradient."""
        return self.keep(name, operation(*(self.keep(f'{x.label}/{name}', x.view_as(x)) for x in inputs)))

    def answer(self):
        KINDS[self.entry['kind']](self, self.attrs)
        if self.seeds:
            torch.autograd.backward([self.values[s[len('grad/'):]] for s in self.seeds], [self.inputs[s] for s in self.seeds])
        for output in self.entry['outputs']:
            name = output['name']
            value = self.values.get(name)
            if value is None and name.startswith('grad/') and name[len('grad/'):] in self.values:
                value = self.values[name[len('grad/'):]].grad
            if value is not None and (output['required'] or options.trace):
                path = options.folder / output['file']
                path.parent.mkdir(exist_ok=True)
                numpy.save(path, value.detach().float().cpu().numpy())


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--precision', default='fp32', choices=DTYPES, help='of convolutions and matrix products')
    parser.add_argument('--emulate', action='store_true', help='compute in float32 and round operands and results to the precision')
    parser.add_argument('--declare', metavar='PROFILE', help='the profile to be judged by (default: the precision)')
    parser.add_argument('--no-trace', dest='trace', action='store_false', help='answer the required nodes only')
    parser.add_argument('folder', type=pathlib.Path)
    options = parser.parse_args()
    check_precision()
    for entry in json.loads((options.folder / 'manifest.json').read_text())['cases']:
        if entry['kind'] in KINDS:
            try:
                Case(entry).answer()
            except RuntimeError as error:  # the judge reports what is missing
                print(f'client.py: case {entry["id"]}: {error}', file=sys.stderr)
    (options.folder / 'backend.json').write_text(json.dumps({
        'name': f'PyTorch {torch.__version__}', 'profile': options.declare or options.precision, 'device': options.device,
        'deterministic': options.device == 'cpu', 'kinds': list(KINDS)}))


def check_precision():
    """Sets PyTorch's switches; ends the program with a message where this PyTorch cannot do what was asked."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.precision == 'tf32'
    for kind in ('fp16', 'bf16'):  # the profiles sum in float32
        try:
            setattr(torch.backends.cuda.matmul, f'allow_{kind}_reduced_precision_reduction', False)
        except (AssertionError, AttributeError):
            pass  # this version has no such switch
    if options.precision == 'tf32' and not options.device.startswith('cuda'):
        sys.exit('client.py: TF32 is a mode of CUDA devices: add --device cuda')
    try:
        half(F.conv2d, *torch.ones(2, 1, 1, 3, 3, device=options.device))
    except (RuntimeError, AssertionError) as error:
        sys.exit(f'client.py: no {options.precision} convolution on {options.device}: {error}\n'
                 '(--emulate computes in float32 and rounds operands and results)')


# The mathematics. x (N, C, H, W) is a signal, z (N, M, Ho, Wo) a code, w (M, C, kh, kw) the atoms.

def half(operation, x, w, **settings):
    """A convolution or product in the chosen precision; its operands and result are float32 elsewhere."""
    kind = DTYPES[options.precision]
    x, w = x.to(kind), w.to(kind)
    if options.emulate:
        x, w = x.float(), w.float()
    return operation(x, w, **settings).to(kind).float()


def geometry(a):
    return {'stride': a.get('stride', 1), 'padding': a.get('padding', 0), 'dilation': a.get('dilation', 1)}


def analysis(x, w, a):
    """A*x, (A.2)."""
    return half(F.conv2d, x, w, **geometry(a))


def synthesis(z, w, a, size):
    """A z of the given height and width, which say how far the output is padded."""
    g = geometry(a)
    reached = [(z.shape[2 + i] - 1) * g['stride'] - 2 * g['padding'] + g['dilation'] * (w.shape[2 + i] - 1) + 1 for i in (0, 1)]
    return half(F.conv_transpose2d, z, w, output_padding=[size[0] - reached[0], size[1] - reached[1]], **g)


def prox(u, step, a):
    """argmin over z of |z-u|^2/2 + step*(lambda |z|_1 + mu/2 |z|^2), the shrinkage (A.3).

    The derivative at a threshold is 0.
    """
    scale = 1 / (1 + a.get('mu', 0) * step)
    v, threshold = u * scale, a['lambda'] * step * scale
    return F.relu(v - threshold) if a.get('nonnegative', 0) else v.sign() * F.relu(v.abs() - threshold)


def fista(case, layer, x, w, step, a):
    """The code after the given iterations, (A.1)."""
    def node(quantity, operation, *inputs):
        return case.node(f'{layer}{k}/{quantity}', operation, *inputs)

    k, before, m = 1, None, 1.0
    u = node('prethreshold', lambda s: step * s, node('analysis', lambda x, w: analysis(x, w, a), x, w))
    z = node('code', lambda u: prox(u, step, a), u)
    for k in range(2, a['iterations'] + 1):
        following = (1 + math.sqrt(1 + 4 * m * m)) / 2
        ratio, y = (m - 1) / following, z
        if k > 2:
            y = node('momentum', lambda z, before: z + ratio * (z - before), z, before)
        at = y if a.get('variant') == 'paper' else z
        s = node('synthesis', lambda at, w: synthesis(at, w, a, x.shape[2:]), at, w)
        s = node('analysis', lambda r, w: analysis(r, w, a), node('residual', lambda x, s: x - s, x, s), w)
        u = node('prethreshold', lambda y, s: y + step * s, y, s)
        before, z, m = z, node('code', lambda u: prox(u, step, a), u), following
    return z


@torch.no_grad()
def step_size(case, layer, v, w, a, size):
    """The step size by power iteration, (A.4) and (A.5), and the vector it ends with."""
    changes = []
    for k in range(1, a['rounds'] + 1):
        keep = lambda quantity, value: case.keep(f'{layer}power/{k}/{quantity}', value)
        u = keep('analysis', analysis(keep('synthesis', synthesis(v, w, a, size)), w, a))
        u = keep('vector', u / u.norm().clamp_min(1e-12))
        changes.append(keep('change', (u - v).square().sum()))
        v = u
    stops = [k for k, change in enumerate(changes, 1) if change <= a['tolerance']]
    case.keep(layer + 'power/rounds', torch.tensor(float((stops or [len(changes)])[0])))
    signal = case.keep(layer + 'power/synthesis', synthesis(v, w, a, size))
    return case.keep(layer + 'step', a['share'] / case.keep(layer + 'eigenvalue', signal.square().sum())), v


def unit_atoms(w):
    return w / w.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


def batch_norm(case, layer, x, weight, bias, running, a):
    """PyTorch's own BatchNorm, which keeps 1/sqrt(variance + epsilon) in the variance's place; moves running."""
    saved = []

    def operation(x, weight, bias):
        y, *saved[:] = torch.native_batch_norm(x, weight, bias, *running, bool(a['training']), a['momentum'], a['epsilon'])
        return y

    y = case.node(layer + 'y', operation, x, weight, bias)
    if a['training']:
        case.keep(layer + 'mean', saved[0].detach())
        case.keep(layer + 'var', saved[1].detach().double() ** -2 - a['epsilon'])
        case.keep(layer + 'new_running_mean', running[0])
        case.keep(layer + 'new_running_var', running[1])
    return y


class Network:
    """Blocks and networks from modules with their published names, and the state of their parameters and buffers."""

    def __init__(self, case):
        self.case, self.a, self.prefix = case, case.attrs, ''
        self.state, self.leaves = dict(case.inputs), {}

    def parameter(self, name):
        """What the parameter is at the moment, to be differentiated by."""
        value = self.state[name]
        self.leaves[name] = self.case.leaf(getattr(value, 'label', name), value)
        return self.leaves[name]

    def node(self, m, operation, *inputs):
        return self.case.node(f'{self.prefix}{m}/y', operation, *inputs)

    def convolve(self, m, x, stride, padding, sparse=False):
        a = {**self.a, 'stride': stride, 'padding': padding}
        if sparse:
            return self.sparse(m + '.dn', x, a)
        return self.node(m, lambda x, w: analysis(x, w, a), x, self.parameter(m + '.weight'))

    def sparse(self, m, x, a):
        """A CSC layer. A training step takes the step size from the raw atoms, evaluation from those of norm 1."""
        raw, layer = self.state[m + '.weight'], self.prefix + m + '/'
        w = self.case.keep(layer + 'weight', unit_atoms(raw))
        step, self.state[m + '.v0'] = step_size(self.case, layer, self.state[m + '.v0'], raw if a['training'] else w, a, x.shape[2:])
        self.state[m + '.weight'] = w
        return fista(self.case, layer, x, self.parameter(m + '.weight'), step, a)

    def norm(self, m, x):
        running = [self.state[m + '.running_mean'].clone(), self.state[m + '.running_var'].clone()]
        y = batch_norm(self.case, f'{self.prefix}{m}/', x, self.parameter(m + '.weight'), self.parameter(m + '.bias'), running, self.a)
        self.state[m + '.running_mean'], self.state[m + '.running_var'] = running
        return y

    def block(self, m, x, width, stride, sparse):
        h = self.norm(m + 'bn1', self.convolve(m + 'conv1', x, stride, 1, sparse))
        h = h if sparse else self.node(m + 'relu1', F.relu, h)
        h = self.norm(m + 'bn2', self.convolve(m + 'conv2', h, 1, 1, sparse))
        if self.a['plain']:
            return h
        if stride != 1 or x.shape[1] != width:
            x = self.norm(m + 'shortcut.1', self.convolve(m + 'shortcut.0', x, stride, 0))
        return self.node(m + 'relu2', F.relu, self.node(m + 'add', torch.add, h, x))

    def stem(self, x):
        a = self.a
        h = self.norm('layer0.1', self.convolve('layer0.0', x, a['stem_stride'], a['stem_padding'], a['csc_stem']))
        if a['stem_pool'] and a['csc_blocks']:
            return self.convolve('layer0.2', h, 2, 1, True)
        h = h if a['csc_stem'] else self.node('layer0.relu', F.relu, h)
        return self.node('layer0.pool', lambda h: F.max_pool2d(h, 3, 2, 1), h) if a['stem_pool'] else h

    def logits(self, x):
        h, sparse = self.stem(x), self.a['csc_blocks']
        blocks, widths = ([int(n) for n in self.a[key].split(',')] for key in ('blocks', 'widths'))
        for i, (count, width) in enumerate(zip(blocks, widths)):
            for j in range(count):
                h = self.block(f'layer{i + 1}.{"layers." if sparse else ""}{j}.', h, width, 2 if i > 0 and j == 0 else 1, sparse)
        h = self.node('pool', lambda h: h.mean((2, 3)), h)
        weight, bias = self.parameter('linear.weight'), self.parameter('linear.bias')
        return self.node('linear', lambda h, w, b: half(F.linear, h, w) + b, h, weight, bias)

    def train(self, x, labels):
        """Step sizes, atoms of norm 1, forward, mean cross-entropy, backward, SGD with Nesterov momentum."""
        self.node('loss', lambda h: F.cross_entropy(h, labels), self.logits(x)).backward()
        momentum = self.a['sgd_momentum']
        for name, w in self.leaves.items():
            with torch.no_grad():
                d = w.grad + self.a['decay'] * w
                v = self.case.keep(f'{self.prefix}velocity_after/{name}', momentum * self.state['velocity/' + name] + d)
                self.state['velocity/' + name] = v
                self.state[name] = self.case.keep(f'{self.prefix}after/{name}', w - self.a['rate'] * (d + momentum * v))


def conv_forward(case, a):
    case.keep('y', analysis(case.inputs['x'], case.inputs['w'], a))


def conv_transpose(case, a):
    case.keep('x', synthesis(case.inputs['z'], case.inputs['w'], a, (a['height'], a['width'])))


def conv_filter(case, a):
    """The gradient of a convolution's kernel: the answer grad/w comes from backward."""
    shape = next(o['shape'] for o in case.entry['outputs'] if o['name'] == 'grad/w')
    case.keep('y', analysis(case.inputs['x'], case.leaf('w', torch.zeros(shape, device=options.device)), a))


def batchnorm(case, a):
    running = [case.inputs[name].clone() for name in ('running_mean', 'running_var')]
    batch_norm(case, '', case.leaf('x'), case.leaf('weight'), case.leaf('bias'), running, a)


def power_iteration(case, a):
    step_size(case, '', case.inputs['v0'], case.inputs['w'], a, (a['height'], a['width']))


def csc_layer(case, a):
    x, w = case.leaf('x'), case.inputs['w']
    w = case.leaf('weight', unit_atoms(w)) if a['unit_norm'] else case.leaf('w')
    step, _ = step_size(case, '', case.inputs['v0'], w.detach(), a, x.shape[2:])
    fista(case, '', x, w, step, a)


def training_step(case, a):
    network, x = Network(case), case.leaf('x')
    for i in range(a['steps']):
        network.prefix = f'step{i + 1}/' if i else ''
        network.train(x, case.inputs['labels'])


KINDS = {
    'conv_forward': conv_forward, 'conv_transpose': conv_transpose, 'conv_filter': conv_filter,
    'prox': lambda case, a: case.keep('z', prox(case.leaf('u'), case.inputs['step'], a)),
    'batchnorm': batchnorm, 'power_iteration': power_iteration,
    'fista': lambda case, a: fista(case, '', case.leaf('x'), case.leaf('w'), case.inputs['step'], a),
    'csc_layer': csc_layer,
    'block': lambda case, a: Network(case).block('', case.leaf('x'), a['width'], a['stride'], a['csc']),
    'network': lambda case, a: Network(case).logits(case.leaf('x')),
    'training_step': training_step,
}

if __name__ == '__main__':
    main()
