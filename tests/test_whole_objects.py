"""Real pictures of one object count, other pictures do not, and both error rates are small."""

import numpy as np
import pytest

from helpers.data import shapes
from helpers.generative import whole_objects

EASY = {"size": 32, "radius": (0.18, 0.25), "contrast": (0.25, 0.6), "texture": 0.1,
        "noise": 0.02, "annotators": 1}  # fmt: skip


def _drawn(n=300, **options):
    return shapes.generate("val", n=n, **{"seed": 5, "objects": 1, **EASY, **options})


def test_nearly_every_picture_of_one_object_counts():
    drawn = _drawn()
    assert whole_objects.one_whole_object(drawn.images).mean() >= 0.97


@pytest.mark.parametrize("options", [{"objects": 2}, {"contrast": (0.02, 0.02)}])
def test_two_objects_or_none_do_not_count(options):
    assert whole_objects.one_whole_object(_drawn(**options).images).mean() <= 0.02


def test_a_mean_of_two_pictures_does_not_count():
    one = _drawn().images / 255
    assert whole_objects.one_whole_object((one + one[::-1]) / 2).mean() <= 0.1


def test_blurred_objects_do_not_count():
    from scipy import ndimage

    soft = ndimage.gaussian_filter(_drawn().images / 255, (0, 2.5, 2.5, 0))
    assert whole_objects.one_whole_object(soft).mean() <= 0.02


def test_fog_and_bare_grounds_do_not_count():
    from scipy import ndimage

    fog = ndimage.gaussian_filter(np.random.default_rng(0).random((50, 32, 32, 3)), (0, 3, 3, 0))
    bare = np.full((2, 32, 32, 3), 0.4)
    assert not whole_objects.one_whole_object(np.concatenate([fog, bare])).any()


def test_larger_pictures_count_as_well():
    assert whole_objects.one_whole_object(_drawn(60, size=64).images).mean() >= 0.95


def test_the_shape_is_named_and_outlined():
    drawn = _drawn(100)
    found = [whole_objects.outline(image) for image in drawn.images]
    kinds = np.array([f["kind"] for f in found])
    assert (kinds == np.array(drawn.class_names)[drawn.factors["class"]]).mean() >= 0.97
    for f, mask in zip(found, drawn.masks > 0):
        assert (f["mask"] & mask).sum() / (f["mask"] | mask).sum() > 0.7


def test_bytes_and_floats_say_the_same():
    images = _drawn(20).images
    said = [whole_objects.one_whole_object(x).tolist() for x in (images, images / np.float32(255))]
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((32, 32, 3)), "must be"),
        (np.full((1, 8, 8, 3), 1.2), "clip"),
        (np.full((1, 8, 8, 3), np.nan), "clip"),
    ],
)
def test_bad_input_is_named(images, message):
    with pytest.raises(ValueError, match=message):
        whole_objects.one_whole_object(images)


def test_modes_are_kinds_and_quarters():
    some = _drawn(60)
    modes = whole_objects.modes(some.images)
    assert modes.shape == (60,) and modes.min() >= 0 and modes.max() <= 11
    kinds = some.factors["class"] - 1
    assert (modes // 4 == kinds).mean() > 0.9
    turned = whole_objects.modes(some.images[:, ::-1, ::-1])
    assert (turned % 4 == 3 - modes % 4).mean() > 0.9  # the opposite quarter
    assert whole_objects.modes(np.full((1, 32, 32, 3), 0.5)).tolist() == [-1]


def test_a_survey_says_what_the_others_say_and_how_soft_outlines_are():
    from scipy import ndimage

    sharp = _drawn(40).images / 255
    blurred = ndimage.gaussian_filter(sharp, (0, 1.0, 1.0, 0))
    noisy = (sharp + 0.03 * np.random.default_rng(0).standard_normal(sharp.shape)).clip(0, 1)
    seen = {}
    for name, pictures in {"sharp": sharp, "blurred": blurred, "noisy": noisy}.items():
        seen[name] = whole_objects.survey(pictures)
        assert seen[name]["whole"].dtype == bool and seen[name]["soft"].shape == (40,)
        assert np.array_equal(seen[name]["mode"], whole_objects.modes(pictures))
        assert np.array_equal(seen[name]["whole"], whole_objects.one_whole_object(pictures))
    assert [float(s) for s in seen["sharp"]["soft"]] == [
        whole_objects.outline(image)["soft"] for image in sharp
    ]
    medians = {name: np.median(one["soft"]) for name, one in seen.items()}
    assert medians["blurred"] > 1.5 * medians["sharp"]
    assert medians["noisy"] == pytest.approx(medians["sharp"], rel=0.1)  # grain is no soft outline


def test_a_survey_takes_other_radii_and_pictures_of_one_colour():
    small = _drawn(40, radius=(0.11, 0.14)).images
    assert whole_objects.survey(small)["whole"].mean() < 0.1
    assert whole_objects.survey(small, radius=(0.11, 0.14))["whole"].mean() > 0.5
    bare = whole_objects.survey(np.full((1, 32, 32, 3), 0.5))
    assert not bare["whole"][0] and bare["mode"][0] == -1 and bare["soft"][0] == np.inf
