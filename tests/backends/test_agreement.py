"""The same weights and the same noise give the same ELBO on TensorFlow, JAX and PyTorch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("elbo.py")


@pytest.fixture(scope="module")
def found():
    values = {}
    for backend in ("tensorflow", "jax", "torch"):
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            [sys.executable, SCRIPT], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        values[backend] = json.loads(done.stdout.splitlines()[-1])
        assert values[backend].pop("backend") == backend
    return values


@pytest.mark.parametrize("other", ["jax", "torch"])
def test_elbo_agrees_to_one_in_ten_thousand(found, other):
    assert len(found[other]) == 8
    for name, values in found["tensorflow"].items():
        assert values == pytest.approx(found[other][name], rel=1e-4), name
        assert len(set(values)) == len(values)  # not a constant
