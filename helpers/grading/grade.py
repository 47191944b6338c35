"""Grade a folder of submissions: nbgrader's autograde and feedback, and tables of the grades."""

import contextlib
import csv
import html
import re
import warnings
from functools import partial
from pathlib import Path

from helpers.grading import submission_files
from helpers.grading.course import api, gradebook
from helpers.grading.file_names import shown
from helpers.grading.preprocessors import last_passes

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


def grade(root, submissions, *, say=print):
    """Grade every submission in a folder; one that fails does not stop the others.

    Args:
        root: Folder of the course, with student versions from `release`.
        submissions: The folder, as `submission_files.find` wants it. Nothing in it is changed.
        say: Called with a line for each submission.

    Returns:
        The rows of grades.csv, dictionaries with the keys `COLUMNS`.

    Raises:
        FileNotFoundError: If nothing is released.
        ValueError: If there are no submissions. The tables of the last grading stay.
    """
    import nbformat

    root = Path(root).resolve()
    names = sorted(path.name for path in (root / "release").glob("*") if path.is_dir())
    if not names:
        raise FileNotFoundError(f"{root} has no released assignments. Run `make assignments`.")
    releases = {n: nbformat.read(root / "release" / n / f"{n}.ipynb", as_version=4) for n in names}
    found = submitted(submissions, names)
    nbgrader, graded = api(root), []
    for one in found:
        if not one.reason:
            try:
                with quiet():
                    _grade_one(nbgrader, root, one, releases[one.assignment])
            except submission_files.Refused as refused:
                one.reason = str(refused)
            except Exception as error:  # one submission must not stop the class
                one.reason = f"The grading failed ({type(error).__name__}: {error})."
        one.reason = shown(one.reason)
        if one.reason:
            _page(root, one, "not graded", one.reason)
        graded.append(one)
        say(f"{one.student:24} {one.assignment:18} {one.reason or 'graded'}")
    rows = tabulate(root, graded)
    write_tables(root, rows)
    return rows


def submitted(submissions, names):
    """Return what `submission_files.find` finds; finding nothing is an error, not a table without lines."""
    found = submission_files.find(submissions, names)
    if not found:
        raise ValueError(
            f"{submissions} has no submissions: no folder of a student, no notebook, no archive. "
            "Nothing was graded, and the tables are as they were."
        )
    return found


def _grade_one(nbgrader, root, one, release):
    import nbformat

    limits = nbgrader.config.ExecuteApart
    passes = partial(
        last_passes, timeout=limits.timeout, total=limits.total, command=limits.command
    )
    notebook, notes = submission_files.mend(submission_files.read(one.path), release, passes)
    one.notes += notes
    folder = root / "submitted" / one.student / one.assignment
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{one.assignment}.ipynb")
    done = nbgrader.autograde(one.assignment, one.student, force=True)
    if not done["success"]:
        raise submission_files.Refused(f"nbgrader could not grade it: {reason(done)}")
    stopped = [line for line in (done.get("log") or "").splitlines() if "Stopped: " in line]
    one.notes += [f"stopped: {line.partition('Stopped: ')[2]}" for line in stopped]
    done = write_feedback(nbgrader, root, one.assignment, one.student)
    if not done["success"]:
        # The grades are there; a page that cannot be shown must not take them away.
        one.notes.append(no_page(done))
        _page(root, one, "graded", no_page(done))


def no_page(done):
    """Return the remark about a page of feedback that `write_feedback` could not write."""
    return f"nbgrader could not write the page of feedback: {reason(done)}"


def reason(done):
    """Return why nbgrader failed, in its own words and whole, without the lines of a traceback.

    Args:
        done: What nbgrader's programming interface returned. Its `log` has lines `[ERROR] text`
            with further lines indented; its `error` is the traceback with which it ended.
    """
    log, error = done.get("log") or "", done.get("error") or ""
    entries = re.split(r"^\[([A-Z]+)\] ?", log, flags=re.M)
    told = [text for level, text in zip(entries[1::2], entries[2::2]) if level == "ERROR"]
    said = []
    for text in [*(re.sub(r"^ {4}", "", text, flags=re.M) for text in told), error]:
        text = _TRACEBACK.split(text)[-1].strip()
        words = " ".join(text.split())
        # nbgrader ends with a pointer to what it said before, or says it again.
        again = any(" ".join(other.split()) in words for other in said)
        if text and not again and not any(pointer in words for pointer in _POINTERS):
            said.append(text)
    return "; ".join(said) or error.strip() or log.strip() or "nbgrader gave no reason"


_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t]+.*\n|\n)*")
_POINTERS = ("There was an error processing assignment", "Please see the ")


def _page(root, one, title, text):
    """Write a page that says what happened, where the student's feedback would lie."""
    folder = root / "feedback" / one.student / one.assignment
    folder.mkdir(parents=True, exist_ok=True)
    page = f"<!DOCTYPE html><meta charset='utf-8'><title>{html.escape(one.assignment)}</title>"
    page += f"<h1>{html.escape(one.assignment)}: {title}</h1>"
    page += f"<p style='white-space: pre-wrap'>{html.escape(text)}</p>\n"
    (folder / f"{one.assignment}.html").write_text(page, encoding="utf-8")


def write_feedback(nbgrader, root, assignment, student, force=True):
    """Write a student's page; its list names the tests and says which answers are still unread."""
    done = nbgrader.generate_feedback(assignment, student, force=force)
    page = Path(root) / "feedback" / student / assignment / f"{assignment}.html"
    if not done["success"] or not page.exists():
        return done
    with gradebook(root) as book:
        notebooks = book.find_submission(assignment, student).notebooks
        unread = {g.name for n in notebooks for g in n.grades if g.needs_manual_grade}

    def named(found):
        name, score = found[1], "(not read yet)" if found[1] in unread else found[2]
        return f'<a href="#{name}">{name.replace("_", " ")}</a> {score}'

    lines = r'<a href="#(\w+)">(?:Test cell|Written response)</a> (\(Score: [^)]*\))'
    page.write_text(re.sub(lines, named, page.read_text(encoding="utf-8")), encoding="utf-8")
    return done


@contextlib.contextmanager
def quiet():
    """Keep from a teacher what nbgrader's database library tells its authors."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Object of type .* not in session")
        yield


def take_remarks(root, submissions):
    """Give submissions the remarks of the last grading, which only a new grading could make.

    Raises:
        ValueError: If `grades.csv` is not as it was written.
    """
    table = Path(root) / "grades.csv"
    if not table.exists():
        return
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            kept = set(COLUMNS) <= set(rows.fieldnames or ())
            last = {(row["student"], row["assignment"]): row for row in rows if kept}
            kept = kept and all(row["remark"] is not None for row in last.values())
    except (UnicodeDecodeError, csv.Error):
        kept = False
    if not kept:
        raise ValueError(
            f"{table} was changed, so its remarks cannot be read: another program stored it in "
            "another form. Run `make grade` again; points that you gave by hand stay."
        )
    for one in submissions:
        row = last.get((_safe(one.student), one.assignment))
        if row and row["status"] == "refused":
            one.reason = one.reason or row["remark"]
        elif row and row["remark"]:
            one.notes = [row["remark"]]


def tabulate(root, graded):
    """Return a row for each submission, with the scores that the gradebook has now."""
    from nbgrader.api import MissingEntry

    rows = []
    with gradebook(root) as book:
        for one in graded:
            row = dict.fromkeys(COLUMNS, "")
            row.update(student=one.student, assignment=one.assignment, status="refused")
            row["remark"] = shown(one.reason)
            if not one.reason:
                try:
                    row.update(_scores(book.find_submission(one.assignment, one.student)))
                    row.update(status="graded", remark=shown("; ".join(one.notes)))
                except MissingEntry:
                    row["remark"] = "There are no grades of it yet."
            rows.append(row)
    return rows


def _scores(submission):
    grades = [g for notebook in submission.notebooks for g in notebook.grades]
    tests = [g for g in grades if g.cell.cell_type != "markdown"]
    hand = [g for g in grades if g.cell.cell_type == "markdown"]
    return {
        "score": submission.score,
        "max_score": submission.max_score,
        "by_tests": sum(g.score for g in tests),
        "by_hand": sum(g.score for g in hand),
        "awaiting_hand": sum(g.max_score for g in hand if g.needs_manual_grade),
    }


def task_scores(root, student, assignment):
    """Return `{grade_id: (score, points)}` of one graded submission."""
    with gradebook(root) as book:
        submission = book.find_submission(assignment, student)
        grades = [g for notebook in submission.notebooks for g in notebook.grades]
        return {g.name: (g.score, g.max_score) for g in grades}


def write_tables(root, rows):
    """Write grades.csv, a line a submission, and lms.csv, a line a student."""
    with open(Path(root) / "grades.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows({key: _safe(value) for key, value in row.items()} for row in rows)
    names = sorted({row["assignment"] for row in rows})
    largest = {row["assignment"]: row["max_score"] for row in rows if row["max_score"] != ""}
    heads = {n: f"{n} ({largest[n]:g})" for n in names if n in largest}
    with open(Path(root) / "lms.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["student", *heads.values()])
        table.writeheader()
        for student in sorted({row["student"] for row in rows}):
            scores = {r["assignment"]: r["score"] for r in rows if r["student"] == student}
            line = {heads[n]: score for n, score in scores.items() if n in heads}
            table.writerow({"student": _safe(student), **line})


def _safe(value):
    # A spreadsheet takes text that starts like this for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value
