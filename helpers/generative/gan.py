"""What a generative adversarial network needs beside Keras: players, batches and a training loop.

Two networks with opposite aims take turns, so `fit` with its one loss does not serve. A step by
hand does: `backend.value_and_grad` for each network, and `backend.compile_step` so that the whole
step runs as one function on every backend.
"""

import time

import keras
import numpy as np
from keras import ops

from helpers.backend import compile_step
from helpers.data import to_float
from helpers.training import cosine_decay


def discriminator_loss(real, fake):
    """−E[log D(x)] − E[log(1 − D(G(z)))] from logits, in nats: what a discriminator minimises.

    Args:
        real: logits of real pictures, `(B,)` or `(B, 1)`; D = sigmoid(logit).
        fake: logits of generated ones. The two need not be equally many.

    Returns:
        A scalar. 2 log 2 = 1.386 for a discriminator that cannot tell them apart.

    References:
        Goodfellow et al. (2014). https://arxiv.org/abs/1406.2661
    """
    return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))


def jensen_shannon_divergence(p, q, width):
    """The Jensen–Shannon divergence of two densities on one grid, in nats.

    Args:
        p, q: values of the densities, `(N,)`.
        width: distance of two neighbours on the grid.

    Returns:
        float between 0 (equal) and log 2 (no overlap).

    Raises:
        ValueError: If the shapes differ, or a density is negative or does not sum to 1 (within
            one thousandth).
    """
    p, q = (np.asarray(a, dtype="float64") for a in (p, q))
    if p.shape != q.shape:
        raise ValueError(f"`p` and `q` must lie on one grid. Received: {p.shape} and {q.shape}")
    for name, a in (("p", p), ("q", q)):
        if a.min() < 0 or abs(a.sum() * width - 1) > 1e-3:
            raise ValueError(
                f"`{name}` must be a density: not negative, with the sum 1 over the grid. "
                f"Received: least {a.min():g}, sum {a.sum() * width:g}"
            )
    middle = (p + q) / 2

    def kl(a):
        inside = (a > 0) & (middle > 0)  # half of the least number is 0
        return float(np.sum(a[inside] * np.log(a[inside] / middle[inside])) * width)

    return (kl(p) + kl(q)) / 2


def random_batches(images, batch_size, steps, seed):
    """Batches of a fixed size for so many steps, pass by pass in a new order.

    Args:
        images: uint8 or floats in [0, 1], `(N, …)`, at least `batch_size` of them.
        batch_size: pictures in a step; what is left over at the end of a pass joins the next.
        steps: how many batches.
        seed: of the orders.

    Yields:
        float32 tensors `(batch, …)`.

    Raises:
        ValueError: If there are fewer pictures than a batch takes.
    """
    if len(images) < batch_size:
        raise ValueError(f"a batch of {batch_size} needs as many pictures. Received: {len(images)}")
    rng, waiting = np.random.default_rng(seed), np.empty(0, int)
    for _ in range(steps):
        if len(waiting) < batch_size:
            waiting = np.concatenate([waiting, rng.permutation(len(images))])
        rows, waiting = waiting[:batch_size], waiting[batch_size:]
        yield ops.convert_to_tensor(to_float(images[rows]))


def player(*networks, momentum=0.5):
    """One side of a game: the trainable variables of its networks, and an optimizer of its own.

    Args:
        *networks: built Keras models.
        momentum: Adam's β₁. Half of the usual, because the slopes of a game turn.
    """
    variables = [v for network in networks for v in network.trainable_variables]
    adam = keras.optimizers.Adam(beta_1=momentum)
    adam.build(variables)
    return variables, adam


class AdversarialTrainer:
    """Trains by a hand-written step, again and again from other first weights.

    The step is compiled once. Learning rates fall to 0 along a cosine.

    Args:
        step: takes a batch of pictures, changes variables, returns a tensor `(S,)`, one loss a
            side.
        sides: list of `side(…)`.
        learning_rates: the highest learning rate of each side.
        networks: all networks that the step reads or changes.
        draws: the `keras.random.SeedGenerator` of its noise.
    """

    def __init__(self, step, sides, learning_rates, networks, draws):
        if len(sides) != len(learning_rates):
            raise ValueError(
                f"one rate a side: {len(sides)}. Received: learning_rates={learning_rates!r}"
            )
        self.sides, self.rates, self.draws = list(sides), list(learning_rates), draws
        self.optimizers = [v for _, adam in sides for v in adam.variables]
        variables = [v for network in networks for v in network.variables]
        self.step = compile_step(step, [*variables, *self.optimizers, draws.state])

    def play(self, images, batch_size, steps, seed):
        """Trains from the weights that the networks have.

        Returns:
            (losses `(steps, S)`, seconds of wall time).
        """
        for variable in self.optimizers:
            variable.assign(ops.zeros(variable.shape, variable.dtype))
        self.draws.state.assign(np.array([seed, 0], "uint32"))
        trace, begin = [], time.perf_counter()
        for i, real in enumerate(random_batches(images, batch_size, steps, seed)):
            for (_, adam), rate in zip(self.sides, self.rates):
                adam.learning_rate = rate * cosine_decay(i / steps)
            trace.append(self.step(real))
        return np.array([ops.convert_to_numpy(t) for t in trace]), time.perf_counter() - begin
