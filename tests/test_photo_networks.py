"""helpers.photo_networks: any size, side outputs in training only, bad sizes named."""

import keras
import numpy as np
import pytest

from helpers import photo_networks, pretrained, pyramids

BUILDERS = {"segmenter": {"num_classes": 3}, "edge_network": {}}
MORE = {"segmenter": {"auxiliary": True}, "edge_network": {"sides": True}}


@pytest.mark.parametrize("name", BUILDERS)
def test_photographs_of_several_sizes_are_answered_at_their_own_size_by_one_graph(name):
    network = getattr(photo_networks, name)(**BUILDERS[name])
    images = [np.random.default_rng(0).random((*size, 3)) for size in ((8, 16), (24, 40), (33, 9))]
    found = list(pyramids.predict_full_size(network, images, photo_networks.MULTIPLE))
    for image, answer in zip(images, found, strict=True):
        assert answer.shape == (*image.shape[:2], BUILDERS[name].get("num_classes", 1))
        assert np.isfinite(answer).all() and answer.std() > 0


@pytest.mark.parametrize("name", BUILDERS)
def test_the_outputs_of_training_come_after_the_answer_and_change_none_of_its_weights(name):
    keras.utils.set_random_seed(1)
    trained = getattr(photo_networks, name)(**BUILDERS[name], **MORE[name])
    assert len({tuple(output.shape) for output in trained.outputs}) == 1
    kept = pretrained.build(name, BUILDERS[name])
    answer = keras.Model(trained.input, trained.outputs[0])
    kept.set_weights(answer.get_weights())
    x = np.random.default_rng(0).random((1, 16, 16, 3), "float32")
    got, wanted = (keras.ops.convert_to_numpy(net(x)) for net in (kept, answer))
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


def test_bad_sizes_are_named():
    with pytest.raises(ValueError, match=r"three numbers. Received: \(4, 6\)"):
        photo_networks.segmenter(3, widths=(4, 6))
    with pytest.raises(ValueError, match="four numbers each"):
        photo_networks.edge_network(widths=(4, 6, 8))
