"""What many runs found, as one table and as a picture of it."""

import csv
import io
import json
import os
from pathlib import Path

from helpers.runs.outputs import FAILED
from helpers.runs.request import BadRequest
from helpers.runs.rules import nearest


def table(folder):
    """All finished runs in a folder as one tidy table, a row a run.

    Args:
        folder: of executed notebooks, of one or several sweeps.

    Returns:
        List of dictionaries: notebook, run, each parameter that is not the same in all rows or was
        set, each result that is one value, and seconds. Lists are left out; the notebooks have
        them.

    Raises:
        BadRequest: if there is no such folder or no finished run in it.
    """
    import nbformat

    from helpers.runs.parameters import read_parameters
    from helpers.runs.results import read_results

    paths = [p for p in sorted(Path(folder).glob("*.ipynb")) if not p.name.endswith(FAILED)]
    rows = []
    for path in paths:
        try:
            node = nbformat.read(path, as_version=4)
            payload, known = read_results(node), read_parameters(node)
        except Exception as error:
            raise BadRequest(f"{path} is no executed notebook of the series: {error}") from None
        values = {name: p.default for name, p in known.items()} | payload["parameters"]
        stem, _, run = path.stem.rpartition("__")
        row = {"notebook": (stem or run).split("__")[0], "run": run}
        row |= {name: _cell(value) for name, value in values.items()}
        single = {k: v for k, v in payload["results"].items() if not isinstance(v, list)}
        row |= {name if name not in row else f"result_{name}": v for name, v in single.items()}
        rows.append({**row, "seconds": node.metadata.get("papermill", {}).get("duration")})
    if not rows:
        raise BadRequest(f"No finished run in {folder}.")
    return rows


def _cell(value):
    return value if isinstance(value, (bool, int, float, str)) else json.dumps(value)


def varying(rows):
    """The table without the columns that say the same in every row; of one row, all."""
    same = {
        name for name in rows[0] if len(rows) > 1 and len({str(r.get(name)) for r in rows}) == 1
    }
    return [{name: value for name, value in row.items() if name not in same} for row in rows]


def as_text(rows):
    """The table in columns, numbers to four digits."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_short(row.get(name)) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in cells)


def write_csv(rows, path):
    """Write the table, whole or not at all."""
    names, text = list(dict.fromkeys(name for row in rows for name in row)), io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    partial = Path(path).with_name(f".{Path(path).name}.{os.getpid()}.partial")
    partial.write_text(text.getvalue(), "utf-8")
    os.replace(partial, path)


def draw(rows, x, y, by=None, path="results.png"):
    """Draw one column over another: each run a point, and a line through the means at each x.

    Args:
        rows: as `table` gives them.
        x, y: names of columns; y of numbers.
        by: a further column, which gives each of its values a line.
        path: of the PNG.

    Raises:
        BadRequest: if there is no such column, or y holds no numbers.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from helpers import plots

    for name in filter(None, (x, y, by)):
        if name not in rows[0]:
            near = nearest(name, list(rows[0]))
            hint = f" Did you mean {near!r}?" if near else ""
            raise BadRequest(f"No column {name!r}.{hint} Known: {', '.join(rows[0])}.")
    if not all(isinstance(row.get(y), (int, float)) for row in rows):
        raise BadRequest(f"Column {y!r} holds no numbers, so it cannot be drawn.")
    plots.use()
    fig, axis = plt.subplots(figsize=(6, 3.8))
    groups = {}
    for row in rows:
        groups.setdefault(row[by] if by else y, {}).setdefault(row[x], []).append(row[y])
    number = all(isinstance(row[x], (int, float)) for row in rows)
    for name, points in sorted(groups.items(), key=lambda item: str(item[0])):
        places = sorted(points) if number else list(points)
        means = [sum(points[place]) / len(points[place]) for place in places]
        (line,) = axis.plot(places, means, "-", label=f"{by} = {name}" if by else None)
        spots = [(place, value) for place in places for value in points[place]]
        axis.plot(*zip(*spots), "o", color=line.get_color(), markersize=4)
    axis.set(xlabel=x, ylabel=y)
    if by:
        axis.legend()
    fig.savefig(path)
    plt.close(fig)


def _short(value):
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
