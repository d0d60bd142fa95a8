"""SDNet in plain PyTorch, for the tests of this package: an independent reading of the published names.

    python3 network.py JOBS.json

JOBS is a list of jobs. Each has a shape (blocks and widths per stage, classes, csc_stem, csc_blocks, plain) and the paths of
images and of the logits to write. With "checkpoint" a network is trained for two steps and saved there as the authors do, with
"state" a state_dict is loaded from there, strictly. Everything is computed in float64.
"""
import collections
import json
import sys

import torch
from torch import nn
import torch.nn.functional as F

LAMBDA = 0.1


class Dictionary(nn.Module):
    """Two steps of FISTA with z >= 0."""

    def __init__(self, channels, atoms, stride):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(atoms, channels, 3, 3))
        self.register_buffer('step_size', torch.tensor(0.1))
        self.stride = stride

    def code(self, u):
        return F.relu(u - LAMBDA * self.step_size)

    def A(self, z, size):
        return F.conv_transpose2d(z, self.weight, stride=self.stride, padding=1,
                                  output_padding=[size[i] - (self.stride * (z.shape[2 + i] - 1) + 1) for i in (0, 1)])

    def adjoint(self, x):
        return F.conv2d(x, self.weight, stride=self.stride, padding=1)

    @torch.no_grad()
    def prepare(self, x):
        """Atoms of norm 1, and the step size from the largest eigenvalue, by 300 rounds of power iteration."""
        self.weight /= self.weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        v = torch.ones_like(self.adjoint(x[:1]))
        for _ in range(300):
            v = self.adjoint(self.A(v, x.shape[2:]))
            v /= v.norm()
        self.step_size.fill_(0.9 / self.A(v, x.shape[2:]).square().sum())

    def forward(self, x):
        if self.preparing:
            self.prepare(x)
        t = self.step_size
        z = self.code(t * self.adjoint(x))
        return self.code(z + t * self.adjoint(x - self.A(z, x.shape[2:])))

    preparing = False


class Coder(nn.Module):
    """The published networks wrap each dictionary in a module."""

    def __init__(self, *shape):
        super().__init__()
        self.dn = Dictionary(*shape)

    def forward(self, x):
        return self.dn(x)


def convolution(channels, width, stride, sparse):
    return Coder(channels, width, stride) if sparse else nn.Conv2d(channels, width, 3, stride, 1, bias=False)


class Block(nn.Module):
    def __init__(self, channels, width, stride, shape):
        super().__init__()
        self.sparse, self.plain = shape['csc_blocks'], shape['plain']
        self.conv1, self.bn1 = convolution(channels, width, stride, self.sparse), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = convolution(width, width, 1, self.sparse), nn.BatchNorm2d(width)
        self.shortcut = nn.Sequential()
        if not self.plain and (stride > 1 or channels != width):
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        h = self.bn1(self.conv1(x))
        h = self.bn2(self.conv2(h if self.sparse else F.relu(h)))
        return h if self.plain else F.relu(h + self.shortcut(x))


class Stage(nn.Module):
    """The networks of dictionaries wrap a stage in one more module."""

    def __init__(self, blocks):
        super().__init__()
        self.layers = blocks

    def forward(self, x):
        return self.layers(x)


class Network(nn.Module):
    def __init__(self, shape):
        super().__init__()
        channels = shape['widths'][0]
        self.layer0 = nn.Sequential(convolution(3, channels, 1, shape['csc_stem']), nn.BatchNorm2d(channels),
                                    *([] if shape['csc_stem'] else [nn.ReLU()]))
        self.stages = len(shape['widths'])
        for i, (count, width) in enumerate(zip(shape['blocks'], shape['widths'])):
            blocks = []
            for j in range(count):
                blocks.append(Block(channels, width, 2 if i > 0 and j == 0 else 1, shape))
                channels = width
            blocks = nn.Sequential(*blocks)
            setattr(self, f'layer{i + 1}', Stage(blocks) if shape['csc_blocks'] else blocks)
        self.linear = nn.Linear(channels, shape['classes'])

    def forward(self, x):
        for i in range(self.stages + 1):
            x = getattr(self, f'layer{i}')(x)
        return self.linear(x.mean((2, 3)))


def train(net, images):
    """Two steps, so that BatchNorm has statistics and the optimiser a state; then atoms and step sizes are put in order."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [30, 60, 90], 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        F.cross_entropy(net(images), torch.arange(len(images)) % 3).backward()
        optimizer.step()
        schedule.step()
    net.eval()
    with torch.no_grad():
        Dictionary.preparing = True
        net(images)
        Dictionary.preparing = False
    return {'epoch': 2, 'state_dict': net.state_dict(), 'perf': torch.tensor([12.5]), 'optimizer': optimizer.state_dict(),
            'lr_scheduler': schedule.state_dict()}


def do(job):
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    net, x = Network(job['shape']), torch.load(job['images'])['images'].double()
    if 'checkpoint' in job:
        saved = train(net, x)
        saved['state_dict'] = collections.OrderedDict((k, v.float() if v.is_floating_point() else v) for k, v in saved['state_dict'].items())
        torch.set_default_dtype(torch.float32)
        torch.save(saved, job['checkpoint'], _use_new_zipfile_serialization=not job['legacy'])
        state = saved['state_dict']
    else:
        state = torch.load(job['state'], weights_only=True)
    net.load_state_dict(state, strict=True)
    with torch.no_grad():
        torch.save({'logits': net.eval()(x)}, job['logits'])


if __name__ == '__main__':
    torch.set_num_threads(1)
    with open(sys.argv[1]) as jobs:
        for job in json.load(jobs):
            do(job)
