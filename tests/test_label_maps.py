"""Scores of label maps against counting by hand, and what such maps cost in bits."""

import warnings

import keras
import numpy as np
import pytest

from helpers import metrics

RNG = np.random.default_rng(0)
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


def test_mean_iou_agrees_with_that_of_keras():
    truth, guess = RNG.integers(0, 5, (4, 20, 20)), RNG.integers(0, 5, (4, 20, 20))
    guess[guess == 4] = 0  # the classes differ in their IoU
    keras_counts = keras.metrics.MeanIoU(5)
    keras_counts.update_state(truth, guess)
    assert metrics.mean_iou(truth, guess, 5) == pytest.approx(
        float(keras_counts.result()), rel=1e-6
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
    wide = np.array([[0, 65535, 65534, 2]], "uint16")  # counts need no table of all labels
    assert metrics.pixel_accuracy(wide, wide[:, [0, 0, 2, 0]], ignore_class=65535) == 2 / 3
    with pytest.raises(ValueError, match="`truth` holds labels -1 to 0"):
        metrics.pixel_accuracy([0, -1], [0, 0])
    np.testing.assert_allclose(metrics.dice(TRUTH, GUESS, 1), [2 * 2 / (2 + 3)])
    np.testing.assert_allclose(metrics.dice(TRUTH.tolist(), GUESS.tolist(), 1), [2 * 2 / (2 + 3)])
    np.testing.assert_allclose(metrics.dice(TRUTH, GUESS, 7), [1.0])


def test_pixel_accuracy_of_nothing_is_refused():
    for truth in (np.zeros(0, int), np.array([9, 9])):
        with pytest.raises(ValueError, match="no pixel counts"):
            metrics.pixel_accuracy(truth, np.zeros_like(truth), ignore_class=9)


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
        (
            lambda: metrics.mean_iou(TRUTH, GUESS[:, :1], 3, 9),
            r"same shape. Received: \(1, 2, 3\) and \(1, 1, 3\)",
        ),
        (lambda: metrics.mean_iou(TRUTH, GUESS, 3), "`truth` holds labels 0 to 9, outside 0 to 2"),
        (lambda: metrics.mean_iou(TRUTH * 0 + 9, GUESS, 3, 9), "no pixel counts.* void"),
        (lambda: metrics.mean_iou(TRUTH[:0], GUESS[:0], 3), "no pixel counts"),
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


def test_bits_of_maps_without_surprise_are_none():
    assert metrics.label_bits(np.zeros((5, 8, 8), int), 4) == pytest.approx(0, abs=1e-9)
    for label in (6, 255, -1):
        with pytest.raises(ValueError, match=f"labels 0 to 4. Received: .*{label}"):
            metrics.label_bits(np.array([[[0, label]]]), 4)


def test_bits_of_noise_are_those_of_the_pixels():
    maps = np.random.default_rng(0).integers(0, 4, (200, 32, 32))
    assert metrics.label_bits(maps, 4) == pytest.approx(32 * 32 * 2, rel=0.01)


def test_bits_fall_when_pixels_agree():
    rough = np.random.default_rng(0).integers(0, 3, (20, 4, 4))
    smooth = rough.repeat(8, 1).repeat(8, 2)
    fine = np.random.default_rng(1).integers(0, 3, smooth.shape)
    assert metrics.label_bits(smooth, 3) < 0.3 * metrics.label_bits(fine, 3)


def test_five_scores_by_hand():
    truth = np.zeros((2, 4, 4), int)
    truth[0, 1:3, 1:3] = 1
    truth[0, 0] = 9
    assert metrics.label_map_scores(
        truth, np.where(truth == 9, 1, truth), 2, ignore_class=9
    ) == pytest.approx(1.0)
    none = metrics.label_map_scores(truth, np.zeros_like(truth), 2, ignore_class=9)
    assert none[0] == pytest.approx(24 / 28)  # 28 pixels count, four are of class 1
    assert none[1] == pytest.approx((24 / 28 + 0) / 2)
    assert none[2] == pytest.approx((2 * 8 / 20 + 1 + 0 + 1) / 4)  # class 1: none there in image 1
    assert none[4] == 0
    assert len(none) == len(metrics.LABEL_MAP_SCORES)


def test_scores_of_lists_are_those_of_arrays():
    truth = [np.array([[0, 255], [1, 1]])]
    answer = [np.array([[0, 1], [1, 1]])]
    of_lists = metrics.label_map_scores(truth, answer, 2, 255)
    np.testing.assert_array_equal(of_lists, 1)
    np.testing.assert_array_equal(
        of_lists, metrics.label_map_scores(np.array(truth), np.array(answer), 2, 255)
    )
