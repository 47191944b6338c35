"""Scores of drawn answers, what perfect answers get, and the words that are allowed."""

import numpy as np
import pytest

from helpers import data, metrics
from helpers.data.ambiguous import twenty_annotators, with_all_interpretations
from helpers.uncertainty import evaluation

DRAWS = 400  # as in notebook 12


@pytest.fixture(scope="module")
def people():
    """What twenty people mark in pictures of notebook 12, each `(20, H, W)`."""
    drawing = {"size": 32, "objects": (2, 3), "radius": (0.15, 0.25), "texture": 0.15}
    pictures = data.load("shapes", "val", limit=40, **drawing)
    return list(twenty_annotators(with_all_interpretations(pictures, 8)))


@pytest.fixture(scope="module")
def scores(people):
    """Of a perfect latent under three seeds, and of the perfect map: `{measure: (3, N)}` each."""
    drawn = [evaluation.perfect_latent(people, DRAWS, seed) for seed in range(3)]
    runs = [evaluation.score_samples(*one, people) for one in drawn]
    latent = {key: np.stack([run[key] for run in runs]) for key in evaluation.BETTER}
    one = evaluation.score_samples(*evaluation.perfect_map(people), people)
    return latent, {key: np.stack([values] * 3) for key, values in one.items()}


def test_a_perfect_latent_is_better_or_level_in_every_measure(scores):
    found = evaluation.compare({"latent − map": scores})["latent − map"]
    assert {key: row["word"] for key, row in found.items()} == {
        "nll": "better",
        "ged": "better",
        "matched": "better",
        "brier": "level",
    }
    (latent, one) = scores
    turned = evaluation.compare({"map − latent": (one, latent)})["map − latent"]
    assert [row["word"] for row in turned.values()] == ["worse", "worse", "worse", "level"]


def test_a_perfect_latent_has_no_distance_and_the_entropy_of_its_readings(scores):
    latent, one = scores
    assert latent["nll"] == pytest.approx(-sum(p * np.log(p) for p in (0.4, 0.35, 0.25)))
    assert abs(latent["ged"].mean()) < 0.01 < one["ged"].mean()
    assert latent["matched"].mean() > 0.9


def test_few_draws_change_neither_brier_score_nor_distance_on_average(people):
    marks = people[:2]
    ideal = evaluation.score_samples(*evaluation.perfect_map(marks), marks)["brier"]
    drawn = [evaluation.perfect_latent(marks, 5, seed) for seed in range(200)]
    few = [evaluation.score_samples(*one, marks) for one in drawn]
    for key, true in (("brier", ideal), ("ged", 0.0)):
        values = np.stack([row[key] for row in few])  # (200, 2)
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        assert (np.abs(values.mean(axis=0) - true) < 4 * error).all(), key
    raw = [metrics.brier(m.mean(axis=0), marks[0].mean(axis=0)) for (m, *_), _ in drawn]
    assert np.mean(raw) > metrics.brier(*2 * [marks[0].mean(axis=0)]) * 1.05  # what is taken off


def test_no_other_map_has_fewer_nats_than_the_share(people):
    _, nll = evaluation.perfect_map(people)
    rng = np.random.default_rng(0)
    for marks, least in zip(people, nll):
        share = marks.mean(axis=0)
        other = np.clip(share + rng.normal(0, 0.05, share.shape), 0.01, 0.99)
        assert metrics.pixelwise_nll(other, marks).mean() > least


def test_wrong_answers_have_worse_scores(people):
    maps, nll = evaluation.perfect_latent(people, 20)
    good = evaluation.score_samples(maps, nll, people)
    bad = evaluation.score_samples([1 - m for m in maps], nll, people)
    for key, sign in evaluation.BETTER.items():
        if key != "nll":
            assert (sign * good[key] > sign * bad[key]).all(), key
    with pytest.raises(ValueError, match="same pictures"):
        evaluation.score_samples(maps[1:], nll, people)


def test_the_threshold_is_the_one_with_the_least_distance():
    marks = np.zeros((1, 1, 8, 8), "uint8")
    marks[..., :4] = 1
    maps = np.where(marks > 0, 0.42, 0.33)
    assert 0.33 < evaluation.best_threshold(maps, marks) <= 0.42


def test_the_words_by_hand():
    rng = np.random.default_rng(0)
    one = {"nll": rng.normal(10, 0.1, (3, 30)), "matched": rng.normal(0.5, 0.1, (3, 30))}
    other = {
        "nll": one["nll"] + rng.normal(2, 0.1, (3, 30)),
        "matched": one["matched"] + rng.normal(0, 0.1, (3, 30)),
    }
    found = evaluation.compare({"a": (one, other), "b": (other, one)})
    assert found["a"]["nll"]["word"] == "better" and found["a"]["nll"]["gain"] > 0
    assert found["b"]["nll"]["word"] == "worse" and found["a"]["matched"]["word"] == "level"
    p = [metrics.crossed_p_value(sign * (one["nll"] - other["nll"])) for sign in (-1, 1)]
    assert found["a"]["nll"]["p"] >= p[0]  # corrected for four comparisons
    single = {key: values[:1, :1] for key, values in one.items()}
    alone = evaluation.compare({"a": (single, {k: v + 1 for k, v in single.items()})})
    assert {row["word"] for row in alone["a"].values()} == {"level"}


def test_a_picture_that_nobody_marked_is_scored_over_all_its_pixels():
    nothing, half = np.zeros((3, 16, 16)), np.full((2, 16, 16), 0.5)
    for maps, brier in ((nothing[:2], 0.0), (half, 0.25)):
        scores = evaluation.score_samples([maps], [0.0], [nothing])
        assert scores["brier"] == pytest.approx([brier])
