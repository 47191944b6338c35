"""Twins: one network from several starts, so that a claim about one start has its controls.

Each arm trains the same head on the same labelled images for the same steps; only where the
weights come from differs, or whether the encoder may move.
"""

import gc

import keras
import numpy as np

from helpers import models
from helpers.training import fit_steps, pace

ARMS = ("random", "random, frozen", "autoencoder", "denoising", "VAE", "VAE + term")


class Twins:
    """Trains a head from the starts in `ARMS`.

    - random: fresh weights; "random, frozen": only the head learns.
    - autoencoder, denoising: encoder and decoder pretrained on the squared error, with and
      without noise on the input.
    - VAE: pretrained with the ELBO; "VAE + term": and the VAE's loss stays on.
    - "autoencoder, frozen" and so on: as "random, frozen", from that start.

    Pretraining sees all of `images`, and no labels. Compiled models are kept and get new weights
    for every training, because to compile one takes as long as a short training.

    Args:
        network: function of a seed → (encoder, decoder, head) with fresh weights; the head reads
            features of the encoder and shares its layers.
        joint: function of (encoder, decoder, head) → a model with the outputs "labels" and
            "picture" that shares their layers, and a dictionary of their losses.
        loss: of the head.
        images: float32 `(N, H, W, C)` in [0, 1].
        sigma: of the VAE's Gaussian pixels.
        pretraining: options of `learn` for the pretraining that differ, such as `steps`.
        noise: standard deviation on the denoising autoencoder's input.
        **options: `steps`, `batch` and `rate` of `learn`.
    """

    def __init__(self, network, joint, loss, images, sigma, pretraining=None, noise=0.1, **options):
        self.network, self.images, self.noise, self.loss = network, images, noise, loss
        self.pretraining, self.options = pretraining or {}, options
        self.full, self.frozen, self.both = (network(0) for _ in range(3))
        self.frozen[0].trainable = False
        self.joint, self.joint_loss = joint(*self.both)
        encoder, decoder, _ = self.full
        self.auto = keras.Model(encoder.input, decoder(encoder.outputs[0]))
        self.vae = models.VAE(encoder, decoder, likelihood="gaussian", sigma=sigma)
        self.starts = {}

    def train(self, arm, images, targets, seed):
        """The head of an arm after its training: a model that belongs to the next call, too.

        Args:
            arm: one of `ARMS`, or a start with ", frozen" behind it.
            images, targets: the labelled ones.
            seed: of first weights, pretraining and order.

        Raises:
            ValueError: If there is no such arm.
        """
        kind, frozen, _ = arm.partition(", frozen")
        if arm not in ARMS and (arm != f"{kind}, frozen" or kind not in ARMS or "+" in kind):
            raise ValueError(f"`arm` must be one of {ARMS}. Received: arm={arm!r}")
        start = self.pretrained(kind.split(" + ")[0], seed)
        nets = self.frozen if frozen else self.both if arm == "VAE + term" else self.full
        # The encoder after the head, which holds the encoder's levels too.
        for net, weights in zip(reversed(nets), reversed(start)):
            net.set_weights(weights)
        if arm == "VAE + term":
            both = {"labels": targets, "picture": images}
            self._learn(self.joint, images, both, self.joint_loss, seed)
        else:
            self._learn(nets[2], images, targets, self.loss, seed)
        return nets[2]

    def pretrained(self, kind, seed):
        """Weights of encoder, decoder and head before they meet a label."""
        if (kind, seed) in self.starts:
            return self.starts[kind, seed]
        fresh = self.starts.get(("random", seed))
        if fresh is None:
            fresh = [net.get_weights() for net in self.network(seed)]
            gc.collect()
        if kind != "random":
            encoder, decoder, _ = self.full
            encoder.set_weights(fresh[0])
            decoder.set_weights(fresh[1])
            if kind == "VAE":
                self._learn(self.vae, self.images, None, None, seed, **self.pretraining)
            else:
                shown = self._noisy(seed) if kind == "denoising" else self.images
                self._learn(self.auto, shown, self.images, "mse", seed, **self.pretraining)
            fresh = [encoder.get_weights(), decoder.get_weights(), fresh[2]]
        # Those of another seed are not asked for again.
        self.starts = {k: v for k, v in self.starts.items() if k[1] == seed}
        self.starts[kind, seed] = fresh
        return fresh

    def _noisy(self, seed):
        noise = np.random.default_rng(seed).standard_normal(self.images.shape, "float32")
        return np.clip(self.images + np.float32(self.noise) * noise, 0, 1)

    def _learn(self, model, x, y, loss, seed, **options):
        learn(model, x, y, loss, **{**self.options, **options, "seed": seed})


def learn(model, x, y=None, loss=None, *, steps, batch, rate, seed):
    """Fit for a number of batches, from the weights that the model has; see `fit_steps`.

    The model's own noise starts from `seed` too, so a second call does the same.

    Few images are repeated until a pass is a sixth of all steps: every pass costs time of its own,
    and a small set of labels gets as many steps as a large one. Of images that are more than the
    steps can see, as many are drawn as they see.

    Args:
        model: compiled here if it is not yet.
        x: images `(N, H, W, C)`.
        y: targets, an array or a dictionary of arrays; None for a VAE.
        loss: of a model that is not compiled yet.
        steps, batch, rate: of `training.fit_steps`. A model whose first training is so short that
            `training.pace` does without a graph stays without one.
        seed: of the order, and of what the model draws itself.

    Returns:
        The model.
    """
    for variable in model.variables:
        if variable.name == "seed_generator_state":
            variable.assign(np.array([seed, 0], variable.dtype))
    if not model.compiled:
        gc.collect()  # compiled models that are no longer used hold much memory, in circles
        adam = keras.optimizers.Adam()
        model.compile(adam, loss, **pace(planned=steps))
    order = np.random.default_rng(seed).permutation(len(x))
    order = np.resize(order, min(max(len(x), batch * (steps // 6)), batch * steps))
    y = y if y is None else keras.tree.map_structure(lambda a: a[order], y)
    fit_steps(model, x[order], steps, batch, rate, y=y, seed=seed)
    return model
