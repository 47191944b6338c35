"""The prior over codes: no look ahead, a probability that sums to 1, draws that follow it."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from helpers.generative.pixelcnn import MaskedConv2D, code_nll, pixelcnn, sample_codes


@pytest.fixture(scope="module")
def prior():
    keras.utils.set_random_seed(0)
    return pixelcnn((2, 2), 2, width=8, depth=2)


def test_no_position_sees_itself_or_what_follows():
    keras.utils.set_random_seed(0)
    model = pixelcnn((4, 4), 5, width=8, depth=3)
    rng = np.random.default_rng(0)
    grid = rng.integers(0, 5, (1, 4, 4)).astype("int32")
    first = ops.convert_to_numpy(model(grid))[0].reshape(16, 5)
    for place in range(16):
        other = grid.copy()
        other[0].flat[place] = (other[0].flat[place] + 1) % 5
        then = ops.convert_to_numpy(model(other))[0].reshape(16, 5)
        moved = np.abs(then - first).max(axis=1) > 1e-6
        assert not moved[: place + 1].any()
        assert place == 15 or moved[place + 1 :].any()


@pytest.mark.parametrize(("depth", "seen"), [(4, 415), (8, 425)])
def test_the_blind_spot_lies_to_the_upper_right(depth, seen):
    # A step up reaches two columns to the right in the first layer and one in each later one.
    keras.utils.set_random_seed(0)
    model = pixelcnn((4, 8), 3, width=16, depth=depth)
    grids = np.eye(33, 32, k=-1, dtype="int32").reshape(33, 4, 8)  # zeros, then one changed code
    answers = ops.convert_to_numpy(model(grids)).reshape(33, 32, 3)
    moved = (np.abs(answers[1:] - answers[0]).max(axis=-1) > 1e-7).reshape(4, 8, 4, 8)
    first_of_the_last_row = moved[2, :, 3, 0]
    assert first_of_the_last_row.tolist() == [True] * 3 + [False] * 5
    assert moved.sum() == seen < 32 * 31 // 2


def test_the_probabilities_of_all_grids_sum_to_1(prior):
    grids = np.array(list(itertools.product(range(2), repeat=4)), "int32").reshape(-1, 2, 2)
    assert np.exp(-code_nll(prior, grids)).sum() == pytest.approx(1, abs=1e-5)
    assert code_nll(prior, grids, batch_size=5) == pytest.approx(code_nll(prior, grids))


def test_draws_follow_the_probabilities(prior):
    grids = np.array(list(itertools.product(range(2), repeat=4)), "int32").reshape(-1, 2, 2)
    p = np.exp(-code_nll(prior, grids))
    drawn = sample_codes(prior, 4000, seed=1)
    found = np.bincount(drawn.reshape(-1, 4) @ np.array([8, 4, 2, 1]), minlength=16) / 4000
    assert np.abs(found - p).max() < 4 * np.sqrt(0.25 / 4000)
    np.testing.assert_array_equal(drawn, sample_codes(prior, 4000, seed=1))


def test_a_pattern_is_learned():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 3, (256, 4, 1)).repeat(4, axis=2).astype("int32")  # each row one code
    keras.utils.set_random_seed(0)
    model = pixelcnn((4, 4), 3, width=16, depth=1)
    before = code_nll(model, rows).mean()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(rows, rows, batch_size=32, epochs=8, verbose=0)
    after = code_nll(model, rows).mean()
    # Four free choices of three are 4.39 nats; all sixteen free are 17.6.
    assert 4.39 - 0.1 < after < 6 < before


def test_the_layer_survives_serialisation_and_names_bad_input():
    layer = MaskedConv2D(4, 5, mask_type="A")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    assert tuple(layer.compute_output_shape((None, 4, 4, 2))) == (None, 4, 4, 4)
    with pytest.raises(ValueError, match="kernel_size=4"):
        MaskedConv2D(4, 4)
    with pytest.raises(ValueError, match="mask_type='C'"):
        MaskedConv2D(4, mask_type="C")


@pytest.mark.parametrize(("own", "mask_type"), [(False, "A"), (True, "B")])
def test_a_file_of_the_first_edition_loads(own, mask_type):
    layer = MaskedConv2D(4, 5, mask_type=mask_type)
    old = {**layer.get_config(), "kernel": 5, "own": own}
    del old["kernel_size"], old["mask_type"]
    kept = {"module": "helpers.code_prior", "class_name": "MaskedConv2D", "config": old}
    kept["registered_name"] = "helpers>MaskedConv2D"
    assert keras.saving.deserialize_keras_object(kept).get_config() == layer.get_config()
