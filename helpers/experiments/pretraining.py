"""One network from several first weights, so that a claim about pretraining has its controls.

Each training has the same head, labelled images and steps; only where the first weights come from
differs, or whether the encoder may move. `network`, `with_code` and `joint` make what
`PretrainingComparison` trains of any network that has features in its middle.
"""

import gc
import math

import keras
import numpy as np
from keras import layers, ops

from helpers import losses, models, pyramids, training
from helpers.layers import PACKAGE, GaussianSampling, bn_relu
from helpers.networks import NEARLY_CERTAIN


def with_code(image, features, latent=8, factor=8):
    """An encoder for a VAE on the features of a body: mean and log σ² on a coarse grid.

    Args:
        image: symbolic, `(B, H, W, C)`.
        features: symbolic, what the body computes from it, `(B, h, w, c)`.
        latent: channels of the code.
        factor: how many times coarser than the image the code's grid is.

    Returns:
        keras.Model, `(B, H, W, C)` → mean and **log σ²**, `(B, H / factor, W / factor, latent)`.

    Raises:
        ValueError: If the features do not lie on that grid or a finer one that divides it.
    """
    sides = [(f * factor, i) for f, i in zip(features.shape[1:3], image.shape[1:3])]
    if any(f % i or f < i for f, i in sides):
        raise ValueError(
            f"the features must be {factor} times coarser than the image, or less. "
            f"Received: {tuple(features.shape)} for {tuple(image.shape)}"
        )
    ratio = sides[0][0] // sides[0][1]
    h = features if ratio == 1 else bn_relu(layers.Conv2D(24, ratio, ratio)(features))
    mean = layers.Conv2D(latent, 1, name="mean")(h)
    log_variance = layers.Conv2D(latent, 1, name="log_variance", **NEARLY_CERTAIN)(h)
    return keras.Model(image, [mean, log_variance], name="encoder")


def network(build, image_shape, latent, seed, plan=((16, 24, 32), (1, 1, 1), (2, 2, 2))):
    """A segmenter whose body is also the encoder of a VAE, with fresh weights.

    Args:
        build: function of a symbolic image → (features, logits), both symbolic.
        image_shape: `(H, W, C)`; H and W multiples of the product of the patches.
        latent: channels of the code.
        seed: of the first weights.
        plan: widths, depths and patches of the decoder, as for `pyramids.pyramid_networks`. The
            product of the patches is by how much the code's grid is coarser than the image.

    Returns:
        (encoder, decoder, head): image → mean and log σ²; code → image; image → logits.
    """
    keras.utils.set_random_seed(seed)
    image = keras.Input(image_shape)
    features, logits = build(image)
    encoder = with_code(image, features, latent, math.prod(plan[2]))
    _, decoder = pyramids.pyramid_networks(image_shape, latent, *plan)
    return encoder, decoder, keras.Model(image, logits, name="head")


@keras.saving.register_keras_serializable(package=PACKAGE)
class KLPenalty(layers.Layer):
    """Passes a mean on, and adds the KL to the loss of the model: mean over the batch, weighted.

    Keras takes what `add_loss` is given as it is, so the mean is taken here.

    Args:
        weight: of the KL in nats per image.

    Call arguments:
        mean, log_variance: `(B, …)`; the second is **log σ²**.
    """

    def __init__(self, weight, **kwargs):
        super().__init__(**kwargs)
        self.weight = float(weight)

    def call(self, mean, log_variance):
        self.add_loss(self.weight * ops.mean(losses.gaussian_kl(mean, log_variance)))
        return mean

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


def joint(encoder, decoder, head, loss, weight, sigma, seed=None):
    """A model of labels and picture, which keeps the VAE's loss beside that of the head.

    The loss is the head's plus weight / (H·W) · (−log p(x|z) + KL): nats per pixel beside nats
    per pixel. The model shares the layers of all three.

    Args:
        encoder: `(B, H, W, C)` → mean and log σ², as `with_code` gives.
        decoder: latent → means of pixels, `(B, H, W, C)`.
        head: `(B, H, W, C)` → logits.
        loss: of the head.
        weight: of the VAE's nats per pixel.
        sigma: of the VAE's Gaussian pixels.
        seed: of the sampling noise.

    Returns:
        (model, losses): outputs and losses by the names "labels" and "picture", for
            `PretrainingComparison`.
    """
    share = weight / math.prod(encoder.input.shape[1:3])
    mean, log_variance = encoder.outputs
    z = GaussianSampling(seed)(KLPenalty(share)(mean, log_variance), log_variance)
    model = keras.Model(encoder.input, {"labels": head.output, "picture": decoder(z)})

    def distortion(x, drawn):
        return share * losses.gaussian_nll(x, drawn, math.log(sigma))

    return model, {"labels": loss, "picture": distortion}


INITIALISATIONS = ("random", "random, frozen", "autoencoder", "denoising", "VAE", "VAE + term")


class PretrainingComparison:
    """Trains one network from the first weights in `INITIALISATIONS`, and nothing else differs.

    - random: fresh weights; "random, frozen": only the head learns.
    - autoencoder, denoising: encoder and decoder pretrained on the squared error, with and
      without noise on the input.
    - VAE: pretrained with the ELBO; "VAE + term": and the VAE's loss stays on.
    - "autoencoder, frozen" and so on: as "random, frozen", from those weights.

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
        pretraining: options of `training.train` for the pretraining that differ, such as `steps`.
        noise: standard deviation on the denoising autoencoder's input.
        **options: `steps`, `batch_size` and `learning_rate` of `training.train`.

    Attributes:
        full, frozen, both: (encoder, decoder, head), whose weights are set for every training:
            free to move, with an encoder that stays, and those of the joint model.
        initial_weights: from (kind, seed) to the weights that `pretrained` gives, of the last seed.
    """

    def __init__(self, network, joint, loss, images, sigma, pretraining=None, noise=0.1, **options):
        self.network, self.images, self.noise, self.loss = network, images, noise, loss
        self.pretraining, self.options = pretraining or {}, options
        self.full, self.frozen, self.both = (network(0) for _ in range(3))
        self.frozen[0].trainable = False
        self.joint, self.joint_loss = joint(*self.both)
        encoder, decoder, _ = self.full
        self.autoencoder = keras.Model(encoder.input, decoder(encoder.outputs[0]))
        self.vae = models.VAE(encoder, decoder, likelihood="gaussian", sigma=sigma)
        self.initial_weights = {}

    def train(self, initialisation, images, targets, seed):
        """The head after its training: a model that belongs to the next call, too.

        Args:
            initialisation: one of `INITIALISATIONS`, or the first word of one with ", frozen"
                behind it.
            images, targets: the labelled ones.
            seed: of first weights, pretraining and order.

        Raises:
            ValueError: If there is no such initialisation.
        """
        kind, frozen, _ = initialisation.partition(", frozen")
        if initialisation not in INITIALISATIONS and (
            initialisation != f"{kind}, frozen" or kind not in INITIALISATIONS or "+" in kind
        ):
            raise ValueError(
                f"`initialisation` must be one of {INITIALISATIONS}. "
                f"Received: initialisation={initialisation!r}"
            )
        weights = self.pretrained(kind.split(" + ")[0], seed)
        joint = initialisation == "VAE + term"
        networks = self.frozen if frozen else self.both if joint else self.full
        # The encoder after the head, which holds the encoder's levels too.
        for part, values in zip(reversed(networks), reversed(weights)):
            part.set_weights(values)
        if joint:
            both = {"labels": targets, "picture": images}
            self._train(self.joint, images, both, self.joint_loss, seed)
        else:
            self._train(networks[2], images, targets, self.loss, seed)
        return networks[2]

    def pretrained(self, kind, seed):
        """Weights of encoder, decoder and head before they meet a label.

        Args:
            kind: "random", "autoencoder", "denoising" or "VAE".
            seed: of first weights and pretraining.
        """
        if (kind, seed) in self.initial_weights:
            return self.initial_weights[kind, seed]
        weights = self.initial_weights.get(("random", seed))
        if weights is None:
            weights = [part.get_weights() for part in self.network(seed)]
            gc.collect()
        if kind != "random":
            encoder, decoder, _ = self.full
            encoder.set_weights(weights[0])
            decoder.set_weights(weights[1])
            if kind == "VAE":
                self._train(self.vae, self.images, None, None, seed, **self.pretraining)
            else:
                shown = self._noisy(seed) if kind == "denoising" else self.images
                self._train(self.autoencoder, shown, self.images, "mse", seed, **self.pretraining)
            weights = [encoder.get_weights(), decoder.get_weights(), weights[2]]
        # Those of another seed are not asked for again.
        kept = {key: old for key, old in self.initial_weights.items() if key[1] == seed}
        self.initial_weights = {**kept, (kind, seed): weights}
        return weights

    def _noisy(self, seed):
        noise = np.random.default_rng(seed).standard_normal(self.images.shape, "float32")
        return np.clip(self.images + np.float32(self.noise) * noise, 0, 1)

    def _train(self, model, x, y, loss, seed, **options):
        training.train(model, x, y, loss, **{**self.options, **options, "seed": seed})
