"""The comparison of notebook 14: repairs of label maps with settings chosen alike, and what is ahead.

A *kind* is one of several kinds of damage. A *repair* is a function of (damaged maps, matrix T,
settings …) that gives probabilities, see `mask_repairs`. Maps for tuning and maps to score are
different ones. A *draw* is one draw of the damage.
"""

import numpy as np

from helpers import metrics
from helpers.experiments.mask_repairs import answer_of, confusion


def choose(repair, settings, masks, damaged, matrix):
    """The settings with the best mean IoU on maps for tuning.

    Args:
        repair: see above.
        settings: tuples of arguments of `repair`.
        masks: integer `(N, H, W)`, undamaged.
        damaged: `(N, H, W, C)`.
        matrix: T, `(C, C)`.

    Returns:
        (one of the settings, once_more of `answer_of`). The first wins where several are best.

    Examples:
        >>> from helpers.experiments import mask_comparison, mask_repairs
        >>> masks = np.arange(64).reshape(1, 8, 8) % 4
        >>> seen = data.mask_damage.one_hot(masks)
        >>> matrix = mask_repairs.confusion(masks, seen)
        >>> sides = [(3, 1), (1, 1)]  # a window of one pixel changes nothing
        >>> mask_comparison.choose(mask_repairs.majority, sides, masks, seen, matrix)
        ((1, 1), False)
    """
    best, found = -1.0, None
    for setting in settings:
        probabilities = repair(damaged, matrix, *setting)
        for once_more in (False, True):
            answer = answer_of(probabilities, damaged, matrix, once_more)
            iou = metrics.mean_iou(masks, answer, matrix.shape[0])
            if iou > best:
                best, found = iou, (setting, once_more)
    return found


def repair_all(repairs, sets, masks_tune):
    """The answers of all repairs to all kinds of damage, each with settings of its own.

    Args:
        repairs: `{method: (repair, settings to choose from)}`.
        sets: `{kind: (damaged maps for tuning, damaged maps to score)}`.
        masks_tune: integer `(N, H, W)`, what the maps for tuning were.

    Returns:
        `{(kind, method): answers (M, H, W)}`, where the method "nothing" leaves the damage as it
        is, and `{(kind, method): (setting, once_more)}`.

    Examples:
        >>> from helpers.experiments import mask_comparison, mask_repairs
        >>> masks = np.ones((2, 9, 9), int)
        >>> seen = data.mask_damage.one_hot(masks)
        >>> repairs = {"majority": (mask_repairs.majority, [(3, 1)])}
        >>> answers, chosen = mask_comparison.repair_all(repairs, {"none": (seen, seen)}, masks)
        >>> sorted(answers), chosen
        ([('none', 'majority'), ('none', 'nothing')], {('none', 'majority'): ((3, 1), False)})
    """
    answers, chosen = {}, {}
    for kind, (tune, damaged) in sets.items():
        matrix = confusion(masks_tune, tune)
        answers[kind, "nothing"] = damaged.argmax(axis=-1)
        for method, (repair, settings) in repairs.items():
            setting, once_more = choose(repair, settings, masks_tune, tune, matrix)
            probabilities = repair(damaged, matrix, *setting)
            answers[kind, method] = answer_of(probabilities, damaged, matrix, once_more)
            chosen[kind, method] = setting, once_more
    return answers, chosen


def scores_by_picture(masks, draws, num_classes):
    """Scores of each map whose mean is nearly the mean IoU, for intervals.

    Args:
        masks: integer `(M, H, W)`, undamaged.
        draws: answers as from `repair_all`, one dictionary for each draw of the damage.
        num_classes: C.

    Returns:
        `{(kind, method): (draws, M)}`, see `metrics.mean_iou_by_image`.

    Examples:
        >>> from helpers.experiments import mask_comparison
        >>> masks = np.arange(32).reshape(2, 4, 4) % 4
        >>> scores = mask_comparison.scores_by_picture(masks, [{("hole", "nothing"): masks}], 4)
        >>> scores["hole", "nothing"].tolist()
        [[1.0, 1.0]]
    """
    return {
        key: np.array([metrics.mean_iou_by_image(masks, one[key], num_classes) for one in draws])
        for key in draws[0]
    }


def contrasts(scores, pairs):
    """Differences of two methods for every kind of damage, corrected together after Holm.

    Args:
        scores: as from `scores_by_picture`.
        pairs: (method, rival); a kind without one of them is left out.

    Returns:
        `{(kind, method, rival): {"gain", "half", "p", "word"}}`, see `metrics.contrasts`: the
        interval gain ± half covers draws and maps.

    Examples:
        >>> from helpers.experiments import mask_comparison
        >>> scores = {("hole", "a"): np.array([[0.8, 0.9, 0.8, 0.9]])}
        >>> scores["hole", "b"] = scores["hole", "a"] - [[0.3, 0.31, 0.29, 0.3]]
        >>> row = mask_comparison.contrasts(scores, [("a", "b")])["hole", "a", "b"]
        >>> round(row["gain"], 2), row["word"]
        (0.3, 'better')
    """
    kinds = list(dict.fromkeys(kind for kind, _ in scores))
    gains = {}
    for method, rival in pairs:
        for kind in kinds:
            if (kind, method) in scores and (kind, rival) in scores:
                gains[kind, method, rival] = scores[kind, method] - scores[kind, rival]
    return metrics.contrasts(gains)


def mean_ious(masks, draws, num_classes):
    """The mean IoU of every method for every kind, a mean over draws of the damage.

    Args:
        masks, draws, num_classes: as for `scores_by_picture`.

    Returns:
        `{(kind, method): float}`.

    Examples:
        >>> from helpers.experiments import mask_comparison
        >>> masks = np.arange(16).reshape(1, 4, 4) % 4
        >>> mask_comparison.mean_ious(masks, [{("hole", "nothing"): masks}], 4)
        {('hole', 'nothing'): 1.0}
    """
    return {
        key: float(np.mean([metrics.mean_iou(masks, one[key], num_classes) for one in draws]))
        for key in draws[0]
    }


def table(cells):
    """Text with a row for each method and a column for each kind.

    Args:
        cells: `{(kind, method): text or number}`; a missing one stays empty.

    Examples:
        >>> from helpers.experiments import mask_comparison
        >>> print(mask_comparison.table({("hole", "majority"): 0.5, ("hole", "DAE"): "1 (once)"}))
                      hole
        majority             0.500
        DAE               1 (once)
    """
    kinds, methods = (list(dict.fromkeys(names)) for names in zip(*cells))
    rows = {}
    for method in methods:
        row = [cells.get((kind, method), "") for kind in kinds]
        rows[method] = [cell if isinstance(cell, str) else f"{cell:.3f}" for cell in row]
    return metrics.format_table(kinds, rows, width=18)


def settings_table(chosen):
    """What `repair_all` chose, as text: the setting, and "once" where once_more was chosen.

    Examples:
        >>> from helpers.experiments import mask_comparison
        >>> chosen = {("hole", "majority"): ((3, 1), True), ("hole", "search"): ((), False)}
        >>> print(mask_comparison.settings_table(chosen))
                      hole
        majority        3, 1, once
        search                   -
    """
    cells = {}
    for key, (setting, once_more) in chosen.items():
        words = [str(value) for value in setting] + ["once"] * once_more
        cells[key] = ", ".join(words) or "-"
    return table(cells)


def contrasts_table(found):
    """What `contrasts` gave as text: a star where the word is not "level".

    Examples:
        >>> from helpers.experiments import mask_comparison
        >>> row = {"gain": 0.1, "half": 0.02, "p": 0.01, "word": "better"}
        >>> print(mask_comparison.contrasts_table({("hole", "search", "nothing"): row}))
                                      hole
        search − nothing  +0.100 ± 0.020 *
    """
    cells = {}
    for (kind, method, rival), row in found.items():
        star = " " if row["word"] == "level" else "*"
        cells[kind, f"{method} − {rival}"] = f"{row['gain']:+.3f} ± {row['half']:.3f} {star}"
    return table(cells)


def results(means, found):
    """Numbers of a comparison for its record.

    Args:
        means: as from `mean_ious`.
        found: as from `contrasts`.

    Returns:
        `{KIND_METHOD: mean IoU}` and `{ahead_KIND_METHOD_RIVAL: [gain, half, p]}` and
        `{word_KIND_METHOD_RIVAL: word}`, commas left out and spaces as underscores.

    Examples:
        >>> from helpers.experiments import mask_comparison
        >>> mask_comparison.results({("hole, told", "VAE, search"): 0.9}, {})
        {'hole_told_VAE_search': 0.9}
    """
    told = {"_".join(key): value for key, value in means.items()}
    for key, row in found.items():
        told["_".join(("ahead", *key))] = [row["gain"], row["half"], row["p"]]
        told["_".join(("word", *key))] = row["word"]
    return {key.replace(", ", "_").replace(" ", "_"): value for key, value in told.items()}
