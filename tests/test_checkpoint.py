"""Stores: computed once, told apart by parameters and code, and whole again after a kill."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import data
from helpers.checkpoint import (
    ResultStore,
    code_versions,
    fingerprints,
    long_training,
    session_code,
    training_backup,
)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_CACHE", str(tmp_path / "cache"))


class Counted:
    """Counts how often it was called."""

    def __init__(self, value):
        self.value, self.calls = value, 0

    def __call__(self):
        self.calls += 1
        return self.value


def files(store):
    return sorted(p.name for p in store.folder.iterdir())


# Results --------------------------------------------------------------------------------


def test_a_result_is_computed_once_and_comes_back_in_a_new_store():
    compute = Counted({"a": [1, 2.5, None], "b": "ä"})
    for _ in range(2):
        store = ResultStore("some", size=4)
        assert store.result("scores", compute, seed=0) == compute.value
        assert store.result("scores", compute, seed=0) == compute.value
    assert compute.calls == 1
    (name,) = files(store)  # and nothing half-written beside it
    assert name.startswith("scores-") and name.endswith(".json")
    entry = json.loads((store.folder / name).read_text("utf-8"))
    assert (
        entry["parameters"] == {"size": 4, "seed": 0}
        and entry["code"] == fingerprints.score_version()
    )


@pytest.mark.parametrize(
    ("make", "name", "parameters"),
    [
        ({"size": 5}, "scores", {"seed": 0}),
        ({"size": 4}, "scores", {"seed": 1}),
        ({"size": 4}, "scores", {"seed": 0, "more": None}),
        ({"size": 4}, "other", {"seed": 0}),
        ({"size": "4"}, "scores", {"seed": 0}),
    ],
)
def test_another_parameter_is_another_entry(make, name, parameters):
    first, second = Counted(1), Counted(2)
    assert ResultStore("some", size=4).result("scores", first, seed=0) == 1
    assert ResultStore("some", **make).result(name, second, **parameters) == 2
    assert ResultStore("some", size=4).result("scores", first, seed=0) == 1
    assert (first.calls, second.calls) == (1, 1)


def test_the_order_of_parameters_and_the_form_of_a_list_do_not_count():
    compute = Counted(1)
    ResultStore("some", a=1, b=(1, 2)).result("x", compute, c=np.float32(0.5))
    ResultStore("some", b=[1, 2], c=0.5).result("x", compute, a=np.int64(1))
    assert compute.calls == 1


@pytest.mark.parametrize("folder", ["some", ""])
def test_a_value_is_the_same_computed_and_read(folder):
    value = {"array": np.arange(3), "number": np.float32(0.5), "pair": (1, 2), 3: True}
    store = ResultStore(folder)
    first, again = (store.result("x", lambda: value) for _ in range(2))
    assert first == again == {"array": [0, 1, 2], "number": 0.5, "pair": [1, 2], "3": True}
    with pytest.raises(TypeError, match=r"keeps JSON values.*Received: set"):
        store.result("y", lambda: {"a": {1}})


def test_parameters_may_be_called_as_the_store_calls_its_own():
    store = ResultStore("some", value=3, parameters=5)
    assert [store.result("x", lambda: 7, seconds=1) for _ in range(2)] == [7, 7]


def test_no_folder_keeps_nothing(tmp_path):
    for folder in ("", None):
        compute, store = Counted(1), ResultStore(folder)
        assert [store.result("x", compute) for _ in range(3)] == [1, 1, 1]
        assert compute.calls == 3
        fit(store, epochs=1)
    assert not (tmp_path / "cache").exists()


def test_names_with_a_slash_stay_in_the_folder():
    store = ResultStore("some")
    assert store.result("a/b: c", lambda: 1) == 1 and store.result("a_b: c", lambda: 2) == 2
    assert store.result("a/b: c", lambda: 3) == 1 and len(files(store)) == 2


def test_a_half_written_file_is_never_read(monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training_backup.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            ResultStore("some").result("x", lambda: 1)
    store = ResultStore("some")
    assert len(files(store)) == 1 and files(store)[0].endswith(".part")
    assert store.result("x", lambda: 2) == 2


@pytest.mark.parametrize("text", ['{"val', "", "[]", '{"other": 1}'])
def test_a_damaged_file_is_named(text):
    store = ResultStore("some")
    store.result("x", lambda: 1)
    (store.folder / files(store)[0]).write_text(text)
    with pytest.raises(ValueError, match=r"x-\w+\.json is damaged .*Delete the files"):
        store.result("x", lambda: 1)


def test_a_folder_that_cannot_be_is_named_before_the_work(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "kept").write_text("a file in the way")
    with pytest.raises(OSError, match=r"cannot keep results in .*some.*set HELPERS_CACHE"):
        ResultStore("some")


# The code -------------------------------------------------------------------------------


def other(monkeypatch, what):
    """Another state of something that results depend on."""
    module, name, value = {
        "code that scores": (code_versions, "score_code", lambda: "other"),
        "code that trains": (code_versions, "training_code", lambda parts: "other"),
        "cells": (session_code, "session_code", lambda: "other"),
        "a library": (code_versions, "libraries", lambda names: {"numpy": "0"}),
        "the backend": (keras.backend, "backend", lambda: "other"),
        "XLA": (fingerprints, "use_xla", lambda: "other"),
    }[what]
    monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("what", ["code that scores", "cells", "a library", "the backend", "XLA"])
def test_another_state_of_what_computes_is_another_entry(what, monkeypatch):
    compute = Counted(1)
    ResultStore("some").result("x", compute)
    with monkeypatch.context() as patch:
        other(patch, what)
        ResultStore("some").result("x", compute)
        assert compute.calls == 2
    assert ResultStore("some").result("x", compute) == 1 and compute.calls == 2  # nothing was lost


def test_a_folder_counts_by_its_files_wherever_it_is_named(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, plan in enumerate((str(folder), [str(folder)], {"path": [str(folder)]})):
        compute = Counted(1)
        for _ in range(2):
            ResultStore("some", plan=plan).result("x", compute)
        assert compute.calls == 1
        (folder / f"{i}.png").write_text("another picture")
        ResultStore("some", plan=plan).result("x", compute)
        assert compute.calls == 2
    ResultStore("some", note="a long text " * 100)  # no name of a folder


def test_half_precision_is_another_entry():
    compute = Counted(1)
    ResultStore("some").result("x", compute)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        ResultStore("some").result("x", compute)
    finally:
        keras.config.set_dtype_policy(policy)
    assert compute.calls == 2


def test_the_code_that_trains_keeps_scores(monkeypatch):
    compute = Counted(1)
    ResultStore("some").result("x", compute)
    other(monkeypatch, "code that trains")  # it is among the code that scores, as a whole
    assert ResultStore("some").result("x", compute) == 1 and compute.calls == 1


def test_code_that_was_changed_is_refused_before_the_work(monkeypatch):
    def changed():
        raise RuntimeError("helpers/spread.py was changed")

    monkeypatch.setattr(code_versions, "score_code", changed)
    with pytest.raises(RuntimeError, match="was changed"):
        ResultStore("some")
    assert ResultStore("").result("x", lambda: 1) == 1  # keeps nothing, so nothing can be wrong


# Trainings ------------------------------------------------------------------------------


class Pairs(data.Crops):
    """The crops as their own targets."""

    def __getitem__(self, index):
        (x,) = super().__getitem__(index)
        return x, x


def crops():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype="uint8")
    return Pairs(images, 4, steps=3, batch_size=2)


def small_model(units=2):
    """Has all that a training carries along: statistics, noise, and a rate that falls."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Dense(units),
            keras.layers.BatchNormalization(),
            keras.layers.GaussianNoise(0.1, seed=1),
            keras.layers.Dense(3),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(0.1, 12)
    model.compile(keras.optimizers.Adam(rate), loss="mse", run_eagerly=True)
    return model


def fit(store, model=None, epochs=4, **options):
    model = model or small_model()
    return model, *store.fit("net", model, crops(), epochs, **options)


def state(model):
    return [
        keras.ops.convert_to_numpy(v.value) for v in [*model.variables, *model.optimizer.variables]
    ]


def same(a, b):
    return all(np.allclose(x, y, atol=1e-6) for x, y in zip(state(a), state(b), strict=True))


@pytest.fixture(scope="module")
def unbroken():
    """The model after four epochs without a store, and its history."""
    model, seconds, history = fit(ResultStore(""))
    assert seconds > 0 and len(history["loss"]) == 4
    assert int(model.optimizer.iterations) == 12
    return model, history


def test_a_training_happens_once_and_gives_weights_and_optimizer_again(unbroken):
    store = ResultStore("some", a=1)
    model, seconds, history = fit(store, parameters={"b": 2})
    assert same(model, unbroken[0]) and history["loss"] == pytest.approx(unbroken[1]["loss"])
    assert [n.split("-")[0] for n in files(store)] == ["net", "net"]  # weights and note
    again, read, nothing = fit(ResultStore("some", a=1), parameters={"b": 2})
    assert (read, nothing) == (seconds, {})
    assert same(again, model)
    # From here on both go on alike; nothing of the store is left in the model.
    for m in (model, again):
        assert len(m.fit(crops(), epochs=1, shuffle=False, verbose=0).history["loss"]) == 1
    assert same(again, model)
    _, _, history = fit(ResultStore("some", a=1), parameters={"b": 3}, epochs=1)
    assert len(history["loss"]) == 1


class Kill(keras.callbacks.Callback):
    """Ends the process, as a machine that goes down would, in the second step of epoch 3."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 8:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_a_training_that_was_killed_ends_like_one_that_was_not(unbroken):
    code = "from test_checkpoint import *; fit(ResultStore('some', a=1), callbacks=Kill())"
    command, here = [sys.executable, "-c", code], ROOT / "tests"
    done = subprocess.run(command, cwd=here, env=os.environ, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = ResultStore("some", a=1)
    (note,) = store.folder.glob("*.backup.json")
    before = json.loads(note.read_text("utf-8"))
    assert before["epoch"] == 2 and before["seconds"] > 0
    note.write_text(json.dumps({**before, "seconds": 1000.0}))
    # What a kill in the middle of writing leaves behind is not looked at.
    for name in ("part-1-" + note.name.replace(".json", "-3.weights.h5"), note.name + ".1.part"):
        (store.folder / name).write_text("half")
    model, seconds, history = fit(store)
    assert len(history["loss"]) == 2
    assert history["loss"] == pytest.approx(unbroken[1]["loss"][2:], rel=1e-5)
    assert same(model, unbroken[0])
    assert int(model.optimizer.iterations) == 12
    assert 1000 < seconds < 1060
    assert not list(store.folder.glob("*backup*"))
    _, again, _ = fit(store)
    assert again == seconds


class Stop(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            raise KeyboardInterrupt


def test_three_sittings_of_one_data_set_and_no_trace_in_the_model(unbroken):
    x, store = crops(), ResultStore("some")
    for epoch in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            store.fit("net", small_model(), x, 4, callbacks=[Stop(epoch)])
        assert len([n for n in files(store) if "backup" in n]) == 2  # one state, no more
    model = small_model()
    _, history = store.fit("net", model, x, 4)
    assert len(history["loss"]) == 1 and same(model, unbroken[0])
    # Keras's own callback would make this fit start at epoch 3, and do nothing.
    assert len(model.fit(x, epochs=2, verbose=0).history["loss"]) == 2


def stopped_and_kept(folder):
    """`ResultStore.fit`, stopped after two epochs of four; a function that goes on."""
    with pytest.raises(KeyboardInterrupt):
        fit(ResultStore(folder), callbacks=[Stop(2)])
    return lambda: fit(ResultStore(folder))[0]


def stopped_with_a_curve(folder):
    """The same of `long_training.fit`."""
    folder.mkdir()

    def go_on(stop_at=None):
        def tell(row):
            if row["steps"] == stop_at:
                raise KeyboardInterrupt

        told = {"tell": tell, "resumed": lambda _: None}
        model = small_model()
        rows, _ = long_training.fit(model, crops(), 4, folder / "net.npz", {}, **told)
        assert [row["steps"] for row in rows] == [3, 6, 9, 12]
        return model

    with pytest.raises(KeyboardInterrupt):
        go_on(9)
    return go_on


STATES = [
    *((stopped_and_kept, part) for part in ("*-2.weights.h5", "*.backup.json")),
    *((stopped_with_a_curve, part) for part in ("*-2.weights.h5", "*.curve.json")),
    (stopped_with_a_curve, "net.npz-??????????.json"),
]


@pytest.mark.parametrize(("stopped", "part"), STATES)
def test_a_training_starts_anew_when_what_the_message_names_is_deleted(
    stopped, part, unbroken, tmp_path
):
    go_on = stopped(tmp_path / "kept")
    (path,) = (tmp_path / "kept").glob(part)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match=re.escape(str(path))) as error:
        go_on()
    named = re.search(r"Delete the files (\S+\*),", str(error.value))
    for file in tmp_path.glob(str(Path(named[1]).relative_to(tmp_path))) if named else [path]:
        file.unlink()
    assert named or "delete it, and it is computed anew" in str(error.value)
    assert same(go_on(), unbroken[0])


@pytest.mark.parametrize(("stopped", "part"), STATES)
def test_a_training_whose_state_lacks_a_file_starts_anew(stopped, part, unbroken, tmp_path):
    go_on = stopped(tmp_path / "kept")
    (path,) = (tmp_path / "kept").glob(part)
    path.unlink()
    assert same(go_on(), unbroken[0])


@pytest.mark.parametrize("part", ["*.json", "*.weights.h5"])
def test_a_kept_training_is_computed_anew_when_what_the_message_names_is_deleted(part):
    store = ResultStore("some")
    fit(store, epochs=1)
    (path,) = store.folder.glob(part)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ValueError, match=re.escape(path.name)) as error:
        fit(store, epochs=1)
    named = re.search(r"Delete the files (\S+\*),", str(error.value))
    for file in store.folder.glob(Path(named[1]).name) if named else [path]:
        file.unlink()
    assert len(fit(store, epochs=1)[2]["loss"]) == 1


def test_each_fit_sees_the_same_batches_of_one_data_set():
    x = crops()
    a, b = (small_model() for _ in range(2))
    ResultStore("some").fit("a", a, x, 1)
    ResultStore("").fit("b", b, x, 1)
    assert same(a, b)
    batches = data.Batches(np.zeros((6, 2, 2, 1), "uint8"), 2)
    fresh = data.Batches(np.zeros((6, 2, 2, 1), "uint8"), 2)
    batches.on_epoch_end()
    training_backup.rewind(batches, 0)
    assert batches.epoch == 0 and (batches._order == fresh._order).all()


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # that is the fault
def test_weights_that_do_not_fit_are_named():
    store = ResultStore("some")
    fit(store, epochs=1)
    (weights,) = store.folder.glob("*.weights.h5")
    whole = weights.read_bytes()
    small_model(units=5).save_weights(weights)
    with pytest.raises(ValueError, match=r"net-\w+\.weights\.h5 cannot be read.*`parameters`"):
        fit(store, epochs=1)
    weights.write_bytes(whole[:1000])
    with pytest.raises(ValueError, match=r"cannot be read .*delete it, and it is computed anew"):
        fit(store, epochs=1)
    weights.unlink()
    assert len(fit(store, epochs=1)[2]["loss"]) == 1


def test_a_model_that_cannot_be_fitted_is_named():
    store = ResultStore("some")
    with pytest.raises(ValueError, match="compile the model"):
        store.fit("x", keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), None, 1)
    bare = keras.Sequential([keras.layers.Dense(1)])
    bare.compile("sgd", loss="mse")
    with pytest.raises(ValueError, match="no weights yet"):
        store.fit("x", bare, None, 1)


# What a training depends on ---------------------------------------------------------------


class Doubled(keras.layers.Layer):
    """Has no `get_config`, as layers in a notebook's cell."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return self.factor * x


def doubling(factor=None, **options):
    image = keras.Input((4, 4, 3))
    h = keras.layers.Dense(2, **options)(image)
    model = keras.Model(image, keras.layers.Dense(3)(Doubled(factor)(h) if factor else h))
    model.compile(keras.optimizers.SGD(0.1), loss="mse", run_eagerly=True)
    return model


def made_of(model=None, x=None, **options):
    return fingerprints.training(model or small_model(), crops() if x is None else x, **options)


def test_a_training_built_again_is_the_same_whatever_keras_calls_its_layers():
    first, keras_names = made_of(), small_model().layers[0].name
    assert small_model().layers[0].name != keras_names and made_of() == first
    x = crops()
    x.workers = 3  # they do not change a batch
    assert made_of(x=x) == first
    faster = small_model()
    faster.compile(faster.optimizer, loss="mse", run_eagerly=False, steps_per_execution=2)
    assert made_of(faster) == first
    for again in OTHER_MODELS.values():
        assert made_of(again()) == made_of(again())


def compiled(optimizer=None, loss="mse", frozen=False, **options):
    model = small_model()
    model.layers[0].trainable = not frozen
    rate = keras.optimizers.schedules.CosineDecay(0.1, 12)
    model.compile(optimizer or keras.optimizers.Adam(rate), loss, run_eagerly=True, **options)
    return model


def own_loss(y, guess):
    return keras.ops.mean((y - guess) ** 2)


OTHER_MODELS = {
    "units": lambda: small_model(units=5),
    "half precision": lambda: doubling(dtype="mixed_bfloat16"),
    "own attribute": lambda: doubling(factor=3.0),
    "layers": doubling,
    "own layer": lambda: doubling(factor=2.0),
    "frozen": lambda: compiled(frozen=True),
    "rate": lambda: compiled(keras.optimizers.Adam(0.1)),
    "steps of the rate": lambda: compiled(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 13))
    ),
    "optimizer": lambda: compiled(
        keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 12))
    ),
    "loss": lambda: compiled(loss="mae"),
    "an object": lambda: compiled(loss=keras.losses.Huber(0.5)),
    "its number": lambda: compiled(loss=keras.losses.Huber(0.7)),
    "own loss": lambda: compiled(loss=own_loss),
    "weight of the loss": lambda: compiled(loss_weights=[2.0]),
}


def test_another_model_loss_or_optimizer_is_another_training():
    assert made_of(compiled()) == made_of()
    found = [made_of(make())["model"] for make in OTHER_MODELS.values()]
    assert len({made_of()["model"], *found}) == len(OTHER_MODELS) + 1


def test_wiring_counts_although_names_do_not():
    def wired(first, second):
        image = keras.Input((4,))
        heads = [keras.layers.Dense(4)(image) for _ in range(2)]
        chosen = keras.layers.Dense(4)(heads[first]), keras.layers.Dense(4)(heads[second])
        model = keras.Model(image, keras.layers.Subtract()([*chosen, heads[0]][:2]))
        model.compile("sgd", "mse")
        return made_of(model, np.zeros((2, 4)))["model"]

    assert wired(0, 1) == wired(0, 1) != wired(0, 0)


def test_other_data_are_another_training():
    x, array = crops(), np.zeros((4, 2))
    other_pixel, other_seed, other_crop = crops(), crops(), crops()
    other_pixel.images[3, 7, 7, 2] ^= 1
    other_seed.seed, other_crop.light = 1, 0.1
    keys = [made_of(x=d)["data"] for d in (x, other_pixel, other_seed, other_crop)]
    keys += [made_of(x=array, y=y)["data"] for y in (array, array + 1, array.astype("float32"))]
    keys += [made_of(x=array, y=array, batch_size=2)["data"], made_of(x=[array, array])["data"]]
    assert len(set(keys)) == len(keys)
    for nothing in ((i for i in range(3)), {"x": (i for i in range(3))}):
        with pytest.raises(ValueError, match=r"are arrays, or a `keras.utils.PyDataset`.*Received"):
            made_of(x=nothing)


@pytest.mark.parametrize("what", ["code that trains", "a library", "the backend", "XLA"])
def test_what_trains_belongs_to_a_training(what, monkeypatch):
    before = made_of()
    other(monkeypatch, what)
    assert made_of()["code"] != before["code"]


def test_an_edit_elsewhere_throws_no_training_away(monkeypatch):
    fit(ResultStore("some"), epochs=1)
    for what in ("code that scores", "cells"):
        other(monkeypatch, what)
    _, _, history = fit(ResultStore("some"), epochs=1)
    assert history == {}  # read


def test_classes_of_the_readers_own_bring_their_code(monkeypatch, tmp_path):
    before = made_of(doubling(2.0))["code"]
    own = tmp_path / "test_checkpoint.py"
    own.write_text("ANOTHER = 1\n")
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[Doubled.__module__], "__file__", str(own))
        assert made_of(doubling(2.0))["code"] != before
    for part in (Doubled, own_loss):  # from a cell: all cells count
        monkeypatch.setattr(part, "__module__", "__main__")
    monkeypatch.setitem(sys.modules, "__main__", type(sys)("__main__"))
    for make in (OTHER_MODELS["own layer"], OTHER_MODELS["own loss"]):
        with monkeypatch.context() as patch:
            here = made_of(make())["code"]
            other(patch, "cells")
            assert made_of(make())["code"] != here


def test_modules_of_the_model_and_its_loss_count(monkeypatch):
    from helpers import models, pyramids, segmentation

    asked = []
    monkeypatch.setattr(code_versions, "training_code", lambda parts: asked.append(parts))
    nets = pyramids.pyramid_networks((8, 8, 3), 2, (4, 4), (1, 1), (2, 2))
    vae = models.VAE(*nets, likelihood="gaussian", seed=0)
    vae.compile("adam")
    made_of(vae)
    net = small_model()
    net.compile("adam", segmentation.PixelCrossEntropy(3))
    made_of(net)
    assert {"helpers.models.vae", "helpers.layers", "helpers.data.crops"} <= set(asked[0])
    assert "helpers.segmentation.losses" in asked[1] and "helpers.models.vae" not in asked[1]


def test_pictures_that_changed_in_a_folder_are_another_entry(tmp_path):
    pictures = tmp_path / "pictures"
    (pictures / "masks").mkdir(parents=True)
    picture = pictures / "masks" / "a.png"
    picture.write_bytes(b"one")

    def ask(value, path):
        return ResultStore(tmp_path / "kept", plan=[path, 0]).result("s", lambda: value)

    assert ask(1, str(pictures)) == 1
    assert ask(2, str(pictures)) == 1
    picture.write_bytes(b"two")
    assert ask(3, str(pictures)) == 3
    assert ask(4, "") == 4
