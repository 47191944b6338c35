"""helpers.experiments.photo_views: several views of a photograph, one answer."""

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import pyramids
from helpers.experiments import photo_views

RNG = np.random.default_rng(0)


def network(classes):
    """One 3×3 convolution, which does not treat left and right alike."""
    keras.utils.set_random_seed(3)
    layer = keras.layers.Conv2D(classes, 3, padding="same")
    return keras.Sequential([keras.Input((None, None, 3)), layer])


@pytest.mark.parametrize("classes", [1, 4])
def test_one_view_is_the_network_itself(classes):
    image = RNG.integers(0, 256, (16, 24, 3), "uint8")
    model = network(classes)
    logits = keras.ops.convert_to_numpy(model(image[None].astype("float32") / 255))[0]
    wanted = keras.activations.softmax(logits) if classes > 1 else 1 / (1 + np.exp(-logits))
    (found,) = photo_views.probabilities(model, [image], 8)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(wanted), atol=1e-5)


@pytest.mark.parametrize("values", [[0, 7, 9, 255], None])
def test_answers_for_many_photographs_compile_the_network_once(values, monkeypatch):
    made = []
    compiled = pyramids.compile_model
    monkeypatch.setattr(pyramids, "compile_model", lambda m: made.append(m) or compiled(m))
    photos = [RNG.integers(0, 256, (*size, 3), "uint8") for size in ((16, 24), (40, 9), (1, 50))]
    model = network(4 if values else 1)
    found = list(photo_views.as_drawn(model, iter(photos), 8, 32, values))
    assert [answer.shape for answer in found] == [(16, 24), (40, 9), (1, 50)]
    assert {answer.dtype for answer in found} == {np.dtype("uint8")} and len(made) == 1
    assert values is None or set(np.unique(np.concatenate(found, None))) <= set(values)


def test_the_mirror_image_is_turned_back():
    image = RNG.integers(0, 256, (16, 24, 3), "uint8")
    model = network(4)
    pair = [image, image[:, ::-1]]
    one, other = photo_views.probabilities(model, pair, 8, mirror=True)
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-5)
    (alone,) = photo_views.probabilities(model, [image], 8)
    assert np.abs(one - alone).max() > 1e-3


def ramp(height=32, width=48):
    down, right = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return (255 * np.stack([down, right, 1 - down], axis=-1)).astype("uint8")


def pointwise():
    keras.utils.set_random_seed(3)
    layer = keras.layers.Conv2D(4, 1)
    return keras.Sequential([keras.Input((None, None, 3)), layer])


def test_every_size_comes_back_to_its_place():
    """A network that sees one pixel says nearly the same of a smooth image at every size."""
    model, image = pointwise(), ramp()
    (alone,) = photo_views.probabilities(model, [image], 8)
    for scale in (0.5, 1.5):
        (found,) = photo_views.probabilities(model, [image], 8, [scale])
        assert found.shape == alone.shape and np.abs(found - alone).max() < 0.02
        np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)


def test_several_sizes_are_averaged():
    model, image = network(4), RNG.integers(0, 256, (16, 24, 3), "uint8")
    one, other, both = (
        next(photo_views.probabilities(model, [image], 8, scales))
        for scales in ([0.5], [1.5], [0.5, 1.5])
    )
    np.testing.assert_allclose(both, (one + other) / 2, atol=1e-6)


def test_the_network_is_compiled_once_for_all_images(monkeypatch):
    compiled = []
    real = pyramids.compile_model
    monkeypatch.setattr(pyramids, "compile_model", lambda m: compiled.append(m) or real(m))
    images = [RNG.integers(0, 256, (16, side, 3), "uint8") for side in (16, 24, 32)]
    found = list(photo_views.probabilities(network(4), images, 8, [0.5, 1.0], mirror=True))
    assert [one.shape[:2] for one in found] == [(16, 16), (16, 24), (16, 32)]
    assert len(compiled) == 1


def test_a_line_of_pixels_keeps_a_height(tmp_path):
    Image.new("RGB", (1000, 1)).save(tmp_path / "line.png")
    (photo,) = photo_views.photographs_to_show(str(tmp_path / "line.png"), 64)
    assert photo.shape == (1, 64, 3)
