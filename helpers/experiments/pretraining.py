"""One network from several first weights, so that a claim about pretraining has its controls.

Each arm trains the same head on the same labelled images for the same steps; only where the
weights come from differs, or whether the encoder may move.
"""

import gc
import math

import keras
import numpy as np
from keras import layers, ops

from helpers import losses, models, pyramids, training
from helpers.layers import PACKAGE, DepthToSpaceUp, GaussianSampling, bn_relu
from helpers.networks import NEARLY_CERTAIN


def cnn(image, num_classes, width=28, dilations=(1, 1, 1, 1)):
    """Convolutions at full resolution, nothing else: `(features, logits)`.

    Args:
        image: symbolic, `(B, H, W, C)`.
        num_classes: how many logits a pixel gets.
        width: channels of every convolution.
        dilations: one 3×3 convolution for each. (1, 2, 4, 8) gives the same weights a wider view.

    Returns:
        (features, logits): symbolic, `(B, H, W, width)` and `(B, H, W, classes)`.

    References:
        Fukushima (1980), the Neocognitron. https://doi.org/10.1007/BF00344251
        Yu and Koltun (2016), dilated convolutions. https://arxiv.org/abs/1511.07122
    """
    h = _centred(image)
    for dilation in dilations:
        h = block(h, width, dilation)
    return h, layers.Conv2D(num_classes, 1, dtype="float32")(h)


def fcn(image, num_classes, widths=(16, 24, 32)):
    """Shrink level by level, score where the picture is small, enlarge the scores bilinearly.

    This is the variant without skips. H and W must be multiples of 2 for each of the `widths`.

    Args:
        image: symbolic, `(B, H, W, C)`.
        num_classes: how many logits a pixel gets.
        widths: channels of each level, finest first; each level halves the resolution.

    Returns:
        (features, logits): the coarsest features, and logits at every pixel.

    References:
        Long, Shelhamer and Darrell (2015). https://arxiv.org/abs/1411.4038
    """
    h = _centred(image)
    for width in widths:
        h = block(halved(h, width), width)
    score = layers.Conv2D(num_classes, 1, dtype="float32")(h)
    return h, layers.UpSampling2D(2 ** len(widths), interpolation="bilinear", dtype="float32")(
        score
    )


def unet(image, num_classes, widths=(12, 16, 24), skips=True):
    """Down as the FCN, and up again step by step, with the features of the way down beside.

    The first level is at half the resolution; the logits unfold to the whole.

    Args:
        image: symbolic, `(B, H, W, C)`; H and W multiples of 2 for each of the `widths`.
        num_classes: how many logits a pixel gets.
        widths: channels of each level, finest first; each level halves the resolution.
        skips: False replaces what comes over from the way down by a copy of what comes from
            below, so that the network keeps its size and loses only the detail.

    Returns:
        (features, logits): the coarsest features, and logits at every pixel.

    References:
        Ronneberger, Fischer and Brox (2015). https://arxiv.org/abs/1505.04597
    """
    h, passed = _centred(image), []
    for width in widths:
        h = block(halved(h, width), width)
        passed.append(h)
    features = h
    for width, finer in zip(widths[-2::-1], passed[-2::-1]):
        h = bn_relu(DepthToSpaceUp(width, 2, None)(h))
        h = block(layers.Concatenate()([h, finer if skips else h]), width)
    return features, DepthToSpaceUp(num_classes, 2, None, dtype="float32")(h)


def dilated(image, num_classes, width=22, dilations=(1, 2), rates=(1, 2, 4)):
    """Shrink once, then widen the view by dilation, at last with several rates side by side.

    The parallel part is atrous spatial pyramid pooling: one 3×3 convolution a rate, their sum
    scored, the scores enlarged bilinearly.

    Args:
        image: symbolic, `(B, H, W, C)`; H and W even.
        num_classes: how many logits a pixel gets.
        width: channels of every convolution.
        dilations: of the 3×3 convolutions of the body, one after the other.
        rates: dilations of those side by side.

    Returns:
        (features, logits): features at half the resolution, and logits at every pixel.

    References:
        Chen et al. (2017), DeepLab. https://arxiv.org/abs/1606.00915
        Yu and Koltun (2016). https://arxiv.org/abs/1511.07122
    """
    h = halved(_centred(image), width)
    for dilation in dilations:
        h = block(h, width, dilation)
    sides = [block(h, width, rate) for rate in rates]
    score = layers.Conv2D(num_classes, 1, dtype="float32")(layers.Add()(sides))
    return h, layers.UpSampling2D(2, interpolation="bilinear", dtype="float32")(score)


BUILDERS = {"CNN": cnn, "FCN": fcn, "U-Net": unet, "DeepLab": dilated}


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
    """A segmenter whose body is also the encoder of a VAE, with fresh weights, for `Twins`.

    Args:
        build: function of a symbolic image → (features, logits), such as those above.
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
        (model, losses): outputs and losses by the names "labels" and "picture", for `Twins`.
    """
    share = weight / math.prod(encoder.input.shape[1:3])
    mean, log_variance = encoder.outputs
    z = GaussianSampling(seed)(KLPenalty(share)(mean, log_variance), log_variance)
    model = keras.Model(encoder.input, {"labels": head.output, "picture": decoder(z)})

    def distortion(x, drawn):
        return share * losses.gaussian_nll(x, drawn, math.log(sigma))

    return model, {"labels": loss, "picture": distortion}


def block(h, width, dilation=1):
    """3×3 convolution, batch normalisation, ReLU."""
    conv = layers.Conv2D(width, 3, padding="same", dilation_rate=dilation, use_bias=False)
    return bn_relu(conv(h))


def halved(h, width):
    """Half the resolution by a 2×2 patch convolution, batch normalisation, ReLU."""
    return bn_relu(layers.Conv2D(width, 2, 2)(h))


def _centred(image):
    return layers.Rescaling(4.0, offset=-2.0)(image)


INITIALISATIONS = ("random", "random, frozen", "autoencoder", "denoising", "VAE", "VAE + term")


class PretrainingComparison:
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
        if arm not in INITIALISATIONS and (
            arm != f"{kind}, frozen" or kind not in INITIALISATIONS or "+" in kind
        ):
            raise ValueError(f"`arm` must be one of {INITIALISATIONS}. Received: arm={arm!r}")
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
        noise = np.random.default_rng(seed).standardbn_relu(self.images.shape, "float32")
        return np.clip(self.images + np.float32(self.noise) * noise, 0, 1)

    def _learn(self, model, x, y, loss, seed, **options):
        training.train(model, x, y, loss, **{**self.options, **options, "seed": seed})
