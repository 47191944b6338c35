"""The scores of the methods, and the words of the rule that compares them."""

import json

import numpy as np
import pytest
from small_uncertainty import SIZE, noise_task, small_methods

from helpers.checkpoint import ResultStore
from helpers.data import records
from helpers.uncertainty import evaluation, methods


@pytest.fixture(scope="module")
def task():
    return noise_task()


@pytest.fixture(scope="module")
def trainer(task):
    return small_methods(task)


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
