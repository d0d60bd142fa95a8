"""Writes the files of this folder with PyTorch: python3 make.py, then commit what is new. Made with PyTorch 1.13.

wanted.json says what each file's tensors are, as PyTorch reads them: type, shape and values.
"""
import collections
import json
import os

import torch

torch.manual_seed(1)


def network():
    """A state_dict of a convolution and a BatchNorm in training, and what the authors' code saves beside it."""
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 2, bias=False), torch.nn.BatchNorm2d(3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 60, 90], 0.1)
    net(torch.randn(2, 2, 4, 4)).square().sum().backward()
    optimizer.step()
    schedule.step()
    return {'epoch': 3, 'state_dict': net.state_dict(), 'perf': torch.tensor([93.5]), 'optimizer': optimizer.state_dict(),
            'lr_scheduler': schedule.state_dict()}


def types():
    some = [1.5, -2.0, 0.0, 6.0e-8, float('inf'), -3.140625]
    floats = {str(t)[6:]: torch.tensor(some, dtype=t) for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    integers = {str(t)[6:]: torch.tensor([0, 1, -128, 127], dtype=t) for t in (torch.int64, torch.int32, torch.int16, torch.int8)}
    return {**floats, **integers, 'uint8': torch.tensor([0, 200, 255], dtype=torch.uint8), 'bool': torch.tensor([True, False]),
            'large': torch.tensor([2 ** 62 + 1, -2 ** 63])}


def views():
    base = torch.arange(24.).view(2, 3, 4)
    return {'base': base, 'same': base, 'transposed': base.permute(2, 0, 1), 'inner': base[1, 1:, ::2], 'expanded': base[0, 0, :2].expand(3, 2),
            'scalar': base[1, 2, 3], 'empty': base[:, :0], 'one': torch.tensor(7.5)}


def nested():
    net = torch.nn.Linear(2, 1)
    return {'model': {'module': collections.OrderedDict(net.named_parameters())}, 'shape': torch.Size([2, 1]), 'history': [0.5, 0.25], 'note': 'né',
            'pair': (1, {'deep': torch.ones(1)}), 7: True, 'none': None}


class Attack:
    def __reduce__(self):
        return os.system, ('touch attacked',)


def main():
    files = {'checkpoint': network(), 'types': types(), 'views': views(), 'nested': nested(), 'tensor': torch.ones(2)}
    wanted = {}

    def describe(name, value):
        if isinstance(value, torch.Tensor):
            # JSON has no infinity.
            return {name: {'type': str(value.dtype)[6:], 'shape': list(value.shape), 'values': [str(v) for v in value.reshape(-1).tolist()]}}
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
        return {k: v for key, item in items for k, v in describe(f'{name}.{key}' if name else str(key), item).items()}

    for name, value in files.items():
        wanted[name] = describe('', value)
        torch.save(value, f'{name}.pth')
    torch.save(files['checkpoint'], 'legacy.pth', _use_new_zipfile_serialization=False)
    wanted['legacy'] = wanted['checkpoint']
    torch.save(files['nested'], 'protocol4.pth', pickle_protocol=4)
    wanted['protocol4'] = wanted['nested']
    with open('wanted.json', 'w') as f:
        json.dump(wanted, f, indent=1)
    torch.save({'state_dict': {}, 'x': Attack()}, 'attack.pth')
    torch.save({'state_dict': {}, 'x': Attack()}, 'attack_legacy.pth', _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(1, 1), 'module.pth')
    torch.save(torch.eye(2).to_sparse(), 'sparse.pth')
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), 'script.pt')


if __name__ == '__main__':
    main()
