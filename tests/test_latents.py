"""helpers.experiments.latents: intervals over trainings, and claims by their sign; and train_once."""

from pathlib import Path

import numpy as np
import pytest

from authoring import weights
from helpers.data import records
from helpers.experiments import latents
from helpers.runs.results import read_results
from tests.test_weights import TINY, few_pictures  # noqa: F401  (a fixture)

ROOT = Path(__file__).resolve().parents[1]
ROWS = [f"{model}, {prior}" for model in ("one level", "trained on", "two levels")
        for prior in ("N(0, I)", "mixture")]  # fmt: skip


def fake(**shifts):
    """Scores and bounds of three trainings: every row the same, but for {row: {measure: shift}}."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(3, 4, len(latents.MEASURES))) * 0.01
    nats = rng.normal(size=(3, 50)) * 5
    scores, bounds = {}, {}
    for row in ROWS:
        shift = shifts.get(row, {})
        noise = rng.normal(size=base.shape) * 0.001
        scores[row] = [
            [
                {m: 0.8 + value + shift.get(m, 0) for m, value in zip(latents.MEASURES, one)}
                for one in sets
            ]
            for sets in base + noise
        ]
        more = rng.normal(size=nats.shape) * 0.1
        bounds[row] = [
            {key: 5000 + one + shift.get(key, 0) for key in latents.NATS} for one in nats + more
        ]
    return scores, bounds


def test_a_claim_is_positive_where_its_first_row_is_better():
    shift = {"distance": -0.2, "common": 100.0, "recall": -0.1}
    result = latents.summary(*fake(**{"two levels, mixture": shift}))
    claims = result["claims"]
    assert len(claims) == 7
    assert claims["second level, distance"]["word"] == "better"  # smaller
    assert claims["second level, distance"]["gain"] == pytest.approx(0.2, abs=0.01)
    assert claims["second level, common"]["gain"] == pytest.approx(100, abs=1)
    assert claims["second level, recall"]["word"] == "worse"
    for same in ("second level, precision", "further steps, common", "learned prior, whole"):
        assert claims[same]["word"] == "level"


def test_the_intervals_cover_trainings_and_sets():
    scores, bounds = fake()
    result = latents.summary(scores, bounds)
    mean, half = result["score"]["one level, mixture"]["precision"]
    values = np.array([[one["precision"] for one in sets] for sets in scores["one level, mixture"]])
    each = values.mean(axis=1)
    assert mean == pytest.approx(values.mean())
    assert half > 4.30 * each.std(ddof=1) / np.sqrt(3)  # t of three trainings, and the sets
    assert result["each"]["one level, mixture"]["precision"] == pytest.approx(each.tolist())
    text = latents.table(result)
    assert all(row in text for row in ROWS) and "second level, whole" in text


def test_one_training_at_its_whole_length_is_that_of_keep(tmp_path):
    note = weights.keep("tiny", TINY, tmp_path / "kept", tmp_path / "work", lambda line: None)
    once = weights.train_once("tiny", TINY, tmp_path / "once", tmp_path / "work", lambda line: None)
    with np.load(tmp_path / "kept" / "tiny.npz") as a, np.load(tmp_path / "once" / "tiny.npz") as b:
        for name in a.files:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-3, atol=1e-7)
    assert note["learning_curve"][-1]["steps"] == TINY["steps"]

    def never(line):
        raise AssertionError(f"trained again: {line}")

    again = weights.train_once("tiny", TINY, tmp_path / "once", tmp_path / "work", never)
    for one, other in zip(once.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    longer = TINY | {"steps": 80}
    with pytest.raises(AssertionError, match="trained again"):  # of another recipe
        weights.train_once("tiny", longer, tmp_path / "once", tmp_path / "work", never)


def test_a_vae_is_trained_on_from_the_weights_that_its_recipe_names(tmp_path):
    silent = {"folder": tmp_path, "work": tmp_path / "work", "say": lambda line: None}
    first = weights.train_once("tiny", TINY, **silent)
    still = TINY | {"start_from": "tiny", "learning_rate": 1e-12}
    second = weights.train_once("tiny-on", still, **silent)
    for one, other in zip(first.encoder.get_weights(), second.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_notebook_16_quotes_the_record_as_it_is():
    record = records.results_of("latents")
    stored = read_results(next((ROOT / "notebooks").glob("16_*.ipynb")))["results"]
    assert len(record["claims"]) == 7
    for claim, found in record["claims"].items():
        quoted = stored[f"study_{claim.replace(', ', '_').replace(' ', '_')}"]
        assert quoted == [found[key] for key in ("gain", "half", "p")], claim
    assert (
        stored["study_two_levels_mixture_common"]
        == record["score"]["two levels, mixture"]["common"]
    )
