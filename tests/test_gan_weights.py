"""authoring.gan_weights: a training that is stopped ends as an unbroken one, and its note says how long."""

import json

import numpy as np
import pytest

from authoring import __main__ as shell
from authoring import gan_weights
from helpers import pretrained


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    monkeypatch.setattr(gan_weights, "DRAWS", 8)
    monkeypatch.setattr(gan_weights, "CLASSIFIER", {"pictures": 24, "steps": 1, "batch_size": 8})


def tiny(name):
    sizes = {"steps": 20, "batch_size": 4, "width": 2, "discriminator_width": 2, "latent": 2}
    return {**gan_weights.RECIPES[name], **sizes, "start": None}


def stopping(after, lines=None):
    """A `say` that stops the training, as Ctrl-C would, at its line number `after`."""
    lines = [] if lines is None else lines

    def say(line):
        lines.append(line)
        if len(lines) == after:
            raise KeyboardInterrupt

    return say


@pytest.mark.parametrize("name", gan_weights.RECIPES)
def test_a_stopped_training_ends_as_an_unbroken_one(name, tmp_path):
    work, lines = tmp_path / "work", []
    whole = gan_weights.keep("tiny", tiny(name), tmp_path / "a", work, lines.append)
    assert len(lines) == 10 and "step 2 of 20, kernel distance " in lines[0]
    assert not list(work.iterdir())

    with pytest.raises(KeyboardInterrupt):
        gan_weights.keep("tiny", tiny(name), tmp_path / "b", work, stopping(7))
    other = []  # a training by another recipe does not go on from this state
    recipe = {**tiny(name), "seed": 7}
    with pytest.raises(KeyboardInterrupt):
        gan_weights.keep("tiny", recipe, tmp_path / "c", work, stopping(1, other))
    assert "step 2 of 20" in other[0]
    told = []
    again = gan_weights.keep("tiny", tiny(name), tmp_path / "b", work, told.append)
    assert "goes on after step 14 of 20" in told[0] and len(told) == 4
    arrays = []
    for folder in ("a", "b"):
        with np.load(tmp_path / folder / "tiny.npz") as stored:
            arrays.append([stored[key] for key in stored.files])
    for a, b in zip(*arrays, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-2, atol=1e-3)
    for key in ("half", "whole"):
        one, other = (note["trained_enough"][key] for note in (whole, again))
        assert one == pytest.approx(other, rel=1e-2)

    model, read = pretrained.load("tiny", tmp_path / "a")
    assert json.loads(json.dumps(whole)) == {key: read[key] for key in whole}
    assert [row["steps"] for row in read["learning_curve"]] == list(range(2, 21, 2))
    change = read["trained_enough"]
    assert change["half"] == read["learning_curve"][4]["distance"] and read["minutes"] > 0
    decoder = getattr(model, "decoder", model)
    assert decoder.output_shape == (None, 32, 32, 3)


def test_the_verdict_asks_for_a_tenth_of_the_distance():
    assert gan_weights.verdict(2.0, 1.9)["verdict"]
    said = gan_weights.verdict(2.0, 1.0)
    assert not said["verdict"] and said["share"] == pytest.approx(0.5)


def test_steps_must_be_cut_into_tenths(tmp_path):
    recipe = {**tiny("gan-shapes32"), "steps": 30}
    with pytest.raises(ValueError, match=r"multiple of 20\. Received: steps=30"):
        gan_weights.keep("tiny", recipe, tmp_path, tmp_path / "work")


def test_the_shell_trains_them(capsys, monkeypatch):
    change = {"verdict": False, "share": 0.25}
    monkeypatch.setattr(gan_weights, "keep", lambda name, say: {"trained_enough": change})
    assert shell.main(["weights", "gan-shapes32"]) == 0
    said = capsys.readouterr().out
    assert "the kernel distance by 25%: trained not enough" in said
