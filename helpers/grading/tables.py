"""The tables of the grades: grades.csv, a line a submission, and lms.csv, a line a student."""

import csv
import io
import itertools
import os
from pathlib import Path

from helpers.grading.submission_files import UNKNOWN

COLUMNS = (
    "student",
    "assignment",
    "status",
    "score",
    "max_score",
    "by_tests",
    "by_hand",
    "awaiting_hand",
    "remark",
)
NUMBERS = COLUMNS[3:8]


def read_table(root):
    """Return `{(student, assignment): row}` of grades.csv, these two as they were before `safe`.

    Raises:
        ValueError: If `grades.csv` is not as it was written.
    """
    table = Path(root) / "grades.csv"
    if not table.exists():
        return {}
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            whole = set(COLUMNS) <= set(rows.fieldnames or ())
            last = {(row["student"], row["assignment"]): row for row in rows if whole}
            whole = whole and not any(row[c] is None for row in last.values() for c in COLUMNS)
    except (UnicodeDecodeError, csv.Error):
        whole = False
    if not whole:
        raise ValueError(
            f"{table} was changed, so its remarks cannot be read: another program stored it in "
            "another form. Run `make grade` again, on the whole class; points that you gave by hand stay."
        )
    rows = {}
    for row in last.values():
        names = {key: _unsafe(row[key]) for key in ("student", "assignment")}
        rows[tuple(names.values())] = {key: row[key] for key in COLUMNS} | names
    return rows


def earlier_rows(root, rows, assignments, say=print):
    """Return the rows of earlier gradings that stay: one late student is no class.

    A new row takes the place of the same student's row of the same assignment. A refused row
    under a name that is no assignment, such as `ps1_kl (1)`, goes when its student hands in the
    assignment whose name it begins with: the file was renamed.

    Args:
        root: Folder of the course, with the tables of the last grading.
        rows: The new ones.
        assignments: Names of the assignments that are released.
        say: Called with a line if the last table cannot be read, and was put aside.
    """
    try:
        last = read_table(root)
    except ValueError:
        # What it says must not be lost, nor what was graded just now.
        names = (f"grades.changed{f'-{n}' if n > 1 else ''}.csv" for n in itertools.count(1))
        aside = next(p for name in names if not (p := Path(root) / name).exists())
        (Path(root) / "grades.csv").replace(aside)
        say(
            f"another program stored grades.csv in another form: it is {aside} now, and its rows "
            "are there alone. Grade the whole class again."
        )
        return []
    handed_in = {}
    for row in rows:
        handed_in.setdefault(row["student"], []).append(row["assignment"].casefold())
    new = {(row["student"], row["assignment"]) for row in rows}
    earlier = []
    for row in last.values():
        row.update({key: _number(row[key]) for key in NUMBERS})
        name, now = row["assignment"].casefold(), handed_in.get(row["student"], ())
        renamed = now and (name == UNKNOWN or name.startswith(tuple(now)))
        renamed = renamed and row["status"] == "refused" and row["assignment"] not in assignments
        if not renamed and (row["student"], row["assignment"]) not in new:
            earlier.append(row)
    return earlier


def write_tables(root, rows):
    """Write grades.csv, a line a submission, and lms.csv, a line a student; each whole or not."""
    _write(Path(root) / "grades.csv", COLUMNS, rows)
    names = sorted({row["assignment"] for row in rows})
    known = [row for row in rows if not isinstance(row["max_score"], str)]
    largest = {row["assignment"]: row["max_score"] for row in known}
    heads = {n: f"{n} ({largest[n]:g})" for n in names if n in largest}
    lines = []
    for student in sorted({row["student"] for row in rows}):
        scores = {r["assignment"]: r["score"] for r in rows if r["student"] == student}
        line = {heads[n]: score for n, score in scores.items() if n in heads}
        lines.append({"student": student, **line})
    _write(Path(root) / "lms.csv", ["student", *heads.values()], lines)


def _write(path, columns, rows):
    table = csv.DictWriter(text := io.StringIO(), columns)
    table.writeheader()
    table.writerows({key: safe(value) for key, value in row.items()} for row in rows)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text.getvalue(), "utf-8", newline="")
    os.replace(part, path)


def safe(value):
    """Return a value of a table: text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value


def _unsafe(text):
    """Return a text as it was before `safe`."""
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") else text


def _number(text):
    try:
        return float(text)
    except ValueError:
        return text
