"""Twins share everything but their start."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from helpers import losses, pixel_losses, pyramids, twins

SIZE = 8


def network(seed):
    keras.utils.set_random_seed(seed)
    encoder, decoder = pyramids.pyramid_networks((SIZE, SIZE, 3), 2, (4, 4), (1, 1), (2, 2))
    return encoder, decoder, pyramids.pixel_head(encoder.input, pyramids.levels(encoder), 2)


def joint(encoder, decoder, head):
    picture = decoder(layers.Identity()(encoder.outputs[0]))
    model = keras.Model(encoder.input, {"labels": head.output, "picture": picture})
    cross_entropy = pixel_losses.PixelCrossEntropy(2)
    return model, {"labels": cross_entropy, "picture": lambda x, r: losses.gaussian_nll(x, r, 0.0)}


@pytest.fixture(scope="module")
def family():
    images = np.random.default_rng(0).random((12, SIZE, SIZE, 3), "float32")
    loss = pixel_losses.PixelCrossEntropy(2)
    # More steps than `training.pace` takes without a graph, because notebooks take more, too.
    steps = {"steps": 12}
    return twins.Twins(network, joint, loss, images, 0.1, steps, **steps, batch=4, rate=1e-3)


def masks(images):
    return (images.mean(axis=-1) > 0.5).astype("uint8")


def test_every_arm_trains_and_the_same_seed_gives_the_same(family):
    x = family.images[:6]
    for arm in twins.ARMS:
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
    model.compile("adam", pixel_losses.PixelCrossEntropy(2), jit_compile=False)
    fit = model.fit
    model.fit = lambda *a, callbacks=(), **k: fit(*a, callbacks=[*callbacks, Count()], **k)
    x = np.zeros((count, SIZE, SIZE, 3), "float32")
    twins.learn(model, x, masks(x), steps=steps, batch=4, rate=1e-3, seed=0)
    assert Count.steps == steps
