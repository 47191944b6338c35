"""Linear probes against hand-computed values."""

import numpy as np
import pytest

from helpers import metrics


def test_probe_value_is_one_for_linear_features_and_zero_for_noise():
    rng = np.random.default_rng(0)
    features, held = (
        rng.normal(size=(500, 3)) * [1, 100, 0.01],
        rng.normal(size=(500, 3)) * [1, 100, 0.01],
    )
    weights = [1.0, 0.02, 300.0]
    scores = metrics.probe_regression(features, features @ weights, held, held @ weights)
    assert scores.shape == (500,) and scores.mean() > 0.999
    noise = metrics.probe_regression(features, rng.normal(size=500), held, rng.normal(size=500))
    assert abs(noise.mean()) < 0.05


def test_the_mean_of_the_scores_is_r_squared():
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(2)
    a, b, noise, more = (rng.normal(size=s) for s in ((60, 2), (40, 2), 60, 40))
    truth, held = a @ [1.0, 2.0] + noise, b @ [1.0, 2.0] + more
    scaled = [(part - a.mean(axis=0)) / a.std(axis=0) for part in (a, b)]
    expected = r2_score(held, Ridge(1.0).fit(scaled[0], truth).predict(scaled[1]))
    scores = metrics.probe_regression(a, truth, b, held)
    assert scores.mean() == pytest.approx(expected, abs=1e-12)


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
    assert (metrics.probe_classes(features, truth, held_features, held) == 1.0).all()
    shuffled = rng.permutation(truth)
    right = metrics.probe_classes(features, shuffled, held_features, held)
    assert set(right) <= {0.0, 1.0} and right.mean() < 0.5


def test_probe_refuses_features_of_other_widths():
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(4, 3\)"):
        metrics.probe_regression(np.zeros((4, 2)), np.zeros(4), np.zeros((4, 3)), np.zeros(4))


def test_probe_facts_takes_the_first_examples_and_one_row_a_fact():
    rng = np.random.default_rng(3)
    features, held = rng.normal(size=(50, 2)), rng.normal(size=(30, 2))
    factors = {"x": np.arange(80.0), "class": np.arange(80) % 3}
    truth = {"x": np.arange(30.0), "class": np.arange(30) % 3}
    rows = metrics.probe_facts(features, factors, held, truth, ["class", "x"])
    assert rows.shape == (2, 30)
    expected = metrics.probe_regression(features, factors["x"][:50], held, truth["x"])
    assert rows[1] == pytest.approx(expected)
    expected = metrics.probe_classes(features, factors["class"][:50], held, truth["class"])
    assert rows[0].tolist() == expected.tolist()


def test_probe_value_refuses_a_fact_that_never_changes():
    with pytest.raises(ValueError, match="`held_truth` is the same everywhere"):
        metrics.probe_regression(np.eye(4), np.arange(4), np.eye(4), np.ones(4))
