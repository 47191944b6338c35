"""How notebook 12 scores, prints, draws and records; no network is trained."""

import types

import numpy as np
import pytest
from keras import ops

from helpers import metrics, plots
from helpers.data import records
from helpers.experiments import several_answers
from helpers.uncertainty import evaluation


@pytest.fixture(scope="module")
def people():
    """In each of six pictures ten people mark the left or the right half, or both, `(6, 10, 8, 8)`."""
    left = np.zeros((8, 8), bool)
    left[:, :4] = True
    kinds = [left, ~left, left | ~left]
    rng = np.random.default_rng(0)
    return np.stack(
        [[kinds[k] for k in rng.permutation([0] * 4 + [1] * 3 + [2] * 3)] for _ in range(6)]
    )


def one_of(marks, seed=0):
    rng = np.random.default_rng(seed)

    def draw(picture, count):
        """The picture holds its own number."""
        of = marks[int(picture[0, 0, 0])]
        return of[rng.integers(len(of), size=count)].astype("float32")

    return draw


def numbered(count):
    return np.ones((count, 8, 8, 3)) * np.arange(count)[:, None, None, None]


@pytest.fixture(scope="module")
def scores(people):
    """Of who draws people, of who says the average, and of the ends: `{name: {measure: (1, N)}}`."""
    x = numbered(6)

    def average(picture, count):
        return people[int(picture[0, 0, 0])].mean(axis=0, keepdims=True)

    def nll(maps, marks):
        return np.array(
            [metrics.pixelwise_nll(m.mean(axis=0), a).mean() for m, a in zip(maps, marks)]
        )

    found = several_answers.perfect_scores(people, 100, "masks")
    pairs = {"one map": average, "latent": one_of(people)}
    for name, draw in pairs.items():
        one = several_answers.score(draw, nll, (x[:3], people[:3]), (x, people), 100, "masks")
        found[name] = {measure: values[None] for measure, values in one.items()}
    return found


def test_who_draws_people_scores_as_the_perfect_latent_and_the_average_as_no_better(scores):
    latent, perfect = scores["latent"], scores["perfect latent"]
    for measure in ("ged", "matched"):
        assert np.mean(latent[measure]) == pytest.approx(np.mean(perfect[measure]), abs=0.03)
    single, one = scores["best single map"], scores["one map"]
    assert np.allclose(single["nll"], one["nll"]) and np.allclose(single["brier"], one["brier"])
    assert (single["ged"] <= one["ged"] + 1e-9).all()  # the best of several, the average's cut too
    assert (single["matched"] >= one["matched"] - 1e-9).all()
    assert (perfect["ged"] < single["ged"]).all() and (perfect["nll"] < single["nll"]).all()


def test_edges_are_widened_before_they_are_compared():
    line, moved = np.zeros((2, 8, 8), bool)
    line[:, 3], moved[:, 4] = True, True
    marks = np.array([[line, moved]])
    masks, edges = (several_answers.perfect_scores(marks, 50, t) for t in ("masks", "edges"))
    assert masks["best single map"]["matched"][0, 0] == pytest.approx(0.5)
    assert edges["best single map"]["matched"][0, 0] == pytest.approx(
        0.75
    )  # 2 of 4 columns, 4 of 4

    def draw(picture, count):
        return line[None].astype("float32")

    def nll(maps, marks):
        return np.zeros(len(marks))

    data = numbered(1), marks
    found = {
        t: several_answers.score(draw, nll, data, data, 6, t)["matched"] for t in ("masks", "edges")
    }
    assert found["masks"] == pytest.approx([0.5]) and found["edges"] == pytest.approx([0.75])


def test_the_threshold_comes_from_the_tuning_pictures(people):
    x = numbered(6)

    def pale(picture, count):  # people's marks, at 0.35 and 0.15
        return 0.15 + 0.2 * people[int(picture[0, 0, 0])].astype("float32")

    def nll(maps, marks):
        return np.zeros(len(marks))

    found = several_answers.score(pale, nll, (x[:3], people[:3]), (x, people), 10, "masks")
    assert found["matched"] == pytest.approx(np.ones(6))


def test_tables_and_keys_have_every_number(scores):
    lines = several_answers.table(scores).splitlines()
    assert len(lines) == 1 + len(scores) and "NLL (nats)" in lines[0]
    assert len({len(line) for line in lines}) == 1
    mean, half = metrics.crossed_interval(scores["latent"]["ged"])
    assert lines[-1].startswith("latent") and f"{mean:.3f} ± {half:.3f}" in lines[-1]
    tasks = {"masks": scores, "edges": scores}
    gains = several_answers.gains(tasks)
    assert list(gains) == ["masks, latent − one map", "edges, latent − one map"]
    text = several_answers.gains_table(gains)
    assert text.count("\n") + 1 == 2 * (1 + len(evaluation.BETTER))
    told = several_answers.results(tasks, shorter={"masks": {"latent": scores["one map"]}})
    assert told["masks_latent_ged"] == (mean, half)
    assert told["edges_best_single_map_nll"] == metrics.crossed_interval(
        scores["best single map"]["nll"]
    )
    row = gains["masks, latent − one map"]["ged"]
    assert told["masks_gain_one_map_ged"] == [row["gain"], row["half"], row["p"]]
    assert told["masks_word_one_map_ged"] == row["word"] == "better"
    assert told["masks_longer_latent_ged"] == pytest.approx([row["gain"], row["half"]])
    assert not any(" " in key for key in told) and "edges_longer_latent_ged" not in told


def test_words_are_corrected_for_all_comparisons_of_a_run(scores):
    alone = several_answers.gains({"masks": scores})["masks, latent − one map"]
    both = several_answers.gains({"masks": scores, "edges": scores})["masks, latent − one map"]
    assert both["ged"]["p"] >= alone["ged"]["p"] and both["ged"]["gain"] == alone["ged"]["gain"]


def test_the_figure_has_the_recorded_study_where_there_is_one(scores, monkeypatch):
    fig = plots.scores_by_method(**several_answers.figure_data("masks", scores))
    assert fig.axes[-4].get_title() == "this run"
    row = dict.fromkeys(evaluation.BETTER, (1.0, 0.1))
    monkeypatch.setattr(records, "scores_by_method", lambda *arguments: {"latent": row})
    fig = plots.scores_by_method(**several_answers.figure_data("masks", scores))
    assert [fig.axes[i].get_title() for i in (0, 4)] == ["recorded study", "this run"]
    ends = [scores[name]["nll"].mean() for name in ("perfect latent", "best single map")]
    for axis in (fig.axes[0], fig.axes[4]):
        lines = [line for line in axis.get_lines() if line.get_linestyle() in ("--", ":")]
        assert [line.get_xdata()[0] for line in lines] == pytest.approx(ends)


def test_a_walk_goes_along_the_coordinate_that_the_prior_leaves_open():
    prior = np.array([[0.0, 1.0]], "float32"), np.array([[0.0, 2 * np.log(3.0)]], "float32")
    posterior = np.zeros((4, 2), "float32"), np.array([[-1.0, -5.0]] * 4, "float32")

    def decode(inputs):
        return inputs[1][:, None, None, :1] * 0 + inputs[1][:, None, None, 1:]

    model = types.SimpleNamespace(
        look=lambda x: [ops.zeros((1, 1, 1, 1)), *map(ops.convert_to_tensor, prior)],
        posterior=lambda x: [ops.convert_to_tensor(t) for t in posterior],
        decode=decode,
    )
    maps = several_answers.walk(
        model, np.zeros((1, 1, 3), "float32"), [-1, 0, 1], np.zeros((4, 1, 1))
    )
    assert maps.shape == (3, 1, 1)
    assert maps.ravel() == pytest.approx(1 / (1 + np.exp([2.0, -1.0, -4.0])))  # 1 − 3, 1, 1 + 3
