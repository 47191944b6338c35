"""Graders under test: wrong submissions lose marks where they are wrong, right ones lose none.

Real nbgrader grades them, as `make grade` does. `GRADERS=all` takes the whole corpora.
"""

import copy
import importlib
import os

import nbformat
import pytest

pytest.importorskip("nbgrader")

from assignments import Case

from helpers.grading import assignment_source, course, grade, release

CORPORA = {p.stem: f"assignments.{p.stem[:3]}" for p in course.assignment_texts().values()}
EVERY = os.environ.get("GRADERS") == "all"


def _corpus(name):
    module = importlib.import_module(CORPORA[name])
    assert name == module.NAME and len(module.WRONG) >= 12 and len(module.RIGHT) >= 5
    few = (lambda cases, n: cases) if EVERY else (lambda cases, n: dict(list(cases.items())[:n]))
    return few(module.WRONG, 3), few(module.RIGHT, 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course with every assignment released: its folder and the source notebooks."""
    root = tmp_path_factory.mktemp("course")
    release.release(root)
    read = {n: nbformat.read(root / "source" / n / f"{n}.ipynb", 4) for n in CORPORA}
    return root, read


def _submission(root, name, source, case):
    """The student version of an assignment with the reference solution and the case's cells."""
    notebook = nbformat.read(root / "release" / name / f"{name}.ipynb", as_version=4)
    solutions = {
        c.metadata.nbgrader.grade_id: c.source
        for c in source.cells
        if c.metadata.get("nbgrader", {}).get("solution")
    }
    assert set(case.cells) <= set(solutions)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in solutions:
            cell.source = case.cells.get(grade_id, solutions[grade_id])
    if case.edit:
        case.edit(notebook)
    return notebook


@pytest.mark.parametrize("name", CORPORA)
def test_the_corpus_gets_the_marks_it_deserves(name, made, tmp_path, monkeypatch):
    root, read = made
    wrong, right = _corpus(name)
    cases = {
        **{f"wrong.{n}": c for n, c in wrong.items()},
        **{f"right.{n}": c for n, c in right.items()},
    }
    for student, case in cases.items():
        (tmp_path / student).mkdir()
        nbformat.write(
            _submission(root, name, read[name], case), tmp_path / student / f"{name}.ipynb"
        )
    rows = grade.grade(root, tmp_path, say=lambda line: None)
    assert {r["student"]: r["status"] for r in rows} == dict.fromkeys(cases, "graded")
    faults = []
    for student, case in cases.items():
        scores = grade.task_scores(root, student, name)
        lost = {n for n, (s, p) in scores.items() if n.startswith("test_") and s < p}
        if lost != case.loses:
            faults.append(f"{student}: lost {sorted(lost)}, should lose {sorted(case.loses)}")
        assert student.startswith("right") or case.loses, f"{student} loses nothing"
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", CORPORA)
def test_the_student_version_holds_no_answers(name, made):
    root, read = made
    student = nbformat.read(root / "release" / name / f"{name}.ipynb", as_version=4)
    assert release.left_over(read[name], student) == []
    spoiled = copy.deepcopy(student)
    (line,) = [c for c in read[name].cells if "BEGIN HIDDEN" in c.source][:1]
    spoiled.cells[-1].source = line.source
    assert release.left_over(read[name], spoiled)


@pytest.mark.parametrize("name", CORPORA)
def test_every_solution_is_tested_and_points_add_up(name, made):
    _, read = made
    points = assignment_source.points(read[name])
    assert sum(points.values()) == 20
    assert len(assignment_source.by_hand(read[name])) >= 1
    for cell in read[name].cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("test_"):
            assert "BEGIN HIDDEN TESTS" in cell.source, cell.metadata.nbgrader.grade_id


def test_a_case_is_a_whole_notebook(made):
    root, read = made
    name = next(iter(CORPORA))
    notebook = _submission(root, name, read[name], Case())
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    assert code and not any("raise NotImplementedError" in source for source in code)
