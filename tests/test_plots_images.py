"""Grids, masks, legends and galleries of images are as asked for."""

import io

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import plots


@pytest.fixture(autouse=True)
def _no_figure_left():
    yield
    plt.close("all")


def _pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="raw", dpi=100)
    width, height = figure.canvas.get_width_height()
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)[..., :3]


def _canvas(figure):
    return figure.axes[0].images[0].get_array()


def test_grid_places_images_where_they_belong():
    images = np.arange(6, dtype=float)[:, None, None] / 5 * np.ones((6, 25, 25))
    canvas = _canvas(plots.image_grid(images, rows=2))
    assert canvas.shape == (51, 77, 3)  # two and three cells of 25, gaps of 1 (4 %)
    for i in range(6):
        r, c = divmod(i, 3)
        cell = canvas[r * 26 : r * 26 + 25, c * 26 : c * 26 + 25]
        assert (cell == round(255 * i / 5)).all()
    assert (canvas[25] == 255).all() and (canvas[:, 25] == 255).all()


def test_grid_accepts_the_same_images_in_every_form():
    rng = np.random.default_rng(0)
    images = rng.random((4, 8, 8, 3))
    want = _canvas(plots.image_grid(images, rows=2))
    for form in (
        [images[:2], images[2:]],
        images.reshape(2, 2, 8, 8, 3),
        [list(images[:2]), list(images[2:])],
        [tuple(images[:2]), images[2:]],
    ):
        np.testing.assert_array_equal(_canvas(plots.image_grid(form)), want)
    np.testing.assert_array_equal(_canvas(plots.image_grid(list(images), rows=2)), want)
    bytes_ = np.round(images * 255).astype(np.uint8)
    np.testing.assert_array_equal(_canvas(plots.image_grid(bytes_, rows=2)), want)


def test_grid_mixes_grey_colour_bool_and_sizes():
    grid = plots.image_grid(
        [np.ones((4, 4), bool), np.zeros((2, 2, 1)), np.ones((4, 4, 3), np.uint8)]
    )
    canvas = _canvas(grid)
    assert (canvas[:, :4] == 255).all() and (canvas[:, 10:] == 1).all()
    assert (canvas[1:3, 6:8] == 0).all() and (canvas[0, 5:9] == 255).all()  # centred in the cell


def test_grid_limits_and_colour_maps():
    image = np.array([[-2.0, 2.0], [0.0, 9.0]])
    canvas = _canvas(plots.image_grid([image], limits=(-2, 2)))
    assert canvas[..., 0].tolist() == [[0, 255], [128, 255]]
    coloured = _canvas(plots.image_grid([image], limits=(-2, 2), cmap="viridis"))
    assert coloured[0, 0].tolist() == [68, 1, 84]


def test_grid_labels_are_drawn_and_no_border_is_wasted():
    figure = plots.image_grid(np.zeros((2, 2, 8, 8)), row_labels=["truth", "x"], column_labels="ab")
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["truth", "x"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["a", "b"]
    bare = _pixels(plots.image_grid(np.zeros((1, 1, 8, 8))))
    assert (bare[3:-3, 3:-3] == 0).all()


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((4, 8, 8)), {"rows": 3}, "4 images do not fill the grid. Received: rows=3"),
        (np.zeros((2, 2, 8, 8)), {"rows": 3}, "already holds 2 rows"),
        (np.zeros((0, 8, 8)), {}, "at least one image"),
        (np.full((1, 8, 8), 1.5), {}, "values from 1.5 to 1.5"),
        (np.full((1, 8, 8), np.nan), {}, "values from nan"),
        (np.full((1, 8, 8), np.nan), {"limits": (0, 2)}, "values from nan"),
        (np.zeros((1, 8, 8), int), {}, "uint8, bool or float. Received: int64"),
        (np.zeros((1, 1, 8, 8, 2)), {}, "An image is"),
        (np.zeros((2, 8, 8)), {"column_labels": ["a"]}, "column_labels needs 2 texts"),
        (np.zeros((2, 8, 8)), {"row_labels": ["a", "b"]}, "row_labels needs 1 texts"),
    ],
)
def test_grid_refuses(images, options, message):
    with pytest.raises(ValueError, match=message):
        plots.image_grid(images, **options)


def test_mask_to_rgb():
    mask = np.array([[0, 1], [2, 255]])
    rgb = plots.mask_to_rgb(mask, num_classes=3, ignore_class=255)
    assert rgb.dtype == np.uint8 and rgb.shape == (2, 2, 3)
    assert rgb[0, 1].tolist() == [0x00, 0x72, 0xB2] and rgb[1, 0].tolist() == [0xE6, 0x9F, 0x00]
    assert rgb[1, 1].tolist() == [255, 255, 255]
    assert plots.mask_to_rgb(mask[None, :1]).shape == (1, 1, 2, 3)
    void_zero = plots.mask_to_rgb(np.array([[0, 1]]), num_classes=2, ignore_class=0)
    assert void_zero[0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("mask", "options", "message"),
    [
        ([[0, 3]], {"num_classes": 3}, r"no class. Received: \[3\]"),
        ([[0, 255]], {}, r"no class. Received: \[255\]"),
        ([[-1, 0]], {"ignore_class": 255}, r"no class. Received: \[-1\]"),
        ([[0.0, 1.0]], {}, "must hold integers. Received: dtype=float64"),
        ([[0]], {"num_classes": 40}, "There are 12 colours"),
    ],
)
def test_mask_to_rgb_refuses(mask, options, message):
    with pytest.raises(ValueError, match=message):
        plots.mask_to_rgb(np.array(mask), **options)


def test_class_legend_names_each_class():
    figure = plots.image_grid(np.zeros((1, 8, 8)))
    plots.class_legend(figure, ["background", "disc"])
    texts = [t.get_text() for t in figure.legends[0].get_texts()]
    assert texts == ["background", "disc"]


def test_a_gallery_shows_answers_and_errors():
    truth = np.array([[[0, 1], [1, 2]]])  # 2 is void
    images = np.zeros((1, 2, 2, 3), "uint8")
    fig = plots.segmentation_gallery(
        images, truth, {"CNN": np.array([[[0, 0], [1, 1]]])}, ["a", "b"], 2
    )
    axis = fig.axes[0]
    labels = [t.get_text() for t in axis.get_yticklabels()]
    assert labels == ["picture", "truth", "CNN", "errors"]
    errors = axis.images[0].get_array()[-2:, :2]  # the last row of the grid, gaps left out
    assert (errors == 0).all(axis=-1).tolist() == [[False, True], [False, False]]
    assert [t.get_text() for t in fig.legends[0].texts] == ["a", "b"]


def test_picture_rows_are_named_and_cut():
    rows = {"one": np.full((12, 4, 4, 3), 1.5), "two": np.full((3, 4, 4, 3), -0.5)}
    figure = plots.picture_rows(rows, count=5)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["one", "two"]
    canvas = _canvas(figure)
    assert canvas.shape[1] == 5 * 5 - 1 and canvas[0, 0, 0] == 255 and canvas[-1, 0, 0] == 0


def test_worst_pictures_have_names_and_of_segments_a_legend():
    from helpers import data

    images = np.zeros((3, 8, 8, 3), "uint8")
    masks = np.zeros((3, 8, 8), "uint8")
    part = data.Dataset("mine", "val", images, masks, ("ground", "thing"), ids=("a", "b", "c"))
    figure = plots.worst_pictures(part, list(masks), [2, 0], "segments")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ground", "thing"]
    words = {text.get_text() for axis in figure.axes for text in axis.texts}
    words |= {label.get_text() for axis in figure.axes for label in axis.get_xticklabels()}
    words |= {label.get_text() for axis in figure.axes for label in axis.get_yticklabels()}
    assert {"a", "c"} <= words and "b" not in words
    part = data.Dataset("mine", "val", images, edges=masks, ids=("a", "b", "c"))
    figure = plots.worst_pictures(part, list(masks), [1], "edges", names=["first"])
    assert not figure.legends
