"""From the text of an assignment to nbgrader's source notebook.

An assignment is one py:percent file. The header of a cell says what the cell is, in fewer words
than nbgrader's metadata::

    # %% readonly="setup"             locked, not graded
    # %% solution="kl"                the student's cell; what is between BEGIN and END SOLUTION goes
    # %% test="kl" points=2           locked, graded, put into a function; hidden tests between
                                      BEGIN and END
    # %% [markdown] answer="why" points=3    a written answer, graded by hand

A line `LATENT = 8  # redrawn from [6, 8, 10]` keeps its value, or gets one of the others in the
list (or the range) where the course has a seed.
"""

import ast
import hashlib
import random
import re
import textwrap
from collections import Counter

from helpers.runs.notebook_text import to_notebook

KINDS = {
    "readonly": {"grade": False, "locked": True, "solution": False},
    "solution": {"grade": False, "locked": False, "solution": True},
    "test": {"grade": True, "locked": True, "solution": False},
    "answer": {"grade": True, "locked": False, "solution": True},
}
REDRAWN = re.compile(r"^(\s*)(\w+)( = )(.+?)  # redrawn from (.+)$", flags=re.M)
RANGE = re.compile(r"range\((\d+), (\d+)\)$")


class BadSource(ValueError):
    """An assignment's text that cannot become a notebook."""


def source_notebook(text, name, seed=None):
    """Return the source notebook of an assignment's text.

    Args:
        text: The py:percent text.
        name: Of the assignment, "ps1_kl".
        seed: The course seed, any text or number, or None for the constants as written.

    Raises:
        BadSource: If a cell has no name of its own, or tests without points, or points that
            nothing tests.
    """
    notebook = to_notebook(redraw(text, name, seed))
    seen = {}
    for number, cell in enumerate(notebook.cells):
        # jupytext notes the blank lines of the text.
        said = {k: v for k, v in cell.metadata.items() if not k.startswith("lines_to_")}
        cell.metadata = {"tags": said["tags"]} if "tags" in said else {}
        kinds = [kind for kind in KINDS if kind in said]
        if len(kinds) > 1 or set(said) - {*KINDS, "points", "tags"}:
            raise BadSource(f"{name}, cell {number}: what is {said}?")
        if not kinds:
            continue
        (kind,) = kinds
        grade_id = f"test_{said[kind]}" if kind == "test" else said[kind]
        if grade_id in seen:
            raise BadSource(f"{name}: two cells are called {grade_id!r}")
        seen[grade_id] = kind
        points = said.get("points")
        if KINDS[kind]["grade"] != isinstance(points, int):
            raise BadSource(f"{name}, {grade_id}: tests and answers have points, nothing else has")
        cell.metadata = {
            "nbgrader": {
                **KINDS[kind],
                "grade_id": grade_id,
                "schema_version": 3,
                "task": False,
                "cell_type": cell.cell_type,
                **({"points": points} if points else {}),
            }
        }
        if kind == "test":
            cell.source = _in_a_function(cell.source, grade_id)
        cell["id"] = re.sub(r"\W", "-", grade_id)[:64]
    return notebook


def _in_a_function(code, name):
    """Return a test whose names are its own: a student's function may use one called `mean`."""
    if '"""' in code or "'''" in code:
        raise BadSource(f"{name}: a text over several lines would be indented with the test")
    return f"def {name}():\n{textwrap.indent(code, '    ')}\n\n\n{name}()"


def redraw(text, name, seed=None):
    """Return the text with its constants drawn by the course seed, and without the remarks.

    A drawn value is never the published one.

    Raises:
        BadSource: If the values to draw from cannot be read, do not hold the published one, or
            hold no other.
    """
    seen = Counter()  # not the place in the text, which the mending of a typo would change

    def one(match):
        indent, constant, equals, value, options = match.groups()
        choices = _options(options, f"{name}: {match[0].strip()}")
        published = repr(ast.literal_eval(value))
        others = [choice for choice in choices if repr(choice) != published]
        if len(others) == len(choices):
            raise BadSource(f"{name}: {constant} = {value} is not among {options}")
        if not others:
            raise BadSource(
                f"{name}: {constant} = {value} has no other value in {options}; add one"
            )
        if seed is not None:
            # A digest, because Python's own hash of a text differs from run to run.
            key = f"{seed}/{name}/{constant}/{seen[constant]}"
            seen[constant] += 1
            key = hashlib.sha256(key.encode()).digest()
            value = repr(random.Random(key).choice(others))
        return f"{indent}{constant}{equals}{value}"

    return REDRAWN.sub(one, text)


def _options(text, place):
    found = RANGE.match(text)
    if found:
        return range(int(found[1]), int(found[2]))
    try:
        return list(ast.literal_eval(text))
    except (SyntaxError, ValueError, TypeError):
        raise BadSource(f"{place}: neither a list nor a range") from None


def points(notebook):
    """Return `{grade_id: points}` of the graded cells."""
    graded = (c.metadata.get("nbgrader", {}) for c in notebook.cells)
    return {m["grade_id"]: m["points"] for m in graded if m.get("grade")}


def by_hand(notebook):
    """Return the ids of the cells that a person grades."""
    marked = (c.metadata.get("nbgrader", {}) for c in notebook.cells)
    return {m["grade_id"] for m in marked if m.get("grade") and m.get("solution")}
