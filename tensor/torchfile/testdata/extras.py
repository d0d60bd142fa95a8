"""Writes the files of the folder extras with Python and NumPy alone: python3 extras.py.

The files are what torch.save and pickle.dump write for weights that lie beside other things. PyTorch is not needed: its functions
and classes are names here, and the records are put together by hand. wanted.json says what each file must give.
"""
import argparse
import collections
import datetime
import io
import json
import os
import pathlib
import pickle
import random
import struct
import sys
import types
import zipfile

import numpy


def module(name, **names):
    m = sys.modules[name] = types.ModuleType(name)
    for key, value in names.items():
        if hasattr(value, '__module__'):
            value.__module__ = name
        setattr(m, key, value)
    return m


def _rebuild_tensor_v2(*args):
    return args


def _rebuild_tensor_v3(*args):
    return args


def _rebuild_sparse_tensor(*args):
    return args


def _load_from_bytes(b):
    return b


class FloatStorage:
    pass


class UntypedStorage:
    pass


class Linear:
    pass


class Net:
    pass


class SGD:
    pass


class Dtype:
    __module__ = 'torch'

    def __reduce__(self):
        return 'float32'


class Device:
    def __init__(self, *args):
        self.args = args

    def __reduce__(self):
        return device, self.args


def device(*args):
    return args


torch = module('torch', FloatStorage=FloatStorage, device=device)
torch.float32, torch.bfloat16 = Dtype(), Dtype()
module('torch._utils', _rebuild_tensor_v2=_rebuild_tensor_v2, _rebuild_tensor_v3=_rebuild_tensor_v3, _rebuild_sparse_tensor=_rebuild_sparse_tensor)
module('torch.storage', UntypedStorage=UntypedStorage, _load_from_bytes=_load_from_bytes)
module('torch.nn', )
module('torch.nn.modules.linear', Linear=Linear)
module('torch.optim', )
module('torch.optim.sgd', SGD=SGD)
module('models', Net=Net)


class Storage:
    """A storage outside the pickle, or, for pickle.dump, one that is an old file of its own."""

    def __init__(self, values):
        self.values, self.key = values, str(len(storages))
        storages.append(self)

    def raw(self):
        return struct.pack('<%df' % len(self.values), *self.values)

    def __reduce__(self):
        return _load_from_bytes, (legacy(self, 2),)


class Tensor:
    def __init__(self, values, shape=None):
        self.storage, self.shape = Storage(values), shape or (len(values),)

    def __reduce__(self):
        strides, step = [], 1
        for side in reversed(self.shape):
            strides.insert(0, step)
            step *= side
        return _rebuild_tensor_v2, (self.storage, 0, tuple(self.shape), tuple(strides), False, collections.OrderedDict())


class Sparse:
    def __reduce__(self):
        return _rebuild_sparse_tensor, ((Tensor([1, 2]), Tensor([3, 4])),)


class Pickler(pickle._Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            self.used[obj.key] = obj
            return 'storage', FloatStorage, obj.key, 'cpu', len(obj.values)
        return None


def pickled(value, protocol):
    out = io.BytesIO()
    p = Pickler(out, protocol)
    p.used = {}
    p.dump(value)
    return out.getvalue(), p.used


def zipped(path, value, protocol=2):
    program, used = pickled(value, protocol)
    with zipfile.ZipFile(path, 'w') as z:
        z.writestr('archive/data.pkl', program)
        for key, s in used.items():
            z.writestr('archive/data/' + key, s.raw())
        z.writestr('archive/version', '3\n')


def legacy(value, protocol):
    out = io.BytesIO()
    pickle.dump(0x1950a86a20f9469cfc6c, out, protocol)
    pickle.dump(1001, out, protocol)
    pickle.dump({'protocol_version': 1001, 'little_endian': True, 'type_sizes': {'short': 2, 'int': 4, 'long': 4}}, out, protocol)
    program, used = pickled(value, protocol)
    out.write(program)
    pickle.dump(sorted(used), out, protocol)
    for key in sorted(used):
        out.write(struct.pack('<q', len(used[key].values)) + used[key].raw())
    return out.getvalue()


storages = []


def weights():
    return collections.OrderedDict(w=Tensor([1.5, -2, 0.25, 8], (2, 2)), b=Tensor([7.0]))


def whole():
    """A network saved whole, as pickle sees it: attributes, parts and parameters in dictionaries, one of which leads back."""
    linear, net = Linear(), Net()
    linear.__dict__.update(training=True, _parameters=collections.OrderedDict(w=Tensor([1.5, -2, 0.25, 8], (2, 2)), bias=None),
                           _buffers=collections.OrderedDict(b=Tensor([7.0]), scratch=Tensor([0.0])), _non_persistent_buffers_set={'scratch'},
                           _modules=collections.OrderedDict(), parent=net)
    net.__dict__.update(training=False, _parameters=collections.OrderedDict(), _buffers=collections.OrderedDict(),
                        _modules=collections.OrderedDict(state_dict=linear), hook=len)
    return net


def beside():
    """Everything that is found beside weights."""
    optimizer = SGD()
    optimizer.__dict__.update(param_groups=[{'lr': numpy.float64(0.1), 'params': [0, 1]}], state=collections.defaultdict(dict))
    counts = collections.defaultdict(list)
    counts['a'].append(3)
    generator = random.Random(1)
    return {
        'state_dict': weights(), 'args': argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath('/tmp/x'), nested=argparse.Namespace(w=1)),
        'best': numpy.float64(93.5), 'seen': numpy.int64(7), 'good': numpy.bool_(True), 'text': numpy.str_('text'), 'counts': counts,
        'names': {'a'}, 'frozen': frozenset([2]), 'dtype': torch.float32, 'numpy_dtype': numpy.dtype('>i4'), 'device': Device('cuda', 0),
        'when': datetime.datetime(2024, 1, 2), 'took': datetime.timedelta(seconds=3), 'generator': generator.getstate(),
        'numpy_generator': numpy.random.RandomState(1).get_state(), 'optimizer': optimizer, 'complex': 1 + 2j, 'range': range(3),
        'slice': slice(1, 2), 'bytes': b'\x00\xff', 'bytearray': bytearray(b'ab'), 'large': 2 ** 80, 'function': len, 'class': int,
        'points': collections.Counter({'x': 2}), ('tuple', 1): 5, 0.5: 6, 'sparse': Sparse(), 'tuple': (1, (2,)), 'none': None,
        'objects': numpy.array([None, 'x'], dtype=object), 'strings': numpy.array(['a', 'bc']), 'structure': numpy.zeros(2, dtype=[('a', 'i4')]),
        'surrogate': 'caf\udce9',
    }


def numbers():
    """Arrays of NumPy's as weights, of every type and order."""
    base = numpy.array([[1, 0, 2], [0, 3, 4]])
    types_ = ['f8', 'f4', 'f2', 'i8', 'i4', 'i2', 'i1', 'u8', 'u4', 'u2', 'u1', '?', '>f8', '>f4', '>i4', '>u2']
    a = {t: base.astype(t) for t in types_}
    a.update(fortran=numpy.asfortranarray(base.astype('f4')), view=base.astype('f4')[:, ::2], scalar=numpy.array(5.5), empty=numpy.zeros((0, 3), 'f4'))
    return a


def described(arrays):
    kinds = {'f': 'float', 'i': 'int', 'u': 'uint'}
    return {k: {'type': 'bool' if a.dtype.kind == 'b' else kinds[a.dtype.kind] + str(8 * a.dtype.itemsize), 'shape': list(a.shape),
                'values': [str(float(v)) for v in a.reshape(-1)]} for k, a in arrays.items()}


def main():
    os.makedirs('extras', exist_ok=True)
    os.chdir('extras')
    wanted = {}
    tensors = {'w': {'type': 'float32', 'shape': [2, 2], 'values': ['1.5', '-2', '0.25', '8']}, 'b': {'type': 'float32', 'shape': [1], 'values': ['7']}}
    under = {'state_dict.' + k: v for k, v in tensors.items()}

    def keep(name, want):
        wanted[name] = want

    for protocol in range(6):
        zipped('zip%d.pth' % protocol, weights(), protocol)
        keep('zip%d.pth' % protocol, tensors)
        open('legacy%d.pth' % protocol, 'wb').write(legacy(weights(), protocol))
        keep('legacy%d.pth' % protocol, tensors)
        open('raw%d.pkl' % protocol, 'wb').write(pickle.dumps(weights(), protocol))
        keep('raw%d.pkl' % protocol, tensors)
        zipped('whole%d.pth' % protocol, whole(), protocol)
        keep('whole%d.pth' % protocol, under)
    for protocol in (0, 2, 4, 5):
        zipped('numpy%d.pth' % protocol, numbers(), protocol)
        keep('numpy%d.pth' % protocol, described(numbers()))
    for protocol in (0, 2, 4):
        zipped('beside%d.pth' % protocol, beside(), protocol)
        keep('beside%d.pth' % protocol, under)
    with open('wanted.json', 'w') as f:
        json.dump(wanted, f)


if __name__ == '__main__':
    main()
