"""The same question put to several models: one map, dropout, an ensemble, and two kinds of latent.

All arms start from the encoder of one VAE a run, see the same pictures for as many steps, and
are asked for as many maps. What they say is scored by `spread`.
"""

import gc

import keras
import numpy as np

from helpers import metrics, models, pyramids
from helpers.segmentation import EdgeCrossEntropy
from helpers.training import train
from helpers.uncertainty import baselines, probabilistic_unet

METHODS = ("one map", "dropout", "ensemble", "pixel latent", "latent")
MEMBERS = 5
DROPOUT = 0.2
BATCH = 32  # pictures that are asked about at once


class UncertaintyMethods:
    """Trains the arms in `ARMS` on pictures with several annotators.

    - one map: `baselines.deterministic_head`, trained on the share of annotators.
    - dropout: the same with dropout that stays on.
    - ensemble: five of them, each with about a fifth of the weights, other first weights and
      another order; their encoders start from one narrow VAE.
    - pixel latent: `baselines.GaussianLogits`.
    - latent: `probabilistic_unet.ProbabilisticUNet`; it sees one annotator at a time.

    Compiled models are kept and get new weights for every training.

    Args:
        images: float32 `(N, S, S, C)` for the VAE, no annotations needed.
        latent: K of the `Chooser`.
        sigma: of the VAE's Gaussian pixels.
        vae_steps: training steps of each VAE, 8 pictures each.
        steps, batch, learning_rate: of the heads.
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

    def train(self, arm, drawn, shared, seed, prior=-3.0, annotators=5):
        """Trains an arm and returns what can be asked.

        Args:
            arm: one of `ARMS`.
            drawn, shared: from `baselines.training_rows`.
            seed: of the run: VAE, first weights, order, noise.
            prior, annotators: of the pixel latent.

        Returns:
            A function of (pictures, count) → probability maps `(N, count, H, W)`; the ensemble
            gives its five over and over, a single map is repeated. Ask before the next `train`.

        Raises:
            ValueError: If there is no such arm.
        """
        if arm not in METHODS:
            raise ValueError(f"`arm` must be one of {METHODS}. Received: arm={arm!r}")
        if arm == "ensemble":
            return self._ensemble(shared, seed)
        own = {"prior": prior, "annotators": annotators} if arm == "pixel latent" else {}
        model = self._ready(arm, seed, **own)
        if arm in ("latent", "pixel latent"):
            train(model, drawn if arm == "latent" else shared, **self.options, seed=seed)
            return lambda pictures, count: model.samples(pictures, count, seed)
        self._fit(model, shared, seed)
        if arm == "dropout":
            return lambda pictures, count: np.stack(
                [_probability(model, pictures) for _ in range(count)], axis=1
            )
        return lambda pictures, count: np.repeat(_probability(model, pictures)[:, None], count, 1)

    def chooser(self):
        """The `Chooser` as last trained."""
        return self.models["latent",]

    def weights(self):
        """Number of weights of each arm that were built so far; of the ensemble all five."""
        return {
            arm: model.count_params() * (MEMBERS if arm == "ensemble" else 1)
            for (arm, *_), model in self.models.items() if arm in METHODS
        }  # fmt: skip

    def nats(self, arm, maps, pictures, annotations, draws=64):
        """−log p of one annotator, mean over the annotators of each picture, `(N,)`.

        Exact for one map. For the latent it is importance-sampled with `draws` draws of the model
        as last trained. Dropout and ensemble may choose, for the set, between the mixture of
        their maps and the one map that is their mean. The pixel latent integrates to its mean.
        """
        if arm == "latent":
            return np.array(list(self._chosen_nats(pictures, annotations, draws)))
        pooled = [
            metrics.pixelwise_nll(m.mean(axis=0), a).mean() for m, a in zip(maps, annotations)
        ]
        if arm in ("one map", "pixel latent"):
            return np.array(pooled)
        mixed = [metrics.mixture_nll(m, a).mean() for m, a in zip(maps, annotations)]
        return np.array(min(pooled, mixed, key=np.mean))

    def _chosen_nats(self, pictures, annotations, draws):
        chooser = self.chooser()
        for start in range(0, len(pictures), BATCH):
            features, deep = chooser.look(pictures[start : start + BATCH])
            for i, people in enumerate(annotations[start : start + BATCH]):
                different, count = metrics.unique_annotations(people)
                looked = features[i : i + 1], deep[i : i + 1]
                nats = chooser.nll(pictures[start + i], different, draws, looked=looked)
                yield nats @ count / count.sum()

    def _ensemble(self, shared, seed):
        kept = []
        for member in range(MEMBERS):
            model = self._ready("ensemble", seed, narrow=True, member=member)
            self._fit(model, shared, MEMBERS * seed + member)
            kept.append(model.get_weights())

        def ask(pictures, count):
            maps = []
            for weights in kept:
                model.set_weights(weights)
                maps.append(_probability(model, pictures))
            return np.stack(maps, axis=1)[:, np.arange(count) % MEMBERS]

        return ask

    def _fit(self, model, shared, seed):
        train(
            model, shared[..., :-1], shared[..., -1:], EdgeCrossEntropy(), **self.options, seed=seed
        )

    def _ready(self, arm, seed, narrow=False, member=0, **options):
        if (narrow, seed) not in self.starts:
            self.vae(seed, narrow)
        fresh = self._build(arm, narrow, seed, member, **options)
        model = self.models.setdefault((arm, *options.values()), fresh)
        model.set_weights(fresh.get_weights())
        gc.collect()
        return model

    def _build(self, arm, narrow, seed, member=0, **options):
        encoder, decoder = self.networks(MEMBERS * seed + member, narrow)
        if arm == "vae":
            return models.VAE(encoder, decoder, likelihood="gaussian", sigma=self.sigma, seed=seed)
        encoder.set_weights(self.starts[narrow, seed])
        if arm == "latent":
            warmup = self.options["steps"] // 2
            return probabilistic_unet.probabilistic_unet_head(
                encoder, self.latent, warmup_steps=warmup, seed=seed
            )
        if arm == "pixel latent":
            return baselines.gaussian_logits_head(encoder, seed=seed, **options)
        dropout = DROPOUT if arm == "dropout" else 0.0
        return baselines.deterministic_head(encoder, 8 if narrow else 16, dropout, seed)


def _probability(model, pictures):
    # Not `predict`: its set-up costs more than 60 small pictures, and dropout asks 20 times.
    parts = (pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH))
    logits = np.concatenate([model.predict_on_batch(part) for part in parts])[..., 0]
    return (1 / (1 + np.exp(-logits.astype("float64")))).astype("float32")
