"""helpers.data "folder": what the values of one's own masks and edges mean."""

import io

import numpy as np
import pytest
from own_images import blocks, load
from PIL import Image

from helpers.data import mask_classes, mask_values


@pytest.fixture
def folder(tmp_path):
    """`folder(mask, ..., under="masks")` writes one image and one mask for each."""

    def write(*masks, base="", under="masks"):
        for i, mask in enumerate(masks):
            image = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
            for kind, content in (
                ("images", Image.new("RGB", image.size)),
                (under, image),
            ):
                path = tmp_path / base / kind / f"p{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                content.save(path)
        return tmp_path

    return write


def refusal(path, **options):
    with pytest.raises(ValueError) as error:
        load(path, **options)
    return str(error.value)


# --- masks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values", [(0, 255), (0, 1), (0, 128), (255, 0), (1, 2), (0, 2), (0, 15), (127, 128)]
)
def test_two_values_are_two_classes(folder, values):
    ds = load(folder(blocks(*values)))
    low, high = sorted(values)
    assert ds.class_names == (f"class {low}", f"class {high}") and ds.ignore_class is None
    assert (ds.masks[0] == (blocks(*values) == high)).all()
    assert ds.stored_values == (None if (low, high) == (0, 1) else (low, high))
    named = load(folder(blocks(*values)), class_names=["background", "cell"])
    assert named.class_names == ("background", "cell") and (named.masks == ds.masks).all()


def test_masks_of_one_bit_a_palette_and_16_bits(folder):
    two = blocks(0, 255)
    palette = Image.frombytes("P", (12, 12), blocks(0, 3).tobytes())
    palette.putpalette([0, 0, 0] * 3 + [255, 0, 0])
    for mask in (Image.fromarray(two).convert("1"), palette, blocks(0, 1).astype(np.uint16)):
        assert (load(folder(mask)).masks[0] == (two > 0)).all()
    far = folder(blocks(0, 1).astype(np.uint16) * 65535)
    assert "mode 'I;16', values 0 to 65535. Save it with 8 bits" in refusal(far)


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        ((0, 7, 200), (0, 7, 200)),
        ((3, 30, 90), (3, 30, 90)),
        ((0, 128, 255), (0, 128, 255)),
        ((0, 85, 170, 255), (0, 85, 170, 255)),
        ((0, 1, 2), None),
    ],
)
def test_odd_ids_are_classes_in_order_and_told(folder, values, stored):
    ds = load(folder(blocks(*values)))
    assert ds.stored_values == stored and ds.class_names == tuple(f"class {v}" for v in values)
    assert (np.asarray(values)[ds.masks[0]] == blocks(*values)).all()
    assert ("; mask values to classes: " in ds.source) == (stored is not None)
    assert stored is None or f"{values[1]} is 1" in ds.source
    assert ds.subset([0]).stored_values == stored


def test_a_mapping_says_what_each_value_is(folder):
    path = folder(blocks(0, 7, 200))
    ds = load(path, class_names={200: "wall", 0: "floor", 7: "door"})
    assert ds.class_names == ("wall", "floor", "door")
    assert (ds.masks[0] == blocks(1, 2, 0)).all()
    assert "has the value 200, which `class_names`" in refusal(path, class_names={0: "a", 7: "b"})
    ds = load(path, class_names={0: "floor", 7: "door", 9: "absent"}, ignore_class=200)
    assert (ds.masks[0] == blocks(0, 1, 200)).all() and len(ds.class_names) == 3


def test_void_is_kept_or_moved_out_of_the_way(folder):
    ds = load(folder(blocks(0, 7, 200)), ignore_class=200)
    assert ds.ignore_class == 200 and (ds.masks[0] == blocks(0, 1, 200)).all()
    ds = load(folder(blocks(0, 1, 2)), ignore_class=0)
    assert ds.class_names == ("class 1", "class 2") and ds.ignore_class == 255
    assert (ds.masks[0] == blocks(255, 0, 1)).all() and "void 0 is 255" in ds.source
    ds = load(folder(blocks(0, 1, 2)), ignore_class=1)
    assert ds.stored_values == (0, 2) and (ds.masks[0] == blocks(0, 255, 1)).all()


def test_255_beside_indices_is_void_and_said_aloud(folder):
    with pytest.warns(UserWarning, match=r"'p0' .* has the value 255.*write ignore_class=255"):
        ds = load(folder(blocks(0, 1, 2, 255)))
    assert (
        ds.ignore_class == 255 and len(ds.class_names) == 3 and "255 is taken as not" in ds.source
    )
    # Where it could be a class that was named, it is not guessed.
    words = refusal(folder(blocks(0, 1, 2, 255)), class_names=["a", "b", "c", "d"])
    assert "write ignore_class=255" in words and "class_names={0: 'name 0'" in words
    words = refusal(folder(blocks(0, 1, 200)))
    assert "has the value 200, beside 0, 1" in words and "write ignore_class=200" in words


def test_255_is_not_guessed_where_other_masks_have_it_as_their_only_object(folder):
    for others, rest in ((blocks(0, 1, 255), "0, 1"), (blocks(0, 1, 2, 255), "0, 1, 2")):
        words = refusal(folder(blocks(0, 255), others))  # a 1 or 2 may be a stray pixel
        assert f"has the value 255, beside {rest} in" in words and "ignore_class=255" in words


def test_void_is_not_advised_where_it_takes_the_object_away(folder):
    path = folder(blocks(0, 255))
    words = refusal(path, class_names=["background", "cell"], ignore_class=255)
    assert (
        "ignore_class=255 leaves one value of the values 0, 255" in words
        and "Leave `ignore_class` out" in words
    )
    assert "leaves one value" in refusal(path, ignore_class=255) and "leaves" in refusal(
        path, ignore_class=0
    )
    assert "write ignore_class" not in refusal(path, class_names=["a", "b", "c"])
    # One person's masks are 0/1, another's 0/255: ignore_class=255 would empty the second one's.
    mixed = folder(blocks(0, 1), blocks(0, 255))
    for names in (None, ["background", "cell"]):
        words = refusal(mixed, class_names=names)
        assert "Some masks are stored as 0 and 1, others as 0 and 255" in words
        assert "write ignore_class" not in words
    # With more classes than two, a picture may show one of them and unlabelled pixels.
    assert load(path, class_names=["a", "b", "c"], ignore_class=255).ignore_class == 255


def soft(how):
    y, x = np.mgrid[:128, :128] - 63.5
    disc = Image.fromarray(np.where(x**2 + y**2 < 40**2, 255, 0).astype(np.uint8))
    if how == "JPEG":
        out = io.BytesIO()
        disc.save(out, "JPEG")
        return np.asarray(Image.open(out))
    return np.asarray(
        disc.resize((64, 64) if how != "LANCZOS" else (90, 90), Image.Resampling[how])
    )


@pytest.mark.parametrize("how", ["BOX", "BILINEAR", "LANCZOS", "JPEG"])
def test_masks_with_soft_edges_are_refused(folder, how):
    words = refusal(folder(soft(how)))
    assert "soft edges" in words and "class_names={0: " in words


def test_photographs_and_single_values_are_no_masks(folder):
    ramp = np.repeat(np.arange(0, 256, dtype=np.uint8), 4)[None].repeat(9, 0)
    assert "classes and not grey levels" in refusal(folder(ramp))
    many = ramp[:, : 4 * 151]
    assert len(load(folder(many), class_names=[str(i) for i in range(151)]).class_names) == 151
    for value in (0, 1, 255):
        assert f"one value, {value}" in refusal(folder(blocks(value)))
    assert load(folder(blocks(1)), class_names=["a", "b"]).masks.max() == 1


def test_jpeg_is_known_by_its_content(folder):
    path = folder(blocks(0, 255))
    Image.fromarray(blocks(0, 255)).save(path / "masks/p0.png", "JPEG")
    assert "JPEG changes class indices" in refusal(path)
    Image.fromarray(blocks(0, 255)).save(path / "masks/p0.png", "TIFF", compression="jpeg")
    assert "JPEG changes class indices" in refusal(path)


@pytest.mark.parametrize(
    "options",
    [
        {"ignore_class": 256},
        {"ignore_class": -1},
        {"ignore_class": "255"},
        {"ignore_class": 255.0},
        {"ignore_class": True},
    ]
    + [{"class_names": x} for x in ("ab", [], {0: "a", 300: "b"}, {"0": "a"})]
    + [{"class_names": {0: "a", 1: "b"}, "ignore_class": 1}],
)
def test_bad_options_are_named(folder, options):
    assert f"`{next(iter(options))}`" in refusal(folder(blocks(0, 1)), **options)


def test_classes_are_counted_over_all_splits_and_all_images(folder, monkeypatch):
    folder(blocks(0, 1), base="train")
    folder(blocks(0, 1, 2), base="Val")
    path = folder(blocks(0, 1, 2, 3), base="test")
    for split in ("train", "val", "test"):
        assert len(load(path, split).class_names) == 4
    # Without subfolders too, and whatever is cut away or left out.
    flat = [blocks(0, 1) for _ in range(5)]
    flat[4][0, 0] = 2
    path = folder(*flat, base="flat") / "flat"
    for options in ({"split": "train"}, {"split": "all", "limit": 1}, {"split": "val", "crop": 4}):
        assert len(load(path, **options).class_names) == 3
    monkeypatch.setattr(mask_values, "_slopes", lambda mask: pytest.fail("decoded again"))
    load(path, "train")
    # The same values mean the same class in every split.
    (path / "masks/p4.png").unlink()
    folder(*[blocks(0, 255)] * 4, blocks(0, 0), base="flat")
    assert [load(path, s).stored_values for s in ("train", "val")] == [(0, 255)] * 2


def test_a_split_without_masks_or_without_images_is_no_matter(folder):
    path = folder(blocks(0, 1), base="train")
    (path / "test/images").mkdir(parents=True)
    (path / "val/masks").mkdir(parents=True)
    assert len(load(path, "train").class_names) == 2
    Image.new("RGB", (4, 4)).save(path / "test/images/a.png")
    assert load(path, "test").masks is None and load(path, "test").class_names is None


# --- edges ------------------------------------------------------------------------------------

LINE = blocks(0, 0, 0, 1)


def people(folder, **files):
    path = folder(blocks(0, 1))
    (path / "edges/p0").mkdir(parents=True, exist_ok=True)
    for name, edge in files.items():
        Image.fromarray(edge).save(path / f"edges/p0/{name}.png")
    return path


def test_each_person_has_a_scale_of_their_own(folder):
    ds = load(people(folder, a=LINE, b=LINE * 255, c=LINE * 128, d=LINE * 64, e=LINE + 1))
    assert (ds.annotations[0] == LINE).all() and (ds.edges[0] == LINE * 255).all()


def test_grey_edges_of_a_person_are_cut_at_128_or_refused(folder):
    grey = np.linspace(0, 255, 144).astype(np.uint8).reshape(12, 12)
    ds = load(people(folder, a=grey, b=LINE))
    assert (ds.annotations[0] == [grey >= 128, LINE]).all()
    assert "3 values up to 2" in refusal(people(folder, a=blocks(0, 1, 2)))
    assert "every pixel has the value 255" in refusal(people(folder, a=LINE | 255))


@pytest.mark.parametrize("scale", [1, 128, 255, 40])
def test_drawings_of_one_file_an_image(folder, scale):
    ds = load(folder(LINE * scale, LINE * 255, under="edges"))
    assert (ds.edges == LINE * 255).all() and all((a == LINE).all() for a in ds.annotations)


def test_strengths_of_one_file_an_image(folder):
    grey = np.linspace(0, 255, 144).astype(np.uint8).reshape(12, 12)
    ds = load(folder(LINE * 40, grey, LINE, LINE * 0, under="edges"))
    assert [e.max() for e in ds.edges] == [40, 255, 255, 0]  # 0/1 is a drawing all the same
    assert (ds.edges[1] == grey).all() and (ds.annotations[1] == (grey >= 128)).all()
    # The kind is decided over all splits.
    folder(grey, under="edges", base="s/train")
    path = folder(LINE * 40, under="edges", base="s/test") / "s"
    assert load(path, "test").edges.max() == 40


def test_edges_that_have_no_strength_are_refused(folder):
    palette = Image.frombytes("P", (12, 12), blocks(0, 1, 2, 200).tobytes())
    palette.putpalette([0, 0, 0, 255, 255, 255, 9, 9, 9])
    assert "mode 'P'" in refusal(folder(palette, under="edges"))
    regions = folder(blocks(0, 1, 2, 3), under="edges")
    assert "4 values up to 3" in refusal(regions)
    path = people(folder, a=LINE)
    (path / "edges/p0.png").rename(path / "edges/P0.PNG")
    assert "has the file 'P0.PNG' and the folder 'p0'" in refusal(path)


def test_long_lists_of_values_are_shortened():
    assert mask_classes._listed(range(8)) == "0, 1, 2, 3, 4, 5, 6, 7"
    assert mask_classes._listed(range(9)) == "0, 1, 2, 3, 4, 5, ..., 8"
