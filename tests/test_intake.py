"""What students hand in is found, under whatever name, and nothing is lost without a word."""

from types import SimpleNamespace

import nbformat
import pytest
from assignments.odd import GIVEN, HandIn, Work, graded_in, hand_in, packed, rows_of

from helpers.grading import grade, intake
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
    grade._grade_one(nbgrader, tmp_path, one, GIVEN)
    said = "could not write the page of feedback: nbconvert.InvalidNotebook: missing attachment"
    page = tmp_path / "feedback" / "ann" / "tiny" / "tiny.html"
    assert said in one.notes[-1] and said in page.read_text(encoding="utf-8") and not one.reason
    done.update(success=False, log=LOG)
    with pytest.raises(intake.Refused, match=r"photo\.png\nand a second line"):
        grade._grade_one(nbgrader, tmp_path, one, GIVEN)
