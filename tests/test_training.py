"""The time budget by a clock of our own, and trainings of a number of steps on any images."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import models, segmentation, training
from helpers.training import TimeBudget, cosine_decay

SIZE = 8


class Clock:
    """Each reading is one second after the last."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def small_model(rate=0.1):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), loss="mse")
    return model


def fit(model, callbacks, epochs=1000, n=8, **options):
    x = np.ones((n, 2), "float32")
    y = np.zeros((n, 1), "float32")
    return model.fit(x, y, batch_size=1, epochs=epochs, callbacks=callbacks, verbose=0, **options)


def test_rise_and_fall_by_hand():
    rate = training.rise_and_fall(2.0, steps=20, rising=4)
    found = [float(rate(step)) for step in (0, 2, 4, 12, 20)]
    assert np.allclose(found, [0.5, 1.25, 2.0, 1.0, 0.0], atol=1e-6)
    short = training.rise_and_fall(2.0, steps=5, rising=100)  # a fifth rises at most
    assert np.allclose([float(short(step)) for step in (0, 1, 5)], [2.0, 2.0, 0.0], atol=1e-6)
    for steps in (1, 4):  # too short to rise
        assert float(training.rise_and_fall(2.0, steps)(0)) == 2.0


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (1 / 3, 0.75), (0.5, 0.5), (2 / 3, 0.25), (1.0, 0.0)]
)
def test_cosine_by_hand(share, expected):
    assert cosine_decay(share) == pytest.approx(expected, abs=1e-12)


def test_cosine_ends():
    assert cosine_decay(-3.0) == 1.0
    assert cosine_decay(7.0) == pytest.approx(0.0, abs=1e-12)


def test_stops_when_the_time_is_over():
    model = small_model()
    # The clock is read after each step and at each epoch's end: two epochs of eight steps take
    # 18 s, and the second step of the third sees 20 s.
    budget = TimeBudget(20, clock=Clock())
    history = fit(model, [budget])
    assert int(model.optimizer.iterations) == 18
    assert len(history.history["loss"]) == 3
    assert len(budget.history) == 3


def test_without_a_rate_the_optimizer_keeps_its_own():
    model = small_model(0.1)
    budget = TimeBudget(20, clock=Clock())
    fit(model, [budget])
    assert [row["learning_rate"] for row in budget.history] == pytest.approx([0.1] * 3)


def test_rates_follow_the_clock():
    model = small_model()
    budget = TimeBudget(40, learning_rate=0.2, clock=Clock())
    fit(model, [budget])
    # Readings: start 1; an epoch takes one at its begin, eight steps, one at its end.
    expected = [0.2 * cosine_decay((1 + 10 * i) / 40) for i in range(5)]
    assert expected[-1] == pytest.approx(0.0, abs=1e-12)
    rates = [row["learning_rate"] for row in budget.history]
    assert rates == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_the_rate_reaches_the_weights():
    # The whole time is over when the first epoch begins, so its rate is 0.
    model = small_model(0.1)
    before = model.get_weights()
    fit(model, [TimeBudget(1, learning_rate=0.1, clock=Clock())], epochs=1)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-7)


def test_validation_and_best_weights_go_with_it():
    model = small_model()
    best = keras.callbacks.EarlyStopping("val_loss", patience=10**6, restore_best_weights=True)
    data = (np.ones((4, 2), "float32"), np.zeros((4, 1), "float32"))
    fit(model, [TimeBudget(20, clock=Clock()), best], validation_data=data)
    assert model.evaluate(*data, verbose=0) == pytest.approx(best.best, rel=1e-5)


def test_history_starts_anew_with_every_fit():
    model = small_model()
    budget = TimeBudget(20, clock=Clock())
    fit(model, [budget])
    first = len(budget.history)
    fit(model, [budget])
    assert len(budget.history) == first
    assert budget.history[0]["seconds"] < budget.history[-1]["seconds"]


def test_real_clock_is_kept():
    model = small_model()
    budget = TimeBudget(0.5)
    fit(model, [budget], epochs=10**6)
    assert 0.5 <= budget.history[-1]["seconds"] < 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0}, "`seconds` must be above 0. Received: seconds=0"),
        ({"seconds": float("nan")}, "`seconds` must be above 0"),
        ({"seconds": 1, "learning_rate": -1e-3}, "`learning_rate` must be None or above 0"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError) as error:
        TimeBudget(**options)
    assert message in str(error.value)


def test_a_schedule_is_refused():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model = small_model(schedule)
    with pytest.raises(ValueError, match=r"made with a number.*CosineDecay"):
        fit(model, [TimeBudget(5, learning_rate=0.1)])
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(schedule)), "mse")
    with pytest.raises(ValueError, match=r"made with a number.*CosineDecay"):
        fit(model, [TimeBudget(5, learning_rate=0.1)])
    # Without a rate of its own the schedule may stay.
    fit(model, [TimeBudget(20, clock=Clock())])


def small_vae():
    keras.utils.set_random_seed(3)
    return models.dense_vae((4, 4, 1), 2, (8,), likelihood="gaussian", sigma=0.5, seed=1)


def test_fit_steps_takes_the_steps_and_lets_the_rate_fall():
    x = np.random.default_rng(0).random((40, 4, 4, 1), "float32")
    vae = small_vae()
    history = training.fit_steps(vae, x, steps=20, batch_size=10, learning_rate=0.01)
    assert int(vae.steps) == 20
    assert len(history["loss"]) == 5
    assert history["learning_rate"] == pytest.approx(
        [0.01 * training.cosine_decay(epoch / 5) for epoch in range(5)]
    )


@pytest.mark.parametrize(
    ("images", "batch", "steps", "taken"), [(65, 64, 12, 12), (70, 64, 600, 600)]
)
def test_a_batch_that_is_not_full_is_a_step(images, batch, steps, taken):
    vae, x = small_vae(), np.zeros((images, 4, 4, 1), "float32")
    training.fit_steps(vae, x, steps=steps, batch_size=batch)
    assert int(vae.steps) == taken


def test_fit_steps_starts_afresh_without_compiling_again():
    x = np.random.default_rng(0).random((40, 4, 4, 1), "float32")
    vae = small_vae()
    training.fit_steps(vae, x, steps=8, batch_size=40)
    step = vae.train_function
    vae.set_weights(small_vae().get_weights())
    training.fit_steps(vae, x, steps=4, batch_size=40)
    assert vae.train_function is step
    assert int(vae.optimizer.iterations) == 4
    assert int(vae.steps) == 4


def test_fit_steps_refuses_no_steps():
    with pytest.raises(ValueError, match="at least 1"):
        training.fit_steps(small_vae(), np.zeros((4, 4, 4, 1), "float32"), steps=0)


def test_fit_steps_counts_the_steps_of_whole_passes_before_it_leaves_out_the_graph():
    x = np.random.default_rng(0).random((44, 4, 4, 1), "float32")
    for batch, short in ((4, False), (5, True)):
        vae = small_vae()
        training.fit_steps(vae, x, steps=2, batch_size=batch)
        assert vae.run_eagerly == (short and keras.backend.backend() == "tensorflow")


def masks(images):
    return (images.mean(axis=-1) > 0.5).astype("uint8")


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


def test_a_fresh_adam_starts_with_the_first_scale_of_the_loss_in_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        model.compile(keras.optimizers.Adam(), "mse", run_eagerly=True)
        x, first = np.ones((8, 2), "float32"), model.get_weights()
        after = []
        for scale in (None, 1.0):  # what an earlier training left
            if scale:
                model.optimizer.dynamic_scale.assign(scale)
            model.set_weights(first)
            training.fit_steps(model, x, steps=4, batch_size=4, y=x[:, :1], seed=0)
            after.append(float(keras.ops.convert_to_numpy(model.optimizer.dynamic_scale)))
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert after[0] == after[1] > 1.0
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_layers_that_draw_noise_get_streams_of_their_own_from_one_seed():
    parts = [layers.Dense(4), layers.Dropout(0.5), layers.Dropout(0.5), layers.Dense(1)]
    model = keras.Sequential([keras.Input((2,)), *parts])
    x = np.ones((4, 2), "float32")
    states = []
    for seed in (3, 3, 4, 0, 5, 2**32 - 1):  # states are int32 on PyTorch
        training.train(
            model, x, x[:, :1], "mse", steps=1, batch_size=4, learning_rate=0.1, seed=seed
        )
        drawn = [v for v in model.variables if v.name == "seed_generator_state"]
        states.append([int(keras.ops.convert_to_numpy(v.value)[0]) for v in drawn])
    assert states[0] == states[1] and states[0] != states[2]
    assert len(set(states[0])) == 2 and states[0][0] == 3
