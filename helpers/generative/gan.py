"""What a generative adversarial network needs beside Keras: players, batches and a training loop.

Two networks with opposite aims take turns, so `fit` with its one loss does not serve. A step by
hand does: `backend.value_and_grad` for each network, and `backend.compile_step` so that the whole
step runs as one function on every backend. `jensen_shannon_divergence` is what the original game
measures; the losses stand in notebook 15.
"""

import time

import keras
import numpy as np
from keras import ops

from helpers.backend import compile_step
from helpers.data import to_float
from helpers.training import cosine_decay


def jensen_shannon_divergence(p, q, width):
    """The Jensen–Shannon divergence of two densities on one grid, in nats.

    `scipy.spatial.distance.jensenshannon` returns its square root, and scales what it is given to
    the sum 1; here what is no density is refused.

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

    `tf.data` does it as well, but needs TensorFlow beside every other backend.

    Args:
        images: uint8 or floats in [0, 1], `(N, …)`, at least `batch_size` of them.
        batch_size: pictures in a step; what is left over at the end of a pass joins the next.
        steps: how many batches.
        seed: of the orders.

    Yields:
        float32 tensors `(batch_size, …)`, values in [0, 1].

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


def player(*networks, beta_1=0.5):
    """One player of the game: the trainable variables of its networks, and an optimizer for them.

    Args:
        *networks: built Keras models.
        beta_1: of Adam. Half of the usual, because the gradients of a game turn.

    Returns:
        (list of variables, a built `keras.optimizers.Adam`).
    """
    variables = [v for network in networks for v in network.trainable_variables]
    adam = keras.optimizers.Adam(beta_1=beta_1)
    adam.build(variables)
    return variables, adam


class AdversarialTrainer:
    """Trains by a hand-written step, again and again from other first weights.

    The step is compiled once. Learning rates fall to 0 along a cosine.

    Args:
        step: takes a batch of pictures, float32 `(batch_size, …)`, changes variables, and returns
            a tensor `(P,)`, one loss a player.
        players: P results of `player(…)`.
        learning_rates: the highest learning rate of each player.
        networks: all networks that the step reads or changes.
        seed_generator: the `keras.random.SeedGenerator` of its noise.

    Raises:
        ValueError: If there is not one learning rate a player.
    """

    def __init__(self, step, players, learning_rates, networks, seed_generator):
        self.players, self.learning_rates = list(players), list(learning_rates)
        if len(self.players) != len(self.learning_rates):
            raise ValueError(
                f"one learning rate a player: {len(self.players)}. "
                f"Received: learning_rates={learning_rates!r}"
            )
        self.seed_generator = seed_generator
        self.optimizer_variables = [v for _, adam in self.players for v in adam.variables]
        variables = [v for network in networks for v in network.variables]
        self.step = compile_step(
            step, [*variables, *self.optimizer_variables, seed_generator.state]
        )

    def fit(self, images, batch_size, steps, seed):
        """Trains from the weights that the networks have.

        Args:
            images: uint8 or floats in [0, 1], `(N, …)`, at least `batch_size` of them.
            batch_size: pictures in a step.
            steps: how many.
            seed: of the order of the pictures and of the noise.

        Returns:
            (losses `(steps, P)`, seconds of wall time).
        """
        for variable in self.optimizer_variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))
        self.seed_generator.state.assign(np.array([seed, 0], "uint32"))
        trace, begin = [], time.perf_counter()
        for i, batch in enumerate(random_batches(images, batch_size, steps, seed)):
            for (_, adam), learning_rate in zip(self.players, self.learning_rates):
                adam.learning_rate = learning_rate * cosine_decay(i / steps)
            trace.append(self.step(batch))
        return np.array([ops.convert_to_numpy(t) for t in trace]), time.perf_counter() - begin
