"""A classifier whose features compare generated pictures with real ones; trained where it is used.

`SampleEvaluator` trains it and scores pictures; `classifier` is its network. No network is
downloaded. The numbers compare models that one evaluator has measured, and nothing else.
"""

import keras
import numpy as np
from keras import layers

from helpers import training
from helpers.layers import bn_relu
from helpers.metrics import generative


def classifier(image_shape, num_classes):
    """A small convolutional network with its last features beside its logits.

    Args:
        image_shape: `(H, W, C)`.
        num_classes: K.

    Returns:
        keras.Model, `(B, H, W, C)` in [0, 1] → logits `(B, K)` and features `(B, 64)`, the means of
        the last convolution.
    """
    image = keras.Input(image_shape)
    h = layers.Rescaling(4.0, offset=-2.0)(image)
    for filters, stride in ((24, 1), (32, 2), (48, 2), (64, 2)):
        h = bn_relu(layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(h))
    features = layers.GlobalAveragePooling2D(name="features")(h)
    logits = layers.Dense(int(num_classes))(features)
    return keras.Model(image, [logits, features], name="evaluator")


class SampleEvaluator:
    """Compares pictures with real ones in the features of a classifier of the real ones.

    Args:
        images: float32 `(N, H, W, C)` in [0, 1] to train the classifier on. The first thousand set
            the unit of each feature, too.
        labels: class of each, integers `(N,)` from 0 on.
        real: `(M, H, W, C)`: what all pictures are compared with; none of `images`.
        steps, batch_size, learning_rate, seed: of the training; see `training.train`.
    """

    def __init__(self, images, labels, real, steps=375, batch_size=32, learning_rate=0.005, seed=0):
        keras.utils.set_random_seed(seed)
        labels = np.asarray(labels)
        self.num_classes = int(labels.max()) + 1
        self.network = classifier(images.shape[1:], self.num_classes)
        training.train(
            keras.Model(self.network.input, self.network.outputs[0]),
            images,
            labels,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
        )
        self.reference_features = self._predict(images[:1000])[1]
        self.real_features = self._predict(real)[1]
        self.real_block_means = generative.block_mean(real)
        self.real_gradient_energy = generative.gradient_energy(real).mean()

    def accuracy(self, images, labels):
        """Share of pictures `(N, H, W, C)` whose class, integers `(N,)`, the classifier names."""
        return float((self._predict(images)[0].argmax(axis=1) == labels).mean())

    def evaluate(self, images):
        """Scores of a set of pictures.

        Args:
            images: `(N, H, W, C)`; values outside [0, 1] are cut, NaN is black.

        Returns:
            Dictionary: `distance`, `precision` and `recall` (`metrics.polynomial_mmd` and
            `metrics.precision_recall`) of the features in units of the training pictures';
            `variety` of the pictures as a grid of 4×4 means and `sharpness`, the gradient energy,
            as shares of the real pictures'; `kinds`, the shares of the classes by the classifier's
            word, `(K,)`. All have no unit.
        """
        images = np.clip(np.nan_to_num(np.asarray(images, dtype="float32")), 0, 1)
        logits, features = self._predict(images)
        _, real, fake = generative.standardise(
            self.reference_features, self.real_features, features
        )
        precision, recall = generative.precision_recall(real, fake)
        block_means = generative.block_mean(images)
        energy = generative.gradient_energy(images).mean()
        counts = np.bincount(logits.argmax(axis=1), minlength=self.num_classes)
        return {
            "distance": generative.polynomial_mmd(real, fake),
            "precision": precision,
            "recall": recall,
            "variety": generative.variance_ratio(self.real_block_means, block_means),
            "sharpness": float(energy / self.real_gradient_energy),
            "kinds": counts / len(logits),
        }

    def compare(self, real, images, blocks=1):
        """Kernel distance, precision and recall of pictures beside real ones, block by block.

        With blocks of pictures of their own on both sides, the spread over blocks tells how far
        chance goes. `evaluate` has one set of real pictures for all.

        Args:
            real: `(M, H, W, C)`, values in [0, 1]; cut into `blocks` of one size.
            images: `(N, H, W, C)`, cut into blocks of the same size; with fewer of them, less
                blocks are compared.
            blocks: how many.

        Returns:
            Dictionary from `distance`, `precision` and `recall` to a list, one number a block.

        Raises:
            ValueError: If not a whole block can be made of one of the two.
        """
        size = len(real) // blocks
        if size < 1 or len(images) < size:
            raise ValueError(
                f"{blocks} blocks of {len(real)} real pictures are of {size} pictures each, and "
                f"one at least must be compared. Received: {len(images)} pictures"
            )
        sets = [self._predict(pictures)[1] for pictures in (real, images)]
        _, real, fake = generative.standardise(self.reference_features, *sets)
        scores = {"distance": [], "precision": [], "recall": []}
        for start in range(0, min(size * blocks, len(fake) - size + 1), size):
            pair = (real[start : start + size], fake[start : start + size])
            scores["distance"].append(generative.polynomial_mmd(*pair))
            for name, score in zip(("precision", "recall"), generative.precision_recall(*pair)):
                scores[name].append(score)
        return scores

    def _predict(self, images):
        return self.network.predict(np.asarray(images), batch_size=250, verbose=0)
