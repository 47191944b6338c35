"""Twins share everything but their start."""

import re

import keras
import numpy as np
import pytest
from keras import layers

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


def test_every_arm_trains_and_the_same_seed_gives_the_same(family):
    x = family.images[:6]
    for arm in pretraining.INITIALISATIONS:
        one, two = (family.train(arm, x, masks(x), 1).get_weights() for _ in range(2))
        assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(one, two)), arm


def test_the_frozen_encoder_stays_and_the_other_moves(family):
    x, fresh = family.images[:6], network(3)[0].get_weights()
    for arm, moves in (("random", True), ("random, frozen", False)):
        family.train(arm, x, masks(x), 3)
        nets = family.full if arm == "random" else family.frozen
        same = all(np.array_equal(a, b) for a, b in zip(nets[0].get_weights(), fresh))
        assert same is not moves


def test_pretraining_moves_the_encoder_and_starts_differ(family):
    starts = {k: family.pretrained(k, 2)[0] for k in ("random", "autoencoder", "denoising", "VAE")}
    flat = {k: np.concatenate([w.ravel() for w in v]) for k, v in starts.items()}
    kinds = list(flat)
    for i, a in enumerate(kinds):
        for b in kinds[i + 1 :]:
            assert np.abs(flat[a] - flat[b]).max() > 1e-6


def test_heads_start_alike_in_all_arms(family):
    heads = [family.pretrained(k, 2)[2] for k in ("random", "VAE")]
    assert all(np.array_equal(a, b) for a, b in zip(*heads))


def test_any_start_can_be_frozen(family):
    x = family.images[:6]
    start = family.pretrained("VAE", 4)[0]
    family.train("VAE, frozen", x, masks(x), 4)
    assert all(np.array_equal(a, b) for a, b in zip(family.frozen[0].get_weights(), start))


@pytest.mark.parametrize("arm", ["GAN", "GAN, frozen", "VAE + term, frozen", "VAE, frozen still"])
def test_an_unknown_arm_is_named(family, arm):
    with pytest.raises(ValueError, match=f"arm='{re.escape(arm)}'"):
        family.train(arm, family.images, masks(family.images), 0)


@pytest.mark.parametrize(("count", "steps"), [(3, 18), (12, 18), (40, 2)])
def test_few_and_many_images_get_as_many_steps(count, steps):
    class Count(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            Count.steps += 1

    image = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(image, layers.Conv2D(2, 1)(image))
    model.compile("adam", segmentation.PixelCrossEntropy(2), jit_compile=False)
    fit = model.fit
    model.fit = lambda *a, callbacks=(), **k: fit(*a, callbacks=[*callbacks, Count()], **k)
    x = np.zeros((count, SIZE, SIZE, 3), "float32")
    training.train(model, x, masks(x), steps=steps, batch_size=4, learning_rate=1e-3, seed=0)
    assert Count.steps == steps


# What is trained on what, without a training ---------------------------------------------


@pytest.fixture
def told(family, monkeypatch):
    """Notes what `learn` is asked for, instead of training; no start is kept from before."""
    calls = []

    def learn(model, x, y, loss, **options):
        calls.append((model, x, y, loss, options))
        # A step that moves every weight by one.
        model.set_weights([weight + 1 for weight in model.get_weights()])

    monkeypatch.setattr(training, "train", learn)
    monkeypatch.setattr(family, "starts", {})
    monkeypatch.setattr(family, "pretraining", {"steps": 7, "learning_rate": 0.5})
    return calls


LATER = {"steps": 12, "batch_size": 4, "learning_rate": 1e-3, "seed": 5}
EARLIER = {**LATER, "steps": 7, "learning_rate": 0.5}


@pytest.mark.parametrize(
    "arm", [*pretraining.INITIALISATIONS, "autoencoder, frozen", "VAE, frozen"]
)
def test_what_each_arm_learns(family, told, arm):
    x = family.images[:6]
    model = family.train(arm, x, masks(x), 5)
    *before, (trained, seen, target, loss, options) = told
    assert seen is x and options == LATER
    nets = family.frozen if arm.endswith("frozen") else family.full
    if arm == "VAE + term":
        assert trained is family.joint and model is family.both[2]
        assert target.keys() == {"labels", "picture"} and target["picture"] is x
        np.testing.assert_array_equal(target["labels"], masks(x))
        assert loss is family.joint_loss
    else:
        assert trained is model is nets[2] and loss is family.loss
        np.testing.assert_array_equal(target, masks(x))
    if arm.startswith("random"):
        assert before == []
        return
    ((pretrained, seen, target, loss, options),) = before
    assert options == EARLIER
    if arm.startswith("VAE"):
        assert (pretrained, target, loss) == (family.vae, None, None) and seen is family.images
    else:
        assert pretrained is family.auto and target is family.images and loss == "mse"
        assert (seen is family.images) == arm.startswith("autoencoder")


def test_a_start_is_made_once_for_a_seed(family, told):
    x = family.images[:6]
    for arm in ("VAE", "VAE, frozen", "VAE + term"):
        family.train(arm, x, masks(x), 5)
    assert [call[0] for call in told].count(family.vae) == 1
    assert set(family.starts) == {("VAE", 5)}
    family.pretrained("random", 5)
    assert set(family.starts) == {("VAE", 5), ("random", 5)}
    family.pretrained("autoencoder", 6)  # those of another seed are not asked for again
    assert set(family.starts) == {("autoencoder", 6)}


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


@pytest.mark.parametrize(
    ("count", "steps", "length"),
    [(3, 18, 12), (12, 18, 12), (20, 18, 20), (40, 2, 8), (3, 600, 400)],
)
def test_a_pass_is_a_sixth_of_the_steps_or_all_images(monkeypatch, count, steps, length):
    asked = {}

    def fit_steps(model, x, *args, **options):
        asked.update(x=x, args=args, **options)

    monkeypatch.setattr(training, "fit_steps", fit_steps)
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1), layers.Dropout(0.5)])
    x = np.arange(count, dtype="float32")[:, None]
    targets = {"a": x * 2, "b": [x + 1]}
    options = {"steps": steps, "batch_size": 4, "learning_rate": 0.25}
    assert training.train(model, x, targets, "mse", **options, seed=9) is model
    assert asked["args"] == (steps, 4, 0.25) and asked["seed"] == 9
    order = asked["x"][:, 0].astype(int)
    assert len(order) == length
    assert np.ptp(np.bincount(order, minlength=count)) <= 1  # each as often as the others
    assert len(set(order[:count])) == min(count, length) and list(order) != sorted(order)
    np.testing.assert_array_equal(asked["y"]["a"], asked["x"] * 2)
    np.testing.assert_array_equal(asked["y"]["b"][0], asked["x"] + 1)
    assert model.loss == "mse" and isinstance(model.optimizer, keras.optimizers.Adam)
    (state,) = [v for v in model.variables if v.name == "seed_generator_state"]
    assert keras.ops.convert_to_numpy(state.value).tolist() == [9, 0]
    optimizer = model.optimizer
    training.train(model, x, **options, seed=9)
    assert asked["y"] is None and model.optimizer is optimizer  # compiled once
    np.testing.assert_array_equal(asked["x"][:, 0], order)
    training.train(model, x, **options, seed=8)
    assert (asked["x"][:, 0] != order).any()
