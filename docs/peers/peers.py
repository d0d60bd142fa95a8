"""What docs/performance.md compares with: the same networks in PyTorch, timed, or exported for ONNX Runtime.

    python3 docs/peers/peers.py train NETWORK BATCH       images per second of the published training step, and peak memory
    python3 docs/peers/peers.py export NETWORK FILE.onnx  for docs/peers/predict.js

NETWORK is resnet18, sdnet18 or sdnet18_all. The networks are those of sdnet/statedict's tests. OMP_NUM_THREADS sets the threads.
"""
import os
import pathlib
import resource
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / 'sdnet/statedict/testdata'))
from network import Dictionary, Network


def build(name):
    torch.manual_seed(1)
    return Network({'widths': [64, 128, 256, 512], 'blocks': [2, 2, 2, 2], 'classes': 10, 'plain': False,
                    'csc_stem': name != 'resnet18', 'csc_blocks': name == 'sdnet18_all'})


@torch.no_grad()
def update(d):
    """The step size from power iteration, at most 50 rounds, going on from the last vector; then atoms of norm 1."""
    v = d.vector
    for _ in range(50):
        u = d.adjoint(d.A(v, d.size))
        u /= u.norm()
        change, v = (u - v).square().sum(), u
        if change < 1e-5:
            break
    d.vector = v
    d.step_size.fill_(0.9 / d.A(v, d.size).square().sum())
    d.weight /= d.weight.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def dictionaries(net, images):
    """The network's dictionaries, each with the size of its signal and a vector to begin with."""
    found = [m for m in net.modules() if isinstance(m, Dictionary)]

    def meet(d, inputs, z):
        d.size, d.vector = inputs[0].shape[2:], torch.randn_like(z[:1])
    hooks = [d.register_forward_hook(meet) for d in found]
    with torch.no_grad():
        net(images)
    for h in hooks:
        h.remove()
    return found


def train(name, batch, seconds=20):
    net, images, labels = build(name), torch.randn(batch, 3, 32, 32), torch.arange(batch) % 10
    optimizer = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=5e-4, nesterov=True)
    found, times, start = dictionaries(net, images), [], time.time()
    while len(times) < 3 or time.time() - start < seconds:
        begin = time.time()
        for d in found:
            update(d)
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.time() - begin)
    median = sorted(times[1:])[(len(times) - 1) // 2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'{name} batch {batch}: {batch / median:.2f} images/s, {peak:.0f} MB')


def export(name, path):
    net = build(name).eval()
    torch.onnx.export(net, torch.randn(32, 3, 32, 32), path, input_names=['images'], output_names=['logits'],
                      dynamic_axes={'images': {0: 'n'}, 'logits': {0: 'n'}}, opset_version=13)


if __name__ == '__main__':
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 2)))
    if sys.argv[1:2] == ['train']:
        train(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ['export']:
        export(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
