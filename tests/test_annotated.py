"""Batches of pictures with one annotator each."""

import numpy as np
import pytest

from helpers.data.annotated import Annotated


def two_people():
    images = np.random.default_rng(0).random((5, 6, 6, 3)).astype("float32")
    marks = images[..., 0] > 0.5
    return images, np.stack([marks, ~marks], axis=1)


def test_marks_turn_with_their_picture_and_are_of_one_person():
    images, annotations = two_people()
    seen, turned = set(), 0
    for x, y in (Annotated(images, annotations, 4, 20, seed=0)[i] for i in range(20)):
        assert x.shape == (4, 6, 6, 3) and y.shape == (4, 6, 6, 1) and y.dtype == "float32"
        for picture, marks in zip(x, y[..., 0] > 0):
            first = picture[..., 0] > 0.5
            assert np.array_equal(marks, first) or np.array_equal(marks, ~first)
            seen.add(bool(np.array_equal(marks, first)))
        turned += not any(np.array_equal(x[0], image) for image in images)
    assert seen == {True, False} and 0 < turned < 20


def test_a_batch_can_be_drawn_again_and_seeds_differ():
    images, annotations = two_people()
    one, again, other = (
        Annotated(images, annotations, 4, 3, seed=seed) for seed in ([0, 1], [0, 1], [0, 2])
    )
    assert len(one) == 3
    for a, b in zip(one[2], again[2]):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one[2][0], other[2][0]) and not np.array_equal(one[0][0], one[1][0])
    with pytest.raises(IndexError):
        one[3]


def test_only_pictures_that_are_given_are_seen():
    images, annotations = two_people()
    batches = Annotated(images[:1], annotations, 8, 5)
    assert all(np.isclose(x.mean(), images[0].mean()) for i in range(5) for x in batches[i][0])
    with pytest.raises(ValueError, match="same pictures"):
        Annotated(images, annotations[:4], 4, 3)
    with pytest.raises(ValueError, match="same pictures"):
        Annotated(images, annotations[..., :5], 4, 3)
