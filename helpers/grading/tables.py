"""The tables of the grades: grades.csv, a line a submission, and lms.csv, a line a student."""

import csv
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
    """Return `{(student, assignment): row}` of grades.csv, as it is written there.

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
    return last


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
        taken = len(list(Path(root).glob("grades.changed*.csv")))
        aside = Path(root) / f"grades.changed{f'-{taken + 1}' if taken else ''}.csv"
        (Path(root) / "grades.csv").replace(aside)
        say(f"another program stored grades.csv in another form: it is {aside} now")
        return []
    handed_in = {}
    for row in rows:
        handed_in.setdefault(row["student"], []).append(row["assignment"].casefold())
    new = {(row["student"], row["assignment"]) for row in rows}
    earlier = []
    for row in last.values():
        row = {key: row[key] for key in COLUMNS}
        row.update({key: _number(row[key]) for key in NUMBERS}, student=_unsafe(row["student"]))
        name, now = row["assignment"].casefold(), handed_in.get(row["student"], ())
        renamed = now and (name == UNKNOWN or name.startswith(tuple(now)))
        renamed = renamed and row["status"] == "refused" and row["assignment"] not in assignments
        if not renamed and (row["student"], row["assignment"]) not in new:
            earlier.append(row)
    return earlier


def write_tables(root, rows):
    """Write grades.csv, a line a submission, and lms.csv, a line a student."""
    with open(Path(root) / "grades.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows({key: safe(value) for key, value in row.items()} for row in rows)
    names = sorted({row["assignment"] for row in rows})
    known = [row for row in rows if not isinstance(row["max_score"], str)]
    largest = {row["assignment"]: row["max_score"] for row in known}
    heads = {n: f"{n} ({largest[n]:g})" for n in names if n in largest}
    with open(Path(root) / "lms.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["student", *heads.values()])
        table.writeheader()
        for student in sorted({row["student"] for row in rows}):
            scores = {r["assignment"]: r["score"] for r in rows if r["student"] == student}
            line = {heads[n]: score for n, score in scores.items() if n in heads}
            table.writerow({"student": safe(student), **line})


def safe(value):
    """Return a value of a table: text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value


def _unsafe(name):
    """Return a student's name as it was before `safe`; no name starts with an apostrophe."""
    return name[1:] if name[:1] == "'" and name[1:2] in tuple("=+-@") else name


def _number(text):
    try:
        return float(text)
    except ValueError:
        return text
