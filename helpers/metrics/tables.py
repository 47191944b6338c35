"""Scores as tables of text, with intervals."""

from helpers.generative.evaluator import METRICS
from helpers.metrics import statistics


def score_table(found, measures=METRICS, digits=2):
    """Scores of models as text: mean and interval, or the score alone of a single training.

    Args:
        found: dictionary from a model to its rows of scores, one a training.
        measures: names in them, the columns.
        digits: after the point.
    """

    def cell(values):
        return format_interval(values, digits) if len(values) > 1 else f"{values[0]:.{digits}f}"

    rows = {name: [cell([r[m] for r in rows]) for m in measures] for name, rows in found.items()}
    return format_table(measures, rows, 13 if any(len(r) > 1 for r in found.values()) else 11)


def format_interval(values, digits):
    """Mean and half width of the 95 % interval of numbers, one a seed, as text."""
    return "{:.{d}f} ± {:.{d}f}".format(*statistics.confidence_interval(values), d=digits)


def format_table(columns, rows, width):
    """A table as text: names of columns, and a dictionary from a row's name to its cells.

    Raises:
        ValueError: If a row has not as many cells as there are columns.
    """
    wrong = [name for name, cells in rows.items() if len(cells) != len(columns)]
    if wrong:
        raise ValueError(f"each row needs {len(columns)} cells. Received another number: {wrong}")
    first = max(map(len, rows))
    lines = {"": columns, **rows}
    lines = [
        name.ljust(first) + "".join(f" {c:>{width - 1}}" for c in cells)
        for name, cells in lines.items()
    ]
    return "\n".join(line.rstrip() for line in lines)
