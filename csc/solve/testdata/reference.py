"""Solves one problem in each of two libraries' conventions, with numpy alone, and writes inputs and solutions to the folder of this file.

    python3 reference.py

circular.json  SPORCO's ConvBPDN: 1/2 |sum_m d_m * z_m - s|^2 + lambda |z|_1 with circular convolution, the atoms laid into the
               top left corner of the image; solved by ADMM in the Fourier domain with the Sherman-Morrison formula, as there.
full.json      alphacsc's update_z: 1/2 |X - sum_k d_k * z_k|^2 + lambda |z|_1, z >= 0, with full convolution of codes of T-L+1
               elements, one problem for each trial; solved by greedy coordinate descent.
"""

import json
import os

import numpy as np


def unit(atoms):
    return atoms / np.sqrt((atoms ** 2).sum(axis=tuple(range(1, atoms.ndim)), keepdims=True))


def circular(rng):
    height, width, count, side, lam, rho = 12, 10, 4, 3, 0.3, 1.0
    d = unit(rng.uniform(-1, 1, (count, side, side)))
    s = rng.uniform(-1, 1, (height, width))
    df = np.fft.fft2(d, (height, width))
    sf = np.fft.fft2(s)
    z, u = np.zeros((count, height, width)), np.zeros((count, height, width))
    energy = (np.abs(df) ** 2).sum(0)
    for _ in range(20000):
        b = df.conj() * sf + rho * np.fft.fft2(z - u)
        y = np.fft.ifft2((b - df.conj() * ((df * b).sum(0) / (rho + energy))) / rho).real
        new = np.sign(y + u) * np.maximum(np.abs(y + u) - lam / rho, 0)
        u = u + y - new
        moved, z = np.abs(new - z).max(), new
        if moved < 1e-16:
            break
    r = s - np.fft.ifft2((df * np.fft.fft2(z)).sum(0)).real
    return dict(x=s[None, None], w=d[:, None], z=z[None], lam=lam, objective=0.5 * (r ** 2).sum() + lam * np.abs(z).sum())


def full(rng):
    trials, length, count, taps, lam = 2, 40, 3, 7, 0.5
    d = unit(rng.uniform(-1, 1, (count, taps)))
    x = rng.uniform(-1, 1, (trials, length))
    places = length - taps + 1
    a = np.zeros((length, count * places))
    for k in range(count):
        for t in range(places):
            a[t:t + taps, k * places + t] = d[k]
    norms, z = (a ** 2).sum(0), np.zeros((trials, count * places))
    for n in range(trials):
        c = a.T @ x[n]
        for _ in range(100000):
            step = np.maximum(z[n] + (c - lam) / norms, 0) - z[n]
            i = np.abs(step).argmax()
            if abs(step[i]) < 1e-16:
                break
            z[n, i] += step[i]
            c = a.T @ (x[n] - a @ z[n])
    r = x - z @ a.T
    return dict(x=x[:, None, None], w=d[:, None, None], z=z.reshape(trials, count, 1, places), lam=lam,
                objective=0.5 * (r ** 2).sum() + lam * z.sum())


here = os.path.dirname(os.path.abspath(__file__))
for name, solve in (("circular", circular), ("full", full)):
    case = solve(np.random.RandomState(1))
    arrays = {k: dict(shape=v.shape, data=v.ravel().tolist()) for k, v in case.items() if isinstance(v, np.ndarray)}
    with open(os.path.join(here, name + ".json"), "w") as f:
        json.dump({**arrays, "lambda": case["lam"], "objective": float(case["objective"])}, f)
        f.write("\n")
    print(name, "objective", repr(case["objective"]), "support", np.count_nonzero(case["z"]))
