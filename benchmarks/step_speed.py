"""How much of the machine a training step of our convolutional VAE uses, and a PyTorch peer beside it.

    python benchmarks/step_speed.py                                # the share of sgemm alone
    python benchmarks/step_speed.py --torch .backends/bin/python   # and the peer in PyTorch

In turns, in one run: products of large float32 matrices (sgemm), the VAE of notebooks 00 and 03 on
32×32×3 pictures, the same network on 28×28×1 pictures, and the peer on 28×28×1 pictures. A share is
the multiplications and additions that the layers need (forwards, and twice that backwards, less the
gradient of the pictures) a second, divided by those of sgemm beside it. The peer is the convolutional
VAE for MNIST of benchmark_VAE, written anew from its page, in PyTorch's usual eager loop: four 4×4
convolutions with stride 2 (128 to 1024 channels) with batch normalisation, and three transposed
3×3 convolutions back. It is a larger network than ours, so its share is told, too.

Reference: https://github.com/clementchadebec/benchmark_VAE
"""

import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

BATCH, LATENT = 64, 16


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each turn")
    parser.add_argument("--repeats", type=int, default=7, help="turns of each")
    parser.add_argument("--torch", help="a Python that has PyTorch, for the peer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", help="also write the numbers with their provenance")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        return serve_peer(arguments.seed)

    from helpers import runs
    from helpers.runs.provenance import write_record

    runs.set_up(arguments.seed)
    contestants = {"ours, 32×32×3": Ours((32, 32, 3), "gaussian", arguments.seed)}
    contestants["ours, 28×28×1"] = Ours((28, 28, 1), "bernoulli", arguments.seed)
    if arguments.torch:
        contestants["PyTorch peer, 28×28×1"] = Peer(arguments.torch, arguments.seed)

    speeds = {name: [] for name in contestants}  # images a second
    shares = {name: [] for name in contestants}  # of sgemm
    sgemm = [matrix_speed(arguments.seconds / 4)]
    for _ in range(arguments.repeats):
        for name, contestant in contestants.items():
            speeds[name].append(contestant.run(arguments.seconds))
            sgemm.append(matrix_speed(arguments.seconds / 4))
            beside = (sgemm[-2] + sgemm[-1]) / 2
            shares[name].append(speeds[name][-1] * contestant.operations / beside)

    result = {
        "sgemm_gflops": statistics.median(sgemm) / 1e9,
        "images_per_second": {name: statistics.median(values) for name, values in speeds.items()},
        "share_of_sgemm": {name: statistics.median(values) for name, values in shares.items()},
        "operations_per_image": {name: c.operations for name, c in contestants.items()},
        "parameters": {name: c.parameters for name, c in contestants.items()},
    }
    print(f"sgemm {result['sgemm_gflops']:.0f} GF/s; medians of {arguments.repeats} turns")
    for name in contestants:
        print(
            f"  {name:24}{result['images_per_second'][name]:9.0f} images/s, "
            f"{result['share_of_sgemm'][name]:.2f} of sgemm, {result['parameters'][name]:,} weights"
        )
    if arguments.torch:
        ours, peer = speeds["ours, 28×28×1"], speeds["PyTorch peer, 28×28×1"]
        result["ratio"] = statistics.median(a / b for a, b in zip(ours, peer))
        print(f"images a second, ours to the peer's: {result['ratio']:.1f}")
    if arguments.record:
        recipe = {"seconds": arguments.seconds, "repeats": arguments.repeats, "batch_size": BATCH}
        recipe |= {"latent": LATENT, "seed": arguments.seed}
        name = "Training steps of convolutional VAEs: images per second and share of sgemm"
        every = {"sgemm": sgemm, "speeds": speeds, "shares": shares}
        write_record(arguments.record, name, result, recipe, runs=every)
    return 0


def matrix_speed(seconds, size=1536):
    """Operations a second of products of two float32 matrices; the median product of `seconds`."""
    a = np.random.default_rng(0).standard_normal((size, size), "float32")
    took, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        a @ a
        took.append(time.perf_counter() - begin)
    return 2 * size**3 / statistics.median(took)


class Ours:
    """`models.conv_vae` with the settings of notebooks 00 and 03, compiled as they compile it."""

    def __init__(self, image_shape, likelihood, seed):
        import keras

        from helpers import backend, models

        self.vae = models.conv_vae(
            image_shape, latent=LATENT, width=32, likelihood=likelihood, seed=seed
        )
        self.parameters = self.vae.encoder.count_params() + self.vae.decoder.count_params()
        self.operations = operations(self.vae.encoder) + operations(self.vae.decoder)
        self.operations -= first_gradient(self.vae.encoder)
        self.vae.compile(keras.optimizers.Adam(4e-3), **backend.compile_options(planned=10_000))
        images = np.random.default_rng(seed).random((100 * BATCH, *image_shape), "float32")
        self.images = images.round() if likelihood == "bernoulli" else images
        self.vae.fit(self.images, batch_size=BATCH, verbose=0)  # compiles

    def run(self, seconds):
        """Images a second of `fit`, for about so many seconds."""
        seen, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            self.vae.fit(self.images, batch_size=BATCH, verbose=0)
            seen += len(self.images)
        return seen / (time.perf_counter() - start)


def operations(network):
    """Additions and multiplications of one image in a training step: `3 · 2 · weights · positions`."""
    return 3 * sum(map(forward, network.layers))


def first_gradient(network):
    """The backward product that no training step needs: that of the pictures."""
    return next(count for count in map(forward, network.layers) if count)


def forward(layer):
    """Additions and multiplications of one image in a layer; normalisations are not counted."""
    kernels = [w for w in layer.weights if len(w.shape) in (2, 4)]
    if not kernels:
        return 0
    if len(kernels) > 1:
        raise ValueError(f"a layer with several kernels is not counted. Received: {layer.name}")
    shape = kernels[0].shape
    # Where a convolution is followed by depth-to-space, its positions are those of its input.
    same = not hasattr(layer, "strides") or layer.strides in (1, (1, 1))
    places = layer.input.shape[1:3] if same else layer.output.shape[1:3]
    return 2 * math.prod(shape) * (math.prod(places) if len(layer.input.shape) == 4 else 1)


class Peer:
    """The other side, in a process of its own, because two libraries' threads would mix."""

    def __init__(self, python, seed):
        command = [python, __file__, "--peer", "--seed", str(seed)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        about = json.loads(self.process.stdout.readline())
        self.parameters, self.operations = about["parameters"], about["operations"]

    def run(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def serve_peer(seed):
    """Answers each line of seconds by images a second of the peer's training."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(seed)

    def down(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU()]

    widths = [1, 128, 256, 512, 1024]
    parts = [layer for pair in itertools.pairwise(widths) for layer in down(*pair)]
    encoder = nn.Sequential(*parts, nn.Flatten())
    mean, log_variance = nn.Linear(1024, LATENT), nn.Linear(1024, LATENT)
    decoder = nn.Sequential(
        nn.Linear(LATENT, 1024 * 16),
        nn.Unflatten(1, (1024, 4, 4)),
        *[nn.ConvTranspose2d(1024, 512, 3, 2, 1), nn.BatchNorm2d(512), nn.ReLU()],
        *[nn.ConvTranspose2d(512, 256, 3, 2, 1, output_padding=1), nn.BatchNorm2d(256), nn.ReLU()],
        nn.ConvTranspose2d(256, 1, 3, 2, 1, output_padding=1),
        nn.Sigmoid(),
    )
    every = nn.ModuleList([encoder, mean, log_variance, decoder])
    optimizer = torch.optim.Adam(every.parameters(), lr=1e-3)
    images = torch.rand(100 * BATCH, 1, 28, 28).round()

    def step(x):
        h = encoder(x)
        m, v = mean(h), log_variance(h)
        z = m + torch.exp(0.5 * v) * torch.randn_like(m)
        nll = functional.binary_cross_entropy(decoder(z), x, reduction="none").sum((1, 2, 3))
        kl = -0.5 * (1 + v - m**2 - v.exp()).sum(1)
        optimizer.zero_grad()
        (nll + kl).mean().backward()
        optimizer.step()

    counts = []  # of each layer, by a hook, in one image's forward pass

    def count(layer, inputs, output):
        places = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        counts.append(2 * layer.weight.numel() * math.prod(places.shape[2:]))

    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    layers = [layer for layer in every.modules() if isinstance(layer, kinds)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    step(images[:BATCH])
    for hook in hooks:
        hook.remove()
    about = {"parameters": sum(p.numel() for p in every.parameters())}
    print(json.dumps(about | {"operations": 3 * sum(counts) - counts[0]}), flush=True)
    at = 0
    for line in sys.stdin:
        seen, start = 0, time.perf_counter()
        while time.perf_counter() - start < float(line):
            step(images[at : at + BATCH])
            at, seen = (at + BATCH) % len(images), seen + BATCH
        print(seen / (time.perf_counter() - start), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
