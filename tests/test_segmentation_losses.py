"""Losses of pixels: by hand, in the right order, against Keras's own, and without a trace of void."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from helpers.backend import value_and_grad
from helpers.segmentation import EdgeCrossEntropy, PixelCrossEntropy, SoftDice
from helpers.segmentation.losses import class_weights

RNG = np.random.default_rng(0)
VOID = 255


def made(shape=(3, 4, 5), num_classes=3, ignore_class=True):
    truth = RNG.integers(0, num_classes, shape).astype("uint8")
    if ignore_class:
        truth[:, 0, :2] = VOID
    return truth, RNG.normal(size=(*shape, num_classes)).astype("float32")


def per_image(loss, truth, logits):
    return ops.convert_to_numpy(
        loss.call(ops.convert_to_tensor(truth), ops.convert_to_tensor(logits))
    )


def gradient(loss, truth, logits):
    variable = keras.Variable(logits)
    _, (grad,) = value_and_grad(lambda: loss(truth, variable.value), [variable])
    return ops.convert_to_numpy(grad)


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


CLASS_LOSSES = {
    "plain": PixelCrossEntropy(3, ignore_class=VOID),
    "weighted": PixelCrossEntropy(3, ignore_class=VOID, class_weights=(1, 2, 5)),
    "dice": SoftDice(3, ignore_class=VOID),
}
class_losses = pytest.mark.parametrize("loss", CLASS_LOSSES.values(), ids=CLASS_LOSSES)


# Classes --------------------------------------------------------------------------------


@pytest.mark.parametrize("void", [-1, 9, 300])
def test_weights_of_classes_by_hand(void):
    masks = [np.array([[0, 0, 0, 1]]), np.array([[void, void, 0, 1]])]
    found = class_weights(masks, 3, ignore_class=void)
    np.testing.assert_allclose(found, [(4 / 6) ** -0.5, (2 / 6) ** -0.5, 1e-3**-0.5])
    np.testing.assert_array_equal(class_weights(masks[:1], 3, void, power=0), [1, 1, 1])
    for wrong in (None, 7):
        with pytest.raises(ValueError, match=f"outside 0 to 2.*ignore_class={wrong}"):
            class_weights(masks, 3, wrong)
    for nothing in ([], [np.full((2, 2), void)]):
        with pytest.raises(ValueError, match="all pixels of the masks to learn from are void"):
            class_weights(nothing, 3, void)


def test_cross_entropy_of_two_pixels_by_hand():
    # p of the true class: 3/4 and 1/2.
    logits = np.log([[[[3.0, 1.0], [1.0, 1.0]]]]).astype("float32")
    truth = np.array([[[0, 1]]])
    expected = -(math.log(3 / 4) + math.log(1 / 2)) / 2
    assert float(PixelCrossEntropy(2)(truth, logits)) == pytest.approx(expected, rel=1e-6)
    weighted = PixelCrossEntropy(2, class_weights=[1, 4])(truth, logits)
    expected = -(math.log(3 / 4) + 4 * math.log(1 / 2)) / 5
    assert float(weighted) == pytest.approx(expected, rel=1e-6)
    alike = PixelCrossEntropy(2, class_weights=[7, 7])(truth, logits)
    assert float(alike) == pytest.approx(float(PixelCrossEntropy(2)(truth, logits)), rel=1e-6)


def test_dice_of_four_pixels_by_hand():
    # p(class 1) is 1, 1/2, 1/2, 0 and the truth 1, 1, 0, 0: both classes overlap by 3/2 of 2 + 2.
    p = np.array([1 - 1e-9, 0.5, 0.5, 1e-9])
    logits = np.log(np.stack([1 - p + 1e-12, p], -1)).reshape(1, 2, 2, 2).astype("float32")
    truth = np.array([[[1, 1], [0, 0]]])
    value = float(SoftDice(2, smooth=1)(truth, logits))
    assert value == pytest.approx(1 - (2 * 1.5 + 1) / (2 + 2 + 1), abs=1e-5)


def test_pixels_count_alike_in_images_with_much_void_and_little():
    truth, logits = made()
    truth[1, :3] = VOID
    hit = truth != VOID
    nats = -np.take_along_axis(log_softmax(logits), np.where(hit, truth, 0)[..., None], -1)[..., 0]
    value = float(CLASS_LOSSES["plain"](truth, logits))
    assert value == pytest.approx(nats[hit].mean(), rel=1e-5)
    # The mean of the images' means is another number, so the test can tell.
    means = [nats[i][hit[i]].mean() for i in range(3)]
    assert value != pytest.approx(np.mean(means), rel=1e-3)


@class_losses
def test_good_is_less_than_unsure_is_less_than_bad(loss):
    truth, _ = made()
    right = np.eye(3)[np.where(truth == VOID, 0, truth)].astype("float32")
    values = [float(loss(truth, scale * right)) for scale in (100, 5, 1, 0, -1, -5, -100)]
    assert values == sorted(values) and len(set(values)) == 7
    assert values[0] == pytest.approx(0, abs=1e-3)


@class_losses
def test_void_leaves_no_trace(loss):
    truth, logits = made()
    other = np.where((truth == VOID)[..., None], 50 * logits[::-1], logits)
    assert np.abs(other - logits).max() > 10
    np.testing.assert_array_equal(per_image(loss, truth, logits), per_image(loss, truth, other))
    grad = gradient(loss, truth, logits)
    assert (grad[truth == VOID] == 0).all()
    assert (np.abs(grad[truth != VOID]).max(axis=-1) > 0).all()
    np.testing.assert_array_equal(grad[truth != VOID], gradient(loss, truth, other)[truth != VOID])


@class_losses
def test_void_may_be_a_class_in_the_middle(loss):
    truth, logits = made(ignore_class=False)
    config = loss.get_config() | {"ignore_class": 1}
    moved = type(loss).from_config(config)
    as_255 = np.where(truth == 1, VOID, truth)
    np.testing.assert_allclose(per_image(moved, truth, logits), per_image(loss, as_255, logits))


@class_losses
def test_an_image_that_is_all_void_costs_nothing(loss):
    truth, logits = made()
    truth[1] = VOID
    values = per_image(loss, truth, logits)
    assert values[1] == pytest.approx(0, abs=1e-7) and (values[[0, 2]] > 0.1).all()
    grad = gradient(loss, truth, logits)
    assert np.isfinite(grad).all() and (grad[1] == 0).all()
    # Nothing but void in the whole batch.
    truth[:] = VOID
    assert float(loss(truth, logits)) == pytest.approx(0, abs=1e-7)
    assert (gradient(loss, truth, logits) == 0).all()


@pytest.mark.parametrize("label", [3, -1, 254])
@class_losses
def test_a_label_that_is_no_class_is_heard(loss, label):
    truth, logits = made()
    truth = truth.astype("int32")
    truth[0, 3, 0] = label
    assert np.isnan(per_image(loss, truth, logits)[0])


@pytest.mark.parametrize("share", [-0.1, 1.5, 255.0, math.nan])
@pytest.mark.parametrize("balanced", [False, True])
def test_a_share_outside_0_to_1_is_heard(share, balanced):
    shares = np.zeros((2, 4, 4, 1), "float32")
    shares[0, 0], shares[1, 2, 2] = 1.0, share
    assert np.isnan(per_image(EdgeCrossEntropy(balanced), shares, np.zeros_like(shares))[1])


def test_cross_entropy_of_the_counted_ignores_how_many_images_are_void():
    truth, logits = made((1, 4, 4))
    both = np.concatenate([truth, np.full_like(truth, VOID)])
    loss = CLASS_LOSSES["weighted"]
    one, two = float(loss(truth, logits)), float(loss(both, np.repeat(logits, 2, 0)))
    assert two == pytest.approx(one, rel=1e-6)


@class_losses
def test_extreme_logits_stay_finite(loss):
    truth, logits = made()
    for scale in (1e4, -1e4, 1e30):
        assert np.isfinite(per_image(loss, truth, scale * logits)).all()
        assert np.isfinite(gradient(loss, truth, scale * logits)).all()


@class_losses
def test_a_last_axis_of_one_and_floats_are_the_same_truth(loss):
    truth, logits = made()
    value = float(loss(truth, logits))
    assert float(loss(truth[..., None], logits)) == value
    assert float(loss(truth.astype("float32"), logits)) == value
    assert float(loss(truth.astype("int64"), logits)) == value


def test_cross_entropy_equals_that_of_keras():
    truth, logits = made(ignore_class=False)
    options = {"from_logits": True, "reduction": "none"}
    keras_own = keras.losses.SparseCategoricalCrossentropy(**options)
    expected = ops.convert_to_numpy(keras_own(truth, logits))
    np.testing.assert_allclose(
        per_image(PixelCrossEntropy(3), truth, logits), expected.mean(axis=(1, 2)), rtol=1e-5
    )
    # With void the sums agree; what to divide by is our own.
    truth, logits = made()
    keras_own = keras.losses.SparseCategoricalCrossentropy(ignore_class=VOID, **options)
    nats = ops.convert_to_numpy(keras_own(truth.astype("int32"), logits))
    expected = nats.sum() / (truth != VOID).sum()
    assert float(CLASS_LOSSES["plain"](truth, logits)) == pytest.approx(expected, rel=1e-5)


def test_dice_equals_that_of_keras_in_each_image():
    truth, logits = made(ignore_class=False)
    truth[:, 0, :3] = [0, 1, 2]
    keras_own = keras.losses.Dice(axis=(1, 2), reduction="none")
    p = np.exp(log_softmax(logits))
    expected = ops.convert_to_numpy(keras_own(np.eye(3, dtype="float32")[truth], p))
    value = per_image(SoftDice(3, smooth=1e-7), truth, logits)
    np.testing.assert_allclose(value, expected.reshape(3, 3).mean(axis=1), rtol=1e-4)


def test_dice_is_of_each_image_and_not_of_the_batch_as_one():
    truth = np.zeros((2, 8, 8), int)
    truth[0, :4] = 1
    truth[1, 0, 0] = 1
    guess = truth.copy()
    guess[1, 0, 0] = 0  # the small object is missed
    logits = 40 * np.eye(2, dtype="float32")[guess]
    values = per_image(SoftDice(2, smooth=1e-3), truth, logits)
    assert values[0] == pytest.approx(0, abs=1e-4)
    assert values[1] == pytest.approx(0.5, abs=0.01)  # the background is still found


def test_dice_of_a_class_that_is_nowhere_is_one():
    truth = np.zeros((1, 4, 4), int)
    logits = 60 * np.eye(3, dtype="float32")[truth]
    assert float(SoftDice(3)(truth, logits)) == pytest.approx(0, abs=1e-6)


# Edges ----------------------------------------------------------------------------------


def constant(loss, share, logits):
    """Values of the loss of one image for one logit at all its pixels, as a batch of them."""
    shares = np.repeat(share, len(logits), axis=0)
    return per_image(loss, shares, np.ones_like(shares) * logits.reshape(-1, 1, 1, 1))


def test_plain_edge_cross_entropy_is_keras_own_and_best_at_the_share():
    share = RNG.random((2, 4, 4, 1)).astype("float32")
    logits = RNG.normal(size=share.shape).astype("float32")
    keras_own = keras.losses.BinaryCrossentropy(from_logits=True)
    assert float(EdgeCrossEntropy()(share, logits)) == pytest.approx(
        float(keras_own(share, logits)), rel=1e-5
    )
    best = np.log(share / (1 - share))
    assert np.abs(gradient(EdgeCrossEntropy(), share, best)).max() < 1e-6
    for step in (-0.1, 0.1):
        assert float(EdgeCrossEntropy()(share, best)) < float(
            EdgeCrossEntropy()(share, best + step)
        )


def drawn(edges, between=0, pixels=20):
    """One image with so many edges, so many pixels that few annotators drew, and the rest."""
    share = np.zeros(pixels, "float32")
    share[:edges], share[edges : edges + between] = 0.75, 0.25
    return share.reshape(1, 4, -1, 1)


def test_balanced_edge_cross_entropy_by_hand():
    share = drawn(edges=2, between=3)  # 15 pixels that nobody drew
    logits = RNG.normal(size=share.shape).astype("float32")
    nats = np.log1p(np.exp(-np.where(share >= 0.5, 1, -1) * logits))
    weight = np.where(share >= 0.5, 15 / 17, np.where(share > 0, 0, 1.1 * 2 / 17))
    value = float(EdgeCrossEntropy(balanced=True)(share, logits))
    assert value == pytest.approx((weight * nats).mean(), rel=1e-5)
    grad = gradient(EdgeCrossEntropy(balanced=True), share, logits)
    assert (grad[share == 0.25] == 0).all() and (grad[share != 0.25] != 0).all()


@pytest.mark.parametrize(("factor", "best"), [(1.0, 0.5), (3.0, 0.25)])
def test_balanced_puts_both_sides_at_equal_weight_however_few_edges(factor, best):
    grid = np.linspace(-4, 4, 161, dtype="float32")
    loss = EdgeCrossEntropy(balanced=True, negative_weight=factor)
    for edges in (1, 3, 12):
        at = grid[constant(loss, drawn(edges), grid).argmin()]
        assert 1 / (1 + math.exp(-at)) == pytest.approx(best, abs=0.02)
    # Plain, the best constant is the mean share.
    at = grid[constant(EdgeCrossEntropy(), drawn(3), grid).argmin()]
    assert 1 / (1 + math.exp(-at)) == pytest.approx(3 * 0.75 / 20, abs=0.01)


def test_balance_is_of_each_image():
    share = np.concatenate([drawn(2), drawn(9)])
    logits = RNG.normal(size=share.shape).astype("float32")
    loss = EdgeCrossEntropy(balanced=True)
    alone = [float(loss(share[i : i + 1], logits[i : i + 1])) for i in range(2)]
    np.testing.assert_allclose(per_image(loss, share, logits), alone, rtol=1e-6)


@pytest.mark.parametrize("balanced", [False, True])
def test_edge_losses_order_guesses_and_stay_finite(balanced):
    share = np.where(drawn(4) > 0, 1, 0).astype("float32")
    loss = EdgeCrossEntropy(balanced=balanced)
    side = 2 * share - 1
    values = [float(loss(share, scale * side)) for scale in (1e4, 3, 0, -3, -1e4)]
    assert values == sorted(values) and len(set(values)) == 5 and values[0] < 1e-6
    assert np.isfinite(values).all()
    assert np.isfinite(gradient(loss, share, -1e4 * side)).all()
    nothing = np.zeros_like(share)
    assert np.isfinite(float(loss(nothing, side))) and np.isfinite(float(loss(nothing + 1, side)))


def test_share_that_counts_as_an_edge():
    share, logits = drawn(3, between=3), RNG.normal(size=(1, 4, 5, 1)).astype("float32")
    low = EdgeCrossEntropy(balanced=True, positive=0.25)
    assert float(low(share, logits)) == pytest.approx(
        float(EdgeCrossEntropy(balanced=True)(np.where(share > 0, 1, share), logits)), rel=1e-6
    )


# In a model -----------------------------------------------------------------------------


def edges_from_classes(truth):
    return (truth == 1).astype("float32")[..., None]


@pytest.mark.parametrize(
    "loss",
    [
        PixelCrossEntropy(
            3, ignore_class=np.uint8(VOID), class_weights=np.array([1, 2, 5], "float32")
        ),
        SoftDice(3, ignore_class=np.int64(VOID), smooth=2.0),
        EdgeCrossEntropy(balanced=True, positive=0.3, negative_weight=2.0),
    ],
    ids=lambda loss: loss.name,
)
def test_a_compiled_model_comes_back_with_its_loss(loss, tmp_path):
    truth, _ = made((4, 8, 8))
    edges = isinstance(loss, EdgeCrossEntropy)
    target = edges_from_classes(truth) if edges else truth
    x = RNG.random((4, 8, 8, 2)).astype("float32")
    # Sizes that are not known before the images come.
    model = keras.Sequential(
        [keras.Input((None, None, 2)), keras.layers.Conv2D(1 if edges else 3, 3, padding="same")]
    )
    model.compile("adam", loss=loss, jit_compile=False)
    model.fit(x, target, batch_size=2, verbose=0)
    value = model.evaluate(x, target, batch_size=4, verbose=0)
    assert value == pytest.approx(float(loss(target, model(x))), rel=1e-5)
    model.save(tmp_path / "model.keras")
    back = keras.models.load_model(tmp_path / "model.keras")
    assert type(back.loss) is type(loss) and back.loss.get_config() == loss.get_config()
    assert back.evaluate(x, target, batch_size=4, verbose=0) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PixelCrossEntropy(3, class_weights=[1, 2]), r"needs 3 positive.*\[1, 2\]"),
        (lambda: PixelCrossEntropy(2, class_weights=[1, 0]), "needs 2 positive"),
        (lambda: PixelCrossEntropy(2, class_weights=[1, math.nan]), "needs 2 positive"),
        (lambda: SoftDice(2, smooth=0), "`smooth` must be above 0. Received: smooth=0"),
        (lambda: EdgeCrossEntropy(positive=0), "positive=0"),
        (lambda: EdgeCrossEntropy(negative_weight=0), "negative_weight=0"),
        (
            lambda: SoftDice(3)(np.zeros((2, 4, 4)), np.zeros((2, 4, 4, 2))),
            r"logits \(B, H, W, 3\). Received: \(2, 4, 4\) and \(2, 4, 4, 2\)",
        ),
        (
            lambda: PixelCrossEntropy(3)(np.zeros((2, 4, 4)), np.zeros((2, 2, 2, 3))),
            r"Received: \(2, 4, 4\) and \(2, 2, 2, 3\)",
        ),
        (
            lambda: PixelCrossEntropy(3)(np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4, 3))),
            r"must be integers \(B, H, W\)",
        ),
        (
            lambda: EdgeCrossEntropy()(np.zeros((2, 4, 4)), np.zeros((2, 4, 4, 1))),
            r"must both be \(B, H, W, 1\)",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_dice_of_present_classes_gives_nothing_for_absent_ones():
    truth = np.zeros((2, 4, 4), "int32")
    truth[1, :2] = 1
    background = np.full((2, 4, 4, 3), [20.0, -20.0, -20.0], "float32")
    every = per_image(SoftDice(3, smooth=1e-6), truth, background)
    present = per_image(SoftDice(3, smooth=1e-6, present=True), truth, background)
    # The second image: background 2·8/(16 + 8), class 1 missed, class 2 absent and not claimed.
    assert every == pytest.approx([0, 1 - (2 / 3 + 0 + 1) / 3], abs=1e-5)
    assert present == pytest.approx([0, 1 - (2 / 3 + 0) / 2], abs=1e-5)
    wrong = np.full((2, 4, 4), 7, "int32")
    assert np.isnan(per_image(SoftDice(3, present=True), wrong, background)).all()


@pytest.mark.parametrize("present", [False, True])
def test_an_image_of_nothing_but_ignored_pixels_costs_nothing(present):
    dice = SoftDice(3, ignore_class=255, present=present, reduction=None)
    truth = np.full((2, 4, 4), 255)
    truth[1, 0, 0] = 1
    logits = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    costs = ops.convert_to_numpy(dice(truth, logits))
    assert costs[0] == pytest.approx(0.0, abs=1e-6) and costs[1] > 0.01
