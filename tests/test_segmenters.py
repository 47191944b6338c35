"""The study of segmenters: which trainings it asks for, and what it says of made-up scores."""

import importlib.util
import math
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from helpers import metrics, segmentation
from helpers.checkpoint import ResultStore
from helpers.experiments import segmenters
from helpers.experiments.segmenters import MEASURES, RATES
from helpers.layers import bn_relu

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
        sides = {"sides": [9, 9, 7 + 2 * run]}
        return dict.fromkeys(MEASURES, base + 0.01 * run + NOISE) | sides

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
    assert told["at_edge"] == ["B"]  # RATES[0]; RATES[1] has lower and higher ones beside it


def test_a_change_has_the_size_that_the_unchanged_network_chose():
    def scores(model, name, run, size):
        assert size == "half"
        return dict.fromkeys(MEASURES, NOISE) | {"sides": [1, 1, 1]}

    def train(name, rate, run, size, length):
        return size

    store = ResultStore("")
    segmenters.study(NETWORKS, CHANGES, 1, train, lambda size: size == "half", scores, store)


def test_all_have_the_same_seeds_and_both_lengths():
    _, asked = run(seeds=2)
    wanted = {(n, r, k) for n in [*NETWORKS, *CHANGES] for r in (0, 1) for k in (1, 1 / 2)}
    assert {a[:3] for a in asked} == wanted and len(asked) == len(wanted)


def test_differences_are_those_that_were_put_in():
    told, _ = run()
    assert told["iou"][0][0] == pytest.approx(0.36 + NOISE.mean())
    assert told["iou"][0][1] > 0.01  # pictures differ, and seeds
    pairs = np.array(told["pairs_torn"])  # mean, half width, corrected p-value
    assert pairs[:, :2] == pytest.approx(np.array([[0.3, 0], [0, 0], [-0.3, 0]]))
    changed = 0.1 * (len("A, changed") - 1)
    assert np.array(told["changed_torn"])[:, :2] == pytest.approx(np.array([[changed, 0]]))
    for measure in MEASURES:
        assert np.array(told[f"twice_{measure}"]) == pytest.approx(np.array([[0.05, 0]] * 4))
    assert told["sides"].tolist() == [[[9, 9, 7], [9, 9, 9], [9, 9, 11]]] * 4


def test_p_values_are_corrected_for_all_differences():
    rng = np.random.default_rng(0)
    found = {}
    for name in ("A", "B"):
        for length in ("longer", "shorter"):
            rows = [rng.normal(0.02 * (name == "B"), 0.1, (len(MEASURES), 200)) for _ in range(3)]
            found[name, length] = [dict(zip(MEASURES, row)) | {"sides": [1, 1, 1]} for row in rows]
    told = segmenters.summary(found, ["A", "B"], {})
    one = np.array([row["iou"] for row in found["B", "longer"]])
    one -= [row["iou"] for row in found["A", "longer"]]
    alone = metrics.crossed_p_value(one)
    corrected = told["pairs_iou"][0][2]
    assert alone < corrected <= min(1, len(MEASURES) * alone) + 1e-9


def test_measures_by_hand():
    masks = np.zeros((2, 9, 9), int)
    masks[0, :, 2:] = 1
    masks[1, :, 5:] = 2
    answer = masks.copy()
    answer[0, 4, 6] = 2  # another object: both pairs with its neighbours in the row are torn
    answer[0, 0, 2] = 0  # an object called background, beside the outline: no torn pair
    answer[1, :2, 0] = 1  # background called an object
    found = segmenters.measure(masks, answer, 0, 3)
    whole = {"class_error": [63, 36], "outline_error": [63, 36], "torn": [9 * 4, 9 * 1]}
    hits = {"class_error": [1, 0], "outline_error": [1, 2], "torn": [2, 0]}
    for name, parts in whole.items():
        share = sum(hits[name]) / sum(parts)
        without = np.array(hits[name][::-1]) / parts[::-1]
        assert found[name] == pytest.approx(2 * share - without), name
    same = segmenters.measure(masks, masks, 0, 3)
    assert (same["iou"] == 1).all()
    assert not any(same[name].any() for name in whole)


def test_what_is_void_counts_nowhere():
    masks = np.zeros((2, 9, 9), int)
    masks[:, :, 4:] = 1
    masks[:, 0] = 255
    answer = masks.copy()
    answer[:, 0] = 1
    found = segmenters.measure(masks, answer, 0, 2, 255)
    assert (found["iou"] == 1).all()
    assert not any(found[name].any() for name in ("class_error", "outline_error", "torn"))


def test_a_fresh_network_has_seen_pictures_before_its_field_is_measured():
    image = keras.Input((16, 16, 3))
    h = image
    for _ in range(3):
        h = bn_relu(layers.Conv2D(4, 3, padding="same", kernel_initializer="ones")(h))
    fresh = keras.Model(image, layers.Conv2D(2, 1)(h))
    trained = keras.models.clone_model(fresh)
    images = np.random.default_rng(0).uniform(size=(8, 16, 16, 3)).astype("float32")
    norm = next(la for la in fresh.layers if isinstance(la, layers.BatchNormalization))
    before = np.array(keras.ops.convert_to_numpy(norm.moving_mean))
    maps, sides = segmenters.used_fields(fresh, trained, images, (8, 8), images)
    assert not np.allclose(keras.ops.convert_to_numpy(norm.moving_mean), before)
    assert np.array_equal(maps[0] > 0, segmentation.receptive_field_mask(trained, (8, 8)))
    assert len(maps) == len(sides) == 3 and sides[0] == 7
    assert all(field.max() == 1 for field in maps)


def test_the_command_has_the_networks_of_the_notebook(monkeypatch):
    root = Path(__file__).resolve().parents[1]
    source = (root / "notebooks/py/17_compare_segmenters.py").read_text(encoding="utf-8")
    spec = importlib.util.spec_from_file_location("study", root / "benchmarks/segmenters.py")
    study = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "study", study)
    spec.loader.exec_module(study)
    names = {"size": study.SIZE, "classes": study.CLASSES, "seed": 0, "math": math}
    names |= {"keras": keras, "layers": layers, "DepthToSpaceUp": study.DepthToSpaceUp}
    names |= {"bn_relu": bn_relu, "conv_bn_relu": study.conv_bn_relu}
    marks = ("def centred", "def halved", "def unet", "def deeplab", "NETWORKS = {")
    cells = [cell for cell in source.split("# %%\n") if any(mark in cell for mark in marks)]
    for cell in cells:
        exec(cell.split("# %%")[0].split("weights, work")[0], names)
    assert names["CHANGES"] == study.CHANGES
    for name in [*study.NETWORKS, *study.CHANGES]:
        ours, theirs = study.new_network(name), names["new_network"](name)
        assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
        x = np.zeros((1, study.SIZE, study.SIZE, 3), "float32")
        keras.utils.set_random_seed(0)
        ours.set_weights(theirs.get_weights())
        one, other = (keras.ops.convert_to_numpy(m(x + 0.3)) for m in (ours, theirs))
        assert one == pytest.approx(other, abs=1e-5), name
