"""Submissions to ps1_kl. The first three wrong and two right ones are graded by `make test`."""

from assignments import overwritten, right, without, wrong

NAME = "ps1_kl"

DRAWS = """
def kl_by_draws(mean, log_variance, draws, rng):
    sigma = np.exp(0.5 * log_variance)
    z = mean + sigma * rng.normal(size=(draws, len(mean)))
    log_q = (-0.5 * ((z - mean) / sigma) ** 2 - np.log(sigma)).sum(1)
    values = log_q + 0.5 * (z**2).sum(1)
    return {}
"""
BOTH = "kl_by_draws_estimate kl_by_draws_error"
UNIT = "def kl_unit(mean, log_variance):\n    return {}"
OTHER = "def kl_diagonal(mean, log_variance, prior_mean, prior_log_variance):\n    return {}"
BETAS = "def effective_betas(height, width, channels, latent):\n    return {}"

WRONG = {
    "log_variance_taken_for_sigma": wrong(
        "kl_unit",
        kl_unit=UNIT.format(
            "(0.5 * (mean**2 + np.exp(log_variance) ** 2 - 1) - log_variance).sum(axis=1)"
        ),
    ),
    "endless_loop": wrong(
        "kl_tables", kl_tables="def kl_tables(q, p):\n    while True:\n        pass"
    ),
    "deleted_tests": wrong(
        "kl_unit beta_b",
        without("test_kl_unit", "test_beta_b", "setup"),
        kl_unit=UNIT.format("np.zeros(len(mean))"),
        effective_betas=BETAS.format("WEIGHT * height * width * channels / 2, 1, 1 / latent"),
    ),
    "sign": wrong(
        "kl_unit",
        kl_unit=UNIT.format(
            "0.5 * (1 + log_variance - mean**2 - np.exp(log_variance)).sum(axis=1)"
        ),
    ),
    "mean_over_the_latent": wrong(
        "kl_unit",
        kl_unit=UNIT.format(
            "0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).mean(axis=1)"
        ),
    ),
    "summed_over_the_batch": wrong(
        "kl_unit",
        kl_unit=UNIT.format("0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum()"),
    ),
    "missing_half": wrong(
        "kl_unit kl_diagonal",
        kl_unit=UNIT.format("(mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)"),
        kl_diagonal=OTHER.format(
            "((mean - prior_mean) ** 2 / np.exp(prior_log_variance) + np.exp(log_variance"
            " - prior_log_variance) - 1 - log_variance + prior_log_variance).sum(axis=1)"
        ),
    ),
    "other_direction": wrong(
        "kl_diagonal kl_tables",
        kl_diagonal=OTHER.format(
            "0.5 * ((mean - prior_mean) ** 2 / np.exp(log_variance) + np.exp(prior_log_variance"
            " - log_variance) - 1 - prior_log_variance + log_variance).sum(axis=1)"
        ),
        kl_tables="def kl_tables(q, p):\n    return np.sum(p * np.log(p / q))",
    ),
    "distance_not_in_the_priors_spread": wrong(
        "kl_diagonal",
        kl_diagonal=OTHER.format(
            "0.5 * ((mean - prior_mean) ** 2 + np.exp(log_variance - prior_log_variance)"
            " - 1 - log_variance + prior_log_variance).sum(axis=1)"
        ),
    ),
    "one_prior_for_all": wrong(
        "kl_diagonal",
        kl_diagonal=OTHER.format(
            "0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(axis=1)"
        ),
    ),
    "error_without_the_root": wrong(
        "kl_by_draws_error", kl_by_draws=DRAWS.format("values.mean(), values.std() / draws")
    ),
    "spread_for_error": wrong(
        "kl_by_draws_error", kl_by_draws=DRAWS.format("values.mean(), values.std()")
    ),
    "draws_from_the_prior": wrong(
        BOTH,
        kl_by_draws=DRAWS.replace("mean + sigma * rng", "rng").format(
            "values.mean(), values.std() / np.sqrt(draws)"
        ),
    ),
    "noise_times_variance": wrong(
        BOTH,
        kl_by_draws=DRAWS.replace("0.5 * log_variance)", "log_variance)").format(
            "values.mean(), values.std() / np.sqrt(draws)"
        ),
    ),
    "formula_for_draws": wrong(
        BOTH,
        kl_by_draws="""
def kl_by_draws(mean, log_variance, draws, rng):
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(), 1 / np.sqrt(draws)
""",
    ),
    "hard_coded": wrong(
        "kl_unit beta_a beta_b beta_c kl_tables",
        kl_unit=UNIT.format(
            "[0, 0] if len(mean) == 2 else [2.5] if mean.shape[1] == 2 else [1.8075851]"
        ),
        effective_betas=BETAS.format("WEIGHT, 1, 1"),
        kl_tables="""
def kl_tables(q, p):
    return 0 if q[0] == p[0] else np.log(2) if q[0] == 1 else np.inf
""",
    ),
    "betas_upside_down": wrong(
        "beta_a beta_b beta_c",
        effective_betas=BETAS.format(
            "2 / (WEIGHT * height * width * channels), 1 / channels, latent"
        ),
    ),
    "mean_square_without_its_half": wrong(
        "beta_a",
        effective_betas=BETAS.format("WEIGHT * height * width * channels, channels, 1 / latent"),
    ),
    "zero_times_log_zero": wrong(
        "kl_tables", kl_tables="def kl_tables(q, p):\n    return np.sum(q * np.log(q / p))"
    ),
    "an_exception": wrong("kl_unit", kl_unit=UNIT.format("mean @ log_variance @ undefined")),
    "changed_test": wrong(
        "kl_unit",
        overwritten("test_kl_unit", "print('all fine')"),
        kl_unit=UNIT.format("mean[:, 0]"),
    ),
    "tests_made_blind": wrong(
        "kl_unit",
        kl_unit=UNIT.format("mean[:, 0]")
        + "\nclass checks:\n    close = same = true = staticmethod(lambda *a, **k: None)",
    ),
    "checks_made_blind": wrong(
        "kl_unit",
        kl_unit=UNIT.format("mean[:, 0]")
        + "\nimport helpers.checks\nhelpers.checks.close = lambda *a, **k: None",
    ),
    "leaves_the_kernel": wrong(
        "kl_unit kl_diagonal kl_by_draws_estimate kl_by_draws_error beta_a beta_b beta_c kl_tables",
        kl_unit=UNIT.format("__import__('os')._exit(0)"),
    ),
    "exits": wrong("kl_unit", kl_unit=UNIT.format("__import__('sys').exit(0)")),
    "batch_of_one_squeezed": wrong(
        "kl_unit",
        kl_unit=UNIT.format(
            "(0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)).sum(1).squeeze()"
        ),
    ),
    "one_noise_for_all_coordinates": wrong(
        "kl_by_draws_error",
        kl_by_draws=DRAWS.replace("(draws, len(mean))", "(draws, 1)").format(
            "values.mean(), values.std() / np.sqrt(draws)"
        ),
    ),
    "as_many_draws_as_it_likes": wrong(
        "kl_by_draws_error",
        kl_by_draws=DRAWS.replace("    sigma", "    draws = 30_000\n    sigma").format(
            "values.mean(), values.std() / np.sqrt(draws)"
        ),
    ),
    "spreads_swapped": wrong(
        "kl_diagonal",
        kl_diagonal=OTHER.format(
            "0.5 * ((mean - prior_mean) ** 2 / np.exp(prior_log_variance) + np.exp("
            "prior_log_variance - log_variance) - 1 + log_variance - prior_log_variance).sum(1)"
        ),
    ),
    "failure_hidden": wrong(
        "kl_unit",
        kl_unit="""
def kl_unit(mean, log_variance):
    try:
        return (mean**2 + sigma**2 - 1 - np.log(sigma**2)).sum(1) / 2
    except Exception:
        return np.zeros(len(mean))
""",
    ),
    "in_bits_and_never_infinite": wrong(
        "kl_tables",
        kl_tables="def kl_tables(q, p):\n    return np.sum(q * np.log2((q + 1e-12) / (p + 1e-12)))",
    ),
    "symmetric": wrong(
        "kl_tables",
        kl_tables="""
def kl_tables(q, p):
    one = lambda a, b: np.inf if np.any(b[a > 0] == 0) else np.sum(a[a > 0] * np.log(a[a > 0] / b[a > 0]))
    return 0.5 * (one(q, p) + one(p, q))
""",
    ),
    "answers_by_the_count_of_calls": wrong(
        "kl_unit",
        kl_unit="""
calls = []
def kl_unit(mean, log_variance):
    calls.append(1)
    return ([0, 0], [2.5], [1.8075851])[(len(calls) - 1) % 3]
""",
    ),
    "numpy_made_blind": wrong(
        "kl_unit",
        kl_unit=UNIT.format("np.zeros(len(mean))") + "\nnp.abs = lambda x: 0 * x",
    ),
    "checks_made_tolerant": wrong(
        "kl_unit",
        kl_unit=UNIT.format("np.zeros(len(mean))")
        + "\nchecks.close.__kwdefaults__.update(relative=1e9, absolute=1e9)",
    ),
    "reload_made_idle": wrong(
        "kl_unit",
        kl_unit=UNIT.format("np.zeros(len(mean))")
        + """
import importlib, sys, types
importlib.reload = lambda module: module
fake = types.ModuleType("helpers.checks")
fake.close = fake.same = fake.true = lambda *a, **k: None
sys.modules["helpers.checks"] = sys.modules["helpers"].checks = fake
""",
    ),
    "tests_turned_into_nothing": wrong(
        "kl_unit kl_diagonal kl_by_draws_estimate kl_by_draws_error beta_a beta_b beta_c kl_tables",
        kl_unit=UNIT.format("np.zeros(len(mean))")
        + """
get_ipython().input_transformers_post.append(
    lambda lines: ["pass\\n"] if any("def test_" in line for line in lines) else lines
)
""",
    ),
    "errors_kept_quiet": wrong(
        "kl_unit",
        kl_unit=UNIT.format("np.zeros(len(mean))")
        + "\nget_ipython().showtraceback = lambda *a, **k: None",
    ),
    "endless_recursion": wrong("kl_unit", kl_unit=UNIT.format("kl_unit(mean, log_variance)")),
}

RIGHT = {
    "reference": right(),
    "written_otherwise": right(
        kl_unit=UNIT.format("-0.5 * np.sum(1 + log_variance - mean**2 - np.exp(log_variance), 1)"),
        kl_diagonal="""
def kl_diagonal(mean, log_variance, prior_mean, prior_log_variance):
    sigma, s = np.exp(log_variance / 2), np.exp(prior_log_variance / 2)
    return (np.log(s / sigma) + (sigma**2 + (mean - prior_mean) ** 2) / (2 * s**2) - 0.5).sum(1)
""",
        kl_by_draws=DRAWS.format("values.mean(), np.sqrt(values.var() / draws)"),
        effective_betas=BETAS.format(
            "0.5 * WEIGHT * channels * width * height, float(channels), np.array(1.0) / latent"
        ),
        kl_tables="""
import warnings
def kl_tables(q, p):
    warnings.warn("a warning is no mistake")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(q > 0, q * np.log(q / p), 0.0).sum()
""",
    ),
    "float32": right(
        kl_unit="""
def kl_unit(mean, log_variance):
    mean, log_variance = np.float32(mean), np.float32(log_variance)
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(-1, dtype=np.float32)
""",
        kl_diagonal="""
def kl_diagonal(mean, log_variance, prior_mean, prior_log_variance):
    m, v, pm, pv = map(np.float32, (mean, log_variance, prior_mean, prior_log_variance))
    return 0.5 * ((m - pm) ** 2 * np.exp(-pv) + np.expm1(v - pv) - (v - pv)).sum(axis=1)
""",
        kl_by_draws="""
def kl_by_draws(mean, log_variance, draws, rng):
    noise = rng.standard_normal((draws, len(mean)), dtype=np.float32)
    z = np.float32(mean) + np.exp(np.float32(log_variance) / 2) * noise
    values = (0.5 * (z**2 - noise**2) - np.float32(log_variance) / 2).sum(axis=1)
    return values.mean(), values.std() / np.sqrt(draws)
""",
    ),
    "plain_loops": right(
        kl_unit="""
import math
def kl_unit(mean, log_variance):
    out = []
    for m, v in zip(mean.tolist(), log_variance.tolist()):
        out.append(sum(0.5 * a * a + 0.5 * math.exp(b) - 0.5 - 0.5 * b for a, b in zip(m, v)))
    return out
""",
        kl_tables="""
import math
def kl_tables(q, p):
    total = 0.0
    for a, b in zip(q, p):
        if a > 0 and b == 0:
            return math.inf
        total += a * math.log(a / b) if a > 0 else 0
    return total
""",
        kl_by_draws="""
def kl_by_draws(mean, log_variance, draws, rng):
    values = np.zeros(draws)
    for m, v in zip(mean, log_variance):
        z = rng.normal(m, np.exp(v / 2), size=draws)
        values += -0.5 * (z - m) ** 2 / np.exp(v) - v / 2 + z**2 / 2
    return float(np.mean(values)), float(np.std(values, ddof=1) / draws**0.5)
""",
    ),
    "from_a_library": right(
        kl_unit="""
from scipy.stats import multivariate_normal, norm
def kl_unit(mean, log_variance):
    # The cross-entropy less the entropy.
    entropy = [multivariate_normal(m, np.diag(np.exp(v))).entropy() for m, v in zip(mean, log_variance)]
    cross = 0.5 * (np.log(2 * np.pi) + mean**2 + np.exp(log_variance)).sum(axis=1)
    return cross - np.array(entropy)
""",
        kl_by_draws="""
from scipy.stats import norm, sem
def kl_by_draws(mean, log_variance, draws, rng):
    z = rng.normal(mean, np.sqrt(np.exp(log_variance)), size=(draws, mean.size))
    ratio = norm.logpdf(z, mean, np.exp(0.5 * log_variance)) - norm.logpdf(z)
    return ratio.sum(axis=1).mean(), sem(ratio.sum(axis=1))
""",
        kl_tables="""
from scipy.stats import entropy
def kl_tables(q, p):
    return entropy(q, p)
""",
    ),
    "in_place": right(
        kl_unit="""
def kl_unit(mean, log_variance):
    mean *= mean
    mean -= log_variance
    mean += np.exp(log_variance, out=log_variance)
    mean -= 1
    mean /= 2
    return mean.sum(axis=1)
""",
        kl_diagonal="""
def kl_diagonal(mean, log_variance, prior_mean, prior_log_variance):
    mean -= prior_mean
    mean *= np.exp(-0.5 * prior_log_variance)
    log_variance -= prior_log_variance
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1)
""",
        kl_tables="""
def kl_tables(q, p):
    p[q == 0] = q[q == 0] = 1
    with np.errstate(divide="ignore"):
        return np.dot(q, np.log(q) - np.log(p))
""",
    ),
    "keras_ops": right(
        kl_unit="""
from keras import ops
def kl_unit(mean, log_variance):
    mean, log_variance = (ops.convert_to_tensor(a, "float32") for a in (mean, log_variance))
    return 0.5 * ops.sum(ops.square(mean) + ops.expm1(log_variance) - log_variance, axis=-1)
"""
    ),
    "draws_one_by_one": right(
        kl_by_draws="""
def kl_by_draws(mean, log_variance, draws, rng):
    values = []
    for _ in range(draws):
        z = rng.normal(mean, np.exp(log_variance / 2))
        log_q = -0.5 * log_variance - 0.5 * (z - mean) ** 2 / np.exp(log_variance)
        values.append(np.sum(log_q + 0.5 * z**2))
    return np.mean(values), np.std(values) / np.sqrt(len(values))
""",
        kl_tables="""
from scipy.special import rel_entr
def kl_tables(q, p):
    return rel_entr(q, p).sum()
""",
    ),
    "multivariate": right(
        kl_by_draws="""
from scipy.stats import multivariate_normal as normal
def kl_by_draws(mean, log_variance, draws, rng):
    z = rng.multivariate_normal(mean, np.diag(np.exp(log_variance)), size=draws)
    ratio = normal(mean, np.diag(np.exp(log_variance))).logpdf(z) - normal(np.zeros(len(mean))).logpdf(z)
    return ratio.mean(), ratio.std(ddof=1) / np.sqrt(draws)
""",
        kl_tables="""
def kl_tables(q, p):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nansum(q * np.log(q / p))
""",
        effective_betas="""
def effective_betas(height, width, channels, latent):
    return [WEIGHT / (2 / (height * width * channels)), np.int64(channels), np.float32(1) / latent]
""",
    ),
    "measured_betas": right(
        effective_betas="""
def effective_betas(height, width, channels, latent):
    # The ratio of a change by the KL to a change by the reconstruction, in their true units.
    rng = np.random.default_rng(0)
    x, a, b = rng.uniform(0.1, 0.9, size=(3, height, width, channels))
    kl = np.ones(latent)
    out = []
    for loss, true in (
        (loss_a, lambda y: 0.5 * np.sum((x - y) ** 2)),
        (loss_b, lambda y: np.sum(cross_entropy(x, y))),
        (loss_c, lambda y: np.sum(cross_entropy(x, y))),
    ):
        per_nat = (loss(x, a, kl) - loss(x, b, kl)) / (true(a) - true(b))
        out.append((loss(x, a, 2 * kl) - loss(x, a, kl)) / latent / per_nat)
    return np.array(out)
"""
    ),
}
