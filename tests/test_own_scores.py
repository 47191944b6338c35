"""A score is compared with the floor picture by picture, and files are read back before they are told."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import data, metrics
from helpers.experiments import own_scores


def squares(n, sizes=((16, 16),)):
    """Pictures whose red value tells the class: a square at one of three places, and a void row."""
    images, masks = [], []
    for i in range(n):
        mask = np.zeros(sizes[i % len(sizes)], "uint8")
        mask[4:12, 2 * (i % 3) : 2 * (i % 3) + 8] = 1
        mask[0] = 2  # not labelled
        images.append(100 * np.repeat(mask[..., None], 3, axis=-1))
        masks.append(mask)
    if len(sizes) == 1:
        images, masks = np.array(images), np.array(masks)
    return data.Dataset("mine", "val", images, masks, ("ground", "thing"), ignore_class=2)


def reads_the_mask(bias):
    """A network that says 1 where red is bright; `bias` is added to the logit of the ground."""
    image = keras.Input((None, None, 3))
    network = keras.Model(image, layers.Conv2D(2, 1)(image))
    kernel = np.zeros((1, 1, 3, 2), "float32")
    kernel[0, 0, 0] = [-10, 10]
    network.layers[-1].set_weights([kernel, np.array([4 + bias, 0], "float32")])
    return network


def test_the_layout_is_the_most_common_class_at_each_place():
    part = squares(9)
    maps, name = own_scores.layout(part, part)
    wanted = np.zeros((16, 16), int)
    wanted[4:12, 2:10] = 1  # in two of three places, or in all
    assert name == "layout" and len(maps) == 9
    np.testing.assert_array_equal(maps[5], wanted)


def test_pictures_of_several_sizes_have_one_class_everywhere():
    part = squares(4, sizes=((16, 16), (16, 24)))
    maps, name = own_scores.layout(part, part)
    assert name == "one class everywhere"
    assert [one.shape for one in maps] == [(16, 16), (16, 24)] * 2
    assert not np.concatenate(maps, axis=1).any()  # the ground; void is no class


def test_the_score_above_the_floor_has_the_interval_of_the_differences():
    part = squares(9)
    told, answers, by_picture = own_scores.score_segments(reads_the_mask(0), part, part, 8)
    assert told["mean_iou"] == pytest.approx([1, 0]) and by_picture.shape == (9,)
    floor = metrics.mean_iou_by_image(part.masks, own_scores.layout(part, part)[0], 2, 2)
    assert told["floor"] == pytest.approx(floor.mean()) and told["floor_is"] == "layout"
    assert told["above_floor"] == pytest.approx(list(metrics.confidence_interval(1 - floor)))
    assert "floor (layout)" in told["line"] and ", above it: +0." in told["line"]
    np.testing.assert_array_equal(answers[0][1:], part.masks[0][1:])


def test_a_network_that_says_the_floor_is_not_said_to_be_above_it():
    part = squares(4, sizes=((16, 16), (16, 24)))
    told, *_ = own_scores.score_segments(reads_the_mask(99), part, part, 8)
    assert told["above_floor"] == pytest.approx([0, 0]) and "not shown to be above" in told["line"]
    told = own_scores._line("ODS", [0.3, 0.1], {**told, "above_floor": [-0.2, 0.1]})
    assert "below it: -0.200 ± 0.100" in told


def test_edges_are_compared_with_sobel_on_the_same_pictures():
    lines = np.zeros((4, 1, 24, 24), "uint8")
    images = np.full((4, 24, 24, 3), 60, "uint8")
    for i in range(4):
        images[i, :, 8 + i :] = 180
        lines[i, 0, :, 8 + i] = 1
    part = data.Dataset("mine", "val", images, edges=255 * lines[:, 0], annotations=list(lines))
    image = keras.Input((None, None, 3))
    bright = layers.Conv2D(1, (1, 3), padding="same", use_bias=False)(image)
    network = keras.Model(image, bright)
    kernel = np.zeros((1, 3, 3, 1), "float32")
    kernel[0, 0], kernel[0, 2] = -2, 2
    network.layers[-1].set_weights([kernel])
    told, maps, by_picture = own_scores.score_edges(network, part, part, 8)
    assert told["floor_is"] == "Sobel" and len(maps) == len(by_picture) == 4
    assert told["above_floor"][0] == pytest.approx(told["ods"][0] - told["floor"])
    assert told["line"].startswith("ODS ")


def test_a_network_that_answers_otherwise_when_read_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="answers otherwise"):
        own_scores._same(np.ones(2), np.array([1.0, 1.1]), tmp_path)
    with pytest.raises(RuntimeError, match="answers otherwise"):
        own_scores._same(np.array([np.nan]), np.ones(1), tmp_path)


def test_answers_may_differ_by_a_share_of_the_largest(tmp_path):
    own_scores._same(np.array([100.0, 0.005]), np.array([100.0, 0.0]), tmp_path)
    with pytest.raises(RuntimeError, match="answers otherwise"):
        own_scores._same(np.array([1.0, 0.005]), np.array([1.0, 0.0]), tmp_path)


def test_a_network_is_written_and_read_back(tmp_path):
    image = keras.Input((None, None, 3))
    network = keras.Model(image, layers.Conv2D(2, 3, padding="same")(image))
    told = own_scores.save(network, tmp_path, np.zeros((10, 13, 3), "uint8"), multiple=8)
    assert (tmp_path / "network.keras").exists()
    assert (tmp_path / "export").exists() == (told["export"] == "SavedModel")
