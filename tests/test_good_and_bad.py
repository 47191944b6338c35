"""A folder of pictures without a flaw and of others to inspect."""

import numpy as np
import pytest
from own_images import save
from PIL import Image

from helpers.data import good_and_bad, strangers


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
    with pytest.raises(ValueError, match=r"five pictures or more.*Received: 1"):
        good_and_bad.load(tmp_path, (8, 8))


@pytest.mark.parametrize("place", ["bad/masks", "bad/images", "mask", "ground_truth/scratch"])
def test_pictures_that_would_be_passed_over_are_refused(tmp_path, place):
    make(tmp_path, masks=False)
    save(tmp_path / place / "0.png", np.zeros((16, 24), "uint8"))
    with pytest.raises(ValueError, match=r"these pictures are not read.*masks of the bad ones"):
        good_and_bad.load(tmp_path, (8, 8))


def test_a_mask_that_jpeg_has_changed_is_refused(tmp_path):
    make(tmp_path)
    (tmp_path / "masks" / "1.png").unlink()
    save(tmp_path / "masks" / "1.jpg", np.zeros((16, 24), "uint8"))
    with pytest.raises(ValueError, match="JPEG changes"):
        good_and_bad.load(tmp_path, (8, 8))


@pytest.mark.parametrize("inverted", [False, True])
def test_a_palette_tells_which_of_its_positions_is_black(tmp_path, inverted):
    make(tmp_path)
    wanted = good_and_bad.load(tmp_path, (16, 24)).masks
    for path in (tmp_path / "masks").iterdir():
        mask = np.asarray(Image.open(path))
        stored = Image.fromarray((mask == 0).astype("uint8") if inverted else mask)
        stored.putpalette([255] * 3 + [0] * 3 if inverted else [0] * 3 + [255] * 3 * 255)
        stored.save(path)
    assert np.array_equal(good_and_bad.load(tmp_path, (16, 24)).masks, wanted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda mask: 0 * mask, "no mask of 3 marks a pixel"),
        (
            lambda mask: np.where(mask, 0, 255),
            r"in each mask more than half.*100%.*black and white",
        ),
        (lambda mask: 10 * np.arange(24) + 0 * mask, r"1?\d\.png: has soft edges"),
    ],
)
def test_masks_that_mark_nothing_or_nearly_all_or_grades_are_refused(tmp_path, change, words):
    make(tmp_path)
    for path in (tmp_path / "masks").iterdir():
        save(path, change(np.asarray(Image.open(path)) // 255).astype("uint8"))
    with pytest.raises(ValueError, match=words):
        good_and_bad.load(tmp_path, (8, 8))


def test_fine_and_numbered_and_large_flaws_are_no_faults(tmp_path):
    make(tmp_path)
    fine = np.zeros((60, 60), "uint8")
    fine[::6] = 255  # each row of the small picture has one
    numbered = np.repeat(np.arange(30, dtype="uint8"), 120).reshape(60, 60)  # hard edges
    large = np.full((60, 60), 255, "uint8")
    for i, mask in enumerate((fine, numbered, large)):
        save(tmp_path / "bad" / f"{i}.png", np.zeros((60, 60, 3), "uint8"))
        save(tmp_path / "masks" / f"{i}.png", mask)
    found = good_and_bad.load(tmp_path, (10, 10)).masks
    assert found[0].all() and found[2].all() and found[1].mean() > 0.9
    assert good_and_bad.load(tmp_path, (10, 10), limit=1).masks.shape == (1, 10, 10)


def test_too_few_for_an_interval_are_refused_before_a_training(tmp_path):
    make(tmp_path)
    for i in (8, 9):
        (tmp_path / "good" / f"{i}.png").unlink()
    with pytest.raises(ValueError, match=r"nine in good/.*Received: 1 and 3"):
        strangers.from_folder(tmp_path, 8, 100, 100, 100)
