"""What a VAE is given to learn from: pixels that are finite and in their range, or a refusal.

A compiled step cannot say what is wrong: bytes or one NaN turn every weight into NaN, and [−1, 1]
gives a loss that means nothing. So arrays are looked at whole, and streams batch by batch.
"""

import copy
import functools
import inspect
import numbers
import re
import types

import keras
import numpy as np

from helpers import backend

ROUNDING = 1e-5  # what resizing in float32 may leave beyond the ends of the range
LARGEST = float(np.finfo("float32").max)
# What `Pixels` says of a stream. Backends and processes wrap it in errors and texts of their own.
FAULT = re.compile(r"`a batch of [^`]*` .*")


class Pixels:
    """The images that a model takes.

    Args:
        shape: of one image, `(H, W, C)` or `(D,)`.
        value_range: (lowest, highest) value, or None for any finite ones. Else a ValueError.
        binary: whether the pixels stand for 0 and 1, as those of a Bernoulli do.

    Examples:
        >>> models.inputs.Pixels((2, 2, 1)).check(np.full((1, 2, 2, 1), 255, "uint8"))
        Traceback (most recent call last):
        ValueError: `x` must hold pixels from 0 to 1. Received: uint8 from 255 to 255. Bytes: divide...
    """

    def __init__(self, shape, value_range=(0.0, 1.0), binary=False):
        self.shape, self.binary = tuple(shape), binary
        self.low, self.high = -LARGEST, LARGEST
        if value_range is not None:
            ends = [end for end in np.ravel(value_range) if isinstance(end, numbers.Real)]
            if len(ends) != 2 or not -LARGEST < ends[0] < ends[1] < LARGEST:
                raise ValueError(
                    "`value_range` must be None or (lowest, highest), two finite numbers. "
                    f"Received: value_range={value_range!r}"
                )
            value_range = [float(end) for end in ends]
            self.low, self.high = value_range[0] - ROUNDING, value_range[1] + ROUNDING
        self.value_range = value_range
        # Floats from 0 on are in the order of their bits; NaN, infinity and all below 0 come later.
        around = self.low <= 0 <= self.high
        self.bits = int(np.float32(self.high).view("uint32")) if around else -1

    def check(self, images, name="x", exact=True):
        """Refuses what is no batch of images with such pixels, by a ValueError.

        Args:
            images: array or tensor `(B, *shape)`.
            name: of `images` in the message.
            exact: False lets a last axis of 1 be there or not, as Keras does.
        """
        array = _numpy(images)
        self.check_form(array.shape, array.dtype.name, name, exact)
        if not array.size:
            raise ValueError(f"`{name}` holds no images. Received: shape {array.shape}")
        if array.dtype == bool:
            return
        if array.dtype == np.float32 and array.view("uint32").max() <= self.bits:
            return  # one pass over the pixels, where two are needed to find what is wrong
        # A NaN is the minimum of all that it is among, and no comparison with it holds.
        low, high = float(array.min()), float(array.max())
        if not (self.low <= low and high <= self.high):
            raise ValueError(self._refusal(array, low, high, name))

    def check_form(self, shape, dtype, name="x", exact=True):
        """Refuses shapes that are no batch of images, and values that are no numbers."""
        bare = self.shape[-1] == 1 and shape[1:] == self.shape[:-1]
        near = not exact and (bare or shape[1:] == (*self.shape, 1))
        if not shape or (shape[1:] != self.shape and not near):
            mend = "x[..., None] adds the channel" if bare else "labels are no images, and not used"
            raise ValueError(
                f"`{name}` must be images in batches, (B, {', '.join(map(str, self.shape))}); "
                f"{mend}. Received: shape {tuple(shape)}"
            )
        if dtype.rstrip("0123456789") not in ("bool", "int", "uint", "float", "bfloat"):
            raise ValueError(f"`{name}` must hold numbers. Received: dtype {dtype}")

    def check_target(self, images, target, name="y"):
        """Refuses a target that is images, but not those of the input: nothing would use it."""
        if not _is_array(target) or tuple(target.shape) != tuple(images.shape):
            return  # labels
        self.check(target, name)
        if not np.array_equal(_numpy(images), _numpy(target)):
            raise ValueError(
                f"`{name}` holds other images than `x`, and a VAE has no target but its input. "
                "Give it `x` alone; what learns from pairs is a plain keras.Model with a loss"
            )

    def check_arrays(self, x, y=None, name="x", exact=True):
        """Refuses an array `x`, also one in a list or dictionary, and `y` if it is images."""
        for images in keras.tree.flatten(x):
            if not _is_array(images):
                raise ValueError(
                    f"`{name}` must be an array, tensor, tf.data.Dataset, keras.utils.PyDataset, "
                    "DataLoader of PyTorch or generator of batches; `np.asarray` makes an array "
                    f"of lists. Received: {type(images).__name__} in {type(x).__name__}"
                )
            self.check(images, name, exact)
            if y is not None and y is not images:
                self.check_target(images, y, f"{name}: y" if name != "x" else "y")

    def _refusal(self, array, low, high, name):
        if array.dtype.kind not in "iu":
            lost = ~np.isfinite(array).reshape(len(array), -1)
            if lost.any():
                return (
                    f"`{name}` must be finite: mend those pixels, or leave their images out. "
                    f"Received: {lost.sum()} values that are NaN or infinite, in "
                    f"{lost.any(axis=1).sum()} image(s); the first is image "
                    f"{lost.any(axis=1).argmax()}"
                )
        if self.value_range is None:
            return f"`{name}` must fit into float32. Received: values from {low:g} to {high:g}"
        lowest, highest = self.value_range
        text = f"`{name}` must hold pixels from {lowest:g} to {highest:g}"
        if self.binary:
            text += (
                " (a Bernoulli pixel is 0 or 1; grey values between are taken, but their loss is "
                "a cross-entropy and no −log p)"
            )
        text += f". Received: {array.dtype.name} from {low:g} to {high:g}. "
        if (lowest, highest) != (0, 1):
            return text + "Scale them, or build the VAE with another `value_range`"
        if low >= 0 and high <= 255 and not (array % 1).any():
            text += "Bytes: divide by 255, as `helpers.data.to_float` does. Labels or masks: "
            return text + "give the images in their place"
        if low >= 0 and high <= 255:
            return text + "Divide by the largest value that a pixel can have: 255 for bytes"
        if low >= -1 and high <= 1:
            return text + "If they were centred, (x + 1) / 2 brings them back; noise: np.clip"
        text += "Scale them so that black is 0 and white is 1"
        free = "; a VAE built with likelihood='gaussian', value_range=None takes any finite values"
        return text + ("" if self.binary else free)

    def watch(self, x, y=None, name="x", targets=True):
        """Checks arrays at once (ValueError); a stream comes back as one checked batch by batch.

        Args:
            x, y: as `fit` takes them.
            name: of `x` in messages.
            targets: whether there is a loss to compute from inputs and targets. `predict` has none.
        """
        look = functools.partial(self.look, name=f"a batch of {name}", targets=targets)
        if isinstance(x, keras.utils.PyDataset):
            return _WatchedDataset(x, look)
        if isinstance(x, types.GeneratorType):
            return (look(batch) for batch in x)
        if hasattr(x, "element_spec") and hasattr(x, "map"):
            return self._watch_tensors(x, look, targets)
        if hasattr(x, "collate_fn"):
            watched = copy.copy(x)
            watched.collate_fn = _Both(x.collate_fn, look)
            return watched
        self.check_arrays(x, y if targets else None, name, targets)
        return x

    def look(self, batch, name, targets=True):
        """The batch of a stream as it came: x, (x,), (x, y) or (x, y, weights)."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        self.check_arrays(x, y if targets else None, name, targets)
        return batch

    def _watch_tensors(self, dataset, look, targets):
        import tensorflow as tf  # the way back to Python, for every batch, would cost more

        for spec in tf.nest.flatten(keras.utils.unpack_x_y_sample_weight(dataset.element_spec)[0]):
            if spec.shape.rank is not None and None not in spec.shape[1:]:
                self.check_form(tuple(spec.shape), spec.dtype.name, look.keywords["name"], targets)

        def report(*parts):
            look(tuple(part.numpy() for part in parts))
            return True

        def fine(images):
            if images.dtype == "float32" and self.low == -ROUNDING:
                return tf.reduce_max(tf.bitcast(images, "uint32")) <= self.bits
            values = tf.cast(images, "float32")
            return tf.reduce_all((values >= self.low) & (values <= self.high))

        @tf.autograph.experimental.do_not_convert
        def looked(*parts):
            x, y, _ = keras.utils.unpack_x_y_sample_weight(parts)
            found = [fine(images) for images in tf.nest.flatten(x)]
            given = tf.nest.flatten(x)[:1]
            if targets and tf.is_tensor(y) and y.shape.rank == given[0].shape.rank:
                given.append(y)
                found.append(_equal(*given))
            wrong = functools.partial(tf.py_function, report, given, "bool")
            checked = tf.cond(tf.reduce_all(found), lambda: True, wrong)
            with tf.control_dependencies([checked]):
                parts = tf.nest.map_structure(tf.identity, parts)
            return parts if len(parts) > 1 else parts[0]

        return dataset.map(looked)


class _WatchedDataset(keras.utils.PyDataset):
    """A PyDataset whose batches are looked at; all else is that of its source."""

    def __init__(self, source, look):
        super().__init__(source.workers, source.use_multiprocessing, source.max_queue_size)
        self.source, self.look = source, look

    def __getitem__(self, index):
        return self.look(self.source[index])

    @property
    def num_batches(self):
        return self.source.num_batches

    def on_epoch_begin(self):
        self.source.on_epoch_begin()

    def on_epoch_end(self):
        self.source.on_epoch_end()


class _Both:
    """One function after another. Processes of a DataLoader pickle it, which no lambda allows."""

    def __init__(self, first, second):
        self.first, self.second = first, second

    def __call__(self, items):
        return self.second(self.first(items))


def _checked(name):
    """The method of that name of `keras.Model`, behind a look at the pixels that it is given."""
    signature = inspect.signature(getattr(keras.Model, name))

    @functools.wraps(getattr(keras.Model, name))
    def method(self, *arguments, **options):
        bound = signature.bind(self, *arguments, **options)
        given, watch = bound.arguments, self.pixels.watch
        # `fit` evaluates from an iterator of its own, over data that was looked at.
        if not options.get("_use_cached_eval_dataset"):
            given["x"] = watch(given.get("x"), given.get("y"), targets="predict" not in name)
            held = given.get("validation_data")
            if held is not None:
                x, *rest = held if isinstance(held, (list, tuple)) else (held,)
                x = watch(x, rest[0] if rest else None, "validation_data")
                given["validation_data"] = (x, *rest)
        try:
            with backend.restored_on_error(self):
                return getattr(super(CheckedPixels, self), name)(*bound.args[1:], **bound.kwargs)
        except Exception as error:
            fault = FAULT.search(str(error))
            if fault is None:
                raise
            raise ValueError(fault[0]) from None

    return method


class CheckedPixels:
    """Keras's calls, which refuse pixels that a VAE cannot learn from; before `keras.Model`.

    The model has `pixels`, a `Pixels`. The numbers are those of the plain calls to the bit.

    Examples:
        >>> models.dense_vae((2, 2, 1), latent=1).predict(np.full((1, 2, 2, 1), np.nan))
        Traceback (most recent call last):
        ValueError: `x` must be finite: ...
    """

    fit = _checked("fit")
    evaluate = _checked("evaluate")
    predict = _checked("predict")
    train_on_batch = _checked("train_on_batch")
    test_on_batch = _checked("test_on_batch")
    predict_on_batch = _checked("predict_on_batch")


def _is_array(value):
    return hasattr(value, "__array__") or keras.ops.is_tensor(value)


def _numpy(value):
    return keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else np.asarray(value)


def _equal(x, y):
    """Whether two tensors of TensorFlow are of one shape and equal; where not, labels pass."""
    import tensorflow as tf

    x, y, same = tf.cast(x, "float32"), tf.cast(y, "float32"), tf.shape(x) == tf.shape(y)
    return tf.cond(tf.reduce_all(same), lambda: tf.reduce_all(x == y), lambda: True)
