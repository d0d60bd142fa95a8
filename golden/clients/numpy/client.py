"""Answers the cases of `ref judge` with NumPy, in float32: all kinds, by the functions of the harness and nothing else.

    ref judge -- python3 client.py [--no-trace]

The plainest whole backend: what is to be put in place of each function is one kernel. harness/sdref_backend.py says what
each of them is.
"""
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'harness'))
import sdref_backend

single = np.float32


def taps(x, g, kh, kw, ho, wo):
    """For each tap of a kernel, the part of the padded signal that it sees: a view (N, C, Ho, Wo)."""
    for u, v in np.ndindex(kh, kw):
        row, column = u * g.dilation, v * g.dilation
        yield u, v, x[:, :, row:row + g.stride * (ho - 1) + 1:g.stride, column:column + g.stride * (wo - 1) + 1:g.stride]


def padded(x, p, value=0):
    return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=single(value))


def channels(v):
    return v.reshape(1, -1, 1, 1)


class Backend:
    name = f'NumPy {np.__version__}'

    # Convolutions.

    def analysis(self, x, w, g):
        ho, wo = ((x.shape[i] + 2 * g.padding - g.dilation * (w.shape[i] - 1) - 1) // g.stride + 1 for i in (2, 3))
        z = np.zeros((len(x), len(w), ho, wo), single)
        for u, v, seen in taps(padded(x, g.padding), g, *w.shape[2:], ho, wo):
            z += np.einsum('mc,ncij->nmij', w[:, :, u, v], seen)
        return z

    def synthesis(self, z, w, g, height, width):
        p = g.padding
        x = np.zeros((len(z), w.shape[1], height + 2 * p, width + 2 * p), single)
        for u, v, seen in taps(x, g, *w.shape[2:], *z.shape[2:]):
            seen += np.einsum('mc,nmij->ncij', w[:, :, u, v], z)
        return x[:, :, p:p + height, p:p + width]

    def filter_gradient(self, x, z, g, kh, kw):
        w = np.zeros((z.shape[1], x.shape[1], kh, kw), single)
        for u, v, seen in taps(padded(x, g.padding), g, kh, kw, *z.shape[2:]):
            w[:, :, u, v] = np.einsum('ncij,nmij->mc', seen, z)
        return w

    # Element by element, and sums.

    def prox(self, u, scale, threshold, nonnegative):
        v, t = u * single(scale), single(threshold)
        return np.maximum(v - t, 0) if nonnegative else np.sign(v) * np.maximum(np.abs(v) - t, 0)

    def prox_gradient(self, z, dz, scale):
        return np.where(z == 0, single(0), single(scale) * dz)

    def axpy(self, a, x, y):
        return single(a) * x if y is None else single(a) * x + y

    def squared_norm(self, x):
        return float(np.sum(x * x))

    def unit(self, x):
        norm = np.sqrt(np.sum(x * x, axis=(1, 2, 3), keepdims=True))
        return x / np.maximum(norm, single(1e-12))

    # BatchNorm.

    def statistics(self, x):
        mean = x.mean((0, 2, 3))
        return mean, np.mean((x - channels(mean)) ** 2, (0, 2, 3))

    def batch_norm(self, x, mean, var, weight, bias, epsilon):
        return (x - channels(mean)) * channels(weight / np.sqrt(var + single(epsilon))) + channels(bias)

    def batch_norm_gradient(self, x, dy, mean, var, weight, epsilon, training):
        inverse = 1 / np.sqrt(var + single(epsilon))
        normal = (x - channels(mean)) * channels(inverse)
        dweight, dbias = np.sum(dy * normal, (0, 2, 3)), np.sum(dy, (0, 2, 3))
        if training:
            count = single(x.size // x.shape[1])
            dy = dy - channels(dbias / count) - normal * channels(dweight / count)
        return channels(weight * inverse) * dy, dweight, dbias

    # The ends of a network.

    def max_pool(self, x, size, stride, padding):
        return self._windows(x, size, stride, padding).max(0)

    def max_pool_gradient(self, x, dy, size, stride, padding):
        first = self._windows(x, size, stride, padding).argmax(0)
        dx = padded(np.zeros_like(x), padding)
        for k, (_, _, seen) in enumerate(taps(dx, sdref_backend.Geometry(stride, 0, 1), size, size, *dy.shape[2:])):
            seen += np.where(first == k, dy, single(0))
        return dx[:, :, padding:padding + x.shape[2], padding:padding + x.shape[3]]

    @staticmethod
    def _windows(x, size, stride, padding):
        ho, wo = ((side + 2 * padding - size) // stride + 1 for side in x.shape[2:])
        seen = taps(padded(x, padding, -np.inf), sdref_backend.Geometry(stride, 0, 1), size, size, ho, wo)
        return np.stack([part for _, _, part in seen])

    def mean_pool(self, x):
        return x.mean((2, 3))

    def mean_pool_gradient(self, dy, height, width):
        share = dy / single(height * width)
        return np.broadcast_to(share[:, :, None, None], (*dy.shape, height, width))

    def linear(self, x, w, bias):
        return x @ w.T + bias

    def linear_gradient(self, x, w, dy):
        return dy @ w, dy.T @ x, dy.sum(0)

    def cross_entropy(self, x, labels):
        shifted = x - x.max(1, keepdims=True)
        return float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(x)), labels]))

    def cross_entropy_gradient(self, x, labels):
        p = np.exp(x - x.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(len(x)), labels] -= 1
        return p / single(len(x))


sdref_backend.serve(Backend())
