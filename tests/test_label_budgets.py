"""The study of label budgets: which trainings it asks for, and what it says of them."""

import numpy as np
import pytest

from helpers.checkpoint import ResultStore
from helpers.experiments import label_budgets
from helpers.experiments.label_budgets import OTHER_RUNS, RATES

STARTS = ["fresh", "denoising", "VAE", "VAE + term"]


def run(lead, seeds=4, budgets=(10, 40), noise=0.02, name="labels"):
    """A study whose scores are made up: the VAE leads fresh weights by `lead`, denoising by 0."""
    asked = []

    def scores(start, budget, run, length, rate, term):
        asked.append((start, budget, run, length, rate, term))
        if (start, budget, run) == ("VAE, slow start", 40, 1):
            raise FloatingPointError("diverged")
        rng = np.random.default_rng([run, budget, len(start), length == "longer", 1])
        better = 0.0 if start == "fresh" else lead
        return list(0.5 + better + rng.normal(0, noise, 50))

    def choosing_score(start, budget, run, rate, term):
        if term == 0.0003:
            raise FloatingPointError("diverged")
        if (rate, term) == (RATES[0], 0.003):
            return 1.0
        lucky = 0.1 * (1 - 2 * run) if rate == RATES[1] else 0.0  # the second takes it back
        likes_high = (start == "fresh" and budget < 40) or (
            name == "joint" and start.startswith("VAE")
        )
        return lucky + (rate if likes_high else -rate)

    told = label_budgets.study(
        name, STARTS, list(budgets), seeds, choosing_score, scores, [0.25] * 50, ResultStore("")
    )
    return told, asked


def test_every_start_has_its_own_learning_rate_at_every_budget():
    told, asked = run(0.0)
    low, high = ((rate, 0.03) for rate in RATES)
    assert told["choices"] == [[high, low], [low] * 2, [low] * 2, [(RATES[0], 0.003)] * 2]
    assert {(a[0], a[1], *a[4:]) for a in asked} == {
        (start, budget, *choice)
        for start, row in zip(STARTS, told["choices"])
        for budget, choice in zip((10, 40), row)
    }


def test_all_starts_have_the_same_budgets_and_seeds_and_two_have_two_lengths():
    _, asked = run(0.0, seeds=2, budgets=(5, 10, 40))
    longer = {(a[0], a[1], a[2]) for a in asked if a[3] == "longer"}
    assert longer == {(s, b, r) for s in STARTS for b in (5, 10, 40) for r in (0, 1)}
    twice = {(a[0], a[1]) for a in asked if a[3] == "twice"}
    assert twice == {("fresh", 40), ("VAE", 40)}
    shorter = {(a[0], a[1]) for a in asked if a[3] == "shorter"}
    assert shorter == {(s, b) for s in ("denoising", "VAE") for b in (10, 40)}
    assert len(asked) == len(set(asked))


def test_starts_without_a_claim_have_fewer_seeds_and_so_has_the_shorter_pretraining():
    _, asked = run(0.0, seeds=OTHER_RUNS + 2)
    runs = {start: {a[2] for a in asked if a[0] == start and a[3] == "longer"} for start in STARTS}
    assert runs["VAE + term"] == set(range(OTHER_RUNS))
    assert all(runs[start] == set(range(OTHER_RUNS + 2)) for start in STARTS[:3])
    assert {a[2] for a in asked if a[3] != "longer"} == set(range(OTHER_RUNS))


@pytest.mark.parametrize(("lead", "found"), [(0.2, True), (0.0, False)])
def test_a_lead_is_found_where_there_is_one(lead, found):
    told, _ = run(lead)
    for mean, half, p, visible in told["claim_pretraining"]:
        assert (p < 0.05) == found and visible > half
        assert abs(mean - lead) < 2 * half
    assert all(p >= 0.05 for _, _, p, _ in told["claim_objective"])


def test_p_values_are_corrected_over_both_claims_and_all_budgets():
    found = {
        (start, b, length): np.random.default_rng([b, len(start), length == "longer"]).normal(
            0.01 * (start == "VAE"), 0.03, (5, 60)
        )
        for start in STARTS
        for b in (10, 40)
        for length in ("longer", "shorter", "twice")
    }
    told = label_budgets.summary(found, STARTS, [10, 40])
    from helpers import metrics

    raw = [
        metrics.crossed_p_value(found["VAE", b, "longer"] - found[other, b, "longer"])
        for other in ("fresh", "denoising")
        for b in (10, 40)
    ]
    said = [row[2] for claim in ("pretraining", "objective") for row in told["claim_" + claim]]
    assert said == pytest.approx(list(metrics.holm(raw)))
    assert max(said) >= max(raw) and min(said) == pytest.approx(min(1, 4 * min(raw)))


def test_a_training_that_diverges_is_not_chosen():
    def score(start, budget, run, rate, term):
        if rate == RATES[1] and run == 1:
            raise FloatingPointError("NaN")
        return 0.9 if rate == RATES[1] else 0.4

    assert label_budgets.choose("VAE", 10, score, ResultStore(""))[0] == RATES[0]


def test_a_training_that_diverges_has_the_scores_of_no_look_and_is_counted():
    told, _ = run(0.0, name="joint")
    assert told["diverged_VAE_slow_start"] == [0, 1]
    assert told["diverged_VAE"] == told["diverged_VAE_term"] == [0, 0]
    few, many = (row[0] for row in told["score_VAE_slow_start"])
    assert few == pytest.approx(0.5, abs=0.02) and many == pytest.approx(
        (3 * 0.5 + 0.25) / 4, abs=0.02
    )


def test_the_table_names_claim_budget_and_what_was_visible():
    told, _ = run(0.2)
    lines = label_budgets.claims_table(told).splitlines()
    assert len(lines) == 4 and lines[0].startswith("VAE − fresh,    10 masks: +0.")
    assert (
        "corrected p" in lines[2] and "VAE − denoising" in lines[2] and "visible from" in lines[3]
    )


def test_the_study_of_the_joint_loss_has_its_own_starts_claims_and_rates():
    told, asked = run(0.0, seeds=OTHER_RUNS + 1, name="joint")
    low = RATES[0]
    assert told["starts"] == ["VAE", "VAE + term", "VAE, slow start"]
    high = (RATES[1], 0.03)
    assert told["choices"] == [[high] * 2, [(low, 0.003)] * 2, [(low, 0.03)] * 2]
    longer = {(a[0], a[1], a[2]) for a in asked if a[3] == "longer"}
    assert longer == {(s, b, r) for s in told["starts"] for b in (10, 40) for r in range(4)}
    others = {(a[0], a[1], a[3]) for a in asked if a[3] != "longer"}
    assert others == {("VAE", 40, "twice"), ("VAE + term", 40, "twice")}
    assert len(told["claim_term"]) == len(told["claim_same_care"]) == 2
    assert "twice_VAE_term" in told and not any(key.startswith("longer") for key in told)
    lines = label_budgets.claims_table(told, label_budgets.JOINT).splitlines()
    assert len(lines) == 4 and lines[2].startswith("VAE + term − VAE, slow start,    10 masks: ")
