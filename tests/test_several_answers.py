"""How notebook 12 scores, prints, draws and records; no network is trained."""

import numpy as np
import pytest

from helpers import checkpoint, data, metrics, plots
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
    row = {"gain": 1.0, "half": 0.5, "p": 1e-11, "word": "better"}
    rows = {"nll": row, "ged": {**row, "p": 0.0012}}
    _, small, large = several_answers.gains_table({"masks, latent − x": rows}).splitlines()
    assert small.endswith("± 0.500, p < 0.001") and large.endswith("± 0.500, p = 0.001")
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
    ways = {axis.get_xlabel().split("\n")[0]: axis.get_xlabel().split("\n")[1] for axis in fig.axes}
    assert ways["NLL (nats)"] == "← better" and ways["matched IoU"] == "better →"
    row = dict.fromkeys(evaluation.BETTER, (1.0, 0.1))
    monkeypatch.setattr(records, "scores_by_method", lambda *arguments: {"latent": row})
    fig = plots.scores_by_method(**several_answers.figure_data("masks", scores))
    assert [fig.axes[i].get_title() for i in (0, 4)] == ["recorded study", "this run"]
    ends = [scores[name]["nll"].mean() for name in ("perfect latent", "best single map")]
    for axis in (fig.axes[0], fig.axes[4]):
        lines = [line for line in axis.get_lines() if line.get_linestyle() in ("--", ":")]
        assert [line.get_xdata()[0] for line in lines] == pytest.approx(ends)


def test_shares_of_readings_count_the_nearest_one_and_those_that_are_none():
    left, right = np.zeros((2, 4, 4), bool)
    left[:, :2], right[:, 2:] = True, True
    readings = np.array([left, right, left | right])
    most = left.copy()
    most[0, 0] = False  # 7 of 8 pixels
    few = np.zeros((4, 4))
    few[0, 0] = 1  # IoU of 1/8 with left
    grey = 0.45 * np.ones((4, 4))  # nothing at one half
    answers = [[0.9 * left, most, 0.6 * right, few, grey], [left | right] * 5]

    def draw(picture, count):
        return np.array(answers[int(picture[0, 0, 0])][:count])

    pictures = np.arange(2)[:, None, None, None]
    found = several_answers.reading_shares(draw, pictures, [readings, readings], 5)
    assert found == pytest.approx([0.2, 0.1, 0.5, 0.2])
    assert found.sum() == pytest.approx(1)


def test_who_cannot_see_the_direction_needs_more_nats():
    pictures = data.load("shapes", "val", size=32, objects=(2, 3), radius=(0.15, 0.25), limit=12)
    edges = np.stack(pictures.annotations)
    found = several_answers.nats_without_direction(edges)
    _, latent = evaluation.perfect_latent(edges, 1)
    _, single = evaluation.perfect_map(edges)
    assert found["perfect latent"] == pytest.approx(latent + np.log(8) / 5)
    assert (found["best single map"] > single).all()
    # Who has two nats fewer than the blind map in each of two trainings gains two nats.
    nats = {"nll": np.stack([found["best single map"] - 2] * 2)}
    scores = {"edges": {"latent": nats, "one map": {"nll": nats["nll"] + 1}}}
    gained = several_answers.gain_over_blind_map(scores, found)["edges, latent − blind map"]["nll"]
    assert gained["gain"] == pytest.approx(2)
    told = several_answers.results(scores, blind=found)
    assert told["edges_gain_blind_map_nll"][0] == gained["gain"]
    assert told["edges_blind_perfect_latent"] == pytest.approx(found["perfect latent"].mean())
    # Marks that nobody would draw in any direction are impossible.
    edges[0, 1] = 1 - edges[0, 1]
    with np.errstate(divide="ignore"):
        assert np.isinf(several_answers.nats_without_direction(edges[:1])["perfect latent"])


def test_rows_have_the_picture_and_marks_in_black():
    pictures = np.full((2, 4, 4, 3), 0.5)
    marks = np.zeros((3, 4, 4), bool)
    marks[1] = True
    rows = several_answers.rows_of_maps(pictures, [marks, 0.25 * marks, marks])
    assert [len(row) for row in rows] == [4, 4]
    assert (rows[0][0] == 0.5).all() and rows[0][1].dtype == "float32"
    assert [m.max() for m in rows[0][1:]] == [1, 0, 1]  # what is marked is 0, black
    assert [m.min() for m in rows[1][1:]] == [1, 0.75, 1]


def test_every_training_is_scored_once_and_kept(tmp_path):
    asked = []

    def score(task, method, length, run):
        asked.append((task, method, length, run))
        return {m: np.full(4, run + len(method)) for m in evaluation.BETTER}

    for _ in range(2):
        store = checkpoint.ResultStore(str(tmp_path), plan=[0])
        found = several_answers.score_all(score, store, "masks", ["one map", "latent"], 5, 3)
    assert list(found) == ["one map", "latent"]
    assert found["latent"]["nll"].shape == (3, 4)
    assert (found["one map"]["ged"] == [[7] * 4, [8] * 4, [9] * 4]).all()
    assert asked == [("masks", m, 5, run) for m in ("one map", "latent") for run in range(3)]
