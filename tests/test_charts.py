"""Charts: what is drawn is what was measured, and it is named."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from helpers import plots
from helpers.edges.scores import score


@pytest.fixture
def axis():
    figure, axis = plt.subplots()
    yield axis
    plt.close(figure)


def result(precision, recall, pixels=1000):
    """A `BenchmarkResult` of one image with these points."""
    recall, precision = np.asarray(recall), np.asarray(precision)
    predicted = np.where(recall > 0, pixels, 0)
    counts = np.stack(
        [recall * pixels, np.full(len(recall), pixels), precision * predicted, predicted], -1
    )
    thresholds = np.linspace(0.1, 0.9, len(recall))
    return score(thresholds, counts.round().astype(int)[None])


SOFT = result([0.3, 0.5, 0.8, 0.9, 0.0], [0.9, 0.8, 0.6, 0.2, 0.0])
HARD = result([0.7, 0.0, 0.0], [0.7, 0.0, 0.0])


def curves(axis):
    return [line for line in axis.lines if line.get_marker() == "None"]


def dots(axis, marker="o"):
    return [line for line in axis.lines if line.get_marker() == marker]


def test_curves_hold_the_points_that_were_reached_and_dots_the_best(axis):
    plots.precision_recall(axis, {"soft": SOFT, "hard": HARD})
    soft, hard = curves(axis)
    np.testing.assert_allclose(soft.get_xdata(), [0.9, 0.8, 0.6, 0.2])
    np.testing.assert_allclose(soft.get_ydata(), [0.3, 0.5, 0.8, 0.9])
    np.testing.assert_allclose(hard.get_xydata(), [[0.7, 0.7]])
    for line, dot, r in zip((soft, hard), dots(axis), (SOFT, HARD), strict=True):
        np.testing.assert_allclose(dot.get_xydata(), [[r.ods_recall, r.ods_precision]])
        assert dot.get_color() == line.get_color()
    # The best point lies between two thresholds, as the official code has it.
    assert SOFT.ods_recall not in SOFT.recall
    assert soft.get_color() != hard.get_color() and soft.get_linestyle() != hard.get_linestyle()


def test_legend_and_axes_tell_what_is_seen(axis):
    human = result([0.9], [0.7])
    plots.precision_recall(axis, {"soft": SOFT, "hard": HARD}, human=human)
    texts = [t.get_text() for t in axis.get_legend().get_texts()]
    assert texts == [f"soft, F {SOFT.ods:.2f}", "hard, F 0.70", "annotators, F 0.79"]
    (square,) = dots(axis, "s")
    np.testing.assert_allclose(square.get_xydata(), [[0.7, 0.9]])
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("recall", "precision")
    assert axis.get_xlim() == axis.get_ylim() == (0, 1)


def test_lines_of_equal_f_are_where_they_say(axis):
    plots.precision_recall(axis, {"soft": SOFT})
    lines = axis.collections[0]
    for level, path in zip(lines.levels, lines.get_paths()):
        r, p = path.vertices.T
        np.testing.assert_allclose(2 * r * p / (r + p), level, atol=0.01)
    assert [t.get_text() for t in lines.labelTexts] == ["F 0.2", "F 0.4", "F 0.6", "F 0.8"]


def test_styles_are_as_asked_for_and_start_again(axis):
    plots.precision_recall(axis, {str(i): SOFT for i in range(3)}, styles=["-", ":"])
    assert [line.get_linestyle() for line in curves(axis)] == ["-", ":", "-"]


def test_a_detector_that_finds_nothing_has_no_curve(axis):
    plots.precision_recall(axis, {"none": result([0.0, 0.0], [0.0, 0.0])})
    assert len(curves(axis)[0].get_xdata()) == 0
    assert axis.get_legend().get_texts()[0].get_text() == "none, F 0.00"


def test_heatmap_writes_each_number_where_it_belongs(axis):
    table = [[0.0, 0.25, 1.0], [0.5, np.nan, 0.75]]
    plots.heatmap(axis, table, ["a", "b"], ["x", "y", "z"], "Title", form="{:.1%}")
    assert axis.get_title() == "Title"
    assert [t.get_text() for t in axis.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["x", "y", "z"]
    texts = {t.get_position(): t for t in axis.texts}
    assert {at: t.get_text() for at, t in texts.items()} == {
        (0, 0): "0.0%",
        (1, 0): "25.0%",
        (2, 0): "100.0%",
        (0, 1): "50.0%",
        (1, 1): "–",
        (2, 1): "75.0%",
    }
    # Each can be read on its own colour; a missing one is on white.
    image = axis.images[0]
    assert (image.norm.vmin, image.norm.vmax) == (0, 1)
    for (j, i), text in texts.items():
        missing = np.isnan(table[i][j])
        ground = (1, 1, 1) if missing else image.cmap(image.norm(table[i][j]))[:3]
        light = (np.array([ground, to_rgb(text.get_color())]) ** 2.2) @ [0.2126, 0.7152, 0.0722]
        assert (light.max() + 0.05) / (light.min() + 0.05) > 3


def test_a_table_without_a_name_for_each_row_is_refused(axis):
    with pytest.raises(
        ValueError, match=r"2 rows and 1 columns is named. Received: shape \(1, 2\)"
    ):
        plots.heatmap(axis, np.zeros((1, 2)), ["a", "b"], ["x"])


def test_differences_stand_where_they_were_measured(axis):
    plots.differences(axis, {"a − b": (0.5, 0.1), "c − b": (-1.0, 0.2)}, "study", shift=0.2)
    marks = axis.containers[0].lines[0]
    assert marks.get_xdata().tolist() == [0.5, -1.0]
    assert marks.get_ydata().tolist() == pytest.approx([0.2, 1.2])
    assert [t.get_text() for t in axis.get_yticklabels()] == ["a − b", "c − b"]
    ends = [segment[:, 0].tolist() for segment in axis.containers[0].lines[2][0].get_segments()]
    assert ends == [pytest.approx([0.4, 0.6]), pytest.approx([-1.2, -0.8])]


def test_learning_curves_end_at_their_last_step():
    figure = plots.learning_curves({"short": (40, [1.0, 3.0]), "long": (80, [0, 2, 3, 4])}, "ELBO")
    axis = figure.axes[0]
    short, long = axis.lines
    assert short.get_xdata().tolist() == [20, 40] and short.get_ydata().tolist() == [1, 3]
    assert long.get_xdata().tolist() == [20, 40, 60, 80]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["short", "long"]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("training steps", "ELBO")
    plt.close(figure)


def test_latent_scatter_picks_what_is_used_and_draws_the_prior_and_the_regions():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(30, 4)) * [0.1, 3.0, 1.0, 0.0]
    sigmas = np.tile([0.01, 0.1, 1.0, 1.0], (30, 1))
    latents = {"a VAE": means + sigmas * rng.normal(size=(30, 4)), "an autoencoder": means}
    figure = plots.latent_scatter(latents, {"a VAE": (means, sigmas)}, ellipses=5)
    one, other = figure.axes
    circle, *regions = one.patches
    assert circle.radius == 2 and circle.center == (0, 0) and len(regions) == 5
    assert (regions[0].width, regions[0].height) == (0.4, 0.04)  # two σ to each side
    assert regions[0].center == tuple(means[0, [1, 0]])  # most nats
    assert one.get_title() == "a VAE" and one.get_xlabel() == "$z_{1}$"
    assert other.get_xlabel() == "$z_{1}$" and other.get_ylabel() == "$z_{2}$"  # vary most
    assert len(other.patches) == 1 and one.get_xlim() == other.get_ylim()
    plt.close(figure)


def test_the_legend_names_what_any_panel_of_latents_shows():
    rng = np.random.default_rng(0)
    means, sigmas = rng.normal(size=(30, 2)), np.full((30, 2), 0.1)
    latents = {"a VAE": means, "an autoencoder": means}
    named = ["N(0, I), 86 %", "pictures", r"regions, 2 $\sigma_z$"]
    for order in (latents, dict(reversed(latents.items()))):
        figure = plots.latent_scatter(order, {"a VAE": (means, sigmas)})
        (legend,) = figure.legends
        assert sorted(text.get_text() for text in legend.get_texts()) == named
        plt.close(figure)


def test_interval_panels_without_a_row_are_refused():
    for panels in ({}, {"one": {}, "two": {}}):
        with pytest.raises(ValueError, match="no panel has a row"):
            plots.interval_panels(panels)


def test_interval_panels_have_common_rows_and_leave_out_what_is_empty():
    rows = {"first": (0.2, 0.1), "second": (0.6, 0.0)}
    figure = plots.interval_panels({"one": rows, "none": {}, "two": rows})
    assert [axis.get_xlabel() for axis in figure.axes] == ["one", "two"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["first", "second"]
    low, high = figure.axes[1].get_ylim()
    assert low > high  # the first row is on top
    plt.close(figure)


def test_interval_panels_stand_in_rows_with_limits_of_their_own():
    rows = {"first": (0.2, 0.1), "second": (0.6, 0.0)}
    panels = {"one": rows, "two": rows, "three": rows}
    limits = {"one": (0, 1), "two": (0, 2), "three": (-1, 3)}
    figure = plots.interval_panels(panels, limits, columns=2)
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_xlim() for axis in shown] == [(0, 1), (0, 2), (-1, 3)]
    assert [axis.get_xlabel() for axis in shown] == list(panels) and len(figure.axes) == 4
    places = [axis.get_subplotspec() for axis in shown]
    assert [(p.rowspan.start, p.colspan.start) for p in places] == [(0, 0), (0, 1), (1, 0)]
    assert all(axis.yaxis_inverted() for axis in shown)
    plt.close(figure)
