"""Kept models: what is stored builds the same network again, and says when it cannot."""

import json
import re
import subprocess

import keras
import numpy as np
import pytest

from authoring import weights
from helpers import models, networks, pretrained, pyramids
from helpers.checkpoint import code_versions
from helpers.data import records
from helpers.generative.whole_objects import one_whole_object

NET = {"patches": [2, 2], "widths": [4, 6], "depths": [1, 1], "num_classes": 3}


def head(num_classes=3, widths=(4, 6)):
    encoder, _ = pyramids.pyramid_networks((16, 16, 3), 1, widths, (1, 1), (2, 2))
    return pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), num_classes)


def test_a_kept_model_answers_like_the_one_it_was_made_from(tmp_path):
    model = head()
    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype("float32")
    path = pretrained.save(model, "tiny", **NET, folder=tmp_path, dataset="shapes")
    again, about = pretrained.load("tiny", tmp_path)
    assert path.stat().st_size < pretrained.MAX_BYTES
    assert about["dataset"] == "shapes" and about["multiple"] == 4
    assert about["parameters"] == model.count_params()
    assert about["commit"] == code_versions.git_commit()
    # 16-bit floats have 11 significant bits.
    ours, theirs = (keras.ops.convert_to_numpy(m(images)) for m in (again, model))
    np.testing.assert_allclose(ours, theirs, atol=5e-3, rtol=5e-3)
    odd = list(
        pyramids.predict_full_size(again, [np.zeros((9, 13, 3), "uint8")], about["multiple"])
    )
    assert odd[0].shape == (9, 13, 3)


def test_nothing_kept_is_no_error(tmp_path):
    assert pretrained.load("absent", tmp_path) == (None, None)


def test_a_model_that_is_required_is_loaded_or_named_with_what_brings_it(tmp_path):
    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path)
    kept, about = pretrained.required("tiny", tmp_path)
    again, same = pretrained.load("tiny", tmp_path)
    assert about == same
    for one, other in zip(kept.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    path.with_suffix(".json").unlink()  # half of it is none of it
    said = r"tiny\.npz and \.json are not here\. `git checkout -- .*make weights NAME="
    for read in (pretrained.required, lambda *where: pretrained.load_weights(head(), *where)):
        with pytest.raises(FileNotFoundError, match=said):
            read("tiny", tmp_path)


def test_a_note_that_describes_another_network_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"describe .* weights, and the model has"):
        pretrained.save(head(widths=(4, 8)), "tiny", **NET, folder=tmp_path)
    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path)
    note = path.with_suffix(".json")
    note.write_text(json.dumps({**json.loads(note.read_text()), "num_classes": 2}))
    with pytest.raises(ValueError, match="does not fit the network"):
        pretrained.load("tiny", tmp_path)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "pointer", "other", "bytes"])
def test_a_damaged_file_is_named_with_what_mends_it(suffix, damage, tmp_path):
    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path).with_suffix(suffix)
    whole = path.read_bytes()
    if damage == "other":  # whole, and yet no kept model
        path.write_text("[1]") if suffix == ".json" else np.savez(path, other=np.ones(2))
    else:
        half = len(whole) // 2
        torn = whole[:half] + b"\xff" * 40 + whole[half + 40 :]
        content = {"cut": whole[:half], "empty": b"", "pointer": LFS, "bytes": torn}
        path.write_bytes(content[damage])
    said = rf"tiny\{suffix} is damaged \(.*git checkout -- \S*tiny\{suffix}`.*make weights NAME"
    for read in (pretrained.load, lambda *where: pretrained.load_weights(head(), *where)):
        with pytest.raises(ValueError, match=said):
            read("tiny", tmp_path)
    path.write_bytes(whole)
    assert pretrained.load("tiny", tmp_path)[0]


@pytest.mark.parametrize("entry", [*pretrained.HEAD, "builder"])
def test_a_note_with_a_wrong_or_missing_entry_is_damaged(tmp_path, entry):
    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path).with_suffix(".json")
    note = json.loads(path.read_text("utf-8"))
    note.pop(entry, None)
    note |= {"builder": "u-net"} if entry == "builder" else {}
    path.write_text(json.dumps(note), "utf-8")
    with pytest.raises(ValueError, match=rf"tiny\.json is damaged .*{entry}"):
        pretrained.load("tiny", tmp_path)


@pytest.mark.parametrize("builder", ["dense_vae", "pyramid_head"])
def test_a_builder_without_arguments_is_named(tmp_path, builder):
    with pytest.raises(ValueError, match=f"`arguments` of {builder} are missing"):
        pretrained.save(head(), "tiny", builder=builder, patches=(2, 2), folder=tmp_path)


def test_more_than_two_megabytes_are_refused_and_leave_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "MAX_BYTES", 100)
    with pytest.raises(ValueError, match="2 MB at most"):
        pretrained.save(head(), "tiny", **NET, folder=tmp_path)
    assert not list(tmp_path.iterdir())


VAES = {
    "conv_vae": {"image_shape": [16, 16, 3], "latent": 3, "width": 8, "likelihood": "gaussian"},
    "dense_vae": {
        "image_shape": [16, 16, 3],
        "latent": 2,
        "hidden": [9],
        "likelihood": "bernoulli",
    },
    "grid_vae": {
        "image_shape": [16, 16, 3],
        "latent": 2,
        "widths": [4, 6],
        "depths": [1, 1],
        "patches": [2, 1],
        "batch_norm": False,
        "likelihood": "gaussian",
        "sigma": 0.1,
    },
}


def trained_vae(builder):
    vae = pretrained.build(builder, {**VAES[builder], "seed": 0})
    vae.compile(keras.optimizers.Adam(1e-2))
    vae.fit(np.random.default_rng(0).random((32, 16, 16, 3), "float32"), epochs=2, verbose=0)
    return vae


def elbo(vae, name):
    x = np.random.default_rng(1).random((8, 16, 16, 3), "float32")
    noise = np.random.default_rng(2).standard_normal((8, *vae.latent_shape)).astype("float32")
    return keras.ops.convert_to_numpy(vae.elbo(x, noise))


@pytest.mark.parametrize("name", VAES)
def test_a_kept_vae_gives_the_same_elbo(name, tmp_path):
    vae = trained_vae(name)
    about = {"parameters": {"steps": 2}, "seed": 0, "half": {"steps": 1}}
    pretrained.save(vae, "a", builder=name, arguments=VAES[name], folder=tmp_path, **about)
    again, note = pretrained.load("a", tmp_path)
    np.testing.assert_allclose(elbo(again, name), elbo(vae, name), rtol=1e-3)
    assert {key: note[key] for key in about} == about and note["builder"] == name
    sigma = int(vae.likelihood == "gaussian" and vae.sigma is None)
    assert note["weights"] == vae.encoder.count_params() + vae.decoder.count_params() + sigma
    # The counter of steps, the metrics and the noise are those of a fresh model.
    assert int(again.steps) == 0 and int(vae.steps) == 2
    # By hand, with the same networks.
    own = trained_vae(name)
    assert pretrained.load_weights(own, "a", tmp_path) == note
    np.testing.assert_array_equal(elbo(own, name), elbo(again, name))
    assert int(own.steps) == 2


def test_weights_of_other_networks_are_refused_by_name(tmp_path):
    name = "conv_vae"
    pretrained.save(trained_vae(name), "a", builder=name, arguments=VAES[name], folder=tmp_path)
    other = models.VAE(*networks.dense_networks((16, 16, 3), 3, (4,)), name="mine")
    before = other.get_weights()
    with pytest.raises(
        ValueError, match=r"a holds .* of conv_vae\(.*latent=3.*mine has .* differs"
    ):
        pretrained.load_weights(other, "a", tmp_path)
    fixed = models.conv_vae((16, 16, 3), 3, 8, likelihood="gaussian", sigma=0.1)
    with pytest.raises(ValueError, match=r"weights in .* arrays"):
        pretrained.load_weights(fixed, "a", tmp_path)
    assert all(map(np.array_equal, before, other.get_weights()))
    with pytest.raises(ValueError, match=r"conv_vae describe .* weights, and the model has"):
        pretrained.save(other, "b", builder=name, arguments=VAES[name], folder=tmp_path)
    with pytest.raises(ValueError, match=r"`builder` must be one of conv_vae, .*'vae'"):
        pretrained.save(other, "b", builder="vae", arguments={}, folder=tmp_path)
    assert not list(tmp_path.glob("*b*"))


def test_weights_that_are_missing_name_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent.*make weights NAME"):
        pretrained.load_weights(head(), "absent", tmp_path)


def test_weights_that_are_not_finite_are_not_kept(tmp_path):
    model = head()
    model.set_weights([np.full_like(w, 1e6) for w in model.get_weights()])
    with pytest.raises(ValueError, match="not finite in 16 bits"):
        pretrained.save(model, "tiny", **NET, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_stop_while_writing_leaves_what_was_there(tmp_path, monkeypatch):
    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path, seed=1)
    before = path.read_bytes()

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrained.json, "dumps", stopped)
    with pytest.raises(KeyboardInterrupt):
        pretrained.save(head(), "tiny", **NET, folder=tmp_path, seed=2)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 2
    assert pretrained.load("tiny", tmp_path)[1]["seed"] == 1


KEPT = sorted(path.stem for path in pretrained.FOLDER.glob("*.npz"))


@pytest.mark.parametrize("name", KEPT)
def test_what_comes_with_the_project_is_what_its_note_says(name):
    model, note = pretrained.load(name)
    assert note["commit"] and (pretrained.FOLDER / f"{name}.npz").stat().st_size <= 2 * 2**20
    if "multiple" in note:  # classifiers of pixels; the scores: see test_first_edition.py
        logits = next(pyramids.predict_full_size(model, [np.zeros((33, 47, 3))], note["multiple"]))
        assert logits.shape[:2] == (33, 47) and np.isfinite(logits).all()
        assert {"dataset", "licence"} <= set(note)
        if note["builder"] == "pyramid_head":
            assert logits.shape[2] == note["num_classes"] and "scores" in note
        return
    if "draws" in note["scored_on"]:  # a generator, see test_gan_weights.py; here its last score
        decoder = getattr(model, "decoder", model)
        z = np.random.default_rng(0).standard_normal((500, *decoder.input.shape[1:]))
        drawn = decoder.predict(z.astype("float32"), verbose=0).clip(0, 1)
        whole = one_whole_object(drawn).mean()
        assert whole == pytest.approx(note["learning_curve"][-1]["whole"], abs=0.1)
        return
    nats = weights._nats(note["parameters"])
    assert {"parameters", "seed", nats} <= set(note)
    # The shorter training of another kept model, whose note has its curve.
    assert name.endswith("-half") or {"learning_curve", "half", "minutes"} <= set(note)
    assert note["scored_on"]["pictures"] == weights.HELD_OUT
    assert note["scored_on"]["noise_seed"] == weights.NOISE_SEED
    held_out = weights._held_out(note["parameters"])
    found = weights._scores(model, note["parameters"], held_out)
    assert found.mean() == pytest.approx(note[nats], rel=1e-4)


COMMITTED = [*sorted(records.RESULTS.glob("*.json")), *sorted(pretrained.FOLDER.glob("*.json"))]


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_committed_names_its_commit(path):
    note = json.loads(path.read_text("utf-8"))
    commit = note.get("provenance", note)["commit"]
    assert re.fullmatch(r"[0-9a-f]{12,40}(-dirty)?", commit)

    def git(*command):
        return subprocess.run(["git", *command], cwd=path.parent, capture_output=True, text=True)

    if git("rev-parse", "--is-shallow-repository").stdout.strip() == "false":
        known = git("cat-file", "-e", f"{commit.removesuffix('-dirty')}^{{commit}}")
        assert known.returncode == 0, f"{path.name}: {commit} is no commit of this project"


def test_what_is_committed_is_never_stale(tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("asked for a version of the code")

    path = pretrained.save(head(), "tiny", **NET, folder=tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"results": {"a": 1}}))
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    for name in ("version_of", "unchanged", "score_code", "training_code", "normal"):
        monkeypatch.setattr(code_versions, name, never)
    assert pretrained.load(path.stem, tmp_path)[0] and records.results_of("run") == {"a": 1}
