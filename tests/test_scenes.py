"""Scenes as lists of objects: their label maps are those that `shapes.generate` draws."""

import numpy as np

from helpers import metrics
from helpers.data import _shapes_draw, scenes, shapes

OPTIONS = {"size": 32, "objects": (1, 2), "radius": (0.18, 0.25)}


def test_label_maps_are_those_of_the_pictures():
    split = shapes.generate("val", n=40, seed=3, **OPTIONS)
    # The scenes of a split, drawn again as `shapes.generate` does.
    rng = np.random.default_rng([3, 1, 0]).spawn(3)[0]
    again = _shapes_draw.draw_scenes(rng, 100, 32, (1, 2), (0.18, 0.25), (0.12, 0.45), 3)
    np.testing.assert_array_equal(scenes.label_maps(again, 32)[:40], split.masks)


def test_scenes_are_a_function_of_the_seed_and_within_the_options():
    one, same, other = (scenes.sample(50, seed, **OPTIONS) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.x, same.x)
    assert not np.array_equal(one.x, other.x)
    there = one.shape > 0
    assert one.shape.shape == (50, 2) and there[:, 0].all() and 0 < there[:, 1].mean() < 1
    assert one.radius[there].min() >= 0.18 * 32 and one.radius.max() <= 0.25 * 32
    assert (one.rotation <= scenes.SYMMETRY[one.shape]).all()
    reach = scenes.REACH[one.shape] * one.radius
    assert (one.x >= reach)[there].all() and (one.x <= 31 - reach)[there].all()
    maps = scenes.label_maps(one, 32)
    assert maps.dtype == "uint8" and set(np.unique(maps)) == {0, 1, 2, 3}


def test_a_scene_with_other_places_has_another_map():
    one = scenes.sample(20, 0, **OPTIONS)
    moved = scenes.replaced(one, x=one.x + 1)
    maps, others = scenes.label_maps(one, 32), scenes.label_maps(moved, 32)
    np.testing.assert_array_equal(maps[:, :, :-1], others[:, :, 1:])
    assert 0.5 < metrics.mean_iou(maps, others, 4) < 0.95


def test_rounded_scenes_come_closer_with_more_steps():
    one = scenes.sample(200, 0, **OPTIONS)
    exact = scenes.label_maps(one, 32)
    ious = []
    for steps in ((1, 1, 1), (4, 1, 2), (16, 4, 16), (1000, 1000, 1000)):
        coarse = scenes.rounded(one, 32, OPTIONS["radius"], *steps)
        np.testing.assert_array_equal(coarse.shape, one.shape)
        ious.append(metrics.mean_iou(exact, scenes.label_maps(coarse, 32), 4))
    assert ious == sorted(ious) and ious[0] < 0.5 and ious[-1] > 0.99
    there = one.shape > 0
    assert len(np.unique(coarse.radius[there])) > 150
    coarse = scenes.rounded(one, 32, OPTIONS["radius"], places=4, radii=2, turns=1)
    assert len(np.unique(coarse.radius[there].round(9))) == 2
    squares = one.shape == 2
    np.testing.assert_allclose(coarse.rotation[squares], np.pi / 4)
