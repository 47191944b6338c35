"""helpers.data "folder": what could be taken for something else is refused in clear words."""

import numpy as np
import pytest
from own_images import blocks, load, refusal, save
from PIL import Image

from helpers.data import images


def with_masks(folder, *masks):
    for i, mask in enumerate(masks):
        save(folder / f"images/p{i}.png")
        save(folder / f"masks/p{i}.png", mask)
    return folder


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("masks ", "ground truth", "mask_png", "png-masks", "labelsTr", "seg", "targets"),
        *("trimaps", "SegmentationObject", "PixelLabelData", "Masks 2"),
    ],
)
def test_folders_of_masks_by_one_of_their_words(tmp_path, name):
    save(tmp_path / "images/a.png")
    save(tmp_path / name / "a.png", blocks(0, 1))
    assert f"the folder {name!r} is not read. If it holds masks" in refusal(tmp_path)
    (tmp_path / name).rename(tmp_path / "masked photographs")  # no such word
    assert load(tmp_path).masks is None


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a_mask.png", "masks"),
        ("mask-a.png", "masks"),
        ("A_Segmentation.PNG", "masks"),
        ("a label.png", "masks"),
        ("a.edges.png", "edges"),
    ],
)
def test_masks_among_the_images_are_no_photographs(tmp_path, name, place):
    for folder in (tmp_path / "flat", tmp_path / "inside/images"):
        save(folder / "a.jpg")
        save(folder / name, blocks(0, 255))
        words = refusal(folder if folder.name == "flat" else folder.parent)
        assert f"{name}: by its name it belongs to 'a.jpg'" in words and f"{place}/a.png" in words
        (folder / "a.jpg").rename(folder / "b.jpg")
        assert len(load(folder)) == 2  # a photograph of a mask, as far as one can know


@pytest.mark.parametrize(
    ("name", "right"),
    [
        *(("val_set", "val"), ("Val ", "val"), ("valid-data", "val"), ("evaluation", "val")),
        *(("test2017", "test"), ("testset", "test"), ("training_1", "train"), ("trains", "train")),
    ],
)
def test_more_names_of_splits_are_told(tmp_path, name, right):
    save(tmp_path / name / "images/a.png")
    assert f"the folder {name!r} is not read" in refusal(tmp_path, right)
    assert f"rename it to {right!r}, or move it away." in refusal(tmp_path, right)
    other = "train" if right != "train" else "val"
    save(tmp_path / other / "a.png")
    assert f"rename it to {right!r}" in refusal(tmp_path, other)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["train_images", "train_masks"], "images of 'train' belong into train/images/"),
        (["masks-val"], "masks of 'val' belong into val/masks/"),
        (["valid_labels"], "masks of 'val' belong into val/masks/"),
    ],
)
def test_a_split_and_a_kind_in_one_name_are_told(tmp_path, names, words):
    for name in names:
        save(tmp_path / name / "a.png")
    assert words in refusal(tmp_path, "train")


@pytest.mark.parametrize("name", ["b.PPM", "b.pgm", "b.tga", "b.jpe", "b.svg", "b.apng", "b.RW2"])
def test_more_formats_are_not_passed_over(tmp_path, name):
    save(tmp_path / "a.png")
    (tmp_path / name).write_bytes(b"x")
    assert f"{name}: images of the kind" in refusal(tmp_path)


def test_hints_do_not_advise_what_cannot_help(tmp_path):
    save(tmp_path / "images/a.png")
    (tmp_path / "masks/a.png").mkdir(parents=True)  # a folder of that name
    assert "There is" not in refusal(tmp_path)
    np.save(tmp_path / "masks/a.npy", blocks(0, 1))
    assert "There is 'a.npy': this format is not read; save it as PNG" in refusal(tmp_path)


def test_a_file_that_is_no_image_is_told_without_python(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK")
    words = refusal(tmp_path / "a.zip")
    assert "not an image that can be read" in words and "BufferedReader" not in words


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_camera_tag_cut_short_turns_nothing(tmp_path, kind):
    save(tmp_path / "a.png", kind=kind, exif=b"Exif\0\0II*\0")
    assert images.read_photo(tmp_path / "a.png")[1] == 1


@pytest.mark.parametrize("kind", ["masks", "edges"])
def test_the_folder_of_the_images_alone_is_not_taken_without_what_is_beside_it(tmp_path, kind):
    save(tmp_path / "Images/a.png")
    assert load(tmp_path / "Images").ids == ("a",)
    save(tmp_path / f"{kind}/a.png", blocks(0, 0, 1))
    words = refusal(tmp_path / "Images")
    assert f"the {kind} beside this folder" in words and f"path={str(tmp_path)!r}" in words


# --- masks ------------------------------------------------------------------------------------


def palette(mask, *colours):
    image = Image.frombytes("P", mask.shape[::-1], mask.tobytes())
    image.putpalette([c for colour in colours for c in colour])
    return image


BLACK, RED, WHITE = (0, 0, 0), (255, 0, 0), (255, 255, 255)


def test_palettes_in_another_order_are_refused(tmp_path):
    two, three = blocks(0, 1), blocks(0, 1, 2)
    path = with_masks(tmp_path / "a", palette(two, BLACK, RED), palette(two, RED, BLACK))
    words = refusal(path)
    assert "value 0, with the colour (255, 0, 0)" in words and "the colour (0, 0, 0)" in words
    assert load(path, class_names={0: "ground", 1: "cell"}).masks.shape == (2, 12, 12)
    # Also where names are given in order, and where the other file is in another split.
    with_masks(tmp_path / "b/train", palette(three, BLACK, RED, WHITE))
    with_masks(tmp_path / "b/val", palette(three, BLACK, WHITE, RED))
    assert "value 1, with the colour" in refusal(tmp_path / "b", "train", class_names=list("abc"))
    # Positions that no pixel has do not matter.
    path = with_masks(tmp_path / "c", palette(two, BLACK, RED, WHITE), palette(two, BLACK, RED))
    assert load(path).masks.max() == 1


@pytest.mark.parametrize("bits", ["1", "P"])
def test_white_as_1_beside_other_values(tmp_path, bits):
    bits = palette(blocks(0, 1), BLACK, WHITE) if bits == "P" else Image.new("1", (12, 12))
    bits.paste(1, mask=Image.fromarray(blocks(0, 255)))
    odd = with_masks(tmp_path / "odd", bits, blocks(0, 128, 255))
    for names in (None, list("abcd")):
        words = refusal(odd, class_names=names)
        assert "p0.png: stores the grey 255 as the value 1" in words and "Save all with" in words
    assert len(load(odd, class_names={0: "a", 1: "b", 128: "c", 255: "d"}).class_names) == 4
    assert "stores the grey" in refusal(with_masks(tmp_path / "void", bits, blocks(0, 1, 2, 255)))
    # Where 1 is an index among others, or all have one bit, it can only be 1.
    for i, other in enumerate((bits, blocks(0, 1), blocks(0, 1, 2))):
        ds = load(with_masks(tmp_path / f"{i}", bits, other))
        assert (ds.masks[0] == blocks(0, 1)).all() and ds.ignore_class is None


def test_greys_as_positions_beside_greys(tmp_path):
    path = with_masks(tmp_path, blocks(0, 7, 200), blocks(0, 7, 200))
    save(path / "masks/p0.gif", blocks(0, 7, 200))  # Pillow makes a palette of it
    (path / "masks/p0.png").unlink()
    assert "p0.gif: stores the grey 200 as the value 2" in refusal(path)
    # Positions of colours are indices, in a palette or not.
    mask = blocks(0, 1, 255)
    path = with_masks(tmp_path / "b", palette(mask, BLACK, *[RED] * 255), mask)
    assert load(path, ignore_class=255).masks.tolist() == [mask.tolist()] * 2


@pytest.mark.parametrize(
    ("one", "other"),
    [((0, 128), (0, 255)), ((0, 7), (0, 200)), ((0, 255), (254, 255)), ((0, 1), (255,))],
)
def test_two_values_a_file_and_not_the_same_ones(tmp_path, one, other):
    words = refusal(with_masks(tmp_path, blocks(*one), blocks(*other)))
    one, other = (" and ".join(map(str, v)) for v in (one, other))
    assert f"Some masks are stored as {one}, others as {other}" in words
    assert "name" in words and "write ignore_class" not in words


def test_two_values_a_file_that_agree(tmp_path):
    masks = blocks(0, 255), blocks(0, 0), blocks(255)
    assert load(with_masks(tmp_path / "a", *masks)).stored_values == (0, 255)
    ds = load(with_masks(tmp_path / "b", blocks(0, 7), blocks(0, 255)), ignore_class=255)
    assert ds.stored_values == (0, 7) and ds.ignore_class == 255
    assert len(load(with_masks(tmp_path / "c", blocks(0, 1), blocks(0, 2))).class_names) == 3


@pytest.mark.parametrize("kind", ["MPO", "JPEG2000", "TIFF"])
def test_formats_that_change_values_are_known_by_content(tmp_path, kind):
    options = {"compression": "jpeg"} if kind == "TIFF" else {}
    if kind == "MPO":  # a second picture, as a phone stores it
        options = {"save_all": True, "append_images": [Image.new("L", (6, 6))]}
    save(tmp_path / "images/a.png")
    save(tmp_path / "masks/a.png", blocks(0, 255), kind, **options)
    assert "JPEG changes class indices" in refusal(tmp_path)


@pytest.mark.parametrize(
    "names", [{"a", "b", "c"}, iter("abc"), 3, b"abc", ["a", "a", "b"], [0, 1, 2], {0: "a", 1: "a"}]
)
def test_names_that_are_no_names_in_order(tmp_path, names):
    path = with_masks(tmp_path, blocks(0, 1, 2))
    assert "`class_names`" in refusal(path, class_names=names)
    array = load(path, class_names=np.array(["a", "b", "c"])).class_names
    assert array == ("a", "b", "c") and {type(n) for n in array} == {str}
    with_masks(tmp_path, blocks(0, 255))
    assert "leaves one value" in refusal(path, class_names=np.array(["a", "b"]), ignore_class=255)


def test_the_index_of_a_named_class_cannot_be_void(tmp_path):
    path = with_masks(tmp_path, blocks(0, 1, 2))
    words = refusal(path, class_names=["void", "a", "b"], ignore_class=0)
    assert "ignore_class=0 is the index of 'void' in `class_names`, too" in words
    assert "class_names={1: 'name 1', 2: 'name 2'}" in words
    ds = load(path, class_names={1: "a", 2: "b"}, ignore_class=0)
    assert ds.class_names == ("a", "b") and ds.ignore_class == 255
    assert load(path, class_names=["a", "b"], ignore_class=0).ignore_class == 255


@pytest.mark.parametrize("options", [{"class_names": ["a", "b"]}, {"ignore_class": 255}])
def test_options_of_masks_need_masks(tmp_path, options):
    save(tmp_path / "train/a.png")
    for path in (tmp_path, tmp_path / "train/a.png"):
        assert "there is no folder 'masks'" in refusal(path, "train", **options)
    with_masks(tmp_path / "val", blocks(0, 1, 255))
    assert load(tmp_path, "train", **options).masks is None  # the same options for all splits


# --- edges ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["edges/a.png", "edges/a/anna.png"])
def test_dark_lines_on_a_light_ground_are_refused(tmp_path, place):
    save(tmp_path / "images/a.png")
    light = blocks(255, 255, 255, 0)
    grey = np.where(light > 0, 250, 9).astype(np.uint8)
    grey[0] = 100
    for edges in (light, light // 255, grey, Image.fromarray(light).convert("1")):
        save(tmp_path / place, edges)
        assert "% of the pixels would be edges" in refusal(tmp_path)
    save(tmp_path / place, blocks(0, 255))  # half of the pixels may be
    assert load(tmp_path).edges.mean() == 127.5
