"""helpers.data.scaled: pictures, masks and drawings brought to a longest side together."""

import numpy as np
import pytest

from helpers import data
from helpers.data import scaled


def pictures(*shapes):
    """Pictures of black and white halves, with their masks and outlines."""
    masks = [np.zeros(shape, "uint8") for shape in shapes]
    lines = [np.zeros((1, *shape), "uint8") for shape in shapes]
    for mask, line in zip(masks, lines):
        mask[:, mask.shape[1] // 2 :] = 3
        line[:, :, mask.shape[1] // 2] = 1
    images = [np.repeat(80 * mask[..., None], 3, axis=-1) for mask in masks]
    edges = [255 * line[0] for line in lines]
    return data.Dataset("own", "val", images, masks, edges=edges, annotations=lines)


def test_the_longest_side_is_what_was_asked_for_and_all_stay_together():
    small = scaled.at_most(pictures((40, 80), (60, 30), (10, 20)), 40)
    shapes = [(20, 40), (40, 20), (10, 20)]
    for image, mask, edge, drawn in zip(small.images, small.masks, small.edges, small.annotations):
        assert image.shape[:2] == mask.shape == edge.shape == drawn.shape[1:] == shapes.pop(0)
        assert set(np.unique(mask)) == {0, 3}
        assert edge.max() == 255 and (drawn.max(axis=(0, 1)) > 0).any()
        np.testing.assert_array_equal(image[..., 0] > 120, mask == 3)


def test_a_set_without_masks_or_drawings_keeps_none():
    whole = pictures((40, 80))
    bare = scaled.at_most(data.Dataset("own", "val", whole.images), 20)
    assert bare.masks is None and bare.annotations is None
    assert bare.images[0].shape == (10, 20, 3)


def test_segments_and_edges_without_drawings_come_along():
    whole = pictures((40, 80))
    segments = [np.stack([256 + whole.masks[0].astype("uint16"), whole.masks[0].astype("uint16")])]
    small = scaled.at_most(
        data.Dataset("own", "val", whole.images, edges=whole.edges, segmentations=segments), 20
    )
    assert small.segmentations[0].dtype == "uint16" and small.edges[0].shape == (10, 20)
    np.testing.assert_array_equal(small.segmentations[0], segments[0][:, 2::4, 2::4])
    assert small.edges[0].max() == 255


@pytest.mark.parametrize("size", [(480, 640), (1, 900), (7, 3)])
def test_no_side_is_longer_and_none_vanishes(size):
    fitted = scaled.fitting(size, 32)
    assert max(fitted) <= 32 and min(fitted) >= 1


@pytest.mark.parametrize("side", [64, 16])
def test_one_drawing_with_strengths_keeps_them(side):
    whole = pictures((32, 32))
    whole.edges[0][:, 16] = 100
    kept = scaled.at_most(whole, side).edges[0]
    assert set(np.unique(kept)) == {0, 100}
