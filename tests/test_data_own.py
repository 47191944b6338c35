"""helpers.data "folder": names, layouts, camera turns, stacks and transparency."""

import struct
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
from own_images import load, photo, refusal, save
from PIL import Image

from helpers import data
from helpers.data import images

MASK = np.zeros((4, 6), np.uint8)
MASK[0], MASK[:, 0] = 1, 1  # looks different after every turn


def tag(number):
    exif = Image.Exif()
    exif[0x0112] = number
    return {"exif": exif}


def nfd(name):
    return unicodedata.normalize("NFD", name)


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ending", [".JPG", ".Png", ".TIF", ".JPEG", ".tiff", ".WebP", ".gif", ".JFIF"]
)
def test_case_of_endings_and_names_does_not_count(tmp_path, ending):
    save(tmp_path / f"Images/IMG_1{ending}", photo())
    save(tmp_path / "MASKS/img_1.PNG", MASK)
    save(tmp_path / "edges/IMG_1.Tif", MASK)
    ds = load(tmp_path)
    assert (
        ds.ids == ("IMG_1",) and (ds.masks[0] == MASK).all() and (ds.edges[0] == MASK * 255).all()
    )


@pytest.mark.parametrize(("one", "other"), [(str, nfd), (nfd, str)])
def test_unicode_form_of_names_does_not_count(tmp_path, one, other):
    name, base = "Übung é", tmp_path / one("Größe à")
    save(base / f"train/images/{one(name)}.png", photo())
    save(base / f"train/masks/{other(name)}.png", MASK)
    save(base / f"train/edges/{other(name)}/{one('zoë')}.png", MASK)
    ds = load(str(tmp_path / other("Größe à")), "train")
    assert ds.ids == (name,) and ds.masks.any() and ds.edges.any()
    file = tmp_path / other("Größe à") / "train" / "images" / f"{other(name)}.png"
    assert (load(file).images == ds.images).all()
    assert (images.read_rgb(file) == photo()).all()


def test_relative_paths_and_parts_above(tmp_path, monkeypatch):
    save(tmp_path / nfd("é") / "a.png", photo())
    monkeypatch.chdir(tmp_path)
    assert load("é").ids == ("a",) and load(Path("é") / ".." / "é").ids == ("a",)
    words = refusal("é/ü")
    assert "must be a folder or an image file" in words
    assert words.endswith(f"relative paths start in {Path.cwd()}")


@pytest.mark.parametrize("path", [None, "", 3, b""])
def test_no_path_is_refused(path):
    with pytest.raises(ValueError, match=r"needs `path=`, .*Received: path="):
        data.load("folder", "all", path=path)


def test_the_order_is_the_same_on_every_system(tmp_path):
    for i, name in enumerate(("a", "é", "f", "z", "ü")):
        save(tmp_path / f"{nfd(name) if i % 2 else name}.png", photo())
    assert load(tmp_path).ids == ("a", "f", "z", "é", "ü")


@pytest.mark.parametrize(
    ("one", "other"), [("a.jpg", "A.jpg"), ("a.png", "a.PNG"), ("é.png", nfd("é.png"))]
)
def test_two_files_of_one_name_are_named(tmp_path, one, other):
    save(tmp_path / "ok/images/a.png", photo())
    for place in ("images", "masks", "edges", "edges/é", "edges/a"):
        folder = tmp_path / place.replace("/", "-")
        save(folder / "images" / ("é.png" if "é" in one else "a.png"), photo())
        save(folder / place / one, MASK)
        save(folder / place / other, MASK)
        if (place == "edges/a" and "é" in one) or (place == "edges/é" and "é" not in one):
            continue
        words = refusal(folder)
        assert "share the name" in words and repr(one) in words and repr(other)[1:-1] in words
        assert "\\u0301" in words or "é" not in one  # else the two look alike


def test_two_folders_of_one_name_are_named(tmp_path):
    save(tmp_path / "train/a.png", photo())
    save(tmp_path / "Train/a.png", photo())
    assert "two folders share the name" in refusal(tmp_path, "train")


def test_what_is_missing_is_named_with_what_is_like_it(tmp_path):
    save(tmp_path / "images/a.jpg", photo())
    save(tmp_path / "masks/a_mask.png", MASK)
    assert "There is 'a_mask.png': rename it" in refusal(tmp_path)


def test_formats_that_are_not_read_are_not_passed_over(tmp_path):
    save(tmp_path / "a.jpg", photo())
    (tmp_path / "a.NEF").write_bytes(b"the raw file of the same photograph")
    assert load(tmp_path).ids == ("a",)
    (tmp_path / "b.HEIC").write_bytes(b"x")
    assert "b.HEIC: images of the kind '.HEIC' are not read" in refusal(tmp_path)


# --- layouts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("valid", "val"),
        ("Validation", "val"),
        ("dev", "val"),
        ("testing", "test"),
        ("Training", "train"),
    ],
)
def test_other_names_of_splits_are_told(tmp_path, name, right):
    save(tmp_path / name / "images/a.png", photo())
    for split in ("train", "val", "test", "all"):
        assert f"the folder {name!r} is not read" in refusal(tmp_path, split)
        assert f"rename it to {right!r}" in refusal(tmp_path, split)
    save(tmp_path / right / "images/a.png", photo())
    assert f"{right!r} is there too" in refusal(tmp_path, right)


def test_case_of_splits_does_not_count(tmp_path):
    for name in ("Train", "VAL", "test"):
        save(tmp_path / name / "a.png", photo())
        assert load(tmp_path, name.lower()).ids == ("a",)
    assert "the splits train, val, test. Ask for one of them." in refusal(tmp_path, "all")


def test_splits_inside_of_images_are_told(tmp_path):
    save(tmp_path / "images/train/a.png", photo())
    assert "Splits are the outer folders: train/images" in refusal(tmp_path)


def test_images_beside_the_splits_or_the_images_are_told(tmp_path):
    save(tmp_path / "train/a.png", photo())
    save(tmp_path / "b.png", photo())
    assert "beside them images, which would be left out" in refusal(tmp_path, "train")
    save(tmp_path / "train/images/a.png", photo())
    assert "has images in images/ and beside it" in refusal(tmp_path / "train")


@pytest.mark.parametrize("name", ["trainannot", "train_masks", "train-labels"])
def test_masks_beside_the_splits_are_told(tmp_path, name):
    save(tmp_path / "train/a.png", photo())
    save(tmp_path / name / "a.png", MASK)
    assert "The masks of 'train' belong into train/masks/" in refusal(tmp_path, "train")


@pytest.mark.parametrize(
    ("name", "right"),
    [
        (name, right)
        for right, names in {
            "masks": "labels label Mask gt annot annotation annotations segmentation segmentations "
            "groundtruth ground_truth SegmentationClass",
            "edges": "edge boundary boundaries contours",
        }.items()
        for name in names.split()
    ],
)
def test_other_names_of_masks_and_edges_are_told(tmp_path, name, right):
    save(tmp_path / "images/a.png", photo())
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.json").write_text("{}")
    assert load(tmp_path).masks is None  # no images in it
    save(tmp_path / name / "a.png", MASK)
    assert f"the folder {name!r} is not read. If it holds {right}" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["image", "img", "imgs", "photos", "pictures", "JPEGImages"])
def test_other_names_of_the_images_are_told(tmp_path, name):
    save(tmp_path / name / "a.png", photo())
    assert f"If they are in {name!r}, rename it to 'images'." in refusal(tmp_path)


def test_one_folder_a_class_is_told(tmp_path):
    for name in ("cat", "dog"):
        save(tmp_path / name / "a.png", photo())
    words = refusal(tmp_path)
    assert "no images" in words and "folders cat, dog. One folder a class is not read" in words
    assert load(tmp_path / "cat").ids == ("a",)
    save(tmp_path / "more/img/a.png", photo())
    assert "rename it to 'images'" in refusal(tmp_path / "more")


# --- camera turns -----------------------------------------------------------------------------


def upright(array, number):
    """The turns by hand: 1 to 8 as the Exif standard has them."""
    flipped = array[:, ::-1] if number in (2, 4, 5, 7) else array
    return np.rot90(flipped, {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}[number])


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_image_and_mask_get_the_same_turn(tmp_path, number, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    save(tmp_path / "images/a.png", photo(), kind, **options, **tag(number))
    assert (images.read_rgb(tmp_path / "images/a.png") == photo()).all()  # as stored
    shown = upright(photo(), number)
    # The mask has the same tag: it turns as the image does.
    for mask_kind in ("PNG", "TIFF"):
        save(tmp_path / "masks/a.png", MASK, mask_kind, **tag(number))
        save(tmp_path / "edges/a.png", MASK, mask_kind, **tag(number))
        ds = load(tmp_path)
        assert (ds.images[0] == shown).all() and (ds.masks[0] == upright(MASK, number)).all()
        assert (ds.edges[0] == upright(MASK, number) * 255).all()
        assert (load(tmp_path, drawn_on="shown").masks == ds.masks).all()
    # It has none: the sizes tell on which of the two it was drawn, or nobody can.
    drawn = {"stored": MASK, "shown": upright(MASK, number)}
    for where, mask in drawn.items():
        save(tmp_path / "masks/a.png", mask)
        assert (load(tmp_path, drawn_on=where).masks[0] == upright(MASK, number)).all()
        if number in (1, 5, 6, 7, 8):
            assert (load(tmp_path).masks[0] == upright(MASK, number)).all()
        else:
            words = refusal(tmp_path)
            assert f"image {number}, this file 1" in words and "drawn_on='stored'" in words


def test_a_jpeg_of_a_phone_and_a_square_photograph(tmp_path):
    save(tmp_path / "images/a.jpg", photo(60, 40), **tag(6))
    save(tmp_path / "masks/a.png", np.eye(60, 40, dtype=np.uint8))
    ds = load(tmp_path)
    assert ds.images.shape == (1, 40, 60, 3)
    assert (ds.masks[0] == np.rot90(np.eye(60, 40), -1)).all()
    square = np.zeros((8, 8), np.uint8)
    square[0] = 1
    save(tmp_path / "images/a.jpg", photo(8, 8), **tag(6))
    save(tmp_path / "masks/a.png", square)
    assert "both ways fit in size" in refusal(tmp_path)
    assert (load(tmp_path, drawn_on="stored").masks[0] == np.rot90(square, -1)).all()
    assert (load(tmp_path, drawn_on="shown").masks[0] == square).all()
    save(tmp_path / "masks/a.png", square, **tag(6))
    assert (load(tmp_path).masks[0] == np.rot90(square, -1)).all()
    # Only the mask has a tag: the same question.
    save(tmp_path / "images/a.jpg", photo(8, 8))
    assert "image 1, this file 6" in refusal(tmp_path)
    # Edges of several people are asked the same.
    save(tmp_path / "masks/a.png", square)
    save(tmp_path / "edges/a/anna.png", square, **tag(3))
    assert "anna.png: cannot tell how this lies" in refusal(tmp_path)


def test_sizes_that_differ_by_a_turn_are_explained(tmp_path):
    save(tmp_path / "images/a.png", photo(4, 6), **tag(6))
    save(tmp_path / "masks/a.png", MASK)
    words = refusal(tmp_path, drawn_on="shown")
    assert (
        "must have its image's size, 6x4" in words and "Camera tags: image 6, this file 1" in words
    )
    save(tmp_path / "images/a.png", photo(4, 6))
    save(tmp_path / "masks/a.png", np.ascontiguousarray(MASK.T))
    assert "Received: 6x4. The sizes differ by a quarter turn only" in refusal(tmp_path)
    save(tmp_path / "masks/a.png", MASK[:3])
    assert "turn" not in refusal(tmp_path)
    assert "`drawn_on` must be" in refusal(tmp_path, drawn_on="me")


@pytest.mark.parametrize("number", [0, 9, 77])
def test_tags_that_mean_nothing_turn_nothing(tmp_path, number):
    save(tmp_path / "a.jpg", photo(), quality=100, **tag(number))
    assert load(tmp_path / "a.jpg").images.shape == (1, 4, 6, 3)
    save(tmp_path / "b.jpg", photo(), exif=b"Exif\0\0nonsense")
    assert load(tmp_path / "b.jpg").images.shape == (1, 4, 6, 3)


# --- several pictures in a file, transparency -------------------------------------------------


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP"])
def test_stacks_are_refused(tmp_path, kind):
    pages = [Image.fromarray(photo(8, 8) // n) for n in (1, 2, 3)]
    path = tmp_path / f"images/a.{kind.lower()}"
    path.parent.mkdir()
    pages[0].save(path, kind, save_all=True, append_images=pages[1:])
    words = refusal(tmp_path)
    assert f"a.{kind.lower()}: holds 3 pictures" in words and words == refusal(path)
    path.unlink()
    save(tmp_path / "images/a.png", photo(8, 8))
    (tmp_path / "masks").mkdir()
    first, *more = [page.convert("L") for page in pages]
    first.save(tmp_path / f"masks/a.{kind.lower()}", kind, save_all=True, append_images=more)
    assert "holds 3 pictures" in refusal(tmp_path)


def test_the_second_picture_that_a_phone_hides_is_no_stack(tmp_path):
    first, second = (Image.fromarray(photo(h, 8)) for h in (8, 4))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    assert load(tmp_path).images.shape == (1, 8, 8, 3)


def alpha(value, mode):
    image = Image.fromarray(photo()).convert(mode)
    image.putalpha(value)
    return image


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_transparent_pixels_are_refused_and_opaque_ones_are_not(tmp_path, mode):
    path = tmp_path / "a.png"
    alpha(255, mode).save(path)
    assert (
        load(path).images[0] == np.asarray(Image.fromarray(photo()).convert(mode).convert("RGB"))
    ).all()
    for value in (0, 254):
        alpha(value, mode).save(path)
        assert "a.png: 100.00% of the pixels are transparent" in refusal(path)
    with pytest.raises(ValueError, match="transparent"):
        images.read_rgb(path)
    assert images.read_rgb(path, drop_alpha=True).shape == (4, 6, 3)


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")  # Pillow advises RGBA
def test_a_transparent_colour_is_refused_where_it_occurs(tmp_path):
    path = tmp_path / "a.png"
    for array, key in (
        (photo(), tuple(map(int, photo()[0, 0]))),
        (photo()[..., 0], int(photo()[0, 0, 0])),
    ):
        Image.fromarray(array).save(path, transparency=key)
        assert "transparent" in refusal(path)
    Image.fromarray(MASK + 1).save(path, transparency=0)
    assert load(path).images.max() == 2
    palette = Image.fromarray(photo()).quantize(8)
    for kind in ("PNG", "GIF"):
        palette.save(path, kind, transparency=palette.getpixel((0, 0)))
        assert "transparent" in refusal(path)
    palette.save(path, transparency=bytes([255] * 8))
    assert load(path).images.shape == (1, 4, 6, 3)


def test_masks_keep_their_values_under_a_transparent_colour(tmp_path):
    save(tmp_path / "images/a.png", photo())
    save(tmp_path / "masks/a.png", MASK, transparency=0)
    assert (load(tmp_path).masks[0] == MASK).all()


def test_what_is_damaged_inside_is_named_and_so_is_what_is_too_large(tmp_path, monkeypatch):
    save(tmp_path / "whole.png", np.zeros((64, 64, 3), "uint8"))
    content = (tmp_path / "whole.png").read_bytes()
    place = content.index(b"IDAT")
    (tmp_path / "torn.png").write_bytes(
        content[:place] + b"\x00\x01\x02\x03" + content[place + 4 :]
    )
    with pytest.raises(ValueError, match=r"torn\.png: not an image that can be read"):
        images.read_rgb(tmp_path / "torn.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ValueError, match=r"whole\.png: a picture of more than 2,000 pixels"):
        images.read_rgb(tmp_path / "whole.png")


def png(path, header, rows):
    """A PNG by hand: (width, height, bits, kind of colour), and its rows as bytes."""

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    first = chunk(b"IHDR", struct.pack(">IIBBBBB", *header, 0, 0, 0))
    content = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + first + content + chunk(b"IEND", b""))


def deep_png(path, kind, channels):
    """16 bits a channel."""
    pixels = np.full((2, 3 * channels), 0xFFFF, ">u2")
    pixels[:, 0] = 0x1234
    png(path, (3, 2, 16, kind), [row.tobytes() for row in pixels])


@pytest.mark.parametrize(
    ("kind", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)], ids=["L", "RGB", "LA", "RGBA"]
)
def test_more_than_8_bits_a_channel_are_refused_in_grey_and_colour(tmp_path, kind, channels):
    deep_png(tmp_path / "a.png", kind, channels)
    for drop in (False, True):
        with pytest.raises(ValueError, match=r"a\.png: pixels of more than 8 bits .*8 bits a"):
            images.read_photo(tmp_path / "a.png", drop_alpha=drop)
    assert "more than 8 bits" in refusal(tmp_path / "a.png")


@pytest.mark.parametrize("bits", [2, 4])
def test_masks_of_2_or_4_bits_are_refused(tmp_path, bits):
    save(tmp_path / "images/a.png", photo(8, 8))
    mask = np.zeros((8, 8), np.uint8)
    mask[0], mask[1] = 1, 3
    packed = [sum(int(v) << bits * i for i, v in enumerate(row[::-1])) for row in mask]
    rows = [value.to_bytes(bits, "big") for value in packed]  # 8 pixels a row
    (tmp_path / "masks").mkdir()
    png(tmp_path / "masks/a.png", (8, 8, bits, 0), rows)
    for options in ({}, {"ignore_class": 3}, {"class_names": ["a", "b", "c", "d"]}):
        told = refusal(tmp_path, **options)
        assert "a.png" in told and f"{bits} bits a pixel" in told and "with 8 bits" in told
    spread = 255 // (2**bits - 1)  # what the greys of a picture become, as in any program
    assert (images.read_indices(tmp_path / "masks/a.png") == spread * mask).all()


def test_a_ppm_of_16_bits_is_refused_and_one_of_8_bits_is_read(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"P6 1 1 65535 " + struct.pack(">HHH", 512, 1024, 4096))
    with pytest.raises(ValueError, match=r"a\.ppm: pixels of more than 8 bits"):
        images.read_photo(tmp_path / "a.ppm")
    for largest in (b"255", b"15"):
        (tmp_path / "b.ppm").write_bytes(b"P6 1 1 " + largest + b" \x05\x0a\x0f")
        assert images.read_rgb(tmp_path / "b.ppm").shape == (1, 1, 3)


def test_colours_of_5_and_6_bits_are_read(tmp_path):
    header = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 16, 3, 4, 0, 0, 0, 0)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    head = struct.pack("<2sIHHI", b"BM", 70, 0, 0, 66)
    (tmp_path / "a.bmp").write_bytes(head + header + masks + struct.pack("<HH", 0xF800, 0x001F))
    assert images.read_rgb(tmp_path / "a.bmp").tolist() == [[[255, 0, 0], [0, 0, 255]]]
