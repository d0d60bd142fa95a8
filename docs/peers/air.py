"""The chains of package sdnet and the recipe `fast` in PyTorch: the same steps, and how long they take.

    python3 docs/peers/air.py --ref ./ref --data FOLDER [--net sdnet_air] [--batch 1024] [--steps 50] [--algorithm winograd] [--muon 0.24]

trains for some steps with `ref train` and here, and prints both losses, step by step, and both speeds. FOLDER has CIFAR-10 in its binary
layout. NET is whitened_air, convnet_air, sdnet_air, sdnet_air_whitened or a wide one. Everything is written anew from the description
of the recipe: the random streams (SplitMix64 and FNV-1a), initialisation, whitening, augmentation, FISTA, power iteration,
smoothing, schedule, SGD, Muon and lookahead. OMP_NUM_THREADS sets the threads of PyTorch, GOMAXPROCS those of ref.
"""
import argparse
import csv
import os
import re
import subprocess
import tempfile
import time

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

WORD = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z):
    """SplitMix64's bijection, of numbers or arrays of 64 bits."""
    if isinstance(z, int):
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & WORD
        return z ^ z >> 31
    s = np.uint64
    z = (z ^ z >> s(30)) * s(0xBF58476D1CE4E5B9)
    z = (z ^ z >> s(27)) * s(0x94D049BB133111EB)
    return z ^ z >> s(31)


class Stream:
    def __init__(self, seed):
        self.seed = seed

    def at(self, i):
        return mix((self.seed + (i + 1) * GAMMA) & WORD)

    def below(self, i, n):
        return self.at(i) * n >> 64

    def sub(self, purpose, *numbers):
        h = 0xCBF29CE484222325
        for byte in purpose.encode():
            h = ((h ^ byte) * 0x100000001B3) & WORD
        seed = self.seed
        for word in (h, *numbers):
            seed = mix(mix((seed + GAMMA) & WORD) ^ word)
        return Stream(seed)

    def fill(self, shape, bound):
        """Uniform in [-bound, bound)."""
        count = int(np.prod(shape))
        with np.errstate(over='ignore'):
            drawn = mix(np.uint64(self.seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA))
        unit = (drawn >> np.uint64(40)).astype(np.float64) * 2.0 ** -23 - 1
        return torch.from_numpy((unit * bound).astype(np.float32).reshape(shape))

    def permutation(self, n):
        p = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.below(i, i + 1)
            p[i], p[j] = p[j], p[i]
        return p


MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


def load(folder):
    records = np.concatenate([np.fromfile(os.path.join(folder, f'data_batch_{i}.bin'), np.uint8).reshape(-1, 3073) for i in range(1, 6)])
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def normalised(pixels):
    f = np.float32
    x = pixels.astype(f) / f(255)
    return torch.from_numpy(np.stack([(x[:, c] - f(MEAN[c])) / f(STD[c]) for c in range(3)], 1))


class Dictionary(nn.Module):
    """Two iterations of FISTA with z >= 0 and lambda 0.1 on atoms of 3x3."""

    def __init__(self, channels, atoms):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(atoms, channels, 3, 3))

    def synthesis(self, z):
        return F.conv_transpose2d(z, self.weight, padding=1)

    def analysis(self, x):
        return F.conv2d(x, self.weight, padding=1)

    @torch.no_grad()
    def update(self):
        """The step size from at most 50 more rounds of power iteration; the atoms keep their norms."""
        for _ in range(50):
            u = self.analysis(self.synthesis(self.vector))
            u /= u.norm()
            change, self.vector = (u - self.vector).square().sum(), u
            if change <= 1e-5:
                break
        self.step = 0.9 / self.synthesis(self.vector).square().sum()

    @torch.no_grad()
    def normalise(self):
        self.weight /= self.weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1)

    def forward(self, x):
        shrink = lambda u: F.relu(u - 0.1 * self.step)
        z = shrink(self.step * self.analysis(x))
        return shrink(z + self.step * self.analysis(x - self.synthesis(z)))


class Norm(nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels, eps=1e-12, momentum=0.4)
        self.weight.requires_grad_(False)


class Chain(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.sparse, self.white = name.startswith('sdnet'), 'whitened' in name
        widths = (128, 384, 384) if 'wide' in name else (64, 256, 256)
        channels = 24 if self.white and not self.sparse else 32
        if self.sparse:
            self.stem = Dictionary(3, channels)
        elif self.white:
            self.stem = nn.Conv2d(3, channels, 2)
            self.stem.weight.requires_grad_(False)
        else:
            self.stem = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        self.stemnorm = None if self.white and not self.sparse else Norm(channels)
        self.convolutions, self.norms = nn.ModuleList(), nn.ModuleList()
        for width in widths:
            for _ in range(2):
                self.convolutions.append(nn.Conv2d(channels, width, 3, padding=1, bias=False))
                self.norms.append(Norm(width))
                channels = width
        self.linear = nn.Linear(channels, 10)

    def forward(self, x):
        gelu = lambda h: F.gelu(h, approximate='tanh')
        if self.sparse and self.white:
            x = F.conv2d(x, self.whitening, padding=1)
        h = self.stem(x)
        h = h if self.stemnorm is None else self.stemnorm(h)
        h = h if self.sparse else gelu(h)
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            h = convolution(h)
            h = gelu(norm(F.max_pool2d(h, 2) if i % 2 == 0 else h))
        return self.linear(h.amax((2, 3))) / 9

    @torch.no_grad()
    def initialise(self, seed, images):
        """The first weights: random ones by published names, dirac, whitening from the first images."""
        streams = Stream(seed)
        fill = lambda t, name, bound: t.copy_(streams.sub(name).fill(tuple(t.shape), bound))
        if self.sparse:
            fill(self.stem.weight, 'layer0.0.dn.weight', (6 / 27) ** 0.5)
            self.stem.vector = streams.sub('layer0.0.dn.v0').fill((1, len(self.stem.weight), 32, 32), 1)
            self.stem.normalise()
            self.stem.update()
        elif self.white:
            self.stem.bias.zero_()
        else:
            fill(self.stem.weight, 'layer0.0.weight', 27 ** -0.5)
        for i, c in enumerate(self.convolutions):
            fill(c.weight, f'layer{i // 2 + 1}.conv{i % 2 + 1}.weight', c.weight[0].numel() ** -0.5)
            for k in range(min(c.weight.shape[:2])):
                c.weight[k] = 0
                c.weight[k, k, 1, 1] = 1
        bound = self.linear.weight.shape[1] ** -0.5
        fill(self.linear.weight, 'linear.weight', bound)
        fill(self.linear.bias, 'linear.bias', bound)
        if not self.white:
            return
        k = 3 if self.sparse else 2
        patches = F.unfold(images.double(), k).transpose(1, 2).reshape(-1, 3 * k * k)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        values, vectors = values.flip(0), vectors.T.flip(0)
        vectors *= torch.sign(vectors.gather(1, vectors.abs().argmax(1, keepdim=True)))
        factors = (values + 5e-4).rsqrt().view(-1, 1)
        if self.sparse:
            middle = vectors[:, 4::9]  # (27, 3): each vector at the middle pixel of each channel
            self.whitening = ((middle * factors).T @ vectors).view(3, 3, 3, 3).float()
        else:
            scaled = (vectors * factors).view(-1, 3, k, k).float()
            self.stem.weight.copy_(torch.cat([scaled, -scaled]))


def batch(pixels, labels, streams, iteration, size):
    """The images of a step: in the epoch's order, moved by up to 2 pixels with reflected edges, mirrored in every other epoch."""
    per_epoch = -(-len(pixels) // size)
    epoch, first = iteration // per_epoch, iteration % per_epoch * size
    if batch.epoch != epoch:
        batch.epoch, batch.order = epoch, streams.sub('order', epoch).permutation(len(pixels))
    draws, chosen, out = streams.sub('augment'), batch.order[first:first + size], []
    for position, i in enumerate(chosen, first):
        d = draws.sub('reflect and flip', epoch, position)
        down, right = d.below(0, 5) - 2, d.below(1, 5) - 2
        image = np.pad(pixels[i], ((0, 0), (2, 2), (2, 2)), 'reflect')[:, 2 - down:34 - down, 2 - right:34 - right]
        if (draws.sub('first flip').below(i, 2) + epoch) % 2:
            image = image[:, :, ::-1]
        out.append(image)
    return normalised(np.stack(out)), torch.from_numpy(labels[chosen])


batch.epoch = -1


def rate(i, per_epoch, total, base):
    peak = int(3.427 * per_epoch)
    if i < peak:
        return base * (0.2 * (1 - i / peak) + i / peak)
    share = (i - peak) / (total - peak)
    return base * (1 - share + 0.07 * share)


@torch.no_grad()
def muon(weight, velocity, step, momentum=0.6):
    """Muon's step of filters: Nesterov's direction with its singular values made alike, from filters whose norm is the root of their number."""
    gradient = weight.grad.flatten(1)
    velocity.mul_(momentum).add_(gradient)
    x = gradient + momentum * velocity
    x /= x.norm()
    for _ in range(3):
        inner = x @ x.T
        x = 3.4445 * x + (-4.775 * inner + 2.0315 * inner @ inner) @ x
    weight.mul_(len(weight) ** 0.5 / weight.norm()).sub_(step * x.view_as(weight))


def train(net, pixels, labels, size, steps, base, decay, seed, muon_rate):
    streams, per_epoch = Stream(seed), -(-len(pixels) // size)
    total = 15 * per_epoch - int(0.1 * per_epoch + 1e-9)
    net.initialise(seed, normalised(pixels[:2000]))
    betas = [n.bias for n in net.norms] + ([net.stemnorm.bias] if net.stemnorm else [])
    filters = [c.weight for c in net.convolutions] if muon_rate else []  # what takes Muon's steps
    velocities = [torch.zeros_like(w).flatten(1) for w in filters]
    known = {id(p) for p in betas + filters}
    others = [p for p in net.parameters() if p.requires_grad and id(p) not in known]
    groups = [{'params': others, 'factor': 1, 'weight_decay': decay}, {'params': betas, 'factor': 64, 'weight_decay': decay / 64}]
    optimizer = torch.optim.SGD(groups, base, momentum=0.85, nesterov=True)
    followed = others + betas + filters + [b for n in net.modules() if isinstance(n, Norm) for b in (n.running_mean, n.running_var)]
    slow = [p.detach().clone() for p in followed]
    losses, times = [], []
    for i in range(steps):
        images, wanted = batch(pixels, labels, streams, i, size)
        begin = time.time()
        if net.sparse:
            net.stem.update()
            net.stem.normalise()
        loss = F.cross_entropy(net(images), wanted, label_smoothing=0.2)
        net.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group['lr'] = rate(i, per_epoch, total, base) * group['factor']
        optimizer.step()
        for w, v in zip(filters, velocities):
            muon(w, v, rate(i, per_epoch, total, muon_rate))
        if (i + 1) % 5 == 0:
            d = 0.95 ** 5 * ((i + 1) / total) ** 3
            with torch.no_grad():
                for s, p in zip(slow, followed):
                    s.lerp_(p, 1 - d)
                    p.copy_(s)
        times.append(time.time() - begin)
        losses.append(loss.item())
    return losses, size / sorted(times)[len(times) // 2]


def reference(a, base):
    """What ref train says of the same steps."""
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([a.ref, 'train', '-data', a.data, '-recipe', 'fast', '-net', a.net, '-batch', str(a.batch), '-rate', repr(base),
                               '-algorithm', a.algorithm, '-muon', repr(a.muon), '-seed', str(a.seed), '-stop', str(a.steps), '-out', folder],
                              check=True, capture_output=True, text=True).stdout
        with open(os.path.join(folder, 'steps.csv')) as f:
            losses = [float(row['loss']) for row in csv.DictReader(f)]
    return losses, float(re.findall(r'([0-9.]+) images/s', said)[-1])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--ref', required=True)
    p.add_argument('--data', required=True)
    p.add_argument('--net', default='sdnet_air')
    p.add_argument('--batch', type=int, default=1024)
    p.add_argument('--steps', type=int, default=50)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--algorithm', default='winograd')
    p.add_argument('--muon', type=float, default=0.0, help='the rate of Muon\'s steps; 0 is SGD for all')
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 2)))
    base = 1.5 * a.batch / 1024
    ours, our_speed = reference(a, base)
    pixels, labels = load(a.data)
    theirs, their_speed = train(Chain(a.net), pixels, labels, a.batch, a.steps, base, 0.00133, a.seed, a.muon)
    print('step     ref train   PyTorch     difference')
    for i, (x, y) in enumerate(zip(ours, theirs), 1):
        print(f'{i:4}     {x:.6f}    {y:.6f}    {x - y:+.1e}')
    print(f'{a.net}, batch {a.batch}: ref train {our_speed:.1f} images/s, PyTorch {their_speed:.1f}, ratio {our_speed / their_speed:.2f}')


if __name__ == '__main__':
    main()
