"""One ELBO on TensorFlow, JAX and PyTorch from the same weights and noise; PyTorch's own streams."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def printed(script, backend):
    """The last line that a script of this folder prints, on a backend."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, Path(__file__).with_name(script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def found():
    values = {}
    for backend in ("tensorflow", "jax", "torch"):
        values[backend] = json.loads(printed("elbo.py", backend))
        assert values[backend].pop("backend") == backend
    return values


@pytest.mark.parametrize("other", ["jax", "torch"])
def test_elbo_agrees_to_one_in_ten_thousand(found, other):
    assert len(found[other]) == 8
    for name, values in found["tensorflow"].items():
        assert values == pytest.approx(found[other][name], rel=1e-4), name
        assert len(set(values)) == len(values)  # not a constant


def test_a_loader_of_pytorch_is_looked_at():
    assert printed("loader.py", "torch").startswith("`a batch of x` must be finite")


def test_a_training_on_the_card_learns_from_crops_that_fit_their_labels():
    found = json.loads(printed("on_card.py", "jax"))
    assert found["alike"] > 0.99 and 0.5 < found["counted"] < 0.9 and found["grey_around"] > 0.5
    losses = found["losses"]
    assert losses[-1] < 0.6 * losses[0] and found["score"] > 0.7
    assert found["back"] == 1  # what was learned is in the Keras model
