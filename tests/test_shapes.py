"""The embedded set: determinism, exactness, factors and the annotators' habits."""

import colorsys
import hashlib
import subprocess
import sys

import numpy as np
import pytest

from helpers.data import Dataset, load, shapes
from helpers.data import _shapes_draw as draw
from helpers.data._shapes_annotators import boundaries


@pytest.fixture(scope="module")
def train():
    return shapes.generate("train", n=300)


def digest(data):
    marks = np.stack(data.annotations)
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(a).tobytes() for a in (data.images, data.masks, marks))
    ).hexdigest()


def test_what_it_returns(train):
    assert isinstance(train, Dataset)
    assert (train.name, train.split, train.ignore_class) == ("shapes", "train", None)
    assert train.class_names == ("background", "disc", "square", "triangle")
    assert train.images.shape == (300, 64, 64, 3) and train.images.dtype == np.uint8
    assert train.masks.shape == train.edges.shape == (300, 64, 64)
    assert len(train.annotations) == 300 and train.annotations[0].shape == (5, 64, 64)
    assert set(np.unique(train.masks)) == {0, 1, 2, 3}
    assert all(values.shape == (300,) for values in train.factors.values())
    assert len(set(train.ids)) == 300
    assert "scikit-image" in train.source and "CC0" in train.licence


def test_load_passes_its_options_on(train):
    small = load("shapes", "train", limit=3, size=32, texture="flat")
    assert small.images.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(load("shapes", limit=3).images, train.images[:3])


def test_same_arguments_same_bits(train):
    assert digest(shapes.generate("train", n=300)) == digest(train)


def test_same_bits_in_another_process(train):
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_shapes import digest, shapes\n"
        "print(digest(shapes.generate('train', n=300)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == digest(train)


@pytest.mark.parametrize("n", [1, 37, 100, 150])
def test_first_images_do_not_depend_on_how_many_follow(train, n):
    few = shapes.generate("train", n=n)
    assert digest(few) == digest(train.subset(slice(n)))
    for key, values in few.factors.items():
        np.testing.assert_array_equal(values, train.factors[key][:n])


def test_splits_seeds_and_blocks_are_different_streams(train):
    others = [
        shapes.generate("val", n=200),
        shapes.generate("test", n=200),
        shapes.generate("train", n=200, seed=1),
        shapes.generate("val", n=200, seed=1),
    ]
    planes = [other.masks.reshape(200, -1) for other in [train.subset(slice(200)), *others]]
    # No mask comes twice: not within a stream, not across streams.
    assert len(np.unique(np.concatenate(planes), axis=0)) == 1000


# Every recorded result rests on these pictures, so a change of any number that draws them is told.
COLOURS = [
    [78.3, 63.2, 45.5], [62.2, 81.1, 71.8], [82.3, 54.1, 75.6], [50.9, 45.3, 69.6],
    [107.9, 92.4, 106.1], [110.4, 85.0, 81.9], [78.2, 124.6, 118.2], [66.0, 121.5, 68.9],
]  # fmt: skip
PIXELS = [
    [3263, 516, 317, 0], [2683, 464, 396, 553], [3828, 268, 0, 0], [3582, 514, 0, 0],
    [2613, 0, 1188, 295], [3176, 920, 0, 0], [3657, 0, 0, 439], [3912, 184, 0, 0],
]  # fmt: skip


def test_the_default_pictures_are_those_of_the_records(train):
    np.testing.assert_allclose(train.images[:8].mean((1, 2)), COLOURS, atol=0.1)
    found = [np.bincount(mask.ravel(), minlength=4) for mask in train.masks[:8]]
    np.testing.assert_allclose(found, PIXELS, atol=2)


def test_default_sizes_of_the_splits():
    assert shapes.SPLITS == {"train": 4000, "val": 1000, "test": 1000}


def test_edges_of_a_hand_drawn_scene():
    front = np.zeros((1, 5, 6), int)
    front[0, 1:4, 1:4] = 2  # in front
    front[0, 2:5, 3:5] = np.maximum(front[0, 2:5, 3:5], 1)  # partly behind it, cut by the frame
    expected = [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 1, 0, 1, 1, 0],
        [0, 1, 1, 1, 1, 0],
        [0, 0, 0, 1, 1, 0],
    ]
    np.testing.assert_array_equal(boundaries(front)[0], np.array(expected, bool))


def test_edges_against_a_loop():
    front = np.random.default_rng(0).integers(0, 4, (3, 7, 8))
    slow = np.zeros(front.shape, bool)
    for i, r, c in np.ndindex(front.shape):
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            if 0 <= r + dr < 7 and 0 <= c + dc < 8:
                slow[i, r, c] |= front[i, r, c] > front[i, r + dr, c + dc]
    np.testing.assert_array_equal(boundaries(front), slow)


def test_masks_and_exact_edges_agree():
    data = shapes.generate("train", n=200, annotators=("careful",))
    edges, masks = data.edges == 255, data.masks
    assert set(np.unique(data.edges)) == {0, 255}
    assert not edges[masks == 0].any()  # drawn on the object's side
    # Wherever the class changes, one of the two pixels is an edge.
    for axis in (1, 2):
        change = np.diff(masks.astype(int), axis=axis) != 0
        a, b = np.delete(edges, -1, axis), np.delete(edges, 0, axis)
        assert (a | b)[change].all()
    # Every edge has a neighbour of another class, but for objects of one class that touch.
    differs = np.zeros_like(edges)
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        differs |= masks != np.roll(masks, shift, axis=(1, 2))
    single = data.factors["objects"] == 1
    assert differs[single][edges[single]].all()
    # Thin: no 3x3 square is all edge.
    windows = np.lib.stride_tricks.sliding_window_view(edges, (3, 3), axis=(1, 2))
    assert windows.all(axis=(3, 4)).mean() < 1e-5


def test_edges_are_the_share_of_annotators(train):
    marks = np.stack(train.annotations).astype(float)
    np.testing.assert_array_equal(train.edges, np.round(marks.mean(axis=1) * 255).astype("uint8"))


def test_factors_describe_the_main_object():
    # One object: its class, centre and size can be read off the mask.
    data = shapes.generate("train", n=300, objects=1)
    inside = data.masks > 0
    grid = np.arange(64)
    area = inside.sum(axis=(1, 2))
    f = data.factors
    x, y = (inside * grid).sum((1, 2)) / area, (inside * grid[:, None]).sum((1, 2)) / area
    assert np.abs(x - f["x"]).max() < 0.3 and np.abs(y - f["y"]).max() < 0.3
    error = np.abs(np.sqrt(area / np.pi) - f["radius"])  # upright squares are the coarsest
    assert error.max() < 0.7
    for kind in (1, 2, 3):
        assert error[f["class"] == kind].mean() < 0.1
    np.testing.assert_array_equal(data.masks.max(axis=(1, 2)), f["class"])
    assert (f["objects"] == 1).all()


def test_main_object_is_the_largest_and_uncovered(train):
    f = train.factors
    at = np.arange(300), np.rint(f["y"]).astype(int), np.rint(f["x"]).astype(int)
    np.testing.assert_array_equal(train.masks[at], f["class"])
    for i in np.flatnonzero(f["class"] == draw.DISC)[:30]:
        away = np.hypot(np.arange(64) - f["x"][i], np.arange(64)[:, None] - f["y"][i])
        assert (train.masks[i][away < f["radius"][i]] == draw.DISC).all()


def test_slots_go_from_large_to_small():
    scene = draw.draw_scenes(np.random.default_rng(0), 200, 64, (1, 4), (0.1, 0.2), (0.1, 0.4), 3)
    full = scene.shape > 0
    assert (np.diff(scene.radius, axis=1) <= 0).all()
    np.testing.assert_array_equal(full, scene.radius > 0)
    assert set(full.sum(axis=1)) == {1, 2, 3, 4}
    reach = draw.REACH[scene.shape] * scene.radius
    for centre in (scene.x, scene.y):  # wholly inside the frame
        assert (centre - reach >= 0)[full].all() and (centre + reach <= 63)[full].all()


def test_every_kind_of_shape_comes_as_near_to_the_frame_as_it_can():
    scene = draw.draw_scenes(np.random.default_rng(0), 600, 64, (1, 1), (0.1, 0.2), (0.1, 0.4), 3)
    # The farthest points of shapes with the area π: half a diagonal, and two thirds of a height.
    farthest = {1: 1, 2: np.sqrt(np.pi / 2), 3: 2 * np.sqrt(np.pi / 3 / np.sqrt(3))}
    for kind, reach in farthest.items():
        these = scene.shape == kind
        rest = scene.x[these] - reach * scene.radius[these]
        assert 0 <= rest.min() < 1.5
    with pytest.raises(AttributeError):
        scene.x = 0


def test_colours_are_those_of_the_standard_library():
    hsv = np.random.default_rng(0).random((50, 3))
    expected = [colorsys.hsv_to_rgb(*colour) for colour in hsv]
    np.testing.assert_allclose(draw.hsv_to_rgb(*hsv.T), expected, atol=1e-12)


def test_textures_are_standardised_and_a_hundredth_of_them_is_contour():
    greys, contours = draw.load_textures(tuple(draw.TEXTURES))
    assert (
        greys.dtype == np.float32 and contours.dtype == np.uint8 and greys.shape == contours.shape
    )
    assert np.abs(greys.mean(axis=(1, 2, 3))).max() < 0.05 and np.abs(greys).max() == 2.5
    for stack in (greys, contours):
        first, mirrored, turned, both = stack[0]
        np.testing.assert_array_equal(mirrored, first[:, ::-1])
        np.testing.assert_array_equal(turned, first.T)
        np.testing.assert_array_equal(both, mirrored.T)
    share = contours.mean(axis=(1, 2, 3))
    assert share.min() > 0.008 and share.max() < 0.012


@pytest.mark.parametrize(
    ("kind", "turn"), [(draw.SQUARE, np.pi / 2), (draw.TRIANGLE, 2 * np.pi / 3)]
)
def test_rotation_is_what_it_says(kind, turn):
    data = shapes.generate("train", n=100, objects=1)
    these = np.flatnonzero(data.factors["class"] == kind)
    rotation = data.factors["rotation"][these]
    assert 0 <= rotation.min() < 0.3 * turn and 0.7 * turn < rotation.max() < turn
    # The nearest point of the outline lies in the direction of the rotation.
    f = {key: values[these] for key, values in data.factors.items()}
    side = draw.SQUARE_HALF if kind == draw.SQUARE else draw.TRIANGLE_INNER
    for reach, inside in ((side * f["radius"] - 1, True), (side * f["radius"] + 1, False)):
        x = np.rint(f["x"] + reach * np.cos(rotation)).astype(int)
        y = np.rint(f["y"] + reach * np.sin(rotation)).astype(int)
        assert ((data.masks[these, y, x] > 0) == inside).mean() > 0.95
    assert (data.factors["rotation"][data.factors["class"] == draw.DISC] == 0).all()


def test_colour_and_contrast_are_those_of_the_pixels():
    data = shapes.generate("train", n=100, objects=1, texture="flat", noise=0)
    f = data.factors
    paint = np.stack([f["red"], f["green"], f["blue"]], axis=1)
    ground = np.stack([f["ground_red"], f["ground_green"], f["ground_blue"]], axis=1)
    rows, columns = np.rint(f["y"]).astype(int), np.rint(f["x"]).astype(int)
    assert np.abs(data.images[np.arange(100), rows, columns] / 255 - paint).max() < 0.003
    outside = [image[mask == 0] for image, mask in zip(data.images, data.masks, strict=True)]
    medians = np.stack([np.median(pixels, axis=0) for pixels in outside])
    assert np.abs(medians / 255 - ground).max() < 0.003
    contrast = np.sqrt(np.mean((paint - ground) ** 2, axis=1))
    np.testing.assert_allclose(contrast, f["contrast"], atol=1e-5)


def test_classes_are_balanced_and_differ_in_nothing_else():
    data = shapes.generate("train", n=2000)
    f = data.factors
    share = np.bincount(f["class"], minlength=4)[1:] / 2000
    assert np.abs(share - 1 / 3).max() < 0.042  # four standard errors
    pixels = np.bincount(data.masks.ravel(), minlength=4) / data.masks.size
    assert pixels[0] > 0.7 and pixels[1:].max() / pixels[1:].min() < 1.15
    for key in ("radius", "red", "green", "blue", "contrast", "ground_red", "texture"):
        means = [f[key][f["class"] == kind].mean() for kind in (1, 2, 3)]
        assert np.ptp(means) < 0.25 * f[key].std(), key
    counts = np.bincount(f["objects"], minlength=4)
    assert counts[0] == 0 and counts[1:4].min() > 0.3 * 2000 and counts.sum() == 2000


@pytest.fixture(scope="module")
def marks(train):
    return dict(zip(shapes.ANNOTATORS, np.stack(train.annotations, axis=1), strict=True))


class TestAnnotators:
    def test_unsteady_is_one_pixel_away(self, marks):
        for exact, drawn in zip(marks["careful"][:50], marks["unsteady"][:50], strict=True):
            hits = [
                shift
                for shift in np.ndindex(3, 3)
                if np.array_equal(np.roll(exact, np.array(shift) - 1, axis=(0, 1)), drawn)
            ]
            assert len(hits) == 1 and hits[0] != (1, 1)

    def test_unsteady_goes_in_every_direction(self, marks):
        def middle(planes):
            rows, columns = np.arange(64)[:, None], np.arange(64)
            total = planes.sum(axis=(1, 2))
            return np.stack(
                [(planes * rows).sum((1, 2)) / total, (planes * columns).sum((1, 2)) / total]
            )

        moved = np.rint(middle(marks["unsteady"]) - middle(marks["careful"])).astype(int)
        assert len(np.unique(moved, axis=1).T) == 8

    def test_hasty_overlooks_low_contrast(self, train, marks):
        single = train.factors["objects"] == 1
        low = train.factors["contrast"] < shapes.HASTY_CONTRAST
        exact, drawn = marks["careful"], marks["hasty"]
        assert 0.1 < low.mean() < 0.6
        assert not drawn[single & low].any()
        np.testing.assert_array_equal(drawn[single & ~low], exact[single & ~low])
        assert (drawn <= exact).all()

    def test_zealous_adds_texture(self, train, marks):
        extra = marks["zealous"].astype(int) - marks["careful"]
        assert extra.min() == 0
        assert not train.masks[extra > 0].any()  # only on the background
        assert 0.15 < extra.sum() / marks["careful"].sum() < 0.5
        flat = shapes.generate("train", n=20, texture="flat")
        np.testing.assert_array_equal(flat.annotations[3][3], flat.annotations[3][0])

    def test_outliner_leaves_out_inner_edges(self, train, marks):
        expected = boundaries((train.masks > 0).astype(int))
        np.testing.assert_array_equal(marks["outliner"], expected)
        missing = marks["careful"].astype(int) - marks["outliner"]
        assert missing.min() == 0 and missing.sum() > 0
        assert not missing[train.factors["objects"] == 1].any()

    def test_by_number_and_by_name(self, train):
        two = shapes.generate("train", n=5, annotators=2)
        named = shapes.generate("train", n=5, annotators=("outliner", "careful"))
        for i in range(5):
            np.testing.assert_array_equal(two.annotations[i], train.annotations[i][:2])
            np.testing.assert_array_equal(named.annotations[i], train.annotations[i][[4, 0]])


def test_noise_and_texture_have_the_stated_strength():
    plain = shapes.generate("train", n=100, texture=0, noise=0, contrast=(0.4, 0.4))
    noisy = shapes.generate("train", n=100, texture="flat", noise=0.04, contrast=(0.4, 0.4))
    np.testing.assert_array_equal(plain.masks, noisy.masks)
    ground = plain.masks == 0
    rest = (noisy.images[ground].astype(float) - plain.images[ground]) / 255
    assert abs(rest.std() / 0.04 - 1) < 0.05 and abs(rest.mean()) < 0.002
    rough = shapes.generate("train", n=100, texture=0.2, noise=0, contrast=(0.4, 0.4))
    ratio = rough.images[ground].astype(float) / plain.images[ground]
    assert abs(ratio.std() / 0.2 - 1) < 0.2
    # Objects have a third of it; of middling values, which nothing cuts off.
    inside = plain.images[plain.masks > 0].astype(float), rough.images[plain.masks > 0]
    middling = (inside[0].min(axis=-1) > 40) & (inside[0].max(axis=-1) < 200)
    ratio = inside[1][middling] / inside[0][middling]
    assert abs(ratio.std() / (0.2 / 3) - 1) < 0.2


def test_the_zealous_one_marks_what_is_seen():
    data = shapes.generate("train", n=100, noise=0, texture=0.5)
    steep = np.hypot(*np.gradient(data.images.mean(axis=-1), axis=(1, 2)))
    marks = np.stack(data.annotations)
    # Contours of the texture that is shown are steep, and those of another place are not.
    assert steep[marks[:, 3] > marks[:, 0]].mean() > 2 * steep[data.masks == 0].mean()


def test_the_limits_of_the_options_are_allowed():
    small = shapes.generate("val", n=1, size=16, annotators=1, objects=(6, 6), noise=1, texture=1)
    assert small.images.shape == (1, 16, 16, 3) and small.annotations[0].shape == (1, 16, 16)
    assert shapes.generate("val", n=1, size=256).masks.shape == (1, 256, 256)


def test_an_object_keeps_apart_from_all_that_were_placed_before():
    shape, radius = np.zeros((200, 3), int), np.full((200, 3), 4.0)
    x, y = draw._place(np.random.default_rng(0), shape, radius, 64)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        apart = np.hypot(x[:, one] - x[:, other], y[:, one] - y[:, other])
        assert (apart >= 0.8 * 8).all()  # pixels: a share of the sum of the radii


def test_the_smallest_contrast_and_radius_are_allowed_and_smaller_ones_are_not():
    for name in ("contrast", "radius"):
        shapes.generate("val", n=1, **{name: (0.02, 0.02)})
        with pytest.raises(ValueError, match=f"`{name}` must be .*0.02"):
            shapes.generate("val", n=1, **{name: (0.019, 0.02)})


def test_options_for_the_scene():
    data = shapes.generate(
        "val", n=50, objects=(4, 6), size=96, textures=("gravel",), radius=(0.05, 0.1)
    )
    assert data.images.shape == (50, 96, 96, 3)
    assert set(data.factors["objects"]) == {4, 5, 6}
    assert set(data.factors["texture"]) == {shapes.TEXTURES.index("gravel")}
    assert data.factors["radius"].max() <= 9.6
    assert not any(data.masks[:, edge].any() for edge in (0, -1))  # inside the frame


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"split": "trian"}, "train, val, test.*'trian'"),
        ({"n": 0}, "`n`.*n=0"),
        ({"n": 2.5}, "`n`.*n=2.5"),
        ({"size": 15}, "`size`.*16 to 256.*size=15"),
        ({"size": 257}, "`size`.*16 to 256.*size=257"),
        ({"radius": ("0.1", 0.2)}, "`radius`.*'0.1'"),
        ({"size": (64, 64)}, r"`size`.*\(64, 64\)"),
        ({"seed": -1}, "`seed`.*-1"),
        ({"objects": (3, 1)}, r"`objects`.*\(3, 1\)"),
        ({"objects": 0}, "`objects`.*1 ≤ least"),
        ({"objects": (1, 7)}, "most ≤ 6"),
        ({"radius": (0.1, 0.5)}, "`radius`.*0.5"),
        ({"radius": 0.1}, "`radius`.*pair"),
        ({"contrast": (0, 2)}, "`contrast`"),
        ({"texture": "smooth"}, '`texture`.*"flat".*smooth'),
        ({"texture": -0.1}, "`texture`.*-0.1"),
        ({"textures": ("sand",)}, "`textures`.*brick, grass, gravel.*sand"),
        ({"textures": ()}, "`textures`"),
        ({"noise": float("nan")}, "`noise`.*nan"),
        ({"noise": True}, "`noise`.*True"),
        ({"annotators": 6}, "`annotators`.*1 to 5.*careful.*6"),
        ({"annotators": ("lazy",)}, "`annotators`.*lazy"),
    ],
)
def test_bad_input_is_named(options, says):
    with pytest.raises(ValueError, match=says):
        shapes.generate(**options)


def test_import_leaves_the_heavy_packages_alone():
    code = (
        "import sys, helpers.data.shapes\n"
        "print([m for m in ('skimage', 'scipy', 'matplotlib', 'keras') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
