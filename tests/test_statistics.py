"""Intervals, paired differences and leads: by hand, and against SciPy."""

import math

import numpy as np
import pytest
from scipy import stats

from helpers import metrics


def test_interval_by_hand():
    # 1, 2, 3: mean 2, sample deviation 1; t(0.975, 2) = 4.30265.
    mean, half = metrics.confidence_interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)


def test_interval_holds_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(5.0, 2.0, (2000, 4))
    hits = [
        abs(mean - 5.0) <= half
        for mean, half in (metrics.confidence_interval(row) for row in draws)
    ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.015)


def test_interval_of_one_value_has_no_width():
    assert metrics.confidence_interval([7]) == (7.0, 0.0)


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [([], 0.95, "N ≥ 1"), ([[1.0]], 0.95, "N ≥ 1"), ([1.0, 2.0], 1.0, "between 0 and 1")],
)
def test_interval_refuses(values, level, message):
    with pytest.raises(ValueError, match=message):
        metrics.confidence_interval(values, level)


def test_interval_is_that_of_scipy():
    from scipy import stats

    values = np.random.default_rng(0).normal(5.0, 2.0, 6)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    mean, half = metrics.confidence_interval(values, 0.9)
    assert (mean - half, mean + half) == pytest.approx((low, high), rel=1e-12)


def test_a_paired_difference_by_hand():
    shared = np.array([0.0, 10.0, 20.0])
    ahead = metrics.paired_difference(shared + np.array([1.0, 2.0, 3.0]), shared)
    assert ahead == (2.0, pytest.approx(4.302653 / math.sqrt(3), rel=1e-6), "level")
    assert metrics.paired_difference(shared + np.array([2.0, 2.5, 3.0]), shared).word == "ahead"
    assert metrics.paired_difference(shared, shared + np.array([2.0, 2.5, 3.0])).word == "behind"
    assert metrics.paired_difference([1, 2], [1, 2]) == (0.0, 0.0, "level")
    assert metrics.paired_difference([5], [1]) == (4.0, 0.0, "level")  # a single seed
    assert metrics.paired_difference([1, math.nan], [0, 1]).word == "level"
    with pytest.raises(ValueError, match=r"same seeds.*\(1,\) and \(2,\)"):
        metrics.paired_difference([1], [1, 2])


def test_crossed_interval_covers_seeds_and_pictures():
    scores = np.array([[1.0, 3.0, 2.0], [5.0, 1.0, 3.0]])
    mean, half = metrics.crossed_interval(scores)
    _, by_seed = metrics.confidence_interval([2.0, 3.0])
    _, by_picture = metrics.confidence_interval([3.0, 2.0, 2.5])
    assert (mean, half) == (2.5, pytest.approx(math.hypot(by_seed, by_picture)))
    assert metrics.crossed_interval(scores[:1])[1] == metrics.confidence_interval(scores[0])[1]
    with pytest.raises(ValueError, match=r"\(seeds, pictures\).*\(3,\)"):
        metrics.crossed_interval([1.0, 2.0, 3.0])


def test_holm_by_hand():
    # Sorted .01 .02 .03 .5, times 4 3 2 1: .04 .06 .06 .5, never falling.
    assert metrics.holm([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.06, 0.06])
    assert metrics.holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])


def test_crossed_p_value_is_that_of_a_t_test_where_pictures_are_alike():
    by_seed = [0.1, 0.3, 0.25, 0.05]
    scores = np.repeat(np.array(by_seed)[:, None], 6, axis=1)
    expected = stats.ttest_1samp(by_seed, 0).pvalue
    assert metrics.crossed_p_value(scores) == pytest.approx(expected, rel=1e-6)


def test_crossed_p_value_falls_as_the_interval_leaves_zero():
    noise = np.random.default_rng(0).normal(0, 0.1, (5, 200))
    p = [metrics.crossed_p_value(noise + shift) for shift in (0.0, 0.03, 0.1, 0.5)]
    assert p == sorted(p, reverse=True)
    mean, half = metrics.crossed_interval(noise + 0.1)
    assert (p[2] < 0.05) == (abs(mean) > half)


def test_crossed_p_value_says_nothing_without_an_interval():
    assert metrics.crossed_p_value([[0.5]]) == 1.0
    assert metrics.crossed_p_value(np.zeros((3, 4))) == 1.0


def test_a_gain_that_is_the_same_everywhere_is_a_finding_and_nan_is_none():
    assert metrics.crossed_p_value(np.full((3, 50), 0.25)) < 1e-6
    assert metrics.contrasts({"a": np.full((3, 50), 0.25)})["a"]["word"] == "better"
    diverged = np.full((3, 50), np.nan)
    with pytest.raises(ValueError, match=r"not finite: b\. Did a training diverge"):
        metrics.contrasts({"a": np.full((3, 50), 0.25), "b": diverged})


def test_crossed_p_value_of_a_mean_that_is_zero_but_for_rounding_is_1():
    scores = np.array([[0.1, 0.2, -0.3]])
    assert 0 < scores.mean() < 1e-15
    assert metrics.crossed_p_value(scores) == 1.0


def test_contrasts_are_corrected_together_and_say_which_way():
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.standard_normal((3, 2, 40))
    gains = {"up": 0.05 + noise[0], "down": -0.05 + noise[1], "none": noise[2] - noise[2].mean()}
    found = metrics.contrasts(gains)
    assert list(found) == ["up", "down", "none"]
    assert [row["word"] for row in found.values()] == ["better", "worse", "level"]
    alone = [metrics.crossed_p_value(scores) for scores in gains.values()]
    assert [row["p"] for row in found.values()] == pytest.approx(metrics.holm(alone))
    assert found["up"]["p"] > alone[0]
    interval = found["down"]["gain"], found["down"]["half"]
    assert interval == metrics.crossed_interval(gains["down"])
