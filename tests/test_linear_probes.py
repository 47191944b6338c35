"""Linear probes against hand-computed values."""

import numpy as np
import pytest

from helpers import metrics


def test_balanced_takes_the_first_of_each_class():
    labels = np.array([2, 0, 0, 1, 2, 1, 0, 1, 2])
    assert metrics.balanced_subset(labels, 6).tolist() == [1, 2, 3, 5, 0, 4]
    assert metrics.balanced_subset(labels, 8).tolist() == [1, 2, 3, 5, 0, 4]


def test_balanced_says_which_class_is_short():
    with pytest.raises(ValueError, match="class 1 has fewer than 2"):
        metrics.balanced_subset([0, 0, 1], 4)
    with pytest.raises(ValueError, match="n ≥ 2"):
        metrics.balanced_subset([0, 1], 1)


def test_probe_value_is_one_for_linear_features_and_zero_for_noise():
    rng = np.random.default_rng(0)
    features, held = (
        rng.normal(size=(500, 3)) * [1, 100, 0.01],
        rng.normal(size=(500, 3)) * [1, 100, 0.01],
    )
    weights = [1.0, 0.02, 300.0]
    assert metrics.probe_regression(features, features @ weights, held, held @ weights) > 0.999
    assert (
        abs(metrics.probe_regression(features, rng.normal(size=500), held, rng.normal(size=500)))
        < 0.05
    )


def test_probe_value_does_not_depend_on_the_unit_of_a_feature():
    rng = np.random.default_rng(1)
    a, b, truth, held = (rng.normal(size=s) for s in ((60, 2), (40, 2), 60, 40))
    scaled = [part * [1000.0, 1.0] + [5.0, 0.0] for part in (a, b)]
    assert metrics.probe_regression(scaled[0], truth, scaled[1], held) == pytest.approx(
        metrics.probe_regression(a, truth, b, held), abs=1e-9
    )


def test_probe_class_separates_what_can_be_separated():
    rng = np.random.default_rng(0)
    truth, held = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
    centres = np.array([[4.0, 0], [0, 4], [-4, -4]])
    features, held_features = (centres[t] + 0.3 * rng.normal(size=(300, 2)) for t in (truth, held))
    assert metrics.probe_classes(features, truth, held_features, held) == 1.0
    shuffled = rng.permutation(truth)
    assert metrics.probe_classes(features, shuffled, held_features, held) < 0.5


def test_probe_refuses_features_of_other_widths():
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(4, 3\)"):
        metrics.probe_regression(np.zeros((4, 2)), np.zeros(4), np.zeros((4, 3)), np.zeros(4))
