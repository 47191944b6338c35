"""Damage to label maps: how much, where, and what is known of it."""

import numpy as np
import pytest

from helpers.data import mask_damage, scenes

MASKS = scenes.label_maps(scenes.sample(400, 3, 32, (1, 2), (0.18, 0.25)), 32)


def rng():
    return np.random.default_rng(1)


def test_flips_change_the_share_and_each_other_class_equally_often():
    flipped = mask_damage.flips(MASKS, rng(), share=0.4).argmax(axis=-1)
    assert np.mean(flipped != MASKS) == pytest.approx(0.4, abs=0.005)
    steps = (flipped.astype(int) - MASKS)[flipped != MASKS] % mask_damage.CLASSES
    np.testing.assert_allclose(np.bincount(steps)[1:] / len(steps), 1 / 3, atol=0.01)
    same = mask_damage.flips(MASKS, rng(), share=0)
    np.testing.assert_array_equal(same, mask_damage.one_hot(MASKS))


def test_a_square_lies_around_a_pixel_of_an_object():
    inside = mask_damage.squares(MASKS, rng(), side=7)
    assert inside.sum(axis=(1, 2)).max() == 49
    for one, mask in zip(inside, MASKS):
        rows, columns = np.nonzero(one)
        top, left = rows.min(), columns.min()
        assert one[top : rows.max() + 1, left : columns.max() + 1].all()
        if one.sum() == 49:  # not cut at the border
            assert mask[top + 3, left + 3] > 0
        assert mask[one].any()
    assert mask_damage.squares(np.zeros((3, 32, 32), int), rng()).any(axis=(1, 2)).all()


def test_a_told_hole_is_unknown_and_an_untold_one_is_background_in_the_same_place():
    inside = mask_damage.squares(MASKS, rng())
    told, untold = mask_damage.told_hole(MASKS, rng()), mask_damage.untold_hole(MASKS, rng())
    np.testing.assert_array_equal(told.sum(axis=-1) == 0, inside)
    np.testing.assert_array_equal(untold.argmax(axis=-1), np.where(inside, 0, MASKS))
    assert (untold.sum(axis=-1) == 1).all()
    np.testing.assert_array_equal(told[~inside], mask_damage.one_hot(MASKS)[~inside])


def test_any_of_them_draws_all_three_and_is_a_function_of_the_generator():
    damaged = mask_damage.any_of_them(MASKS, rng())
    np.testing.assert_array_equal(damaged, mask_damage.any_of_them(MASKS, rng()))
    told = (damaged.sum(axis=-1) == 0).any(axis=(1, 2))
    wrong = (damaged.argmax(axis=-1) != MASKS).mean(axis=(1, 2))
    flipped = ~told & (wrong > 0.2)
    shares = [told.mean(), flipped.mean(), (~told & ~flipped).mean()]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.08)


def test_points_leave_a_share_of_right_pixels_scattered_anywhere():
    left = mask_damage.points(MASKS, rng(), share=0.2)
    known = left.sum(axis=-1) > 0
    assert known.mean() == pytest.approx(0.2, abs=0.005)
    np.testing.assert_array_equal(left[known], mask_damage.one_hot(MASKS)[known])
    np.testing.assert_allclose(known.mean(axis=0).mean(axis=0), 0.2, atol=0.02)  # no column
    np.testing.assert_allclose(known.mean(axis=0).mean(axis=1), 0.2, atol=0.02)  # nor row
    assert left.dtype == "float32" and not mask_damage.points(MASKS, rng(), share=0).any()


def test_a_network_that_is_trained_with_the_damage_does_not_see_points():
    assert list(mask_damage.KINDS) == ["flips", "hole, told", "hole, not told"]


@pytest.mark.parametrize("damage", [*mask_damage.KINDS.values(), mask_damage.points])
def test_maps_of_two_classes_get_two_channels(damage):
    two = (MASKS > 0).astype("uint8")
    damaged = damage(two, rng(), num_classes=2)
    assert damaged.shape == (400, 32, 32, 2)
    four = damage(two, rng())
    if damage is not mask_damage.flips:  # which other class it is depends on how many there are
        np.testing.assert_array_equal(damaged, four[..., :2])
    assert mask_damage.any_of_them(two, rng(), num_classes=2).shape == (400, 32, 32, 2)
