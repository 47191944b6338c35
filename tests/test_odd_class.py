"""A class of odd submissions beside plain ones, graded by nbgrader: every one has a row.

A minute, so only `make test-graders` collects it; `test_mending` has the same class without nbgrader.
"""

import csv

import pytest

pytest.importorskip("nbgrader")

from assignments import odd

from helpers.grading import grade, release
from helpers.grading.__main__ import main


def test_every_submission_of_an_odd_class_has_a_row_and_no_right_answer_loses_a_mark(tmp_path):
    folder, root = tmp_path / "submissions", tmp_path / "course"
    released = release.release(root, {"tiny": odd.TINY}, check=False)
    assert released
    some = odd.the_class(odd.student())
    odd.hand_in(folder, some.values())
    rows = {row["student"]: row for row in grade.grade(root, folder, say=lambda line: None)}
    assert set(rows) == {one.student for one in some.values()} and len(rows) == len(some)
    for title, one in some.items():
        row = rows[one.student]
        if one.marks is None:
            assert row["status"] == "refused" and row["score"] == "", title
        else:
            assert row["status"] == "graded", f"{title}: {row['remark']}"
            assert (row["by_tests"], row["awaiting_hand"]) == (one.marks, one.hand), title
        assert one.says in row["remark"], f"{title}: {row['remark']}"

    def stored(student, kind, ending):
        path = root / kind / student / "tiny" / f"tiny.{ending}"
        return path.read_text(encoding="utf-8")

    for kind, ending in (("autograded", "ipynb"), ("feedback", "html")):
        assert odd.PICTURE["image/png"] in stored("mueller_12345", kind, ending)
        assert odd.PICTURE["image/png"] in stored("jo", kind, ending)
        assert "My long answer." in stored("kim", kind, ending)
    assert "number**2" in stored("max", "autograded", "ipynb")

    # A grading that finds nothing changes no table, nor does taking up the points by hand.
    tables = [(root / name).read_bytes() for name in ("grades.csv", "lms.csv")]
    (tmp_path / "nothing").mkdir()
    for command in ("grade", "export"):
        assert main([command, str(tmp_path / "nothing"), "--course", str(root)]) == 1
    assert [(root / name).read_bytes() for name in ("grades.csv", "lms.csv")] == tables
    assert main(["export", str(folder), "--course", str(root)]) == 0
    with open(root / "grades.csv", newline="", encoding="utf-8") as file:
        assert {r["student"]: r["remark"] for r in csv.DictReader(file)} == {
            name: row["remark"] for name, row in rows.items()
        }
