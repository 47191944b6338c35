"""A picture as a grid of codes: one encoder and decoder, trained as a VQ-VAE or as a VAE.

Twins for the question what whole numbers cost and give: same networks, pictures and steps, and the
same small head that reads the grid.
"""

import math

import keras
from keras import layers, ops

from helpers import losses, models, pyramids, segmentation, training
from helpers.generative import pixelcnn
from helpers.generative.vq import VectorQuantizer
from helpers.layers import bn_relu


class VQVAE:
    """Encoder, codes and decoder, with what trains them and a head that reads them.

    Compiled models are kept and get new weights for every run.

    Args:
        image_shape: `(H, W, C)`.
        num_codes, channels: K code vectors of so many numbers.
        sigma: of the Gaussian pixels, for both.
        commitment, revive: see `vq.VectorQuantizer`.
        beta: weight of the KL of the VAE, to bring its rate to that of the codes.
        num_classes: classes of the head; None builds none.
        patch, width: side of a cell of the grid in pixels, and channels of the networks.
        **options: `steps`, `batch` and `rate` of `training.train` for both.
    """

    def __init__(
        self, image_shape, num_codes, channels, sigma, commitment=4.0, revive=0.05, beta=1.0,
        num_classes=None, patch=4, width=64, **options,
    ):  # fmt: skip
        self.plan = tuple(image_shape), channels, [width], [2], [patch]
        self.book_plan = {"codes": num_codes, "commitment": commitment, "revive": revive}
        self.log_sigma, self.options = math.log(sigma), options
        self.encoder, self.book, self.decoder = self.nets = self._new(0)
        decoded = self.decoder(self.book(self.encoder.outputs[0]))
        self.vqvae = keras.Model(self.encoder.input, decoded)
        gaussian = {"likelihood": "gaussian", "sigma": sigma, "beta": beta, "seed": 0}
        self.vae = models.VAE(self.encoder, self.decoder, **gaussian)
        self.heads, self.prior = {}, None
        self.code_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if num_classes is not None:
            self._build_heads(num_classes)

    def start(self, run):
        """Gives encoder, codes and decoder the first weights of a run; returns itself."""
        for net, fresh in zip(self.nets, self._new(run)):
            net.set_weights(fresh.get_weights())
        return self

    def learn(self, kind, images, run):
        """Trains from the weights that are there, as "VQ-VAE" or as "VAE".

        Raises:
            ValueError: If there is no such kind.
        """
        if kind not in ("VQ-VAE", "VAE"):
            raise ValueError(f"`kind` must be 'VQ-VAE' or 'VAE'. Received: kind={kind!r}")
        if kind == "VAE":
            training.train(self.vae, images, **self.options, seed=run)
        else:
            training.train(self.vqvae, images, images, self.nats, **self.options, seed=run)

    def nats(self, images, redrawn):
        """−log p(x|codes), `(B,)`, nats per image."""
        return losses.gaussian_nll(images, redrawn, self.log_sigma)

    def send(self, images):
        """Pictures `(N, H, W, C)` → codes, int32 `(N, h, w)`."""
        vectors = self.encoder.predict(images, batch_size=250, verbose=0)[0]
        return ops.convert_to_numpy(self.book.choose(vectors))

    def receive(self, codes):
        """Codes `(N, h, w)` → pictures `(N, H, W, C)`."""
        vectors = ops.convert_to_numpy(self.book.look_up(codes))
        return self.decoder.predict(vectors, batch_size=250, verbose=0)

    def learn_prior(self, images, run, steps):
        """Trains a prior over the codes of pictures, from fresh weights, at the same rate."""
        sent = self.send(images)
        if self.prior is None:
            keras.utils.set_random_seed(0)
            prior = pixelcnn.pixelcnn(sent.shape[1:], self.book.codes)
            self.prior = prior, prior.get_weights()
        prior, first = self.prior
        prior.set_weights(first)
        options = {**self.options, "steps": steps, "seed": run}
        training.train(prior, sent, sent, self.code_loss, **options)

    def draw(self, n, run):
        """New pictures `(n, H, W, C)`, from codes that the prior draws."""
        return self.receive(pixelcnn.sample_codes(self._prior(), n, run))

    def code_nats(self, codes):
        """−log p of each grid of codes under the prior: `(N,)`, nats per image."""
        return pixelcnn.code_nll(self._prior(), codes)

    def bound(self, images):
        """log p(codes) + log p(x|codes) ≤ log p(x) of pictures: `(N,)`, nats per image."""
        codes = self.send(images)
        given = ops.convert_to_numpy(self.nats(images, self.receive(codes)))
        return -self.code_nats(codes) - given

    def read(self, what, images, masks, run, **options):
        """A head on the frozen grid as it is now, trained on masks: a model → logits.

        Args:
            what: "codes", or "vectors" for the encoder's output before it is rounded to codes
                (for the VAE: its mean).
            images, masks: the labelled ones.
            run: seed of the order; the head's first weights are the same in every run.
            **options: `steps`, `batch` and `rate`.

        Raises:
            ValueError: If there is no such head.
        """
        if what not in self.heads:
            raise ValueError(f"`what` must be one of {list(self.heads)}. Received: what={what!r}")
        head, first = self.heads[what]
        head.set_weights(first)
        for net, source in zip(self.lent, self.nets):
            net.set_weights(source.get_weights())
        return training.train(head, images, masks, self.head_loss, **options, seed=run)

    def _prior(self):
        if self.prior is None:
            raise ValueError("there is no prior over the codes yet: call `learn_prior` before")
        return self.prior[0]

    def _new(self, run):
        keras.utils.set_random_seed(run)
        encoder, decoder = pyramids.pyramid_networks(*self.plan)
        book = VectorQuantizer(**self.book_plan, seed=run)
        book.build(encoder.outputs[0].shape)
        return encoder, book, decoder

    def _build_heads(self, num_classes):
        # A frozen copy: the optimizer of the other one must go on seeing its weights.
        encoder, book, _ = self.lent = self._new(0)
        encoder.trainable = book.trainable = False
        vectors = encoder.outputs[0]
        for name, features in {"vectors": vectors, "codes": book(vectors)}.items():
            h = layers.Conv2D(48, 3, padding="same")(features)
            h = bn_relu(h)
            head = pyramids.segmentation_head(encoder.input, [h], num_classes)
            self.heads[name] = head, head.get_weights()
        self.head_loss = segmentation.PixelCrossEntropy(num_classes)
