"""The evaluator learns its classes, finds no fault with real pictures, and orders known faults."""

import numpy as np
import pytest
from corruptions import corruptions

from helpers import data
from helpers.generative import evaluator


@pytest.fixture(scope="module")
def halves():
    options = {"objects": 1, "radius": (0.2, 0.25), "contrast": (0.3, 0.45), "texture": "flat"}
    some = data.load("shapes", "train", limit=600, size=16, annotators=1, **options)
    return data.to_float(some.images), some.factors["class"] - 1


@pytest.fixture(scope="module")
def sample_evaluator(halves):
    x, labels = halves
    return evaluator.SampleEvaluator(x[:400], labels[:400], x[400:500], steps=60, batch_size=16)


def test_it_knows_more_than_chance(sample_evaluator, halves):
    x, labels = halves
    assert (
        sample_evaluator.num_classes == 3
        and sample_evaluator.accuracy(x[:400], labels[:400]) > 0.45
    )


def test_corruptions_are_worse_than_no_fault(sample_evaluator, halves):
    x, labels = halves
    good = sample_evaluator.evaluate(x[500:])
    made = {n: sample_evaluator.evaluate(a) for n, a in corruptions(x[500:], labels[500:]).items()}
    assert {"distance", "precision", "recall", "variety", "sharpness"} < set(good)
    assert good["kinds"].sum() == pytest.approx(1)
    for name in ("blurred", "mean picture", "pure noise", "ten pictures"):
        assert made[name]["distance"] > good["distance"], name
    assert made["ten pictures"]["recall"] < 0.5 * good["recall"]
    assert made["mean picture"]["variety"] == pytest.approx(0, abs=1e-3)
    assert made["blurred"]["sharpness"] < 1 < made["pure noise"]["sharpness"]


def test_a_diverged_generator_is_scored_and_not_an_error(sample_evaluator, halves):
    row = sample_evaluator.evaluate(np.full_like(halves[0][:100], np.nan))
    assert np.isfinite(row["distance"]) and row["variety"] < 0.01


def test_blocks_are_compared_one_by_one(sample_evaluator, halves):
    x, _ = halves
    by_block = sample_evaluator.compare(x[:90], x[100:200], blocks=3)
    assert set(by_block) == {"distance", "precision", "recall"}
    assert [len(scores) for scores in by_block.values()] == [3, 3, 3]
    one = sample_evaluator.compare(x[30:60], x[130:160])
    for name, scores in by_block.items():
        assert one[name][0] == pytest.approx(scores[1], abs=1e-4), name
    assert len(sample_evaluator.compare(x[:90], x[100:170], blocks=3)["recall"]) == 2
    with pytest.raises(ValueError, match=r"of 30 pictures each.*Received: 20 pictures"):
        sample_evaluator.compare(x[:90], x[100:120], blocks=3)
