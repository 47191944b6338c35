"""Flaws drawn on pictures: seeded, inside their masks, and as strong as asked for."""

import numpy as np
import pytest

from helpers.data import damage


def grey(n, side=32):
    return np.full((n, side, side, 3), 128, "uint8")


def test_the_same_seed_draws_the_same_flaws_and_the_first_do_not_depend_on_the_rest():
    few, many = damage.damage(grey(4), seed=1), damage.damage(grey(9), seed=1)
    for a, b in zip(few, many):
        np.testing.assert_array_equal(a, b[:4])
    other = damage.damage(grey(4), seed=2)
    assert (other[1] != few[1]).any(axis=(1, 2)).all()


def test_the_kinds_take_turns_and_every_picture_has_a_small_flaw():
    pictures = grey(60)
    damaged, masks, kinds = damage.damage(pictures, seed=0)
    assert (pictures == 128).all() and damaged.dtype == masks.dtype == np.uint8
    assert kinds[:6].tolist() == [0, 1, 2, 0, 1, 2]
    size = masks.sum(axis=(1, 2))
    assert set(np.unique(masks)) == {0, 1} and size.min() >= 5 and size.max() < 100
    changed = (damaged != 128).any(axis=-1)
    assert changed[masks == 1].all()
    # Beyond the mask, only its soft border changes: its neighbours.
    wide = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
    near = sum(wide[:, 1 + i : 33 + i, 1 + j : 33 + j] for i in (-1, 0, 1) for j in (-1, 0, 1))
    assert not changed[near == 0].any()


def test_the_change_has_the_contrast_that_was_asked_for():
    damaged, masks, kinds = damage.damage(grey(90), seed=0, contrast=(0.2, 0.2), noise=0)
    for one, mask, kind in zip(damaged, masks, kinds):
        change = (one[mask == 1] / 255 - 128 / 255).astype("float64")
        strongest = np.sqrt((change**2).mean(axis=1)).max()
        assert strongest == pytest.approx(0.2, abs=0.005)
        if damage.KINDS[kind] == "scratch":  # lighter or darker, without a tint
            assert np.ptp(change, axis=1).max() < 0.005


def test_a_foreign_object_hides_what_is_below_and_the_others_keep_it():
    rng = np.random.default_rng(0)
    pictures = rng.integers(100, 156, (30, 128, 128, 3), dtype="uint8")
    damaged, masks, kinds = damage.damage(pictures, seed=0, contrast=(0.2, 0.2), noise=0)

    def spread(values):
        return np.median(abs(values - np.median(values, axis=0)))

    for one, before, mask, kind in zip(damaged, pictures, masks, kinds):
        inside = one[mask == 1].astype("float64")
        hides = damage.KINDS[kind] == "foreign"
        assert (spread(inside) < 2) == hides
        assert (spread(inside - before[mask == 1]) < 2) != hides


def test_of_two_changes_the_one_that_stays_in_range_is_taken():
    black = np.zeros((30, 32, 32, 3), "uint8")
    damaged, masks, _ = damage.damage(black, seed=0, contrast=(0.2, 0.2))
    assert all(one[mask == 1].mean() > 8 for one, mask in zip(damaged, masks))


@pytest.mark.parametrize("wrong", [grey(2).astype("float32"), grey(2)[..., 0], grey(2, side=8)])
def test_other_pictures_are_refused(wrong):
    with pytest.raises(ValueError, match="Received"):
        damage.damage(wrong)
