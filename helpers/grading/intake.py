"""What students hand in: found, refused with a reason, or mended so that it can be graded.

No code runs here. A submission is taken as data that anybody may have written.
"""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 20 * 2**20  # bytes; a notebook without outputs has a thousandth of that

# Words that no task needs: not forbidden, but a person should look.
UNUSUAL = re.compile(
    r"\b(?:_getframe|currentframe|inspect|f_back|f_locals|__(?:code|globals|defaults|kwdefaults)__|settrace|setprofile|gc|ctypes|_ih"
    r"|get_ipython|sys\.modules|importlib|__import__|builtins|helpers\.(?:checks|grading)"
    r"|_exit|subprocess|socket|urllib|multiprocessing|read_text|rmtree)\b"
    r"|\b(?:open|exec|eval|exit|quit)(?=\()|\bIn(?=\[)|(?m:^(?:%%?(?:bash|sh|sx|system)\b|!))"
    r"|\b(?:np|numpy|keras|ops|checks|helpers)(?:\.\w+)+(?= *=[^=])"
)


class Refused(Exception):
    """A submission that cannot be graded; the text goes to the student."""


@dataclass
class Submission:
    """One file of one student, and what happened to it."""

    student: str
    assignment: str
    path: Path
    reason: str = ""  # why it was refused
    notes: list = field(default_factory=list)  # what was mended


def find(folder, assignments):
    """Return the submissions in a folder, in a fixed order.

    Args:
        folder: Has a folder for each student, and in it `ps1_kl.ipynb` or `ps1_kl/ps1_kl.ipynb`.
        assignments: Names of the assignments.

    Returns:
        A list of `Submission`. A student's folder without any file of that name gives none; one
        with other files gives a refused one for each, so that nothing is lost without a word.
    """
    found, names = [], {}
    for home in sorted(p for p in Path(folder).iterdir() if p.is_dir() and p.name[0] != "."):
        student = re.sub(r"[^\w.@-]+", "_", home.name).strip("._") or "student"
        if student in names:
            raise ValueError(f"{home.name} and {names[student]} would both be called {student}")
        names[student] = home.name
        for path in sorted(p for p in home.rglob("*") if not p.is_dir() or p.is_symlink()):
            inside = path.relative_to(home).parts
            if any(part[0] == "." for part in inside):
                continue
            name = path.stem if path.stem in assignments else inside[0]
            if name in assignments and (path.stem == name or len(inside) == 1):
                found.append(Submission(student, name, path))
                if path.suffix != ".ipynb":
                    found[-1].reason = f"{path.name} is not a notebook (.ipynb)."
            elif path.suffix == ".ipynb":
                reason = f"No assignment is called {path.stem}. Was the file renamed?"
                found.append(Submission(student, path.stem, path, reason))
    return _one_each(found)


def _one_each(found):
    # Of a notebook and another file of the same name, only the notebook counts.
    kept = {}
    for one in found:
        before = kept.get((one.student, one.assignment))
        if before is None or (before.reason and not one.reason):
            kept[one.student, one.assignment] = one
        elif not before.reason and not one.reason:
            before.reason = f"There are two files: {before.path.name} in two folders."
    return list(kept.values())


def read(path):
    """Return the notebook of a file that a student handed in.

    Raises:
        Refused: If it is not a notebook.
    """
    if path.is_symlink() or not path.is_file():
        raise Refused("This is a link or no file. Hand in the notebook itself.")
    if os.path.getsize(path) > LARGEST:
        raise Refused(
            f"The file has {os.path.getsize(path) / 2**20:.0f} MB. Clear all outputs and save it."
        )
    try:
        raw = json.loads(path.read_bytes().decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("This file is not a notebook: it is no JSON.") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("cells"), list):
        raise Refused("This file is not a notebook: it has no list of cells.")
    if raw.get("nbformat") != 4:
        raise Refused("This is no notebook of format 4. Open it in JupyterLab and save it.")
    return raw


def mend(raw, release):
    """Return a copy of the student version with the student's cells put in.

    What a student may change is the cells for answers, and cells of their own. Everything else
    comes from the student version: a deleted test cell is back, a changed one is as it was, and
    so are the names and points of the cells.

    Args:
        raw: The notebook handed in, from `read`.
        release: The student version, as nbformat reads it.

    Returns:
        The notebook to be graded, and a list of what was mended.

    Raises:
        Refused: If no cell can be told by its metadata.
    """
    from nbformat import from_dict, v4

    known = {c.metadata.nbgrader.grade_id: c for c in release.cells if "nbgrader" in c.metadata}
    theirs, own, order, last, notes = {}, {}, [], None, []
    for cell in raw["cells"]:
        grade_id, text, kind = _parts(cell)
        if grade_id in known:
            last = grade_id
            if grade_id in theirs:  # JupyterLab copies the name with the cell; the last one counts
                notes.append(f"{grade_id} is there twice; the last one counts")
            theirs[grade_id] = text
            order.append(grade_id)
        elif kind == "code" and text.strip():
            own.setdefault(last, []).append(text)
    if not theirs:
        raise Refused(
            "No cell carries the name that the grading needs: the notebook lost its metadata, or "
            "is another one. Copy your answers into a fresh copy of the assignment."
        )
    if list(dict.fromkeys(order)) != [i for i in known if i in theirs]:
        notes.append("cells were moved; they are graded in their first order")
    answers = [theirs[i] for i in theirs if known[i].metadata.nbgrader.solution]
    unusual = _unusual([*answers, *(text for texts in own.values() for text in texts)], release)
    if unusual:
        notes.append(f"look at the code, it uses {', '.join(unusual)}")
    cells = [_code(v4, text) for text in own.get(None, [])]
    for cell in release.cells:
        copy = from_dict(json.loads(json.dumps(cell)))
        grade_id = copy.metadata.get("nbgrader", {}).get("grade_id")
        if copy.cell_type == "code":
            copy.outputs, copy.execution_count = [], None
        cells.append(copy)
        if grade_id is None:
            continue
        if grade_id not in theirs:
            notes.append(f"{grade_id} was missing and is back")
        elif copy.metadata.nbgrader.solution:
            copy.source = theirs[grade_id]
        elif theirs[grade_id].strip() != copy.source.strip():
            notes.append(f"{grade_id} was changed and is as it was")
        cells += [_code(v4, text) for text in own.get(grade_id, [])]
    notebook = v4.new_notebook(cells=cells, metadata=release.metadata)
    return notebook, notes


def _unusual(texts, release):
    """Return the unusual words of a student's code which the student version does not have."""
    given = "\n".join(cell.source for cell in release.cells)
    found = {match[0] for text in texts for match in UNUSUAL.finditer(text)}
    return sorted(word for word in found if word not in given)


def _parts(cell):
    """Return name, text and kind of a cell that may be anything."""
    if not isinstance(cell, dict):
        return None, "", None
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = mark.get("grade_id") if isinstance(mark, dict) else None
    text = cell.get("source", "")
    text = "".join(map(str, text)) if isinstance(text, list) else str(text)
    return grade_id if isinstance(grade_id, str) else None, text, cell.get("cell_type")


def _code(v4, text):
    return v4.new_code_cell(source=text)
