"""Classical detectors on equal terms: thin maps, blurs that suit, scales that spread."""

import numpy as np
import pytest

from helpers import edges


@pytest.fixture(scope="module")
def discs():
    """Two noisy discs with their outlines."""
    rng = np.random.default_rng(0)
    y, x = np.indices((48, 48))
    images, truth = [], []
    for centre in (20, 26):
        away = np.hypot(y - centre, x - 24)
        image = np.where(away < 12, 0.75, 0.25) + rng.normal(0, 0.15, away.shape)
        images.append(np.clip(image, 0, 1)[..., None])
        truth.append(edges.thin(np.abs(away - 12) < 0.8)[None])
    return images, truth


@pytest.mark.parametrize("name", edges.CLASSICS)
def test_maps_are_thin_and_graded(name, discs):
    scale = edges.steepest(name, discs[0], 2.0)
    maps = list(edges.classical_maps(name, discs[0], 2.0, scale, thresholds=9))
    assert len(maps) == 2
    for found in maps:
        assert found.shape == (48, 48)
        assert found.min() == 0
        assert 0.5 < found.max() <= 1
        assert np.mean(found > 0) < 0.45


def test_an_unknown_detector_is_named():
    with pytest.raises(ValueError, match="Prewitt"):
        next(edges.classical_maps("Prewitt", [np.zeros((8, 8))], 1.0, 1.0))


def test_steepest_knows_the_detectors_only():
    with pytest.raises(ValueError, match=r"must be one of .*Received: name='roberts'"):
        edges.steepest("roberts", [np.zeros((4, 4))], 1.0)


def test_steepest_is_the_quantile_of_the_slopes():
    ramp = np.tile(np.linspace(0, 1, 64), (64, 1))
    assert edges.steepest("Sobel", [ramp], 0.0, share=0.5) == pytest.approx(
        np.median(edges.gradient_magnitude(ramp))
    )


def test_maps_are_made_as_the_docstring_tells(discs):
    image = discs[0][0]
    for name, operator in (("Roberts", "roberts"), ("Sobel", "sobel")):
        slope = edges.gradient_magnitude(image, operator, 1.5, 0.2)
        for options in ({}, {"border": 4}):
            (found,) = edges.classical_maps(name, [image], 1.5, 0.2, **options)
            border = options.get("border", 0)
            np.testing.assert_array_equal(found, edges.nms(slope, border=border))
    (found,) = edges.classical_maps("Canny", [image], 1.5, 0.2)
    np.testing.assert_array_equal(found, edges.canny_levels(image, 1.5, 99, scale=0.2))


def test_one_pixel_in_a_thousand_is_steeper(discs):
    for name, operator in (("Roberts", "roberts"), ("Sobel", "sobel"), ("Canny", "sobel")):
        images = [discs[0][0], discs[0][1][:40]]  # of two sizes
        slopes = [edges.gradient_magnitude(i, operator, 1.5).ravel() for i in images]
        found = edges.steepest(name, images, 1.5)
        assert found == pytest.approx(np.quantile(np.concatenate(slopes), 0.999))
        assert (np.concatenate(slopes) > found).sum() == 5  # of 48 · 48 + 40 · 48
        assert type(found) is float


def test_the_blur_with_the_highest_score_is_taken(discs, monkeypatch):
    images, truth = discs
    seen = []

    def benchmark(maps, annotations, thresholds, max_distance):
        assert annotations is truth and thresholds == 19 and max_distance == 0.0075
        seen.append(next(iter(maps)))
        return edges.scores.score(np.array([0.5]), np.full((1, 1, 4), [1, 1, 1, 1 + len(seen) % 3]))

    monkeypatch.setattr("helpers.edges.classical.benchmark", benchmark)
    found = edges.tune_classical("Canny", images, truth)
    assert type(edges.tune_classical("Canny", images, truth, sigmas=[1])[0]) is float
    assert found == [2.0, edges.steepest("Canny", images, 2.0)]  # the third has the highest
    for width, maps in zip((0.5, 1.0, 2.0, 3.0, 1.0), seen, strict=True):
        scale = edges.steepest("Canny", images, width)
        np.testing.assert_array_equal(maps, edges.canny_levels(images[0], width, 19, scale=scale))


@pytest.mark.parametrize("name", edges.CLASSICS)
def test_noise_asks_for_blur(name, discs):
    options = {"sigmas": (0.3, 2.0), "thresholds": 9, "max_distance": 0.03}
    width, scale = edges.tune_classical(name, *discs, **options)
    assert width == 2.0
    assert scale == edges.steepest(name, discs[0], 2.0)

    def ods(width):
        setting = width, edges.steepest(name, discs[0], width)
        maps = edges.classical_maps(name, discs[0], *setting, thresholds=9)
        return edges.benchmark(maps, discs[1], 9, 0.03).ods

    assert ods(2.0) > ods(0.3)
