"""What lets `.keras` files of the first edition load: the names that classes and settings had there.

A file names its classes by what they were registered as, so a class that has a new name since is
looked up here. Nothing else uses this module, and what is saved today has today's names.
"""

import importlib

import keras
from keras import layers, ops

from helpers import losses
from helpers.layers import PACKAGE

# The name in a file, and the class of today: where it is, and its name there.
CLASSES = {
    "SteadyDropout": ("helpers.uncertainty.baselines", "MCDropout"),
    "PixelwiseVAE": ("helpers.uncertainty.ood", "HeteroscedasticVAE"),
    "Rate": ("helpers.models.first_edition", "KLPenalty"),
    # These have kept their names, but not their modules, which a file names too.
    "PixelCrossEntropy": ("helpers.segmentation.losses", "PixelCrossEntropy"),
    "SoftDice": ("helpers.segmentation.losses", "SoftDice"),
    "EdgeCrossEntropy": ("helpers.segmentation.losses", "EdgeCrossEntropy"),
    "VectorQuantizer": ("helpers.generative.vq", "VectorQuantizer"),
    "MaskedConv2D": ("helpers.generative.pixelcnn", "MaskedConv2D"),
}
SETTINGS = {"void": "ignore_class"}


def current_config(config):
    """The settings of a layer, loss or model by the names that they have today."""
    return {SETTINGS.get(name, name): value for name, value in config.items()}


def register():
    """Lets Keras find the classes by their former names; importing `helpers.models` calls it."""
    known = keras.saving.get_custom_objects()
    for name, place in CLASSES.items():
        known.setdefault(f"{PACKAGE}>{name}", Former(*place))


class Former:
    """In the place of a class: builds one of today's from a file, and imports it when asked to."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def from_config(self, config):
        kind = getattr(importlib.import_module(self.module), self.name)
        return kind.from_config(current_config(config))


@keras.saving.register_keras_serializable(package=PACKAGE)
class PatchDown(layers.Layer):
    """A convolution with stride = kernel, for files alone; today `Conv2D(filters, patch, patch)`.

    Args:
        filters: output channels.
        patch: side of a patch in pixels.
        activation: name or function, applied after the convolution.

    Call arguments:
        x: `(B, H, W, C)`.

    Returns:
        `(B, H / patch, W / patch, filters)`.
    """

    def __init__(self, filters, patch=2, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.own = {"filters": filters, "patch": patch, "activation": activation}
        self.conv = layers.Conv2D(
            filters, patch, patch, activation=activation, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.built = True

    def call(self, x):
        return self.conv(x)

    def compute_output_shape(self, input_shape):
        return self.conv.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), **self.own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class KLPenalty(layers.Layer):
    """Passes a mean on, and adds the KL to the loss of the model, for files alone.

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
