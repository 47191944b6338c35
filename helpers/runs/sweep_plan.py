"""What a sweep asks for: a YAML file becomes a list of runs, each with an id of its own.

    notebooks: "07"            a number, a name, or a list of them
    profile: smoke             the parameters to start from (default)
    parameters: {epochs: 2}    the same in every run
    grid: {beta: [1, 4], latent: [8, 16]}    every combination, …
    runs: [{beta: 1}, {beta: 4, latent: 8}]  … or these sets
    seeds: 3                   each with the seeds 0, 1, 2; or a list of seeds
    best: {smallest: nats}     the result whose best value the progress bar shows; or largest

Everything here happens before a kernel starts and before a file is written.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
from pathlib import Path

from helpers.checkpoint import code_versions
from helpers.data.archive import content_digest
from helpers.runs.notebooks import PROFILES, BadRequest, find, profile_file
from helpers.runs.parameter_cells import read_notebook
from helpers.runs.parameter_names import present_name, unknown
from helpers.runs.parameters import check_path, check_values, parameters_of, read_file
from helpers.runs.results import read_results
from helpers.runs.rules import nearest
from helpers.runs.values import meant

KEYS = ("notebooks", "profile", "parameters", "grid", "runs", "seeds", "best")


@dataclasses.dataclass(frozen=True)
class Job:
    """One run of a sweep: a notebook, the values that differ from its cell, and a name.

    `id` is a hash of notebook, all parameters, code, data and kernel; `changed` are the values
    that distinguish the run within its sweep.
    """

    notebook: Path
    values: dict
    changed: dict
    id: str

    @property
    def name(self):
        """File name without its ending: notebook, what was changed, id."""
        parts = [f"{name}={_short(value)}" for name, value in self.changed.items()]
        text = "__".join([self.notebook.stem, *parts])
        return (
            "".join(c if c.isalnum() or c in "._=-" else "-" for c in text)[:120] + f"__{self.id}"
        )


@dataclasses.dataclass(frozen=True)
class Sweep:
    """All runs of a sweep file, their kernel, and the best result: `(name, sign)` or None."""

    jobs: tuple
    best: tuple | None = None
    kernel: str | None = None


def read_sweep(path, profile=None, kernel=None):
    """Read and check a sweep file.

    Args:
        path: of the YAML file.
        profile: takes the place of the file's own.
        kernel: name of the Jupyter kernel, which is a part of the ids; None leaves it open.

    Returns:
        A `Sweep`; runs that are the same are listed once.

    Raises:
        BadRequest: names what is wrong with the file or with a parameter in it.
    """
    plan = read_file(path)
    unknown = [key for key in plan if key not in KEYS]
    if unknown:
        near = nearest(unknown[0], KEYS)
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"{path}: unknown entry {unknown[0]!r}.{hint} Known: {', '.join(KEYS)}.")
    names = meant(plan.get("notebooks"))
    names = names if isinstance(names, list) else [names]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise BadRequest(f'{path}: `notebooks` must be like "07" or a list of them, in quotes.')
    profile = profile or meant(plan.get("profile", "default"))
    if profile not in PROFILES:
        raise BadRequest(
            f"{path}: a profile is one of {', '.join(PROFILES)}. Received: {profile!r}"
        )
    base, sets = _mapping(plan, "parameters", path), _sets(plan, path)
    jobs = {}
    for notebook, changed in itertools.product(map(find, names), sets):
        own = profile_file(notebook, profile, {**base, **changed}.get("dataset"))
        values = {**(read_file(own) if own else {}), **base, **changed}
        values = check_values(notebook, values)
        check_path(parameters_of(notebook), values)
        changed = {name: values[name] for name in changed}
        job = Job(notebook, values, changed, run_id(notebook, values, kernel))
        jobs.setdefault(job.id, job)
    best = _best(plan, path)
    for notebook in dict.fromkeys(job.notebook for job in jobs.values()) if best else ():
        _check_best(notebook, best[0], path)
    return Sweep(tuple(jobs.values()), best, kernel)


def run_id(notebook, values, kernel=None):
    """Twelve hexadecimal digits: they stand for notebook, parameters, code, data and kernel.

    Results of another backend are others, so a run on another kernel is another run.
    """
    known = parameters_of(notebook)
    values = {name: p.default for name, p in known.items()} | values
    cells = [c.source for c in read_notebook(notebook).cells if c.cell_type == "code"]
    parts = [Path(notebook).stem, cells, _alike(values), package_version()]
    # A file or a folder that is named counts by what it holds.
    rules = ("file", "image", "folder", "pictures")
    named = [Path(values[n]) for n, p in known.items() if p.rule in rules and values[n]]
    parts += [
        content_digest(path)[0] if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in named
    ]
    parts += [] if kernel is None else [f"kernel {kernel}"]
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _alike(value):
    """A value in which 1.0 is 1, as it is to every notebook."""
    if isinstance(value, dict):
        return {key: _alike(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_alike(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@functools.lru_cache(maxsize=1)
def package_version():
    """A hash of the package's code, of the checksums of its data, and of its libraries."""
    code = code_versions.version_of(code_versions.all_modules(), data=True)
    return code_versions.short(code, code_versions.libraries())


def _sets(plan, path):
    """The sets of changed parameters: grid or list, each with every seed."""
    if "grid" in plan and "runs" in plan:
        raise BadRequest(f"{path}: give `grid` or `runs`, not both.")
    grid = _mapping(plan, "grid", path)
    for name, values in grid.items():
        if not isinstance(values, list) or not values:
            raise BadRequest(
                f"{path}: grid entry {name!r} must be a list. Received: {meant(values)!r}"
            )
    twice = [name for name in grid if name in _mapping(plan, "parameters", path)]
    if twice:
        raise BadRequest(f"{path}: {twice[0]!r} stands in `parameters` and in `grid`.")
    sets = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
    if "runs" in plan:
        sets = plan["runs"]
        if not isinstance(sets, list) or not sets or not all(isinstance(s, dict) for s in sets):
            raise BadRequest(f"{path}: `runs` must be a list of parameter sets.")
    seeds = plan.get("seeds")
    if isinstance(seeds, str):
        seeds = meant(seeds, {"or_none": range(0)})
    if seeds is None:
        return sets
    if any("seed" in values for values in (_mapping(plan, "parameters", path), *sets)):
        raise BadRequest(f"{path}: `seeds` sets the parameter 'seed', which is set already.")
    if isinstance(seeds, int) and not isinstance(seeds, bool) and seeds > 0:
        seeds = list(range(seeds))
    if not isinstance(seeds, list) or not seeds:
        raise BadRequest(
            f"{path}: `seeds` must be how many, or a list of seeds. Received: {seeds!r}"
        )
    return [{**changed, "seed": seed} for changed in sets for seed in seeds]


def _mapping(plan, key, path):
    value = plan.get(key, {})
    if meant(value, {"or_none": str}) is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{path}: `{key}` must map names to values. Received: {meant(value)!r}")
    return value


def _best(plan, path):
    best = meant(plan.get("best"))
    if best is None:
        return None
    good = isinstance(best, dict) and len(best) == 1 and set(best) <= {"smallest", "largest"}
    if not good or not isinstance(next(iter(best.values())), str) or "" in best.values():
        raise BadRequest(
            f"{path}: `best` must be like {{smallest: NAME}} or {{largest: NAME}} with the name of "
            f"a result. Received: {best!r}"
        )
    (kind, name), *_ = best.items()
    return name, -1 if kind == "smallest" else 1


def _check_best(notebook, name, path):
    """Refuse a result for `best` that the stored notebook does not have, before any kernel starts.

    Some results are there under some parameters only, so a name that stands in quotes where the
    results are gathered, and is no parameter, will do as well. A notebook that stores no results
    cannot be asked.
    """
    node = read_notebook(notebook)
    try:
        results = read_results(node)["results"]
    except ValueError:
        return
    numbers = [key for key, value in results.items() if type(value) in (int, float)]
    code = "".join(c.source for c in node.cells if c.cell_type == "code" and "record(" in c.source)
    quoted = f'"{name}"' in code or f"'{name}'" in code
    possible = quoted and name not in results and name not in parameters_of(notebook)
    if name in numbers or possible:
        return
    near = nearest(name, numbers)
    guess = f" Did you mean {near!r}?" if near else ""
    if present_name(name, parameters_of(notebook)):
        guess = f" {unknown(name, parameters_of(notebook))}"
    wrong = "is no single number among" if name in results else "is not among"
    raise BadRequest(
        f"{path}: `best` names {name!r}, which {wrong} the results of {notebook.stem}.{guess} "
        f"Numbers there: {', '.join(numbers)}."
    )


def _short(value):
    return json.dumps(value, separators=(",", ":"), default=str).strip('"')
