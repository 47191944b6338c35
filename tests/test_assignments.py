"""Graders under test: wrong submissions lose marks where they are wrong, right ones lose none.

Real nbgrader grades them, as `make grade` does. `GRADERS=all` takes the whole corpora.
"""

import ast
import copy
import importlib
import os

import nbformat
import numpy as np
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


# ---- constants that a course seed draws

TEXTS = {name: path.read_text("utf-8") for name, path in course.assignment_texts().items()}
CONSTANTS = [
    (name, *found)
    for name, text in TEXTS.items()
    for _, *found in assignment_source.REDRAWN.findall(text)
]  # name of the problem set, constant, " = ", published value, choices


@pytest.mark.parametrize(("name", "constant", "equals", "value", "choices"), CONSTANTS)
def test_a_course_seed_draws_another_value_than_the_published_one(
    name, constant, equals, value, choices
):
    drawn = {
        line
        for seed in ("spring", "2025", "a", "b", *range(30))
        for line in assignment_source.redraw(TEXTS[name], name, seed).splitlines()
        if line.startswith(f"{constant}{equals}")
    }
    assert f"{constant}{equals}{value}" not in drawn, "numbers copied from it would be right"
    assert len(drawn) > 1


def test_a_constant_that_can_only_stay_as_it_is_is_refused():
    for choices in ("[4]", "[4, 4]", "range(4, 5)"):
        text = f"MISS = 4  # redrawn from {choices}"
        for seed in (None, "spring"):
            with pytest.raises(assignment_source.BadSource, match="no other value"):
                assignment_source.redraw(text, "slip", seed)


(MISSES,) = [
    ast.literal_eval(choices) for *_, constant, _, _, choices in CONSTANTS if constant == "MISS"
]


@pytest.mark.parametrize("test", ["chosen_threshold", "reported_cost"])
@pytest.mark.parametrize("miss", MISSES)
def test_the_least_cost_is_reached_in_one_way_whatever_the_course_seed(test, miss):
    # Two ways with one cost would be a matter of rounding: a right formula could take either.
    notebook = assignment_source.source_notebook(TEXTS["ps6_uncertainty"], "ps6_uncertainty")
    cells = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in notebook.cells}
    looked = []

    def chosen_threshold(scores, odd, test_scores, test_odd, thresholds):
        def ways(scores, odd):  # (T, 2): false alarms and missed pixels, whole numbers
            marked = scores >= thresholds[:, None, None, None]
            alarms = (marked & (odd == 0)).sum(axis=(1, 2, 3))
            return np.stack([alarms, (~marked & (odd == 1)).sum(axis=(1, 2, 3))], axis=1)

        costs = ways(scores, odd) @ [1, miss]
        found = {tuple(way) for way in ways(scores, odd)[costs == costs.min()].tolist()}
        looked.append(sorted(found))
        best = costs.argmin()
        return thresholds[best], (ways(test_scores, test_odd) @ [1, miss])[best] / test_odd.size

    exec(cells[f"test_{test}"], {"MISS": miss, "chosen_threshold": chosen_threshold})
    assert len(looked) >= 4 and [found for found in looked if len(found) > 1] == []


def test_a_case_is_a_whole_notebook(made):
    root, read = made
    name = next(iter(CORPORA))
    notebook = _submission(root, name, read[name], Case())
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    assert code and not any("raise NotImplementedError" in source for source in code)
