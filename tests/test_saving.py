"""What people do with a model besides training: look, save, load, copy, export."""

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import ops
from small_uncertainty import heteroscedastic_vae

from helpers import models

X = np.random.default_rng(0).random((6, 8, 8, 1), "float32")
NEEDS_TENSORFLOW = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="a SavedModel is TensorFlow's"
)


KINDS = {
    "dense": lambda: models.dense_vae((8, 8, 1), 2, (4,), seed=0),
    "conv": lambda: models.conv_vae((8, 8, 1), (4, 4, 1), 4, likelihood="gaussian", seed=0),
    "pixelwise": lambda: heteroscedastic_vae((8, 8, 1), 2, 4, seed=0),
}


def summary(model):
    lines = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_can_be_had_after_every_call(kind):
    model, x = KINDS[kind](), X
    assert "gaussian_sampling" in summary(model)
    model.compile("adam", run_eagerly=True)
    for call in (model.predict, model.evaluate, model.fit):
        call(x, verbose=0)
        assert "gaussian_sampling" in summary(model)
    model(x[:2]), model(x[:2], training=True)
    assert "gaussian_sampling" in summary(model)
    assert "gaussian_sampling" in summary(keras.models.clone_model(model))


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_comes_back_from_a_file_a_copy_and_a_pickle(kind, tmp_path):
    model, x = KINDS[kind](), X
    model.compile("adam", run_eagerly=True)
    model.fit(x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    noise = np.zeros((6, 2), "float32")
    for other in (loaded, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(other) is type(model) and other.row_shape == model.row_shape
        assert all(map(np.array_equal, model.get_weights(), other.get_weights()))
    if kind == "dense":
        np.testing.assert_array_equal(
            *(ops.convert_to_numpy(m.elbo(x, noise)) for m in (model, loaded))
        )
    assert "gaussian_sampling" in summary(loaded)
    fresh = keras.models.clone_model(model)
    assert type(fresh) is type(model) and fresh.get_config() == model.get_config()


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
@pytest.mark.parametrize("kind", KINDS)
def test_hdf5_is_refused_before_anything_is_written(kind, name, tmp_path):
    with pytest.raises(ValueError, match=r"does not come back from HDF5.*`\.keras`"):
        KINDS[kind]().save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@NEEDS_TENSORFLOW
@pytest.mark.parametrize("state", ["new", "fitted", "loaded"])
def test_an_export_answers_as_the_model_does(state, tmp_path):
    import tensorflow as tf

    model = KINDS["dense"]()
    if state != "new":
        model.compile("adam", run_eagerly=True)
        model.fit(X, verbose=0)
    if state == "loaded":
        model.save(tmp_path / "model.keras")
        model = keras.models.load_model(tmp_path / "model.keras")
    model.export(tmp_path / "out", verbose=False)
    artefact = tf.saved_model.load(tmp_path / "out")
    served = artefact.serve(tf.constant(X[:3]))
    np.testing.assert_allclose(served, ops.convert_to_numpy(model(X[:3])), rtol=1e-5, atol=1e-6)


@NEEDS_TENSORFLOW
def test_networks_and_other_models_can_be_exported(tmp_path):
    vae = KINDS["pixelwise"]()
    for i, model in enumerate((vae, vae.encoder, vae.decoder)):
        model.export(tmp_path / str(i), verbose=False)
    own = [keras.InputSpec("float32", (2, 8, 8, 1))]
    vae.export(tmp_path / "own", "tf_saved_model", False, own)
    vae.export(tmp_path / "named", verbose=False, input_signature=own)
