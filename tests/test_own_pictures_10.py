"""Notebook 10 runs on a folder of one's own pictures, and says so if their edges are missing."""

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
    command = [sys.executable, "-m", "helpers.runs", "run", "10", "--profile", "smoke"]
    command += ["-p", "dataset", "folder", "-p", "path", str(folder), "--out", str(out)]
    quiet = {**os.environ, "HELPERS_PROGRESS": "0"}
    return subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)


@pytest.mark.parametrize("drawn", [True, False])
def test_own_pictures(drawn, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(20):
        picture = rng.integers(0, 100, (40, 36, 3), dtype="uint8")
        edge = np.zeros((40, 36), "uint8")
        top, left = rng.integers(2, 14, 2)
        picture[top : top + 16, left : left + 16] += 120
        edge[top : top + 16, [left, left + 15]] = edge[[top, top + 15], left : left + 16] = 255
        save(tmp_path / "mine" / "images" / f"{i:02}.png", picture)
        if drawn:
            save(tmp_path / "mine" / "edges" / f"{i:02}.png", edge)
    done = run(tmp_path / "mine", tmp_path / "out")
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == drawn, said
    assert drawn or "needs edges for each picture" in said
