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


@pytest.mark.parametrize("same_scale", [True, False])
def test_every_point_is_inside_its_panel(close, same_scale):
    lower = CURVE + np.array([20.0, -300.0])
    runs = {"record": (BETAS, lower), "own": (BETAS, CURVE[1:, :1])}
    for axis in _panels(plots.rate_distortion(runs, same_scale=same_scale)):
        x, y = axis.containers[0].lines[0].get_data()
        (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
        assert left < x.min() and x.max() < right and low < y.min() and y.max() < high


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


def test_every_spectrum_is_drawn(close):
    power = {str(i): np.array([4.0, 2.0]) / (i + 1) for i in range(6)}
    for axis in _panels(plots.power_spectra(power)):
        assert [line.get_label() for line in axis.lines] == list(power)


def test_every_grid_and_code_is_drawn_over_the_rate(close):
    rates = [[g, c, 10.0 * c * g, 0.1 * g, 0.01] for g in (2, 4, 8) for c in (1, 3)]
    study = {"rates": rates, "picture": [0.9, 0.01], "layout": 0.2}
    codes = {name: [(20.0, 0.4), (40.0, 0.6)] for name in "abcd"} | {"none": []}
    (axis,) = _panels(plots.reconstruction_rates(study, codes))
    drawn = [bars.lines[0].get_xydata().tolist() for bars in axis.containers]
    assert drawn == [
        pytest.approx(np.array([[10 * g, 0.1 * g], [30 * g, 0.1 * g]])) for g in (2, 4, 8)
    ]
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    grids = [f"reconstruction, {g}×{g} places" for g in (2, 4, 8)]
    assert set(labels) >= {*grids, *(f"code: {name}" for name in "abcd")}
    assert "code: none" not in labels
    assert [text.get_text() for text in axis.texts] == ["1", "3"] * 3  # the channels
