"""A notebook as a student left it becomes one that can be graded, and no line of it is lost."""

import base64
import copy
import json

import nbformat
import pytest
from assignments.odd import (
    DOUBLE,
    GIVEN,
    PICTURE,
    STUB,
    Work,
    hand_in,
    last_passes,
    marks_of,
    mended,
    named,
    own_cells,
    packed,
    the_class,
)

from helpers.grading import assignment_source, course, submission_files

ONE = Work(GIVEN).bytes()

# ---- a class


def test_every_submission_of_an_odd_class_has_a_row_and_nothing_is_lost(tmp_path):
    some = the_class(GIVEN)
    hand_in(tmp_path, some.values())
    found = {one.student: one for one in submission_files.find(tmp_path, ["tiny"])}
    assert len(some) >= 15 and set(found) == {one.student for one in some.values()}
    for title, one in some.items():
        submission = found[one.student]
        said = [submission.reason, *submission.notes]
        if one.marks is None:
            assert submission.reason, title
        else:
            mended, notes = submission_files.mend(
                submission_files.read(submission.path), GIVEN, passes=last_passes
            )
            assert not submission.reason and marks_of(mended) == one.marks, title
            said += notes
        assert one.says in "; ".join(said), f"{title}: {said}"


# ---- pictures and text


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("photo.png", "photo.png"),
        ("my photo.png", "my%20photo.png"),
        ("Übung 1.png", "Übung%201.png"),
        ("a&b.png", "a&b.png"),
    ],
)
def test_a_picture_in_an_answer_stays_and_can_be_shown(name, address):
    work = Work(GIVEN, why=f"![photo](attachment:{address})")
    work["why"]["attachments"] = {name: PICTURE}
    notebook, notes = mended(work)
    answer = named(notebook)["why"]
    assert answer.attachments[name] == PICTURE and notes == ""
    assert PICTURE["image/png"] in _shown(answer)


def _shown(cell):
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))
    return MarkdownWithMath(renderer=renderer).render(cell.source)


def test_a_picture_that_is_gone_or_only_html_shows_costs_nothing():
    work = Work(GIVEN, why="![](attachment:gone.png) <img src='attachment:wide.png'>")
    work["why"]["attachments"] = {"wide.png": PICTURE, "bad": {"image/png": {}}, "x": "y"}
    notebook, notes = mended(work)
    page = _shown(named(notebook)["why"])
    assert "gone.png" in notes and PICTURE["image/png"] in page
    picture = page.partition("image/svg+xml;base64,")[2].partition('"')[0]
    assert b"missing picture: gone.png" in base64.b64decode(picture)


def test_a_picture_alone_is_an_answer_wherever_it_was_pasted():
    work = Work(GIVEN, why=STUB)
    work["why"]["attachments"] = {"photo.png": PICTURE}
    assert named(mended(work)[0])["why"].source != STUB
    for place in (0, 3):  # in the assignment's own text, and in a test
        work = Work(GIVEN, why=STUB)
        work.cells[place]["attachments"] = {"photo.png": PICTURE}
        notebook, notes = mended(work)
        own = [c for c in notebook.cells if "photo.png" in c.get("attachments", {})]
        assert len(own) == 1 and "(attachment:photo.png)" in own[0].source
        assert "text in cells of the student's own" in notes
        assert named(notebook)["why"].source != STUB, "it waits for the teacher"


@pytest.mark.parametrize("kind", ["code", "raw", "markdown"])
@pytest.mark.parametrize("text", ["x = 1", ""])
def test_a_picture_in_a_cell_of_ones_own_stays_whatever_its_kind(kind, text):
    work = Work(GIVEN, why=STUB).add(text, kind, "double", attachments={"p.png": PICTURE})
    notebook, notes = mended(work)
    own = own_cells(notebook)
    assert ((kind, text) in own) == (bool(text) and kind != "markdown") and len(own) <= 2
    assert [_shown(c).count("data:image/png") for c in notebook.cells if c.get("attachments")] == [
        1
    ]
    assert "text in cells of the student's own, after double" in notes
    assert named(notebook)["why"].source != STUB, "it waits for the teacher"


@pytest.mark.parametrize(
    ("name", "address"), [("image.png", "image.png"), ("a b.png", "a%20b.png")]
)
def test_two_pictures_of_one_name_stay_two(name, address):
    work = Work(GIVEN).split("why", *(f"{n} ![](attachment:{address})" for n in ("one", "two")))
    others = [c for c in work.cells if c["source"][:3] in ("one", "two")]
    for cell, data in zip(others, ("AAAA", "BBBB")):
        cell["attachments"] = {name: {"image/png": data}}
    page = _shown(named(mended(work)[0])["why"])
    assert page.index("AAAA") < page.index("two") < page.index("BBBB")


def test_a_text_that_cannot_be_shown_is_shown_letter_by_letter(monkeypatch):
    from nbconvert.filters import markdown_mistune

    monkeypatch.setattr(markdown_mistune.MarkdownWithMath, "render", lambda self, text: 1 / 0)
    answer = named(mended(Work(GIVEN, why="a ```b``` c"))[0])["why"]
    assert answer.source == "````\na ```b``` c\n````"


@pytest.mark.parametrize("kind", ["markdown", "raw", "heading"])
@pytest.mark.parametrize("after", [None, "setup", "test_double"])
def test_text_in_a_cell_of_ones_own_stays_where_it_stands(kind, after):
    notebook, notes = mended(Work(GIVEN, why=STUB).add("My *own* words.", kind, after))
    texts = [c.source for c in notebook.cells]
    place = texts.index("My *own* words.")
    assert notebook.cells[place].cell_type == {"heading": "raw"}.get(kind, kind)
    assert notebook.cells[place - 1].metadata.nbgrader.grade_id == (after or "why")
    assert f"text in cells of the student's own, after {after or 'why'}" in notes
    assert STUB in named(notebook)["why"].source != STUB, "nbgrader would take it for unanswered"


def test_an_untouched_answer_waits_for_nobody():
    notebook, notes = mended(Work(GIVEN, why=STUB).add(" \n").add("x = 1", "code"))
    assert named(notebook)["why"].source == STUB and notes == ""


def test_the_text_of_the_assignment_is_there_once_and_what_was_added_stays():
    assert own_cells(mended(Work(GIVEN))[0]) == []
    work = Work(GIVEN)
    work.cells[0]["source"] += "\n\nMy words."
    assert own_cells(mended(work)[0]) == [("markdown", "My words.")]
    work = Work(GIVEN, why=STUB)
    work.cells[:1] = [dict(work.cells[0], source=s, id=s[:2]) for s in ("# A tiny", "assignment")]
    given = copy.deepcopy(GIVEN)
    given.cells[0].source = "# A tiny\nassignment"
    notebook, notes = submission_files.mend(work.raw, given)
    assert own_cells(notebook)[1:] == [] and notes == [], "split and not changed"
    work = Work(GIVEN)
    work.cells[0]["source"] = "Quite another text."
    notebook, _ = mended(work)
    assert own_cells(notebook) == [("markdown", "Quite another text.")]
    assert notebook.cells[0].source == GIVEN.cells[0].source
    del work.cells[0]["id"]
    assert ("markdown", "Quite another text.") in own_cells(mended(work)[0])


# ---- encodings and line ends


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_read(encoding, end, tmp_path):
    work = Work(GIVEN, why="Schön.")
    for cell in work.cells:
        lines = cell["source"].split("\n")
        cell["source"] = [line + end for line in lines[:-1]] + lines[-1:]
    data = work.bytes().decode().replace("\n", end).encode(encoding)
    (tmp_path / "tiny.ipynb").write_bytes(data)
    notebook, notes = mended(submission_files.read(tmp_path / "tiny.ipynb"))
    assert notes == "" and marks_of(notebook) == 3
    assert [c.source for c in notebook.cells] == [
        c.source for c in Work(GIVEN, why="Schön.").node().cells
    ]


def test_a_source_that_is_null_is_empty():
    assert own_cells(mended(Work(GIVEN).add(None).add(None, "code"))[0]) == []


def test_code_that_is_too_deep_to_be_taken_apart_is_graded():
    long = f"    text = {' + '.join(['a'] * 1200)}" + "\n    open(text)\n"
    _, notes = mended(Work(GIVEN, double=DOUBLE.replace("\n", f"\n{long}")))
    assert notes == "look at the code, it uses open"


def test_characters_that_are_none_do_not_stop_a_grading():
    raw = json.loads(r'{"s": "half \ud800 and \u0000 nothing"}')["s"]
    notebook, _ = mended(Work(GIVEN, why=raw, double=f"{DOUBLE}\0"))
    assert marks_of(notebook) == 3
    assert nbformat.writes(notebook).encode("utf-8")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ONE.replace(b"so.", b"sch\xf6n."), "no text in UTF-8"),
        (b"", "empty"),
        (b"\xff\xfe", "no JSON"),
        (packed(a=b"b"), "not a notebook"),
        (ONE[:-9], "no JSON"),
        (b'{"cells": [], "nbformat": 3}', "format 4"),
    ],
)
def test_what_is_no_notebook_is_refused_in_clear_words(data, reason, tmp_path):
    (tmp_path / "tiny.ipynb").write_bytes(data)
    with pytest.raises(submission_files.Refused, match=reason):
        submission_files.read(tmp_path / "tiny.ipynb")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ('"""We inspect the gc, and open(it)."""\nx = 1', []),
        ("x = 1  # subprocess, eval(x)", []),
        ("print('an exit() of the builtins')", []),
        ("print(f'we inspect {open(name)}')", ["open"]),
        ("we inspect the gc and exit() it", []),
        ("getattr(sys, '_getframe')()", ["_getframe"]),
        ("!ls", ["!"]),
        ("files = !ls", ["!"]),
        ("x = 7\n%system ls", ["%system"]),
        ('text = """\n!important\n"""', []),
    ],
)
def test_words_of_prose_are_no_code(code, words):
    assert submission_files._unusual([code], GIVEN) == words
    assert "look at" not in mended(Work(GIVEN, why=f"![p](p.png)\n!{code}").add(code))[1]
    said = mended(Work(GIVEN).add(code, "code"))[1]
    assert said == (f"look at the code, it uses {', '.join(words)}" if words else "")


def _raw(notebook):
    return json.loads(json.dumps(notebook))


@pytest.mark.parametrize("name", course.assignment_texts())
def test_a_notebook_of_every_problem_set_needs_no_mending(name):
    text = course.assignment_texts()[name].read_text(encoding="utf-8")
    given = assignment_source.source_notebook(text, name)
    notebook, notes = submission_files.mend(_raw(given), given)
    assert notes == [] and [c.source for c in notebook.cells] == [c.source for c in given.cells]
    raw = _raw(given)
    for cell in raw["cells"]:
        del cell["id"]  # as Colab hands it over
    assert submission_files.mend(raw, given)[1] == []
