"""What a generative adversarial network needs beside Keras: a discriminator, steps and a trainer.

Two networks with opposite aims take turns, so `fit` with its one loss does not serve. A step by
hand does: `backend.value_and_grad` for each network, and `backend.compile_step` so that the whole
step runs as one function on every backend. `gan_step` is the one that notebook 15 writes out;
`vae_gan_step` has an encoder beside it. `jensen_shannon_divergence` is what the original game
measures.
"""

import time

import keras
import numpy as np
from keras import layers, ops

from helpers import losses
from helpers.backend import compile_step, value_and_grad
from helpers.layers import residual_conv

NUDGE = 0.01  # standard deviation of the noise that measures a discriminator's slope


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


def build_discriminator(image_shape, width=32):
    """A discriminator: two strided convolutions with a residual one after each.

    Args:
        image_shape: `(H, W, C)`, height and width multiples of 8, pixels in [0, 1].
        width: channels of the first convolution; the second has twice as many.

    Returns:
        keras.Model, `(B, H, W, C)` → logits `(B, 1)` of "real", and the features
        `(B, H/4, W/4, width)` that a VAE-GAN compares pictures in.
    """
    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-1.6)(image)
    h = layers.Conv2D(width, 6, 4, padding="same", activation="silu")(h)
    features = h = residual_conv(h, width)
    h = layers.Conv2D(2 * width, 4, 2, padding="same", activation="silu")(h)
    h = residual_conv(h, 2 * width)
    logits = layers.Dense(1)(layers.Flatten()(h))
    return keras.Model(image, [logits, features], name="discriminator")


def discriminator_loss(real, fake, nudged, r1_weight):
    """−V(D, G) of the original game plus half the R1 penalty, in nats.

    R1 is the mean square of the slope of the logit at real pictures. Its estimate needs no second
    derivative: a nudge of real pictures by noise of the deviation s changes the logit by s times
    the slope along that noise, and the mean square of this over all directions is the whole.

    Args:
        real, fake: logits `(B, 1)` of real and of generated pictures.
        nudged: logits of the real pictures plus noise of the deviation `NUDGE`.
        r1_weight: γ, of the penalty.

    References:
        Goodfellow et al. (2014). https://arxiv.org/abs/1406.2661
        Mescheder et al. (2018), R1. https://arxiv.org/abs/1801.04406
        Lin et al. (2025), the estimate. https://arxiv.org/abs/2501.08316
    """
    game = ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
    slope = (nudged - real) / NUDGE
    return game + 0.5 * r1_weight * ops.mean(ops.square(slope))


def player(*networks, ema_momentum=None, beta_1=0.0, beta_2=0.99):
    """One player of the game: the trainable variables of its networks, and an optimizer for them.

    Args:
        *networks: built Keras models.
        ema_momentum: the share of the past in a moving average of the weights; None keeps none.
            `AdversarialTrainer.use_averages` puts the average into the networks.
        beta_1, beta_2: of Adam. No momentum by default, because the gradients of a game turn.

    Returns:
        (list of variables, a built `keras.optimizers.Adam`).
    """
    variables = [v for network in networks for v in network.trainable_variables]
    average = {} if ema_momentum is None else {"use_ema": True, "ema_momentum": ema_momentum}
    adam = keras.optimizers.Adam(beta_1=beta_1, beta_2=beta_2, **average)
    adam.build(variables)
    return variables, adam


def descend(loss, player, networks):
    """One step of a player down the slope of its loss; returns the loss as it was.

    Args:
        loss: function of nothing, a scalar tensor.
        player: of `player(…)`.
        networks: all networks that the loss reads; JAX wants to be told.
    """
    variables, adam = player
    trained = {id(v) for v in variables}
    rest = [v for network in networks for v in network.variables if id(v) not in trained]
    value, gradients = value_and_grad(loss, variables, rest)
    adam.apply(gradients, variables)
    return value


def noisy(pictures, noise, seed_generator):
    """Pictures plus Gaussian noise, which a discriminator sees on real and on generated ones alike.

    Without it the two lie on thin sheets that hardly meet, and what is too fine to matter decides.

    Args:
        pictures: tensor of a known shape.
        noise: its standard deviation.
        seed_generator: a `keras.random.SeedGenerator`.

    References:
        Sønderby et al. (2017). https://arxiv.org/abs/1610.04490
        Arjovsky and Bottou (2017). https://arxiv.org/abs/1701.04862
    """
    return pictures + noise * keras.random.normal(pictures.shape, seed=seed_generator)


def gan_step(generator, discriminator, players, seed_generator, batch_size, r1_weight, noise):
    """The step of a GAN: first the discriminator, then the generator by the non-saturating loss.

    Args:
        generator: keras.Model, z `(B, K)` → pictures.
        discriminator: of `build_discriminator`.
        players: the discriminator's and the generator's, of `player`.
        seed_generator: a `keras.random.SeedGenerator`, of z and of all noise.
        batch_size: B.
        r1_weight: see `discriminator_loss`.
        noise: standard deviation of what `noisy` adds.

    Returns:
        A function of real pictures `(B, H, W, C)` that trains and returns both losses, `(2,)`.
    """
    networks = [generator, discriminator]
    latent = generator.input_shape[-1]

    def step(real):
        z = keras.random.normal((batch_size, latent), seed=seed_generator)
        real = noisy(real, noise, seed_generator)
        fake = noisy(generator(z), noise, seed_generator)
        pictures = ops.concatenate([real, fake, noisy(real, NUDGE, seed_generator)])
        grain = noisy(ops.zeros_like(real), noise, seed_generator)

        def loss_of_discriminator():
            logits, _ = discriminator(pictures)
            return discriminator_loss(*ops.split(logits, 3), r1_weight)

        def loss_of_generator():
            return ops.mean(ops.softplus(-discriminator(generator(z) + grain)[0]))

        d = descend(loss_of_discriminator, players[0], networks)
        return ops.stack([d, descend(loss_of_generator, players[1], networks)])

    return step


def vae_gan_step(
    vae, discriminator, players, seed_generator, batch_size, r1_weight, noise, weights
):
    """The step of a VAE-GAN: the discriminator, then encoder and decoder together.

    Their loss is KL + ½·w·‖f(x) − f(x̂)‖² − g·log D(G(z)), with the discriminator's features f,
    the reconstruction x̂, and z from N(0, I), so the encoder is not rewarded for the last term.

    Args:
        vae: keras models (encoder, decoder); the encoder gives mean and log σ², `(B, K)`.
        discriminator, seed_generator, batch_size, r1_weight, noise: see `gan_step`.
        players: the discriminator's, and that of encoder and decoder.
        weights: (w, g).

    Returns:
        As of `gan_step`.

    References:
        Larsen et al. (2016), where the last term sees reconstructions, too.
        https://arxiv.org/abs/1512.09300
    """
    encoder, decoder = vae
    networks = [encoder, decoder, discriminator]
    latent = decoder.input_shape[-1]

    def step(real):
        shape = (batch_size, latent)
        z, epsilon = (keras.random.normal(shape, seed=seed_generator) for _ in range(2))
        seen = noisy(real, noise, seed_generator)
        fake = noisy(decoder(z), noise, seed_generator)
        pictures = ops.concatenate([seen, fake, noisy(seen, NUDGE, seed_generator)])
        grain = noisy(ops.zeros_like(real), noise, seed_generator)

        def loss_of_discriminator():
            logits, _ = discriminator(pictures)
            return discriminator_loss(*ops.split(logits, 3), r1_weight)

        def loss_of_vae():
            mean, log_variance = encoder(real)
            restored = decoder(mean + ops.exp(0.5 * log_variance) * epsilon)
            all_three = ops.concatenate([real, restored, decoder(z) + grain])
            logits, features = discriminator(all_three)
            known, found, _ = ops.split(features, 3)
            error = 0.5 * ops.sum(ops.square(known - found), axis=(1, 2, 3))  # (B,)
            kl = losses.gaussian_kl(mean, log_variance)
            game = ops.mean(ops.softplus(-ops.split(logits, 3)[2]))
            return ops.mean(weights[0] * error + kl) + weights[1] * game

        d = descend(loss_of_discriminator, players[0], networks)
        return ops.stack([d, descend(loss_of_vae, players[1], networks)])

    return step


class AdversarialTrainer:
    """Trains by a hand-written step, which it compiles, at constant learning rates.

    What a falling rate does at the end of a training, the moving average of the weights does at
    any time (`use_averages`), so that one training can be scored after half of its steps, too.

    Args:
        step: takes a batch of pictures, float32 `(B, H, W, C)`, changes variables, and returns
            a tensor `(P,)`, one loss a player.
        players: P results of `player(…)`.
        learning_rates: one for each player.
        networks: all networks that the step reads or changes.
        seed_generator: the `keras.random.SeedGenerator` of its noise.

    Raises:
        ValueError: If there is not one learning rate a player.
    """

    def __init__(self, step, players, learning_rates, networks, seed_generator):
        self.players = list(players)
        if len(self.players) != len(learning_rates):
            raise ValueError(
                f"one learning rate a player: {len(self.players)}. "
                f"Received: learning_rates={learning_rates!r}"
            )
        for (_, adam), learning_rate in zip(self.players, learning_rates):
            adam.learning_rate = learning_rate
        optimizers = [v for _, adam in self.players for v in adam.variables]
        weights = [v for network in networks for v in network.variables]
        self.variables = [*weights, *optimizers, seed_generator.state]  # the whole state
        self.step = compile_step(step, self.variables)

    def fit(self, batches, steps, first=0):
        """Trains from the weights that the networks have.

        Args:
            batches: its item `i` is a tuple with the pictures of step i, float32 `(B, H, W, C)`,
                such as a `stream.FreshShapes`.
            steps: how many.
            first: the step to go on from, in a training that is done in parts.

        Returns:
            (losses `(steps, P)`, seconds of wall time).
        """
        trace, begin = [], time.perf_counter()
        for i in range(first, first + steps):
            trace.append(self.step(ops.convert_to_tensor(batches[i][0])))
        return np.array([ops.convert_to_numpy(t) for t in trace]), time.perf_counter() - begin

    def use_averages(self):
        """Puts the moving averages into the networks of the players that keep one."""
        for variables, adam in self.players:
            if adam.use_ema:
                adam.finalize_variable_values(variables)
