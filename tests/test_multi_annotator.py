"""Measures of sets of answers: hand-computed cases, and good is better than bad."""

import math
import warnings

import numpy as np
import pytest

from helpers import metrics

LEFT, RIGHT = np.zeros((2, 4, 4), int)
LEFT[:, :2], RIGHT[:, 2:] = 1, 1
BOTH, NONE = LEFT | RIGHT, np.zeros((4, 4), int)
PEOPLE = np.stack([LEFT, RIGHT] * 2)


def test_iou_by_hand():
    found = metrics.pairwise_iou([LEFT, BOTH, NONE], [LEFT, RIGHT, NONE])
    assert np.array_equal(found, [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]])
    dot = np.zeros((4, 4), int)
    dot[1, 2] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is divided by an empty union
        assert np.array_equal(metrics.pairwise_iou([dot, NONE], [dot, NONE]), [[1, 0], [0, 1]])


def test_iou_is_one_minus_the_jaccard_distance_of_scipy():
    from scipy.spatial.distance import cdist

    rng = np.random.default_rng(0)
    a, b = (rng.random((n, 5, 6)) < 0.3 for n in (4, 7))
    a[0] = b[1] = False  # empty maps agree there, too
    expected = 1 - cdist(a.reshape(4, -1), b.reshape(7, -1), "jaccard")
    np.testing.assert_allclose(metrics.pairwise_iou(a, b), expected, atol=1e-12)


def test_energy_distance_by_hand():
    assert metrics.generalised_energy_distance([LEFT], PEOPLE) == pytest.approx(0.5)
    assert metrics.generalised_energy_distance([BOTH], PEOPLE) == pytest.approx(0.5)
    # Two different samples differ surely, the same person comes twice in half of the pairs.
    assert metrics.generalised_energy_distance([LEFT, RIGHT], PEOPLE) == pytest.approx(
        1 - 1 - 0.5 + 0
    )  # below 0
    assert metrics.generalised_energy_distance([LEFT] * 3, [LEFT] * 2) == 0
    # Two samples alike and a third: two of six ordered pairs agree.
    assert metrics.generalised_energy_distance([LEFT, LEFT, RIGHT], [LEFT]) == pytest.approx(
        2 / 3 - 4 / 6
    )


def test_energy_distance_is_zero_on_average_for_the_annotators_own_law():
    rng = np.random.default_rng(0)
    drawn = [PEOPLE[rng.integers(4, size=5)] for _ in range(400)]
    found = [metrics.generalised_energy_distance(d, PEOPLE) for d in drawn]
    assert abs(np.mean(found)) < 4 * np.std(found) / math.sqrt(400)
    lopsided = [metrics.generalised_energy_distance(PEOPLE[[0, 0, 0, 0, 1]], PEOPLE)]
    assert np.mean(lopsided) > 0.05 + np.mean(found)


def test_noise_that_touches_nothing_has_the_distance_that_the_notebook_tells():
    dots = np.zeros((4, 8, 8), int)
    dots[range(4), 0, range(4)] = 1
    people = np.zeros((2, 8, 8), int)
    people[0, 4:6], people[1, 6:] = 1, 1
    assert metrics.generalised_energy_distance(dots, people) == pytest.approx(2 - 1 - 0.5)


def test_matched_iou_by_hand():
    assert metrics.hungarian_matched_iou([LEFT, RIGHT], PEOPLE) == 1
    assert metrics.hungarian_matched_iou([LEFT], PEOPLE) == 0.5
    assert metrics.hungarian_matched_iou([LEFT, LEFT, RIGHT], [LEFT, RIGHT]) == pytest.approx(5 / 6)


def test_a_sure_map_that_is_wrong_costs_what_a_millionth_does():
    sure = np.ones((1, 1))
    assert metrics.pixelwise_nll(sure, [[[0]]])[0] == pytest.approx(-math.log(1e-6), rel=1e-9)
    assert metrics.pixelwise_nll(sure, [[[1]]])[0] == pytest.approx(1e-6, rel=1e-3)


def test_measures_are_numbers_that_print_as_such():
    values = [
        metrics.generalised_energy_distance([LEFT], PEOPLE),
        metrics.hungarian_matched_iou([LEFT], PEOPLE),
        metrics.brier([0.7], [0.5]),
    ]
    assert [type(value) for value in values] == [float] * 3


def test_nll_by_hand():
    p = np.full((4, 4), 0.5)
    assert np.allclose(metrics.pixelwise_nll(p, PEOPLE), 16 * math.log(2))
    p = np.where(LEFT, 0.9, 0.2)
    nats = -8 * math.log(0.9) - 8 * math.log(0.8)
    assert metrics.pixelwise_nll(p, [LEFT])[0] == pytest.approx(nats)
    sure = np.stack([LEFT, RIGHT]).astype(float)
    assert np.allclose(metrics.mixture_nll(sure, PEOPLE), math.log(2), atol=1e-4)
    assert (
        metrics.mixture_nll(sure, PEOPLE).mean()
        < metrics.pixelwise_nll(sure.mean(0), PEOPLE).mean()
    )
    assert np.allclose(metrics.log_mean_exp(np.array([-2000.0, -2000.0])), -2000)


def test_distinct_counts():
    maps, count = metrics.unique_annotations([LEFT, RIGHT, LEFT])
    found = {m.tobytes(): c for m, c in zip(maps, count)}
    assert found == {LEFT.tobytes(): 2, RIGHT.tobytes(): 1}


def test_widen_and_near():
    dot = np.zeros((1, 9, 9), int)
    dot[0, 4, 4] = 1
    assert [metrics.dilate(dot, w).sum() for w in (0, 1, 1.5, 2)] == [1, 5, 9, 13]
    assert metrics.dilate(dot[0], 1).sum() == 5
    assert metrics.boundary_band(dot, 1).sum() == 5
    with pytest.raises(ValueError, match="pixels"):
        metrics.dilate(dot, -1)


@pytest.mark.parametrize("pixels", [0, 1, 2, 2.9, 5])
def test_widened_lines_are_what_lies_no_farther_from_them(pixels):
    lines = np.zeros((2, 14, 17), int)
    lines[0, 2, 3] = lines[0, 9, 12] = lines[1, 6, 2:11] = 1
    expected = np.zeros(lines.shape, bool)
    for line, row, column in np.ndindex(lines.shape):
        y, x = np.nonzero(lines[line])
        expected[line, row, column] = np.hypot(y - row, x - column).min() <= pixels
    assert np.array_equal(metrics.dilate(lines.tolist(), pixels), expected)
    assert metrics.dilate(lines, pixels).dtype == bool
    # Near is what is near to anything that anybody drew, five pixels unless told otherwise.
    assert np.array_equal(metrics.boundary_band(lines.tolist(), pixels), expected.any(axis=0))
    if pixels == 5:
        assert np.array_equal(metrics.boundary_band(lines), expected.any(axis=0))


def test_bad_maps_are_refused():
    with pytest.raises(ValueError, match=r"`a` must hold 0 and 1.* values from 0\.0 to 0\.5"):
        metrics.pairwise_iou([LEFT * 0.5], [LEFT])
    with pytest.raises(ValueError, match=r"`b` must hold 0 and 1.* values from 0 to 2"):
        metrics.pairwise_iou([LEFT], [LEFT * 2])
    with pytest.raises(ValueError, match=r"one size. Received: \(4, 4\) and \(3, 4\)"):
        metrics.pairwise_iou([LEFT] * 2, [np.zeros((3, 4), int)])
    with pytest.raises(ValueError, match=r"n of 1 or more. Received: \(0, 4, 4\)"):
        metrics.pairwise_iou(np.zeros((0, 4, 4)), [LEFT])
    with pytest.raises(ValueError, match=r"`b` must be \(n, H, W\).* Received: \(4, 4\)"):
        metrics.pairwise_iou([LEFT], LEFT)
    with pytest.raises(ValueError, match=r"one shape. Received: \(3, 4\) and \(4, 4\)"):
        metrics.pixelwise_nll(np.zeros((3, 4)), [LEFT])
    with pytest.raises(ValueError, match="`annotations` must hold 0 and 1"):
        metrics.pixelwise_nll(np.zeros((4, 4)), [LEFT * 0.5])


@pytest.mark.parametrize("bad", [-3.0, 2.5, np.nan])
def test_logits_are_no_probabilities(bad):
    maps = np.full((2, 4, 4), 0.5)
    maps[1, 2, 2] = bad
    with pytest.raises(ValueError, match=r"`probability` must lie in \[0, 1\]"):
        metrics.pixelwise_nll(maps[1], [LEFT])
    with pytest.raises(ValueError, match=r"`probability` must lie in \[0, 1\]"):
        metrics.mixture_nll(maps, [LEFT])
