"""Notebooks run on a folder of one's own pictures, and say so if what they need is missing there."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from own_images import save

ROOT = Path(__file__).resolve().parents[1]
NEEDS = {
    "01": "mask",
    "02": "edges",
    "08": "mask",
    "09": "mask",
    "10": "edges",
    "11": "mask",
    "17": "mask",
}
# Sides that the networks of a notebook can shrink.
OPTIONS = {number: ["-p", "size", "16"] for number in ("08", "09", "17")}
RUNS = [(number, there) for number in NEEDS for there in (True, False)]


def run(number, path, out, options=()):
    """Exit status and words of a notebook at smoke parameters on a folder."""
    command = [sys.executable, "-m", "helpers.runs", "run", number, "--profile", "smoke"]
    command += ["-p", "dataset", "folder", "-p", "path", str(path), *options, "--out", str(out)]
    quiet = {**os.environ, "HELPERS_PROGRESS": "0"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("number", "there"), RUNS)
def test_own_pictures(number, there, tmp_path):
    need = NEEDS[number]
    rng = np.random.default_rng(0)
    for i in range(10):  # as few as docs/own_pictures.md asks for
        picture = rng.integers(0, 100, (40, 36, 3), dtype="uint8")
        mask, edge = np.zeros((2, 40, 36), "uint8")
        top, left = rng.integers(2, 14, 2)
        picture[top : top + 16, left : left + 16] += 120
        mask[top : top + 16, left : left + 16] = 1
        mask[0] = 255  # not labelled
        edge[top : top + 16, [left, left + 15]] = edge[[top, top + 15], left : left + 16] = 255
        save(tmp_path / "mine" / "images" / f"{i:02}.png", picture)
        if there and need == "mask":
            save(tmp_path / "mine" / "masks" / f"{i:02}.png", mask)
        if there and need == "edges":
            save(tmp_path / "mine" / "edges" / f"{i:02}.png", edge)
    code, said = run(number, tmp_path / "mine", tmp_path / "out", OPTIONS.get(number, []))
    assert (code == 0) == there, said
    assert there or (f"needs a {need}" in said or f"needs {need}" in said), said


def test_few_pictures_are_enough_for_03(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(10):
        picture = rng.integers(0, 100, (32, 32, 3), dtype="uint8")
        save(tmp_path / "mine" / f"{i:02}.png", picture)
    code, said = run("03", tmp_path / "mine", tmp_path / "out")
    assert code == 0, said


@pytest.mark.parametrize("masks", [True, False])
def test_good_and_bad_pictures(masks, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(30):
        picture = rng.integers(100, 140, (40, 36, 3), dtype="uint8")
        if i < 20:
            save(tmp_path / "mine" / "good" / f"{i:02}.png", picture)
            continue
        picture[i - 10 : i - 5, 8:14] = 240
        save(tmp_path / "mine" / "bad" / f"{i:02}.png", picture)
        if masks:
            mask = np.uint8(255) * (picture == 240).all(axis=-1)
            save(tmp_path / "mine" / "masks" / f"{i:02}.png", mask)
    code, said = run("13", tmp_path / "mine", tmp_path / "out", ["-p", "size", "16"])
    assert code == 0, said


def test_without_pictures_to_inspect_13_says_what_it_needs(tmp_path):
    save(tmp_path / "mine" / "good" / "a.png")
    code, said = run("13", tmp_path / "mine", tmp_path / "out")
    assert code and "needs the folders good/" in said and "Missing: bad" in said, said
