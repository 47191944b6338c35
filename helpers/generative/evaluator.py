"""A classifier whose features compare generated pictures with real ones; trained where it is used.

No network is downloaded. The numbers compare models that one evaluator has measured, and nothing else.
"""

import keras
import numpy as np
from keras import layers

from helpers import training
from helpers.layers import bn_relu
from helpers.metrics import generative

METRICS = ("distance", "precision", "recall", "variety", "sharpness")


def classifier(image_shape, num_classes):
    """`(B, H, W, C)` → logits `(B, classes)` and features `(B, 64)`, the means of the last layer."""
    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    for filters, stride in ((24, 1), (32, 2), (48, 2), (64, 2)):
        h = bn_relu(layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(h))
    features = layers.GlobalAveragePooling2D(name="features")(h)
    return keras.Model(image, [layers.Dense(int(num_classes))(features), features], name="ruler")


class SampleEvaluator:
    """Compares pictures with real ones in the features of a classifier of the real ones' kinds.

    Args:
        images: float32 `(N, H, W, C)` in [0, 1] to train the classifier on. The first thousand set
            the unit of each feature, too.
        kinds: integers `(N,)` from 0 on.
        real: `(M, H, W, C)`: what all pictures are compared with; none of `images`.
        steps, batch, rate, seed: of the training; see `training.train`.
    """

    def __init__(self, images, kinds, real, steps=375, batch_size=32, learning_rate=0.005, seed=0):
        keras.utils.set_random_seed(seed)
        kinds = np.asarray(kinds)
        self.classes = int(kinds.max()) + 1
        self.network = classifier(images.shape[1:], self.classes)
        named = keras.Model(self.network.input, self.network.outputs[0])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        training.train(
            named,
            images,
            kinds,
            loss,
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
        )
        self.unit, self.real = self._look(images[:1000])[1], self._look(real)[1]
        self.coarse = generative.block_mean(real)
        self.energy = generative.gradient_energy(real).mean()

    def accuracy(self, images, kinds):
        """Share of pictures whose kind the classifier names rightly."""
        return float((self._look(images)[0].argmax(axis=1) == kinds).mean())

    def judge(self, pictures):
        """Scores of pictures `(N, H, W, C)`; values outside [0, 1] are cut, NaN is black.

        Returns:
            Dictionary: `distance`, `precision` and `recall` (see `samples`) of the features in
            units of the training pictures'; `variety` of the pictures as a grid of 4×4 means and
            `sharpness`, the gradient energy, as shares of the real pictures'; `kinds`, the shares
            of the classes by the classifier's word.
        """
        pictures = np.clip(np.nan_to_num(np.asarray(pictures, dtype="float32")), 0, 1)
        logits, features = self._look(pictures)
        _, real, drawn = generative.standardise(self.unit, self.real, features)
        precision, recall = generative.precision_recall(real, drawn)
        return {
            "distance": generative.polynomial_mmd(real, drawn),
            "precision": precision,
            "recall": recall,
            "variety": generative.variance_ratio(self.coarse, generative.block_mean(pictures)),
            "sharpness": float(generative.gradient_energy(pictures).mean() / self.energy),
            "kinds": np.bincount(logits.argmax(axis=1), minlength=self.classes) / len(logits),
        }

    def _look(self, images):
        return self.network.predict(np.asarray(images), batch_size=250, verbose=0)
