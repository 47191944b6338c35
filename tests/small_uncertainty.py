"""A small conditional VAE, one with a σ a pixel, and pictures with two readings."""

import keras
import numpy as np
from keras import ops

from helpers import losses, networks
from helpers.uncertainty import ood
from helpers.uncertainty import probabilistic_unet as parts

SIZE, LATENT = 16, 2


class ConditionalVAE(keras.Model):
    """As notebook 12 builds it; a batch is a picture with what one annotator marked."""

    def __init__(self, seed=0):
        super().__init__()
        image, both = keras.Input((SIZE, SIZE, 3)), keras.Input((SIZE, SIZE, 4))
        features, coarsest = parts.unet(image)
        self.look = keras.Model(image, [features, *parts.gaussian(coarsest, LATENT)])
        self.posterior = keras.Model(both, parts.gaussian(parts.encode(both)[-1], LATENT))
        inputs = keras.Input(features.shape[1:]), keras.Input((LATENT,))
        self.decode = keras.Model(inputs, parts.head(*inputs))
        self.noise = keras.random.SeedGenerator(seed)

    def call(self, x):
        return self.look(x)

    def sample(self, mean, log_variance):
        noise = keras.random.normal(ops.shape(mean), seed=self.noise)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        features, *prior = y_pred
        mean, log_variance = self.posterior(ops.concatenate([x, y], axis=-1))
        logits = self.decode([features, self.sample(mean, log_variance)])
        kl = losses.gaussian_kl(mean, log_variance, *prior)
        return ops.mean(losses.bernoulli_nll(y, logits) + kl)

    def draw(self, picture, count):
        features, mean, log_variance = self.look(picture[None])
        z = self.sample(ops.repeat(mean, count, axis=0), log_variance)
        logits = self.decode([ops.repeat(features, count, axis=0), z])
        return ops.convert_to_numpy(ops.sigmoid(logits))[..., 0]


def heteroscedastic_vae(image_shape, latent=32, width=24, seed=None):
    """An `ood.HeteroscedasticVAE` on the networks of `networks.conv_networks`."""
    height, side, channels = networks.known_shape(image_shape)
    encoder, _ = networks.conv_networks(image_shape, latent, width, centre=True)
    _, decoder = networks.conv_networks((height, side, 2 * channels), latent, width, centre=False)
    start = np.repeat([0.4, -2.0], channels).astype("float32")
    z = keras.Input(decoder.inputs[0].shape[1:])
    scale = keras.layers.Rescaling(0.25)
    shift = keras.layers.Rescaling(1.0, offset=start)
    return ood.HeteroscedasticVAE(encoder, keras.Model(z, shift(scale(decoder(z)))), seed=seed)


def coin(n, seed=0):
    """Red on the left, blue on the right; half of the people mark the red, half the blue."""
    rng = np.random.default_rng(seed)
    images = rng.random((n, SIZE, SIZE, 3), "float32") * 0.1 + 0.3
    images[:, :, : SIZE // 2, 0] += 0.4
    images[:, :, SIZE // 2 :, 2] += 0.4
    people = np.zeros((2, SIZE, SIZE), "uint8")
    people[0, :, : SIZE // 2], people[1, :, SIZE // 2 :] = 1, 1
    return images, np.stack([people] * n)


def fit(model, loss=None, steps=150):
    """Train a model on `coin`."""
    from helpers.backend import compile_options
    from helpers.data.annotated import Annotated
    from helpers.training import rise_and_fall

    images, people = coin(24)
    adam = keras.optimizers.Adam(rise_and_fall(0.01, steps), beta_2=0.99)
    model.compile(adam, loss, **compile_options(planned=steps))
    model.fit(Annotated(images, people, 8, steps, seed=0), shuffle=False, verbose=0)
    return model
