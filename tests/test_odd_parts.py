"""The study of notebook 13: which trainings it asks for, and what it says of their scores."""

import numpy as np
import pytest

from helpers import checkpoint
from helpers.experiments import odd_parts
from helpers.metrics import crossed_interval

MAPS = {
    "untrained": ["median filter", "PCA"],
    "VAE": ["VAE: residual", "VAE: restored, L1"],
    "denoising": ["denoising"],
}


def scores(name, steps, run):
    seed = [len(name), sum(map(ord, name)), steps, run]
    return np.random.default_rng(seed).random((2, 6))


def test_the_study_asks_for_each_training_once_and_goes_on_from_its_store(tmp_path):
    asked = []

    def point(kind, steps, run):
        asked.append((kind, steps, run))
        return {name: scores(name, steps, run) for name in MAPS[kind]}

    store = checkpoint.ResultStore(tmp_path)
    told = odd_parts.study(point, 10, store)
    trained = [
        (k, s, r) for k in ("VAE", "denoising") for s, r in [(5, 0), (10, 0), (10, 1), (10, 2)]
    ]
    assert sorted(asked) == sorted([("untrained", 0, 0), *trained])
    assert odd_parts.study(point, 10, store) == told and len(asked) == 9
    assert told["steps"] == 10 and told["runs"] == 3
    assert sorted(told["names"]) == sorted(name for names in MAPS.values() for name in names)

    best = np.array([scores("VAE: restored, L1", 10, run) for run in range(3)])
    denoising = np.array([scores("denoising", 10, run) for run in range(3)])
    median = scores("median filter", 0, 0)
    assert told["ap_vae_restored_l1"] == pytest.approx(crossed_interval(best[:, 0]))
    assert told["aupro_denoising"] == pytest.approx(crossed_interval(denoising[:, 1]))
    assert told["lead_denoising"] == pytest.approx(crossed_interval(best[:, 0] - denoising[:, 0]))
    assert told["lead_median_filter"] == pytest.approx(crossed_interval(best[:, 0] - median[0]))
    gain = denoising[:1, 0] - scores("denoising", 5, 0)[:1]
    assert told["longer_denoising"] == pytest.approx(crossed_interval(gain))
    assert "longer_pca" not in told


def test_keys_have_letters_and_underscores_only():
    assert odd_parts.key_of("VAE: restored, L1") == "vae_restored_l1"
    assert odd_parts.key_of("−ELBO") == "elbo"
