"""Pyramids: shapes and names, heads that share the encoder's layers, and images of any size."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import pyramids
from helpers.models import VAE
from helpers.pyramids import at_size, levels, predict_full_size, pyramid_networks, segmentation_head
from helpers.segmentation import PixelCrossEntropy

RNG = np.random.default_rng(0)
SMALL = {"widths": (4, 6), "depths": (1, 1), "patches": (2, 2)}
X = RNG.random((3, 16, 16, 3)).astype("float32")


def networks(shape=(16, 16, 3), latent=2, **options):
    keras.utils.set_random_seed(1)
    return pyramid_networks(shape, latent, **{**SMALL, **options})


def settled(model, x=X):
    """Gives all BatchNorm layers statistics of their own, so that a lost one shows."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            for variable in layer.weights:
                variable.assign(RNG.uniform(0.5, 1.5, variable.shape))
    return model


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def weights_of(model):
    return [np.array(w) for w in model.get_weights()]


def changed(before, model):
    return [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]


# Networks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patches", "depths", "sizes"),
    [
        ((2, 2, 2), (1, 0, 2), [(8, 12), (4, 6), (2, 3)]),
        ((1, 2, 2), (2, 1, 1), [(16, 24), (8, 12), (4, 6)]),
        ((2, 1, 4), (0, 1, 1), [(8, 12), (8, 12), (2, 3)]),
    ],
)
def test_shapes_and_names_of_levels(patches, depths, sizes):
    options = {"widths": (4, 6, 8), "depths": depths, "patches": patches}
    encoder, decoder = pyramid_networks((16, 24, 3), 5, **options)
    found = levels(encoder)
    assert [tuple(t.shape[1:]) for t in found] == [(*s, c) for s, c in zip(sizes, (4, 6, 8))]
    assert [encoder.get_layer(f"level_{i}").output is t for i, t in enumerate(found)] == [True] * 3
    assert [t.shape[1:] for t in levels(decoder)] == [t.shape[1:] for t in found]
    assert [tuple(t.shape) for t in encoder.outputs] == [(None, *sizes[-1], 5)] * 2
    assert list(encoder.output_names) == ["mean", "log_variance"]
    assert decoder.input_shape == (None, *sizes[-1], 5)
    assert decoder.output_shape == (None, 16, 24, 3)
    convolutions = [a for a in encoder.layers if isinstance(a, layers.Conv2D)]
    shrinking = sum(patch > 1 for patch in patches)
    assert len(convolutions) == sum(depths) + shrinking + 2  # and the two heads
    head = segmentation_head(encoder.input, found, 7)
    assert head.output_shape == (None, 16, 24, 7)
    assert numpy(head(np.zeros((2, 16, 24, 3)))).shape == (2, 16, 24, 7)


@pytest.mark.parametrize("latent", [2, (7,)])
def test_without_batch_normalisation_no_picture_sees_another(latent):
    encoder, decoder = networks(latent=latent, batch_norm=False)
    mean = numpy(encoder(X, training=True)[0])
    alone = numpy(encoder(X[:1], training=True)[0])
    assert np.allclose(mean[:1], alone, atol=1e-5)
    pictures = numpy(decoder(mean, training=True))
    assert np.allclose(pictures[:1], numpy(decoder(mean[:1], training=True)), atol=1e-5)
    kinds = {type(layer) for layer in [*encoder.layers, *decoder.layers]}
    assert layers.BatchNormalization not in kinds and layers.Add in kinds


def test_residual_networks_have_the_same_levels_at_any_size():
    wide = {"widths": (4, 6, 8), "depths": (1, 0, 2), "patches": (2, 2, 1)}
    pair = pyramid_networks((16, 16, 3), 5, **wide, batch_norm=False)
    usual = pyramid_networks((16, 16, 3), 5, **wide)
    assert [t.shape for t in levels(pair[0])] == [t.shape for t in levels(usual[0])]
    assert pair[1].output_shape == usual[1].output_shape == (None, 16, 16, 3)
    anywhere = at_size(pair[0], (None, None, 3))
    assert np.allclose(numpy(anywhere(X)[0]), numpy(pair[0](X)[0]), atol=1e-5)
    assert numpy(anywhere(np.zeros((1, 32, 24, 3)))[0]).shape == (1, 8, 6, 5)


def test_a_vector_latent():
    encoder, decoder = networks(latent=(7,))
    assert [t.shape[1:] for t in encoder.outputs] == [(7,)] * 2
    assert decoder.input_shape == (None, 7) and decoder.output_shape == (None, 16, 16, 3)
    assert segmentation_head(encoder.input, levels(encoder), 2).output_shape == (None, 16, 16, 2)
    with pytest.raises(ValueError, match=r"vector in its middle.*Received: image_shape=\(32, 32"):
        at_size(encoder, (32, 32, 3))


def test_the_posterior_starts_nearly_certain():
    encoder, _ = networks()
    np.testing.assert_allclose(numpy(encoder(X)[1]), -3)


def test_grey_images_and_any_size():
    encoder, decoder = networks((None, None, 1))
    mean, _ = encoder(np.zeros((1, 20, 12, 1)))
    assert mean.shape == (1, 5, 3, 2) and decoder(mean).shape == (1, 20, 12, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: networks((18, 16, 3)), r"multiples of 4.*image_shape=\(18, 16, 3\)"),
        (lambda: networks((16, None, 3), patches=(3, 2)), r"multiples of 6"),
        (lambda: networks(widths=(4,)), r"one entry a level. Received: \(4,\), \(1, 1\), \(2, 2\)"),
        (lambda: networks(widths=(), depths=(), patches=()), "one entry a level"),
        (lambda: networks(depths=(1, 0), patches=(2, 1)), "neither shrinks nor convolves"),
        (lambda: networks(latent=(4, 4, 8)), r"\(K,\)` for a vector.*latent=\(4, 4, 8\)"),
        (lambda: networks((None, None, 3), latent=(4,)), "needs the size of the images"),
        (
            lambda: levels(keras.Sequential(name="plain")),
            r"build it with `pyramid_networks`.*plain",
        ),
        (lambda: segmentation_head(networks()[0].input, [], 2), "at least one tensor"),
        (
            lambda: segmentation_head(
                (e := networks((12, 12, 3), widths=(4, 4), patches=(2, 3))[0]).input, levels(e), 2
            ),
            r"times 1, 2, 4, .*Received: \(None, 6, 6, 4\) above \(None, 2, 2, 4\)",
        ),
        (
            lambda: segmentation_head((e := networks()[0]).input, levels(e)[::-1], 2),
            r"times 1, 2, 4, .*\(None, 4, 4, 6\) above \(None, 8, 8, 4\)",
        ),
        (
            lambda: segmentation_head((e := networks((None, None, 3))[0]).input, levels(e), 2),
            r"build it on crops of one size, then `at_size",
        ),
    ],
)
def test_bad_networks_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# Heads ----------------------------------------------------------------------------------


def train(head, steps=1):
    head.compile("adam", loss=PixelCrossEntropy(2), run_eagerly=True)  # tracing takes longer
    head.fit(X, (X[..., 0] > 0.5).astype(int), batch_size=3, epochs=steps, verbose=0)


def test_training_a_head_trains_the_encoder_that_it_borrows():
    encoder, _ = networks()
    head = segmentation_head(encoder.input, levels(encoder), 2)
    assert encoder.get_layer("level_0") in head.layers
    before, names = weights_of(encoder), [w.path for w in encoder.weights]
    train(head)
    # All but the two heads of the VAE, that no level depends on.
    expected = ["mean/" not in n and "log_variance/" not in n for n in names]
    assert changed(before, encoder) == expected and sum(expected) > 10


def test_a_frozen_encoder_stays_with_its_statistics():
    encoder = settled(networks()[0])
    encoder.trainable = False
    head = segmentation_head(encoder.input, levels(encoder), 2)
    before, features = weights_of(encoder), numpy(encoder(X)[0])
    start = weights_of(head)
    train(head, 2)
    assert not any(changed(before, encoder)) and any(changed(start, head))
    np.testing.assert_array_equal(numpy(encoder(X, training=True)[0]), features)
    # Free, only the statistics of BatchNorm would move without a step of the optimizer.
    encoder.trainable = True
    encoder(X, training=True)
    assert any(changed(before, encoder))


@pytest.mark.parametrize("chosen", ["levels", "coarsest", "mean", "decoder", "same resolution"])
def test_a_head_reads_any_features(chosen):
    encoder, decoder = networks(patches=(2, 1) if chosen == "same resolution" else (2, 2))
    image = encoder.input
    features = {
        "levels": lambda: levels(encoder),
        "coarsest": lambda: levels(encoder)[-1:],
        "mean": lambda: [encoder.outputs[0]],
        "decoder": lambda: [decoder(encoder.outputs[0])],
        "same resolution": lambda: levels(encoder),
    }[chosen]()
    head = settled(segmentation_head(image, features, 5))
    assert head.output_shape == (None, 16, 16, 5)
    everywhere = at_size(head, (None, None, 3))
    np.testing.assert_allclose(numpy(everywhere(X)), numpy(head(X)), atol=1e-5)
    assert everywhere(np.zeros((1, 24, 32, 3))).shape == (1, 24, 32, 5)


@pytest.mark.parametrize("patch", [1, 2, 4, 8])
def test_a_head_unfolds_to_the_image_from_any_first_patch(patch):
    encoder, _ = networks(widths=(4,), depths=(1,), patches=(patch,))
    head = segmentation_head(encoder.input, levels(encoder), 1)
    assert head.output_shape == (None, 16, 16, 1)
    # Each pixel depends on the image around it.
    other = X.copy()
    other[:, :, 8:] = 1 - other[:, :, 8:]
    moved = np.abs(numpy(head(X)) - numpy(head(other))).max(axis=(0, 1, 3))
    assert (moved[8:] > 0).all() and (patch > 2 or (moved[:4] == 0).all())


# Sizes ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def head():
    encoder = networks()[0]
    return settled(segmentation_head(encoder.input, levels(encoder), 2))


def test_at_size_is_the_same_network_and_independent(head):
    copy = at_size(head, (None, None, 3))
    assert copy.input_shape == (None, None, None, 3) and copy.name == head.name
    np.testing.assert_allclose(numpy(copy(X)), numpy(head(X)), atol=1e-5)
    before = weights_of(head)
    copy(X, training=True)  # moves statistics
    copy.trainable_weights[0].assign_add(1 + 0 * copy.trainable_weights[0])
    assert not any(changed(before, head)) and changed(before, copy)[0]


def test_at_size_of_a_trained_head_and_of_both_outputs():
    encoder, decoder = networks()
    head = segmentation_head(encoder.input, levels(encoder), 2)
    head.compile("adam", loss=PixelCrossEntropy(2))
    copy = at_size(head, (32, 16, 3))
    assert copy.output_shape == (None, 32, 16, 2) and not copy.compiled
    np.testing.assert_allclose(numpy(at_size(head, (16, 16, 3))(X)), numpy(head(X)), atol=1e-5)
    wide = at_size(settled(encoder), (None, None, 3))
    for a, b in zip(wide(X), encoder(X), strict=True):
        np.testing.assert_allclose(numpy(a), numpy(b), atol=1e-5)
    assert at_size(decoder, (8, 4, 2)).output_shape == (None, 32, 16, 3)
    for model, size in ((head, (30, 31, 3)), (encoder, (16, 18, 3)), (encoder, (17, 16, 3))):
        with pytest.raises(ValueError, match=r"multiples of what .*patches shrink"):
            at_size(model, size)


def test_whole_images_equals_a_direct_call_where_sizes_fit(head):
    model = at_size(head, (None, None, 3))
    images = [X[0], RNG.random((24, 16, 3)).astype("float32")]
    for image, output in zip(images, predict_full_size(model, images, 4), strict=True):
        np.testing.assert_allclose(output, numpy(model(image[None]))[0], atol=1e-5)
    bytes_ = np.round(255 * X).astype("uint8")
    (output,) = predict_full_size(model, bytes_[:1], 4)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, numpy(head(bytes_[:1] / np.float32(255)))[0], atol=1e-5)


def test_whole_images_of_odd_sizes_are_mirrored_at_their_ends(head):
    model = at_size(head, (None, None, 3))
    images = [RNG.random((h, w, 3)).astype("float32") for h, w in [(13, 18), (18, 13), (1, 3)]]
    for image, output in zip(images, predict_full_size(model, images, 4), strict=True):
        assert output.shape == (*image.shape[:2], 2)
        rows, columns = (-image.shape[i] % 4 for i in (0, 1))
        padded = np.pad(image, [(0, rows), (0, columns), (0, 0)], mode="symmetric")
        expected = numpy(model(padded[None]))[0, : image.shape[0], : image.shape[1]]
        np.testing.assert_allclose(output, expected, atol=1e-5)


def test_whole_images_does_not_move_statistics(head):
    model = at_size(head, (None, None, 3))
    before = weights_of(model)
    list(predict_full_size(model, [np.ones((9, 9, 3), "uint8")], 4))
    assert not any(changed(before, model))


def test_whole_images_refuses(head):
    with pytest.raises(ValueError, match=r"each image must be \(H, W, C\).*\(16, 16\)"):
        list(predict_full_size(head, [np.zeros((16, 16), "uint8")]))
    with pytest.raises(ValueError, match=r"\(16, 16, 3\) only; `at_size.*Received: 20×20"):
        list(predict_full_size(head, [np.zeros((20, 20, 3), "uint8")], 4))


# In a VAE -------------------------------------------------------------------------------


@pytest.mark.parametrize("latent", [2, (5,)])
def test_a_vae_with_a_pyramid_comes_back_from_a_file(latent, tmp_path):
    vae = VAE(*networks(latent=latent), likelihood="gaussian", seed=0)
    settled(vae.encoder), settled(vae.decoder)
    vae.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
    before = numpy(vae(X))
    vae.fit(X, batch_size=3, verbose=0)
    assert np.abs(numpy(vae(X)) - before).max() > 1e-3
    vae.save(tmp_path / "vae.keras")
    back = keras.models.load_model(tmp_path / "vae.keras")
    back.run_eagerly = True
    np.testing.assert_allclose(back.predict(X, verbose=0), numpy(vae(X)), atol=1e-5)
    names = [tuple(t.shape) for t in levels(back.encoder)]
    assert names == [tuple(t.shape) for t in levels(vae.encoder)]
    # What was loaded still lends its features.
    head = segmentation_head(back.encoder.input, levels(back.encoder), 2)
    assert numpy(head(X)).shape == (3, 16, 16, 2)


def test_logits_are_never_in_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        encoder, _ = pyramids.pyramid_networks((16, 16, 3), 2, (4, 4), (1, 1), (2, 2))
        head = pyramids.segmentation_head(encoder.input, pyramids.levels(encoder), 3)
    finally:
        keras.config.set_dtype_policy("float32")
    logits = head(np.zeros((1, 16, 16, 3), "float32"))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert encoder.layers[1].compute_dtype == "bfloat16"


def test_a_network_that_diverged_has_no_outputs():
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 1)])
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(
        FloatingPointError, match=r"192 of 192 outputs are NaN .* lower its learning"
    ):
        next(predict_full_size(model, [np.zeros((8, 12, 3))], 4))
