"""Bounds against an exact likelihood; label scores against counting by hand."""

import math
import warnings

import keras
import numpy as np
import pytest
from keras import ops

from helpers import losses, metrics
from helpers.metrics import density
from helpers.models import VAE

RNG = np.random.default_rng(0)


def one_latent_vae(slope=1.5, sigma=0.5, mean_slope=0.4, log_variance=-0.7):
    """x = slope·z + σ·noise with D = K = 1, where log p(x) is known exactly."""
    x, z = keras.Input((1,)), keras.Input((1,))
    mean, variance = keras.layers.Dense(1), keras.layers.Dense(1)
    decode = keras.layers.Dense(1)
    vae = VAE(
        keras.Model(x, [mean(x), variance(x)]),
        keras.Model(z, decode(z)),
        likelihood="gaussian",
        sigma=sigma,
        seed=0,
    )
    mean.set_weights([np.array([[mean_slope]]), np.zeros(1)])
    variance.set_weights([np.zeros((1, 1)), np.array([log_variance])])
    decode.set_weights([np.array([[slope]]), np.zeros(1)])
    variance_of_x = slope**2 + sigma**2
    return vae, lambda x: -0.5 * (np.log(2 * np.pi * variance_of_x) + x**2 / variance_of_x)


def test_iwae_bound_approaches_the_exact_log_likelihood_from_below():
    vae, log_p = one_latent_vae()
    x = RNG.normal(size=(200, 1)).astype("float32") * 1.5
    exact = log_p(x)[:, 0].mean()
    bounds = [metrics.iwae_bound(vae, x, k, seed=0).mean() for k in (1, 5, 50, 3000)]
    assert bounds[0] < bounds[1] < bounds[2] < exact + 0.01
    assert bounds[3] == pytest.approx(exact, abs=0.01)


def test_iwae_bound_of_the_exact_posterior_is_exact_at_k_one():
    slope, sigma = 1.5, 0.5
    precision = 1 + slope**2 / sigma**2
    vae, log_p = one_latent_vae(slope, sigma, slope / sigma**2 / precision, -math.log(precision))
    x = RNG.normal(size=(50, 1)).astype("float32")
    np.testing.assert_allclose(metrics.iwae_bound(vae, x, 1), log_p(x)[:, 0], atol=1e-4)


def test_iwae_bound_does_not_depend_on_how_it_is_cut_into_batches():
    vae, _ = one_latent_vae()
    x = RNG.normal(size=(7, 1)).astype("float32")
    whole = metrics.iwae_bound(vae, x, 4000, seed=0)
    cut = metrics.iwae_bound(vae, x, 4000, batch_size=900, seed=0)  # 3 images, 5 parts
    assert whole.shape == cut.shape == (7,)
    np.testing.assert_allclose(whole, cut, atol=0.1)
    np.testing.assert_array_equal(whole, metrics.iwae_bound(vae, x, 4000, seed=0))


class Recorded:
    """Encodes to N(0, 1), decodes to −log p(x|z) = z², and notes how many z come at a time."""

    def __init__(self):
        self.rows, self.calls = set(), 0

    def encode(self, x):
        assert keras.backend.standardize_dtype(x.dtype) == "float32"
        x = ops.convert_to_tensor(x)
        return 0 * x, 0 * x

    def reconstruction_nll(self, x, z):
        assert x.shape == z.shape
        self.rows.add(int(z.shape[0]))
        self.calls += 1
        return losses.sum_per_image(ops.square(z))


@pytest.mark.parametrize(
    ("images", "k", "batch_size", "rows", "calls"),
    [
        (7, 3, 10, 9, 3),
        (2, 3, 10, 9, 1),
        (2, 25, 10, 10, 6),
        (3, 1, 1, 1, 3),
        (5, 1, None, 20_000, 1),
    ],
)
def test_iwae_bound_calls_the_decoder_with_one_shape(
    monkeypatch, images, k, batch_size, rows, calls
):
    called = []

    def compiled(*args, real=density._compiled_log_weights):
        function = real(*args)
        return lambda x: called.append(1) or function(x)

    def log_mean_exp(weights, real=metrics.log_mean_exp):
        assert len(weights) == k
        return real(weights)

    monkeypatch.setattr(density, "log_mean_exp", log_mean_exp)
    monkeypatch.setattr(density, "_compiled_log_weights", compiled)
    vae = Recorded()
    bound = metrics.iwae_bound(vae, np.zeros((images, 2, 3, 1)), k, batch_size)
    assert bound.shape == (images,) and bound.dtype == "float64"
    assert len(called) == calls
    assert vae.rows == {rows}  # as many images as fit, the last call filled up
    if keras.backend.backend() == "tensorflow":
        assert vae.calls == 1  # compiled, and only once


def test_iwae_bound_draws_anew_for_every_call_of_the_decoder():
    x = np.zeros((3, 1), "float32")
    alone = metrics.iwae_bound(Recorded(), x.tolist(), 1.0, batch_size=1)
    assert len(set(alone)) == 3  # by default of seed 0
    np.testing.assert_array_equal(alone, metrics.iwae_bound(Recorded(), x, 1, 1, seed=0))
    assert (alone != metrics.iwae_bound(Recorded(), x, 1, 1, seed=1)).all()
    # The first of two samples is the one above; the second is another, for the same image.
    two = metrics.iwae_bound(Recorded(), x[:1], 2, batch_size=1)
    expected = np.log((np.exp(alone[0]) + np.exp(alone[1])) / 2)
    np.testing.assert_allclose(two, [expected], rtol=1e-6)


def test_iwae_bound_of_a_decoder_that_does_not_look_is_the_log_of_one():
    """Σ p(z)/q(z) / k → 1 for a latent of several coordinates, whatever q is."""

    class Blind(Recorded):
        def encode(self, x):
            return ops.full((1, 2, 2), 0.5), ops.full((1, 2, 2), -0.1)

        def reconstruction_nll(self, x, z):
            return ops.zeros(z.shape[0])

    bound = metrics.iwae_bound(Blind(), np.zeros((1, 1)), 20_000)
    assert bound.shape == (1,) and bound[0] == pytest.approx(0, abs=0.04)


def test_log_mean_exp_overflows_nowhere():
    values = np.array([[0.0, -3000.0, 1.0], [2000.0, -3000.0, 1.0]])
    np.testing.assert_allclose(metrics.log_mean_exp(values), [2000 - math.log(2), -3000, 1])


def test_active_units_and_kl_per_dimension_tell_a_dead_coordinate():
    x, z = keras.Input((2,)), keras.Input((2,))
    mean, variance = keras.layers.Dense(2), keras.layers.Dense(2)
    vae = VAE(keras.Model(x, [mean(x), variance(x)]), keras.Model(z, keras.layers.Dense(2)(z)))
    mean.set_weights([np.array([[2.0, 0.0], [0.0, 0.0]]), np.zeros(2)])
    variance.set_weights([np.zeros((2, 2)), np.array([-3.0, 0.0])])
    data = RNG.normal(size=(500, 2)).astype("float32")
    assert metrics.active_units(vae, data) == 1
    kl = metrics.kl_per_dimension(vae, data)
    expected = 0.5 * ((2 * data[:, 0]) ** 2 + math.exp(-3) - 1 + 3).mean()
    np.testing.assert_allclose(kl, [expected, 0.0], rtol=1e-4, atol=1e-6)


class Scaling:
    """Encodes x to the mean `scale`·x with σ = 1, and notes the sizes of its batches."""

    def __init__(self, *scale):
        self.scale, self.sizes = np.array(scale, "float32"), []

    def encode(self, x):
        self.sizes.append(len(x))
        return ops.convert_to_tensor(x * self.scale), ops.zeros(x.shape)


def test_an_active_unit_varies_by_more_than_a_tenth():
    x = np.where(np.arange(600) % 2, 1.0, -1.0)[:, None].repeat(4, axis=1)  # of variance 1
    vae = Scaling(2.0, 0.11, 0.09, 0.0)
    assert metrics.active_units(vae, x) == 2  # more than 0.01 is 0.0121, and not 0.0081
    assert vae.sizes == [256, 256, 88]
    assert metrics.active_units(vae, x, threshold=0.005) == 3
    assert metrics.active_units(vae, x, threshold=0) == 3  # 0 is not more than 0
    assert type(metrics.active_units(vae, x, batch_size=100)) is int
    assert vae.sizes[-6:] == [100] * 6


def test_posterior_and_kl_are_those_of_all_images_in_their_order():
    x = RNG.normal(size=(300, 2))
    vae = Scaling(2.0, 0.0)
    mean, log_variance = metrics.posterior(vae, x.tolist())
    np.testing.assert_allclose(mean, np.float32(x) * [2, 0], rtol=1e-6)
    np.testing.assert_array_equal(log_variance, np.zeros((300, 2)))
    expected = 0.5 * (2 * x[:, 0]) ** 2
    np.testing.assert_allclose(metrics.kl_per_dimension(vae, x), [expected.mean(), 0], rtol=1e-5)
    assert vae.sizes == [256, 44] * 2
    metrics.kl_per_dimension(vae, x, 150)
    assert vae.sizes[-2:] == [150, 150]


# Label maps -----------------------------------------------------------------------------

TRUTH = np.array([[[0, 0, 1], [1, 2, 9]]])
GUESS = np.array([[[0, 1, 1], [1, 0, 2]]])


def test_confusion_matrix_by_hand():
    expected = [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    counts = metrics.confusion_matrix(TRUTH, GUESS, 3, ignore_class=9)
    np.testing.assert_array_equal(counts, expected)
    assert counts.dtype == "int64"
    bytes_only = [np.uint8(labels).tolist() for labels in (TRUTH, GUESS)]
    np.testing.assert_array_equal(
        metrics.confusion_matrix(*bytes_only, 3, ignore_class=9), expected
    )
    # Small integers hold a label, but not the number of a pair of labels.
    labels = np.full((2, 2), 99, "uint8")
    assert metrics.confusion_matrix(labels, labels, 100)[99, 99] == 4
    assert metrics.confusion_matrix(labels[:0], labels[:0], 2).tolist() == [[0, 0], [0, 0]]


def test_iou_by_hand_and_void_counts_for_nothing():
    iou = metrics.iou_per_class(TRUTH, GUESS, 3, ignore_class=9)
    np.testing.assert_allclose(iou, [1 / 3, 2 / 3, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iou = metrics.iou_per_class([0, 1], [0, 0], 3)  # the last one is nowhere
    np.testing.assert_array_equal(iou, [0.5, 0, np.nan])
    assert metrics.mean_iou(TRUTH, GUESS, 3, ignore_class=9) == pytest.approx(1 / 3)
    other = GUESS.copy()
    other[0, 1, 2] = 0  # only the void pixel changes
    assert metrics.mean_iou(TRUTH, other, 3, ignore_class=9) == metrics.mean_iou(
        TRUTH, GUESS, 3, ignore_class=9
    )


def test_counts_of_single_images_add_up_to_the_iou_of_all():
    counts = sum(metrics.confusion_matrix(t, g, 3, 9) for t, g in zip(TRUTH, GUESS, strict=True))
    iou = metrics.iou_of_counts(counts)
    assert iou.dtype == "float64"
    np.testing.assert_array_equal(iou, metrics.iou_per_class(TRUTH, GUESS, 3, ignore_class=9))
    np.testing.assert_array_equal(metrics.iou_of_counts([[2, 0], [2, 0]]), [0.5, 0.0])
    assert np.isnan(metrics.iou_of_counts(np.diag([1, 0]))[1])


def test_mean_iou_agrees_with_the_mean_of_iou_per_class():
    truth, guess = RNG.integers(0, 5, (4, 20, 20)), RNG.integers(0, 5, (4, 20, 20))
    assert metrics.mean_iou(truth, guess, 5) == pytest.approx(
        metrics.iou_per_class(truth, guess, 5).mean(), rel=1e-6
    )
    assert metrics.mean_iou(truth, truth, 5) == pytest.approx(1.0)
    # A class that is nowhere is left out, not counted as zero or one.
    assert metrics.mean_iou(truth, guess, 6) == pytest.approx(metrics.mean_iou(truth, guess, 5))


def test_pixel_accuracy_and_dice_by_hand():
    assert metrics.pixel_accuracy(TRUTH, GUESS, ignore_class=9) == pytest.approx(3 / 5)
    # The highest label may be on either side.
    assert metrics.pixel_accuracy([[0, 3]], [[0, 1]]) == 0.5
    assert metrics.pixel_accuracy([[0, 1]], [[0, 3]]) == 0.5
    assert type(metrics.pixel_accuracy(TRUTH, GUESS)) is float
    np.testing.assert_allclose(metrics.dice(TRUTH, GUESS, 1), [2 * 2 / (2 + 3)])
    np.testing.assert_allclose(metrics.dice(TRUTH.tolist(), GUESS.tolist(), 1), [2 * 2 / (2 + 3)])
    np.testing.assert_allclose(metrics.dice(TRUTH, GUESS, 7), [1.0])


def test_dice_is_per_image_and_not_over_the_batch_as_one():
    truth = np.zeros((2, 4, 4), int)
    guess = truth.copy()
    truth[0, :, :] = guess[0, :, :] = 1
    truth[1, 0, 0] = 1
    np.testing.assert_allclose(metrics.dice(truth, guess, 1), [1.0, 0.0])
    guess[1, 0, :3] = 1
    np.testing.assert_allclose(metrics.dice(truth, guess, 1), [1.0, 2 / (1 + 3)])


def square(top=3, left=3, side=5, size=12):
    labels = np.zeros((size, size), int)
    labels[top : top + side, left : left + side] = 1
    return labels


def test_boundary_iou_of_a_shifted_square_by_hand():
    # One pixel wide, the inner outline of 5×5 pixels has 16. Shifted down by one, the two long
    # sides share 4 + 4 pixels, and each top and bottom lies inside the other or outside: 8 of 24.
    truth, guess = square()[None], square(top=4)[None]
    iou = metrics.boundary_iou(truth, guess, 2, width=0.02)
    assert iou[1] == pytest.approx(8 / 24)
    # The background's: the image's border of 44 pixels, and the ring of 7×7 − 5×5 around.
    bands = []
    for labels in (truth[0], guess[0]):
        inside = np.pad(labels == 0, 1)
        near = [inside[1 + i : 13 + i, 1 + j : 13 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)]
        bands.append((labels == 0) & ~np.all(near, axis=0))
    assert bands[0].sum() == 44 + 24
    expected = (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum()
    assert iou[0] == pytest.approx(expected) and expected < 1


def test_boundary_iou_width_is_a_share_of_the_diagonal():
    truth, guess = square(5, 5, 11, 24), square(5, 6, 11, 24)  # the diagonal is 33.9
    inner = {1: 9, 2: 7, 3: 5}
    for steps, width in [(1, 0.001), (1, 0.03), (2, 0.06), (3, 0.09)]:
        bands = [
            square(5, 5 + s, 11, 24) - square(5 + steps, 5 + s + steps, inner[steps], 24)
            for s in (0, 1)
        ]
        expected = (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum()
        assert metrics.boundary_iou([truth], [guess], 2, width=width)[1] == pytest.approx(expected)
    # Without a word 2 % of the diagonal: two pixels of 102.
    truth, guess = square(20, 20, 30, 72), square(20, 21, 30, 72)
    by_width = {
        width: metrics.boundary_iou([truth.tolist()], [guess.tolist()], 2, width=width)[1]
        for width in (0.01, 0.02, 0.03, 0.04)
    }
    assert metrics.boundary_iou([truth], [guess], 2)[1] == by_width[0.02]
    assert len(set(by_width.values())) == 4
    # A band as wide as the object is the object: the usual IoU.
    truth, guess = square(5, 5, 11, 24), square(5, 6, 11, 24)
    wide = metrics.boundary_iou([truth], [guess], 2, width=0.9)
    np.testing.assert_allclose(wide, metrics.iou_per_class(truth, guess, 2))


def test_boundary_iou_is_one_for_the_truth_and_nan_for_what_is_nowhere():
    truth = [RNG.integers(0, 3, (20, 30)), RNG.integers(0, 3, (30, 20))]  # of two sizes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iou = metrics.boundary_iou(truth, truth, 4)
    np.testing.assert_array_equal(iou, [1, 1, 1, np.nan])
    dot = np.pad([[[1]]], ((0, 0), (1, 5), (1, 5)))
    np.testing.assert_array_equal(metrics.boundary_iou(dot, dot, 2), [1, 1])
    swapped = [(t + 1) % 3 for t in truth]
    np.testing.assert_array_equal(metrics.boundary_iou(truth, swapped, 3), 0)


def test_boundary_iou_does_not_take_the_border_of_void_for_an_outline():
    truth = np.zeros((1, 30, 30), int)
    truth[0, 10:20, 10:20] = 255
    guess = np.pad(np.zeros((1, 28, 28), int), ((0, 0), (1, 1), (1, 1)), constant_values=1)
    assert metrics.boundary_iou(truth, truth % 255, 2, 255)[0] == 1
    # The only outline, that of the image, is missed; agreement around void would hide it.
    assert metrics.boundary_iou(truth, guess, 2, 255)[0] == 0


def test_boundary_iou_minds_a_ragged_outline_more_than_iou():
    truth = square(10, 10, 40, 60)
    ragged, hole = truth.copy(), truth.copy()
    ragged[10:50:2, 10] = ragged[10, 10:50:2] = 0
    hole[28:33, 28:36] = 0  # as many pixels, far from the outline
    both = {
        name: [
            f(truth[None], guess[None], 2)[1] for f in (metrics.iou_per_class, metrics.boundary_iou)
        ]
        for name, guess in {"ragged": ragged, "hole": hole}.items()
    }
    assert (
        both["ragged"][0] == pytest.approx(both["hole"][0], abs=2e-3) and both["ragged"][0] > 0.97
    )
    assert both["ragged"][1] < 0.85


def test_boundary_iou_counts_over_all_images_at_once():
    truth, guess = [square(), square(1, 1, 9)], [square(top=4), square(1, 1, 9)]
    # 8 of 24 and 32 of 32 pixels.
    assert metrics.boundary_iou(truth, guess, 2)[1] == pytest.approx((8 + 32) / (24 + 32))


def test_boundary_iou_does_not_see_what_is_guessed_in_void():
    truth, guess = square(), square(top=4)
    truth[8:, :] = 9
    values = []
    for label in (0, 1, 2):
        other = np.where(truth == 9, label, guess)
        values.append(metrics.boundary_iou(truth[None], other[None], 3, ignore_class=9))
        np.testing.assert_array_equal(values[-1], values[0])
    assert values[0][1] < 1 and np.isnan(values[0][2])
    good = np.where(truth == 9, 2, truth)
    np.testing.assert_array_equal(
        metrics.boundary_iou([truth], [good], 3, ignore_class=9), [1, 1, np.nan]
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.iwae_bound(None, np.zeros((1, 2)), 0), "k=0"),
        (lambda: metrics.iwae_bound(None, np.zeros((1, 2)), 1.5), "k=1.5"),
        (lambda: metrics.iwae_bound(None, np.array([[np.nan, 0.0]]), 1), "NaN"),
        (
            lambda: metrics.mean_iou(TRUTH, GUESS[:, :1], 3, 9),
            r"same shape. Received: \(1, 2, 3\) and \(1, 1, 3\)",
        ),
        (lambda: metrics.mean_iou(TRUTH, GUESS, 3), "`truth` holds labels 0 to 9, outside 0 to 2"),
        (
            lambda: metrics.mean_iou(TRUTH, GUESS, 2, 9),
            "void label named.* Received: ignore_class=9",
        ),
        (lambda: metrics.mean_iou(GUESS, -GUESS, 3), "`prediction` holds labels -2 to 0"),
        (lambda: metrics.mean_iou(-GUESS, GUESS, 3), "`truth` holds labels -2 to 0"),
        (lambda: metrics.mean_iou(TRUTH, GUESS / 2, 3, 9), "`prediction` must hold integer labels"),
        (lambda: metrics.mean_iou(TRUTH / 2, GUESS, 3, 9), "`truth` must hold integer.*float64"),
        (
            lambda: metrics.dice(TRUTH, GUESS[:, :1], 1),
            r"same shape. Received: \(1, 2, 3\) and \(1, 1, 3\)",
        ),
        (lambda: metrics.boundary_iou(TRUTH, GUESS[:, :1], 3, 9), r"same shape \(H, W\)"),
        (lambda: metrics.boundary_iou(TRUTH[0], GUESS[0], 3, 9), r"same shape \(H, W\).*\(3,\)"),
        (lambda: metrics.boundary_iou(TRUTH, [], 3, 9), "as many images. Received: 1 and 0"),
        (lambda: metrics.boundary_iou(TRUTH, GUESS, 3), "void label"),
        (lambda: metrics.boundary_iou(TRUTH, GUESS / 2, 3, 9), "integer labels"),
        (lambda: metrics.boundary_iou(TRUTH, GUESS, 3, 9, width=1), "width=1"),
        (lambda: metrics.boundary_iou(TRUTH, GUESS, 3, 9, width=0), "width=0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_gaps_counted_by_hand():
    halves = np.repeat([[0, 0, 0, 2, 2]], 3, axis=0)
    gaps = metrics.outline_gap([halves, np.zeros((3, 5), int)])
    np.testing.assert_array_equal(gaps[0], np.repeat([[3, 2, 1, 1, 2]], 3, axis=0))
    assert np.isinf(gaps[1]).all()
    corner = np.zeros((5, 5), int)
    corner[0, 0] = 1
    assert metrics.outline_gap([corner])[0, 3, 4] == 5.0  # the diagonal of 3 by 4


def test_speckle_counted_by_hand():
    truth = np.array([[[1, 1, 1, 2, 2], [0, 0, 0, 0, 0]]])
    answer = np.array([[[1, 2, 1, 1, 1], [0, 1, 0, 1, 0]]])
    # Of the first row three pairs count, the one across the outline does not: two are apart.
    assert metrics.speckle(truth, answer, truth > 0) == pytest.approx(2 / 3)
    assert metrics.speckle(truth, truth, truth > 0) == 0
    assert np.isnan(metrics.speckle(truth, answer, truth > 2))
