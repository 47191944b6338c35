"""The studies of notebook 09: several starts of one network, with few labels and with many.

The notebook has the functions that train. Here is which trainings belong to a study, and what is
said of them: two claims that were named beforehand, judged by one rule, with intervals over seeds
and pictures and p-values after Holm's correction. One study asks whether a pretraining helps, the
other whether the VAE's loss beside the head's does.
"""

from functools import partial

import numpy as np

from helpers import metrics

RATES = (0.01, 0.02)  # to choose from, for every start; in a trial 0.003 and 0.03 were worse
TERMS = (0.0003, 0.003, 0.03)  # weights of the VAE's term to choose from
CAREFUL = ("VAE + term", "VAE, slow start")  # at RATES[0] alone: at 0.02 even so some diverged
CLAIMS = {"pretraining": ("VAE", "fresh"), "objective": ("VAE", "denoising")}
# Of the study of the joint loss: against the VAE trained as in the other study, and against the VAE
# trained as the two losses together need it.
JOINT = {"term": ("VAE + term", "VAE"), "same_care": ("VAE + term", "VAE, slow start")}
LEVEL = 0.05
CHOOSING_RUNS = 2  # trainings that a learning rate is chosen by: one alone may be a lucky one
OTHER_RUNS = 3  # seeds of the starts that no claim is about, and of other lengths


def choose(start, budget, score, store):
    """Learning rate and weight of the VAE's term with the best score where one may choose.

    A pair with a training that diverges is not chosen, unless each has one.

    Args:
        start: name of a start. Only "VAE + term" chooses its weight, too, and those of `CAREFUL`
            choose no rate.
        budget: number of labelled pictures: a learning rate that suits few may ruin many.
        score: function of (start, budget, run, learning rate, weight) → a number, more is better;
            it may raise FloatingPointError.
        store: a `checkpoint.ResultStore`.

    Returns:
        (learning rate, weight).
    """
    rates = RATES[:1] if start in CAREFUL else RATES
    terms = TERMS if start == "VAE + term" else (0.03,)  # the others do not read it
    pairs = [(rate, term) for rate in rates for term in terms]
    if len(pairs) == 1:
        return pairs[0]
    found = {}
    for pair in pairs:
        keys = [[start, budget, run, *pair] for run in range(CHOOSING_RUNS)]
        scores = [store.result("choose", partial(_or_none, score, key), key=key) for key in keys]
        found[pair] = -np.inf if None in scores else np.mean(scores)
    return max(found, key=found.get)


def _or_none(score, key):
    """The score, or None of a training that diverged."""
    try:
        return score(*key)
    except FloatingPointError:
        return None


def study(name, starts, budgets, seeds, choosing_score, scores, no_look, store):
    """Run a study, or read what a store has of it, and sum it up.

    Args:
        name: "labels", whose claims are `CLAIMS`, or "joint", of the claims `JOINT` and their
            starts alone.
        starts: names of starts, among them those of `CLAIMS`; not read for "joint".
        budgets: numbers of labelled pictures.
        seeds: of heads and labelled pictures, for the starts of the claims; the others have at most
            `OTHER_RUNS`.
        choosing_score: see `choose`.
        scores: function of (start, budget, run, length, learning rate, weight) → a score of each
            held-out picture, `(N,)`. `length` is "longer"; "shorter" for a pretraining of half the
            steps, asked of "VAE" and "denoising" at two budgets; or "twice" for a head that is
            trained for twice as many steps, asked of the starts of the first claim at the last
            budget. It may raise FloatingPointError.
        no_look: scores `(N,)` of an answer without a look at the pictures. A training that
            diverges gets them.
        store: a `checkpoint.ResultStore`.

    Returns:
        See `summary`; and `choices`, learning rate and weight of each start at each budget, and
        `diverged_<start>`, how many of its trainings did, at every budget.
    """
    claims = {"labels": CLAIMS, "joint": JOINT}[name]
    claimed = {start for pair in claims.values() for start in pair}
    starts = sorted(claimed) if name == "joint" else starts
    choices = {
        (start, budget): choose(start, budget, choosing_score, store)
        for budget in budgets
        for start in starts
    }
    found = {}
    for run in range(seeds):
        few = run < OTHER_RUNS
        for budget in budgets:
            for start in [s for s in starts if few or s in claimed]:
                lengths = ["longer"]
                if few and start in claims.get("objective", ()) and budget in compared(budgets):
                    lengths.append("shorter")
                if few and start in _first(claims) and budget == budgets[-1]:
                    lengths.append("twice")
                for length in lengths:
                    key = [start, budget, run, length, *choices[start, budget]]
                    value = store.result("score", partial(_or_none, scores, key), key=key)
                    found.setdefault((start, budget, length), []).append(value)
    chosen = [[choices[start, budget] for budget in budgets] for start in starts]
    diverged = {
        "diverged_" + key_of(start): [found[start, b, "longer"].count(None) for b in budgets]
        for start in starts
    }
    found = {
        key: np.array([no_look if row is None else row for row in rows])
        for key, rows in found.items()
    }  # (seeds, N) each
    return summary(found, starts, budgets, claims) | diverged | {"choices": chosen}


def _first(claims):
    """The two starts of the first claim."""
    return next(iter(claims.values()))


def compared(budgets):
    """The budgets at which both lengths of pretraining are asked: the second and the last."""
    return sorted({budgets[min(1, len(budgets) - 1)], budgets[-1]})


def summary(found, starts, budgets, claims=CLAIMS):
    """What is said of the scores of a study.

    Args:
        found: dictionary from (start, budget, length) to scores `(seeds, N)`; lengths other than
            "longer" may have fewer seeds.
        starts, budgets: see `study`.
        claims: `CLAIMS` or `JOINT`.

    Returns:
        Dictionary. `score_<start>`: mean and half width at every budget. `claim_<name>`: at every
        budget the mean difference, its half width, its p-value after Holm's correction over all
        claims and budgets, and the half width at the first of Holm's levels: a true difference
        below it would hardly have been found. `longer_<start>`, not of `JOINT`: what twice the
        steps of pretraining changed, at the budgets of `compared`. `twice_<start>`: what twice the
        steps of the head changed, at the last budget.
    """
    told = {"labels": list(budgets), "starts": list(starts)}
    for start in starts:
        rows = [metrics.crossed_interval(found[start, b, "longer"]) for b in budgets]
        told["score_" + key_of(start)] = rows
    apart = {
        (claim, b): found[one, b, "longer"] - found[other, b, "longer"]
        for claim, (one, other) in claims.items()
        for b in budgets
    }  # (seeds, N) each
    for key, row in metrics.contrasts(apart).items():
        visible = metrics.crossed_interval(apart[key], 1 - LEVEL / len(apart))[1]
        numbers = [row["gain"], row["half"], row["p"], visible]
        told.setdefault("claim_" + key[0], []).append(numbers)
    for start in claims.get("objective", ()):
        told["longer_" + key_of(start)] = []
        for b in compared(budgets):
            shorter = found[start, b, "shorter"]
            gain = found[start, b, "longer"][: len(shorter)] - shorter
            told["longer_" + key_of(start)].append(metrics.crossed_interval(gain))
    for start in _first(claims):
        twice = found[start, budgets[-1], "twice"]
        gain = twice - found[start, budgets[-1], "longer"][: len(twice)]
        told["twice_" + key_of(start)] = metrics.crossed_interval(gain)
    return told


def key_of(start):
    """A start's name as a part of a key: "VAE + term" → "VAE_term"."""
    return start.replace(", ", "_").replace(" + ", "_").replace(" ", "_")


def claims_table(told, claims=CLAIMS):
    """The two claims of a summary as text, one line a budget."""
    lines = []
    for claim, (one, other) in claims.items():
        for budget, row in zip(told["labels"], told["claim_" + claim]):
            lines.append(
                f"{one} − {other}, {budget:>5} masks: {row[0]:+.3f} ± {row[1]:.3f}, "
                f"corrected p {row[2]:.2f}, visible from {row[3]:.3f}"
            )
    return "\n".join(lines)
