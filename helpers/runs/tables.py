"""What many runs found, as one table and as a picture of it."""

import csv
import io
import json
from pathlib import Path

from helpers.runs.notebook_names import present_run
from helpers.runs.notebooks import BadRequest, series_names
from helpers.runs.outputs import FAILED, PARTIAL, write_whole
from helpers.runs.parameter_names import present_name, unknown
from helpers.runs.rules import nearest

UNFINISHED = "is not finished: it still runs, or was stopped."


def table(folder):
    """All finished runs in a folder as one tidy table, a row a run; see `collect`."""
    return collect(folder)[0]


def collect(folder):
    """All finished runs in a folder as one tidy table, and what there is no run.

    Args:
        folder: of executed notebooks, of one or several sweeps.

    Returns:
        (rows, left): a list of dictionaries with notebook, run, each parameter, each result that
        is one value, and seconds. A list of one item counts as that item; longer ones of results
        are left out, and the notebooks have them. And one sentence for each notebook that is no
        finished run.

    Raises:
        BadRequest: if there is no such folder or no finished run in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadRequest(f"No folder {folder}.")
    rows, left = [], []
    for path in sorted(folder.glob("*.ipynb")):
        try:
            rows.append(_row(path))
        except _Left as reason:
            left.append(f"{path.name} {reason}")
    if not rows:
        deeper = sorted({str(path.parent) for path in folder.glob("*/*.ipynb")})
        left += [f"There are notebooks in {', '.join(deeper)}."] if deeper else []
        raise BadRequest("\n".join([f"No finished run in {folder}.", *left]))
    return rows, left


class _Left(Exception):
    """Why a notebook is no finished run, as the end of a sentence."""


def _row(path):
    import nbformat

    from helpers.runs.parameters import parameters_of_run
    from helpers.runs.results import error_of, is_unfinished, read_results

    if path.name.endswith(PARTIAL):
        raise _Left(UNFINISHED)
    try:
        node = nbformat.read(path, as_version=4)
        error, unfinished = error_of(node), is_unfinished(node)
    except Exception as failure:  # nbformat has errors of its own for each kind of damage
        words = " ".join(str(failure).split())[:100]
        raise _Left(
            f"is no executed notebook of the series: it cannot be read ({words})."
        ) from None
    if error or path.name.endswith(FAILED):
        raise _Left(f"failed: {error or 'see there.'}")
    if unfinished:
        raise _Left(UNFINISHED)
    try:
        payload = read_results(node)
        values = parameters_of_run(node, payload["parameters"], path.name)
        results = {name: _item(value) for name, value in payload["results"].items()}
    except Exception as failure:
        words = " ".join(str(failure).split())[:100]
        raise _Left(f"is no executed notebook of the series: {words}") from None
    stem, _, run = path.stem.rpartition("__")
    notebook = present_run(stem or run, series_names()).split("__")[0]
    row = {"notebook": notebook, "run": run}
    row |= {name: _cell(value) for name, value in values.items()}
    single = {name: value for name, value in results.items() if not isinstance(value, list)}
    row |= {name if name not in row else f"result_{name}": v for name, v in single.items()}
    return {**row, "seconds": node.metadata.get("papermill", {}).get("duration")}


def _item(value):
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _cell(value):
    value = _item(value)
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
    write_whole(path, text.getvalue())


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

    known = list(dict.fromkeys(name for row in rows for name in row))
    for name in filter(None, (x, y, by)):
        if name not in known:
            near = nearest(name, known)
            hint = f" Did you mean {near!r}?" if near else ""
            hint = f" {unknown(name, known)}" if present_name(name, known) else hint
            raise BadRequest(f"No column {name!r}.{hint} Known: {', '.join(known)}.")
    # Notebooks of several kinds in one folder: only those that have the columns can be drawn.
    rows = [row for row in rows if all(n in row for n in filter(None, (x, y, by)))]
    if not rows:
        raise BadRequest(f"No run has both {x!r} and {y!r}.")
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
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return " ".join(text.splitlines())
