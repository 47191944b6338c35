"""The label maps of notebook 14: whose they are, and that what is scored was not learned from."""

import numpy as np
import pytest

from helpers import data
from helpers.data.stream import FreshMasks
from helpers.experiments import mask_sets


def test_shapes_come_as_the_notebook_of_segments_has_them():
    found = mask_sets.load("shapes", 32, seed=3, val_images=5, tuning=10)
    options = {"size": 32, "seed": 3, **data.scenes.CLEAR}
    expected = data.load("shapes", "val", limit=5, **options)
    np.testing.assert_array_equal(found.val.images, expected.images)
    np.testing.assert_array_equal(found.val.masks, expected.masks)
    assert len(found.train.masks) == mask_sets.SHAPES and len(found.class_names) == 4


def test_drawn_maps_of_shapes_are_new_and_a_function_of_the_seed():
    found = mask_sets.load("shapes", 32, seed=0, val_images=50, tuning=10)
    drawn = found.draw(300, seed=0)
    np.testing.assert_array_equal(drawn, found.draw(300, seed=0))
    known = np.concatenate([found.train.masks, found.val.masks]).reshape(-1, 1024)
    every = np.concatenate([drawn.reshape(-1, 1024), known])
    assert len(np.unique(every, axis=0)) == 300 + len(np.unique(known, axis=0))
    assert np.mean(drawn > 0) == pytest.approx(np.mean(found.train.masks > 0), abs=0.02)


@pytest.fixture
def pets(monkeypatch):
    """Each map of this set has a square of its own size, of class 0, on the background 1."""

    def load(name, split, *, size, limit=None):
        assert name == "pets" and split in ("train", "val")
        count = 12 if split == "train" else limit
        masks = np.ones((count, *size), "uint8")
        for i, mask in enumerate(masks):
            mask[8 : 12 + i, 8 : 12 + i] = 0
            mask[8, 8] = 2
        images = np.zeros((count, *size, 3), "uint8")
        return data.Dataset(name=name, split=split, images=images, masks=masks, class_names="abc")

    monkeypatch.setattr(mask_sets.data, "load", load)
    return mask_sets.load("pets", 32, seed=0, val_images=4, tuning=3)


def test_the_background_of_the_pets_is_class_0(pets):
    assert pets.class_names == pets.val.class_names == ("background", "pet", "border")
    for i, mask in enumerate(pets.val.masks):
        assert mask[8, 8] == 2 and mask[0, 0] == 0
        assert (mask == 1).sum() == (4 + i) ** 2 - 1


def test_maps_for_tuning_are_not_drawn_from(pets, monkeypatch):
    taken = []
    monkeypatch.setattr(mask_sets, "varied", lambda masks, count, seed: taken.append(masks))
    pets.draw(5, seed=0)
    np.testing.assert_array_equal(taken[0], pets.train.masks[:9])


def test_varied_maps_are_mirrored_zoomed_and_moved_and_nothing_else():
    masks = np.zeros((2, 32, 32), "uint8")
    masks[0, 10:20, 8:12] = 1  # left of the middle
    masks[1, 10:20, 8:12] = 2
    drawn = mask_sets.varied(masks, 400, seed=1)
    np.testing.assert_array_equal(drawn, mask_sets.varied(masks, 400, seed=1))
    assert drawn.dtype == np.uint8
    kinds = drawn.max(axis=(1, 2))
    assert set(kinds) == {1, 2} and 0.4 < np.mean(kinds == 1) < 0.6
    heights = (drawn > 0).any(axis=2).sum(axis=1)
    assert heights.min() == 8 and heights.max() in (12, 13)  # 10 pixels by 0.8 to 1.25
    centres = np.array([np.argwhere(one).mean(axis=0) for one in drawn])
    left = centres[:, 1] < 15.5
    assert 0.4 < left.mean() < 0.6
    assert np.ptp(centres[:, 0]) > 5 and abs(centres[:, 0] - 14.5).max() < 5
    both = centres[left, 1].mean() + centres[~left, 1].mean()
    assert both == pytest.approx(31, abs=0.5)  # mirrored at the middle


def test_fresh_batches_can_be_drawn_from_such_a_function(pets):
    stream = FreshMasks(6, 3, seed=2, draw=pets.draw, num_classes=3)
    (x,) = stream[1]
    assert x.shape == (6, 32, 32, 3) and (x.sum(axis=-1) == 1).all()
    np.testing.assert_array_equal(stream[1][0], x)
    assert len(np.unique(np.concatenate([x, stream[0][0]]).reshape(12, -1), axis=0)) == 12
