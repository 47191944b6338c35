"""Notebooks run on a folder of one's own pictures, and say so if what they need is missing there."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from own_images import save

ROOT = Path(__file__).resolve().parents[1]
NEEDS = {"01": "mask", "02": "edges", "08": "mask", "09": "mask", "10": "edges", "17": "mask"}
# Sides that the networks of a notebook can shrink.
OPTIONS = {number: ["-p", "size", "16"] for number in ("08", "09", "17")}
RUNS = [(number, there) for number in NEEDS for there in (True, False)]


@pytest.mark.parametrize(("number", "there"), RUNS)
def test_own_pictures(number, there, tmp_path):
    need = NEEDS[number]
    rng = np.random.default_rng(0)
    for i in range(20):
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
    command = [sys.executable, "-m", "helpers.runs", "run", number, "--profile", "smoke"]
    command += ["-p", "dataset", "folder", "-p", "path", str(tmp_path / "mine")]
    command += [*OPTIONS.get(number, []), "--out", str(tmp_path / "out")]
    quiet = {**os.environ, "HELPERS_PROGRESS": "0"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == there, said
    assert there or (f"needs a {need}" in said or f"needs {need}" in said), said
