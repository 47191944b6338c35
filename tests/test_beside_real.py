"""Sets of draws beside real pictures, and bounds at one σ."""

import numpy as np
import pytest

from helpers import data, losses, metrics
from helpers.generative import beside_real, evaluator, whole_objects


def test_real_pictures_score_as_the_ruler_and_the_rule_say():
    easy = {"objects": 1, "radius": (0.18, 0.25), "contrast": (0.25, 0.6)}
    pictures = data.load("shapes", "val", limit=60, size=32, texture=0.1, noise=0.02, **easy)
    x, kinds = data.to_float(pictures.images), pictures.factors["class"] - 1
    ruler = evaluator.SampleEvaluator(x[:20], kinds[:20], x[:20], steps=2, batch_size=4)
    sets = x[20:].reshape(2, 20, 32, 32, 3)
    rows, shown = beside_real.score_sets(ruler, sets, whole=8)
    assert len(rows) == 2 and np.array_equal(shown, sets)
    assert rows[0]["precision"] == ruler.evaluate(sets[0])["precision"]
    assert all(row["whole"] >= 0.7 and row["recall"] == row["means"]["recall"] for row in rows)
    rows, shown = beside_real.score_sets(ruler, sets, sigma=0.1, whole=8)
    assert rows[0]["sharpness"] > 1.5 * rows[0]["means"]["sharpness"]
    assert shown.min() >= 0 and shown.max() <= 1 and np.std(shown - sets) > 0.05


def test_bytes_stay_in_their_own_interval():
    images = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    x = beside_real.dequantised(images)
    assert np.array_equal(np.floor(x.astype("float64") * 256), images) and len(np.unique(x)) == 256


def test_another_sigma_is_as_computed_anew():
    rng = np.random.default_rng(0)
    x, mean = rng.random((2, 3, 4, 4, 1)).astype("float32")
    ours, theirs = (-np.asarray(losses.gaussian_nll(x, mean, np.log(s))) for s in (0.1, 0.3))
    np.testing.assert_allclose(beside_real.at_sigma(ours, 16, 0.1, 0.3), theirs, rtol=1e-4)


def test_bounds_stand_beside_each_other():
    bounds = {"a": (np.array([5.0, 7.0]), np.array([1.0, 1.0]), 0.1)}
    row = beside_real.bounds_beside(bounds, 0.1, 12)["a"]
    assert row["bound"][0] == pytest.approx(5) == row["common"][0]
    other = beside_real.bounds_beside(bounds, 0.2, 12)["a"]["common"][0]
    assert other == pytest.approx(beside_real.at_sigma([6.0], 12, 0.1, 0.2)[0] - 1)
    assert row["latents"] == (1.0, 0.0) and row["sigma"] == 0.1
    assert row["bits"] == pytest.approx(8 - 5 / (12 * np.log(2)))
    text = beside_real.bounds_table(beside_real.bounds_beside(bounds, 0.1, 12))
    head, line = text.splitlines()
    assert head.split("  ")[-1].strip() == "bits per dim."
    assert line.split() == ["a", "5", "±", "13", "1", "±", "0", "5", "±", "13", "0.1000", "7.399"]


def test_intervals_are_over_the_sets_of_each_model():
    scores = {"a": [{"x": 1.0, "y": 5.0}, {"x": 3.0, "y": 5.0}], "b": [{"x": 0.0, "y": 1.0}] * 2}
    found = beside_real.intervals(scores, {"y": "why", "x": "eks"})
    assert list(found) == ["why", "eks"] and list(found["eks"]) == ["a", "b"]
    assert found["eks"]["a"] == metrics.confidence_interval([1.0, 3.0])
    assert found["why"] == {"a": (5.0, 0.0), "b": (1.0, 0.0)}


def test_a_blur_has_the_width_that_it_says():
    # The variance of the picture of one point, along each axis, is the square of the width.
    point = np.zeros((1, 32, 24, 2))
    point[0, 16, 12] = 1
    away_down, away_across = np.arange(32)[:, None] - 16, np.arange(24) - 12
    for width in (0.4, 1.5):
        soft = beside_real.blurred(point / 2, width)
        assert soft.dtype == "float32" and soft.shape == point.shape
        if width > 1:  # a narrower one has waves around it, which are cut at 0
            share = soft[0, ..., 1] / soft[0, ..., 1].sum()
            assert (share * away_down**2).sum() == pytest.approx(width**2, rel=1e-3)
            assert (share * away_across**2).sum() == pytest.approx(width**2, rel=1e-3)
    rng = np.random.default_rng(0)
    smooth = beside_real.blurred(rng.random((2, 16, 16, 1)), 1.0)  # nothing is cut from here on
    np.testing.assert_allclose(beside_real.blurred(smooth, 0), smooth, atol=1e-6)
    twice = beside_real.blurred(beside_real.blurred(smooth, 0.3), 0.4)
    np.testing.assert_allclose(twice, beside_real.blurred(smooth, 0.5), atol=1e-6)
    with pytest.raises(ValueError, match="width=-1"):
        beside_real.blurred(smooth, -1)


def test_softness_is_that_of_the_outline_and_grows_with_a_blur():
    easy = {"objects": 1, "radius": (0.18, 0.25), "contrast": (0.25, 0.6)}
    clean = data.load("shapes", "val", limit=12, size=32, texture=0.0, noise=0.0, **easy)
    x = data.to_float(clean.images)
    soft = beside_real.softness(x)
    assert soft.shape == (12,) and soft[3] == whole_objects.outline(x[3])["soft"]
    outside = 3 * x - 1
    cut = beside_real.softness(outside.clip(0, 1))
    assert np.array_equal(beside_real.softness(outside), cut)
    means = [beside_real.softness(beside_real.blurred(x, s)).mean() for s in (0, 0.5, 1.0)]
    assert means[0] + 0.3 < means[1] < means[2] - 0.3


def test_look_is_sharpness_and_the_softness_of_what_has_an_outline():
    easy = {"objects": 1, "radius": (0.18, 0.25), "contrast": (0.25, 0.6)}
    pictures = data.load("shapes", "val", limit=12, size=32, texture=0.1, noise=0.02, **easy)
    x, kinds = data.to_float(pictures.images), pictures.factors["class"] - 1
    ruler = evaluator.SampleEvaluator(x, kinds, x[:6], steps=1, batch_size=4)
    sharpness, mean, half = beside_real.look(ruler, x, count=5)
    assert sharpness == ruler.evaluate(x)["sharpness"]
    assert (mean, half) == metrics.confidence_interval(beside_real.softness(x[:5]))
    flat = np.full_like(x[:1], 0.5)
    again = beside_real.look(ruler, np.concatenate([flat, x]), count=6)
    assert again[1:] == (mean, half)
    assert all(np.isnan(beside_real.look(ruler, np.repeat(flat, 5, axis=0))[1:]))


def test_differences_are_one_minus_the_other_set_by_set():
    scores = {"a": [{"x": 1.0}, {"x": 3.0}], "b": [{"x": 0.0}, {"x": 1.0}]}
    expected = metrics.confidence_interval([1.0, 2.0])
    assert beside_real.differences(scores, "a", "b", ["x"]) == {"x": expected}
    assert beside_real.differences(scores, "b", "a", ["x"])["x"][0] == -expected[0]


def test_blocks_have_scores_of_their_own_and_a_block_of_real_pictures_each():
    easy = {"objects": 1, "radius": (0.18, 0.25), "contrast": (0.25, 0.6)}
    pictures = data.load("shapes", "val", limit=100, size=32, texture=0.1, noise=0.02, **easy)
    x, kinds = data.to_float(pictures.images), pictures.factors["class"] - 1
    ruler = evaluator.SampleEvaluator(x[:20], kinds[:20], x[:20], steps=2, batch_size=4)
    real, drawn = x[20:60], x[60:].copy()
    rng = np.random.default_rng(0)
    drawn[:20] = (drawn[:20] + 0.1 * rng.standard_normal(drawn[:20].shape)).clip(0, 1)
    rows, modes = beside_real.block_scores(ruler, real, drawn, blocks=2)
    assert len(rows) == 2 and np.array_equal(modes, whole_objects.modes(drawn))
    for name, scores in ruler.compare(real, drawn, 2).items():
        assert [row[name] for row in rows] == scores
    for row, block in zip(rows, (slice(20), slice(20, 40))):
        seen = whole_objects.survey(drawn[block])
        energy = [metrics.gradient_energy(a[block]).mean() for a in (drawn, real)]
        assert row["whole"] == pytest.approx(seen["whole"].mean())
        assert row["soft"] == pytest.approx(np.median(seen["soft"]))
        assert row["sharpness"] == pytest.approx(energy[0] / energy[1])
    assert rows[0]["sharpness"] > 2 * rows[1]["sharpness"]
    assert "sharpness" in metrics.score_table({"drawn": rows}, list(rows[0]))

    fewer, modes = beside_real.block_scores(ruler, real, drawn[:30], blocks=2)
    assert len(fewer) == 1 and len(modes) == 20
    with pytest.raises(ValueError, match="Received: 10 pictures"):
        beside_real.block_scores(ruler, real, drawn[:10], blocks=2)
