"""authoring.weights: a training that is stopped ends as an unbroken one, and its note says how long."""

import json

import keras
import numpy as np
import pytest

from authoring import __main__ as shell
from authoring import gan_weights, weights
from helpers import pretrained
from helpers.checkpoint import long_training

TINY = {
    "pictures": {"size": 16, "objects": 1, "texture": 0.1, "noise": 0.02, "annotators": 1},
    "builder": "dense_vae",
    "arguments": {
        "image_shape": [16, 16, 3],
        "latent": 2,
        "hidden": [4],
        "likelihood": "gaussian",
    },
    "steps": 40,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "seed": 1,
}


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    monkeypatch.setattr(weights, "HELD_OUT", 16)


def stopping(after, lines=None):
    """A `say` that stops the training, as Ctrl-C would, at its line number `after`."""
    lines = [] if lines is None else lines

    def say(line):
        lines.append(line)
        if len(lines) == after:
            raise KeyboardInterrupt

    return say


def arrays(folder):
    with np.load(folder / "tiny.npz") as stored:
        return [stored[key] for key in stored.files]


def test_a_stopped_training_ends_as_an_unbroken_one(tmp_path):
    lines = []
    whole = weights.keep("tiny", TINY, tmp_path / "a", tmp_path / "work", lines.append)
    assert len(lines) == 40 and "step 1 of 20, ELBO " in lines[0] and "min left" in lines[0]
    assert not list((tmp_path / "work").iterdir())

    for after in (5, 30):  # in the control, and in the long training after it
        with pytest.raises(KeyboardInterrupt):
            weights.keep("tiny", TINY, tmp_path / "b", tmp_path / "work", stopping(after))
        assert not (tmp_path / "b").exists()
    told = []
    again = weights.keep("tiny", TINY, tmp_path / "b", tmp_path / "work", told.append)
    assert "goes on after step 20 of 20" in told[0] and "goes on after step" in told[1]
    assert len(told) < 30
    for a, b in zip(arrays(tmp_path / "a"), arrays(tmp_path / "b"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-7)  # one step of 16-bit floats
    for one, other in ((whole, again), (whole["half"], again["half"])):
        assert one["elbo_nats"] == pytest.approx(other["elbo_nats"], rel=1e-5)
        curves = [[row["elbo_nats"] for row in n["learning_curve"]] for n in (one, other)]
        np.testing.assert_allclose(*curves, rtol=1e-5)


def test_a_state_of_other_code_is_not_gone_on_from(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        weights.keep("tiny", TINY, tmp_path / "a", tmp_path / "work", stopping(5))
    monkeypatch.setattr(long_training.fingerprints, "training", lambda *_: {"code": "another"})
    told = []
    with pytest.raises(KeyboardInterrupt):
        weights.keep("tiny", TINY, tmp_path / "a", tmp_path / "work", stopping(1, told))
    assert "step 1 of 20" in told[0]


def test_the_note_says_what_was_done(tmp_path):
    note = weights.keep("tiny", TINY, tmp_path, tmp_path / "work", stopping(0))
    model, read = pretrained.load("tiny", tmp_path)
    assert json.loads(json.dumps(note)) == {key: read[key] for key in note}
    assert read["parameters"]["steps"] == read["steps"] == 40 and read["half"]["steps"] == 20
    assert [row["steps"] for row in read["learning_curve"]] == list(range(2, 41, 2))
    assert [row["steps"] for row in read["half"]["learning_curve"]] == list(range(1, 21))
    assert read["minutes"] > 0 and read["sgemm_gflops"] > 0 and read["versions"]["keras"]
    found = weights._elbos(model, weights._held_out(TINY)).mean()
    assert found == pytest.approx(read["elbo_nats"], rel=1e-5)
    change = read["trained_enough"]
    assert change["difference_nats"] == pytest.approx(found - read["half"]["elbo_nats"], rel=1e-3)
    within = abs(change["difference_nats"]) < change["interval_nats"]
    assert change["verdict"] == (within and change["percent"] < 0.5)


def test_the_verdict_asks_for_the_interval_and_for_the_share_of_the_elbo():
    half = np.array([1000.0, 1010.0, 990.0])

    def verdict(*change):
        return weights._verdict(half, half + np.array(change))["verdict"]

    assert verdict(-4, 0, 5)  # 0.3 ± 11 nats, 0.03 %
    assert not verdict(3, 4, 5)  # 4 ± 2.5 nats: 0.4 %, but seen
    assert not verdict(-3, -4, -5)  # more steps that harm are a change, too
    assert not verdict(-20, 0, 40)  # 6.7 ± 76 nats: not seen, but 0.67 %
    seen = weights._verdict(half, half + np.array([4.0, 6.0, 8.0]))
    assert seen["difference_nats"] == 6 and seen["interval_nats"] > 0


def test_steps_must_be_cut_into_twentieths(tmp_path):
    with pytest.raises(ValueError, match=r"multiple of 40\. Received: steps=50"):
        weights.keep("tiny", {**TINY, "steps": 50}, tmp_path, tmp_path / "work")


@pytest.mark.parametrize("name", weights.RECIPES)
def test_every_recipe_builds_and_its_files_are_small(name):
    recipe = weights.RECIPES[name]
    model = pretrained.build(recipe["builder"], recipe["arguments"])
    assert 2 * model.count_params() < pretrained.MAX_BYTES
    assert recipe["steps"] % (2 * weights.EPOCHS) == 0
    drawn = {"pictures" if key == "masks" else key for key in recipe}
    optional = {"keep_half", "rising_steps", "beta_2", "damage", "coarse_noise", "start_from"}
    assert drawn - optional == set(TINY)


def test_a_vae_of_label_maps_is_trained_and_scored_on_label_maps(tmp_path):
    recipe = {key: value for key, value in TINY.items() if key != "pictures"}
    recipe["masks"] = {"size": 16, "objects": [1, 1], "radius": [0.2, 0.25]}
    likelihood = {"image_shape": [16, 16, 4], "likelihood": "categorical"}
    recipe["arguments"] = TINY["arguments"] | likelihood
    note = weights.keep("tiny", recipe, tmp_path, tmp_path / "work", stopping(0))
    assert note["dataset"] == "shapes, fresh label maps"
    held_out = weights._held_out(recipe)
    assert held_out.shape == (16, 16, 16, 4) and (held_out.sum(axis=-1) == 1).all()
    model, read = pretrained.load("tiny", tmp_path)
    assert model.likelihood == "categorical"
    found = weights._elbos(model, held_out).mean()
    assert found == pytest.approx(read["elbo_nats"], rel=1e-5)


def test_a_denoising_autoencoder_of_label_maps_is_kept_in_the_networks_of_the_vae(tmp_path):
    recipe = {key: value for key, value in TINY.items() if key != "pictures"}
    recipe["masks"] = {"size": 16, "objects": [1, 1], "radius": [0.2, 0.25]}
    recipe |= {"damage": "any_of_them", "keep_half": True, "learning_rate": 0.05}
    likelihood = {"image_shape": [16, 16, 4], "likelihood": "categorical"}
    recipe["arguments"] = TINY["arguments"] | likelihood
    lines = []
    note = weights.keep("tiny", recipe, tmp_path, tmp_path / "work", lines.append)
    assert "log-likelihood -" in lines[0] and "elbo_nats" not in note
    curve = [row["log_likelihood_nats"] for row in note["learning_curve"]]
    assert curve[0] < curve[-1] < 0
    for name in ("tiny", "tiny-half"):
        model, read = pretrained.load(name, tmp_path)
        found = weights._scores(model, recipe, weights._held_out(recipe)).mean()
        assert found == pytest.approx(read["log_likelihood_nats"], rel=1e-5)


@pytest.mark.parametrize("noise", [{"sigma": 0.2, "side": 2}, {"sigma": 0.0}])
def test_an_autoencoder_is_kept_in_the_networks_of_the_vae(noise, tmp_path):
    recipe = TINY | {"coarse_noise": noise, "learning_rate": 0.05}
    lines = []
    note = weights.keep("tiny", recipe, tmp_path, tmp_path / "work", lines.append)
    assert "log-likelihood " in lines[0] and "elbo_nats" not in note
    curve = [row["log_likelihood_nats"] for row in note["learning_curve"]]
    assert curve[0] < curve[-1]
    model, read = pretrained.load("tiny", tmp_path)
    x = weights._held_out(recipe)
    found = weights._scores(model, recipe, x).mean()
    assert found == pytest.approx(read["log_likelihood_nats"], rel=1e-5)
    if not noise["sigma"]:  # then it is that of the picture itself
        mean, _ = model.encode(x)
        nats = keras.ops.convert_to_numpy(model.reconstruction_nll(x, mean))
        assert found == pytest.approx(-nats.mean(), rel=1e-5)


def test_the_shell(capsys, monkeypatch):
    assert shell.main(["weights", "vae-nothing"]) == 2
    assert "There are: vae-shapes32" in capsys.readouterr().err

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "keep", stopped)
    assert shell.main(["weights", "vae-shapes32"]) == 130
    assert "goes on from its last part" in capsys.readouterr().out
    verdict = {"verdict": True, "difference_nats": 3.0, "interval_nats": 1.0, "percent": 0.06}
    monkeypatch.setattr(weights, "keep", lambda name, say: {"trained_enough": verdict})
    monkeypatch.setattr(gan_weights, "RECIPES", {})
    assert shell.main(["weights"]) == 0
    assert "+3.0 ± 1.0 nats, 0.06 %: trained enough" in capsys.readouterr().out
