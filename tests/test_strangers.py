"""Usual pictures and strangers: the same scenes with one thing changed, flaws where the masks say."""

import numpy as np
import pytest
from PIL import Image

from helpers import data
from helpers.data import damage, scenes, strangers


def test_strangers_of_shapes_differ_in_one_thing():
    found = strangers.load("shapes", size=16, images=5, val_images=6, tuning_images=3, seed=2)
    assert found.train.shape == (5, 16, 16, 3) and found.usual.shape == (6, 16, 16, 3)
    assert found.train.dtype == found.x_tune.dtype == np.float32
    assert [len(x) for x in found.strange.values()] == [6] * 4

    def noise(x):  # of a ground that is the same
        return np.abs(np.diff(x, axis=1)).mean()

    flat, clean, noisy, damaged = found.strange.values()
    assert noise(clean) < noise(flat) < noise(noisy)
    same = data.load("shapes", "val", limit=6, seed=4, size=16, **scenes.CLEAR).images
    assert (found.textured == data.to_float(same)).all()
    assert np.abs(noisy - found.textured).mean() < 0.06  # the same scenes
    assert (found.flaws == np.arange(6) % len(damage.KINDS)).all()
    changed = np.abs(damaged - found.intact).max(axis=-1)
    assert changed[found.masks == 1].min() > 0 and changed[found.masks == 0].mean() < 0.01
    assert found.tuning_masks.shape == (3, 16, 16) and found.tuning_masks.any(axis=(1, 2)).all()


@pytest.mark.parametrize("with_masks", [True, False])
def test_strangers_of_ones_own(tmp_path, with_masks):
    rng = np.random.default_rng(0)
    for part, count in (("good", 20), ("bad", 4)):
        (tmp_path / part).mkdir()
        for i in range(count):
            picture = rng.integers(0, 256, (20, 20, 3), dtype="uint8")
            Image.fromarray(picture).save(tmp_path / part / f"{i:02}.png")
    if with_masks:
        (tmp_path / "masks").mkdir()
        for i in range(4):
            mask = np.zeros((20, 20), "uint8")
            mask[i : i + 5, 3:9] = 255
            Image.fromarray(mask).save(tmp_path / "masks" / f"{i:02}.png")
    found = strangers.load("folder", 16, 100, 3, 2, path=tmp_path)
    assert (len(found.train), len(found.level), len(found.usual)) == (12, 4, 3)
    assert list(found.strange) == ["bad"] and found.strange["bad"].shape == (3, 16, 16, 3)
    assert found.flaws is None and found.intact is None
    assert (found.masks is None) != with_masks
    if with_masks:
        assert found.masks.shape == (3, 16, 16) and found.masks.any(axis=(1, 2)).all()
    assert found.x_tune.shape == (2, 16, 16, 3) and found.tuning_masks.any(axis=(1, 2)).all()


def test_another_data_set_is_refused():
    with pytest.raises(ValueError, match="must be"):
        strangers.load("pets", 16, 5, 5, 5)
