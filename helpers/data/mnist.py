"""MNIST and its two relatives: clothes instead of digits, and pixels of 0 and 1 only."""

import gzip

import numpy as np

from helpers.data import fetch, images
from helpers.data.dataset import Dataset

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
VAL = 10_000  # the last so many of the official 60,000 training images


def load_mnist(split, *, size=None, crop=None, limit=None):
    """Load MNIST: (N, 28, 28, 1) grey values; the factor `digit`.

    The official split has 60,000 + 10,000 images. Here "train" is the first 50,000 of the
    60,000, "val" the last 10,000, "test" the official 10,000.
    """
    return _load("mnist", "digit", DIGITS, split, size, crop, limit)


def load_fashion(split, *, size=None, crop=None, limit=None):
    """Load Fashion-MNIST: (N, 28, 28, 1) grey values; the factor `label`; splits as MNIST."""
    return _load("fashion_mnist", "label", CLOTHES, split, size, crop, limit)


def load_binarized(split, *, size=None, crop=None, limit=None, labels=False):
    """Load MNIST with the fixed binarization of the VAE literature, as bytes 0 and 255.

    50,000 train, 10,000 val, 10,000 test images (N, 28, 28, 1), in an order of their own and
    without labels. Each pixel was drawn once, with the grey value as its probability of a one.

    The test images are sorted by digit, so `limit` takes evenly spaced ones of them (the first
    900 are all zeros); of train and val it takes the first.

    Args:
        split: `"train"`, `"val"` or `"test"`.
        size: Must be `None`: resized pixels would no longer be 0 or 1.
        crop: Cut the middle (height, width).
        limit: Take so many images.
        labels: Whether to add the factor `digit`, taken from MNIST (see `likely_origins`). Some
            seconds for 1,000 training images, minutes for all.

    References:
        Larochelle, Murray, AISTATS 2011, https://proceedings.mlr.press/v15/larochelle11a.html
    """
    if size is not None:
        raise ValueError(
            "binarized_mnist cannot be resized: its pixels would no longer be 0 or 1. "
            f"Leave `size` out, or use 'mnist'. Received: size={size!r}"
        )
    part = {"train": "train", "val": "valid", "test": "test"}[split]
    stem = f"binarized_mnist_{part}.amat"
    path = fetch.file("binarized_mnist", f"{stem}.gz", stem)
    pixels = parse_amat(_bytes(path), path)
    rows = images.spaced(len(pixels), limit) if split == "test" else slice(limit)
    pixels = pixels[rows]
    factors = {}
    if labels:
        grey, digits, _ = _official("mnist", "t10k" if split == "test" else "train")
        factors["digit"] = digits[likely_origins(pixels, grey.reshape(len(grey), -1))]
    fit = images.Fitter(None, crop)
    return Dataset(
        name="binarized_mnist",
        split=split,
        images=_fitted(pixels.reshape(-1, 28, 28, 1) * np.uint8(255), fit),
        class_names=DIGITS if labels else None,
        factors=factors,
        source=f"the original text ({path.name})",
        licence=fetch.REGISTRY["binarized_mnist"]["licence"],
    )


def likely_origins(binary, grey, chunk=500):
    """For each binary image, the grey image it was most likely drawn from.

    With p the grey value over 255, log P(b | p) = sum b log(p / (1 - p)) + sum log(1 - p): one
    matrix product for all pairs.

    Args:
        binary: 0/1, (N, D).
        grey: uint8, (M, D).
        chunk: Images at a time; memory is `chunk` times M floats.

    Returns:
        int64 (N,), positions in `grey`.
    """
    # A pixel of grey 0 or 255 cannot turn out otherwise; the margin keeps the logarithm finite.
    p = np.clip(grey * np.float32(1 / 255), 1e-4, 1 - 1e-4)
    log_odds, log_zeros = (np.log(p) - np.log1p(-p)).T, np.log1p(-p).sum(axis=1)
    parts = [binary[i : i + chunk].astype(np.float32) for i in range(0, len(binary), chunk)]
    return np.concatenate([(b @ log_odds + log_zeros).argmax(axis=1) for b in parts])


def parse_amat(text, path="the file", pixels=784):
    """Read lines of single digits 0/1 parted by blanks: uint8 (lines, pixels).

    Every digit stands at an even position, so the text is looked at as a table of bytes and
    never split into words: 78 MB take a tenth of a second.
    """
    table = np.frombuffer(text, np.uint8)
    good = len(table) > 0 and len(table) % (2 * pixels) == 0
    if good:
        table = table.reshape(-1, pixels, 2)
        digits, gaps = table[..., 0] - ord("0"), table[..., 1]
        good = digits.max() <= 1 and (gaps[:, :-1] == ord(" ")).all()
        good = good and (gaps[:, -1] == ord("\n")).all()
    if not good:
        raise ValueError(f"{path}: must hold lines of {pixels} digits 0/1 with one blank between.")
    return digits


def parse_idx(data, axes, path="the file"):
    """Read the idx format: two zero bytes, 8 for uint8, the number of axes, the sizes, bytes."""
    header = 4 + 4 * axes
    shape = np.frombuffer(data[4:header], ">u4").astype(int) if len(data) >= header else [-1]
    if data[:4] != bytes([0, 0, 8, axes]) or len(data) != header + np.prod(shape):
        raise ValueError(
            f"{path}: not an idx file of uint8 with {axes} axes. Received: {len(data)} bytes, "
            f"first four {list(data[:4])}"
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _official(name, part):
    """Read (N, 28, 28) pixels, int64 labels, and the names of the two files."""
    paths = [fetch.file(name, f"{part}-{kind}-ubyte.gz") for kind in ("images-idx3", "labels-idx1")]
    pixels, labels = (parse_idx(_bytes(p), axes, p) for p, axes in zip(paths, (3, 1)))
    return pixels, labels.astype(np.int64), ", ".join(p.name for p in paths)


def _load(name, factor, classes, split, size, crop, limit):
    fit = images.Fitter(size, crop)
    pixels, labels, files = _official(name, "t10k" if split == "test" else "train")
    if split != "test":
        rows = slice(0, len(pixels) - VAL) if split == "train" else slice(len(pixels) - VAL, None)
        pixels, labels = pixels[rows], labels[rows]
    return Dataset(
        name=name,
        split=split,
        images=_fitted(pixels[:limit, :, :, None], fit),
        class_names=classes,
        factors={factor: labels[:limit]},
        source=f"the original files ({files})",
        licence=fetch.REGISTRY[name]["licence"],
    )


def _fitted(pixels, fit):
    if fit.size is None and fit.crop is None:
        return np.ascontiguousarray(pixels)
    return np.stack([fit.image(p, f"image {i}") for i, p in enumerate(pixels)])


def _bytes(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data
