"""Grade a folder of submissions: nbgrader's autograde and feedback, and tables of the grades."""

import contextlib
import html
import re
import warnings
from functools import partial
from pathlib import Path

from helpers.grading import submission_files
from helpers.grading.course import api, gradebook, or_interrupt
from helpers.grading.file_names import shown
from helpers.grading.preprocessors import last_passes
from helpers.grading.restoring import refuse_another
from helpers.grading.tables import COLUMNS, earlier_rows, read_table, write_tables


def grade(root, submissions, *, say=print):
    """Grade every submission in a folder; one that fails does not stop the others.

    Args:
        root: Folder of the course, with student versions from `release`.
        submissions: The folder, as `submission_files.find` wants it. Nothing in it is changed.
        say: Called with a line for each submission.

    Returns:
        The rows of these submissions, dictionaries with the keys `COLUMNS`. Rows of earlier
        gradings, of other students and other assignments, stay in the tables.

    Raises:
        FileNotFoundError: If nothing is released.
        ValueError: If there are no submissions. The tables of the last grading stay.
        KeyboardInterrupt: If somebody stops it. The tables stay as well.
    """
    root = Path(root).resolve()
    names = released(root)
    releases = student_versions(root, names)
    found = submitted(submissions, names)
    nbgrader, graded = api(root), []
    for one in found:
        if not one.reason:
            try:
                with quiet():
                    _grade_one(nbgrader, root, one, releases)
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
    write_tables(root, with_kept(root, rows, names, say))
    return rows


def released(root):
    """Return the names of the assignments that a course has handed out, sorted.

    Raises:
        FileNotFoundError: If there are none.
    """
    names = sorted(path.name for path in (Path(root) / "release").glob("*") if path.is_dir())
    if not names:
        raise FileNotFoundError(
            f"{root} has no released assignments. Run `make assignments`, or name the folder "
            "of the course with --course."
        )
    return names


def submitted(submissions, names):
    """Return what `submission_files.find` finds; finding nothing is an error, not a table without lines."""
    found = submission_files.find(submissions, names)
    if not found:
        raise ValueError(
            f"{submissions} has no submissions: no folder of a student, no notebook, no archive. "
            "Nothing was graded, and the tables are as they were."
        )
    return found


def student_versions(root, names):
    """Return `{name: notebook}`, what a course has handed out."""
    import nbformat

    files = {name: Path(root) / "release" / name / f"{name}.ipynb" for name in names}
    return {name: nbformat.read(path, as_version=4) for name, path in files.items()}


def checked(one, releases, passes=None):
    """Return a submission as it can be graded, and remarks; no code of it runs without `passes`.

    Raises:
        Refused: If it is no notebook of its assignment.
    """
    raw = submission_files.read(one.path)
    refuse_another(raw, one.assignment, releases)
    return submission_files.mend(raw, releases[one.assignment], passes)


def _grade_one(nbgrader, root, one, releases):
    import nbformat

    limits = nbgrader.config.ExecuteApart
    passes = partial(
        last_passes, timeout=limits.timeout, total=limits.total, command=limits.command
    )
    notebook, notes = checked(one, releases, passes)
    one.notes += notes
    folder = root / "submitted" / one.student / one.assignment
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{one.assignment}.ipynb")
    done = or_interrupt(nbgrader.autograde(one.assignment, one.student, force=True))
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
    done = or_interrupt(nbgrader.generate_feedback(assignment, student, force=force))
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
    last = read_table(root)
    for one in submissions:
        row = last.get((one.student, one.assignment))
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


def with_kept(root, rows, assignments, say=print):
    """Return the rows of the tables: these, and those of earlier gradings that stay.

    Args:
        root: Folder of the course.
        rows: Of the submissions at hand, from `tabulate`.
        assignments: Names of the assignments that are released.
        say: Called with a line that tells how many rows are kept, if there are any.
    """
    from nbgrader.api import MissingEntry

    earlier = earlier_rows(root, rows, assignments, say)
    with gradebook(root) as book:
        for row in earlier:
            # Points that were given by hand since then count in these rows, too.
            with contextlib.suppress(MissingEntry):
                if row["status"] == "graded":
                    row.update(_scores(book.find_submission(row["assignment"], row["student"])))
    if earlier:
        say(f"{len(earlier)} rows of other submissions, graded earlier, are kept in the tables")
    return sorted(rows + earlier, key=lambda row: (row["student"], row["assignment"]))


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
