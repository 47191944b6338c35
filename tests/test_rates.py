"""Figures of rate and distortion: what is drawn is what was measured."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import metrics, plots

BETAS = [0.1, 1.0, 10.0]
# Rate and distortion of two seeds for two lengths; the ELBO is best for β = 1.
CURVE = np.array(
    [
        [[[60.0, -960.0], [30.0, -945.0], [10.0, -850.0]]] * 2,
        [
            [[62.0, -981.0], [32.0, -965.0], [11.0, -861.0]],
            [[60.0, -979.0], [30.0, -963.0], [9.0, -859.0]],
        ],
    ]
)


@pytest.fixture
def close():
    yield
    plt.close("all")


def _panels(fig):
    return fig.axes


def test_the_longest_trainings_are_the_curve_with_intervals(close):
    (axis,) = _panels(plots.rate_distortion({"record": (BETAS, CURVE)}))
    (bars,) = axis.containers
    x, y = bars.lines[0].get_data()
    assert np.allclose(x, [61, 31, 10]) and np.allclose(y, [-980, -964, -860])
    half = metrics.confidence_interval(CURVE[1, :, 0, 0])[1]
    across = bars.lines[2][0].get_segments()[0]
    assert np.allclose(across[:, 0], [61 - half, 61 + half])
    assert {t.get_text() for t in axis.texts} == {"β = 0.1", "β = 1", "β = 10"}


def test_the_lowest_dotted_line_goes_through_the_best_elbo(close):
    (axis,) = _panels(plots.rate_distortion({"record": (BETAS, CURVE)}))
    dotted = [line for line in axis.lines if line.get_linestyle() == ":"]
    totals = [line.get_xdata()[0] + line.get_ydata()[0] for line in dotted]
    assert np.isclose(totals[0], 31 - 964) and np.allclose(np.diff(totals), 50)
    slopes = [np.diff(line.get_ydata()) / np.diff(line.get_xdata()) for line in dotted]
    assert np.allclose(slopes, -1)


def test_crosses_stand_for_the_shorter_trainings_if_there_are_any(close):
    both = {"record": (BETAS, CURVE), "own": (BETAS, CURVE[1:, :1])}
    record, own = _panels(plots.rate_distortion(both, same_scale=False))
    crosses = [[li for li in axis.lines if li.get_marker() == "x"] for axis in (record, own)]
    assert np.allclose(crosses[0][0].get_xdata(), [60, 30, 10]) and not crosses[1]
    assert record.get_legend() and not own.get_legend()


def test_sigma_error_and_limit_are_drawn_for_each_run(close):
    rows = [[0, 0.11, np.nan, 0.11], [100, 0.08, 0.09, 0.07]]
    first, second = _panels(plots.sigma_over_steps({"short": rows, "long": rows}))
    for axis in (first, second):
        drawn = [list(line.get_ydata()) for line in axis.lines]
        assert drawn[0] == [0.11, 0.08] and drawn[1][1] == 0.09 and drawn[2] == [0.11, 0.07]


def test_choices_are_the_longest_trainings_in_the_order_of_their_names(close):
    short = [[[9.0, 9.0, 9.0]] * 2] * 2
    long = [[[10.0, 6.0, 5.5], [20.0, 6.1, 5.8]], [[12.0, 6.2, 5.5], [24.0, 6.3, 5.8]]]
    own = [[[[11.0, 6.4, 5.6], [21.0, 6.5, 5.9]]]]
    rate, bits = _panels(plots.likelihood_choices(["a", "b"], [short, long], own))
    assert np.allclose(rate.containers[0].lines[0].get_xdata(), [11, 22])
    assert np.allclose(bits.containers[0].lines[0].get_xdata(), [6.1, 6.2])
    assert [t.get_text() for t in rate.get_yticklabels()] == ["a", "b"]
    crosses = [line for line in rate.lines if line.get_marker() == "x"]
    assert np.allclose(crosses[0].get_xdata(), [11, 21])
    assert np.allclose(bits.lines[-1].get_xdata(), [5.5, 5.8])


def test_spectra_are_shares_of_the_first(close):
    power = {"pictures": np.array([4.0, 2.0]), "means": np.array([2.0, 0.5])}
    left, right = _panels(plots.power_spectra(power))
    assert np.allclose(left.lines[1].get_ydata(), [2, 0.5])
    assert np.allclose(right.lines[0].get_ydata(), 1)
    assert np.allclose(right.lines[1].get_ydata(), [0.5, 0.25])
    assert "pictures' power" in right.get_ylabel()
