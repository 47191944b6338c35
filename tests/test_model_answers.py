"""What a problem set says is so: numbers in model answers, and results that ps5 asks for."""

import contextlib
import io
import re

import pytest

from helpers.grading import assignment_source, course
from helpers.runs import read_results
from helpers.runs.notebooks import find

CODE = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)
TEXTS = course.assignment_texts()


def _cells(name):
    """Pairs of grade_id and text: the cells of a problem set with its solutions."""
    notebook = assignment_source.source_notebook(TEXTS[name].read_text("utf-8"), name)
    return [(c.metadata.get("nbgrader", {}).get("grade_id", ""), c) for c in notebook.cells]


def _printed(cells, code):
    """The lines that a model answer's code prints after the solutions, with true minus signs."""
    names = {}
    for grade_id, cell in cells:
        if cell.cell_type == "code" and not grade_id.startswith("test_"):
            exec(cell.source, names)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(code, names)
    return told.getvalue().replace("-", "−").splitlines()


WITH_CODE = {
    (name, grade_id): (cells, cell.source)
    for name in TEXTS
    for cells in [_cells(name)]
    for grade_id, cell in cells
    if cell.cell_type == "markdown" and CODE.search(cell.source)
}


@pytest.mark.parametrize(("name", "grade_id"), WITH_CODE)
def test_a_model_answer_has_the_lines_that_its_code_prints(name, grade_id):
    cells, answer = WITH_CODE[name, grade_id]
    (code,) = CODE.findall(answer)
    printed = _printed(cells, code)
    assert printed and [line for line in printed if line not in answer.splitlines()] == []


def test_there_is_a_model_answer_with_code():
    assert ("ps6_uncertainty", "cheats") in WITH_CODE


SCORED = re.compile(r"\(`\w+` in `(\d\d)`[^()]*; score: ([^()]+)\)\?")


def test_the_score_of_each_question_of_the_project_is_one_recorded_number():
    text = TEXTS["ps5_project"].read_text("utf-8")
    asked = SCORED.findall(text)
    assert len(asked) == len(re.findall(r"\(`\w+` in `\d\d`", text)) == 5
    for notebook, score in asked:
        results = read_results(find(notebook))["results"]
        for key in re.findall(r"`(\w+)`", score):
            many = isinstance(results[key], list) and len(results[key]) > 1
            assert many == score.startswith("the first item of "), (notebook, key)
