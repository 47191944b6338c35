"""The study of segmenters: which trainings it asks for, and what it says of made-up scores."""

import numpy as np
import pytest

from helpers.checkpoint import ResultStore
from helpers.experiments import segmenters
from helpers.experiments.segmenters import MEASURES, RATES

NETWORKS, CHANGES = ["A", "B", "C"], {"A, changed": "A"}
NOISE = np.random.default_rng(0).normal(0, 0.1, 50)  # of the pictures, the same for all


def run(seeds=3):
    asked = []

    def train(name, rate, run, size, length):
        return name, rate, run, size, length

    def choosing_score(model):
        name, rate, run, size, length = model
        assert run >= seeds and length == 1 / 2
        best = RATES[0] if name == "B" else RATES[1]
        return (rate == best) + 0.5 * (size == "half") * (name == "B")

    def scores(model, name, run, size):
        asked.append((name, run, model[4], model[1], size))
        assert model[0] == name and model[2:4] == (run, size)
        base = 0.2 + 0.1 * len(name) + 0.3 * (name == "B") + 0.05 * (model[4] == 1)
        return dict.fromkeys(MEASURES, base + 0.01 * run + NOISE) | {"sides": [9, 7 + 2 * run]}

    store = ResultStore("")
    told = segmenters.study(NETWORKS, CHANGES, seeds, train, choosing_score, scores, store)
    return told, asked


def test_every_network_chooses_its_rate_and_size_and_a_change_keeps_the_size():
    told, asked = run()
    full, half = [RATES[1], "full"], [RATES[0], "half"]
    assert told["names"] == [*NETWORKS, *CHANGES]
    assert told["choices"] == [full, half, full, full]
    assert [len(rows) for rows in told["tried"]] == [len(RATES) + 1] * 3 + [len(RATES)]
    assert all(list(a[3:]) == (half if a[0] == "B" else full) for a in asked)


def test_a_change_has_the_size_that_the_unchanged_network_chose():
    def scores(model, name, run, size):
        assert size == "half"
        return dict.fromkeys(MEASURES, NOISE) | {"sides": [1, 1]}

    def train(name, rate, run, size, length):
        return size

    store = ResultStore("")
    segmenters.study(NETWORKS, CHANGES, 1, train, lambda size: size == "half", scores, store)


def test_all_have_the_same_seeds_and_the_unchanged_networks_both_lengths():
    _, asked = run(seeds=2)
    wanted = {(n, r, 1) for n in [*NETWORKS, *CHANGES] for r in (0, 1)}
    wanted |= {(n, r, 1 / 2) for n in NETWORKS for r in (0, 1)}
    assert {a[:3] for a in asked} == wanted and len(asked) == len(wanted)


def test_differences_are_those_that_were_put_in():
    told, _ = run()
    assert told["iou"][0][0] == pytest.approx(0.36 + NOISE.mean())
    assert told["iou"][0][1] > 0.01  # pictures differ, and seeds
    assert np.array(told["pairs_near"]) == pytest.approx(np.array([[0.3, 0], [0, 0], [-0.3, 0]]))
    changed = 0.1 * (len("A, changed") - 1)
    assert np.array(told["changed_torn"]) == pytest.approx(np.array([[changed, 0]]))
    for key in ("twice", "twice_inside", "twice_near"):
        assert np.array(told[key]) == pytest.approx(np.array([[0.05, 0]] * 3))
    assert told["sides_fresh"].tolist() == [[9, 9, 9]] * 4
    assert told["sides_trained"].tolist() == [[7, 9, 11]] * 4


def test_measures_by_hand():
    masks = np.array([[[0, 1, 1, 1], [0, 1, 1, 1]], [[0, 0, 2, 2], [0, 0, 2, 2]]])
    answer = masks.copy()
    answer[0, 0, 2] = 2  # wrong, and both pairs with its neighbours are torn
    inside, near = masks > 0, masks == 0
    found = segmenters.measure(masks, answer, inside, near, 3)
    pooled = {"inside": 1 / 10, "near": 0, "torn": 2 / 6}
    for name, share in pooled.items():
        whole = {"inside": [6, 4], "near": [2, 4], "torn": [4, 2]}[name]
        hits = {"inside": 1, "near": 0, "torn": 2}[name]
        without = np.array([0, hits / whole[0]])
        assert found[name] == pytest.approx(2 * share - without)
    same = segmenters.measure(masks, masks, inside, near, 3)
    assert (same["iou"] == 1).all() and not same["torn"].any()
