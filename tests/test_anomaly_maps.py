"""Scores of maps of strangeness: known values, scikit-learn's, and the jackknife left to right."""

import numpy as np
import pytest

from helpers import metrics


def example(seed=0, n=6):
    rng = np.random.default_rng(seed)
    masks = rng.random((n, 8, 8)) < 0.1
    maps = rng.normal(size=masks.shape) + 1.5 * masks
    return maps, masks


def test_average_precision_is_that_of_scikit_learn_with_and_without_ties():
    from sklearn.metrics import average_precision_score

    maps, masks = example()
    for one in (maps, maps.round(), np.zeros_like(maps)):
        scores = metrics.average_precision_by_image(one, masks)
        whole = average_precision_score(masks.ravel(), one.ravel())
        keep = np.arange(6) != 2
        without = average_precision_score(masks[keep].ravel(), one[keep].ravel())
        assert scores[2] == pytest.approx(6 * whole - 5 * without)
        assert scores.shape == (6,)


def test_a_map_without_sense_has_the_share_of_odd_pixels_as_its_precision():
    _, masks = example(n=40)
    flat = metrics.average_precision_by_image(np.zeros(masks.shape), masks)
    assert flat.mean() == pytest.approx(masks.mean(), abs=1e-3)


def test_overlap_by_hand():
    # Two regions: one of four pixels, half of it found, one of one pixel, found; no false alarm
    # until the rest of the first, which lies below all usual pixels.
    masks, maps = np.zeros((2, 1, 20)), np.tile(np.linspace(0, 1, 20), (2, 1, 1))
    masks[0, 0, :4] = masks[1, 0, 10] = 1
    maps[0, 0, :2], maps[0, 0, 2:4], maps[1, 0, 10] = 5, -5, 5
    assert metrics.aupro(maps, masks) == pytest.approx((0.5 + 1) / 2)
    # Diagonal pixels are one region.
    masks = np.zeros((2, 4, 4))
    masks[:, [0, 1], [0, 1]] = 1
    maps = np.zeros((2, 4, 4))
    maps[:, 0, 0] = 1
    assert metrics.aupro(maps, masks) == pytest.approx(0.5)


def test_small_regions_count_as_much_as_large_ones():
    masks, maps = np.zeros((2, 8, 8)), np.zeros((2, 8, 8))
    masks[0, :4, :4] = masks[1, 7, 7] = 1
    maps[1, 7, 7] = 1
    assert metrics.aupro(maps, masks) == pytest.approx(0.5)


def test_values_at_random_have_half_the_limit():
    rng = np.random.default_rng(0)
    masks = rng.random((300, 16, 16)) < 0.1
    found = metrics.aupro(rng.random(masks.shape), masks, limit=0.3)
    assert found == pytest.approx(0.15, abs=0.012)
    assert metrics.aupro(rng.random(masks.shape), masks, limit=1) == pytest.approx(0.5, abs=0.02)


def test_overlap_left_without_one_image_is_that_of_the_others():
    maps, masks = example()
    scores = metrics.aupro_by_image(maps, masks)
    keep = np.arange(6) != 4
    whole, without = metrics.aupro(maps, masks), metrics.aupro(maps[keep], masks[keep])
    assert scores[4] == pytest.approx(6 * whole - 5 * without)


def test_maps_that_cannot_be_scored_are_refused():
    maps, masks = example()
    with pytest.raises(ValueError, match=r"\(N, H, W\)"):
        metrics.aupro(maps[0], masks[0])
    with pytest.raises(ValueError, match="finite"):
        metrics.aupro(np.where(masks, np.nan, maps), masks)
    with pytest.raises(ValueError, match="two images or more"):
        metrics.average_precision_by_image(maps, np.zeros_like(masks))


@pytest.mark.parametrize("limit", [0, -0.1, 30, float("nan")])
@pytest.mark.parametrize("measure", [metrics.aupro, metrics.aupro_by_image])
def test_a_limit_is_a_share_of_false_alarms(measure, limit):
    with pytest.raises(ValueError, match=f"`limit` is a share.* Received: limit={limit}"):
        measure(*example(), limit=limit)
