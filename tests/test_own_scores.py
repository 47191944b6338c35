"""Files of a trained network are read back and compared before anybody is told that they are there."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.experiments import own_scores


def test_a_network_that_answers_otherwise_when_read_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="answers otherwise"):
        own_scores._same(np.ones(2), np.array([1.0, 1.1]), tmp_path)
    with pytest.raises(RuntimeError, match="answers otherwise"):
        own_scores._same(np.array([np.nan]), np.ones(1), tmp_path)


def test_answers_may_differ_by_a_share_of_the_largest(tmp_path):
    own_scores._same(np.array([100.0, 0.005]), np.array([100.0, 0.0]), tmp_path)
    with pytest.raises(RuntimeError, match="answers otherwise"):
        own_scores._same(np.array([1.0, 0.005]), np.array([1.0, 0.0]), tmp_path)


def test_a_network_is_written_and_read_back(tmp_path):
    image = keras.Input((None, None, 3))
    network = keras.Model(image, layers.Conv2D(2, 3, padding="same")(image))
    told = own_scores.save(network, tmp_path, np.zeros((10, 13, 3), "uint8"), multiple=8)
    assert (tmp_path / "network.keras").exists()
    assert (tmp_path / "export").exists() == (told["export"] == "SavedModel")
