"""A picture as a grid of codes: one encoder and decoder, trained as a VQ-VAE or as a VAE.

For the question what whole numbers cost and give: same networks, pictures and steps, and the same
small head that labels pixels from the grid. `VQVAE` is all of it, with the prior over the codes.
"""

import math

import keras
from keras import layers, ops

from helpers import losses, models, pyramids, segmentation, training
from helpers.generative import pixelcnn
from helpers.generative.vq import VectorQuantizer
from helpers.layers import bn_relu


class VQVAE:
    """Encoder, codebook and decoder, with what trains them, a prior, and heads on the grid.

    Compiled models are kept and get new weights for every training.

    Args:
        image_shape: `(H, W, C)`.
        num_codes: K, how many code vectors.
        channels: numbers in each of them.
        sigma: standard deviation of the Gaussian pixels, for VQ-VAE and VAE.
        commitment, restart_threshold: see `vq.VectorQuantizer`.
        beta: weight of the KL of the VAE, to bring its rate to that of the codes.
        num_classes: classes of the heads; None builds none.
        patch: side of a cell of the grid, in pixels.
        width: channels of the networks.
        **options: `steps`, `batch_size` and `learning_rate` of `training.train`, for both and for
            the prior.

    Attributes:
        encoder, quantizer, decoder: the networks, as they are now.
        vqvae: keras.Model, `(B, H, W, C)` → reconstructions of that shape, through the codes.
        vae: `models.VAE` of the same encoder and decoder.
        prior: keras.Model by `pixelcnn.pixelcnn`, None before `train_prior`.
        heads: dictionary from "vectors" and "codes" to keras.Model, empty without `num_classes`.
    """

    def __init__(
        self, image_shape, num_codes, channels, sigma, commitment=4.0, restart_threshold=0.05,
        beta=1.0, num_classes=None, patch=4, width=64, **options,
    ):  # fmt: skip
        self.pyramid = tuple(image_shape), channels, [width], [2], [patch]
        self.quantizer_options = {
            "num_codes": num_codes,
            "commitment": commitment,
            "restart_threshold": restart_threshold,
        }
        self.log_sigma, self.options = math.log(sigma), options
        self.encoder, self.quantizer, self.decoder = self.networks = self._build_networks(0)
        reconstruction = self.decoder(self.quantizer(self.encoder.outputs[0]))
        self.vqvae = keras.Model(self.encoder.input, reconstruction)
        gaussian = {"likelihood": "gaussian", "sigma": sigma, "beta": beta, "seed": 0}
        self.vae = models.VAE(self.encoder, self.decoder, **gaussian)
        self.prior, self.heads = None, {}
        if num_classes is not None:
            self._build_heads(num_classes)

    def reset_weights(self, seed):
        """Gives encoder, quantizer and decoder the first weights of a seed; returns itself."""
        for network, fresh in zip(self.networks, self._build_networks(seed)):
            network.set_weights(fresh.get_weights())
        return self

    def train(self, objective, images, seed):
        """Trains encoder and decoder from the weights that are there.

        Args:
            objective: "VQ-VAE" or "VAE".
            images: float32 `(N, H, W, C)` in [0, 1].
            seed: of the order of the batches and of the noise.

        Raises:
            ValueError: If there is no such objective.
        """
        if objective not in ("VQ-VAE", "VAE"):
            raise ValueError(
                f"`objective` must be 'VQ-VAE' or 'VAE'. Received: objective={objective!r}"
            )
        if objective == "VAE":
            training.train(self.vae, images, **self.options, seed=seed)
        else:
            loss = self.reconstruction_nll
            training.train(self.vqvae, images, images, loss, **self.options, seed=seed)

    def reconstruction_nll(self, images, reconstructions):
        """−log p(x|codes) of `(B, H, W, C)` and its reconstruction: `(B,)`, nats per image."""
        return losses.gaussian_nll(images, reconstructions, self.log_sigma)

    def encode_indices(self, images):
        """Pictures `(N, H, W, C)` → codes, int32 `(N, h, w)`."""
        vectors = self.encoder.predict(images, batch_size=250, verbose=0)[0]
        return ops.convert_to_numpy(self.quantizer.encode_indices(vectors))

    def decode_indices(self, indices):
        """Codes, integers `(N, h, w)` → pictures, float32 `(N, H, W, C)`."""
        vectors = ops.convert_to_numpy(self.quantizer.lookup(indices))
        return self.decoder.predict(vectors, batch_size=250, verbose=0)

    def train_prior(self, images, seed, steps):
        """Trains a prior over the codes of pictures, from fresh weights.

        Args:
            images: float32 `(N, H, W, C)` in [0, 1].
            seed: of the order of the batches; the first weights are the same for every seed.
            steps: training steps, at the learning rate and batch size of the networks.
        """
        indices = self.encode_indices(images)
        if self.prior is None:
            keras.utils.set_random_seed(0)
            self.prior = pixelcnn.pixelcnn(indices.shape[1:], self.quantizer.num_codes)
            self.first_prior_weights = self.prior.get_weights()
        self.prior.set_weights(self.first_prior_weights)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        options = {**self.options, "steps": steps, "seed": seed}
        training.train(self.prior, indices, indices, loss, **options)

    def sample(self, n, seed):
        """New pictures, float32 `(n, H, W, C)`, from codes that the prior draws.

        Raises:
            ValueError: If there is no prior yet.
        """
        return self.decode_indices(pixelcnn.sample_codes(self._trained_prior(), n, seed))

    def prior_nll(self, indices):
        """−log p of grids of codes `(N, h, w)` under the prior: float64 `(N,)`, nats per image.

        Raises:
            ValueError: If there is no prior yet.
        """
        return pixelcnn.code_nll(self._trained_prior(), indices)

    def bound(self, images):
        """log p(codes) + log p(x|codes) ≤ log p(x) of pictures `(N, H, W, C)`.

        Returns:
            float64 `(N,)`, nats per image.

        Raises:
            ValueError: If there is no prior yet.
        """
        indices = self.encode_indices(images)
        nll = self.reconstruction_nll(images, self.decode_indices(indices))
        return -self.prior_nll(indices) - ops.convert_to_numpy(nll)

    def train_head(self, features, images, masks, test_images, seed, **options):
        """Trains a head on the frozen grid as it is now, and labels other pictures with it.

        Args:
            features: "codes", or "vectors" for the encoder's output before it is rounded to codes
                (for the VAE: its mean).
            images: float32 `(N, H, W, C)`, the labelled ones.
            masks: their classes, integers `(N, H, W)`.
            test_images: `(M, H, W, C)`.
            seed: of the order of the batches; the head's first weights are the same for every seed.
            **options: `steps`, `batch_size` and `learning_rate`.

        Returns:
            Classes of the pixels of `test_images`, int64 `(M, H, W)`.

        Raises:
            ValueError: If there are no such features, or no heads.
        """
        if features not in self.heads:
            raise ValueError(
                f"`features` must be one of {list(self.heads)}. Received: features={features!r}"
            )
        head = self.heads[features]
        head.set_weights(self.first_head_weights[features])
        for network, source in zip(self.frozen_networks, self.networks):
            network.set_weights(source.get_weights())
        training.train(head, images, masks, self.head_loss, **options, seed=seed)
        return head.predict(test_images, batch_size=250, verbose=0).argmax(axis=-1)

    def _trained_prior(self):
        if self.prior is None:
            raise ValueError("there is no prior over the codes yet: call `train_prior` before")
        return self.prior

    def _build_networks(self, seed):
        keras.utils.set_random_seed(seed)
        encoder, decoder = pyramids.pyramid_networks(*self.pyramid)
        quantizer = VectorQuantizer(**self.quantizer_options, seed=seed)
        quantizer.build(encoder.outputs[0].shape)
        return encoder, quantizer, decoder

    def _build_heads(self, num_classes):
        # A frozen copy: the optimizer of the other one must go on seeing its weights.
        encoder, quantizer, _ = self.frozen_networks = self._build_networks(0)
        encoder.trainable = quantizer.trainable = False
        vectors = encoder.outputs[0]
        for name, features in {"vectors": vectors, "codes": quantizer(vectors)}.items():
            h = layers.Conv2D(48, 3, padding="same")(features)
            h = bn_relu(h)
            self.heads[name] = pyramids.segmentation_head(encoder.input, [h], num_classes)
        self.first_head_weights = {name: head.get_weights() for name, head in self.heads.items()}
        self.head_loss = segmentation.PixelCrossEntropy(num_classes)
