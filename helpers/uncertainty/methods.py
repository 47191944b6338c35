"""Five methods for a map with doubt, trained alike: one map, dropout, an ensemble, two latents.

All methods start from the encoder of one VAE a run, see the same pictures for as many steps, and
are asked for as many maps. `evaluation` scores what they say.
"""

import gc

import keras
import numpy as np

from helpers import metrics, models, pyramids
from helpers.segmentation import EdgeCrossEntropy
from helpers.training import train
from helpers.uncertainty import baselines, probabilistic_unet

# Names in tables and records, and those that a reader sees.
METHOD_LABELS = {
    "one map": "deterministic",
    "dropout": "MC dropout",
    "ensemble": "deep ensemble",
    "pixel latent": "Gaussian logits",
    "latent": "probabilistic U-Net",
}
METHODS = tuple(METHOD_LABELS)
BATCH = 32  # pictures in one call


class UncertaintyMethods:
    """Trains the methods in `METHODS` on pictures with several annotators.

    - one map: `baselines.deterministic_head`, trained on the share of annotators.
    - dropout: the same with dropout that stays on.
    - ensemble: five of them, each with about a fifth of the weights, other first weights and
      another order; their encoders start from one narrow VAE.
    - pixel latent: `baselines.GaussianLogits`.
    - latent: `probabilistic_unet.ProbabilisticUNet`; it sees one annotator at a time.

    Compiled models are kept and get new weights for every training.

    Args:
        images: float32 `(N, S, S, C)` for the VAE, no annotations needed.
        latent: K of the `ProbabilisticUNet`.
        sigma: of the VAE's Gaussian pixels.
        vae_steps: training steps of each VAE, 8 pictures each.
        steps, batch_size, learning_rate: of the heads.
    """

    def __init__(
        self,
        images,
        *,
        latent=4,
        sigma=0.08,
        vae_steps=400,
        steps=400,
        batch_size=16,
        learning_rate=0.005,
    ):
        self.images, self.latent, self.sigma, self.vae_steps = images, latent, sigma, vae_steps
        self.options = {"steps": steps, "batch_size": batch_size, "learning_rate": learning_rate}
        self.models, self.starts = {}, {}

    def networks(self, seed, narrow=False):
        """Fresh encoder and decoder of the VAE: levels of 1/2, 1/4 and 1/8 of the size."""
        keras.utils.set_random_seed(seed)
        widths = (7, 14, 21) if narrow else (16, 32, 48)
        return pyramids.pyramid_networks(self.images.shape[1:], 8, widths, (1, 1, 2))

    def vae(self, seed, narrow=False):
        """The trained VAE of a run: a model that belongs to the next call, too."""
        fresh = self._build("vae", narrow, seed)
        model = self.models.setdefault(("narrow vae" if narrow else "vae",), fresh)
        model.set_weights(fresh.get_weights())
        train(
            model, self.images, steps=self.vae_steps, batch_size=8, learning_rate=0.002, seed=seed
        )
        self.starts[narrow, seed] = model.encoder.get_weights()
        return model

    def train(self, method, annotation_rows, share_rows, seed, prior=-3.0, annotators=5):
        """Trains a method and returns a function that predicts with it.

        Args:
            method: one of `METHODS`.
            annotation_rows, share_rows: from `baselines.training_rows`.
            seed: of the run: VAE, first weights, order, noise.
            prior, annotators: of the pixel latent.

        Returns:
            predict_samples(images, count) → probability maps `(N, count, H, W)`; the ensemble
            gives its five over and over, a single map is repeated. Valid until the next `train`.

        Raises:
            ValueError: If there is no such method.
        """
        if method not in METHODS:
            raise ValueError(f"`method` must be one of {METHODS}. Received: method={method!r}")
        if method == "ensemble":
            return self._ensemble(share_rows, seed)
        own = {"prior": prior, "annotators": annotators} if method == "pixel latent" else {}
        model = self._ready(method, seed, **own)
        if method in ("latent", "pixel latent"):
            rows = annotation_rows if method == "latent" else share_rows
            train(model, rows, **self.options, seed=seed)
            return lambda images, count: model.predict_samples(images, count, seed)
        self._fit(model, share_rows, seed)

        def predict_samples(images, count):
            if method == "dropout":
                return np.stack([_probability(model, images) for _ in range(count)], axis=1)
            return np.repeat(_probability(model, images)[:, None], count, 1)

        return predict_samples

    def probabilistic_unet(self):
        """The `ProbabilisticUNet` as last trained."""
        return self.models["latent",]

    def count_params(self):
        """Number of weights of each method that was built so far; of the ensemble all five."""
        return {
            method: model.count_params() * (baselines.MEMBERS if method == "ensemble" else 1)
            for (method, *_), model in self.models.items() if method in METHODS
        }  # fmt: skip

    def nll(self, method, maps, images, annotations, draws=64):
        """−log p of one annotator, mean over the annotators of each picture, `(N,)`.

        Exact for one map. For the latent it is importance-sampled with `draws` draws of the model
        as last trained. Dropout and ensemble may choose, for the set, between the mixture of
        their maps and the one map that is their mean. The pixel latent integrates to its mean.
        """
        if method == "latent":
            return np.array(list(self._probabilistic_unet_nll(images, annotations, draws)))
        pooled = [
            metrics.pixelwise_nll(m.mean(axis=0), a).mean() for m, a in zip(maps, annotations)
        ]
        if method in ("one map", "pixel latent"):
            return np.array(pooled)
        mixed = [metrics.mixture_nll(m, a).mean() for m, a in zip(maps, annotations)]
        return np.array(min(pooled, mixed, key=np.mean))

    def _probabilistic_unet_nll(self, images, annotations, draws):
        model = self.probabilistic_unet()
        for start in range(0, len(images), BATCH):
            fine, coarsest = model.compute_features(images[start : start + BATCH])
            for i, marks in enumerate(annotations[start : start + BATCH]):
                unique, count = metrics.unique_annotations(marks)
                features = fine[i : i + 1], coarsest[i : i + 1]
                nll = model.nll(images[start + i], unique, draws, features=features)
                yield nll @ count / count.sum()

    def _ensemble(self, share_rows, seed):
        members = []
        for member in range(baselines.MEMBERS):
            model = self._ready("ensemble", seed, narrow=True, member=member)
            self._fit(model, share_rows, baselines.MEMBERS * seed + member)
            members.append(model.get_weights())

        def predict_samples(images, count):
            maps = []
            for weights in members:
                model.set_weights(weights)
                maps.append(_probability(model, images))
            return np.stack(maps, axis=1)[:, np.arange(count) % baselines.MEMBERS]

        return predict_samples

    def _fit(self, model, share_rows, seed):
        images, share = share_rows[..., :-1], share_rows[..., -1:]
        train(model, images, share, EdgeCrossEntropy(), **self.options, seed=seed)

    def _ready(self, method, seed, narrow=False, member=0, **options):
        if (narrow, seed) not in self.starts:
            self.vae(seed, narrow)
        fresh = self._build(method, narrow, seed, member, **options)
        model = self.models.setdefault((method, *options.values()), fresh)
        model.set_weights(fresh.get_weights())
        gc.collect()
        return model

    def _build(self, method, narrow, seed, member=0, **options):
        encoder, decoder = self.networks(baselines.MEMBERS * seed + member, narrow)
        if method == "vae":
            return models.VAE(encoder, decoder, likelihood="gaussian", sigma=self.sigma, seed=seed)
        encoder.set_weights(self.starts[narrow, seed])
        if method == "latent":
            warmup = self.options["steps"] // 2
            return probabilistic_unet.probabilistic_unet_head(
                encoder, self.latent, warmup_steps=warmup, seed=seed
            )
        if method == "pixel latent":
            return baselines.gaussian_logits_head(encoder, seed=seed, **options)
        dropout = baselines.DROPOUT if method == "dropout" else 0.0
        return baselines.deterministic_head(encoder, 8 if narrow else 16, dropout, seed)


def _probability(model, images):
    # Not `predict`: its set-up costs more than 60 small pictures, and dropout asks 20 times.
    parts = (images[i : i + BATCH] for i in range(0, len(images), BATCH))
    logits = np.concatenate([model.predict_on_batch(part) for part in parts])[..., 0]
    return (1 / (1 + np.exp(-logits.astype("float64")))).astype("float32")
