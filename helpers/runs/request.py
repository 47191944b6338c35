"""What is asked for: which notebook, which parameters, which kernel; refused here if it is wrong.

Everything in this file happens before a kernel starts and before a file is written.
"""

import json
import os
import re
from pathlib import Path

from helpers.runs.parameters import read_notebook, read_parameters
from helpers.runs.rules import describe, nearest
from helpers.runs.values import hint, meant, settle, typed
from helpers.runs.yaml_reader import read

PROFILES = ("smoke", "default", "full")
# How a value is read whose parameter has a default and no rule.
STAND_INS = {bool: bool, int: range(0), float: (None, None), str: str}
NUMBER = re.compile(r"\d\d_\w+\.ipynb$")


class BadRequest(ValueError):
    """A run that was refused before its kernel started."""


def notebooks_folder():
    """Return the folder of the notebooks: `HELPERS_NOTEBOOKS`, beside the package, or here."""
    beside = Path(__file__).resolve().parents[2] / "notebooks"
    named = os.environ.get("HELPERS_NOTEBOOKS")
    return Path(named) if named else beside if beside.is_dir() else Path.cwd()


def series():
    """Return the paths of all numbered notebooks, in order."""
    found = sorted(notebooks_folder().glob("*.ipynb"))
    return [path for path in found if NUMBER.match(path.name) and path.is_file()]


def find(name):
    """Return the notebook that a number ("04"), a name or a path stands for."""
    path = Path(name)
    if path.suffix == ".ipynb" and path.exists():
        return path.resolve()
    known = series()
    stem = path.name.removesuffix(".ipynb")
    number = stem.zfill(2) if stem.isdigit() else None
    hits = [p for p in known if p.stem == stem or (number and p.name.startswith(number + "_"))]
    if len(hits) == 1:
        return hits[0]
    near = nearest(stem, [p.stem for p in known])
    hint = f" Did you mean {near!r}?" if near else ""
    raise BadRequest(f"No notebook {name!r} in {notebooks_folder()}.{hint}")


def parse_value(text):
    """Turn a `-p` value into a Python value, as `helpers.runs.values` reads it without a rule."""
    return meant(typed(text))


def read_file(path):
    """Read a parameter file (YAML or JSON): one mapping from name to value.

    The values are as they were written; `check_values` returns what they mean.
    """
    try:
        values = read(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRequest(f"Cannot read parameter file {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"Parameter file {path} is not YAML in UTF-8: {error}") from None
    except ValueError as error:
        raise BadRequest(f"Parameter file {path} {error}.") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadRequest(
            f"Parameter file {path} must map names to values. Received: {meant(values)!r}"
        )
    return values


def profile_file(notebook, profile, dataset=None):
    """Return the parameter file of a profile, or None for the default profile.

    `smoke` is `parameters/NN.smoke.yaml`; `full` is `parameters/NN.full-<dataset>.yaml`.
    """
    if profile == "default":
        return None
    if profile not in PROFILES:
        raise BadRequest(f"A profile is one of {', '.join(PROFILES)}. Received: {profile!r}")
    folder, number = notebook.parent / "parameters", notebook.name[:2]
    wanted = f"{number}.full-{dataset}.yaml" if profile == "full" and dataset else None
    found = sorted(folder.glob(wanted or f"{number}.{profile}*.yaml"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise BadRequest(
            f"No file parameters/{wanted or f'{number}.{profile}.yaml'} beside {notebook.name}."
        )
    names = ", ".join(p.name for p in found)
    raise BadRequest(
        f"Profile 'full' of {notebook.stem} needs a data set (-p dataset NAME): {names}."
    )


def gather(notebook, profile="default", files=(), assignments=(), dataset=None):
    """Collect the parameters of a run; later wins: notebook, profile, files, assignments.

    Args:
        notebook: Path of the notebook.
        profile: "smoke", "default" or "full".
        files: Paths of parameter files.
        assignments: Pairs of name and text, as typed after `-p`.
        dataset: A data set for the parameter `dataset`; it also picks the full profile's file.

    Returns:
        The checked values that differ from the notebook's own cell, and whether they are exactly
        those of the profile (only then do its bands of results hold).

    Raises:
        BadRequest: If any of it is refused.
    """
    known = parameters_of(notebook)
    changes = {}
    for path in files:
        changes.update(read_file(path))
    for name, text in assignments:
        changes[name] = typed(text, known[name].rule if name in known else None)
    if dataset is not None:
        changes.setdefault("dataset", dataset)
    changes = check_values(notebook, changes)
    path = profile_file(notebook, profile, changes.get("dataset"))
    base = check_values(notebook, read_file(path)) if path else {}
    start = {name: p.default for name, p in known.items()} | base
    changes = {name: value for name, value in changes.items() if value != start[name]}
    return base | changes, not changes


def check_values(notebook, values):
    """Refuse values that the notebook's own cell and rules do not allow.

    Returns:
        What the values mean to these rules: numbers for texts that write numbers, and absolute
        paths; relative ones start in the working folder.

    Raises:
        BadRequest: One line for each problem, and the list of parameters for an unknown name.
    """
    known = parameters_of(notebook)
    problems, checked = [], {}
    for name, value in values.items():
        if name not in known:
            near = nearest(name, list(known))
            guess = f" Did you mean {near!r}?" if near else ""
            listing = ", ".join(f"{p.name} ({describe(p.rule or [])})" for p in known.values())
            problems.append(f"Unknown parameter {name!r}.{guess} Known: {listing}.")
            continue
        if not _is_writable(value):
            problems.append(f"Bad parameter {name!r}. Received: {value!r}, which is not in UTF-8.")
            continue
        rule, default = known[name].rule, known[name].default
        if rule is not None:
            checked[name], problem = settle(name, value, rule)
            problems += [problem] if problem else []
            continue
        stand_in = STAND_INS.get(type(default))
        value = checked[name] = meant(value, stand_in)
        if default is not None and not _same_type(value, default):
            problems.append(
                f"Bad parameter {name!r}. Received: {value!r} ({type(value).__name__}). "
                f"Allowed: {type(default).__name__}, like {default!r}.{hint(value, stand_in)}"
            )
    if problems:
        raise BadRequest("\n".join(problems))
    return checked


def check_environment(values):
    """Return the environment of a run: folders that it names are absolute ones.

    Raises:
        BadRequest: If `HELPERS_DATA` names no folder, and the run wants a real data set.
    """
    environment = dict(os.environ)
    for name in ("HELPERS_DATA", "HELPERS_CACHE", "HELPERS_NOTEBOOKS"):
        if environment.get(name):
            environment[name] = os.path.abspath(os.path.expanduser(environment[name]))
    folder = environment.get("HELPERS_DATA")
    real = values.get("dataset", "shapes") not in ("shapes", "folder")
    if folder and real and not os.path.isdir(folder):
        raise BadRequest(
            f"The environment variable HELPERS_DATA must name a folder. Received: {folder}. "
            "Correct it, or unset it to use downloads."
        )
    return environment


def check_kernel(name):
    """Return the kernel to use: the named one, else vae-cpu where registered, else python3."""
    from jupyter_client.kernelspec import KernelSpecManager

    known = sorted(KernelSpecManager().find_kernel_specs())
    if name is None:
        return "vae-cpu" if "vae-cpu" in known else "python3"
    if name not in known:
        near = nearest(name, known)
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"No kernel {name!r}.{hint} Registered: {', '.join(known)}.")
    return name


def parameters_of(notebook):
    """Read a notebook's parameters, as `read_parameters`; what is wrong with them names it."""
    name = Path(notebook).name
    try:
        node = read_notebook(notebook)
    except Exception as error:  # nbformat has errors of its own for each kind of damage
        words = " ".join(str(error).split())[:200]
        raise BadRequest(f"{name} cannot be read as a notebook: {words}") from None
    try:
        return read_parameters(node)
    except (ValueError, SyntaxError) as error:
        raise BadRequest(f"{name}: {error}") from None


def _is_writable(value):
    """Whether a file can hold a value; the bytes of a shell need not be text."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True


def _same_type(value, default):
    return type(value) is type(default) or (isinstance(default, float) and type(value) is int)
