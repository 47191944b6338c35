"""helpers.edges.by_image: scores of images whose mean is the ODS, and differences with intervals."""

import numpy as np
import pytest

from helpers import edges, metrics


def results(n=12, seed=0):
    """Two detectors on the same n images with one line each; the second one is worse."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((n, 1, 24, 24), "uint8")
    truth[np.arange(n), 0, rng.integers(4, 20, n)] = 1
    strength = rng.uniform(0.3, 0.6, (n, 1, 1))  # some lines are hidden in the noise
    maps = [strength * truth[:, 0] + 0.4 * rng.random((n, 24, 24)) ** k for k in (8, 2)]
    return [edges.benchmark(m, truth, 9, max_distance=0.02, workers=1) for m in maps]


def test_the_mean_is_the_ods():
    for result in results():
        scores = edges.ods_by_image(result)
        assert scores.shape == (12,) and scores.std() > 0
        assert scores.mean() == pytest.approx(result.ods, abs=0.02)


def test_the_spread_is_that_of_the_ods():
    """The interval of the jackknife is near the spread of the ODS over sets of other images."""
    sets = [results(seed=seed)[1] for seed in range(40)]
    spread = np.std([result.ods for result in sets], ddof=1)
    told = np.mean([edges.ods_by_image(r).std(ddof=1) / np.sqrt(12) for r in sets])
    assert 0.5 < told / spread < 2


def test_a_difference_is_paired():
    good, poor = results()
    mean, half = edges.ods_difference(good, poor)
    assert mean == good.ods - poor.ods and half > 0
    scores = edges.ods_by_image(good) - edges.ods_by_image(poor)
    assert half == pytest.approx(metrics.confidence_interval(scores)[1])
    assert edges.ods_difference(good, good) == (0, 0)


def test_one_image_has_no_interval():
    truth = np.eye(16, dtype="uint8")[None, None]
    with pytest.raises(ValueError, match=r"two images or more\. Received: 1"):
        edges.ods_by_image(edges.benchmark(truth[0], truth, 3, workers=1))
