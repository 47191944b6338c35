"""Rules: what a parameter may be, as literals that can be read without running anything.

Kinds:
    ["a", "b"]        one of these
    range(lo, hi)     an integer, lo <= value < hi
    (lo, hi)          a number, lo <= value <= hi; None leaves a side open
    bool              True or False
    str               any text
    "file"            the path of a file that is there, or "" for none
    "folder"          the path of a folder that is there, or "" for none
    "image"           the path of a picture that can be read, or "" for none
    "pictures"        the path of a picture that can be read or of a folder, or "" for none
    "new folder"      the path of a folder that is empty or not there, or "" for none
    {"or_none": r}    None, or what r allows
    {"list_of": r}    a non-empty list of what r allows
"""

import difflib
import numbers
import os
from pathlib import Path

PATHS = {
    "file": "a file",
    "folder": "a folder",
    "image": "a picture",
    "pictures": "a picture or a folder of pictures",
    "new folder": "a folder that is empty or not there",
}


def check_value(name, value, rule):
    """Return what is wrong with one value, or None.

    Raises:
        TypeError: If the rule itself is not one of the known kinds.
    """
    if isinstance(rule, dict) and set(rule) == {"or_none"}:
        if value is None:
            return None
        problem = check_value(name, value, rule["or_none"])
        return problem and problem.replace("Allowed: ", "Allowed: None, or ", 1)
    if isinstance(rule, dict) and set(rule) == {"list_of"}:
        if not isinstance(value, (list, tuple)) or not value:
            return _problem(name, value, rule, None)
        found = (check_value(f"{name}[{i}]", v, rule["list_of"]) for i, v in enumerate(value))
        return next((problem for problem in found if problem), None)
    if rule is bool or rule is str:
        fits = isinstance(value, str) if rule is str else _is_bool(value)
        return None if fits else _problem(name, value, rule, None)
    if isinstance(rule, range):
        fits = _is_integer(value) and int(value) in rule
        near = _clip(value, rule[0], rule[-1]) if len(rule) else None
        return None if fits else _problem(name, value, rule, near)
    if isinstance(rule, tuple) and len(rule) == 2:
        low, high = (-float("inf"), float("inf")) if rule == (None, None) else _ends(rule)
        if _is_number(value) and low <= value <= high and abs(value) != float("inf"):
            return None
        return _problem(name, value, rule, _clip(value, low, high))
    if isinstance(rule, str) and rule in PATHS:
        return _path_problem(name, value, rule)
    if isinstance(rule, list) and rule:
        if any(_same(value, choice) for choice in rule):
            return None
        return _problem(name, value, rule, nearest(value, rule))
    raise TypeError(
        f"The rule of {name!r} must be a list of choices, range(lo, hi), (lo, hi), bool, str, "
        f"{', '.join(map(repr, PATHS))}, {{'or_none': rule}} or {{'list_of': rule}}. "
        f"Received: {rule!r}"
    )


def describe(rule):
    """Return a rule in words."""
    if isinstance(rule, dict) and "or_none" in rule:
        return f"None, or {describe(rule['or_none'])}"
    if isinstance(rule, dict):
        return f"a list, each item {describe(rule['list_of'])}"
    if rule is bool:
        return "True or False"
    if rule is str:
        return "a text in quotes"
    if isinstance(rule, str):
        return f'the path of {PATHS[rule]}, or "" for none'
    if isinstance(rule, range):
        return f"an integer from {rule[0]} to {rule[-1]}"
    if isinstance(rule, tuple):
        low, high = rule
        if low is None and high is None:
            return "a finite number"
        if low is None or high is None:
            return f"a number of {high} or less" if low is None else f"a number of {low} or more"
        return f"a number from {low} to {high}"
    return "one of " + ", ".join(repr(choice) for choice in rule) if rule else "anything"


def nearest(value, choices):
    """Return the choice nearest to a value (by spelling, or by size for numbers), or None."""
    if _is_number(value):
        near = [c for c in choices if _is_number(c)]
        return min(near, key=lambda c: abs(c - value)) if near and value == value else None
    texts = {str(c).lower(): c for c in choices}
    found = difflib.get_close_matches(str(value).lower(), texts, n=1, cutoff=0.5)
    return texts[found[0]] if found else None


def _problem(name, value, rule, near):
    kind = "" if value is None else f" ({type(value).__name__})"
    hint = "" if near is None else f" Nearest: {near!r}."
    return f"Bad parameter {name!r}. Received: {value!r}{kind}. Allowed: {describe(rule)}.{hint}"


def _path_problem(name, value, rule):
    """What keeps a path from being what the rule asks for; relative ones start where we work."""
    if not isinstance(value, str):
        return _problem(name, value, rule, None)
    if not value:
        return None
    try:
        path = Path(value).expanduser().absolute()
        reason, near = _missing(path, rule), None
        if reason == "is not there" and path.parent.is_dir():
            near = nearest(path.name, os.listdir(path.parent))
    except (OSError, ValueError, RuntimeError) as error:  # too long, a strange character, no user
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        return f"{_problem(name, value, rule, None)} {reason}."
    if reason is None:
        return None
    start = "" if Path(value).is_absolute() else f" Relative paths start in {Path.cwd()}."
    return f"{_problem(name, value, rule, near)} {path} {reason}.{start}"


def _missing(path, rule):
    """What is wrong with a path, in a few words, or None."""
    if rule == "new folder":
        if path.is_dir():
            return "is not empty: name another folder" if any(path.iterdir()) else None
        return "is no folder" if os.path.lexists(path) else None
    if not path.exists():
        return "is a link to what is not there" if path.is_symlink() else "is not there"
    if rule == "folder":
        return None if path.is_dir() else "is no folder"
    if path.is_dir():
        return None if rule == "pictures" else "is a folder"
    if not path.is_file():  # nothing would ever come out of a pipe
        return "is no file"
    if not os.access(path, os.R_OK):
        return "cannot be read: no right to"
    if rule in ("image", "pictures"):
        from helpers.data.images import read_rgb

        try:
            read_rgb(path)
        except Exception as error:  # Pillow has errors of its own for each kind of damage
            return f"cannot be read as a picture ({' '.join(str(error).split())})"
    return None


def _ends(rule):
    low, high = rule
    return (-float("inf") if low is None else low), (float("inf") if high is None else high)


def _clip(value, low, high):
    """Return the nearest end of an interval for a number outside it, else None."""
    if not _is_number(value) or low <= value <= high or value != value:
        return None
    end = low if value < low else high
    return None if abs(end) == float("inf") else end


def _is_bool(value):
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _is_integer(value):
    # True is an int to Python, not to us.
    return isinstance(value, numbers.Integral) and not _is_bool(value)


def _is_number(value):
    return isinstance(value, numbers.Real) and not _is_bool(value)


def _same(value, choice):
    """Equality that keeps True apart from 1, and an integer choice apart from 1.0."""
    if _is_bool(value) != _is_bool(choice):
        return False
    if _is_number(value) and _is_integer(choice) and not _is_integer(value):
        return False
    return type(value).__name__ != "ndarray" and value == choice
