"""Recorded full runs: what `data/results` holds, read in one place.

`kept_folder` finds this folder, and that of the trained weights. Each other function knows the keys
under which the `results` cell of one kind of notebook keeps its scores, and returns what the
figures of `plots` and the tables take. Where there is no record, or none of these scores in it,
the answer is empty or None.
"""

import json
from pathlib import Path


def kept_folder(name):
    """Folder of what comes with the project: "results", the records, or "weights", see `pretrained`.

    In a checkout it is `data/NAME`. A wheel has no `data` beside the package and carries these
    files inside `helpers/data` (see `pyproject.toml`).
    """
    packaged = Path(__file__).with_name(name)
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "data" / name


RESULTS = kept_folder("results")


def mending(path, anew=""):
    """What brings back a file that comes with the project, and in a checkout `anew`: an error's end."""
    if Path(__file__).parent in Path(path).parents:
        return "Installing the wheel anew brings back what comes with it."
    return f"`git checkout -- {path}` brings back what comes with the project. {anew}".rstrip()


class Record(dict):
    """Results by their keys; to ask for a key that is not there is an error that says why.

    Args:
        results: A dictionary.
        path: Of the file that they were read from; None for no record.
        prefix: What was taken off the keys.
    """

    def __init__(self, results, path=None, prefix=""):
        super().__init__(results)
        self.path, self.prefix = path, prefix

    def __missing__(self, key):
        if self.path is None:
            raise KeyError(f"no record, so no {key!r}")
        mend = mending(self.path)
        key = f"{self.prefix}{key}"
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path} is not here, so there is no {key!r}. {mend}")
        raise KeyError(f"{self.path} has no {key!r}. {mend}")


def results_of(name, prefix=""):
    """The results of a recorded run, `{key: value}`, a `Record`; empty where there is none.

    Args:
        name: Of a file in `data/results`, without its ending; None or "" is no record.
        prefix: Only keys that begin with it, which are returned without it.

    Raises:
        ValueError: If the file is damaged.
    """
    path = RESULTS / f"{name}.json"
    if not name or not path.exists():
        return Record({}, path if name else None, prefix)
    try:
        results = json.loads(path.read_text("utf-8"))["results"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged ({type(error).__name__}: {error}). {mending(path)}"
        ) from error
    found = {k.removeprefix(prefix): v for k, v in results if k.startswith(prefix)}
    return Record(found, path, prefix)


def scores_by_method(name, task, methods, measures):
    """Scores of methods at a task, `{method: {measure: (mean, half width)}}`.

    Keys: `task_method_measure`, spaces as underscores. Methods without a score are left out.
    """
    table = {}
    for method in methods:
        found = results_of(name, f"{task}_{method}_".replace(" ", "_"))
        cells = {measure: tuple(found[measure]) for measure in measures if measure in found}
        table |= {method: cells} if cells else {}
    return table
