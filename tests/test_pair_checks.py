"""Networks that make no VAE are refused at construction, with what to do."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from helpers import models, networks, pyramids

IMAGE, K = (4, 4, 1), 3


def encoder(num_classes=2, image=IMAGE, k=K):
    x = keras.Input(image)
    h = layers.Flatten()(x) if None not in image else layers.GlobalAveragePooling2D()(x)
    heads = [layers.Dense(k)(h) for _ in range(num_classes)]
    return keras.Model(x, heads if num_classes > 1 else heads[0])


def decoder(*ends, activation=None, shape=IMAGE, k=K):
    z = keras.Input((k,))
    h = layers.Dense(int(np.prod(shape)), activation=activation)(z)
    for end in (layers.Reshape(shape), *ends):
        h = end(h)
    return keras.Model(z, h)


def vae(first=None, second=None, likelihood="bernoulli"):
    return models.VAE(first or encoder(), second or decoder(), likelihood=likelihood)


def conditional():
    x, label = keras.Input(IMAGE), keras.Input((2,))
    h = layers.Concatenate()([layers.Flatten()(x), label])
    return keras.Model([x, label], [layers.Dense(K)(h) for _ in range(2)])


def named(net):
    return keras.Model(net.inputs[0], {f"out_{i}": t for i, t in enumerate(net.outputs)})


def listed(net):
    return keras.Model(net.inputs[0], list(net.outputs))


class Own(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vae(encoder(3)), r"\[mean, log σ², z\].*outputs\[:2\].*Received: 3 output"),
        (lambda: vae(encoder(1)), "two outputs.*Received: 1 output"),
        (lambda: vae(conditional()), "encoder must have one input.*Received: 2 inputs"),
        (lambda: vae(None, conditional()), "decoder must have one input.*Received: 2 inputs"),
        (lambda: vae(named(encoder())), "encoder must return a list.*Received: a dict"),
        (lambda: vae(None, named(decoder())), "decoder must return one tensor.*Received: a dict"),
        (lambda: vae(None, listed(decoder())), "decoder must return one tensor.*Received: a list"),
        (lambda: vae(encoder(k=2)), "must take what the encoder gives"),
        (lambda: vae(None, decoder(shape=(4, 4, 2))), r"\(None, 4, 4, 1\).*\(None, 4, 4, 2\)"),
        (lambda: vae(None, decoder(shape=(16,))), r"one number for each value.*\(None, 16\)"),
        (lambda: vae(encoder(image=(None, None, 1))), "size of images and latent must be known"),
        (lambda: vae(Own()), r"keras.Model\(inputs, outputs\).*Received: Own"),
        (lambda: vae(None, keras.Sequential([layers.Dense(16)])), "starts with keras.Input"),
        (lambda: vae(None, ops.sigmoid), "the decoder must be a keras.Model"),
        (lambda: vae(*pyramids.pyramid_networks((None, None, 3), 4)), "size of images"),
    ],
)
def test_networks_that_are_no_pair_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_mend_for_three_outputs_is_right():
    three = encoder(3)
    two = keras.Model(three.input, three.outputs[:2])
    assert vae(two).encode(np.zeros((2, *IMAGE)))[1].shape == (2, K)


def nested():
    inner = decoder(activation="sigmoid")
    z = keras.Input((K,))
    return keras.Model(z, layers.Identity()(inner(z)))


ENDS = {
    "in the last layer": lambda: decoder(activation="sigmoid"),
    "a function": lambda: decoder(activation=keras.activations.sigmoid),
    "its own layer": lambda: decoder(layers.Activation("sigmoid")),
    "before others that move": lambda: decoder(
        layers.Activation("sigmoid"), layers.Permute((2, 1, 3)), layers.Dropout(0.1)
    ),
    "a convolution": lambda: decoder(layers.Conv2D(1, 3, padding="same", activation="sigmoid")),
    "of ops": lambda: decoder(ops.sigmoid, lambda h: ops.reshape(h, (-1, *IMAGE))),
    "in a network inside": nested,
    "in a Sequential": lambda: keras.Sequential(
        [keras.Input((K,)), layers.Dense(16, "sigmoid"), layers.Reshape(IMAGE)]
    ),
    "in a Sequential inside": lambda: keras.Sequential(
        [keras.Input((K,)), keras.Sequential([layers.Dense(16, "sigmoid"), layers.Reshape(IMAGE)])]
    ),
    "tanh": lambda: decoder(activation="tanh"),
    "relu": lambda: decoder(activation="relu"),
    "a layer of relu": lambda: decoder(layers.ReLU()),
    "softmax": lambda: decoder(layers.Softmax()),
    "a wrapped layer": lambda: decoder(layers.TimeDistributed(layers.Dense(1, "hard_sigmoid"))),
    "clipped": lambda: decoder(lambda h: ops.clip(h, 0, 1)),
}


@pytest.mark.parametrize("end", ENDS)
def test_logits_do_not_come_out_of_an_activation(end):
    with pytest.raises(ValueError, match=r"must not end in an activation.*ends in"):
        vae(None, ENDS[end]())
    # Means may: that they stay in [0, 1] is a choice.
    assert vae(None, ENDS[end](), "gaussian").likelihood == "gaussian"


def test_an_activation_that_is_not_the_end_stays():
    for ends in ((layers.Activation("linear"),), (layers.ReLU(), layers.Conv2D(1, 1))):
        assert vae(None, decoder(*ends)).dimensions == 16
    grown = decoder(layers.Rescaling(12.0, -6.0), activation="sigmoid")  # logits from −6 to 6
    assert vae(None, grown).dimensions == 16


# Sizes ----------------------------------------------------------------------------------

BUILDERS = {
    "dense": models.dense_vae,
    "conv": models.conv_vae,
    "pyramid": pyramids.pyramid_networks,
}
WRONG_SHAPES = [(0, 32, 1), (32, -32, 1), "32", 32, None, (32.5, 32, 1), ("32", "32", "1"), ()]


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("shape", WRONG_SHAPES)
def test_a_shape_that_is_none_is_named(builder, shape):
    with pytest.raises(ValueError, match=r"`image_shape` must be.*Received: image_shape="):
        BUILDERS[builder](shape)


@pytest.mark.parametrize("builder", ["conv", "pyramid"])
def test_images_without_channels_are_told_what_is_missing(builder):
    with pytest.raises(ValueError, match=r"grey images have one channel, \(H, W, 1\)"):
        BUILDERS[builder]((32, 32))


@pytest.mark.parametrize("builder", ["dense", "conv"])
def test_an_unknown_size_is_told_what_to_do(builder):
    with pytest.raises(ValueError, match="build on crops of one size"):
        BUILDERS[builder]((None, None, 3))


@pytest.mark.parametrize("latent", [0, -1, 2.5, "4", None, float("nan")])
@pytest.mark.parametrize("builder", ["dense", "conv"])
def test_a_latent_that_is_none_is_named(builder, latent):
    with pytest.raises(ValueError, match="`latent` must be a positive integer"):
        BUILDERS[builder]((32, 32, 1), latent)


@pytest.mark.parametrize("latent", [(4, 4, 0), (0, 4, 4), (4, 4, 2.5)])
def test_a_spatial_latent_that_is_none_is_named(latent):
    with pytest.raises(ValueError, match="`latent` must be a positive integer"):
        models.conv_vae((32, 32, 1), latent)


@pytest.mark.parametrize("builder", BUILDERS)
def test_numpy_integers_and_lists_are_taken(builder):
    size, latent = list(np.array([16, 16, 1])), np.int64(2)
    made = BUILDERS[builder](size, latent)
    nets = (made.encoder, made.decoder) if isinstance(made, models.VAE) else made
    assert tuple(nets[1].outputs[0].shape) == (None, 16, 16, 1)
    keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(nets[0]))


def test_vectors_are_images_to_dense_networks():
    assert models.dense_vae((7,), 2, (4,)).row_shape == (7,)
    assert networks.known_shape((None, 8, 3), any_size=True) == (None, 8, 3)
