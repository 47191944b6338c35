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
    bounds = {"a": (np.array([5.0, 7.0]), np.array([1.0, 1.0]))}
    row = beside_real.bounds_beside(bounds, {"a": 0.1}, 0.1, 12)["a"]
    assert row["bound"][0] == pytest.approx(5) == row["common"][0]
    assert row["latents"] == (1.0, 0.0) and row["sigma"] == 0.1
    assert row["bits"] == pytest.approx(8 - 5 / (12 * np.log(2)))


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
