"""A network with several outputs, in training: apart from the recipes, which change more often."""

import keras


class Supervised(keras.Model):
    """Each output is compared with the same target by the same loss.

    Attributes:
        shares: of the outputs in the loss.
        pixel_loss: a Keras loss.
    """

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        pairs = zip(self.shares, y_pred, strict=True)
        return sum(share * self.pixel_loss(y, output) for share, output in pairs)
