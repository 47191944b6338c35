"""Which parameters a run gets, checked by the notebook's own rules; refused here if they are wrong.

The rules are literals, so the runner reads them from the source and refuses a bad value before any
kernel starts. The kinds of rules are in `helpers.runs.rules`.
"""

import json
from pathlib import Path

from helpers.runs.injected import injected_parameters
from helpers.runs.notebook_names import present_file, present_run
from helpers.runs.notebooks import BadRequest, find, profile_file, series_names
from helpers.runs.parameter_cells import read_notebook, read_parameters
from helpers.runs.parameter_names import FORMER_NAMES, present_name, unknown, with_present_names
from helpers.runs.rules import describe, nearest
from helpers.runs.values import hint, meant, settle, typed
from helpers.runs.yaml_reader import read


def check_parameters(namespace, **rules):
    """Check a notebook's parameters; call it as `check_parameters(globals(), name=rule, ...)`.

    A text that reads as what its rule asks for is replaced by that, because papermill hands over
    `1e-3` in a YAML file, and `true`, as texts. A path is replaced by the absolute one. See
    `helpers.runs.values`. Papermill also sets names that are no parameters, with a warning only;
    they are refused here.

    Args:
        namespace: Dictionary that holds the values; changed where a value is replaced.
        **rules: One rule for each parameter, of the kinds in `helpers.runs.rules`.

    Raises:
        ValueError: Names each bad parameter, what it received, what is allowed and the nearest
            allowed value; and each name that papermill set and that is no parameter.
    """
    given, known = injected_parameters(namespace, rules)
    problems = [unknown(name, known) for name in given if name not in known]
    for name, rule in rules.items():
        if name not in namespace:
            near = nearest(name, [n for n in namespace if not n.startswith("_")])
            guess = f" Did you mean {near!r}?" if near else ""
            problems.append(f"No variable is called {name!r}, but a rule names it.{guess}")
        else:
            value, problem = settle(name, namespace[name], rule)
            if problem:
                problems.append(problem)
            elif value is not namespace[name]:
                namespace[name] = value
    if not problems:
        problems = _unread_path(namespace, rules)
    if problems:
        raise ValueError("\n".join(problems))


def parameters_of_run(notebook, given, name):
    """All parameters of an executed notebook as it took them, under their present names.

    Args:
        notebook: Node of the executed notebook.
        given: Dictionary of the values that papermill gave.
        name: Name of its file; up to the first `__` it is that of the notebook of the series.
    """
    known = read_parameters(notebook)
    values = {n: p.default for n, p in known.items()} | given
    values = {n: meant(v, known[n].rule) if n in known else v for n, v in values.items()}
    if not FORMER_NAMES.keys() & values:
        return values
    stem = present_run(Path(name).name.removesuffix(".ipynb"), series_names())
    try:
        today = parameters_of(find(stem.split("__")[0]))
    except BadRequest:  # it is none of the series
        return values
    return with_present_names(values, today)


# How a value is read whose parameter has a default and no rule.
STAND_INS = {bool: bool, int: range(0), float: (None, None), str: str}


def read_bytes(path):
    """The content of a parameter file, for `read_file`; a pipe gives it only once.

    Raises:
        BadRequest: if it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        now = present_file(Path(path))
        hint = f" It is {now} now." if now else ""
        raise BadRequest(f"Cannot read parameter file {path}: {error.strerror}.{hint}") from None
    except ValueError as error:  # a character that no name can have
        raise BadRequest(f"Parameter file {path} {error}.") from None


def read_file(path, content=None):
    """Read a parameter file (YAML or JSON): one mapping from name to value.

    The values are as they were written; `check_values` returns what they mean.

    Args:
        path: of the file; it names it in errors.
        content: what `read_bytes` has read from it, or None to read it here.

    Raises:
        BadRequest: if it cannot be read, or is no such mapping.
    """
    content = read_bytes(path) if content is None else content
    try:
        values = read(content.decode("utf-8"))
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


def gather(notebook, profile="default", files=(), assignments=(), dataset=None):
    """Collect the parameters of a run; later wins: notebook, profile, files, assignments.

    Args:
        notebook: Path of the notebook.
        profile: "smoke", "default" or "full".
        files: Paths of parameter files, or what `read_file` has read from them.
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
    for file in files:
        changes.update(file if isinstance(file, dict) else read_file(file))
    for name, text in assignments:
        changes[name] = typed(text, known[name].rule if name in known else None)
    if dataset is not None:
        changes.setdefault("dataset", dataset)
    changes = check_values(notebook, changes)
    path = profile_file(notebook, profile, changes.get("dataset"))
    base = check_values(notebook, read_file(path)) if path else {}
    start = {name: p.default for name, p in known.items()} | base
    check_path(known, base | changes)
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
            problem = unknown(name, known)
            if not present_name(name, known):
                listing = ", ".join(f"{p.name} ({describe(p.rule or [])})" for p in known.values())
                problem += f" Known: {listing}."
            problems.append(problem)
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


def check_path(known, values):
    """Refuse a `path` that the run would not read, or a folder as data set without a path.

    Args:
        known: what `parameters_of` tells of the notebook.
        values: All checked values of a run that differ from the notebook's own.

    Raises:
        BadRequest: If it is so.
    """
    rules = {name: p.rule for name, p in known.items()}
    problems = _unread_path({name: p.default for name, p in known.items()} | values, rules)
    if problems:
        raise BadRequest(problems[0])


def _unread_path(values, rules):
    """What is wrong with a `path` for another data set than "folder", or with none for it: a list."""
    sets = rules.get("dataset")
    if rules.get("path") != "folder" or not isinstance(sets, list) or "folder" not in sets:
        return []
    if values["dataset"] == "folder" and not values["path"]:
        return [
            "Parameter 'dataset' is 'folder', and 'path' names no folder. Give the folder with your "
            "pictures (on the command line, add -p path FOLDER)."
        ]
    if not values["path"] or values["dataset"] == "folder":
        return []
    return [
        f"Parameter 'path' is read for dataset 'folder' only. Received: dataset = "
        f"{values['dataset']!r}, path = {values['path']!r}. Choose the folder (on the command "
        "line, add -p dataset folder; in a sweep, name both in `runs`), or leave the path out."
    ]


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
