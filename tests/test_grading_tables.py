"""A class that is graded in parts, stopped, or mixed up: no row is lost, nobody is wronged.

The gradebook is nbgrader's own; what nbgrader would run is left out.
"""

import copy
import csv
import os
import shutil
import signal
import threading
from types import SimpleNamespace

import nbformat
import pytest

pytest.importorskip("nbgrader")

from assignments.odd import GIVEN, HandIn, Work, hand_in

from helpers.grading import course, grade, release, restoring, tables
from helpers.grading.__main__ import main
from helpers.grading.assignment_source import source_notebook
from helpers.grading.cells import Refused
from helpers.grading.preprocessors import run_apart

ONE = Work(GIVEN).bytes()
CANCELED = "[INFO] Converting\n[ERROR] Canceled\n"
TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1\nKeyboardInterrupt\n'


class Course:
    """A course of the tiny assignment, with an nbgrader that gives full marks by tests."""

    def __init__(self, root):
        self.root, self.submissions, self.answer = root / "course", root, {"success": True}
        limits = SimpleNamespace(timeout=1, total=1, command="")
        self.config = SimpleNamespace(ExecuteApart=limits)

    def autograde(self, assignment, student, force):
        if self.answer["success"]:
            with course.gradebook(self.root) as book:
                book.update_or_create_student(student)
                book.update_or_create_submission(assignment, student)
        self.by_hand(student, test_double=2)
        return self.answer

    def generate_feedback(self, assignment, student, force):
        return self.answer

    def by_hand(self, student, **scores):
        if self.answer["success"]:
            with course.gradebook(self.root) as book:
                for name, score in scores.items():
                    found = book.find_grade(name, "tiny", "tiny", student)
                    found.manual_score, found.needs_manual_grade = score, False
                book.db.commit()

    def run(self, command, folder, files):
        hand_in(self.submissions / folder, [HandIn(files)])
        return main([command, str(self.submissions / folder), "--course", str(self.root)])

    def table(self, name="grades.csv"):
        with open(self.root / name, newline="", encoding="utf-8") as file:
            return {row["student"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The folder of such a course, with nobody in it; a gradebook takes a second to make."""
    root = tmp_path_factory.mktemp("empty")
    (root / "release" / "tiny").mkdir(parents=True)
    nbformat.write(GIVEN, root / "release" / "tiny" / "tiny.ipynb")
    with course.gradebook(root) as book:
        book.add_assignment("tiny")
        book.add_notebook("tiny", "tiny")
        for name, points, kind in (("test_double", 2, "code"), ("why", 1, "markdown")):
            book.add_grade_cell(name, "tiny", "tiny", max_score=points, cell_type=kind)
    return root


@pytest.fixture
def tiny(empty, tmp_path, monkeypatch):
    shutil.copytree(empty, tmp_path / "course")
    made = Course(tmp_path)
    for module in (grade, course):
        monkeypatch.setattr(module, "api", lambda root: made)
    return made


# ---- in parts

CLASS = {"ann/tiny.ipynb": ONE, "bob/tiny (1).ipynb": ONE, "@cy/tiny.ipynb.txt": ONE}


@pytest.mark.parametrize("command", ["grade", "export"])
def test_one_late_student_takes_no_row_of_the_class_away(tiny, command, capsys):
    assert tiny.run("grade", "class", CLASS) == 0
    assert "graded earlier" not in capsys.readouterr().out
    before = tiny.table()
    assert set(before) == {"ann", "bob", "'@cy"} and "handed in as" in before["'@cy"]["remark"]
    tiny.by_hand("ann", why=1)
    assert tiny.run("grade", "late", {"dan/tiny.ipynb": ONE}) == 0
    assert tiny.run(command, "late", {}) == 0
    assert "3 rows of other submissions, graded earlier, are kept" in capsys.readouterr().out
    after = tiny.table()
    assert list(after) == ["'@cy", "ann", "bob", "dan"]
    assert {n: row["remark"] for n, row in after.items() if n != "dan"} == {
        n: row["remark"] for n, row in before.items()
    }
    lms = {n: row["tiny (3)"] for n, row in tiny.table("lms.csv").items()}
    assert lms == {"ann": "3.0", "bob": "", "'@cy": "2.0", "dan": "2.0"}, "with ann's by hand"
    # Taking up the points of the class still finds its remarks.
    assert tiny.run("export", "class", {}) == 0
    assert {n: row["remark"] for n, row in tiny.table().items()} == {
        n: row["remark"] for n, row in after.items()
    }


def test_a_row_goes_where_its_student_renamed_the_file(tiny):
    assert tiny.run("grade", "class", CLASS) == 0
    assert tiny.table()["bob"]["status"] == "refused"
    assert tiny.run("grade", "again", {"bob/tiny.ipynb": ONE}) == 0
    with open(tiny.root / "grades.csv", newline="", encoding="utf-8") as file:
        rows = [(r["student"], r["assignment"], r["status"]) for r in csv.DictReader(file)]
    assert rows == [(n, "tiny", "graded") for n in ("'@cy", "ann", "bob")]


def _row(**known):
    return dict.fromkeys(tables.COLUMNS, "") | known


def test_rows_of_other_assignments_stay_also_without_a_gradebook(tmp_path):
    marks = {"status": "graded", "score": 1.5, "max_score": 2.0, "remark": "=so"}
    old = [
        _row(student="-ann", assignment="ps1", **marks),
        _row(student="-ann", assignment="ps2", **marks),
        _row(student="-ann", assignment="unknown", status="refused"),
        _row(student="bob", assignment="unknown", status="refused"),
    ]
    tables.write_tables(tmp_path, old)
    new = [_row(student="-ann", assignment="ps2", status="graded", score=2.0, max_score=2.0)]
    said = []
    rows = grade.with_kept(tmp_path, new, ["ps1", "ps2"], said.append)
    assert [(r["student"], r["assignment"]) for r in rows] == [
        ("-ann", "ps1"),
        ("-ann", "ps2"),
        ("bob", "unknown"),
    ]
    assert rows[1] == new[0] and rows[0]["score"] == 1.5 and said[0].startswith("2 rows")
    tables.write_tables(tmp_path, rows)
    with open(tmp_path / "lms.csv", newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [
            {"student": "'-ann", "ps1 (2)": "1.5", "ps2 (2)": "2.0"},
            {"student": "bob", "ps1 (2)": "", "ps2 (2)": ""},
        ]
    assert tables.read_table(tmp_path)["-ann", "ps1"]["remark"] == "'=so"
    assert "'-ann,ps1" in (text := (tmp_path / "grades.csv").read_text("utf-8")) and "'=so" in text


def test_a_table_that_another_program_changed_is_put_aside(tmp_path):
    tables.write_tables(tmp_path, [_row(student="bob", assignment="tiny", status="refused")])
    text = (tmp_path / "grades.csv").read_text("utf-8").replace(",", ";")
    (tmp_path / "grades.csv").write_text(text, "utf-8")
    new, said = [_row(student="ann", assignment="tiny", status="refused")], []
    assert grade.with_kept(tmp_path, new, ["tiny"], said.append) == new
    assert (tmp_path / "grades.changed.csv").read_text("utf-8") == text
    assert len(said) == 1 and "grades.changed.csv" in said[0]


def test_what_is_put_aside_takes_the_place_of_nothing(tmp_path):
    def put_aside(text):
        (tmp_path / "grades.csv").write_text(text, "utf-8")
        assert tables.earlier_rows(tmp_path, [], ["tiny"], print) == []

    put_aside("first")
    put_aside("second")
    (tmp_path / "grades.changed.csv").unlink()
    put_aside("third")
    put_aside("fourth")
    texts = [p.read_text("utf-8") for p in tmp_path.glob("grades.changed*.csv")]
    assert sorted(texts) == ["fourth", "second", "third"]


def test_a_name_like_a_formula_is_one_submission_when_graded_again(tmp_path):
    marks = {"status": "refused", "remark": "=no"}
    row = _row(student="@ann", assignment="-foo", **marks)
    tables.write_tables(tmp_path, [row])
    assert tables.earlier_rows(tmp_path, [row], ["tiny"], print) == []
    one = SimpleNamespace(student="@ann", assignment="-foo", reason="", notes=[])
    grade.take_remarks(tmp_path, [one])
    assert one.reason == "'=no"


def test_tables_are_written_whole_or_stay(tmp_path, monkeypatch):
    tables.write_tables(tmp_path, [_row(student="ann", assignment="ps1", status="refused")])
    before = [(tmp_path / name).read_bytes() for name in ("grades.csv", "lms.csv")]

    def full(source, target):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        tables.write_tables(tmp_path, [_row(student="bob", assignment="ps1", status="refused")])
    assert [(tmp_path / name).read_bytes() for name in ("grades.csv", "lms.csv")] == before


def test_a_line_that_lacks_a_value_is_told(tmp_path):
    columns = ["remark", *tables.COLUMNS[:-1]]
    (tmp_path / "grades.csv").write_text(f"{','.join(columns)}\nx,bob,ps1,refused\n", "utf-8")
    with pytest.raises(ValueError, match="was changed"):
        tables.read_table(tmp_path)


def test_only_the_row_of_the_file_that_was_renamed_goes(tmp_path):
    graded = {"status": "graded", "score": 5.0, "max_score": 5.0}
    old = [
        _row(student="bob", assignment="PS1_kl (1)", status="refused"),
        _row(student="bob", assignment="ps0_old", **graded),
    ]
    tables.write_tables(tmp_path, old)

    def left(assignment):
        new = [_row(student="bob", assignment=assignment, **graded)]
        found = tables.earlier_rows(tmp_path, new, ["ps1_kl", "ps2_vae"])
        return [row["assignment"] for row in found]

    assert left("ps2_vae") == ["PS1_kl (1)", "ps0_old"]
    assert left("ps1_kl") == ["ps0_old"]


# ---- stopped


@pytest.mark.parametrize("told", [{"log": CANCELED}, {"error": TRACEBACK}])
@pytest.mark.parametrize("command", ["grade", "export"])
def test_ctrl_c_refuses_nobody_and_changes_no_table(tiny, told, command, capsys):
    assert tiny.run("grade", "class", CLASS) == 0
    before = [(tiny.root / name).read_bytes() for name in ("grades.csv", "lms.csv")]
    tiny.answer = {"success": False, **told}
    assert tiny.run(command, "class", {}) == 130
    assert capsys.readouterr().err == "interrupted; the tables are as they were\n"
    assert [(tiny.root / name).read_bytes() for name in ("grades.csv", "lms.csv")] == before
    assert not (tiny.root / "feedback" / "ann").exists()


@pytest.mark.parametrize(
    "done",
    [
        {"success": True, "log": CANCELED},
        {"success": False, "log": "[ERROR] a file: x\n    [ERROR] Canceled\n"},
        {"success": False, "error": "Traceback\nValueError: KeyboardInterrupt"},
        {"success": False},
    ],
)
def test_other_failures_are_no_ctrl_c(done):
    assert course.or_interrupt(done) is done


@pytest.fixture
def interruptible():
    """A test that sends Ctrl-C to itself: workers of pytest-xdist ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_leaves_no_room_running(interruptible):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run_apart(notebook, 9, 9, command="sh -c 'exec sleep 986'")
    import psutil

    left = [p for p in psutil.Process().children() if p.cmdline() == ["sleep", "986"]]
    for process in left:
        process.kill()
    assert left == []


def test_ctrl_c_while_a_room_ends_is_no_fault_of_the_submission(interruptible):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run_apart(notebook, 9, 9, command="sh -c 'exec sleep 0.6'")


def test_ctrl_c_while_versions_are_made_is_no_fault_of_the_text(tiny, monkeypatch, capsys):
    monkeypatch.setattr(release, "api", lambda root: tiny)
    monkeypatch.setattr(release, "write_sources", lambda *a: {"tiny": GIVEN})
    tiny.generate_assignment = lambda name, force: {"success": False, "log": CANCELED}
    assert main(["assignments", "--course", str(tiny.root)]) == 130
    assert "interrupted" in capsys.readouterr().err


# ---- mixed up


def test_a_file_that_was_spoilt_since_it_was_graded_has_no_score_in_the_export(tiny):
    assert tiny.run("grade", "class", CLASS) == 0
    assert tiny.table()["ann"]["status"] == "graded"
    assert tiny.run("export", "later", CLASS | {"ann/tiny.ipynb": b'{"broken'}) == 0
    row = tiny.table()["ann"]
    assert (row["status"], row["score"]) == ("refused", "") and "no JSON" in row["remark"]
    assert tiny.table()["'@cy"]["status"] == "graded"


def _releases():
    texts = course.assignment_texts()
    found = {n: source_notebook(path.read_text("utf-8"), n) for n, path in texts.items()}
    return {**found, "tiny": GIVEN}


def test_the_notebook_of_each_problem_set_is_known_under_any_others_name():
    releases = _releases()
    assert len(releases) == 7
    for own, notebook in releases.items():
        for name in releases:
            if name == own:
                restoring.refuse_another(notebook, name, releases)
                continue
            with pytest.raises(
                Refused, match=f"None of {name}'s own cells is in it: this is {own}[.]"
            ):
                restoring.refuse_another(notebook, name, releases)


def test_one_own_cell_is_enough_and_shared_names_tell_nothing():
    releases = _releases()
    ps1, ps6 = releases["ps1_kl"], copy.deepcopy(releases["ps6_uncertainty"])
    named = [c for c in ps1.cells if c.metadata.get("nbgrader")]
    shared = [c for c in named if c.metadata["nbgrader"]["grade_id"] == "setup"]
    ps6.cells.append(next(c for c in named if c not in shared))
    restoring.refuse_another(ps6, "ps1_kl", releases)
    assert len(shared) == 1
    ps6.cells = shared
    restoring.refuse_another(ps6, "ps1_kl", releases)
    restoring.refuse_another({"cells": [7, {}]}, "ps1_kl", releases)


def test_a_mixed_up_notebook_is_refused_and_not_graded_0(tiny):
    (tiny.root / "release" / "ps6_uncertainty").mkdir()
    other = _releases()["ps6_uncertainty"]
    nbformat.write(other, tiny.root / "release" / "ps6_uncertainty" / "ps6_uncertainty.ipynb")
    data = nbformat.writes(other).encode()
    assert tiny.run("grade", "class", {"ann/tiny.ipynb": data, "bob/tiny.ipynb": ONE}) == 0
    row = tiny.table()["ann"]
    assert row["status"] == "refused" and "this is ps6_uncertainty" in row["remark"]
    assert tiny.table()["bob"]["status"] == "graded"


# ---- no course


@pytest.mark.parametrize("command", ["grade", "export"])
@pytest.mark.parametrize("place", ["nowhere", ""])
def test_a_folder_that_is_no_course_is_told_in_clear_words(command, place, tmp_path, capsys):
    hand_in(tmp_path / "class", [HandIn({"ann/tiny.ipynb": ONE})])
    nowhere = tmp_path / place
    assert main([command, str(tmp_path / "class"), "--course", str(nowhere)]) == 1
    told = capsys.readouterr().err
    assert f"{nowhere} has no released assignments" in told and "--course" in told
    assert not list(tmp_path.glob("**/gradebook.db"))


def test_a_carriage_return_in_a_remark_stays_in_its_cell(tmp_path):
    row = dict.fromkeys(tables.COLUMNS, "") | {"student": "eva", "assignment": "ps1"}
    tables.write_tables(tmp_path, [row | {"max_score": 1.0, "remark": "a\rb"}])
    assert tables.read_table(tmp_path)["eva", "ps1"]["remark"] == "a\rb"
