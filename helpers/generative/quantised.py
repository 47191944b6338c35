"""A VQ-VAE as a Keras model with a loss in nats, and batches of its codes for a prior.

`VQVAE` has encoder, codebook and decoder; `FreshCodes` draws new pictures and gives their codes.
"""

import math

import keras
import numpy as np
from keras import ops

from helpers import losses, networks
from helpers.backend import compile_model
from helpers.generative.vq import VectorQuantizer
from helpers.layers import PACKAGE, positive_int
from helpers.models.half_precision import ScaledLoss


@keras.saving.register_keras_serializable(package=PACKAGE)
class VQVAE(ScaledLoss, keras.Model):
    """Encoder, codebook and decoder; `fit` takes pictures, the loss is in nats per image.

    The networks are those of `networks.conv_networks` with a grid at an eighth of the size. Each
    place has `per_place` codes. The loss is −log p(x|codes) of Gaussian pixels, plus what
    `VectorQuantizer` adds.

    Args:
        image_shape: `(H, W, C)`, H and W multiples of 8.
        num_codes: K, how many code vectors.
        channels: numbers in each of them.
        per_place: codes at each place.
        width: channels of the networks; see `networks.conv_networks`.
        sigma: standard deviation of a pixel.
        commitment: weight of the encoder's distance to its codes; see `VectorQuantizer`.
        restart_threshold: below it an unused code is restarted; see `VectorQuantizer`.
        seed: of first codes and restarts. The first weights follow Keras's own seed.

    Attributes:
        grid: `(h, w · per_place)`, shape of the codes of a picture.
        encoder: `(B, H, W, C)` → vectors `(B, h, w · per_place, channels)`.
        quantizer: the `VectorQuantizer`.
        decoder: such vectors → means of pixels.

    Raises:
        ValueError: If a size is no positive integer or does not fit.

    Examples:
        >>> from helpers.generative import quantised
        >>> model = quantised.VQVAE((16, 16, 3), num_codes=5, channels=2, per_place=3, width=4)
        >>> model.grid, tuple(model(np.zeros((1, 16, 16, 3))).shape)
        ((2, 6), (1, 16, 16, 3))

    References:
        van den Oord, Vinyals and Kavukcuoglu (2017). https://arxiv.org/abs/1711.00937
    """

    def __init__(
        self, image_shape, num_codes=256, channels=8, per_place=2, width=32, sigma=0.04,
        commitment=4.0, restart_threshold=0.02, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**{"dtype": "float32", **kwargs})
        self.options = {
            "num_codes": num_codes, "channels": positive_int("channels", channels),
            "per_place": positive_int("per_place", per_place), "width": width, "sigma": sigma,
            "commitment": commitment, "restart_threshold": restart_threshold, "seed": seed,
        }  # fmt: skip
        self.image_shape = networks.known_shape(image_shape)
        if not 0 < sigma < math.inf:
            raise ValueError(f"`sigma` must be a number above 0. Received: sigma={sigma!r}")
        height, side, _ = self.image_shape
        if height % 8 or side % 8:
            raise ValueError(f"height and width must be multiples of 8. Received: {height}×{side}")
        places = height // 8, side // 8
        latent = (*places, channels * per_place)
        self.grid = (places[0], places[1] * per_place)
        both, decoder = networks.conv_networks(self.image_shape, latent, width, centre=True)
        flat = keras.layers.Reshape((*self.grid, channels))
        self.encoder = keras.Model(both.input, flat(both.outputs[0]), name="encoder")
        self.quantizer = VectorQuantizer(
            num_codes, commitment, restart_threshold=restart_threshold, seed=seed
        )
        self.quantizer.build((None, *self.grid, channels))
        vectors = keras.Input((*self.grid, channels))
        folded = keras.layers.Reshape(latent)(vectors)
        self.decoder = keras.Model(vectors, decoder(folded), name="decoder")
        self._encode, self._decode = compile_model(self.encoder), compile_model(self.decoder)
        self.log_sigma = math.log(sigma)
        self.nll = keras.metrics.Mean(name="reconstruction")
        self.built = True

    @property
    def networks(self):
        return [self.encoder, self.quantizer, self.decoder]

    def start_from(self, vae):
        """Takes the convolutions of a `models.conv_vae` of the same `width`, not its latent.

        Args:
            vae: of images of 32×32 pixels, with a vector latent; its last dense layers and the
                first one of its decoder have no place here.
        """
        first = vae.encoder.get_weights()[:-4]  # without its two dense layers
        own = self.encoder.get_weights()
        self.encoder.set_weights(first + own[len(first) :])
        last = vae.decoder.get_weights()[2:]  # without its dense layer
        own = self.decoder.get_weights()
        self.decoder.set_weights(own[: len(own) - len(last)] + last)

    def call(self, x, training=False):
        vectors = self.encoder(x, training=training)
        return self.decoder(self.quantizer(vectors, training=training), training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        nll = self.reconstruction_nll(x, y_pred)
        self.nll.update_state(nll)
        return ops.mean(nll) + sum(self.losses)

    def reconstruction_nll(self, x, reconstruction, log_sigma=None):
        """−log p(x|codes), `(B,)`, nats per image, with the model's σ or another.

        Args:
            x, reconstruction: `(B, H, W, C)`.
            log_sigma: natural logarithm of σ; None takes the model's.
        """
        log_sigma = self.log_sigma if log_sigma is None else log_sigma
        return losses.gaussian_nll(x, reconstruction, log_sigma)

    def elbo(self, x, noise=None):
        """log p(x|codes), `(B,)`, nats: a bound on log p(x) lacks the prior's log p(codes).

        Args:
            x: `(B, H, W, C)`.
            noise: not used: nothing is drawn.
        """
        x = ops.convert_to_tensor(x, "float32")
        return -self.reconstruction_nll(x, self(x))

    def encode_indices(self, images):
        """Pictures `(N, H, W, C)` → codes, int32 `(N, *grid)`."""
        images = np.asarray(images, "float32")
        vectors = [self._encode(ops.convert_to_tensor(part)) for part in _parts(images)]
        return np.concatenate([_numpy(self.quantizer.encode_indices(v)) for v in vectors])

    def decode_indices(self, indices):
        """Codes, integers `(N, *grid)` → means of pixels, float32 `(N, H, W, C)`."""
        parts = _parts(np.asarray(indices, "int32"))
        vectors = [self.quantizer.lookup(part) for part in parts]
        return np.concatenate([_numpy(self._decode(part)) for part in vectors])

    def get_config(self):
        return {**super().get_config(), "image_shape": self.image_shape, **self.options}


class FreshCodes(keras.utils.PyDataset):
    """Batches (codes, codes) of new pictures, for `fit` of a prior over the codes.

    Args:
        model: a trained `VQVAE`.
        stream: `FreshShapes`, whose pictures it encodes.

    Examples:
        >>> from helpers.generative import quantised
        >>> model = quantised.VQVAE((16, 16, 3), num_codes=5, channels=2, width=4, seed=0)
        >>> from helpers.data.stream import FreshShapes
        >>> stream = FreshShapes(batch_size=4, steps_per_epoch=1, size=16, objects=1)
        >>> codes, same = quantised.FreshCodes(model, stream)[0]
        >>> codes.shape, codes is same
        ((4, 2, 4), True)
    """

    def __init__(self, model, stream):
        super().__init__()
        self.model, self.stream = model, stream

    def __len__(self):
        return len(self.stream)

    @property
    def epoch(self):
        """That of the stream: a training that goes on after a stop sets it."""
        return self.stream.epoch

    @epoch.setter
    def epoch(self, value):
        self.stream.epoch = value

    @property
    def first_epoch(self):
        return self.stream.first_epoch

    def __getitem__(self, index):
        codes = self.model.encode_indices(self.stream[index][0])
        return codes, codes

    def on_epoch_end(self):
        self.stream.on_epoch_end()


def _parts(array, size=500):
    return [array[i : i + size] for i in range(0, len(array), size)]


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)
