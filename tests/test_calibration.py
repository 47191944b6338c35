"""Reliability, Brier score and risk: hand-counted, an honest forecaster, and bad input."""

import warnings

import numpy as np
import pytest

from helpers import metrics


def test_bins_by_hand():
    said, true, count = metrics.reliability([0.0, 0.1, 0.6, 1.0], [0, 1, 1, 1], bins=2)
    assert count.tolist() == [2, 2]
    np.testing.assert_allclose(said, [0.05, 0.8])
    np.testing.assert_allclose(true, [0.5, 1.0])
    gap = metrics.expected_calibration_error([0.0, 0.1, 0.6, 1.0], [0, 1, 1, 1], bins=2)
    assert gap == pytest.approx((2 * 0.45 + 2 * 0.2) / 4)


def test_a_bin_weighs_as_much_as_it_has_entries():
    # Three entries say 0.1 and one says 0.9, all of them happen: distances 0.9 and 0.1.
    gap = metrics.expected_calibration_error([0.1, 0.1, 0.1, 0.9], [1, 1, 1, 1], bins=2)
    assert gap == pytest.approx((3 * 0.9 + 1 * 0.1) / 4)
    assert type(gap) is float  # which prints as a number alone


def test_ten_bins_unless_told_otherwise():
    said, _, count = metrics.reliability([0.05], [1])
    assert len(said) == len(count) == 10
    # In tenths 0.29 and 0.31 are in two bins, in ninths and elevenths in one.
    assert metrics.expected_calibration_error([0.29, 0.31], [1, 0]) == pytest.approx(
        (0.71 + 0.31) / 2
    )
    _, _, count = metrics.reliability([0.29, 0.31], [1, 0])
    assert count.tolist() == [0, 0, 1, 1, 0, 0, 0, 0, 0, 0]


def test_an_empty_bin_is_nan_and_costs_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said, true, count = metrics.reliability(np.full((2, 3), 0.95), np.ones((2, 3)))
    assert np.isnan(said[:9]).all()
    assert np.isnan(true[:9]).all()
    assert count.tolist() == [0] * 9 + [6]
    assert metrics.expected_calibration_error(np.ones(4), np.ones(4)) == 0.0


def test_an_honest_forecaster_has_a_smaller_gap_than_a_bold_one():
    rng = np.random.default_rng(0)
    p = rng.random(50_000)
    outcome = rng.random(50_000) < p
    honest, bold = (metrics.expected_calibration_error(q, outcome) for q in (p, p**0.5))
    assert honest < 0.01 < 0.1 < bold


def test_shares_count_as_outcomes():
    said, true, _ = metrics.reliability([0.2, 0.2], [0.4, 0.0], bins=1)
    assert said[0] == pytest.approx(true[0])


@pytest.mark.parametrize(
    ("said", "outcome", "message"),
    [
        ([0.5], [1, 0], r"one shape. Received: \(1,\) and \(2,\)"),
        ([0.2, 1.5], [1, 0], "lie in .* values from 0.2 to 1.5"),
        ([-0.5, 0.5], [1, 0], "lie in .* values from -0.5 to 0.5"),
        ([np.nan], [1], "lie in"),
        ([[0.2], [0.7]], [0.5, 0.0, 1.0], r"one shape. Received: \(2, 1\) and \(3,\)"),
    ],
)
@pytest.mark.parametrize("measure", [metrics.reliability, metrics.brier])
def test_bad_input(measure, said, outcome, message):
    with pytest.raises(ValueError, match=message):
        measure(said, outcome)


def test_nothing_has_no_reliability():
    with pytest.raises(ValueError, match=r"no probability. Received: shape \(0, 3\)"):
        metrics.expected_calibration_error(np.zeros((0, 3)), np.zeros((0, 3)))


def test_brier_by_hand():
    # One of two people marked: (0.7 − 1)²/2 + (0.7 − 0)²/2.
    assert metrics.brier(np.array([0.7]), np.array([0.5])) == pytest.approx(0.29)
    # Lists and half precision are computed in double precision.
    assert metrics.brier([0.7, 0.1], [0.5, 0.0]) == pytest.approx((0.29 + 0.01) / 2)
    half = np.array([1, 0, 0], "float16")
    assert metrics.brier(half / 3, half) == pytest.approx(((half / 3 - half) ** 2).mean(), rel=1e-3)


@pytest.mark.parametrize("bad", [np.nan, 255.0, -1.0])
@pytest.mark.parametrize(
    "measure", [metrics.reliability, metrics.brier, metrics.expected_calibration_error]
)
def test_an_outcome_is_a_share(measure, bad):
    with pytest.raises(ValueError, match=r"`(outcome|share)` must lie in .* divide bytes by 255"):
        measure([0.95, 0.15], [bad, 0.15])
