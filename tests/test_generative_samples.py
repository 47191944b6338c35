"""Known faults are what they are called; codes on the way and bytes keep what they should."""

import numpy as np
import pytest

from helpers.generative import samples


def test_corruptions_are_what_they_are_called():
    x = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3)).astype("uint8")
    labels = np.arange(30) % 3 + 1
    made = samples.corruptions(x, labels)
    assert all(a.shape == x.shape and a.dtype == "float32" for a in made.values())
    assert all(a.min() >= 0 and a.max() <= 1 for a in made.values())
    assert len(np.unique(made["one class"], axis=0)) == 10
    assert len(np.unique(made["ten pictures"], axis=0)) == 10
    assert np.ptp(made["mean picture"], axis=0).max() == 0
    np.testing.assert_allclose(made["one class"][1], x[3] / 255, rtol=1e-5)


def test_slerp_keeps_the_law():
    a, b = np.random.default_rng(0).normal(size=(2, 10_000))
    path = samples.slerp(a, b, 5)
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-5)
    assert np.abs(path.var(axis=1) - 1).max() < 0.05
    assert ((a + b) / 2).var() < 0.6  # which half-way along the line is not so


def test_as_bytes_cuts_and_rounds():
    made = samples.as_bytes([[-1.0, 0.5, 2.0], [np.nan, np.inf, -np.inf]])
    assert made.dtype == "uint8" and made.tolist() == [[0, 128, 255], [0, 255, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: samples.corruptions(np.zeros((4, 8, 8, 3)), [0, 1]), "one label a picture"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
