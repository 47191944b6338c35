"""Notebook 08 runs on a folder of one's own pictures, and says so if their masks are missing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from own_images import save

ROOT = Path(__file__).resolve().parents[1]


def run(folder, out):
    """The notebook at smoke parameters on a folder."""
    command = [sys.executable, "-m", "helpers.runs", "run", "08", "--profile", "smoke"]
    command += ["-p", "dataset", "folder", "-p", "path", str(folder), "-p", "size", "16"]
    command += ["--out", str(out)]
    quiet = {**os.environ, "HELPERS_PROGRESS": "0"}
    return subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)


@pytest.mark.parametrize("masks", [True, False])
def test_own_pictures(masks, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(20):
        picture = rng.integers(0, 256, (24, 20, 3), dtype="uint8")
        mask = np.zeros((24, 20), "uint8")
        top, left = rng.integers(0, 10, 2)
        mask[top : top + 8, left : left + 8] = 1
        mask[0] = 255  # not labelled
        save(tmp_path / "mine" / "images" / f"{i:02}.png", picture)
        if masks:
            save(tmp_path / "mine" / "masks" / f"{i:02}.png", mask)
    done = run(tmp_path / "mine", tmp_path / "out")
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == masks, said
    assert masks or "needs a mask for each picture" in said
