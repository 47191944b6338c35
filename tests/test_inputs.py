"""Pixels that a VAE cannot learn from are refused, by name; all others give the same numbers."""

import copy

import keras
import numpy as np
import pytest
from keras import ops
from small_uncertainty import heteroscedastic_vae

from helpers import data, models
from helpers.models import inputs

# What Keras says of streams that are given to `fit` as they are.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed"),
    pytest.mark.filterwarnings("ignore:Your input ran out of data"),
]
SHAPE = (4, 4, 1)
RNG = np.random.default_rng(0)
X = RNG.random((24, *SHAPE), "float32")
LABELS = RNG.integers(0, 10, 24)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def vae(likelihood="gaussian", **options):
    keras.utils.set_random_seed(0)
    model = models.dense_vae(SHAPE, 2, (4,), likelihood=likelihood, seed=0, **options)
    model.compile(keras.optimizers.Adam(), run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def ready():
    """One compiled VAE for the calls that are refused."""
    return vae()


def spoilt(value, at=-1):
    x = X.copy()
    x[at, -1, -1, 0] = value
    return x


# Arrays ---------------------------------------------------------------------------------

BAD = {
    "bytes as floats": (X * 255, "`x` must hold pixels from 0 to 1.*divide by|Divide by"),
    "bytes": ((X * 255).astype("uint8"), r"uint8 from .*divide by 255.*to_float"),
    "16-bit": ((X * 65535).astype("uint16"), "uint16 from"),
    "half bytes": ((X * 255).astype("float16"), "float16 from"),
    "centred": (2 * X - 1, r"\(x \+ 1\) / 2"),
    "centred integers": (RNG.integers(-1, 2, X.shape), r"int64 from -1 to 1"),
    "standardised": ((X - 0.5) / 0.1, "black is 0 and white is 1.*value_range=None"),
    "NaN in the last image": (spoilt(np.nan), "must be finite.*1 values.*in 1 image.*image 23"),
    "infinity in the first": (spoilt(np.inf, 0), "must be finite.*image 0"),
    "minus infinity": (spoilt(-np.inf), "must be finite"),
    "one hot pixel": (spoilt(1.01), "float32 from .* to 1.01"),
    "one below": (spoilt(-0.01), "from -0.01"),
    "double": (X.astype("float64") * 2, "float64 from"),
    "masks": (RNG.integers(0, 4, X.shape), "Labels or masks"),
    "nothing": (None, "Received: NoneType in NoneType"),
    "labels": (LABELS, r"images in batches, \(B, 4, 4, 1\).*labels.*shape \(24,\)"),
    "labels in a column": (LABELS[:, None], r"labels.*shape \(24, 1\)"),
    "one-hot labels": (np.eye(10)[LABELS], r"labels.*shape \(24, 10\)"),
    "no batch": (X[0], r"in batches.*shape \(4, 4, 1\)"),
    "three channels": (np.repeat(X, 3, -1), r"\(24, 4, 4, 3\)"),
    "no images": (X[:0], "holds no images"),
    "words": (np.full(X.shape, "dark"), "must hold numbers.*dtype str"),
    "objects": (X.astype(object), "must hold numbers.*dtype object"),
    "complex": (X.astype("complex64"), "must hold numbers.*complex64"),
    "a list of images": (list(X), r"in batches.*shape \(4, 4, 1\)"),
    "a list of numbers": (X.tolist(), "np.asarray.*float in list"),
    "a word": ("shapes", "Received: str in str"),
}


@pytest.mark.parametrize("kind", BAD)
def test_every_call_refuses_pixels_that_are_none(ready, kind):
    x, message = BAD[kind]
    before = ready.get_weights()
    calls = ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
    for call in calls:
        with pytest.raises(ValueError, match=message):
            getattr(ready, call)(x)
    assert all(map(np.array_equal, before, ready.get_weights()))
    assert int(ready.steps) == 0


def test_tensors_of_the_backend_are_looked_at(ready):
    with pytest.raises(ValueError, match="float32 from"):
        ready.fit(ops.convert_to_tensor(X * 255))
    with pytest.raises(ValueError, match="must be finite"):
        ready.predict({"image": ops.convert_to_tensor(spoilt(np.nan))})


def test_bernoulli_pixels_come_with_a_word_about_grey_values():
    model = vae("bernoulli")
    with pytest.raises(ValueError, match="Bernoulli pixel is 0 or 1; grey values between"):
        model.fit(2 * X - 1)
    for x in (X > 0.5, (X > 0.5).astype("uint8"), X):
        assert np.isfinite(model.fit(x, batch_size=24, verbose=0).history["loss"]).all()


@pytest.mark.parametrize("kind", ["float16", "float64", "bool", "uint8", "int32", "bfloat16"])
def test_pixels_in_their_range_are_taken_in_any_type(kind):
    pixels = inputs.Pixels(SHAPE)
    x = X > 0.5 if kind == "bool" else ops.cast(X > 0.5, kind)
    pixels.check(x)
    pixels.check(np.float32(1 + 1e-6) * numpy(ops.cast(x, "float32")))  # rounding


def test_images_without_their_channel_are_told_what_is_missing_but_for_predict(ready):
    for call in (ready.fit, ready.evaluate, ready.train_on_batch):
        with pytest.raises(ValueError, match=r"x\[..., None\] adds the channel.*\(24, 4, 4\)"):
            call(X[..., 0])
    assert ready.predict(X[..., 0], verbose=0).shape == X.shape  # Keras adds it


def test_calls_take_their_arguments_in_order_and_by_name():
    model = vae()
    assert len(model.fit(X, None, 12, 2, 0, None, 0.0, (X[:4],)).history["val_loss"]) == 2
    assert model.evaluate(X, X, 12, 0, return_dict=True)["loss"] > 0
    assert model.predict(x=X, verbose=0).shape == X.shape
    with pytest.raises(ValueError, match="validation_data` must"):
        model.fit(X, None, 12, 2, 0, None, 0.0, (X * 255,))
    with pytest.raises(TypeError, match="epoch"):
        model.fit(X, epoch=3)
    assert model.fit.__doc__ == keras.Model.fit.__doc__


@pytest.mark.parametrize("held", [X * 255, (X * 255,), [X * 255, X * 255], (spoilt(np.nan), X)])
def test_validation_data_are_looked_at_before_the_first_step(ready, held):
    with pytest.raises(ValueError, match="`validation_data` must"):
        ready.fit(X, validation_data=held, verbose=0)
    with pytest.raises(ValueError, match="`x` must be finite"):
        ready.fit(spoilt(np.nan), validation_split=0.5, verbose=0)
    assert int(ready.steps) == 0


def test_validation_is_looked_at_once_and_not_in_every_epoch(monkeypatch):
    seen, check = [], inputs.Pixels.check
    monkeypatch.setattr(inputs.Pixels, "check", lambda *a: [seen.append(a[2]), check(*a)])
    vae().fit(X, validation_data=(X[:4],), epochs=3, verbose=0)
    assert seen == ["x", "validation_data"]


# Targets --------------------------------------------------------------------------------


def test_labels_and_the_images_again_are_taken_as_targets():
    model = vae()
    for y in (X, X.copy(), LABELS, np.eye(10)[LABELS], None):
        model.train_on_batch(X, y)
        model.test_on_batch(X, y)
    assert int(model.steps) == 5


def test_targets_that_are_other_images_are_refused(ready):
    noisy = np.clip(X + 0.1, 0, 1)
    for call in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError, match="`y` holds other images than `x`"):
            getattr(ready, call)(noisy, X)
        with pytest.raises(ValueError, match="`y` must be finite"):
            getattr(ready, call)(X, spoilt(np.nan))
        with pytest.raises(ValueError, match=r"`y` must hold pixels.*masks"):
            getattr(ready, call)(X, RNG.integers(0, 4, X.shape))
    with pytest.raises(ValueError, match="`validation_data: y` holds other images"):
        ready.fit(X, validation_data=(noisy, X))


# Streams --------------------------------------------------------------------------------


class Stream(keras.utils.PyDataset):
    """Batches of 8."""

    def __init__(self, x, y=None, **options):
        super().__init__(**options)
        self.x, self.y = x, y

    @property
    def num_batches(self):
        return len(self.x) // 8

    def __getitem__(self, index):
        part = slice(8 * index, 8 * index + 8)
        return (self.x[part],) if self.y is None else (self.x[part], self.y[part])


def batches(x, y=None):
    return (Stream(x, y)[i] for i in range(len(x) // 8))


def tensors(x, y=None):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(x if y is None else (x, y)).batch(8)


STREAMS = {"PyDataset": Stream, "generator": batches, "tf.data": tensors}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_is_refused_at_its_first_bad_batch(stream):
    model, make = vae(), STREAMS[stream]
    # One stream meets compiled steps, whose errors are TensorFlow's own.
    model.compile(keras.optimizers.Adam(), jit_compile=False, run_eagerly=stream != "tf.data")
    before = [numpy(weight) for weight in model.trainable_weights]
    for x, message in ((X * 255, "must hold pixels"), (spoilt(np.nan, 0), "must be finite")):
        for call in ("fit", "evaluate", "predict"):
            with pytest.raises(ValueError, match=f"^`a batch of x` {message}"):
                getattr(model, call)(make(x), verbose=0)
    with pytest.raises(ValueError, match=r"a batch of x` must be images.*\(\w+, 10\)"):
        model.fit(make(np.eye(10)[LABELS]), verbose=0)
    assert all(map(np.array_equal, before, map(numpy, model.trainable_weights)))
    with pytest.raises(ValueError, match=r"^`a batch of x` must be finite.*first is image 7"):
        model.fit(make(spoilt(np.nan)), verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    with pytest.raises(ValueError, match=r"^`a batch of validation_data` must be finite"):
        model.fit(X, validation_data=make(spoilt(np.nan)), verbose=0)


@pytest.mark.parametrize("stream", STREAMS)
def test_targets_of_a_stream_are_looked_at_but_for_predict(stream):
    model, make = vae(), STREAMS[stream]
    model.fit(make(X, LABELS), verbose=0)
    model.fit(make(X, X.copy()), verbose=0)
    with pytest.raises(ValueError, match=r"^`a batch of x: y` holds other images"):
        model.evaluate(make(X, 1 - X), verbose=0)
    assert model.predict(make(X, 1 - X), verbose=0).shape == X.shape


@pytest.mark.parametrize("method", ["evaluate", "predict"])
@pytest.mark.parametrize("first", [True, False], ids=["first batch", "later batch"])
def test_a_refusal_in_the_middle_leaves_the_model_as_it_was(method, first):
    model, bad = vae(), X.copy()
    bad[0 if first else -1] = np.nan
    model.fit(X, verbose=0)
    before = model.get_weights()
    with pytest.raises(ValueError, match="must be finite"):
        getattr(model, method)(Stream(bad), verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    model.fit(X, verbose=0)


def test_tensors_of_bytes_in_a_stream_are_refused_and_of_bits_taken():
    model = vae("bernoulli")
    with pytest.raises(ValueError, match=r"`a batch of x` .*uint8 from .*to_float"):
        model.fit(tensors((X * 255).astype("uint8")), verbose=0)
    for kind in ("bool", "uint8", "float64"):
        model.fit(tensors((X > 0.5).astype(kind)), verbose=0)
    with pytest.raises(ValueError, match=r"in batches.*shape \(4, 4, 1\)"):
        model.fit(tensors(X).unbatch(), verbose=0)
    with pytest.raises(ValueError, match=r"must hold numbers.*string"):
        model.fit(tensors(np.full(X.shape, "dark")), verbose=0)


def test_a_stream_with_workers_is_looked_at():
    model = vae()
    with pytest.raises(ValueError, match="`a batch of x` must be finite"):
        model.fit(Stream(spoilt(np.nan), workers=2), verbose=0)
    model.fit(Stream(X, workers=2), verbose=0)


def test_a_loader_of_pytorch_keeps_its_own_and_is_looked_at():
    class Loader:  # what the check needs of one; tests/backends takes PyTorch's own
        collate_fn = staticmethod(np.stack)

    loader = Loader()
    watched = inputs.Pixels(SHAPE).watch(loader)
    assert watched is not loader and loader.collate_fn is np.stack
    np.testing.assert_array_equal(watched.collate_fn(list(X)), X)
    with pytest.raises(ValueError, match="`a batch of x` must be finite"):
        watched.collate_fn(list(spoilt(np.nan)))
    copy.deepcopy(watched.collate_fn)


def test_an_error_that_is_not_about_pixels_stays_as_it_is():
    def broken():
        yield (X[:8],)
        raise OSError("the disk is gone")

    with pytest.raises(Exception, match="the disk is gone"):
        vae().fit(broken(), verbose=0)


# The same numbers -----------------------------------------------------------------------


@pytest.mark.parametrize("stream", ["array", "Batches", "tf.data"])
def test_the_look_changes_no_number(stream):
    """Against `keras.Model.fit` itself, past the look: to the bit, and as many epochs."""
    make = {**STREAMS, "array": lambda x: x, "Batches": lambda x: data.Batches(x, 8, seed=2)}
    found = []
    for plain in (True, False):
        model, x = vae(), make[stream](X)
        fit = keras.Model.fit if plain else models.VAE.fit
        history = fit(model, x, epochs=2, verbose=0, validation_data=make[stream](X[:8])).history
        epochs = getattr(x, "epoch", None)
        found.append((history, epochs, numpy(model.predict(X, verbose=0)).tolist()))
    assert found[0] == found[1]


# Other ranges ---------------------------------------------------------------------------


def test_another_range_can_be_asked_for():
    wide = vae(value_range=(-3, 3))
    assert np.isfinite(wide.train_on_batch(4 * X - 2)).all()
    with pytest.raises(ValueError, match=r"from -3 to 3.*another `value_range`"):
        wide.fit(10 * X)
    free = vae(value_range=None)
    assert np.isfinite(free.train_on_batch(20 * X - 10)).all()
    for x in (spoilt(np.nan), spoilt(np.inf)):
        with pytest.raises(ValueError, match="must be finite"):
            free.fit(x)
    with pytest.raises(ValueError, match="fit into float32"):
        free.fit(X.astype("float64") * 1e60)
    assert models.VAE.from_config(wide.get_config()).pixels.value_range == [-3, 3]
    assert models.VAE.from_config(free.get_config()).pixels.value_range is None
    old = {k: v for k, v in wide.get_config().items() if k != "value_range"}
    assert models.VAE.from_config(old).pixels.value_range == [0, 1]


@pytest.mark.parametrize(
    ("value_range", "good", "bad"),
    [
        ((0, 1), [0, -0.0, 1e-40, 0.5, 1, -1e-6, 1 + 1e-6], [-0.01, 1.01, 1e30, -1e30]),
        ((-1, 1), [-1, -0.0, 0, 1], [-1.01, 1.01]),
        ((0.5, 2), [0.5, 1, 2], [0, 0.4, -1, 2.1]),
        ((-2, -1), [-2, -1], [0, -0.5, -3, 1]),
        (None, [0, -3e38, 3e38], []),
    ],
)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_the_ends_of_a_range(value_range, good, bad, kind):
    pixels = inputs.Pixels((2,), value_range)
    for value in good:
        pixels.check(np.array([[value, good[0]]], kind))
    for value in [*bad, np.nan, -np.nan, np.inf, -np.inf]:
        for row in ([value, good[0]], [good[0], value]):
            with pytest.raises(ValueError, match="`x` must"):
                pixels.check(np.array([row], kind))
    pixels.check(np.full((3, 4), good[0], kind)[:, ::2])  # not in one piece


@pytest.mark.parametrize(
    "wrong", [(1, 0), (0, 1, 2), 1.0, "01", (0, np.inf), (0, np.nan), (0, None)]
)
def test_a_range_that_is_none_is_named(wrong):
    with pytest.raises(ValueError, match="`value_range` must be None or"):
        vae(value_range=wrong)


def test_models_that_are_vaes_too_look_at_their_pixels():
    model = heteroscedastic_vae((8, 8, 1), 2, 4, seed=0)
    model.compile("adam", run_eagerly=True)
    with pytest.raises(ValueError, match="must hold pixels"):
        model.fit(np.full((4, 8, 8, 1), 255.0))
