# %% [markdown]
# # Problem set 5: a question of your own
#
# Choose a question about VAEs, segments or edges that a sweep over one of the notebooks can answer. Write down what you expect **before** you look. Run the sweep, and report what came out beside a control, with an interval, whether or not it pleases you.
#
# **What you'll learn**
#
# - To turn a hunch into one number that can come out against you.
# - To change one thing, and to repeat it with several seeds.
# - To report a gain with its interval, and a null result as one.
#
# **What you'll need.** One of the notebooks `03` to `10`, the page `docs/rerunning.md` of the project, and four to six hours, most of them the machine's. The sweep runs outside this notebook; its results come in as a short table, so that this notebook itself runs in seconds.
#
# | task | points |
# |---|---|
# | 1 Plan, in writing and as data | 3 + 3 |
# | 2 Sweep | 2 + 3 |
# | 3 Gain and interval | 4 |
# | 4 Report | 5 |
#
# Write your code in place of the line that raises `NotImplementedError`. The cell after it tests the form of your answer, not its content; the content is graded by a person, by the rubrics. Do not rename or delete cells; you may add cells of your own, with figures too.
#
# **Questions to start from.** The arms differ in the value of one parameter. The *score* of a run is a number that its notebook records. A score may be the difference of two recorded numbers of one run.
#
# - Does a VAE that was trained longer give reconstructions that are easier to label (`vae_steps` in `08`, with `weights: own`; score: `wide_reconstruction`)?
# - Does a larger latent raise the ELBO (`latent` in `06`; score: `elbo`)?
# - Does KL warm-up help less with half the steps (`collapse_epochs` in `07`; score: the first item of `gain`, warm-up minus control)?
# - Does the lead of a frozen VAE over frozen fresh weights shrink with more masks (`labels` in `09`; score: `own_VAE_frozen` minus `own_fresh_frozen`)?
# - Do the heads for edges gain by a longer pretraining (`vae_steps` in `10`; score: the first item of `head_VAE_frozen`)?
#
# `python -m helpers.runs list 08` shows all parameters of a notebook.

# %% readonly="setup"
import numpy as np

from helpers import checks

# %% [markdown]
# ## Task 1: the plan
#
# **In writing**: your question, why the answer is not obvious, your prediction as a number with its sign, and what would make you give up the idea.
#
# *Rubric, 3 points.* 1: a question that the sweep can answer with yes, no, or too close to tell. 1: a prediction of size and sign, with a reason from the theory. 1: the result that would speak against it is named in advance.

# %% [markdown] answer="plan_in_words" points=3
# *Does a VAE that was trained longer give reconstructions that are easier to label?* A longer training lowers the reconstruction term, and outlines hold much of it. I expect the classifier to gain 0.10 mean IoU with 2,400 steps of the VAE against 600. It is not obvious, because the steps may go into texture first, which the labels do not need. An interval that lies below zero would refute this.

# %% [markdown]
# **As data**: a dictionary with these keys.
#
# | key | meaning |
# |---|---|
# | `"notebook"` | two digits, `"07"` |
# | `"changed"` | the one parameter that is changed, a name |
# | `"arms"` | a dictionary from the name of an arm to its value of that parameter; two or more, all different |
# | `"control"` | the name of the arm that the others are compared with |
# | `"seeds"` | a list of three or more different whole numbers, the same for every arm |
# | `"predicted_gain"` | the gain of the first other arm over the control that you expect, a number; 0 is allowed |


# %% solution="plan"
def plan():
    """The plan of the sweep, a dictionary."""
    ### BEGIN SOLUTION
    return {
        "notebook": "08",
        "changed": "vae_steps",
        "arms": {"usual": 600, "long": 2400},
        "control": "usual",
        "seeds": [0, 1, 2, 3],
        "predicted_gain": 0.1,
    }
    ### END SOLUTION


# %% test="plan" points=3
import numpy as np

from helpers import checks

p = plan()
keys = {"notebook", "changed", "arms", "control", "seeds", "predicted_gain"}
checks.true(
    isinstance(p, dict) and keys <= set(p),
    f"The plan is a dictionary with the keys {sorted(keys)}.",
)
checks.true(
    p["control"] in p["arms"] and len(p["arms"]) >= 2,
    "The control is one of the arms, and there is another one to compare it with.",
)
### BEGIN HIDDEN TESTS
checks.true(
    isinstance(p["notebook"], str) and p["notebook"] in {"03", "04", "05", "06", "07", "08", "09", "10"},
    "The notebook is one of 03 to 10, named by its two digits, as a text.",
)
checks.true(
    isinstance(p["changed"], str) and p["changed"].isidentifier(),
    "`changed` is the name of one parameter. Two things changed at once cannot be told apart.",
)
values = [repr(v) for v in p["arms"].values()]
checks.true(
    len(set(values)) == len(values), "Two arms have the same value: they are one arm, run twice."
)
seeds = list(p["seeds"])
checks.true(
    len(set(seeds)) == len(seeds) >= 3 and all(int(s) == s for s in seeds),
    "Three or more different seeds. One seed is an anecdote, and the same seed twice is one seed.",
)
checks.true(
    not isinstance(p["predicted_gain"], (str, bool))
    and np.isfinite(checks.array(p["predicted_gain"])).all()
    and checks.array(p["predicted_gain"]).shape == (),
    "The prediction is one number, with its sign.",
)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2: the sweep
#
# Run it with `python -m helpers.runs sweep`, or with papermill in a loop. Then write its results here as rows: one dictionary a run, with `"arm"`, `"seed"` and `"score"`. Type them or paste them; this cell must not read a file.
#
# `python -m helpers.runs results` shows the results that are one number. One that is a list, such as `gain` in `07`, you read in Python, from the executed notebook: `from helpers.runs import read_results; read_results("runs/…/NAME.ipynb")["results"]["gain"][0]`. The names of the results stand in the cell of the notebook that is tagged `results`, near its end.


# %% solution="rows"
def rows():
    """The results: a list of dictionaries with the keys arm, seed and score."""
    ### BEGIN SOLUTION
    # Invented, for the example.
    scores = {"usual": [0.61, 0.58, 0.63, 0.60], "long": [0.68, 0.67, 0.71, 0.66]}
    return [
        {"arm": arm, "seed": seed, "score": score}
        for arm, each in scores.items()
        for seed, score in enumerate(each)
    ]
    ### END SOLUTION


# %% test="rows" points=2
from helpers import checks

table = rows()
checks.true(
    len(table) > 0 and all({"arm", "seed", "score"} <= set(row) for row in table),
    "Every row has an arm, a seed and a score.",
)
### BEGIN HIDDEN TESTS
import numpy as np

p, runs = plan(), [(row["arm"], row["seed"]) for row in table]
checks.true(len(set(runs)) == len(runs), "An arm and a seed are one run: one row each.")
checks.true(
    {arm for arm, _ in runs} == set(p["arms"]), "The rows and the plan name different arms."
)
for arm in p["arms"]:
    checks.true(
        {s for a, s in runs if a == arm} == set(p["seeds"]),
        f"The seeds of the arm {arm!r} are not those of the plan. A run that failed is run again, "
        "or its seed leaves the plan, in every arm and with a word about it in the report.",
    )
checks.true(
    not any(isinstance(row["score"], (str, bool)) for row in table)
    and np.isfinite(checks.array([row["score"] for row in table])).all(),
    "Every score is a number, not a text.",
)
checks.true(
    len({float(row["score"]) for row in table}) > 1,
    "All scores are the same. Has the parameter reached the notebook?",
)
### END HIDDEN TESTS

# %% [markdown]
# **How it was run**: the command or the YAML file, the machine, the time it took, what failed and was run again, and what you did to make the comparison fair.
#
# *Rubric, 3 points.* 1: somebody else could run it again from what is written. 1: one thing was changed, and steps, data and budget are the same in all arms. 1: nothing is hidden: failed runs, runs that were left out, settings that were tried first.

# %% [markdown] answer="how_it_was_run" points=3
# `python -m helpers.runs sweep steps.yaml`, with `notebooks: "08"`, `parameters: {weights: own}`, `grid: {vae_steps: [600, 2400]}` and `seeds: 4`, on a laptop with two cores. Eight runs, none failed, none left out. Both arms have the same pictures with masks, networks and steps of the classifier.

# %% [markdown]
# ## Task 3: the gain and its interval
#
# Runs of one seed belong together. For an arm and the control, take the difference of their scores seed by seed. Return the mean $\bar d$ of the differences, the half-width $h = t_{n-1}\, s / \sqrt n$ of its 95 % interval ($s$: standard deviation of the differences, divided by $n - 1$; $t_{n-1}$: the 97.5 % quantile of Student's distribution, `scipy.stats.t.ppf`), and the number $n$ of pairs. Rows come in any order; a seed that only one of the two has is left out.


# %% solution="gain"
def gain(table, arm, control):
    """Mean gain of `arm` over `control`, half-width of its 95 % interval, number of pairs.

    table: a list of dictionaries with the keys arm, seed and score.
    """
    ### BEGIN SOLUTION
    from scipy.stats import t

    def by_seed(name):
        return {row["seed"]: row["score"] for row in table if row["arm"] == name}

    ours, theirs = by_seed(arm), by_seed(control)
    d = np.array([ours[s] - theirs[s] for s in sorted(set(ours) & set(theirs))])
    return d.mean(), t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d)), len(d)
    ### END SOLUTION


# %% test="gain" points=4
import numpy as np

from helpers import checks

table = [
    {"arm": "b", "seed": 1, "score": 5.0},
    {"arm": "a", "seed": 0, "score": 1.0},
    {"arm": "a", "seed": 1, "score": 2.0},
    {"arm": "b", "seed": 0, "score": 2.0},
]
mean, half, n = gain(table, "b", "a")
checks.close(mean, 2, "Seed 0 gains 1, seed 1 gains 3. The arm minus the control.")
checks.close(half, 12.7062047, "Gains 1 and 3: s is √2, n is 2, the quantile is 12.7.")
checks.same(n, 2, "Two seeds have both arms.")
### BEGIN HIDDEN TESTS
from scipy.stats import ttest_rel

rng = np.random.default_rng(112358)
for n in (3, 5, 9):
    base, effect = rng.normal(size=n) * 5, rng.normal(-0.1, 0.6, size=n)
    table = [{"arm": "plain", "seed": 10 + i, "score": b} for i, b in enumerate(base)]
    table += [
        {"arm": "new", "seed": 10 + i, "score": b + e} for i, (b, e) in enumerate(zip(base, effect))
    ]
    table += [{"arm": "third", "seed": 10 + i, "score": 99.0} for i in range(n)]
    table += [
        {"arm": "new", "seed": 77, "score": 1000.0},
        {"arm": "plain", "seed": 78, "score": -3.0},
    ]
    table = [table[i] for i in rng.permutation(len(table))]
    mean, half, pairs = gain(table, "new", "plain")
    hint = "On another table it is wrong. Pairs by seed, in any order; a seed without a partner is out."
    expected = ttest_rel(base + effect, base).confidence_interval(0.95)
    checks.close(mean, effect.mean(), hint, relative=1e-3)
    checks.close(half, (expected.high - expected.low) / 2, hint, relative=1e-3)
    checks.same(pairs, n, hint)
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4: the report
#
# Half a page: the question, the prediction, the gain with its interval and the number of seeds, what it means and what it does not, and the control that you would run next.
#
# *Rubric, 5 points.* 1: the gain, its interval and the number of seeds, with a unit. 1: prediction and result stand side by side, and a miss is called one. 1: the claim goes no further than the arms, the data and the budget of the sweep. 1: an interval that holds zero is called too close to tell, not "no effect" and not "a tendency". 1: another explanation is named, with the control that would tell.

# %% [markdown] answer="report" points=5
# (Example; the scores are invented.) 2,400 steps in place of 600 change the mean IoU by the mean that `gain` gives for the rows above, with its half-width, over four seeds. The prediction was +0.10; the interval excludes zero, the sign is as predicted, and the gain is smaller. The claim holds for these pictures, this network and this budget. The longer VAE has also seen four times as many pictures, because each step draws fresh ones; a control that takes 2,400 steps with the pictures of the first 600 would tell steps from pictures.
