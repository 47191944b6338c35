"""Repairs of label maps side by side: equal chances, scores, and what may be said of differences."""

import numpy as np
import pytest
from scipy import stats

from helpers import metrics
from helpers.data import mask_damage, scenes
from helpers.experiments import mask_comparison, mask_repairs

MASKS = scenes.label_maps(scenes.sample(40, 3, 32, (1, 2), (0.18, 0.25)), 32)
TUNE, VAL = MASKS[:15], MASKS[15:]
REPAIRS = {"majority": (mask_repairs.majority, [(3, 1), (3, 4), (5, 2), (7, 8)])}


def sets():
    rng = np.random.default_rng(1)
    return {kind: (cut(TUNE, rng), cut(VAL, rng)) for kind, cut in mask_damage.KINDS.items()}


@pytest.mark.parametrize("kind", mask_damage.KINDS)
def test_the_settings_are_the_best_on_the_maps_for_tuning(kind):
    tune, _ = sets()[kind]
    matrix = mask_repairs.confusion(TUNE, tune)
    ious = {}
    for setting in REPAIRS["majority"][1]:
        for once_more in (False, True):
            voted = mask_repairs.majority(tune, matrix, *setting)
            answer = mask_repairs.answer_of(voted, tune, matrix, once_more)
            ious[setting, once_more] = metrics.mean_iou(TUNE, answer, 4)
    chosen = mask_comparison.choose(*REPAIRS["majority"], TUNE, tune, matrix)
    assert ious[chosen] == max(ious.values()) > min(ious.values())


def test_a_repair_is_called_once_for_both_answers():
    calls = []

    def repair(damaged, matrix, side):
        calls.append(side)
        return mask_repairs.majority(damaged, matrix, side, 1)

    tune, _ = sets()["flips"]
    mask_comparison.choose(repair, [(3,), (5,)], TUNE, tune, mask_repairs.confusion(TUNE, tune))
    assert calls == [3, 5]


def test_held_out_maps_take_no_part_in_the_choice():
    damaged = sets()
    answers, chosen = mask_comparison.repair_all(REPAIRS, damaged, TUNE)
    other = {kind: (tune, tune[:3]) for kind, (tune, _) in damaged.items()}
    assert mask_comparison.repair_all(REPAIRS, other, TUNE)[1] == chosen
    assert set(answers) == {(k, m) for k in damaged for m in ("nothing", "majority")}
    for kind, (tune, val) in damaged.items():
        np.testing.assert_array_equal(answers[kind, "nothing"], val.argmax(axis=-1))
        setting, once_more = chosen[kind, "majority"]
        voted = mask_repairs.majority(val, None, *setting)
        matrix = mask_repairs.confusion(TUNE, tune)
        expected = mask_repairs.answer_of(voted, val, matrix, once_more)
        np.testing.assert_array_equal(answers[kind, "majority"], expected)


def test_scores_have_a_row_for_each_draw_and_nearly_the_mean_iou_as_mean():
    draws = [mask_comparison.repair_all(REPAIRS, sets(), TUNE)[0] for _ in range(2)]
    scores = mask_comparison.scores_by_picture(VAL, draws, 4)
    means = mask_comparison.mean_ious(VAL, draws, 4)
    for key, values in scores.items():
        assert values.shape == (2, len(VAL))
        assert values.mean() == pytest.approx(means[key], abs=0.01)
        exact = metrics.mean_iou(VAL, draws[0][key], 4)
        assert means[key] == pytest.approx(exact)


def test_contrasts_of_one_draw_are_paired_t_tests_corrected_after_holm():
    rng = np.random.default_rng(0)
    base = rng.normal(0.5, 0.1, (1, 50))
    scores = {("a", "nothing"): base, ("b", "nothing"): base, ("b", "more"): base - 0.3}
    scores["a", "search"] = base + rng.normal(0.05, 0.02, base.shape)
    scores["b", "search"] = base + rng.normal(0.0, 0.02, base.shape)
    pairs = [("search", "nothing"), ("search", "more")]
    found = mask_comparison.contrasts(scores, pairs)
    assert list(found) == [
        ("a", "search", "nothing"),
        ("b", "search", "nothing"),
        ("b", "search", "more"),
    ]
    plain = []
    for kind, method, rival in found:
        gains = (scores[kind, method] - scores[kind, rival])[0]
        plain.append(stats.ttest_1samp(gains, 0))
    corrected = metrics.holm([one.pvalue for one in plain])
    for row, p, one in zip(found.values(), corrected, plain):
        low, high = one.confidence_interval()
        assert (row["gain"] - row["half"], row["gain"] + row["half"]) == pytest.approx((low, high))
        assert row["p"] == pytest.approx(p, abs=1e-6)
    assert [row["word"] for row in found.values()] == ["better", "level", "better"]
    turned = mask_comparison.contrasts(scores, [("nothing", "search")])
    assert turned["a", "nothing", "search"]["word"] == "worse"


def test_holm_takes_a_word_from_a_difference_that_is_one_of_many():
    rng = np.random.default_rng(4)
    base = rng.normal(0.5, 0.1, (1, 30))
    noise = rng.normal(0, 1, base.shape)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    scores = {("a", "x"): base, ("a", "y"): base + 0.02 * noise + 0.009}  # t = 2.46, p = 0.02
    alone = mask_comparison.contrasts(scores, [("y", "x")])
    assert alone["a", "y", "x"]["word"] == "better"
    for kind in "bcdef":
        scores |= {(kind, "x"): base, (kind, "y"): base + 0.02 * noise}
    among = mask_comparison.contrasts(scores, [("y", "x")])
    assert among["a", "y", "x"]["word"] == "level"
    assert among["a", "y", "x"]["half"] == alone["a", "y", "x"]["half"]


def test_several_draws_widen_the_interval_by_their_own_spread():
    rng = np.random.default_rng(5)
    steady = rng.normal(0.1, 0.05, (1, 40)).repeat(5, axis=0)
    shaken = steady + np.linspace(-0.1, 0.1, 5)[:, None]
    halves = []
    for gains in (steady, shaken):
        scores = {("a", "x"): 0 * gains, ("a", "y"): gains}
        halves.append(mask_comparison.contrasts(scores, [("y", "x")])["a", "y", "x"]["half"])
    assert halves[1] > 2 * halves[0]


def test_tables_and_records_name_every_number():
    means = {("flips", "nothing"): 0.4, ("hole, told", "VAE, search"): 0.9}
    text = mask_comparison.table(means)
    assert text.splitlines()[0].split() == ["flips", "hole,", "told"]
    assert "nothing" in text and "0.400" in text and text.count("0.") == 2
    row = {"gain": 0.1, "half": 0.02, "p": 0.01, "word": "better"}
    key = ("hole, told", "VAE, search", "nothing")
    told = mask_comparison.results(means, {key: row})
    assert told == {
        "flips_nothing": 0.4,
        "hole_told_VAE_search": 0.9,
        "ahead_hole_told_VAE_search_nothing": [0.1, 0.02, 0.01],
        "word_hole_told_VAE_search_nothing": "better",
    }
    level = {**row, "word": "level"}
    found = {key: row, ("flips", *key[1:]): level, ("flips", "DAE", "nothing"): row}
    lines = mask_comparison.contrasts_table(found).splitlines()
    assert lines[0].split() == ["hole,", "told", "flips"]
    assert lines[1].count("+0.100 ± 0.020") == 2 and lines[1].count("*") == 1
    assert lines[2].startswith("DAE − nothing") and lines[2].count("+0.100") == 1
    chosen = {("flips", "DAE"): ((2,), True), ("flips", "drawn masks"): ((), False)}
    lines = mask_comparison.settings_table(chosen).splitlines()
    assert lines[1].split() == ["DAE", "2,", "once"] and lines[2].split()[-1] == "-"
