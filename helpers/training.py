"""Training by the clock: a learning rate that falls with the time left, and a stop at its end.

A fixed number of epochs asks the reader to know the machine. A time budget does not: the rate
follows the share of the time that has passed, so a slow machine takes fewer steps and still ends
its training at a small rate.
"""

import gc
import math
import time

import keras
import numpy as np

from helpers import progress
from helpers.backend import compile_options, unscaled


def rise_and_fall(peak, steps, rising=100):
    """A learning rate that rises in a straight line, and then falls to 0 along half a cosine.

    Adam has seen few gradients at first, and large steps then can cost a VAE hundreds of steps.

    Args:
        peak: the highest learning rate.
        steps: of the whole training.
        rising: steps until the peak; a fifth of all steps at most. 0 starts at the peak.

    Examples:
        >>> rate = training.rise_and_fall(0.01, steps=1000)
        >>> [round(float(rate(step)), 4) for step in (0, 100, 550, 1000)]
        [0.0001, 0.01, 0.005, 0.0]

    References:
        Goyal et al. (2017), section 2.2. https://arxiv.org/abs/1706.02677
    """
    rising = min(rising, steps // 5)
    if not rising:  # Keras divides by it
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    return keras.optimizers.schedules.CosineDecay(
        peak / rising, steps - rising, warmup_target=peak, warmup_steps=rising
    )


class Progress(keras.callbacks.Callback):
    """A bar with the time left of a training; see `helpers.progress` for who sees it.

    Give it to `fit` beside `verbose=0`, whose own bar would be stored with the notebook.

    Args:
        what: a word or two, drawn before the bar.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("adam", "mse", run_eagerly=True)
        >>> x, y = np.ones((4, 2)), np.ones((4, 1))
        >>> history = model.fit(x, y, verbose=0, callbacks=[training.Progress("a line")])
    """

    def __init__(self, what="training"):
        super().__init__()
        self.what, self.bar, self.before = what, None, 0

    def on_train_begin(self, logs=None):
        epochs, steps = self.params.get("epochs"), self.params.get("steps")
        total = epochs * steps if epochs and steps else None
        self.bar, self.before = progress.bar(total, self.what), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.before = epoch * (self.params.get("steps") or 0)

    def on_train_batch_end(self, batch, logs=None):
        # With several steps in one execution, this is called once for all of them.
        self.bar.update(self.before + batch + 1 - self.bar.n)

    def on_train_end(self, logs=None):
        self.bar.close()


class TimeBudget(keras.callbacks.Callback):
    """Stops `fit` after so many seconds, compilation and validation included.

    Give `fit` more epochs than can be reached. With `learning_rate`, the rate falls from there
    to 0 along half a cosine. It is set at the start of each epoch, because JAX keeps the
    optimizer's variables inside the epoch: an epoch should be short beside the budget (a
    twentieth or less). The stop is checked after every execution (`steps_per_execution` steps),
    so the budget is exceeded by one execution and one validation at most.

    With a clock in it, a run is not the same twice; for that, plan epochs instead.

    Args:
        seconds: wall-clock time from the start of `fit`.
        learning_rate: highest rate, or None to leave the optimizer's rate alone. The optimizer
            must have been made with a number, not with a schedule.
        clock: function that returns seconds; tests give their own.

    Attributes:
        history: one dictionary an epoch: `seconds` since the start, `learning_rate`, and the
            epoch's logs.

    Raises:
        ValueError: if a number is out of its range, or the optimizer has a schedule.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("adam", "mse", run_eagerly=True)
        >>> budget = training.TimeBudget(seconds=60, clock=itertools.count(step=10).__next__)
        >>> x, y = np.ones((4, 2)), np.ones((4, 1))
        >>> history = model.fit(x, y, epochs=1000, verbose=0, callbacks=[budget])
        >>> len(history.epoch) < 10     # this clock goes 10 seconds at every look
        True

    References:
        Loshchilov and Hutter (2017), cosine decay. https://arxiv.org/abs/1608.03983
    """

    def __init__(self, seconds, learning_rate=None, clock=time.perf_counter):
        super().__init__()
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"`seconds` must be above 0. Received: seconds={seconds!r}")
        if learning_rate is not None and not (math.isfinite(learning_rate) and learning_rate > 0):
            raise ValueError(
                f"`learning_rate` must be None or above 0. Received: learning_rate={learning_rate!r}"
            )
        self.seconds = seconds
        self.learning_rate = learning_rate
        self.clock = clock
        self.start = None
        self.history = []
        self.bar = None

    def elapsed(self):
        """Seconds since the start of `fit`."""
        return 0.0 if self.start is None else self.clock() - self.start

    def rate(self, share):
        """The learning rate when `share` of the time has passed."""
        return self.learning_rate * cosine_decay(share)

    def on_train_begin(self, logs=None):
        self.start, self.history = self.clock(), []
        schedule = getattr(unscaled(self.model.optimizer), "_learning_rate", None)
        if self.learning_rate is not None and callable(schedule):
            raise ValueError(
                "TimeBudget sets the learning rate, so the optimizer must be made with a number, "
                f"for example Adam(1e-3). Received: {type(schedule).__name__}"
            )
        self.bar = progress.bar(round(self.seconds), "training", "s")

    def on_epoch_begin(self, epoch, logs=None):
        if self.learning_rate is not None:
            self.model.optimizer.learning_rate = self.rate(self.elapsed() / self.seconds)

    def on_train_batch_end(self, batch, logs=None):
        elapsed = self.elapsed()
        self.bar.update(min(int(elapsed), self.bar.total) - self.bar.n)
        if elapsed >= self.seconds:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.bar.close()

    def on_epoch_end(self, epoch, logs=None):
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row = {"seconds": self.elapsed(), "learning_rate": rate}
        self.history.append(row | {key: float(value) for key, value in (logs or {}).items()})


def cosine_decay(share):
    """Share of the highest rate when `share` of the whole has passed: half a cosine, 1 to 0.

    Values outside [0, 1] count as its ends.

    Examples:
        >>> [round(training.cosine_decay(share), 3) for share in (0, 1 / 3, 1 / 2, 1, 2)]
        [1.0, 0.75, 0.5, 0.0, 0.0]
    """
    return 0.5 * (1.0 + math.cos(math.pi * min(max(share, 0.0), 1.0)))


class ShuffleSeed(keras.callbacks.Callback):
    """Starts the order of the batches from a seed where `fit` draws it from a global generator.

    That is NumPy's on JAX and PyTorch's on PyTorch; on TensorFlow the order follows the seed that
    Keras was given. At the start of the training and not before it: the first `fit` of a model
    draws numbers, too.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("adam", "mse", run_eagerly=True)
        >>> x, y = np.ones((4, 2)), np.ones((4, 1))
        >>> history = model.fit(x, y, verbose=0, callbacks=[training.ShuffleSeed(7)])
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_train_begin(self, logs=None):
        if keras.backend.backend() != "tensorflow":
            keras.utils.set_random_seed(self.seed)


def fit_steps(
    model, x, steps, batch_size=64, learning_rate=2e-3, validation_data=None, y=None, seed=None
):
    """Train for a number of steps from a fresh Adam, at a rate that falls to 0 along a cosine.

    For networks that must differ in nothing but what is compared. The steps make whole
    passes over `x`, at least one, so from half a pass on the true number differs by half a pass
    at most. A model that was fitted this way before is not compiled again: set its weights and the
    next training starts at once.

    Args:
        model: a `keras.Model`, compiled here with Adam if it is not yet.
        x: what `fit` takes as one array, images first.
        steps: training steps, at least 1.
        batch_size: images in one step.
        learning_rate: highest rate, at the first epoch; a single epoch has no other.
        validation_data: as `fit` takes it.
        y: targets, one array; a VAE has none.
        seed: of the order of the batches on JAX and PyTorch; see `ShuffleSeed`.

    Returns:
        Dictionary of lists, one value an epoch: `loss`, `learning_rate`, ….

    Raises:
        ValueError: if `steps` is below 1.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.Adam(), "mse", run_eagerly=True)
        >>> x, y = np.ones((8, 2)), np.ones((8, 1))
        >>> history = training.fit_steps(model, x, steps=6, batch_size=4, learning_rate=0.1, y=y)
        >>> [round(rate, 3) for rate in history["learning_rate"]]     # two steps in each of 3 epochs
        [0.1, 0.075, 0.025]
    """
    if steps < 1:
        raise ValueError(f"`steps` must be at least 1. Received: steps={steps!r}")
    steps_a_pass = math.ceil(len(x) / batch_size)  # a last batch that is not full is a step, too
    epochs = max(1, round(steps / steps_a_pass))
    if not model.compiled:
        options = compile_options(planned=epochs * steps_a_pass)
        model.compile(keras.optimizers.Adam(), **options)
    if not model.optimizer.built:
        # An optimizer that makes its variables inside the first step has TensorFlow trace it twice.
        model.optimizer.build(model.trainable_variables)
    for state in model.optimizer.variables:
        # The scale of the loss in half precision starts high: with 0 all would become NaN.
        value = model.optimizer.initial_scale if state.name == "dynamic_scale" else 0
        state.assign(keras.ops.full(state.shape, value, state.dtype))
    fall = keras.callbacks.LearningRateScheduler(
        lambda epoch: learning_rate * cosine_decay(epoch / epochs)
    )
    callbacks = [fall, Progress()] if seed is None else [fall, Progress(), ShuffleSeed(seed)]
    fit = {"batch_size": batch_size, "epochs": epochs, "callbacks": callbacks, "verbose": 0}
    return model.fit(x, y, validation_data=validation_data, **fit).history


def train(model, x, y=None, loss=None, *, steps, batch_size, learning_rate, seed):
    """Fit for a number of batches, from the weights that the model has; see `fit_steps`.

    The model's own noise starts from `seed` too, so a second call does the same.

    Few images are repeated until a pass is a sixth of all steps: every pass costs time of its own,
    and a small set of labels gets as many steps as a large one. Of images that are more than the
    steps can see, as many are drawn as they see.

    Args:
        model: compiled here if it is not yet.
        x: images `(N, H, W, C)`.
        y: targets, an array or a dictionary of arrays; None for a VAE.
        loss: of a model that is not compiled yet.
        steps, batch_size, learning_rate: of `fit_steps`. A model whose first training is so
            short that `backend.compile_options` does without a graph stays without one.
        seed: of the order, and of what the model draws itself.

    Returns:
        The model.

    Examples:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> x, y = np.ones((4, 2)), np.ones((4, 1))
        >>> options = {"steps": 50, "batch_size": 4, "learning_rate": 0.1, "seed": 0}
        >>> model = training.train(model, x, y, "mse", **options)
        >>> bool(abs(model.predict(x, verbose=0) - y).max() < 0.5)
        True
    """
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    for i, state in enumerate(states):  # one for all, and all layers would draw the same noise
        own = np.random.SeedSequence([seed, i]).generate_state(1)[0] if i else seed
        state.assign(np.array([own % 2**31, 0], state.dtype))  # int32 on PyTorch
    if not model.compiled:
        gc.collect()  # compiled models that are no longer used hold much memory, in circles
        model.compile(keras.optimizers.Adam(), loss, **compile_options(planned=steps))
    order = np.random.default_rng(seed).permutation(len(x))
    order = np.resize(order, min(max(len(x), batch_size * (steps // 6)), batch_size * steps))
    y = y if y is None else keras.tree.map_structure(lambda a: a[order], y)
    fit_steps(model, x[order], steps, batch_size, learning_rate, y=y, seed=seed)
    return model
