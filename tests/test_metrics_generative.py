"""Measures of samples: cases by hand, no bias, and good before bad."""

import numpy as np
import pytest
from corruptions import corruptions

from helpers import metrics


def normal(n, shift=0.0, scale=1.0, seed=0, features=6):
    return shift + scale * np.random.default_rng(seed).normal(size=(n, features))


def test_polynomial_mmd_by_hand():
    real, fake = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    # k(a, b) = (ab + 1)³: inside 1 and 27, between (1 + 1 + 8 + 27) / 4.
    assert metrics.polynomial_mmd(real, fake) == pytest.approx(1 + 27 - 2 * 37 / 4)
    assert metrics.polynomial_mmd(real, fake, degree=1) == pytest.approx(1 + 3 - 2 * 7 / 4)


def test_polynomial_mmd_has_no_bias():
    found = [
        metrics.polynomial_mmd(normal(20, seed=2 * i), normal(40, seed=2 * i + 1))
        for i in range(400)
    ]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 4 * error
    assert min(found) < 0


def test_polynomial_mmd_orders_good_before_bad():
    real = normal(300)
    near, far = (metrics.polynomial_mmd(real, normal(300, s, seed=1)) for s in (0.3, 1.0))
    narrow = metrics.polynomial_mmd(real, normal(300, scale=0.3, seed=1))
    good = metrics.polynomial_mmd(real, normal(300, seed=1))
    assert abs(good) < near < far and good < narrow


def test_precision_and_recall_by_hand():
    real, fake = np.array([[0.0], [1.0], [2.0], [10.0]]), np.array([[0.5], [1.5], [30.0], [31.0]])
    # Balls of the first neighbour: reach 1, 1, 1, 8 around the real; 1, 1, 1, 1 around the fake.
    # 0.5 and 1.5 lie in a real ball, 30 and 31 do not; 0, 1 and 2 lie in a fake one, 10 does not.
    assert metrics.precision_recall(real, fake, k=1) == (0.5, 0.75)


def test_precision_and_recall_tell_faults_apart():
    real = normal(400)
    good = metrics.precision_recall(real, normal(400, seed=1))
    one_mode = metrics.precision_recall(real, normal(400, scale=0.2, seed=1))
    wide = metrics.precision_recall(real, normal(400, scale=3.0, seed=1))
    away = metrics.precision_recall(real, normal(400, shift=50.0, seed=1))
    assert min(good) > 0.6
    assert one_mode[0] > good[0] - 0.05 and one_mode[1] < 0.5 * good[1]
    assert wide[0] < 0.5 * good[0] and wide[1] > good[1] - 0.05
    assert away == (0, 0)
    assert metrics.precision_recall(real, real) == (1, 1)


def test_variance_ratio_by_hand():
    real = np.array([[0.0, 0.0], [2.0, 4.0]])  # variances 1 and 4
    assert metrics.variance_ratio(real, np.array([[0.0, 0.0], [1.0, 0.0]])) == pytest.approx(0.05)
    assert metrics.variance_ratio(real, np.ones((3, 2))) == 0
    assert metrics.variance_ratio(real, real[::-1]) == 1


def test_block_mean_by_hand_and_blind_to_blur():
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    np.testing.assert_allclose(metrics.block_mean(x, 2), [[2.5, 4.5, 10.5, 12.5]])
    spots = np.zeros((60, 16, 16, 1))
    for i, (row, column) in enumerate(np.random.default_rng(0).integers(4, 12, (60, 2))):
        spots[i, row - 4 : row + 4, column - 4 : column + 4] = 1
    made = corruptions(spots, np.zeros(60, int))
    share = {
        n: metrics.variance_ratio(*map(metrics.block_mean, (spots, a))) for n, a in made.items()
    }
    assert 0.6 < share["blurred"] < 1.01 and share["mean picture"] == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="multiples of 4"):
        metrics.block_mean(np.zeros((1, 6, 8, 3)))


def test_standardise_uses_the_reference_alone():
    reference = np.array([[0.0, 5.0, 1.0], [2.0, 5.0, 3.0]])
    first, second = metrics.standardise(reference, np.array([[1.0, 9.0, 4.0]]))
    np.testing.assert_allclose(first, [[-1, -1], [1, 1]])  # the constant one is left out
    np.testing.assert_allclose(second, [[0, 2]])


def test_gradient_energy_by_hand_and_in_order():
    stripes = np.zeros((1, 4, 4, 1))
    stripes[:, :, ::2] = 1
    assert metrics.gradient_energy(stripes) == pytest.approx([0.5])
    assert metrics.gradient_energy(np.full((2, 4, 4, 3), 0.3)) == pytest.approx([0, 0])
    x = np.random.default_rng(0).random((4, 16, 16, 3))
    made = corruptions(x, np.zeros(4, int))
    energy = {name: metrics.gradient_energy(a).mean() for name, a in made.items()}
    assert energy["blurred"] < metrics.gradient_energy(x).mean()
    assert energy["mean picture"] < energy["pure noise"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.polynomial_mmd(np.ones((1, 2)), np.ones((3, 2))), "`real` must be"),
        (lambda: metrics.polynomial_mmd(np.ones((3, 2)), np.ones((3, 4))), r"\(N, 2\)"),
        (lambda: metrics.polynomial_mmd(np.ones((3, 2)), np.full((3, 2), np.nan)), "not finite"),
        (lambda: metrics.precision_recall(np.ones((3, 2)), np.ones((9, 2))), "N ≥ 4"),
        (lambda: metrics.precision_recall(np.ones((9, 2)), np.ones((9, 2)), k=0), "k=0"),
        (lambda: metrics.standardise(np.ones((5, 2))), "no feature"),
        (lambda: metrics.gradient_energy(np.ones((5, 2))), r"\(N, H, W, C\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_power_of_a_wave_stands_at_its_frequency():
    wave = np.cos(2 * np.pi * 3 * np.arange(16) / 16)
    images = np.broadcast_to(wave[None, None, :, None], (2, 16, 16, 3)) + 0.4
    power = metrics.power_spectrum(images)
    assert power.shape == (8,)
    assert np.argmax(power) == 2  # frequency 3 is the third entry
    assert np.delete(power, 2) == pytest.approx(0, abs=1e-20)
    # Two of the 256 frequencies hold all of it, 16²/2 · ½ each side: their ring's mean.
    f = np.fft.fftfreq(16) * 16
    members = (np.rint(np.hypot(f[:, None], f)) == 3).sum()
    assert power[2] == pytest.approx(256 * 0.5 / members)


def test_power_of_white_noise_is_flat():
    images = np.random.default_rng(0).normal(0, 0.3, (400, 16, 16, 3))
    assert metrics.power_spectrum(images) == pytest.approx(0.09 / 3, rel=0.1)


def test_power_wants_square_images():
    with pytest.raises(ValueError, match="H, H, C"):
        metrics.power_spectrum(np.zeros((1, 4, 5, 1)))


def test_distance_to_regions_by_hand():
    means, sigmas = np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[1.0, 2.0], [0.5, 1.0]])
    points = np.array([[0.0, 0.0], [3.0, 8.0], [9.0, 1.0]])
    found = metrics.distance_to_regions(points, means, sigmas)
    np.testing.assert_allclose(found, [0, 5, np.sqrt(2**2 + 1)])


def test_corruptions_are_what_they_are_called():
    x = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3)).astype("uint8")
    labels = np.arange(30) % 3 + 1
    made = corruptions(x, labels)
    assert all(a.shape == x.shape and a.dtype == "float32" for a in made.values())
    assert all(a.min() >= 0 and a.max() <= 1 for a in made.values())
    assert len(np.unique(made["one class"], axis=0)) == 10
    assert len(np.unique(made["ten pictures"], axis=0)) == 10
    assert np.ptp(made["mean picture"], axis=0).max() == 0
    np.testing.assert_allclose(made["one class"][1], x[3] / 255, rtol=1e-5)
