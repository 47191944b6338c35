"""A folder of pictures without a flaw and of others to inspect."""

import numpy as np
import pytest
from own_images import save

from helpers.data import good_and_bad


def make(path, masks=True):
    for i in range(10):
        save(path / "good" / f"{i}.png", np.full((16, 24, 3), 10 * i, "uint8"))
    for i in range(3):
        save(path / "bad" / f"{i}.png", np.full((16, 24, 3), 200 + i, "uint8"))
        mask = np.zeros((16, 24), "uint8")
        mask[4 * i, 5] = 255 if i else 1  # one pixel
        if masks:
            save(path / "masks" / f"{i}.png", mask)
    return path


def test_good_pictures_have_splits_and_bad_ones_their_masks(tmp_path):
    found = good_and_bad.load(make(tmp_path), (8, 8))
    assert [len(x) for x in (found.train, found.val, found.test, found.bad)] == [6, 2, 2, 3]
    together = np.concatenate([found.train, found.val, found.test])[:, 0, 0, 0] * 255
    assert sorted(together.round()) == [10 * i for i in range(10)]
    assert found.bad.shape == (3, 8, 8, 3) and found.bad.dtype == "float32"
    assert np.allclose(found.bad[:, 0, 0, 0] * 255, [200, 201, 202])
    # A single odd pixel is not lost when the mask is made smaller.
    assert [np.argwhere(m).tolist() for m in found.masks] == [[[0, 1]], [[2, 1]], [[4, 1]]]


def test_masks_may_be_missing_altogether_but_not_one_of_them(tmp_path):
    assert good_and_bad.load(make(tmp_path / "a", masks=False), (8, 8)).masks is None
    make(tmp_path / "b")
    (tmp_path / "b" / "masks" / "1.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"nothing for the image '1\.png'"):
        good_and_bad.load(tmp_path / "b", (8, 8))


def test_what_is_missing_is_named(tmp_path):
    save(tmp_path / "good" / "a.png")
    with pytest.raises(FileNotFoundError, match=r"needs the folders good/.*Missing: bad"):
        good_and_bad.load(tmp_path, (8, 8))
    with pytest.raises(FileNotFoundError, match="needs the folders good/"):
        good_and_bad.load("", (8, 8))
    save(tmp_path / "bad" / "b.png")
    with pytest.raises(ValueError, match="only 1 images"):
        good_and_bad.load(tmp_path, (8, 8))
