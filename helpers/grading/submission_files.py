"""What students hand in: found, and read or refused with a reason.

No code runs here. A submission is taken as data that anybody may have written.
"""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from helpers.grading import archives, file_names
from helpers.grading.archives import LARGEST
from helpers.grading.cells import Refused
from helpers.grading.restoring import mend
from helpers.grading.unusual_code import unusual as _unusual

__all__ = ["LARGEST", "Refused", "Submission", "_unusual", "find", "mend", "read"]

UNKNOWN = "unknown"  # stands for the assignment where no file names one
NAMED = 5  # files named in a remark; the others are counted


@dataclass
class Submission:
    """One file of one student, and what happened to it."""

    student: str
    assignment: str
    path: Path
    reason: str = ""  # why it was refused
    notes: list = field(default_factory=list)  # what was mended
    place: object = field(default=None, repr=False, compare=False)  # keeps what was unpacked


@dataclass
class _File:
    """A file that a student handed in, on disk or unpacked."""

    path: Path
    name: str  # without what a platform added
    label: str  # where it lies, as the student and the platform called it
    moved: bool = False  # whether the name is not its own, or an archive holds it
    problem: str = ""  # why it cannot be read


def find(folder, assignments):
    """Return the submissions in a folder, in a fixed order.

    Args:
        folder: Has a folder for each student, with `ps1_kl.ipynb` in it, at any depth or in an
            archive; or flat files under the names that Canvas and Moodle give them. It may also
            be an archive of all this.
        assignments: Names of the assignments.

    Returns:
        A list of `Submission`. Every student has at least one and every notebook is in one, so
        that nothing is lost without a word: what cannot be graded has a reason.

    Raises:
        ValueError: If there is no such folder, or the archive cannot be read.
    """
    folder, place, homes = Path(folder), archives.Place(), {}
    if folder.is_file() and archives.kind(folder.name):
        try:
            folder = _unpack_class(folder, place, list(assignments))
        except archives.BadArchive as bad:
            raise ValueError(str(bad)) from None
    elif not folder.is_dir():
        raise ValueError(f"{folder} is no folder with submissions, and no archive of them.")
    _collect(folder, list(assignments), place, homes)
    found = []
    for home, (student, remark) in file_names.students(homes).items():
        ones = _of_one(student, homes[home], list(assignments))
        ones[0].notes += [remark] * bool(remark)
        found += ones
    for one in found:
        one.place = place
    return found


# ---- who handed in what


def _unpack_class(archive, place, assignments):
    """Unpack the archive of a class; return the folder in which the students' lie."""
    folder = place.new()
    archives.unpack(archive, folder, archives.Budget(20_000, 2 * 2**30))
    while True:
        inside = list(folder.iterdir())
        # A folder around everything is left out, but not the one folder of one student.
        if len(inside) != 1 or not inside[0].is_dir() or file_names.by_platform(inside[0].name, ()):
            return folder
        below = list(inside[0].iterdir())
        if len(below) < 2 or any(_assignment(p.name, assignments) for p in below):
            return folder
        folder = inside[0]


def _collect(folder, assignments, place, homes):
    """Fill `{home: files}` from a folder with folders, flat files and archives."""
    for path in sorted(folder.iterdir()):
        name = path.name
        if archives.JUNK.fullmatch(name):
            continue
        if path.is_dir():
            homes.setdefault(file_names.of_files(name), []).extend(_files(path, place))
            continue
        told = file_names.by_platform(name, assignments)
        if told is None and archives.kind(name) and _is_a_class(path):
            with contextlib.suppress(archives.BadArchive):
                _collect(_unpack_class(path, place, assignments), assignments, place, homes)
                continue
        told = told or file_names.by_person(name, assignments)
        problem = ""
        if told is None and _assignment(name, assignments):
            problem = "Its name tells no student. Put it into a folder named for the student."
            if archives.kind(name):
                problem += f" If it is the archive of a class: make grade SUBMISSIONS={name}"
        student, file = told or (archives.stem(name) if archives.kind(name) else path.stem, name)
        homes.setdefault(student, []).extend(_files(path, place, file, problem))


def _is_a_class(archive):
    """Whether a learning platform gave names to all that an archive holds: it is no student's."""
    try:
        inside = archives.names_in(archive)
    except archives.BadArchive:
        return False
    tops = {parts[0] for parts in inside}
    below = {parts[1] for parts in inside if len(parts) > 1} if len(tops) == 1 else set()
    return any(
        level and all(file_names.by_platform(n, ()) for n in level) for level in (tops, below)
    )


def _files(home, place, name=None, problem=""):
    """Return what lies in a folder, or is a file, with everything in its archives."""
    found, budget = [], archives.Budget()
    waiting = [(home, name or home.name, "" if home.is_dir() else home.name, 0)]
    while waiting:
        path, name, label, depth = waiting.pop()
        try:
            if path.is_dir() and (path == home or not path.is_symlink()):
                waiting += [
                    (p, p.name, f"{label}/{p.name}".lstrip("/"), depth)
                    for p in sorted(path.iterdir(), reverse=True)
                    if not archives.JUNK.fullmatch(p.name)
                ]
                continue
            if archives.kind(name) and path.is_file() and not path.is_symlink():
                if depth == archives.DEEPEST:
                    raise archives.BadArchive(
                        f"{label} lies in {depth} archives; what lies deeper is not read."
                    )
                folder = place.new()
                for left_out in archives.unpack(path, folder, budget):
                    found.append(_File(path, name, label, problem=left_out))
                waiting.append((folder, name, label, depth + 1))
                continue
        except (archives.BadArchive, OSError) as error:
            found.append(_File(path, name, label, problem=str(error)))
            continue
        moved = depth > 0 or label.rpartition("/")[2] != name
        found.append(_File(path, name, label, moved, problem))
    return found


# ---- what becomes of it


def _of_one(student, files, assignments):
    """Return the submissions of one student, at least one."""
    answers, strange, others = {}, {}, []
    for file in files:
        stem = file_names.notebook_stem(file.name)
        assignment = _assignment(file.name, assignments)
        if assignment:
            answers.setdefault(assignment, []).append(file)
        elif stem is not None:
            strange.setdefault(file_names.folder_name(stem, assignments), []).append(file)
        else:
            others.append(file)
    found = [_answer(student, a, files) for a, files in sorted(answers.items())]
    for name, same in sorted(strange.items()):
        reason = f"No assignment is called {name}. Was the file renamed? {_listed(same)}: give it "
        reason += f"the name of its assignment ({', '.join(sorted(assignments))})."
        found.append(Submission(student, name, same[0].path, reason))
    if not found:
        path = others[0].path if others else Path(student)
        told = f"only {_listed(others)}" if others else "the folder, or the archive, is empty"
        found = [Submission(student, UNKNOWN, path, f"No notebook was handed in: {told}.")]
        found[0].reason += "".join(f" {file.problem}" for file in others if file.problem)
    elif others:
        found[0].notes.append(f"handed in, too, and not graded: {_listed(others)}")
    return found


def _assignment(name, assignments):
    """Return the assignment that a file's name tells, whatever its ending, or None."""
    stem = file_names.notebook_stem(name)
    if stem is None:
        stem = archives.stem(name) if archives.kind(name) else Path(name).stem
        stem = file_names.notebook_stem(stem) or stem
    return file_names.assignment_of(stem, assignments)


def _answer(student, assignment, files):
    """Return the one submission of an assignment: of several notebooks, none is chosen."""
    readable = [f for f in files if file_names.notebook_stem(f.name) is not None and not f.problem]
    if not readable:
        file = files[0]
        reason = file.problem or f"{file.name} is not a notebook (.ipynb)."
        return Submission(student, assignment, file.path, reason)
    one = Submission(student, assignment, readable[0].path)
    if len(readable) > 1:
        one.reason = (
            f"There are {len(readable)} files of {assignment}: {_listed(readable, every=True)}. "
            "Which one counts? Keep that one and grade again."
        )
    elif readable[0].moved or readable[0].name != f"{assignment}.ipynb":
        one.notes.append(f"handed in as {readable[0].label}")
    rest = [f for f in files if f not in readable]
    if rest:
        one.notes.append(f"handed in, too, and not graded: {_listed(rest)}")
    return one


def _listed(files, every=False):
    labels = [file.label for file in files]
    if every or len(labels) <= NAMED:
        return ", ".join(labels)
    return f"{', '.join(labels[:NAMED])} and {len(labels) - NAMED} more"


# ---- reading


def read(path):
    """Return the notebook of a file that a student handed in.

    UTF-8, UTF-16 and UTF-32 are read, with a byte-order mark or without.

    Raises:
        Refused: If it is not a notebook.
    """
    if path.is_symlink() or not path.is_file():
        raise Refused("This is a link or no file. Hand in the notebook itself.")
    size = path.stat().st_size
    if size > LARGEST:
        raise Refused(f"The file has {size / 2**20:.0f} MB. Clear all outputs and save it.")
    if not size:
        raise Refused("The file is empty. Save the notebook and hand it in again.")
    try:
        raw = json.loads(path.read_bytes())  # finds the encoding, as RFC 4627 tells how
    except UnicodeDecodeError:
        raise Refused(
            "This file is not a notebook: it is no text in UTF-8. Open it in JupyterLab and save "
            "it, and do not edit it elsewhere."
        ) from None
    except (ValueError, RecursionError):
        raise Refused("This file is not a notebook: it is no JSON.") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("cells"), list):
        raise Refused("This file is not a notebook: it has no list of cells.")
    if raw.get("nbformat") != 4:
        raise Refused("This is no notebook of format 4. Open it in JupyterLab and save it.")
    return raw
