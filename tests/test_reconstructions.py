"""The study of rates: its list of trainings, and what it says of made-up scores."""

import numpy as np
import pytest

from helpers import checkpoint, plots
from helpers.experiments import reconstructions

CHANNELS, MAIN = {4: [1, 8], 8: [1, 4]}, {4: 8, 8: 4}
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.1, 200)  # of the pictures, the same for all


def recipe(places, channels, steps, run):
    """Scores that rise with the rate, with the grid and with the length, by known amounts."""
    rate = 10 * places * channels
    score = 0.1 * np.log2(rate) - 0.2 + 0.05 * (places == 8) - 8 / steps + 0.01 * run
    found = {
        "rate": np.full(200, rate),
        "elbo": np.full(200, 1000.0 + steps),
        "draw": score + NOISE,
    }
    return found | ({"mean": found["draw"] + 0.02} if channels == MAIN[places] else {})


def picture(steps, run):
    return 0.9 + 0.01 * run + 0.001 * (steps > 50) + NOISE


@pytest.fixture(scope="module")
def told():
    store = checkpoint.ResultStore(None)
    return reconstructions.study(recipe, picture, store, CHANNELS, MAIN, 800, 50)


def test_the_points_are_all_trainings_once():
    points = reconstructions.points(CHANNELS, MAIN, 800)
    assert len(points) == len(set(points)) == 2 * 4 + 4 + 4  # lengths, the curve, further seeds
    assert points[:2] == [(4, 8, 800, 0), (8, 4, 800, 0)] and points[-1] == (4, 8, 3200, 0)
    assert {p[2] for p in points} == {100, 200, 400, 800, 1600, 3200}
    assert {p[:2] for p in points if p[3]} == set(MAIN.items())


def test_a_vae_that_did_not_train_is_named():
    def diverged(places, channels, steps, run):
        bad = np.nan if (places, channels) == (8, 1) else 1.0
        return recipe(places, channels, steps, run) | {"elbo": np.full(200, bad)}

    with pytest.raises(ValueError, match=r"= \(8, 1, 1600, 0\) did not train"):
        reconstructions.study(
            diverged, picture, checkpoint.ResultStore(None), CHANNELS, MAIN, 800, 50
        )


def test_differences_are_those_that_were_put_in(told):
    assert told["picture"][0] == pytest.approx(0.91 + NOISE.mean())
    assert told["picture_twice"] == pytest.approx([0.001, 0], abs=1e-12)
    assert [row[:2] for row in told["rates"]] == [[4, 1], [4, 8], [8, 1], [8, 4]]
    assert told["rates"][1][2] == pytest.approx(320 / np.log(2))
    for row in told["longer"]:
        assert row[2:5] == pytest.approx([8 / 800 - 8 / 1600, 0, 0], abs=1e-9)
        assert row[5] == pytest.approx(100 * 800 / 1800)
    finer = np.array(told["finer"])
    assert finer[:, 2:] == pytest.approx(np.array([[0.05, 0], [0.05, 0]]), abs=1e-9)
    steps, iou, _, bits = np.transpose(told["length_curve"])
    assert steps.tolist() == [100, 200, 400, 800, 1600, 3200] and np.ptp(bits) == 0
    assert np.transpose(told["length_gain"])[0] == pytest.approx(np.diff(iou))
    assert np.transpose(told["of_mean"])[0] == pytest.approx([0.02, 0.02])
    assert told["main_difference"][0] == pytest.approx(0.05)
    assert told["behind"][0][0] == pytest.approx(told["main"][0][0] - told["picture"][0])
    assert told["main"][0][1] > 0.01  # seeds differ, and pictures


def test_at_rate_is_a_straight_line_over_the_logarithm():
    curve = [(100, np.array([1.0, 3.0])), (10, np.array([0.0, 0.0])), (1000, np.array([5.0, 5.0]))]
    np.testing.assert_allclose(reconstructions.at_rate(10**1.5, curve), [0.5, 1.5])
    np.testing.assert_allclose(reconstructions.at_rate(100, curve), [1, 3])
    for rate, end in ((1, 0.0), (1e6, 5.0)):
        np.testing.assert_allclose(reconstructions.at_rate(rate, curve), [end, end])


def test_the_figures_show_the_study(told):
    study = {**told, "layout": 0.24}
    left, right = plots.reconstruction_lengths(study).axes
    assert left.get_ylabel() == "mean IoU" and "bits" in right.get_ylabel()
    codes = {"scene": [(10, 0.5), (20, 0.8)], "three neighbours": [(160, 1)], "none": []}
    (axis,) = plots.reconstruction_rates(study, codes).axes
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert len(names) == 6 and "code: none" not in names
    assert [t.get_text() for t in axis.texts] == ["1", "8", "1", "4"]
