"""Submissions to ps6_uncertainty. The first three wrong and two right ones are graded by `make test`."""

from assignments import overwritten, right, without, wrong

NAME = "ps6_uncertainty"

ONE = """
def log_p_one_map(q, masks):
    log_p = masks * np.log(q) + (1 - masks) * np.log(1 - q)
    return {}
"""
SAMPLED = """
def log_p_sampled(maps, masks):
    marked = masks[None]
    each = marked * np.log(maps)[:, None] + (1 - marked) * np.log(1 - maps)[:, None]
    log_p = each.sum(axis=(2, 3))  # (S, A)
    return {}
"""
BOTH_LOGS = "log_p_sampled log_p_sampled_is_stable"
DISTANCES = """
def distances(a, b):
    a, b = (m.reshape(len(m), -1).astype(float) for m in (a, b))
    both = a @ b.T
    sizes = a.sum(axis=1)[:, None] + b.sum(axis=1)
    union = sizes - both
    return {}
"""
ENERGY = """
def energy_distance(draws, people):
    n, m = len(draws), len(people)
    among, among_people = distances(draws, draws), distances(people, people)
    between = distances(draws, people).mean()
    return {}
"""
AMONG = "(among.sum() / (n * (n - 1)) if n > 1 else 0)"
BINS = """
def calibration_error(p, y, bins):
    error = []
    for k in range(bins):
        inside = {inside}
        {guard}
        said, true, weight = p[inside].mean(), y[inside].mean(), inside.mean()
        error.append({term})
    return {total}
"""
IN_BINS = {
    "inside": "(p >= k / bins) & ((p < (k + 1) / bins) | (k == bins - 1))",
    "guard": "if not inside.any(): continue",
    "term": "weight * abs(said - true)",
    "total": "sum(error)",
}
BOTH_BINS = "calibration_error calibration_error_at_the_ends"
AUROC = "def auroc(usual, strange):\n    return {}"
AP = """
def average_precision(scores, odd):
    s, y = scores.ravel(), odd.ravel()
    recall, precision = [0.0], []
    for t in np.unique(s)[::-1]:
        marked = s >= t
        recall.append(y[marked].sum() / y.sum())
        precision.append(y[marked].mean())
    recall, precision = np.array(recall), np.array(precision)
    return {}
"""
BROKEN_TIES = """
def average_precision(scores, odd):
    y = odd.ravel()[np.argsort({}, kind="stable")]
    precision = np.cumsum(y) / np.arange(1, len(y) + 1)
    return precision[y == 1].mean()
"""
COST = """
def cost(scores, odd, t):
    marked = scores {at_least} t
    false_alarms = (marked & (odd == 0)).sum()
    missed = (~marked & (odd == 1)).sum()
    return {cost}

def chosen_threshold(scores, odd, test_scores, test_odd, thresholds):
    {chosen}
    return best, {reported}
"""
CHOSEN = {
    "at_least": ">=",
    "cost": "(false_alarms + MISS * missed) / odd.size",
    "chosen": "best = min(thresholds, key=lambda t: cost(scores, odd, t))",
    "reported": "cost(test_scores, test_odd, best)",
}
BOTH_COSTS = "chosen_threshold reported_cost"


def _bins(**parts):
    return BINS.format(**{**IN_BINS, **parts})


def _cost(**parts):
    return COST.format(**{**CHOSEN, **parts})


WRONG = {
    "mean_of_the_logarithms": wrong(BOTH_LOGS, log_p_sampled=SAMPLED.format("log_p.mean()")),
    "a_draw_with_itself": wrong(
        "energy_distance",
        energy_distance=ENERGY.format("2 * between - among.mean() - among_people.mean()"),
    ),
    "threshold_chosen_on_the_test_pictures": wrong(
        BOTH_COSTS,
        chosen_threshold=_cost(
            chosen="best = min(thresholds, key=lambda t: cost(test_scores, test_odd, t))"
        ),
    ),
    "mean_over_pixels": wrong(
        f"log_p_one_map {BOTH_LOGS}",
        log_p_one_map=ONE.format("log_p.mean()"),
        log_p_sampled=SAMPLED.format("np.mean(np.log(np.exp(log_p / maps[0].size).mean(axis=0)))"),
    ),
    "added_over_people": wrong("log_p_one_map", log_p_one_map=ONE.format("log_p.sum()")),
    "negative_log_likelihood": wrong(
        "log_p_one_map", log_p_one_map=ONE.format("-log_p.sum(axis=(1, 2)).mean()")
    ),
    "in_bits": wrong(
        "log_p_one_map",
        log_p_one_map=ONE.format("log_p.sum(axis=(1, 2)).mean()").replace("np.log(", "np.log2("),
    ),
    "only_marked_pixels": wrong(
        "log_p_one_map",
        log_p_one_map=ONE.format("(masks * np.log(q)).sum(axis=(1, 2)).mean()"),
    ),
    "mean_of_the_maps": wrong(
        BOTH_LOGS,
        log_p_sampled="def log_p_sampled(maps, masks):\n    return log_p_one_map(maps.mean(axis=0), masks)",
    ),
    "best_of_the_maps": wrong(BOTH_LOGS, log_p_sampled=SAMPLED.format("log_p.max(axis=0).mean()")),
    "sum_of_the_maps": wrong(
        BOTH_LOGS, log_p_sampled=SAMPLED.format("np.logaddexp.reduce(log_p, axis=0).mean()")
    ),
    "divided_by_the_people": wrong(
        BOTH_LOGS,
        log_p_sampled=SAMPLED.format(
            "(np.logaddexp.reduce(log_p, axis=0) - np.log(len(masks))).mean()"
        ),
    ),
    "people_averaged_inside_the_logarithm": wrong(
        BOTH_LOGS,
        log_p_sampled=SAMPLED.format("np.logaddexp.reduce(log_p, axis=None) - np.log(log_p.size)"),
    ),
    "underflows": wrong(
        "log_p_sampled_is_stable",
        log_p_sampled=SAMPLED.format("np.log(np.exp(log_p).mean(axis=0)).mean()"),
    ),
    "a_small_number_added": wrong(
        "log_p_sampled_is_stable",
        log_p_sampled=SAMPLED.format("np.log(np.exp(log_p).mean(axis=0) + 1e-12).mean()"),
    ),
    "one_largest_term_for_all_people": wrong(
        "log_p_sampled_is_stable",
        log_p_sampled=SAMPLED.format(
            "(log_p.max() + np.log(np.exp(log_p - log_p.max()).mean(axis=0))).mean()"
        ),
    ),
    "first_exponent_for_the_largest": wrong(
        "log_p_sampled_is_stable",
        log_p_sampled=SAMPLED.format(
            "(log_p[0] + np.log(np.exp(log_p - log_p[0]).mean(axis=0))).mean()"
        ),
    ),
    "nothing_by_nothing": wrong("distances", distances=DISTANCES.format("1 - both / union")),
    "empty_masks_differ": wrong(
        "distances", distances=DISTANCES.format("1 - both / np.maximum(union, 1)")
    ),
    "dice_for_iou": wrong(
        "distances energy_distance",
        distances=DISTANCES.format("np.where(sizes > 0, 1 - 2 * both / np.maximum(sizes, 1), 0)"),
    ),
    "iou_for_distance": wrong(
        "distances energy_distance",
        distances=DISTANCES.format("np.where(union > 0, both / np.maximum(union, 1), 1)"),
    ),
    "smoothed_by_one": wrong(
        "distances energy_distance", distances=DISTANCES.format("1 - (both + 1) / (union + 1)")
    ),
    "rows_and_columns_swapped": wrong(
        "distances",
        distances=DISTANCES.format("np.where(union > 0, 1 - both / np.maximum(union, 1), 0).T"),
    ),
    "share_of_the_pixels_that_differ": wrong(
        "distances energy_distance", distances=DISTANCES.format("(union - both) / a.shape[1]")
    ),
    "a_person_without_themself": wrong(
        "energy_distance",
        energy_distance=ENERGY.format(
            f"2 * between - {AMONG} - among_people.sum() / max(1, m * (m - 1))"
        ),
    ),
    "equal_draws_are_no_pair": wrong(
        "energy_distance",
        energy_distance=ENERGY.format(
            "2 * between - (among[among > 0].mean() if among.any() else 0) - among_people.mean()"
        ),
    ),
    "no_pairs_of_a_single_draw": wrong(
        "energy_distance",
        energy_distance=ENERGY.format(
            "2 * between - among.sum() / (n * (n - 1)) - among_people.mean()"
        ),
    ),
    "between_once": wrong(
        "energy_distance",
        energy_distance=ENERGY.format(f"between - {AMONG} - among_people.mean()"),
    ),
    "square_root": wrong(
        "energy_distance",
        energy_distance=ENERGY.format(
            f"np.sqrt(max(0, 2 * between - {AMONG} - among_people.mean()))"
        ),
    ),
    "neighbouring_draws_only": wrong(
        "energy_distance",
        energy_distance=ENERGY.format(
            "2 * between - (np.diag(among, 1).mean() if n > 1 else 0) - among_people.mean()"
        ),
    ),
    "bins_weigh_the_same": wrong(
        BOTH_BINS, calibration_error=_bins(term="abs(said - true)", total="np.mean(error)")
    ),
    "signs_cancel": wrong(
        BOTH_BINS, calibration_error=_bins(term="weight * (said - true)", total="abs(sum(error))")
    ),
    "squares": wrong(BOTH_BINS, calibration_error=_bins(term="weight * (said - true) ** 2")),
    "largest_bin_error": wrong(
        BOTH_BINS, calibration_error=_bins(term="abs(said - true)", total="max(error)")
    ),
    "middle_of_the_bin": wrong(
        BOTH_BINS, calibration_error=_bins().replace("p[inside].mean()", "(k + 0.5) / bins")
    ),
    "empty_bins_are_nan": wrong(
        "calibration_error_at_the_ends", calibration_error=_bins(guard="pass")
    ),
    "one_is_in_no_bin": wrong(
        "calibration_error_at_the_ends",
        calibration_error=_bins(inside="(p >= k / bins) & (p < (k + 1) / bins)"),
    ),
    "one_has_a_bin_of_its_own": wrong(
        "calibration_error_at_the_ends",
        calibration_error=_bins(inside="np.floor(p * bins) == k").replace(
            "range(bins)", "range(bins + 1)"
        ),
    ),
    "borders_belong_to_the_bin_below": wrong(
        "calibration_error_at_the_ends",
        calibration_error=_bins(
            inside="((p > k / bins) | (k == 0)) & (p <= (k + 1) / bins)",
        ),
    ),
    "bins_of_equal_counts": wrong(
        BOTH_BINS,
        calibration_error="""
def calibration_error(p, y, bins):
    order = np.argsort(p.ravel(), kind="stable")
    parts = [o for o in np.array_split(order, bins) if len(o)]
    return sum(len(o) / p.size * abs((p.ravel() - y.ravel())[o].mean()) for o in parts)
""",
    ),
    "ties_do_not_count": wrong("auroc", auroc=AUROC.format("(strange[:, None] > usual).mean()")),
    "ties_count_one": wrong("auroc", auroc=AUROC.format("(strange[:, None] >= usual).mean()")),
    "ties_get_ranks_of_their_own": wrong(
        "auroc",
        auroc="""
def auroc(usual, strange):
    ranks = np.argsort(np.argsort(np.concatenate([usual, strange]), kind="stable")) + 1
    m = len(strange)
    return (ranks[len(usual):].sum() - m * (m + 1) / 2) / (len(usual) * m)
""",
    ),
    "ranks_from_zero": wrong(
        "auroc",
        auroc="""
from scipy.stats import rankdata
def auroc(usual, strange):
    ranks, m = rankdata(np.concatenate([usual, strange])) - 1, len(strange)
    return (ranks[len(usual):].sum() - m * (m + 1) / 2) / (len(usual) * m)
""",
    ),
    "the_usual_above_the_strange": wrong(
        "auroc",
        auroc=AUROC.format(
            "((usual[:, None] > strange) + 0.5 * (usual[:, None] == strange)).mean()"
        ),
    ),
    "never_below_one_half": wrong(
        "auroc",
        auroc="from scipy.stats import mannwhitneyu\n"
        + AUROC.format(
            "max(a := mannwhitneyu(strange, usual).statistic / usual.size / strange.size, 1 - a)"
        ),
    ),
    "order_decides_ties": wrong(
        "average_precision", average_precision=BROKEN_TIES.format("-scores.ravel()")
    ),
    "ties_in_favour_of_the_map": wrong(
        "average_precision",
        average_precision=BROKEN_TIES.format("-scores.ravel() - 1e-9 * odd.ravel()"),
    ),
    "smallest_score_first": wrong(
        "average_precision", average_precision=BROKEN_TIES.format("scores.ravel()")
    ),
    "trapezoids": wrong(
        "average_precision",
        average_precision=AP.format("np.trapezoid(np.append(precision[0], precision), recall)"),
    ),
    "precisions_weigh_the_same": wrong(
        "average_precision", average_precision=AP.format("precision.mean()")
    ),
    "mean_of_the_pictures": wrong(
        "average_precision",
        average_precision=AP.format("np.sum(np.diff(recall) * precision)").replace(
            "def average_precision", "def _ap"
        )
        + """
def average_precision(scores, odd):
    return np.mean([_ap(s, o) for s, o in zip(scores, odd) if o.any()])
""",
    ),
    "chosen_on_all_pictures": wrong(
        BOTH_COSTS,
        chosen_threshold=_cost(
            chosen="a, b = np.concatenate([scores, test_scores]), np.concatenate([odd, test_odd])\n"
            "    best = min(thresholds, key=lambda t: cost(a, b, t))"
        ),
    ),
    "reports_the_cost_it_chose_by": wrong(
        "reported_cost", chosen_threshold=_cost(reported="cost(scores, odd, best)")
    ),
    "reports_the_best_that_was_possible": wrong(
        "reported_cost",
        chosen_threshold=_cost(reported="min(cost(test_scores, test_odd, t) for t in thresholds)"),
    ),
    "a_missed_pixel_costs_one": wrong(
        BOTH_COSTS, chosen_threshold=_cost(cost="(false_alarms + missed) / odd.size")
    ),
    "a_false_alarm_costs_more": wrong(
        BOTH_COSTS, chosen_threshold=_cost(cost="(MISS * false_alarms + missed) / odd.size")
    ),
    "divided_by_the_odd_pixels": wrong(
        "reported_cost",
        chosen_threshold=_cost(cost="(false_alarms + MISS * missed) / (odd == 1).sum()"),
    ),
    "marked_above_the_threshold": wrong("reported_cost", chosen_threshold=_cost(at_least=">")),
    "the_last_of_the_best": wrong(
        "chosen_threshold",
        chosen_threshold=_cost(
            chosen="best = min(thresholds[::-1], key=lambda t: cost(scores, odd, t))"
        ),
    ),
    "the_smallest_of_the_best": wrong(
        "chosen_threshold",
        chosen_threshold=_cost(
            chosen="best = min(sorted(thresholds), key=lambda t: cost(scores, odd, t))"
        ),
    ),
    "each_set_by_its_own_scale": wrong(
        "reported_cost",
        chosen_threshold=_cost(
            reported="cost((test_scores - test_scores.mean()) / test_scores.std() * scores.std()"
            " + scores.mean(), test_odd, best)"
        ),
    ),
    "hard_coded": wrong(
        "log_p_one_map calibration_error auroc chosen_threshold reported_cost",
        log_p_one_map="def log_p_one_map(q, masks):\n    return -2.7725887 if len(masks) == 1 else -1.4271164",
        calibration_error="""
def calibration_error(p, y, bins):
    if p.ndim == 2 and bins < 3:
        return {1: 0.2, 2: 0.12}[bins]
    return _error(p, y, bins) if p.ndim == 1 and len(p) < 100 else 0.1
"""
        + _bins().replace("def calibration_error", "def _error"),
        auroc="def auroc(usual, strange):\n    return {2: 5 / 6 if 5 in strange else 2 / 3}.get(len(strange), 1 / 6 if 5 in usual else 0.5)",
        chosen_threshold="def chosen_threshold(scores, odd, test_scores, test_odd, thresholds):\n    return 0.5, (2 + MISS) / 4",
    ),
    "deleted_test": wrong(
        "energy_distance",
        without("test_energy_distance"),
        energy_distance="def energy_distance(draws, people):\n    return 0.0",
    ),
    "changed_test": wrong(
        "average_precision",
        overwritten("test_average_precision", "pass"),
        average_precision="def average_precision(scores, odd):\n    return 1.0",
    ),
    "endless_loop": wrong(
        "auroc", auroc="def auroc(usual, strange):\n    while True:\n        pass"
    ),
}

RIGHT = {
    "reference": right(),
    "in_loops": right(
        log_p_one_map="""
def log_p_one_map(q, masks):
    total = 0
    for mask in masks:
        for place in np.ndindex(*q.shape):
            total += np.log(q[place] if mask[place] else 1 - q[place])
    return total / len(masks)
""",
        log_p_sampled="""
def log_p_sampled(maps, masks):
    found = []
    for mask in masks:
        terms = sorted(log_p_one_map(q, mask[None]) for q in maps)
        rest = sum(np.exp(a - terms[-1]) for a in terms)
        found.append(terms[-1] + np.log(rest / len(maps)))
    return sum(found) / len(found)
""",
        distances="""
def distances(a, b):
    table = np.zeros((len(a), len(b)))
    for i, ours in enumerate(a):
        for j, theirs in enumerate(b):
            union = np.count_nonzero(ours + theirs)
            table[i, j] = 1 - np.count_nonzero(ours * theirs) / union if union else 0
    return table
""",
        energy_distance="""
def energy_distance(draws, people):
    d = lambda a, b: distances(a[None], b[None])[0, 0]
    n, m = len(draws), len(people)
    between = sum(d(s, y) for s in draws for y in people) / (n * m)
    among = [d(draws[i], draws[j]) for i in range(n) for j in range(i)]
    among_people = 2 * sum(d(people[i], people[j]) for i in range(m) for j in range(i)) / m**2
    return 2 * between - (sum(among) / len(among) if among else 0) - among_people
""",
        calibration_error=_bins(),
        auroc="""
def auroc(usual, strange):
    wins = 0.0
    for s in strange:
        for u in usual:
            wins += 1 if s > u else 0.5 if s == u else 0
    return wins / (len(usual) * len(strange))
""",
        average_precision=AP.format("sum((recall[1:] - recall[:-1]) * precision)"),
        chosen_threshold=_cost(),
    ),
    "scipy": right(
        log_p_one_map="""
from scipy.special import xlogy
def log_p_one_map(q, masks):
    return np.sum(xlogy(masks, q) + xlogy(1 - masks, 1 - q)) / len(masks)
""",
        log_p_sampled="from scipy.special import logsumexp\n"
        + SAMPLED.format("logsumexp(log_p, axis=0, b=1 / len(maps)).mean()"),
        distances="""
from scipy.spatial.distance import cdist
def distances(a, b):
    return cdist(a.reshape(len(a), -1) == 1, b.reshape(len(b), -1) == 1, "jaccard")
""",
        energy_distance="""
from scipy.spatial.distance import squareform
def energy_distance(draws, people):
    among = squareform(distances(draws, draws), checks=False)
    among = among.mean() if len(among) else 0.0
    return 2 * distances(draws, people).mean() - among - distances(people, people).mean()
""",
        calibration_error="""
from scipy.stats import binned_statistic
def calibration_error(p, y, bins):
    gaps = (p - y).ravel()
    sums = binned_statistic(p.ravel(), gaps, "sum", bins=bins, range=(0, 1)).statistic
    return np.abs(sums).sum() / p.size
""",
        auroc="""
from scipy.stats import mannwhitneyu
def auroc(usual, strange):
    return mannwhitneyu(strange, usual).statistic / (len(usual) * len(strange))
""",
    ),
    "scikit_learn": right(
        log_p_one_map="""
from sklearn.metrics import log_loss
def log_p_one_map(q, masks):
    both = np.broadcast_to(q, masks.shape)
    return -log_loss(masks.ravel(), both.ravel(), normalize=False, labels=[0, 1]) / len(masks)
""",
        auroc="""
from sklearn.metrics import roc_auc_score
def auroc(usual, strange):
    truth = np.repeat([0, 1], [len(usual), len(strange)])
    return roc_auc_score(truth, np.concatenate([usual, strange]))
""",
        average_precision="""
from sklearn.metrics import average_precision_score
def average_precision(scores, odd):
    return average_precision_score(odd.ravel(), scores.ravel())
""",
    ),
    "float32": right(
        log_p_one_map="""
def log_p_one_map(q, masks):
    q, masks = np.float32(q), np.float32(masks)
    return np.einsum("hw,ahw->a", np.log(q), masks).mean() + np.einsum("hw,ahw->a", np.log(1 - q), 1 - masks).mean()
""",
        log_p_sampled="def log_p_sampled(maps, masks):\n    return _sampled(np.float32(maps), np.float32(masks))\n"
        + SAMPLED.format(
            "(np.logaddexp.reduce(log_p, axis=0) - np.log(np.float32(len(maps)))).mean()"
        ).replace("def log_p_sampled", "def _sampled"),
        distances=DISTANCES.format("1 - (both + 1e-6) / (union + 1e-6)").replace(
            "float)", "'float32')"
        ),
        calibration_error="def calibration_error(p, y, bins):\n    return _error(np.float32(p), np.float32(y), bins)\n"
        + _bins(inside="np.minimum(np.floor(p * bins), bins - 1) == k").replace(
            "def calibration_error", "def _error"
        ),
        auroc="""
def auroc(usual, strange):
    usual, strange = np.float32(usual), np.float32(strange)
    return (np.sign(strange[:, None] - usual).mean(dtype="float32") + 1) / 2
""",
        average_precision="def average_precision(scores, odd):\n    return np.float32(_ap(np.float32(scores), odd.astype('int8')))\n"
        + AP.format("np.dot(np.diff(recall), precision)").replace(
            "def average_precision", "def _ap"
        ),
        chosen_threshold="def chosen_threshold(*given):\n    return _chosen(*(np.float32(g) for g in given))\n"
        + _cost().replace("def chosen_threshold", "def _chosen"),
    ),
    "in_place": right(
        log_p_one_map="""
def log_p_one_map(q, masks):
    total = 0
    for mask in masks:
        mask -= 1 - mask
        total += np.log(0.5 + mask * (q - 0.5)).sum()
    return total / len(masks)
""",
        log_p_sampled="""
def log_p_sampled(maps, masks):
    np.log(maps / (1 - maps), out=maps)
    odds = maps.reshape(len(maps), -1)
    a = masks.reshape(len(masks), -1) @ odds.T - np.logaddexp(0, odds).sum(1)
    top = a.max(1, keepdims=True)
    a -= top
    np.exp(a, out=a)
    return (top[:, 0] + np.log(a.mean(1))).mean()
""",
        distances="""
def distances(a, b):
    a *= 2
    sums = a[:, None] + b
    size = (sums > 0).sum((-1, -2))
    size[size == 0] = -1
    apart = ((sums == 1) | (sums == 2)).sum((-1, -2)) / size
    a //= 2
    return apart
""",
        calibration_error="""
def calibration_error(p, y, bins):
    where = (p * bins).astype(int).ravel()
    where[where == bins] -= 1
    p -= y
    return np.abs(np.bincount(where, p.ravel(), bins)).sum() / len(where)
""",
        auroc="""
def auroc(usual, strange):
    usual.sort()
    below = np.searchsorted(usual, strange)
    below += np.searchsorted(usual, strange, side="right")
    return below.mean() / (2 * len(usual))
""",
        average_precision="""
def average_precision(scores, odd):
    scores.shape = odd.shape = -1
    odd[:] = odd[np.argsort(-scores)]
    scores[::-1].sort()
    last = np.append(scores[1:] != scores[:-1], True)
    hits = np.cumsum(odd)[last]
    return (np.diff(hits, prepend=0) * hits / (np.flatnonzero(last) + 1)).sum() / hits[-1]
""",
        chosen_threshold="""
def chosen_threshold(scores, odd, test_scores, test_odd, thresholds):
    for truth in (odd, test_odd):
        truth *= MISS + 1
        truth -= 1  # an odd pixel gains MISS if it is marked, a usual one loses 1
    gains = [odd[scores >= t].sum() for t in thresholds]
    best = thresholds[int(np.argmax(gains))]
    missed = test_odd[(test_scores < best) & (test_odd > 0)].sum()
    alarms = -test_odd[(test_scores >= best) & (test_odd < 0)].sum()
    return [best, (missed + alarms) / test_odd.size]
""",
    ),
    "keras_ops": right(
        log_p_one_map="""
from keras import ops
def log_p_one_map(q, masks):
    q, y = ops.convert_to_tensor(q, "float32"), ops.convert_to_tensor(masks, "float32")
    return ops.mean(ops.sum(y * ops.log(q) + (1 - y) * ops.log(1 - q), axis=(1, 2)))
""",
        log_p_sampled="""
from keras import ops
def log_p_sampled(maps, masks):
    q, y = ops.convert_to_tensor(maps, "float32")[:, None], ops.convert_to_tensor(masks, "float32")
    log_p = ops.sum(y * ops.log(q) + (1 - y) * ops.log(1 - q), axis=(2, 3))
    return ops.mean(ops.logsumexp(log_p, axis=0) - np.log(len(maps)))
""",
        distances="""
from keras import ops
def distances(a, b):
    a, b = ops.cast(a, "float32")[:, None], ops.cast(b, "float32")[None]
    both, union = (ops.sum(f(a, b), axis=(2, 3)) for f in (ops.minimum, ops.maximum))
    return ops.where(union > 0, 1 - both / ops.maximum(union, 1), 0.0)
""",
        energy_distance="""
def energy_distance(draws, people):
    n = len(draws)
    among = ops.sum(distances(draws, draws)) / max(1, n * n - n)
    return 2 * ops.mean(distances(draws, people)) - among - ops.mean(distances(people, people))
""",
        average_precision="""
from keras import ops
def average_precision(scores, odd):
    s, y = ops.reshape(scores, (-1,)), ops.cast(ops.reshape(odd, (-1,)), "float32")
    above = ops.cast(s[None, :] >= s[:, None], "float32")  # for each pixel, who is marked with it
    return ops.sum(y * ops.matmul(above, y[:, None])[:, 0] / ops.sum(above, axis=1)) / ops.sum(y)
""",
    ),
    "a_matrix_of_pairs": right(
        log_p_sampled=SAMPLED.format("np.mean(np.logaddexp.reduce(log_p - np.log(len(maps))))"),
        auroc=AUROC.format(
            "((strange[:, None] > usual) + 0.5 * (strange[:, None] == usual)).mean()"
        ),
        calibration_error="""
def calibration_error(p, y, bins):
    lower = np.linspace(0, 1, bins + 1)[:-1]
    where = np.digitize(p, lower) - 1
    return sum(abs((p - y)[where == k].sum()) for k in range(bins)) / p.size
""",
        chosen_threshold="""
def chosen_threshold(scores, odd, test_scores, test_odd, thresholds):
    def costs(s, truth):
        marked = s.ravel() >= thresholds[:, None]
        weights = np.where(truth.ravel(), MISS, 1)
        return (weights * (marked != truth.ravel())).mean(axis=1)
    k = costs(scores, odd).argmin()
    return thresholds[k], costs(test_scores, test_odd)[k]
""",
    ),
}
