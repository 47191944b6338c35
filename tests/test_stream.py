"""Fresh pictures: any batch can be drawn again, and none stands in a split that is measured on."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from helpers import models
from helpers.checkpoint import training_backup
from helpers.data import scenes, shapes
from helpers.data.mask_damage import CLASSES
from helpers.data.stream import STREAM, FreshMasks, FreshShapes

PLAIN = {"objects": 1, "radius": (0.18, 0.25), "texture": 0.1, "noise": 0.02, "annotators": 1}


def small(**options):
    return FreshShapes(**{"batch_size": 6, "steps_per_epoch": 3, **PLAIN, **options})


def test_batches_are_pictures_and_a_function_of_seed_epoch_and_place():
    stream, again = small(seed=2), small(seed=2)
    (x,) = stream[1]
    assert x.shape == (6, 32, 32, 3) and x.dtype == np.float32 and len(stream) == 3
    assert 0 <= x.min() < x.max() <= 1
    np.testing.assert_allclose(x * 255, np.round(x * 255), atol=1e-4)  # bytes, as in the splits
    again[2]
    np.testing.assert_array_equal(again[1][0], x)
    stream.on_epoch_end()
    others = [stream[1][0], again[0][0], again[2][0], small(seed=3)[1][0]]
    every = np.concatenate([x, *others]).reshape(30, -1)
    assert len(np.unique(every, axis=0)) == 30
    np.testing.assert_array_equal(small(seed=2, first_epoch=1)[1][0], others[0])
    with pytest.raises(IndexError, match="Batch 3 of 3"):
        stream[3]


def test_pictures_are_drawn_as_those_of_a_split():
    # Enough for means of a few grey levels; the distributions are one, the numbers are not.
    fresh = np.concatenate([small(batch_size=400)[i][0] for i in range(3)])
    held = shapes.generate("val", n=1000, size=32, **PLAIN).images / np.float32(255)
    for axes in ((0, 1, 2), (0, 1, 2, 3)):
        np.testing.assert_allclose(fresh.mean(axes), held.mean(axes), atol=0.01)
        np.testing.assert_allclose(fresh.std(axes), held.std(axes), atol=0.01)


def test_no_picture_is_one_of_a_split():
    # What NumPy mixes into a stream: four places for the entropy, filled up with zeros, and the
    # key behind them. Streams of splits have 0, 1 or 2 in the fifth place.
    def state(*arguments, **options):
        return np.random.SeedSequence(*arguments, **options).generate_state(4).tolist()

    key = (STREAM, 1, 0)
    assert state([7, 1, 2], spawn_key=(2,)) == state([7, 1, 2, 0, 2])
    assert state(7, spawn_key=key) == state([7, 0, 0, 0, *key])
    rngs = np.random.default_rng([7, 1, 2]).spawn(3)
    assert [rng.bit_generator.seed_seq.spawn_key for rng in rngs] == [(0,), (1,), (2,)]
    assert STREAM > 2

    fresh = np.concatenate([small(batch_size=100)[i][0] for i in range(3)]) * 255
    held = [shapes.generate(split, n=200, size=32, **PLAIN).images for split in shapes.SPLITS]
    every = np.concatenate([fresh.round().astype("uint8"), *held]).reshape(900, -1)
    assert len(np.unique(every, axis=0)) == 900


class Seen(FreshShapes):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.seen = []

    def __getitem__(self, index):
        self.seen.append((self.epoch, index))
        return super().__getitem__(index)


def vae():
    return models.dense_vae((16, 16, 3), latent=2, hidden=(4,), likelihood="gaussian", seed=0)


def trained(epochs, backup=None):
    keras.utils.set_random_seed(1)
    model = vae()
    model.compile(keras.optimizers.Adam(1e-3))
    stream = Seen(4, 3, seed=5, size=16, **PLAIN)
    callbacks, start = [], 0
    if backup:
        model.optimizer.build(model.trainable_variables)
        kept = training_backup.TrainingBackup(backup)
        kept.restore(model)
        callbacks, start = [kept], kept.epoch
    training_backup.rewind(stream, start)
    options = {"epochs": epochs, "initial_epoch": start, "callbacks": callbacks, "shuffle": False}
    model.fit(stream, verbose=0, **options)
    return model, stream


def test_a_vae_learns_from_it_and_epochs_move_on():
    model, stream = trained(2)
    epochs = {epoch for epoch, _ in stream.seen[-6:]}
    assert len(epochs) == 2 and stream.seen[-3:] == [(max(epochs), i) for i in range(3)]
    assert np.isfinite(model.evaluate(stream, verbose=0, return_dict=True)["loss"])


def test_a_training_that_goes_on_sees_what_an_unbroken_one_sees(tmp_path):
    whole = trained(2)[0].get_weights()
    trained(1, tmp_path / "a.json")
    for a, b in zip(whole, trained(2, tmp_path / "a.json")[0].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("message", "options"),
    {
        "`batch_size` must be an integer from 1 .* Received: batch_size=0": {"batch_size": 0},
        "`steps_per_epoch` .* Received: steps_per_epoch=1.5": {"steps_per_epoch": 1.5},
        "`seed` must be an integer from 0 to 2³² − 1. Received: seed=-1": {"seed": -1},
        r"`seed` .* Received: seed=4294967296": {"seed": 2**32},
        "Unknown option of FreshShapes; known are .*noise.* Received: nois=1": {"nois": 1},
        "`size` must be an integer from 16": {"size": 8},
        "`noise` must be a number from 0 to 1": {"noise": 2},
    }.items(),
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_bad_arguments_are_named(message, options):
    with pytest.raises(ValueError, match=message):
        small(**options)


def test_the_stream_is_imported_by_its_module_only():
    code = "import sys, helpers.data.shapes; print('keras' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_unlabelled_pictures_fresh_or_of_ones_own():
    from helpers.data.stream import Unlabelled

    (fresh,) = Unlabelled(None, steps=3, batch_size=2, seed=5, size=32)[1]
    (same,) = FreshShapes(2, 3, seed=5, size=32)[1]
    np.testing.assert_array_equal(fresh, same)
    x = np.random.default_rng(0).random((4, 8, 8, 3)).astype("float32")
    own = Unlabelled(x, steps=3, batch_size=6, noise=0.1)
    noisy, clean = own[2]
    assert len(own) == 3 and clean.shape == noisy.shape == (6, 8, 8, 3)
    assert all(any(np.array_equal(one, known) for known in x) for one in clean)
    assert noisy.dtype == np.float32 and 0 <= noisy.min() < noisy.max() <= 1
    assert 0.05 < np.std(noisy - clean) < 0.11  # some noise is cut at 0 and 1
    np.testing.assert_array_equal(own[2][0], noisy)


def test_label_maps_are_a_function_of_seed_epoch_and_place():
    stream, again = (FreshMasks(6, 3, seed=2) for _ in range(2))
    (x,) = stream[1]
    assert x.shape == (6, 32, 32, CLASSES) and x.dtype == np.float32 and len(stream) == 3
    assert set(np.unique(x)) == {0, 1} and (x.sum(axis=-1) == 1).all()
    again[2]
    np.testing.assert_array_equal(again[1][0], x)
    stream.on_epoch_end()
    others = [stream[1][0], again[0][0], again[2][0], FreshMasks(6, 3, seed=3)[1][0]]
    every = np.concatenate([x, *others]).reshape(30, -1)
    assert len(np.unique(every, axis=0)) == 30
    training_backup.rewind(again, 2)  # as Keras does before its second epoch
    with pytest.raises(IndexError, match="Batch 3 of 3"):
        stream[3]


def test_label_maps_are_those_of_scenes_with_the_same_options():
    fresh = np.concatenate([FreshMasks(300, 3, objects=(1, 1))[i][0] for i in range(3)])
    held = scenes.label_maps(scenes.sample(900, 5, 32, (1, 1)), 32)
    shares = np.eye(CLASSES)[held].mean(axis=(1, 2))
    np.testing.assert_allclose(fresh.mean(axis=(0, 1, 2)), shares.mean(axis=0), atol=0.01)
    classes = (fresh[..., 1:].sum(axis=(1, 2)) > 0).sum(axis=-1)
    assert (classes == 1).all()  # one object, so one class beside the background


def test_damage_is_drawn_again_and_the_target_is_the_undamaged_map():
    def damage(maps, rng):
        assert maps.dtype == np.uint8
        return np.eye(CLASSES, dtype="float32")[maps] * (rng.random(maps.shape) < 0.5)[..., None]

    damaged, x = FreshMasks(4, 2, damage=damage)[1]
    np.testing.assert_array_equal(x, FreshMasks(4, 2)[1][0])
    np.testing.assert_array_equal(damaged, FreshMasks(4, 2, damage=damage)[1][0])
    known = damaged.sum(axis=-1) == 1
    assert 0.4 < known.mean() < 0.6 and (damaged[known] == x[known]).all()
