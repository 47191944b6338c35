"""Cells that were split, copied or merged: no line is lost, and no mark of a right answer."""

import ast
import copy
import time

import pytest
from assignments.odd import (
    DOUBLE,
    GIVEN,
    NEXT,
    PICTURE,
    STUB,
    Work,
    last_passes,
    marks_of,
    mended,
    named,
    own_cells,
)
from nbformat import from_dict

from helpers.grading import answer_cells, submission_files

# ---- split, copied, merged


SPLIT = {
    "in two": ["TWO = 2", "def double(number):\n    return TWO * number"],
    "in three": ["import math", "TWO = 2", "def double(number):\n    return TWO * number"],
    "a helper below": ["def double(n):\n    return two() * n", "def two():\n    return 2"],
    "within the function": ["def double(n):", "    return 2 * n"],
    "within the function, late": ["def double(n):\n    two = 2", "    return two * n"],
    "within the function, twice": ["def double(n):", "    two = 2", "    return two * n"],
    "within the function, thrice": [
        "def double(n):\n    two = 1",
        "    two += 1",
        "    # twice",
        "    return two * n",
    ],
    "within a line": ["def double(n):\n    return 2 *", " n"],
    "after a comment": ["# the double", DOUBLE],
    "by a loop": [
        "TABLE = []\nfor n in (2,):\n    TABLE.append(n)",
        DOUBLE.replace("2", "TABLE[0]"),
    ],
    "a list that is filled": ["TABLE = []", "TABLE.append(2)", DOUBLE.replace("2", "TABLE[0]")],
    "filled below": [DOUBLE.replace("2", "TABLE[0]"), "TABLE = {}", "TABLE[0] = 2"],
}


@pytest.mark.parametrize("parts", SPLIT.values(), ids=SPLIT)
@pytest.mark.parametrize("far", [False, True])
def test_pieces_of_an_answer_are_joined_in_order(parts, far):
    work = Work(GIVEN).split("double", *parts)
    if far:  # the last piece stands at the end
        place = work.at("double") + len(parts) - 1
        work.cells.append(work.cells.pop(place))
    notebook, notes = mended(work)
    source = named(notebook)["double"].source
    assert [source.index(part.strip()) for part in parts] == sorted(
        source.index(part.strip()) for part in parts
    )
    assert (
        marks_of(notebook) == 3 and "joined in their order" in notes and own_cells(notebook) == []
    )


COPIED = {
    "to try": [DOUBLE, "double(3)"],
    "to try, above": ["double(3)", DOUBLE],
    "to try, with a name": [DOUBLE, "six = double(3)\nsix"],
    "to try, and it fails": [DOUBLE, "assert double(3) == 7"],
    "the same": [DOUBLE, DOUBLE],
    "no Python": [DOUBLE, "def double(number) retrun 2"],
    "twice": ["double(1)", DOUBLE, "double(2)"],
}


@pytest.mark.parametrize("parts", COPIED.values(), ids=COPIED)
def test_a_copy_that_is_not_the_answer_stays_as_an_ordinary_cell(parts):
    notebook, notes = mended(Work(GIVEN).split("double", *parts))
    assert named(notebook)["double"].source == DOUBLE and marks_of(notebook) == 3
    own = [text for _, text in own_cells(notebook)]
    assert sorted([DOUBLE, *own]) == sorted(parts), "no line is lost"
    assert "stays as an ordinary cell" in notes and f"double is there {len(parts)} times" in notes


@pytest.mark.parametrize("first", ["TWO = 3", "TWO = 3\nprint(TWO)", "TWO = []\nTWO.append(3)"])
@pytest.mark.parametrize("second", ["TWO = 2", "TWO = 1\nTWO += 1"])
def test_of_two_pieces_with_one_name_the_later_one_belongs_to_the_answer(first, second):
    notebook, _ = mended(Work(GIVEN).split("double", first, second, DOUBLE.replace("2", "TWO")))
    answer = named(notebook)["double"].source
    assert marks_of(notebook) == 3 and second in answer and first not in answer
    assert ("code", first) in own_cells(notebook)


def test_a_piece_is_not_moved_over_a_cell_that_changes_or_uses_it():
    parts = ["def two():\n    return 2", "assert two() == 3", DOUBLE.replace("2", "two()")]
    notebook, _ = mended(Work(GIVEN).split("double", *parts))
    assert marks_of(notebook) == 3
    assert [text for _, text in own_cells(notebook)] == parts[:2], "in their order, above it"
    parts = ["TWO = 1", "def set_two():\n    global TWO\n    TWO = 2", "set_two()"]
    work = Work(GIVEN).split("double", *parts, DOUBLE.replace("2", "TWO"))
    assert marks_of(mended(work)[0]) == 3


def test_a_cell_that_is_timed_is_code_like_any_other():
    for parts in ([f"%%time\n{DOUBLE}", "double(3)"], ["double(3)", f"%%time\n{DOUBLE}"]):
        notebook, _ = mended(Work(GIVEN).split("double", *parts))
        assert named(notebook)["double"].source == f"%%time\n{DOUBLE}"
        assert own_cells(notebook) == [("code", "double(3)")]
    parts = ["TWO = 2", f"%%capture out\n{DOUBLE.replace('2', 'TWO')}"]
    notebook, notes = mended(Work(GIVEN).split("double", *parts))
    assert "# %%capture out" in named(notebook)["double"].source and marks_of(notebook) == 3
    _, notes = mended(Work(GIVEN, double=f"%%time\nopen('a')\n{DOUBLE}"))
    assert notes == "look at the code, it uses open"
    notebook, _ = mended(Work(GIVEN).split("double", "%%bash\nls", *SPLIT["within the function"]))
    assert marks_of(notebook) == 3 and ("code", "%%bash\nls") in own_cells(notebook)


@pytest.mark.parametrize("nameless", [0, 1])
def test_half_of_a_split_answer_without_a_name_is_joined(nameless):
    for parts in (SPLIT["within the function, twice"], SPLIT["within the function, thrice"]):
        work = Work(GIVEN).split("double", *parts)
        for cell in work.cells[work.at("double") + 1 : work.at("double") + len(parts)]:
            cell["metadata"] = {}
        assert marks_of(mended(work)[0]) == 3
    parts = ["def double(n):\n    return sum([", "        n,", "        n,\n    ])"]
    for name in range(3):
        work = Work(GIVEN).split("double", *parts)
        for number, cell in enumerate(work.cells[work.at("double") :][:3]):
            cell["metadata"] = cell["metadata"] if number == name else {}
        assert marks_of(mended(work)[0]) == 3
    work = Work(GIVEN).split("double", "for n in range(2):", "    print(n)", DOUBLE)
    for cell in work.cells[work.at("double") :][:2]:
        cell["metadata"] = {}
    assert named(mended(work)[0])["double"].source == DOUBLE, "a loop of the student's own"
    work = Work(GIVEN).split("double", *SPLIT["within the function, late"])
    place = work.at("double") + nameless
    work.cells[place]["metadata"] = {}
    notebook, notes = mended(work)
    assert marks_of(notebook) == 3 and own_cells(notebook) == []
    assert "double stands in 2 cells; the pieces are joined" in notes
    # A cell that can be read alone is the student's own.
    notebook, notes = mended(Work(GIVEN).add("double(3)", "code", "double"))
    assert own_cells(notebook) == [("code", "double(3)")] and notes == ""


PROSE = "My *idea*: it's taken twice."


@pytest.mark.parametrize(
    "blocks", [[PROSE, DOUBLE], [DOUBLE, PROSE], ["import math", PROSE, DOUBLE]]
)
def test_text_that_was_merged_into_an_answer_costs_no_mark_and_stays(blocks):
    wrong = "def next_step(number):\n    return 0"
    work = Work(GIVEN, double="\n\n".join(blocks), why=STUB).split("next_step", NEXT, wrong)
    notebook, notes = submission_files.mend(
        work.raw, GIVEN, passes=last_passes
    )  # mended more than once
    assert marks_of(notebook) == 3 and ("raw", PROSE) in own_cells(notebook)
    assert "text that is no Python was taken out of double; look at it" in notes
    assert named(notebook)["why"].source != STUB, "it waits for the teacher"


def test_code_with_an_error_is_graded_as_it_is(recwarn):
    for code in ("def double(n):\n    x = 3\n\n    retrun 2 * n", "def double(n) retrun 2 * n"):
        notebook, notes = mended(Work(GIVEN, double=code))
        assert named(notebook)["double"].source == code and notes == ""
    mended(Work(GIVEN, double=f"{DOUBLE}\npattern = '\\d'"))
    assert not recwarn.list, "Python's words about a student's code are not for the teacher"


@pytest.mark.parametrize("text", ["It's my idea, tried below.", "notes", "## Idea", "x = 3, I say"])
@pytest.mark.parametrize("kind", ["markdown", "raw"])
@pytest.mark.parametrize("first", [True, False])
def test_a_copy_that_was_turned_into_text_stays_text(text, kind, first):
    parts = [text, DOUBLE] if first else [DOUBLE, text]
    work = Work(GIVEN, why=STUB).split("double", *parts)
    copied = work.cells[work.at("double") + (not first)]
    copied.update(cell_type=kind, attachments={"p.png": PICTURE})
    notebook, notes = mended(work)
    assert named(notebook)["double"].source == DOUBLE and marks_of(notebook) == 3
    assert text in "".join(t for k, t in own_cells(notebook) if k == kind)
    assert sum("attachments" in c for c in notebook.cells) == 1
    assert "a copy of double was turned into text" in notes
    assert named(notebook)["why"].source != STUB, "it waits for the teacher"


def test_a_copy_of_what_was_handed_out_is_no_answer():
    stub = named(GIVEN)["double"].source
    for parts in ([DOUBLE, stub], [stub, DOUBLE], [stub, "TWO = 2", DOUBLE]):
        notebook, _ = mended(Work(GIVEN).split("double", *parts))
        assert DOUBLE in named(notebook)["double"].source and marks_of(notebook) == 3
        assert stub not in [c.source for c in notebook.cells]


def test_of_two_answers_that_differ_the_last_one_that_passes_counts():
    wrong = "def double(number):\n    return number**2"
    for parts in ([DOUBLE, wrong], [wrong, DOUBLE], [wrong, DOUBLE, wrong + "  # again"]):
        work = Work(GIVEN).split("double", *parts)
        notebook, notes = submission_files.mend(work.raw, GIVEN, passes=last_passes)
        assert named(notebook)["double"].source == DOUBLE and marks_of(notebook) == 3
        assert "the last one that passes (they differ" in "; ".join(notes)
        assert {text for _, text in own_cells(notebook)} == {*parts} - {DOUBLE}
    notebook, notes = submission_files.mend(work.raw, GIVEN, passes=lambda notebook: False)
    assert "# again" in named(notebook)["double"].source and "above the test" in "; ".join(notes)
    below = Work(GIVEN).split("double", DOUBLE, wrong)
    below.cells.append(below.cells.pop(below.at("double") + 1))
    assert marks_of(mended(below)[0]) == 3, "what stands below the test did not answer it"


MERGED = {
    "an answer and its test": ("double", "test_double", None),
    "the same, under the test's name": ("double", "test_double", "test_double"),
    "a test and the next answer": ("test_double", "next_step", None),
    "the same, under the answer's name": ("test_double", "next_step", "next_step"),
    "two answers and a test between": ("double", "next_step", None),
    "the same, under the last name": ("double", "next_step", "next_step"),
    "all code": ("setup", "test_next_step", None),
    "all code, under the last name": ("setup", "test_next_step", "test_next_step"),
    "a written answer and a test": ("test_next_step", "why", None),
    "all, under the name of the written answer": ("setup", "why", "why"),
    "all, under the first name": ("setup", "why", None),
}


@pytest.mark.parametrize("which", MERGED.values(), ids=MERGED)
def test_merged_cells_are_cells_again(which):
    notebook, notes = mended(Work(GIVEN).merge(*which))
    course = named(notebook)
    assert list(course) == list(named(GIVEN)) and marks_of(notebook) == 3
    for name in ("setup", "test_double", "test_next_step"):
        assert course[name].source == named(GIVEN)[name].source
    assert "cells again" in notes or "a cell of its own" in notes
    if which[2] == "why":
        assert course["why"].source == "It is so."
    elif "why" in which:
        assert ("raw", "It is so.") in own_cells(notebook) and course["why"].source != STUB


@pytest.mark.parametrize("name", ["why", None])
@pytest.mark.parametrize("first", [1, 2])
def test_an_answer_that_was_merged_with_its_rubric_is_the_answer(name, first):
    given = copy.deepcopy(GIVEN)
    rubric = {"cell_type": "markdown", "metadata": {}, "source": "Why?\n\nOne point.", "id": "q"}
    given.cells.insert(len(given.cells) - 1, from_dict(rubric))
    work = Work(given)
    merged = copy.deepcopy(work["why"] if name else work.cells[-2])
    merged["source"] = "\n\n".join(c["source"] for c in work.cells[-1 - first :])
    work.cells[-1 - first :] = [merged]
    notebook, _ = submission_files.mend(work.raw, given)
    course = named(notebook)
    assert course["test_next_step"].source == named(GIVEN)["test_next_step"].source
    assert [c.source for c in notebook.cells].count(rubric["source"]) == 1
    if name:
        assert course["why"].source == "It is so."
    else:
        assert course["why"].source != STUB and "It is so." in [c.source for c in notebook.cells]


@pytest.mark.parametrize("keeps", ["double", "next_step"])
def test_two_answers_in_one_cell_count_for_both(keeps):
    gone = {"double": "next_step", "next_step": "double"}[keeps]
    work = Work(GIVEN, **{keeps: f"{DOUBLE}\n\n{NEXT}"}).remove(gone)
    notebook, notes = mended(work)
    assert marks_of(notebook) == 3 and f"that in {keeps} counts for both" in notes


@pytest.mark.parametrize("after", [None, "setup", "test_double", "test_next_step"])
@pytest.mark.parametrize("left", [True, False])
def test_an_answer_in_a_cell_of_ones_own_counts(after, left):
    stub = named(GIVEN)["double"].source
    work = Work(GIVEN, double=stub).add(f"# mine\n{DOUBLE}", "code", after)
    notebook, notes = mended(work if left else work.remove("double"))
    assert marks_of(notebook) == 3 and "a cell of the student's own counts" in notes
    assert sum("# mine" in c.source for c in notebook.cells) == 1


def test_a_locked_cell_that_was_split_copied_or_written_into():
    test = named(GIVEN)["test_double"].source
    first, _, last = test.partition("\n\n\n")
    notebook, notes = mended(Work(GIVEN).split("test_double", first, last))
    assert "test_double was split and is whole again" in notes and own_cells(notebook) == []
    notebook, notes = mended(Work(GIVEN).split("test_double", test, "print(double(4))"))
    assert own_cells(notebook) == [("code", "print(double(4))")] and "was changed" not in notes
    work = Work(GIVEN, double="def double(n):\n    return int(math.ldexp(n, 1))")
    for setup in ("STEP = 1\nimport math", "import math\nSTEP = 1", "import math; STEP = 1"):
        work["setup"]["source"] = setup
        notebook, notes = mended(work)
        assert "setup was changed and is as it was" in notes and marks_of(notebook) == 3
    work = Work(GIVEN, double="def double(n):\n    return 0")
    work["test_double"]["source"] = test.replace("assert", "if 0: assert")
    notebook, notes = mended(work)
    assert marks_of(notebook) == 1 and "test_double was changed and is as it was" in notes
    ((kind, text),) = own_cells(notebook)
    assert kind == "markdown" and "if 0: assert" in text and "not run" in text


def test_pieces_of_a_written_answer_are_joined_and_a_copy_is_there_once():
    notebook, notes = mended(Work(GIVEN).split("why", "One.", STUB, "Two.", "One."))
    assert named(notebook)["why"].source == "One.\n\nTwo." and "why is there 4 times" in notes


def test_a_written_answer_whose_cell_is_gone_waits_if_another_may_hold_it():
    given = copy.deepcopy(GIVEN)
    given.cells.append(copy.deepcopy(given.cells[-1]))
    given.cells[-1].metadata.nbgrader.grade_id = given.cells[-1].id = "how"
    for text in ("One.\n\nTwo.", STUB):
        work = Work(given, why=text).remove("how")
        notebook, notes = submission_files.mend(work.raw, given)
        assert notes == ["how was missing and is back"]
        assert (named(notebook)["how"].source == STUB) == (text == STUB)


def test_one_remark_tells_of_nothing_where_nothing_was_mended():
    assert mended(Work(GIVEN))[1] == ""


def test_work_grows_with_the_copies_and_not_with_their_square(monkeypatch):
    read, parse = [], ast.parse
    monkeypatch.setattr(ast, "parse", lambda *a, **k: read.append(1) or parse(*a, **k))
    counts = []
    for copies in (20, 40, 80):
        read.clear()
        broken = "def double(number) retrun"
        work = Work(GIVEN).split("double", *[DOUBLE, "double(3)", broken] * copies)
        assert marks_of(mended(work)[0]) == 3
        counts.append(len(read))
    assert counts[2] - counts[1] <= 2.2 * (counts[1] - counts[0])


def test_a_locked_cell_of_many_lines_takes_seconds():
    work = Work(GIVEN)
    work["test_double"]["source"] = "x = 1\n" * 100_000
    start = time.process_time()  # the square of so many lines would take hours; load does not count
    assert marks_of(mended(work)[0]) == 3 and time.process_time() - start < 20


def test_each_place_of_a_split_is_tried_with_and_without_a_line_end():
    assert answer_cells._join(["TEXT = 'a", "b'", "TWO = 2"]) == "TEXT = 'ab'\nTWO = 2"
    assert answer_cells._join(["ONE = 1", "TEXT = 'a", "b'"]) == "ONE = 1\nTEXT = 'ab'"
    assert answer_cells._join(["TEXT = 'a", "b"]) is None
