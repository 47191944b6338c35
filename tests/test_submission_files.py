"""What students hand in is found, under whatever name, and nothing is lost without a word."""

from types import SimpleNamespace

import nbformat
import pytest
from assignments.odd import GIVEN, HandIn, Work, graded_in, hand_in, packed, rows_of

from helpers.grading import grade, submission_files
from helpers.grading.__main__ import main

ONE = Work(GIVEN).bytes()

# ---- names of files and folders


def test_flat_files_are_named_by_student_as_far_as_their_names_tell(tmp_path):
    rows = rows_of(
        tmp_path,
        {
            "mueller_12345_678_tiny.ipynb": ONE,
            "lee_LATE_1_2_tiny-1.ipynb": ONE,
            "anon_a1b2c_77_tiny.ipynb": ONE,
            "o'neil_9_10_homework.zip": packed(tiny__ipynb=b"", **{"tiny.ipynb": ONE}),
            "ann_3_30_31_tiny.ipynb": ONE,
            "kim_5_6_solution.py": b"",
            "Ann Lee_12_assignsubmission_file_tiny.ipynb": ONE,
            "Ann Lee_12_assignsubmission_file_photo.png": b"",
            "Bob_13_assignsubmission_file_/tiny.ipynb": ONE,
            "cy-tiny.ipynb": ONE,
            "tiny_dan.ipynb": ONE,
            "eve.zip": packed(**{"tiny.ipynb": ONE}),
            "tiny.ipynb": ONE,
            "Copy of tiny.ipynb": ONE,
            "notes.txt": b"",
        },
    )
    assert graded_in(rows) == {
        *("mueller_12345", "lee_1", "anon_a1b2c", "o_neil_9", "ann_3_30", "cy", "dan", "eve"),
        *("Ann_Lee_12_assignsubmission_file", "Bob_13_assignsubmission_file"),
    }
    assert rows["lee_1", "tiny"].notes == ["handed in as lee_LATE_1_2_tiny-1.ipynb"]
    assert "photo.png" in rows["Ann_Lee_12_assignsubmission_file", "tiny"].notes[1]
    assert "tells no student" in rows["tiny", "tiny"].reason
    assert "kim_5_6_solution.py" in rows["kim_5", "unknown"].reason
    assert len(rows) == 14


def test_archives_in_flat_files_are_named_as_notebooks_are(tmp_path):
    data = packed(**{"tiny.ipynb": ONE})
    names = ("ann_tiny.zip", "tiny-bob.tar.gz", "cy_tiny.ipynb.zip", "dan_tiny.7z", "lee_1_2_x.zip")
    names += ("tiny.zip", "tiny.ipynb.zip", "eve.ZIP")
    rows = rows_of(tmp_path, dict.fromkeys(names, data))
    assert {student for student, _ in rows} == {
        *("ann", "bob", "cy", "dan", "lee_1", "eve", "tiny", "tiny.ipynb")
    }
    assert graded_in(rows) == {"ann", "cy", "lee_1", "eve"}
    for name in ("tiny", "tiny.ipynb"):
        assert (
            f"tells no student. Put it into a folder named for the student. If it is the archive of a class: make grade SUBMISSIONS={name}.zip"
            in rows[name, "tiny"].reason
        )
    # An archive of a class in which a platform named all is one, whatever it is called itself.
    (tmp_path / "more").mkdir()
    inside = packed(**{"kim_1_2_tiny.ipynb": ONE, "lou_3_4_tiny.ipynb": ONE})
    assert graded_in(rows_of(tmp_path / "more", {"tiny_all.zip": inside})) == {"kim_1", "lou_3"}


@pytest.mark.parametrize("end", ["_/", "/", "_"])
def test_a_text_typed_into_moodle_makes_no_second_student(end, tmp_path):
    rows = rows_of(
        tmp_path,
        {
            f"Ann_1_assignsubmission_file{end}tiny.ipynb": ONE,
            f"Ann_1_assignsubmission_onlinetext{end}onlinetext.html": b"see my file",
            f"Bob_2_assignsubmission_onlinetext{end}onlinetext.html": b"I have none",
        },
    )
    ann, bob = "Ann_1_assignsubmission_file", "Bob_2_assignsubmission_file"
    assert set(rows) == {(ann, "tiny"), (bob, "unknown")} and graded_in(rows) == {ann}
    assert "onlinetext.html" in rows[ann, "tiny"].notes[-1]
    assert "onlinetext.html" in rows[bob, "unknown"].reason


@pytest.mark.parametrize("end", [".ipynb.download", ".ipynb.bak", ".ipynb.gz", ".ipynb.pdf", ".nb"])
def test_another_ending_is_refused_under_the_name_of_the_assignment(end, tmp_path):
    rows = rows_of(tmp_path, {f"ann/tiny{end}": ONE})
    assert f"tiny{end}" in rows["ann", "tiny"].reason


def test_what_is_no_notebook_of_this_name_has_a_row_that_says_so(tmp_path):
    rows = rows_of(
        tmp_path,
        {
            "a/tiny.py": b"",
            "b": None,
            "c/solution.py": b"",
            "d/tiny (1).ipynb": ONE,
            "e/tiny": ONE,
            "f/.ipynb_checkpoints/tiny-checkpoint.ipynb": ONE,
            "g/tiny_.ipynb": ONE,
            "h/tiny.ipynb.html": ONE,
            "i/Tiny.ipynb": ONE,
            "j/tiny.ipynb.json": ONE,
            "k/tiny.ipynb.txt": ONE,
            "l/tiny.IPYNB": ONE,
            "m/tiny.ipynb": ONE,
            "m/tiny.py": b"",
            "m/photo.png": b"",
            "m/.DS_Store": b"",
            "__MACOSX/._a": b"",
            ".git/x": b"",
        },
    )
    assert {student for student, _ in rows} == set("abcdefghijklm")
    assert graded_in(rows) == set("ijklm")
    assert rows["d", "tiny (1)"].reason.startswith("No assignment is called tiny (1).")
    assert rows["d", "tiny (1)"].reason.endswith("give it the name of its assignment (tiny).")
    assert rows["e", "tiny"].reason == "tiny is not a notebook (.ipynb)."
    assert "empty" in rows["b", "unknown"].reason and "empty" in rows["f", "unknown"].reason
    assert rows["m", "tiny"].notes == [
        "handed in, too, and not graded: tiny.py",
        "handed in, too, and not graded: photo.png",
    ]


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("how", ["a{n}/tiny.ipynb", "a{n}.zip", "{n}/Tiny.ipynb.txt"])
def test_any_number_of_attempts_is_refused_and_all_are_named(count, how, tmp_path):
    data = packed(**{"tiny.ipynb": ONE}) if how.endswith("zip") else ONE
    rows = rows_of(tmp_path, {f"ann/{how.format(n=n)}": data for n in range(count)})
    reason = rows["ann", "tiny"].reason
    assert len(rows) == 1 and f"There are {count} files of tiny" in reason
    assert all(how.format(n=n) in reason for n in range(count))


def test_attempts_in_flat_files_are_attempts_too(tmp_path):
    rows = rows_of(
        tmp_path,
        {"lee_1_20_tiny.ipynb": ONE, "lee_1_21_tiny-1.ipynb": ONE, "lee_2_22_tiny.ipynb": ONE},
    )
    assert "lee_1_21_tiny-1.ipynb" in rows["lee_1", "tiny"].reason
    assert graded_in(rows) == {"lee_2"}


def test_folders_that_would_get_one_name_are_both_graded_under_names_that_last(tmp_path):
    homes = ["Ann Lee", "Ann_Lee", "ann lee", "😀", "😃", "U\u0308b", "\u00dcb", "x" * 200]
    rows = rows_of(tmp_path, {f"{home}/tiny.ipynb": ONE for home in homes})
    names = [student for student, _ in rows]
    assert len({name.casefold() for name in names}) == len(homes) == len(graded_in(rows))
    assert {"Ann_Lee", "\u00dcb"} < set(names) and max(map(len, names)) < 60
    assert sum("another student is called" in "".join(s.notes) for s in rows.values()) == 5
    # Who else is in the class changes no name that had to be changed.
    again = rows_of(tmp_path, {"Ann?Lee/tiny.ipynb": ONE})
    assert set(names) < {student for student, _ in again}


# ---- nothing, and failures


@pytest.mark.parametrize("what", [{}, {".DS_Store": b""}, {".git/config": b""}])
@pytest.mark.parametrize("command", ["grade", "export"])
def test_finding_nothing_is_an_error_and_changes_no_table(what, command, tmp_path, capsys):
    course, folder = tmp_path / "course", tmp_path / "submissions"
    (course / "release" / "tiny").mkdir(parents=True)
    nbformat.write(GIVEN, course / "release" / "tiny" / "tiny.ipynb")
    folder.mkdir()
    hand_in(folder, [HandIn(what)])
    for table in ("grades.csv", "lms.csv"):
        (course / table).write_text("kept")
    for place in (folder, tmp_path / "missing"):
        assert main([command, str(place), "--course", str(course)]) == 1
        assert place.name in capsys.readouterr().err
    assert [(course / t).read_text() for t in ("grades.csv", "lms.csv")] == ["kept"] * 2


def _table(root, **row):
    row = {"score": "", "max_score": ""} | row
    grade.write_tables(root, [dict.fromkeys(grade.COLUMNS, "") | row])
    return root / "grades.csv"


@pytest.mark.parametrize("name", ["@ann", "-ann", "ann"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_remarks_are_taken_up_whatever_a_spreadsheet_would_make_of_a_name(name, encoding, tmp_path):
    table = _table(tmp_path, student=name, assignment="tiny", status="refused", remark="=no")
    table.write_text(table.read_text(encoding="utf-8"), encoding=encoding)
    one = submission_files.Submission(name, "tiny", tmp_path)
    grade.take_remarks(tmp_path, [one])
    assert one.reason == "'=no"


@pytest.mark.parametrize(
    "change",
    [lambda t: t.replace(",", ";"), lambda t: "", lambda t: "a,b\n1,2\n", lambda t: t[:90]],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_that_another_program_changed_is_refused_in_clear_words(change, encoding, tmp_path):
    table = _table(tmp_path, student="ann", assignment="tiny", status="graded", remark="Schön.")
    table.write_text(change(table.read_text(encoding="utf-8")), encoding=encoding)
    with pytest.raises(ValueError, match="Run `make grade` again"):
        grade.take_remarks(tmp_path, [])


LOG = """\
[INFO] Converting notebook
[ERROR] There was an error processing assignment: /a/b
[ERROR] Traceback (most recent call last):
      File "/a/convert.py", line 1, in convert
        raise InvalidNotebook(msg)
    nbconvert.InvalidNotebook: missing attachment: photo.png
    and a second line

[ERROR] There was an error processing assignment 'tiny' for student 'ann'
[ERROR] Please see the the above traceback for details on the specific errors
"""
END = 'Traceback (most recent call last):\n  File "/a/b.py", line 1, in start\n    raise E(msg)\n'


def test_the_reason_of_a_failure_is_nbgraders_own_and_whole():
    error = f"{END}nbgrader.NbGraderException: Please see the the above traceback for details\n"
    said = "nbconvert.InvalidNotebook: missing attachment: photo.png\nand a second line"
    assert grade.reason({"log": LOG, "error": error}) == said
    old = "[ERROR] One or more notebooks use an old version\n    of the format.\n"
    twice = f"{END}nbgrader.NbGraderException: One or more notebooks use an old version\nof the format.\n"
    assert grade.reason({"log": old, "error": twice}) == (
        "One or more notebooks use an old version\nof the format."
    )
    assert grade.reason({"error": f"{END}ValueError: no\n"}) == "ValueError: no"
    assert grade.reason({}) == "nbgrader gave no reason"


def test_a_page_that_cannot_be_written_takes_no_grade_away(tmp_path, monkeypatch):
    limits = SimpleNamespace(timeout=1, total=1, command="")
    done = {"success": True}
    nbgrader = SimpleNamespace(
        config=SimpleNamespace(ExecuteApart=limits), autograde=lambda *a, **k: done
    )
    monkeypatch.setattr(grade, "write_feedback", lambda *a: {"success": False, "log": LOG})
    one = rows_of(tmp_path / "in", {"ann/tiny.ipynb": ONE})["ann", "tiny"]
    grade._grade_one(nbgrader, tmp_path, one, {one.assignment: GIVEN})
    said = "could not write the page of feedback: nbconvert.InvalidNotebook: missing attachment"
    page = tmp_path / "feedback" / "ann" / "tiny" / "tiny.html"
    assert said in one.notes[-1] and said in page.read_text(encoding="utf-8") and not one.reason
    done.update(success=False, log=LOG)
    with pytest.raises(submission_files.Refused, match=r"photo\.png\nand a second line"):
        grade._grade_one(nbgrader, tmp_path, one, {one.assignment: GIVEN})
