"""Compared networks share everything but their first weights, and can be encoders of a VAE."""

import re

import keras
import numpy as np
import pytest
import small_segmenters
from keras import layers
from small_segmenters import SEGMENTERS, built

from helpers import losses, pyramids, segmentation, training
from helpers.experiments import pretraining

SIZE = 8


def network(seed):
    keras.utils.set_random_seed(seed)
    encoder, decoder = pyramids.pyramid_networks((SIZE, SIZE, 3), 2, (4, 4), (1, 1), (2, 2))
    return encoder, decoder, pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), 2)


def joint(encoder, decoder, head):
    picture = decoder(layers.Identity()(encoder.outputs[0]))
    model = keras.Model(encoder.input, {"labels": head.output, "picture": picture})
    cross_entropy = segmentation.PixelCrossEntropy(2)
    return model, {"labels": cross_entropy, "picture": lambda x, r: losses.gaussian_nll(x, r, 0.0)}


@pytest.fixture(scope="module")
def family():
    images = np.random.default_rng(0).random((12, SIZE, SIZE, 3), "float32")
    loss = segmentation.PixelCrossEntropy(2)
    # More steps than `backend.compile_options` takes without a graph, because notebooks take more, too.
    steps = {"steps": 12}
    return pretraining.PretrainingComparison(
        network, joint, loss, images, 0.1, steps, **steps, batch_size=4, learning_rate=1e-3
    )


def masks(images):
    return (images.mean(axis=-1) > 0.5).astype("uint8")


def test_every_initialisation_trains_and_the_same_seed_gives_the_same(family):
    x = family.images[:6]
    for initialisation in pretraining.INITIALISATIONS:
        one, two = (family.train(initialisation, x, masks(x), 1).get_weights() for _ in range(2))
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(one, two)), initialisation


def test_the_frozen_encoder_stays_and_the_other_moves(family):
    x, fresh = family.images[:6], network(3)[0].get_weights()
    for initialisation, moves in (("random", True), ("random, frozen", False)):
        family.train(initialisation, x, masks(x), 3)
        nets = family.full if initialisation == "random" else family.frozen
        same = all(np.array_equal(a, b) for a, b in zip(nets[0].get_weights(), fresh))
        assert same is not moves


def test_pretraining_moves_the_encoder_and_starts_differ(family):
    starts = {k: family.pretrained(k, 2)[0] for k in ("random", "autoencoder", "denoising", "VAE")}
    flat = {k: np.concatenate([w.ravel() for w in v]) for k, v in starts.items()}
    kinds = list(flat)
    for i, a in enumerate(kinds):
        for b in kinds[i + 1 :]:
            assert np.abs(flat[a] - flat[b]).max() > 1e-6


def test_heads_start_alike_in_all(family):
    heads = [family.pretrained(k, 2)[2] for k in ("random", "VAE")]
    assert all(np.array_equal(a, b) for a, b in zip(*heads))


def test_any_start_can_be_frozen(family):
    x = family.images[:6]
    start = family.pretrained("VAE", 4)[0]
    family.train("VAE, frozen", x, masks(x), 4)
    assert all(np.array_equal(a, b) for a, b in zip(family.frozen[0].get_weights(), start))


@pytest.mark.parametrize(
    "initialisation", ["GAN", "GAN, frozen", "VAE + term, frozen", "VAE, frozen still"]
)
def test_an_unknown_initialisation_is_named(family, initialisation):
    with pytest.raises(ValueError, match=f"initialisation='{re.escape(initialisation)}'"):
        family.train(initialisation, family.images, masks(family.images), 0)


# What is trained on what, without a training ---------------------------------------------


@pytest.fixture
def told(family, monkeypatch):
    """Notes what `train` is asked for, instead of training; no weights are kept from before."""
    calls = []

    def learn(model, x, y, loss, **options):
        calls.append((model, x, y, loss, options))
        # A step that moves every weight by one.
        model.set_weights([weight + 1 for weight in model.get_weights()])

    monkeypatch.setattr(training, "train", learn)
    monkeypatch.setattr(family, "initial_weights", {})
    monkeypatch.setattr(family, "pretraining", {"steps": 7, "learning_rate": 0.5})
    return calls


LATER = {"steps": 12, "batch_size": 4, "learning_rate": 1e-3, "seed": 5}
EARLIER = {**LATER, "steps": 7, "learning_rate": 0.5}


@pytest.mark.parametrize(
    "initialisation", [*pretraining.INITIALISATIONS, "autoencoder, frozen", "VAE, frozen"]
)
def test_what_each_initialisation_learns(family, told, initialisation):
    x = family.images[:6]
    model = family.train(initialisation, x, masks(x), 5)
    *before, (trained, seen, target, loss, options) = told
    assert seen is x and options == LATER
    nets = family.frozen if initialisation.endswith("frozen") else family.full
    if initialisation == "VAE + term":
        assert trained is family.joint and model is family.both[2]
        assert target.keys() == {"labels", "picture"} and target["picture"] is x
        np.testing.assert_array_equal(target["labels"], masks(x))
        assert loss is family.joint_loss
    else:
        assert trained is model is nets[2] and loss is family.loss
        np.testing.assert_array_equal(target, masks(x))
    if initialisation.startswith("random"):
        assert before == []
        return
    ((pretrained, seen, target, loss, options),) = before
    assert options == EARLIER
    if initialisation.startswith("VAE"):
        assert (pretrained, target, loss) == (family.vae, None, None) and seen is family.images
    else:
        assert pretrained is family.autoencoder and target is family.images and loss == "mse"
        assert (seen is family.images) == initialisation.startswith("autoencoder")


def test_a_start_is_made_once_for_a_seed(family, told):
    x = family.images[:6]
    for initialisation in ("VAE", "VAE, frozen", "VAE + term"):
        family.train(initialisation, x, masks(x), 5)
    assert [call[0] for call in told].count(family.vae) == 1
    assert set(family.initial_weights) == {("VAE", 5)}
    family.pretrained("random", 5)
    assert set(family.initial_weights) == {("VAE", 5), ("random", 5)}
    family.pretrained("autoencoder", 6)  # those of another seed are not asked for again
    assert set(family.initial_weights) == {("autoencoder", 6)}


def test_a_head_starts_fresh_on_the_pretrained_encoder(family, told):
    fresh = [net.get_weights() for net in network(5)]
    encoder, decoder, head = family.pretrained("autoencoder", 5)
    for trained, weights in ((encoder, fresh[0]), (decoder, fresh[1])):
        moved = [np.abs(a - b).max() for a, b in zip(trained, weights, strict=True)]
        # The encoder's head for log σ² is not used, so it stays.
        assert set(np.round(moved, 4)) <= {0.0, 1.0} and moved[0] > 0.9
    for a, b in zip(head, fresh[2], strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_noise_of_the_denoising_start(family, monkeypatch):
    monkeypatch.setattr(family, "images", np.full((50, SIZE, SIZE, 3), 0.5, "float32"))
    noisy = family._noisy(0)
    assert noisy.dtype == np.float32 and noisy.shape == family.images.shape
    assert noisy.std() == pytest.approx(0.1, rel=0.05) and noisy.mean() == pytest.approx(
        0.5, abs=0.01
    )
    np.testing.assert_array_equal(noisy, family._noisy(0))
    assert (noisy != family._noisy(1)).any()
    monkeypatch.setattr(family, "noise", 2.0)
    loud = family._noisy(0)
    assert loud.min() == 0 and loud.max() == 1
    assert family.vae.sigma == 0.1 and family.vae.likelihood == "gaussian"


def test_pretraining_is_as_long_as_training_unless_told_otherwise(family, told):
    loss, options = family.loss, {"steps": 12, "batch_size": 4, "learning_rate": 1e-3}
    plain = pretraining.PretrainingComparison(network, joint, loss, family.images, 0.3, **options)
    assert plain.noise == 0.1 and plain.vae.sigma == 0.3
    assert not plain.frozen[0].trainable and plain.full[0].trainable and plain.both[0].trainable
    plain.train("VAE", family.images, masks(family.images), 5)
    assert [call[-1] for call in told] == [LATER, LATER]


# Any network as an encoder ----------------------------------------------------------------


@pytest.mark.parametrize("name", SEGMENTERS)
def test_the_body_can_end_in_a_code(name):
    image, features, model = built(SEGMENTERS[name])
    encoder = pretraining.with_code(image, features, latent=5, factor=4)
    assert [tuple(t.shape) for t in encoder.outputs] == [(None, 4, 4, 5)] * 2
    shared = {id(w) for w in encoder.weights} & {id(w) for w in model.weights}
    assert len(shared) > 5
    log_variance = encoder(np.zeros((1, 16, 16, 3)))[1]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(log_variance), -3)


def test_features_off_the_grid_are_named():
    image, features, _ = built(small_segmenters.fcn)
    with pytest.raises(ValueError, match=r"2 times coarser.*\(None, 4, 4, 6\)"):
        pretraining.with_code(image, features, factor=2)


def test_the_joint_loss_is_the_sum_of_its_parts():
    image, features, head = built(small_segmenters.fcn)
    encoder = pretraining.with_code(image, features, 2, 4)
    z = keras.Input((4, 4, 2))
    decoder = keras.Model(z, layers.UpSampling2D(4)(layers.Conv2D(3, 1)(z)))
    loss, weight, sigma = segmentation.PixelCrossEntropy(4), 0.5, 0.1
    model, parts = pretraining.joint(encoder, decoder, head, loss, weight, sigma, 0)
    # Nearly no noise, so that the sample is the mean.
    encoder.get_layer("log_variance").set_weights([np.zeros((1, 1, 6, 2)), np.full(2, -30.0)])
    model.compile("sgd", parts, run_eagerly=True)
    rng = np.random.default_rng(0)
    x = rng.random((3, 16, 16, 3)).astype("float32")
    masks = rng.integers(0, 4, (3, 16, 16))
    found = model.evaluate(x, {"labels": masks, "picture": x}, batch_size=3, verbose=0)
    mean, log_variance = encoder(x)
    nats = losses.gaussian_nll(x, decoder(mean), np.log(sigma))
    nats = float(keras.ops.mean(nats + losses.gaussian_kl(mean, log_variance)))
    expected = float(loss(masks, head(x))) + weight * nats / 16**2
    total = found[0] if isinstance(found, list) else found
    assert total == pytest.approx(expected, rel=1e-4)


def test_a_network_repeats_with_its_seed():
    build, plan = small_segmenters.fcn, ((4, 4), (1, 1), (2, 2))
    one, two, other = (pretraining.network(build, (16, 16, 3), 2, s, plan) for s in (1, 1, 2))
    encoder, decoder, head = one
    assert decoder.input_shape == (None, 4, 4, 2) and encoder.outputs[0].shape == (None, 4, 4, 2)
    assert decoder.output_shape == (None, 16, 16, 3)
    assert head.output_shape == (None, 16, 16, 4)
    for a, b, c in zip(one, two, other):
        assert all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights()))
        assert not all(np.array_equal(v, w) for v, w in zip(a.get_weights(), c.get_weights()))
