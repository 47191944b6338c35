"""Scores as tables of text, with intervals."""

from helpers.metrics import statistics


def format_interval(values, digits):
    """Mean and half width of the 95 % interval of numbers, one a seed, as text."""
    return "{:.{d}f} ± {:.{d}f}".format(*statistics.confidence_interval(values), d=digits)


def format_table(columns, rows, width, corner="", block=None):
    """A table as text: names of columns, and a dictionary from a row's name to its cells.

    Args:
        columns: Names of the columns.
        rows: Dictionary from the name of a row to its cells, text.
        width: Of a column, in characters.
        corner: What stands above the names of the rows.
        block: At most so many columns side by side, the others in blocks below; None is no limit.

    Raises:
        ValueError: If a row has not as many cells as there are columns.
    """
    wrong = [name for name, cells in rows.items() if len(cells) != len(columns)]
    if wrong:
        raise ValueError(f"each row needs {len(columns)} cells. Received another number: {wrong}")
    first = max(map(len, [corner, *rows]))
    lines = []
    for start in range(0, len(columns), block or len(columns)):
        part = slice(start, start + (block or len(columns)))
        for name, cells in [(corner, columns), *rows.items()]:
            lines.append(name.ljust(first) + "".join(f" {c:>{width - 1}}" for c in cells[part]))
    return "\n".join(line.rstrip() for line in lines)


def score_table(scores, measures, digits=2):
    """Scores of models as text: mean and interval, or the score alone of a single training.

    Args:
        scores: Dictionary from a model to its rows of scores, one a training.
        measures: Names in them, the columns.
        digits: After the point.
    """

    def cell(values):
        return format_interval(values, digits) if len(values) > 1 else f"{values[0]:.{digits}f}"

    rows = {name: [cell([r[m] for r in rows]) for m in measures] for name, rows in scores.items()}
    return format_table(measures, rows, 13 if any(len(r) > 1 for r in scores.values()) else 11)
