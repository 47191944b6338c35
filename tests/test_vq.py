"""Vector quantisation: nearest codes, the slope that passes, codes that follow, bits by hand."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from helpers.backend import value_and_grad
from helpers.generative.vq import VectorQuantizer, codebook_usage

CODEBOOK = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 4.0]], "float32")


def quantizer(**options):
    layer = VectorQuantizer(3, **options)
    layer.build((None, 2, 2))
    layer.codebook.assign(CODEBOOK)
    return layer


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


X = np.array([[[0.2, 0.1], [0.9, -0.3]], [[0.4, 3.0], [0.0, 2.5]]], "float32")


def test_each_vector_becomes_the_nearest_code():
    layer = quantizer()
    assert numpy(layer.encode_indices(X)).tolist() == [[0, 1], [2, 2]]
    expected = CODEBOOK[[[0, 1], [2, 2]]]
    np.testing.assert_allclose(numpy(layer(X)), expected, atol=1e-6)
    np.testing.assert_allclose(numpy(layer.lookup([[0, 1], [2, 2]])), expected)
    np.testing.assert_allclose(numpy(layer(X, training=True)), expected, atol=1e-6)


def test_the_gradient_passes_as_if_nothing_had_happened():
    layer, x = quantizer(), keras.Variable(X)
    weight = np.random.default_rng(0).normal(size=X.shape).astype("float32")
    _, (slope,) = value_and_grad(lambda: ops.sum(ops.multiply(layer(x), weight)), [x])
    np.testing.assert_allclose(numpy(slope), weight, rtol=1e-6)


def test_the_commitment_pulls_towards_the_code_and_is_summed_per_picture():
    layer = quantizer(commitment=0.5)
    layer(X, training=True)
    away = np.square(X - CODEBOOK[[[0, 1], [2, 2]]]).sum()
    assert float(layer.losses[0]) == pytest.approx(0.5 * away / 2, rel=1e-5)
    layer.codebook.assign(CODEBOOK)  # the step has moved the codes

    def loss():
        return layer.commitment * ops.mean(
            ops.sum(
                ops.square(x - ops.stop_gradient(layer.lookup(layer.encode_indices(x)))),
                axis=(1, 2),
            )
        )

    x = keras.Variable(X)
    _, (slope,) = value_and_grad(loss, [x])
    np.testing.assert_allclose(numpy(slope), 0.5 * (X - CODEBOOK[[[0, 1], [2, 2]]]), rtol=1e-4)


def test_codes_move_to_the_mean_of_what_chose_them():
    layer = quantizer(decay=0.0)
    layer(X, training=True)
    expected = [X[0, 0], X[0, 1], X[1].mean(axis=0)]
    np.testing.assert_allclose(numpy(layer.codebook), expected, rtol=1e-5)
    np.testing.assert_allclose(numpy(layer.counts)[:, 0], [1, 1, 2])


def test_with_a_past_they_move_part_of_the_way():
    layer = quantizer(decay=0.5)
    layer(X, training=True)
    # Counts were 1 each, and 1, 1, 2 now: code 2 is (1·(0, 4) + sum of two) / (1 + 2).
    expected = (CODEBOOK[2] + X[1].sum(axis=0)) / 3
    np.testing.assert_allclose(numpy(layer.codebook)[2], expected, rtol=1e-5)
    np.testing.assert_allclose(numpy(layer.codebook)[0], (CODEBOOK[0] + X[0, 0]) / 2, rtol=1e-5)


def test_outside_training_nothing_moves():
    layer = quantizer(restart_threshold=0.1)
    layer(X)
    np.testing.assert_array_equal(numpy(layer.codebook), CODEBOOK)


def test_a_frozen_layer_learns_nothing():
    layer = quantizer(restart_threshold=0.5)
    layer.trainable = False
    layer(X, training=True)
    np.testing.assert_array_equal(numpy(layer.codebook), CODEBOOK)
    assert layer.losses == []


def test_by_gradient_the_codes_are_trained_and_the_encoder_term_leaves_them_alone():
    layer = quantizer(decay=None, commitment=0.25)
    assert [w.name for w in layer.trainable_weights] == ["codebook"]
    layer(X, training=True)
    away = np.square(X - CODEBOOK[[[0, 1], [2, 2]]]).sum() / 2
    assert sorted(float(numpy(loss)) for loss in layer.losses) == pytest.approx(
        [0.25 * away, away], rel=1e-5
    )

    def loss():
        chosen = layer.lookup(layer.encode_indices(X))
        return ops.mean(ops.sum(ops.square(ops.subtract(X, chosen)), axis=(1, 2)))

    _, (slope,) = value_and_grad(loss, layer.trainable_variables)
    np.testing.assert_allclose(numpy(slope)[0], CODEBOOK[0] - X[0, 0], rtol=1e-5)


def test_unused_codes_are_put_where_the_data_are():
    far = np.array([[0.0, 0.0], [90.0, 90.0], [-90.0, 90.0]], "float32")
    kept, restarted = quantizer(decay=0.5), quantizer(decay=0.5, restart_threshold=0.5, seed=1)
    for layer in (kept, restarted):
        layer.codebook.assign(far)
        for _ in range(4):
            layer(X, training=True)
    assert len(np.unique(numpy(kept.encode_indices(X)))) == 1
    assert len(np.unique(numpy(restarted.encode_indices(X)))) == 3
    assert np.abs(numpy(restarted.codebook)).max() < 5


def test_a_fit_teaches_codes_and_encoder():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 3)).astype("float32") * 3
    x = centres[rng.integers(0, 4, 512)] + 0.1 * rng.normal(size=(512, 3)).astype("float32")
    keras.utils.set_random_seed(0)
    given = keras.Input((3,))
    layer = VectorQuantizer(4, restart_threshold=0.5, decay=0.9, seed=0)
    model = keras.Model(given, layers.Dense(3)(layer(layers.Dense(3)(given))))
    model.compile(keras.optimizers.Adam(0.02), "mse")
    history = model.fit(x, x, batch_size=32, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.3 * history[0]
    assert np.abs(model.predict(x, verbose=0) - x).mean() < 0.5


def test_the_layer_survives_serialisation_and_saving(tmp_path):
    given = keras.Input((4, 4, 2))
    model = keras.Model(given, VectorQuantizer(5, 0.1, 0.9, 0.2, seed=3)(given))
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 2)).astype("float32")
    for layer in model.layers[1:]:
        layer(x, training=True)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model.predict(x, verbose=0), again.predict(x, verbose=0))
    assert again.layers[1].get_config() == model.layers[1].get_config()
    assert tuple(model.layers[1].compute_output_shape((None, 4, 4, 2))) == (None, 4, 4, 2)


def test_a_file_of_the_first_edition_loads():
    weights = VectorQuantizer(5, 0.1, 0.9, 0.2, seed=3)
    config = weights.get_config()
    assert {"num_codes", "restart_threshold"} <= set(config)
    old = {**config, "codes": config.pop("num_codes"), "revive": config.pop("restart_threshold")}
    del old["num_codes"], old["restart_threshold"]
    kept = {"module": "helpers.vq", "class_name": "VectorQuantizer", "config": old}
    kept["registered_name"] = "helpers>VectorQuantizer"
    again = keras.saving.deserialize_keras_object(kept)
    assert again.get_config() == weights.get_config()


def test_bits_by_hand():
    # Two pictures of four positions: code 0 four times, codes 1 and 2 twice each, code 3 never.
    use = codebook_usage(np.array([[0, 0, 1, 2], [0, 0, 1, 2]]), 4)
    assert use == {"plain_bits": 8.0, "entropy_bits": 6.0, "perplexity": 2**1.5, "dead": 1}
    one = codebook_usage(np.zeros((3, 2, 2), int), 8)
    assert one == {"plain_bits": 12.0, "entropy_bits": 0.0, "perplexity": 1.0, "dead": 7}
    even = codebook_usage(np.arange(8).reshape(2, 4), 8)
    assert even["perplexity"] == pytest.approx(8) and even["entropy_bits"] == pytest.approx(12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VectorQuantizer(1), "num_codes=1"),
        (lambda: VectorQuantizer(4, commitment=-1), "commitment=-1"),
        (lambda: VectorQuantizer(4, decay=1.0), "decay=1.0"),
        (lambda: VectorQuantizer(4, decay=None, restart_threshold=0.1), "restart_threshold=0.1"),
        (lambda: codebook_usage(np.array([[0.5]]), 4), "must be integers"),
        (lambda: codebook_usage(np.array([[0, 4]]), 4), "0 to 3"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
