"""Corpora of submissions, one module an assignment: what people hand in, and what it must earn."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Case:
    """One submission: the student version with some cells replaced.

    Attributes:
        cells: `{grade_id: code}`; cells not named hold the reference solution.
        loses: Ids of the tests that must give less than full marks. All others must give all.
        edit: Changes the notebook further; called with it.
    """

    cells: dict = field(default_factory=dict)
    loses: set = field(default_factory=set)
    edit: Any = None


def wrong(loses, edit=None, **cells):
    """Return a case that must lose exactly the tests named in one text."""
    return Case(cells, {f"test_{name}" for name in loses.split()}, edit)


def right(**cells):
    """Return a case that must get full marks."""
    return Case(cells)


def without(*grade_ids):
    """Return an edit that deletes cells."""

    def edit(notebook):
        named = [c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells]
        assert set(grade_ids) <= set(named)
        notebook.cells = [c for c, name in zip(notebook.cells, named) if name not in grade_ids]

    return edit


def overwritten(grade_id, code):
    """Return an edit that changes a cell which should not be changed, and says it is not locked."""

    def edit(notebook):
        (cell,) = [
            c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id
        ]
        cell.source = code
        cell.metadata.nbgrader.update(locked=False, grade=False, solution=True)
        cell.metadata.nbgrader.pop("points", None)

    return edit
