"""Submissions to ps5_project. The first three wrong and two right ones are graded by `make test`."""

from assignments import overwritten, right, without, wrong

NAME = "ps5_project"

PLAN = """
def plan():
    return {
        "notebook": NOTEBOOK, "changed": CHANGED, "arms": ARMS,
        "control": CONTROL, "seeds": SEEDS, "predicted_gain": GAIN,
    }
"""
FIT = {
    "NOTEBOOK": '"08"',
    "CHANGED": '"vae_steps"',
    "ARMS": '{"usual": 600, "long": 2400}',
    "CONTROL": '"usual"',
    "SEEDS": "[0, 1, 2, 3]",
    "GAIN": "0.1",
}
ROWS = """
def rows():
    return [{{"arm": a, "seed": s, "score": {score}}} for a in {arms} for s in {seeds}]
"""
GAIN = """
from scipy.stats import t
def gain(table, arm, control):
    a = {{r["seed"]: r["score"] for r in table if r["arm"] == arm}}
    b = {{r["seed"]: r["score"] for r in table if r["arm"] == control}}
    both = sorted(set(a) & set(b))
    d = np.array([a[s] - b[s] for s in both])
    n = len(d)
    return {mean}, {half}, {n}
"""
HALF = "t.ppf(0.975, n - 1) * d.std(ddof=1) / n**0.5"


def _plan(**changed):
    text = PLAN
    for key, value in {**FIT, **changed}.items():
        text = text.replace(f": {key}", f": {value}")
    return text


def _rows(score="len(a) * 1.5 + s", arms="('usual', 'long')", seeds="range(4)"):
    return ROWS.format(score=score, arms=arms, seeds=seeds)


def _gain(mean="d.mean()", half=HALF, n="n"):
    return GAIN.format(mean=mean, half=half, n=n)


WRONG = {
    "unpaired": wrong(
        "gain",
        gain=_gain(
            half="1.96 * np.sqrt(np.var(list(a.values())) / len(a) + np.var(list(b.values())) / len(b))"
        ),
    ),
    "a_seed_is_missing": wrong(
        "rows",
        rows="""
def rows():
    return [{"arm": a, "seed": s, "score": s + len(a)} for a in ("usual", "long")
            for s in range(4) if (a, s) != ("long", 2)]
""",
    ),
    "one_seed": wrong("plan rows", plan=_plan(SEEDS="[0]")),
    "one_seed_three_times": wrong("plan", plan=_plan(SEEDS="[0, 0, 0, 1, 2, 3]")),
    "no_control": wrong("plan", plan=_plan(CONTROL='"baseline"')),
    "two_things_changed": wrong("plan", plan=_plan(CHANGED='"vae_steps and size"')),
    "the_same_arm_twice": wrong("plan", plan=_plan(ARMS='{"usual": 600, "long": 600}')),
    "prediction_in_words": wrong("plan", plan=_plan(GAIN='"it will help"')),
    "no_prediction": wrong("plan", plan=_plan().replace('"predicted_gain"', '"expected"')),
    "nothing_planned": wrong("plan rows", plan="def plan():\n    return {}"),
    "another_notebook": wrong("plan", plan=_plan(NOTEBOOK="4")),
    "all_scores_the_same": wrong("rows", rows=_rows(score="0.5")),
    "a_run_that_failed": wrong("rows", rows=_rows(score="float('nan') if s else 1.0")),
    "a_run_twice": wrong("rows", rows=_rows(seeds="[0, 1, 2, 3, 3]")),
    "rows_of_other_arms": wrong("rows", rows=_rows(arms="('usual', 'cold')")),
    "no_rows": wrong("rows", rows="def rows():\n    return []"),
    "reads_a_file": wrong("rows", rows="def rows():\n    return list(open('results.csv'))"),
    "the_wrong_way_round": wrong("gain", gain=_gain(mean="-d.mean()")),
    "normal_quantile": wrong("gain", gain=_gain(half="1.96 * d.std(ddof=1) / n**0.5")),
    "spread_for_error": wrong("gain", gain=_gain(half="t.ppf(0.975, n - 1) * d.std(ddof=1)")),
    "paired_by_place": wrong(
        "gain",
        gain="""
from scipy.stats import t
def gain(table, arm, control):
    a = [r["score"] for r in table if r["arm"] == arm]
    b = [r["score"] for r in table if r["arm"] == control]
    d = np.array(a) - np.array(b)
    return d.mean(), t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / len(d) ** 0.5, len(d)
""",
    ),
    "hard_coded": wrong(
        "gain", gain="def gain(table, arm, control):\n    return 2.0, 12.7062047, 2"
    ),
    "an_endless_loop": wrong(
        "gain", gain="def gain(table, arm, control):\n    while True:\n        pass"
    ),
    "deleted_test": wrong("gain", without("test_gain"), gain=_gain(mean="0.0")),
    "changed_test": wrong("gain", overwritten("test_gain", "pass"), gain=_gain(mean="1.0")),
    "scores_as_text": wrong("rows", rows=_rows(score="str(len(a) + s)")),
    "seeds_as_text": wrong("rows", rows=_rows(seeds="'0123'")),
    "an_arm_without_its_row": wrong("rows", rows=_rows(arms="('usual',)")),
    "only_the_control": wrong("plan rows", plan=_plan(ARMS='{"usual": 600}')),
    "prediction_is_open": wrong("plan", plan=_plan(GAIN="float('nan')")),
    "seeds_are_a_number": wrong("plan rows", plan=_plan(SEEDS="4")),
    "spread_of_the_population": wrong(
        "gain", gain=_gain(half="t.ppf(0.975, n - 1) * d.std() / n**0.5")
    ),
    "a_missing_seed_counts_as_zero": wrong(
        "gain",
        gain=_gain()
        .replace("set(a) & set(b)", "set(a) | set(b)")
        .replace("a[s] - b[s]", "a.get(s, 0) - b.get(s, 0)"),
    ),
    "only_gains_without_a_sign": wrong(
        "gain", gain=_gain(mean="abs(d).mean()", half=HALF.replace("d.std", "abs(d).std"))
    ),
    "rows_counted_for_pairs": wrong("gain", gain=_gain(n="len(table)")),
}

RIGHT = {
    "reference": right(),
    "another_project": right(
        plan=_plan(
            NOTEBOOK='"06"',
            CHANGED='"latent"',
            ARMS='{"long": 32, "usual": 16, "short": 8}',
            CONTROL='"usual"',
            SEEDS="(3, 5, 8)",
            GAIN="0",
        ),
        rows=_rows(arms="('short', 'usual', 'long')", seeds="(5, 8, 3)"),
        gain=_gain(n="float(n)"),
    ),
    "with_a_library": right(
        gain="""
from scipy.stats import ttest_1samp
def gain(table, arm, control):
    pairs = {}
    for row in table:
        pairs.setdefault(row["seed"], {})[row["arm"]] = row["score"]
    d = [p[arm] - p[control] for p in pairs.values() if arm in p and control in p]
    interval = ttest_1samp(d, 0).confidence_interval()
    return np.mean(d), (interval.high - interval.low) / 2, len(d)
"""
    ),
    "numpy_numbers": right(
        plan=_plan(
            SEEDS="np.arange(4)", GAIN="np.float32(0.3)", ARMS='{"usual": [1, 2], "long": None}'
        ),
        rows=_rows(score="np.float32(s) / 3 + len(a)", seeds="np.arange(4)"),
        gain=_gain(
            mean="np.array(d.sum() / n)",
            half="t.interval(0.95, n - 1, scale=d.std(ddof=1) / n**0.5)[1]",
        ),
    ),
    "with_a_table": right(
        gain="""
from collections import defaultdict
from scipy.stats import sem, t
def gain(table, arm, control):
    wide = defaultdict(dict)
    [wide[row["seed"]].update({row["arm"]: row["score"]}) for row in table]
    d = np.array([(w.get(arm, np.nan) - w.get(control, np.nan)) for w in wide.values()])
    d = d[~np.isnan(d)]
    return d.mean(), sem(d) * t.ppf(0.975, len(d) - 1), len(d)
""",
        rows=_rows(seeds="[3, 1, 0, 2]"),
    ),
    "arrays": right(
        plan=_plan(SEEDS="tuple(range(5))", GAIN="np.array(0.02)"),
        rows=_rows(seeds="range(5)"),
        gain="""
import scipy.stats as st
def gain(table, arm, control):
    score = {(r["arm"], r["seed"]): r["score"] for r in table}
    seeds = [s for a, s in score if a == arm and (control, s) in score]
    d = np.array([score[arm, s] - score[control, s] for s in seeds])
    low, high = st.t.interval(0.95, d.size - 1, d.mean(), st.sem(d))
    return (low + high) / 2, (high - low) / 2, np.int64(d.size)
""",
    ),
    "plain_python": right(
        gain="""
from statistics import mean, stdev
from scipy.stats import t
def gain(table, arm, control):
    table = sorted(table, key=lambda r: r["seed"])
    d = [x["score"] - y["score"] for x in table for y in table
         if x["seed"] == y["seed"] and (x["arm"], y["arm"]) == (arm, control)]
    return mean(map(float, d)), t.isf(0.025, len(d) - 1) * stdev(map(float, d)) / len(d) ** 0.5, len(d)
"""
    ),
}
