"""Probes and spectra against hand-computed values."""

import math

import numpy as np
import pytest

from helpers import metrics


def test_interval_by_hand():
    # 1, 2, 3: mean 2, sample deviation 1; t(0.975, 2) = 4.30265.
    mean, half = metrics.confidence_interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)


def test_interval_holds_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(5.0, 2.0, (2000, 4))
    hits = [
        abs(mean - 5.0) <= half
        for mean, half in (metrics.confidence_interval(row) for row in draws)
    ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.015)


def test_interval_of_one_value_has_no_width():
    assert metrics.confidence_interval([7]) == (7.0, 0.0)


@pytest.mark.parametrize(
    ("values", "level", "message"),
    [([], 0.95, "N ≥ 1"), ([[1.0]], 0.95, "N ≥ 1"), ([1.0, 2.0], 1.0, "between 0 and 1")],
)
def test_interval_refuses(values, level, message):
    with pytest.raises(ValueError, match=message):
        metrics.confidence_interval(values, level)


def test_interval_is_that_of_scipy():
    from scipy import stats

    values = np.random.default_rng(0).normal(5.0, 2.0, 6)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    mean, half = metrics.confidence_interval(values, 0.9)
    assert (mean - half, mean + half) == pytest.approx((low, high), rel=1e-12)


def test_a_paired_difference_by_hand():
    shared = np.array([0.0, 10.0, 20.0])
    ahead = metrics.paired_difference(shared + np.array([1.0, 2.0, 3.0]), shared)
    assert ahead == (2.0, pytest.approx(4.302653 / math.sqrt(3), rel=1e-6), "level")
    assert metrics.paired_difference(shared + np.array([2.0, 2.5, 3.0]), shared).word == "ahead"
    assert metrics.paired_difference(shared, shared + np.array([2.0, 2.5, 3.0])).word == "behind"
    assert metrics.paired_difference([1, 2], [1, 2]) == (0.0, 0.0, "level")
    assert metrics.paired_difference([5], [1]) == (4.0, 0.0, "level")  # a single seed
    assert metrics.paired_difference([1, math.nan], [0, 1]).word == "level"
    with pytest.raises(ValueError, match=r"same seeds.*\(1,\) and \(2,\)"):
        metrics.paired_difference([1], [1, 2])


def test_balanced_takes_the_first_of_each_class():
    labels = np.array([2, 0, 0, 1, 2, 1, 0, 1, 2])
    assert metrics.balanced_subset(labels, 6).tolist() == [1, 2, 3, 5, 0, 4]
    assert metrics.balanced_subset(labels, 8).tolist() == [1, 2, 3, 5, 0, 4]


def test_balanced_says_which_class_is_short():
    with pytest.raises(ValueError, match="class 1 has fewer than 2"):
        metrics.balanced_subset([0, 0, 1], 4)
    with pytest.raises(ValueError, match="n ≥ 2"):
        metrics.balanced_subset([0, 1], 1)


def test_probe_value_is_one_for_linear_features_and_zero_for_noise():
    rng = np.random.default_rng(0)
    features, held = (
        rng.normal(size=(500, 3)) * [1, 100, 0.01],
        rng.normal(size=(500, 3)) * [1, 100, 0.01],
    )
    weights = [1.0, 0.02, 300.0]
    assert metrics.probe_regression(features, features @ weights, held, held @ weights) > 0.999
    assert (
        abs(metrics.probe_regression(features, rng.normal(size=500), held, rng.normal(size=500)))
        < 0.05
    )


def test_probe_value_does_not_depend_on_the_unit_of_a_feature():
    rng = np.random.default_rng(1)
    a, b, truth, held = (rng.normal(size=s) for s in ((60, 2), (40, 2), 60, 40))
    scaled = [part * [1000.0, 1.0] + [5.0, 0.0] for part in (a, b)]
    assert metrics.probe_regression(scaled[0], truth, scaled[1], held) == pytest.approx(
        metrics.probe_regression(a, truth, b, held), abs=1e-9
    )


def test_probe_class_separates_what_can_be_separated():
    rng = np.random.default_rng(0)
    truth, held = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
    centres = np.array([[4.0, 0], [0, 4], [-4, -4]])
    features, held_features = (centres[t] + 0.3 * rng.normal(size=(300, 2)) for t in (truth, held))
    assert metrics.probe_classes(features, truth, held_features, held) == 1.0
    shuffled = rng.permutation(truth)
    assert metrics.probe_classes(features, shuffled, held_features, held) < 0.5


def test_probe_refuses_features_of_other_widths():
    with pytest.raises(ValueError, match=r"\(4, 2\) and \(4, 3\)"):
        metrics.probe_regression(np.zeros((4, 2)), np.zeros(4), np.zeros((4, 3)), np.zeros(4))


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


def _arms(**means):
    rng = np.random.default_rng(0)
    shared = 0.05 * rng.normal(size=5)
    return {arm: m + shared + 0.002 * rng.normal(size=5) for arm, m in means.items()}


def test_verdict_needs_a_lead_over_the_best_twin():
    arms = {"random, frozen": 0.2, "random": 0.5}
    cases = {
        "the VAE helps": {"autoencoder": 0.55, "denoising": 0.56, "VAE": 0.6},
        "pretraining helps": {"autoencoder": 0.55, "denoising": 0.6, "VAE": 0.59},
        "nothing helps": {"autoencoder": 0.45, "denoising": 0.4, "VAE": 0.48},
    }
    for word, more in cases.items():
        result = metrics.verdict(_arms(**arms, **more))
        assert result["word"] == word
    assert metrics.verdict(_arms(**arms, **cases["pretraining helps"]))["rival"] == "denoising"
    single = {k: v[:1] for k, v in _arms(**arms, **cases["the VAE helps"]).items()}
    assert metrics.verdict(single)["word"] == "nothing helps"
