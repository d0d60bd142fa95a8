"""Answers the cases of `ref judge` with OpenCL kernels (kernels.cl), on the first device that there is.

    apt-get install python3-pyopencl pocl-opencl-icd       on Debian; pocl computes on the processor
    ref judge -- /usr/bin/python3 client.py [--no-trace]

PYOPENCL_CTX=1 or the like chooses another platform.
"""
import pathlib
import sys

import numpy
import pyopencl as cl

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / 'harness'))
import sdref_backend

LANES = 64  # work-items of a work-group
CONV = 'C H W M Ho Wo kh kw stride padding dilation N'.split()
POOL = 'H W Ho Wo size stride padding'.split()


class Tensor:
    def __init__(self, shape, buffer):
        self.shape, self.buffer = tuple(shape), buffer


def size(shape):
    return int(numpy.prod(shape, dtype=numpy.int64))


def struct(names, **values):
    """A struct of ints, as the kernels declare them."""
    return numpy.array([values.get(name, 0) for name in names], numpy.int32)


class Backend:
    def __init__(self):
        self.context = cl.create_some_context(interactive=False)
        self.queue = cl.CommandQueue(self.context)
        source = (here / 'kernels.cl').read_text()
        program = cl.Program(self.context, source).build([f'-DLANES={LANES}', '-cl-std=CL1.2'])
        self.kernels = {k.function_name: k for k in program.all_kernels()}
        device = self.context.devices[0]
        self.name = f'OpenCL kernels on {device.platform.name.strip()} {device.platform.version.strip()}'
        self.device = device.name.strip()

    def array(self, values):
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        return Tensor(values.shape, cl.Buffer(self.context, flags, hostbuf=numpy.ascontiguousarray(values)))

    def numpy(self, tensor):
        values = numpy.empty(tensor.shape, numpy.float32)
        cl.enqueue_copy(self.queue, values, tensor.buffer)
        return values

    def launch(self, name, shape, *arguments, lanes=None):
        """Runs a kernel on tensors, whole numbers, floating-point numbers and structs, and returns its result."""
        count = size(shape)
        y = Tensor(shape, cl.Buffer(self.context, cl.mem_flags.READ_WRITE, max(4 * count, 4)))
        kinds = {Tensor: lambda t: t.buffer, bool: numpy.int32, int: numpy.int32, float: numpy.float32}
        given = [kinds.get(type(a), lambda a: a)(a) for a in arguments]
        work = count * LANES if lanes else -(-count // LANES) * LANES
        self.kernels[name](self.queue, (work,), (LANES,), y.buffer, numpy.int32(count), *given)
        return y

    def sum(self, name, count, terms, area, *tensors, epsilon=0.0):
        return self.launch(name, (count,), *tensors, terms, area, epsilon, lanes=LANES)

    # Convolutions.

    @staticmethod
    def conv(x, z, kernel, g):
        return struct(CONV, N=x[0], C=x[1], H=x[2], W=x[3], M=z[1], Ho=z[2], Wo=z[3], kh=kernel[0], kw=kernel[1], **g._asdict())

    def analysis(self, x, w, g):
        out = [(x.shape[i] + 2 * g.padding - g.dilation * (w.shape[i] - 1) - 1) // g.stride + 1 for i in (2, 3)]
        shape = (x.shape[0], w.shape[0], *out)
        return self.launch('analysis', shape, x, w, self.conv(x.shape, shape, w.shape[2:], g))

    def synthesis(self, z, w, g, height, width):
        shape = (z.shape[0], w.shape[1], height, width)
        return self.launch('synthesis', shape, z, w, self.conv(shape, z.shape, w.shape[2:], g))

    def filter_gradient(self, x, z, g, kh, kw):
        return self.launch('filter_gradient', (z.shape[1], x.shape[1], kh, kw), x, z, self.conv(x.shape, z.shape, (kh, kw), g))

    # Element by element, and sums.

    def prox(self, u, scale, threshold, nonnegative):
        return self.launch('prox', u.shape, u, scale, threshold, nonnegative)

    def prox_gradient(self, z, dz, scale):
        return self.launch('prox_gradient', z.shape, z, dz, scale)

    def axpy(self, a, x, y):
        return self.launch('scale', x.shape, x, a) if y is None else self.launch('axpy', x.shape, x, y, a)

    def squared_norm(self, x):
        return float(self.numpy(self.sum('squares', 1, size(x.shape), size(x.shape), x))[0])

    def unit(self, x):
        row = size(x.shape[1:])
        return self.launch('unit', x.shape, x, self.sum('squares', x.shape[0], row, row, x), row)

    # BatchNorm.

    @staticmethod
    def over(x):
        """Channels, elements of each, and elements of a plane."""
        return x.shape[1], size(x.shape) // x.shape[1], size(x.shape[2:])

    def statistics(self, x):
        mean = self.sum('mean_of', *self.over(x), x)
        return mean, self.sum('variance', *self.over(x), x, mean)

    def batch_norm(self, x, mean, var, weight, bias, epsilon):
        channels, _, area = self.over(x)
        return self.launch('batch_norm', x.shape, x, mean, var, weight, bias, channels, area, epsilon)

    def batch_norm_gradient(self, x, dy, mean, var, weight, epsilon, training):
        channels, terms, area = self.over(x)
        dweight = self.sum('batch_norm_dweight', channels, terms, area, x, dy, mean, var, epsilon=epsilon)
        dbias = self.sum('total_of', channels, terms, area, dy)
        share = 1 / terms if training else 0.0
        return self.launch('batch_norm_dx', x.shape, x, dy, mean, var, weight, dweight, dbias, channels, area, epsilon, share), dweight, dbias

    # The ends of a network.

    @staticmethod
    def pool(x, out, k, stride, padding):
        return struct(POOL, H=x[2], W=x[3], Ho=out[0], Wo=out[1], size=k, stride=stride, padding=padding)

    def max_pool(self, x, k, stride, padding):
        out = [(side + 2 * padding - k) // stride + 1 for side in x.shape[2:]]
        return self.launch('max_pool', (*x.shape[:2], *out), x, self.pool(x.shape, out, k, stride, padding))

    def max_pool_gradient(self, x, dy, k, stride, padding):
        return self.launch('max_pool_gradient', x.shape, x, dy, self.pool(x.shape, dy.shape[2:], k, stride, padding))

    def mean_pool(self, x):
        return self.launch('mean_pool', x.shape[:2], x, size(x.shape[2:]))

    def mean_pool_gradient(self, dy, height, width):
        return self.launch('mean_pool_gradient', (*dy.shape, height, width), dy, height * width)

    def linear(self, x, w, bias):
        (n, c), k = x.shape, w.shape[0]
        return self.launch('product', (n, k), x, w, bias, True, k, c, c, 1, 1, c)

    def linear_gradient(self, x, w, dy):
        (n, c), k = x.shape, w.shape[0]
        dx = self.launch('product', x.shape, dy, w, w, False, c, k, k, 1, c, 1)
        dw = self.launch('product', w.shape, dy, x, x, False, c, n, 1, k, c, 1)
        return dx, dw, self.sum('total_of', k, n, 1, dy)

    def cross_entropy(self, x, labels):
        n, k = x.shape
        each = self.launch('cross_entropy', (n,), x, self.array(labels), k)
        return float(self.numpy(self.sum('mean_of', 1, n, n, each))[0])

    def cross_entropy_gradient(self, x, labels):
        n, k = x.shape
        return self.launch('cross_entropy_gradient', x.shape, x, self.array(labels), k, n)


sdref_backend.serve(Backend())
