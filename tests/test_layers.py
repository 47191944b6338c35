"""Sampling and unfolding: statistics, other ways to the same, shapes, serialisation, bad input."""

import keras
import numpy as np
import pytest
from keras import ops

from helpers.layers import DepthToSpaceUp, GaussianSampling


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_sampling_has_the_mean_and_the_spread_it_was_given():
    mean = np.tile(np.array([[1.0, -2.0]], "float32"), (100_000, 1))
    log_variance = np.tile(np.log(np.array([[0.25, 4.0]], "float32")), (100_000, 1))
    z = numpy(GaussianSampling(seed=0)(mean, log_variance))
    # Four standard errors of the mean (σ/√N) and of the standard deviation (σ/√2N).
    sigma = np.array([0.5, 2.0])
    assert (abs(z.mean(axis=0) - [1.0, -2.0]) < 4 * sigma / np.sqrt(1e5)).all()
    assert (abs(z.std(axis=0) - sigma) < 4 * sigma / np.sqrt(2e5)).all()


def test_sampling_uses_the_noise_it_is_given():
    z = GaussianSampling()(np.ones((1, 2)), np.log([[4.0, 9.0]]), noise=np.array([[1.0, -1.0]]))
    np.testing.assert_allclose(numpy(z), [[3.0, -2.0]], rtol=1e-6)


def test_sampling_knows_its_shape_by_the_names_that_keras_records():
    """`summary` asks for the shape with what was recorded when the layer was built."""
    zeros = np.zeros((4, 3), "float32")
    for given in ((zeros, zeros), (zeros, zeros, zeros)):
        for positions in range(1, len(given) + 1):
            layer, names = GaussianSampling(), ("mean", "log_variance", "noise")
            layer(*given[:positions], **dict(zip(names[positions:], given[positions:])))
            recorded = layer.get_build_config()["shapes_dict"]
            assert list(recorded) == [f"{name}_shape" for name in names[: len(given)]]
            assert tuple(layer.compute_output_shape(**recorded)) == (4, 3)
            fresh = GaussianSampling()
            fresh.build_from_config({"shapes_dict": recorded})
            fresh.build_from_config({"input_shape": (4, 3)})  # of files that older versions wrote
    image = keras.Input((3,))
    model = keras.Model(image, GaussianSampling()(image, image))
    assert model.compute_output_shape((None, 3)) == (None, 3)


def test_sampling_draws_anew_each_time_and_repeats_for_a_seed():
    zeros = np.zeros((4, 3), "float32")
    a, b = GaussianSampling(seed=7), GaussianSampling(seed=7)
    first, second = numpy(a(zeros, zeros)), numpy(a(zeros, zeros))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(first, numpy(b(zeros, zeros)))


def test_depth_to_space_up_equals_a_transposed_convolution_with_stride_equal_to_kernel():
    up = DepthToSpaceUp(3, scale=2, activation=None)
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 5)).astype("float32")
    y = numpy(up(x))
    assert y.shape == (2, 8, 8, 3)
    kernel = numpy(up.weights[0]).reshape(5, 2, 2, 3)  # in, dy, dx, out
    transposed = keras.layers.Conv2DTranspose(3, 2, strides=2, use_bias=False)
    transposed.build(x.shape)
    transposed.set_weights([kernel.transpose(1, 2, 3, 0)])
    np.testing.assert_allclose(y, numpy(transposed(x)), rtol=1e-4, atol=1e-5)


def test_declared_shape_is_the_real_shape():
    layer, shape = DepthToSpaceUp(4, 2), (None, 8, 8, 3)
    real = layer(np.zeros((2, *shape[1:]), "float32")).shape
    assert tuple(layer.compute_output_shape(shape))[1:] == tuple(real)[1:]


@pytest.mark.parametrize(
    "layer", [DepthToSpaceUp(4, 2, "gelu"), DepthToSpaceUp(4, 2, None), GaussianSampling(seed=3)]
)
def test_layers_survive_serialisation(layer):
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def test_numpy_integers_are_taken():
    assert type(GaussianSampling(np.int64(3)).get_config()["seed"]) is int
    assert DepthToSpaceUp(np.int64(4), np.int64(2))(np.zeros((1, 2, 2, 1))).shape == (1, 4, 4, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DepthToSpaceUp(0), "filters=0"),
        (lambda: DepthToSpaceUp(4, scale=1.5), "scale=1.5"),
        (lambda: DepthToSpaceUp("4"), "filters='4'"),
        (lambda: DepthToSpaceUp(None), "filters=None"),
        (lambda: DepthToSpaceUp(float("nan")), "filters=nan"),
        (lambda: DepthToSpaceUp(4, scale=float("inf")), "scale=inf"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Options and shapes ------------------------------------------------------------------------


def test_without_options_sides_are_doubled_and_nothing_is_below_zero():
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    up = numpy(DepthToSpaceUp(5)(x))
    assert up.shape == (2, 8, 12, 5)
    assert up.min() == 0 and up.max() > 0


def test_a_serialised_layer_computes_the_same():
    layer = DepthToSpaceUp(4, 3, "gelu")
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")
    wanted = numpy(layer(x))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_allclose(numpy(again(x)), wanted, rtol=1e-6)


@pytest.mark.parametrize("kind", [GaussianSampling, DepthToSpaceUp])
def test_saved_files_name_a_layer_after_the_package(kind):
    assert keras.saving.get_registered_name(kind) == f"helpers>{kind.__name__}"


def test_declared_shapes_by_hand():
    up = DepthToSpaceUp(5, 3)
    assert tuple(up.compute_output_shape((None, 8, 6, 3))) == (None, 24, 18, 5)
    assert tuple(up.compute_output_shape((2, None, 6, 3))) == (2, None, 18, 5)
    assert tuple(GaussianSampling().compute_output_shape((None, 4))) == (None, 4)
    up.build((None, 8, 6, 3))
    assert [w.shape for w in up.weights] == [(1, 1, 3, 45), (45,)]  # there before the first call


def test_a_layer_computes_in_the_precision_it_is_given():
    layer = DepthToSpaceUp(1, dtype="mixed_float16")
    assert layer.conv.compute_dtype == "float16" and layer.filters == 1
    y = layer(np.zeros((1, 4, 4, 3), "float32"))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DepthToSpaceUp(4, scale=0), "scale=0"),
        (lambda: DepthToSpaceUp(-1), "filters=-1"),
        (lambda: DepthToSpaceUp(2.5), "filters=2.5"),
    ],
)
def test_bad_sizes_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
