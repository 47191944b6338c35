"""Maps of odd pixels: how each chooses its setting, which trainings the study asks for, what it says."""

from pathlib import Path

import numpy as np
import pytest

from helpers import checkpoint, metrics, models
from helpers.data import records
from helpers.experiments import odd_parts
from helpers.metrics import crossed_interval, crossed_p_value
from helpers.runs.results import read_results

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
MAPS = {
    "VAE": ["VAE: residual", "VAE: restored, L1"],
    "autoencoder": ["autoencoder: residual", "autoencoder: restored, L1"],
    "denoising": ["denoising: residual"],
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
    lengths = [(5, 0), (10, 0), (10, 1), (10, 2)]
    assert sorted(asked) == sorted((k, s, r) for k in odd_parts.TRAINED for s, r in lengths)
    assert odd_parts.study(point, 10, store) == told and len(asked) == 12
    assert told["steps"] == 10 and told["runs"] == 3
    assert sorted(told["names"]) == sorted(name for names in MAPS.values() for name in names)

    def whole(name):
        return np.array([scores(name, 10, run) for run in range(3)])

    restored, denoising = whole("VAE: restored, L1"), whole("denoising: residual")
    assert told["ap_vae_restored_l1"] == pytest.approx(crossed_interval(restored[:, 0]))
    assert told["aupro_denoising_residual"] == pytest.approx(crossed_interval(denoising[:, 1]))
    gain = denoising[:1, 0] - scores("denoising: residual", 5, 0)[:1]
    assert told["longer_denoising_residual"] == pytest.approx(crossed_interval(gain))
    leads = [whole(a)[:, 0] - whole(b)[:, 0] for a, b in odd_parts.CONTRASTS]
    for lead, (mean, half, corrected) in zip(leads, told["contrasts"], strict=True):
        assert (mean, half) == pytest.approx(crossed_interval(lead))
        assert corrected >= crossed_p_value(lead)  # three were looked at
    smallest = min(crossed_p_value(lead) for lead in leads)
    assert min(p for *_, p in told["contrasts"]) == pytest.approx(min(1, 3 * smallest))


def test_keys_have_letters_and_underscores_only():
    assert odd_parts.key_of("VAE: restored, L1") == "vae_restored_l1"
    assert odd_parts.key_of("−ELBO") == "elbo"


def test_each_method_chooses_on_the_other_pictures_only():
    rng = np.random.default_rng(0)
    masks = np.zeros((4, 12, 12), "uint8")
    masks[:, 4:8, 4:8] = 1
    tuning = rng.normal(size=(4, 12, 12, 1)) + masks[..., None]
    shown = np.zeros((3, 12, 12, 1))
    shown[:, 6, 6] = 1
    asked = []

    def map_of(x, sign):
        asked.append((len(x), sign))
        return sign * x[..., 0]

    methods = {"sign": (map_of, (-1, 1)), "constant": (lambda x, _: np.zeros(x.shape[:3]), (5, 6))}
    maps, chosen = odd_parts.best_maps(methods, tuning, masks, shown)
    assert asked == [(4, -1), (4, 1), (3, 1)]
    sign, width = chosen["sign"]
    assert sign == 1 and width in (1, 2)  # noise of single pixels on a square of four
    np.testing.assert_allclose(maps["sign"], odd_parts.smooth(shown[..., 0], width))
    assert chosen["constant"] == (5, 0)  # all alike: the first


def test_smoothing_stays_within_a_picture():
    maps = np.zeros((2, 9, 9))
    maps[0, 4, 4] = 1
    smoothed = odd_parts.smooth(maps, 1)
    assert smoothed[0].sum() == pytest.approx(1) and smoothed[0, 4, 4] < 0.2
    assert (smoothed[1] == 0).all()
    np.testing.assert_array_equal(odd_parts.smooth(maps, 0), maps)


def test_scores_of_each_kind_are_those_of_its_pictures_alone():
    rng = np.random.default_rng(3)
    maps, masks = {"one": rng.random((9, 4, 4))}, rng.integers(0, 2, (9, 4, 4))
    found = odd_parts.scores_by_kind(maps, masks, np.arange(9) % 3)
    assert list(found) == ["all flaws", "scratch", "blot", "foreign"]
    blots = metrics.average_precision_by_image(maps["one"][1::3], masks[1::3])
    np.testing.assert_allclose(found["blot"]["one"], blots)
    assert list(odd_parts.scores_by_kind(maps, masks)) == ["all flaws"]


def test_an_autoencoder_shares_the_weights_and_the_likelihood_of_the_vae():
    options = {"latent": 2, "hidden": 3, "likelihood": "gaussian", "sigma": 0.1, "seed": 0}
    vae = models.dense_vae((4, 4, 1), **options)
    x = np.random.default_rng(0).random((5, 4, 4, 1), "float32")
    model, loss = odd_parts.without_draw(vae)
    r = model.predict(x, verbose=0)
    np.testing.assert_allclose(r, vae.predict(x, verbose=0), rtol=1e-5)
    mean, _ = vae.encode(x)
    np.testing.assert_allclose(loss(x, r), vae.reconstruction_nll(x, mean), rtol=1e-5)
    before = vae.decoder.get_weights()
    model.compile("adam", loss, run_eagerly=True)
    model.fit(x, x, verbose=0)
    assert any((a != b).any() for a, b in zip(before, vae.decoder.get_weights()))


def test_notebook_13_quotes_the_record_as_it_is():
    record = records.results_of("strange_parts")
    stored = read_results(next(NOTEBOOKS.glob("13_*.ipynb")))["results"]
    assert len(record["contrasts"]) == len(odd_parts.CONTRASTS)
    assert stored["study_contrasts"] == record["contrasts"]
    assert record["steps"] == stored["study_steps"] and record["runs"] == odd_parts.RUNS
