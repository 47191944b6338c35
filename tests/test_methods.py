"""The methods train and predict; their scores and the words of the rule."""

import json

import numpy as np
import pytest

from helpers import data, metrics
from helpers.checkpoint import ResultStore
from helpers.data import ambiguous, records
from helpers.uncertainty import baselines, evaluation, methods

SIZE = 16


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    images = rng.random((12, SIZE, SIZE, 3), "float32")
    people = (rng.random((12, 3, SIZE, SIZE)) < 0.2).astype("uint8")
    ods = (2, 3, 3, 0.1)
    return evaluation.Task(
        "noise", images[:6], people[:6], images[6:8], people[6:8], images[8:], people[8:], 1, ods
    )


@pytest.fixture(scope="module")
def trainer(task):
    return methods.UncertaintyMethods(
        task.train_images, latent=2, vae_steps=2, steps=2, batch_size=4
    )


def test_every_method_predicts_and_a_seed_repeats_it(trainer, task):
    rows = baselines.training_rows(task.train_images, task.train_annotations)
    for method in methods.METHODS:
        one, two = (trainer.train(method, *rows, 1)(task.val_images, 6) for _ in range(2))
        assert one.shape == (4, 6, SIZE, SIZE) and one.min() >= 0 and one.max() <= 1
        assert np.allclose(one, two, atol=1e-4), method
        varies = np.abs(one - one[:, :1]).max() > 1e-5
        assert bool(varies) is (method != "one map"), method
        nll = trainer.nll(method, one, task.val_images, task.val_annotations, draws=2)
        assert nll.shape == (4,) and np.isfinite(nll).all()
    members = trainer.train("ensemble", *rows, 1)(task.val_images, 6)
    assert np.array_equal(members[:, 0], members[:, 5])


def test_nll_of_a_latent_is_that_of_each_picture_alone(trainer, task, monkeypatch):
    rows = baselines.training_rows(task.train_images, task.train_annotations)
    trainer.train("latent", *rows, 1)
    monkeypatch.setattr(methods, "BATCH", 3)  # four pictures are two batches
    people = [np.concatenate([a, a[:1]]) for a in task.val_annotations]  # two drew the same
    found = trainer.nll("latent", None, task.val_images, people, draws=5)
    some = [
        trainer.probabilistic_unet().nll(i, metrics.unique_annotations(a)[0], 5)
        for i, a in zip(task.val_images, people)
    ]
    counts = [metrics.unique_annotations(a)[1] for a in people]
    assert np.allclose(found, [n @ c / 4 for n, c in zip(some, counts)], rtol=1e-5)
    assert len(set(np.round(found, 3))) == 4


def test_the_ensemble_has_the_weights_of_one_net(trainer, task):
    rows = baselines.training_rows(task.train_images, task.train_annotations)
    for method in ("one map", "dropout", "ensemble"):
        trainer.train(method, *rows, 1)
    weights = trainer.count_params()
    assert 0.8 < weights["ensemble"] / weights["one map"] <= 1.02
    assert weights["dropout"] == weights["one map"]


def test_an_experiment_scores_every_run_and_reads_what_is_kept(
    trainer, task, tmp_path, monkeypatch
):
    monkeypatch.setenv("HELPERS_CACHE", str(tmp_path))
    some = ("one map", "latent")
    store = ResultStore("some", size=SIZE)
    table, maps = evaluation.run_experiment(trainer, task, some, [0, 1], store, 4, 2)
    assert [len(table[method]) for method in some] == [2, 2]
    assert set(table["latent"][0]) == {*evaluation.BETTER, "each"}
    assert maps["latent"].shape == (4, 4, SIZE, SIZE) and maps["latent"].dtype == "float16"
    monkeypatch.setattr(
        store, "result", lambda name, compute, **p: ResultStore.result(store, name, _never, **p)
    )
    again, _ = evaluation.run_experiment(trainer, task, some, [0, 1], store, 4, 2)
    assert again["latent"][1] == table["latent"][1]
    said = evaluation.format_scores(evaluation.mean_scores(table)).splitlines()
    heads, rows = said[::3], said[1::3] + said[2::3]  # blocks of a head and a line a method
    assert len(heads) == 2 and set(evaluation.METRIC_LABELS) == set(evaluation.BETTER)
    labels = [evaluation.METRIC_LABELS[key] for key in evaluation.BETTER]
    assert " ".join(heads).split() == " ".join(labels).split()
    assert all(row.startswith("probabilistic U-Net  ") for row in said[2::3])
    assert max(map(len, said)) < 80 and all(row.count("±") >= 3 for row in rows)
    words = evaluation.compare_methods(table, baselines=("one map",))
    report = evaluation.format_report(table, words).splitlines()
    assert report[:6] == said
    assert report[6].split()[:5] == ["NLL", "(nats)", words["nll"]["word"], "than", "deterministic"]


def _never():
    raise AssertionError("computed anew")


def test_better_maps_have_better_scores(task):
    right = np.stack([np.tile(m, (2, 1, 1)) for m in task.val_annotations]).astype(
        "float32"
    )  # 6 of 3 people
    right = np.clip(right, 0.02, 0.98)
    wrong = 1 - right
    nll = np.zeros(4)
    good, bad = (
        evaluation.evaluate_method(m, nll, task.val_annotations, 0.5) for m in (right, wrong)
    )
    for key, sign in evaluation.BETTER.items():
        if key in good and key not in ("nll", "gap", "risk"):
            assert sign * good[key] > sign * bad[key], key
    assert good["matched"] > 0.99 and good["gap"] < 0.05 < bad["gap"]


def test_the_threshold_is_the_one_with_the_least_distance():
    marks = np.zeros((1, 1, 8, 8), "uint8")
    marks[..., :4] = 1
    maps = np.where(marks > 0, 0.42, 0.33)
    assert 0.33 < evaluation.best_threshold(maps, marks) <= 0.42


def test_candidates_are_as_many_maps():
    maps = np.random.default_rng(0).random((2, 20, 4, 4))
    for method in methods.METHODS:
        assert evaluation.candidate_maps(method, maps, 11).shape == (2, 11, 4, 4)
    powers = evaluation.candidate_maps("one map", maps, 11)
    assert np.allclose(powers[:, 5], maps[:, 0], atol=1e-6)
    assert (powers[:, 0] > powers[:, 10]).all()
    ensemble = evaluation.candidate_maps("ensemble", maps, 11)
    assert np.allclose(ensemble[:, 5], maps[:, :5].mean(axis=1), atol=1e-6)
    assert np.allclose(ensemble[:, 6], maps[:, 1:5].mean(axis=1), atol=1e-6)


def _table(latent, dropout, one=(10, 11, 12)):
    rows = {"one map": one, "dropout": dropout, "latent": latent}
    return {
        method: [{"nll": float(v), "skill": -float(v)} for v in values]
        for method, values in rows.items()
    }


def test_the_rule_by_hand():
    found = evaluation.compare_methods(_table((5, 6, 7.1), (8, 9, 10)))
    assert found["nll"]["word"] == "better" and found["nll"]["baseline"] == "dropout"
    assert found["nll"]["gain"] == pytest.approx(2.9667, abs=1e-3)
    assert found["nll"]["percent"] == pytest.approx(100 * (18.1 / 33 - 1))
    assert found["skill"]["word"] == "better" and found["skill"]["gain"] > 0
    assert evaluation.compare_methods(_table((12, 13, 14.1), (8, 9, 10)))["nll"]["word"] == "worse"
    assert evaluation.compare_methods(_table((7, 10, 9), (8, 9, 10)))["nll"]["word"] == "level"
    assert evaluation.compare_methods(_table((5,), (8,), (9,)))["nll"]["word"] == "level"


def test_means_have_the_interval_of_the_runs():
    found = evaluation.mean_scores(_table((5, 6, 7), (8, 8, 8)))
    assert found["latent"]["nll"] == pytest.approx((6, 4.303 / 3**0.5), abs=1e-3)
    assert found["dropout"]["skill"] == pytest.approx((-8, 0))


def test_an_unknown_method_is_refused(trainer):
    with pytest.raises(ValueError, match="method"):
        trainer.train("oracle", None, None, 0)


def test_a_record_is_told_line_by_line(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    results = {"edges_latent_nll": [5.0, 1.0], "edges_one_map_nll": [9.0, 2.0]}
    results["edges_nll"] = ["better", "one map"]
    (tmp_path / "some.json").write_text(json.dumps({"results": results}))
    found = evaluation.format_record("some", "edges").splitlines()
    assert [line.split() for line in found[:3]] == [
        ["some", "NLL", "(nats)"],
        ["deterministic", "9.0", "±", "2.0"],
        ["probabilistic", "U-Net", "5.0", "±", "1.0"],
    ]
    assert found[3] == "probabilistic U-Net against the best baseline:"
    assert found[4] == "NLL (nats) better"
    rows = {"one map": {"nll": (9.0, 2.0)}, "latent": {"nll": (5.0, 1.0)}}
    assert evaluation.recorded_scores("some", "edges") == rows
    assert evaluation.recorded_scores("some", "masks") == {}
    assert evaluation.format_record("none", "edges") == "none: no recorded run here"


def test_twenty_people_read_in_three_ways():
    image = np.full((1, 8, 8, 3), 100, "uint8")
    mask = np.zeros((1, 8, 8), "uint8")
    mask[0, :3, :3], mask[0, 5:, 5:], mask[0, :3, 5:] = 1, 1, 2  # two of one class, apart
    image[0, :3, :3, 0], image[0, 5:, 5:, 2], image[0, :3, 5:, 0] = 150, 150, 120
    pictures = data.Dataset("some", "val", image, masks=mask)
    marks = ambiguous.twenty_annotators(pictures)[0]
    assert marks.shape == (20, 8, 8)
    assert [m.sum() for m in marks] == [27] * 8 + [18] * 7 + [9] * 5
    assert marks[8, 0, 0] and marks[8, 0, 7] and marks[15, 7, 7]
    assert sum(ambiguous.INTERPRETATIONS.values()) == 20
