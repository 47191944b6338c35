"""What students hand in, without nbgrader: found by whatever name, and no line of it lost."""

import base64
import copy
import io
import json
import tarfile
import time
import warnings
import zipfile

import nbformat
import pytest
from assignments import odd
from assignments.odd import DOUBLE, NEXT, STUB, Work, hand_in, packed

from helpers.grading import archives, grade, intake
from helpers.grading.__main__ import main

GIVEN = odd.student()
ONE = Work(GIVEN).bytes()


def _mended(work):
    raw = work.raw if isinstance(work, Work) else work
    notebook, notes = intake.mend(raw, GIVEN)
    nbformat.validate(notebook)
    return notebook, "; ".join(notes)


def _named(notebook):
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def _marks(notebook):
    """The points by tests, from running the code cells here, each to its first error."""
    names, marks = {"get_ipython": None}, 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        try:
            exec(compile(cell.source, "cell", "exec"), names)
        except Exception:
            continue
        marks += cell.metadata.get("nbgrader", {}).get("points", 0)
    return marks


def _own(notebook):
    """Kind and text of the cells that are not the student version's."""
    texts = {c.source for c in GIVEN.cells if "nbgrader" not in c.metadata}
    return [
        (c.cell_type, c.source)
        for c in notebook.cells
        if "nbgrader" not in c.metadata and c.source not in texts
    ]


def _rows(folder, files, names=("tiny",)):
    """Hand files in; return `{(student, assignment): submission}`."""
    hand_in(folder, [odd.HandIn(files)])
    found = intake.find(folder, list(names))
    assert len({(s.student, s.assignment) for s in found}) == len(found)
    return {(s.student, s.assignment): s for s in found}


def _graded(rows):
    for one in rows.values():
        if not one.reason:
            assert intake.read(one.path)["cells"]
    return {student for (student, _), one in rows.items() if not one.reason}


# ---- a class


def test_every_submission_of_an_odd_class_has_a_row_and_nothing_is_lost(tmp_path):
    some = odd.the_class(GIVEN)
    hand_in(tmp_path, some.values())
    found = {one.student: one for one in intake.find(tmp_path, ["tiny"])}
    assert len(some) >= 15 and set(found) == {one.student for one in some.values()}
    for title, one in some.items():
        submission = found[one.student]
        said = [submission.reason, *submission.notes]
        if one.marks is None:
            assert submission.reason, title
        else:
            mended, notes = intake.mend(intake.read(submission.path), GIVEN, passes=_last_passes)
            assert not submission.reason and _marks(mended) == one.marks, title
            said += notes
        assert one.says in "; ".join(said), f"{title}: {said}"


def _last_passes(notebook):
    before = notebook.cells[-1].metadata.nbgrader.points
    return _marks(notebook) - _marks(nbformat.v4.new_notebook(cells=notebook.cells[:-1])) == before


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
    work["why"]["attachments"] = {name: odd.PICTURE}
    notebook, notes = _mended(work)
    answer = _named(notebook)["why"]
    assert answer.attachments[name] == odd.PICTURE and notes == ""
    assert odd.PICTURE["image/png"] in _shown(answer)


def _shown(cell):
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))
    return MarkdownWithMath(renderer=renderer).render(cell.source)


def test_a_picture_that_is_gone_or_only_html_shows_costs_nothing():
    work = Work(GIVEN, why="![](attachment:gone.png) <img src='attachment:wide.png'>")
    work["why"]["attachments"] = {"wide.png": odd.PICTURE, "bad": {"image/png": {}}, "x": "y"}
    notebook, notes = _mended(work)
    page = _shown(_named(notebook)["why"])
    assert "gone.png" in notes and odd.PICTURE["image/png"] in page
    picture = page.partition("image/svg+xml;base64,")[2].partition('"')[0]
    assert b"missing picture: gone.png" in base64.b64decode(picture)


def test_a_picture_alone_is_an_answer_wherever_it_was_pasted():
    work = Work(GIVEN, why=STUB)
    work["why"]["attachments"] = {"photo.png": odd.PICTURE}
    assert _named(_mended(work)[0])["why"].source != STUB
    for place in (0, 3):  # in the assignment's own text, and in a test
        work = Work(GIVEN, why=STUB)
        work.cells[place]["attachments"] = {"photo.png": odd.PICTURE}
        notebook, notes = _mended(work)
        own = [c for c in notebook.cells if "photo.png" in c.get("attachments", {})]
        assert len(own) == 1 and "(attachment:photo.png)" in own[0].source
        assert "text in cells of the student's own" in notes
        assert _named(notebook)["why"].source != STUB, "it waits for the teacher"


@pytest.mark.parametrize(
    ("name", "address"), [("image.png", "image.png"), ("a b.png", "a%20b.png")]
)
def test_two_pictures_of_one_name_stay_two(name, address):
    work = Work(GIVEN).split("why", *(f"{n} ![](attachment:{address})" for n in ("one", "two")))
    others = [c for c in work.cells if c["source"][:3] in ("one", "two")]
    for cell, data in zip(others, ("AAAA", "BBBB")):
        cell["attachments"] = {name: {"image/png": data}}
    page = _shown(_named(_mended(work)[0])["why"])
    assert page.index("AAAA") < page.index("two") < page.index("BBBB")


def test_a_text_that_cannot_be_shown_is_shown_letter_by_letter(monkeypatch):
    from nbconvert.filters import markdown_mistune

    monkeypatch.setattr(markdown_mistune.MarkdownWithMath, "render", lambda self, text: 1 / 0)
    answer = _named(_mended(Work(GIVEN, why="a ```b``` c"))[0])["why"]
    assert answer.source == "````\na ```b``` c\n````"


@pytest.mark.parametrize("kind", ["markdown", "raw", "heading"])
@pytest.mark.parametrize("after", [None, "setup", "test_double"])
def test_text_in_a_cell_of_ones_own_stays_where_it_stands(kind, after):
    notebook, notes = _mended(Work(GIVEN, why=STUB).add("My *own* words.", kind, after))
    texts = [c.source for c in notebook.cells]
    place = texts.index("My *own* words.")
    assert notebook.cells[place].cell_type == {"heading": "raw"}.get(kind, kind)
    assert notebook.cells[place - 1].metadata.nbgrader.grade_id == (after or "why")
    assert f"text in cells of the student's own, after {after or 'why'}" in notes
    assert STUB in _named(notebook)["why"].source != STUB, "nbgrader would take it for unanswered"


def test_an_untouched_answer_waits_for_nobody():
    notebook, notes = _mended(Work(GIVEN, why=STUB).add(" \n").add("x = 1", "code"))
    assert _named(notebook)["why"].source == STUB and notes == ""


def test_the_text_of_the_assignment_is_there_once_and_what_was_added_stays():
    assert _own(_mended(Work(GIVEN))[0]) == []
    work = Work(GIVEN)
    work.cells[0]["source"] += "\n\nMy words."
    assert _own(_mended(work)[0]) == [("markdown", "My words.")]
    work = Work(GIVEN, why=STUB)
    work.cells[:1] = [dict(work.cells[0], source=s, id=s[:2]) for s in ("# A tiny", "assignment")]
    given = copy.deepcopy(GIVEN)
    given.cells[0].source = "# A tiny\nassignment"
    notebook, notes = intake.mend(work.raw, given)
    assert _own(notebook)[1:] == [] and notes == [], "split and not changed"
    work = Work(GIVEN)
    work.cells[0]["source"] = "Quite another text."
    notebook, _ = _mended(work)
    assert _own(notebook) == [("markdown", "Quite another text.")]
    assert notebook.cells[0].source == GIVEN.cells[0].source
    del work.cells[0]["id"]
    assert ("markdown", "Quite another text.") in _own(_mended(work)[0])


# ---- split, copied, merged


SPLIT = {
    "in two": ["TWO = 2", "def double(number):\n    return TWO * number"],
    "in three": ["import math", "TWO = 2", "def double(number):\n    return TWO * number"],
    "a helper below": ["def double(n):\n    return two() * n", "def two():\n    return 2"],
    "within the function": ["def double(n):", "    return 2 * n"],
    "within the function, late": ["def double(n):\n    two = 2", "    return two * n"],
    "within a line": ["def double(n):\n    return 2 *", " n"],
    "after a comment": ["# the double", DOUBLE],
    "by a loop": [
        "TABLE = []\nfor n in (2,):\n    TABLE.append(n)",
        DOUBLE.replace("2", "TABLE[0]"),
    ],
}


@pytest.mark.parametrize("parts", SPLIT.values(), ids=SPLIT)
@pytest.mark.parametrize("far", [False, True])
def test_pieces_of_an_answer_are_joined_in_order(parts, far):
    work = Work(GIVEN).split("double", *parts)
    if far:  # the last piece stands at the end
        place = work.at("double") + len(parts) - 1
        work.cells.append(work.cells.pop(place))
    notebook, notes = _mended(work)
    source = _named(notebook)["double"].source
    assert [source.index(part.strip()) for part in parts] == sorted(
        source.index(part.strip()) for part in parts
    )
    assert _marks(notebook) == 3 and "joined in their order" in notes and _own(notebook) == []


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
    notebook, notes = _mended(Work(GIVEN).split("double", *parts))
    assert _named(notebook)["double"].source == DOUBLE and _marks(notebook) == 3
    own = [text for _, text in _own(notebook)]
    assert sorted([DOUBLE, *own]) == sorted(parts), "no line is lost"
    assert "stays as an ordinary cell" in notes and f"double is there {len(parts)} times" in notes


def test_a_copy_of_what_was_handed_out_is_no_answer():
    stub = _named(GIVEN)["double"].source
    for parts in ([DOUBLE, stub], [stub, DOUBLE], [stub, "TWO = 2", DOUBLE]):
        notebook, _ = _mended(Work(GIVEN).split("double", *parts))
        assert DOUBLE in _named(notebook)["double"].source and _marks(notebook) == 3
        assert stub not in [c.source for c in notebook.cells]


def test_of_two_answers_that_differ_the_last_one_that_passes_counts():
    wrong = "def double(number):\n    return number**2"
    for parts in ([DOUBLE, wrong], [wrong, DOUBLE], [wrong, DOUBLE, wrong + "  # again"]):
        work = Work(GIVEN).split("double", *parts)
        notebook, notes = intake.mend(work.raw, GIVEN, passes=_last_passes)
        assert _named(notebook)["double"].source == DOUBLE and _marks(notebook) == 3
        assert "the last one that passes (they differ" in "; ".join(notes)
        assert {text for _, text in _own(notebook)} == {*parts} - {DOUBLE}
    notebook, notes = intake.mend(work.raw, GIVEN, passes=lambda notebook: False)
    assert "# again" in _named(notebook)["double"].source and "above the test" in "; ".join(notes)
    below = Work(GIVEN).split("double", DOUBLE, wrong)
    below.cells.append(below.cells.pop(below.at("double") + 1))
    assert _marks(_mended(below)[0]) == 3, "what stands below the test did not answer it"


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
}


@pytest.mark.parametrize("which", MERGED.values(), ids=MERGED)
def test_merged_cells_are_cells_again(which):
    notebook, notes = _mended(Work(GIVEN).merge(*which))
    named = _named(notebook)
    assert list(named) == list(_named(GIVEN)) and _marks(notebook) == 3
    for name in ("setup", "test_double", "test_next_step"):
        assert named[name].source == _named(GIVEN)[name].source
    assert "cells again" in notes or "a cell of its own" in notes
    if "why" in which:
        assert ("raw", "It is so.") in _own(notebook) and named["why"].source != STUB


@pytest.mark.parametrize("keeps", ["double", "next_step"])
def test_two_answers_in_one_cell_count_for_both(keeps):
    gone = {"double": "next_step", "next_step": "double"}[keeps]
    work = Work(GIVEN, **{keeps: f"{DOUBLE}\n\n{NEXT}"}).remove(gone)
    notebook, notes = _mended(work)
    assert _marks(notebook) == 3 and f"that in {keeps} counts for both" in notes


@pytest.mark.parametrize("after", [None, "setup", "test_double", "test_next_step"])
@pytest.mark.parametrize("left", [True, False])
def test_an_answer_in_a_cell_of_ones_own_counts(after, left):
    stub = _named(GIVEN)["double"].source
    work = Work(GIVEN, double=stub).add(f"# mine\n{DOUBLE}", "code", after)
    notebook, notes = _mended(work if left else work.remove("double"))
    assert _marks(notebook) == 3 and "a cell of the student's own counts" in notes
    assert sum("# mine" in c.source for c in notebook.cells) == 1


def test_a_locked_cell_that_was_split_copied_or_written_into():
    test = _named(GIVEN)["test_double"].source
    first, _, last = test.partition("\n\n\n")
    notebook, notes = _mended(Work(GIVEN).split("test_double", first, last))
    assert "test_double was split and is whole again" in notes and _own(notebook) == []
    notebook, notes = _mended(Work(GIVEN).split("test_double", test, "print(double(4))"))
    assert _own(notebook) == [("code", "print(double(4))")] and "was changed" not in notes
    work = Work(GIVEN, double="def double(n):\n    return int(math.ldexp(n, 1))")
    for setup in ("STEP = 1\nimport math", "import math\nSTEP = 1", "import math; STEP = 1"):
        work["setup"]["source"] = setup
        notebook, notes = _mended(work)
        assert "setup was changed and is as it was" in notes and _marks(notebook) == 3
    work = Work(GIVEN, double="def double(n):\n    return 0")
    work["test_double"]["source"] = test.replace("assert", "if 0: assert")
    notebook, notes = _mended(work)
    assert _marks(notebook) == 1 and "test_double was changed and is as it was" in notes
    ((kind, text),) = _own(notebook)
    assert kind == "markdown" and "if 0: assert" in text and "not run" in text


def test_pieces_of_a_written_answer_are_joined_and_a_copy_is_there_once():
    notebook, notes = _mended(Work(GIVEN).split("why", "One.", STUB, "Two.", "One."))
    assert _named(notebook)["why"].source == "One.\n\nTwo." and "why is there 4 times" in notes


def test_one_remark_tells_of_nothing_where_nothing_was_mended():
    assert _mended(Work(GIVEN))[1] == ""


def test_a_notebook_of_many_copies_and_lines_takes_seconds():
    start = time.monotonic()
    broken = "def double(number) retrun"
    work = Work(GIVEN).split("double", *[DOUBLE, "double(3)", broken] * 100)
    work["test_double"]["source"] = "x = 1\n" * 100_000
    notebook, _ = _mended(work)
    assert _marks(notebook) == 3 and time.monotonic() - start < 20


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
    notebook, notes = _mended(intake.read(tmp_path / "tiny.ipynb"))
    assert notes == "" and _marks(notebook) == 3
    assert [c.source for c in notebook.cells] == [
        c.source for c in Work(GIVEN, why="Schön.").node().cells
    ]


def test_characters_that_are_none_do_not_stop_a_grading():
    raw = json.loads(r'{"s": "half \ud800 and \u0000 nothing"}')["s"]
    notebook, _ = _mended(Work(GIVEN, why=raw, double=f"{DOUBLE}\0"))
    assert _marks(notebook) == 3
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
    with pytest.raises(intake.Refused, match=reason):
        intake.read(tmp_path / "tiny.ipynb")


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
    assert intake._unusual([code], GIVEN) == words
    assert "look at" not in _mended(Work(GIVEN, why=f"![p](p.png)\n!{code}").add(code))[1]
    said = _mended(Work(GIVEN).add(code, "code"))[1]
    assert said == (f"look at the code, it uses {', '.join(words)}" if words else "")


# ---- names of files and folders


def test_flat_files_are_named_by_student_as_far_as_their_names_tell(tmp_path):
    rows = _rows(
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
    assert _graded(rows) == {
        *("mueller_12345", "lee_1", "anon_a1b2c", "o_neil_9", "ann_3_30", "cy", "dan", "eve"),
        *("Ann_Lee_12_assignsubmission_file", "Bob_13_assignsubmission_file"),
    }
    assert rows["lee_1", "tiny"].notes == ["handed in as lee_LATE_1_2_tiny-1.ipynb"]
    assert "photo.png" in rows["Ann_Lee_12_assignsubmission_file", "tiny"].notes[1]
    assert "tells no student" in rows["tiny", "tiny"].reason
    assert "kim_5_6_solution.py" in rows["kim_5", "unknown"].reason
    assert len(rows) == 14


def test_what_is_no_notebook_of_this_name_has_a_row_that_says_so(tmp_path):
    rows = _rows(
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
    assert _graded(rows) == set("ijklm")
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
    rows = _rows(tmp_path, {f"ann/{how.format(n=n)}": data for n in range(count)})
    reason = rows["ann", "tiny"].reason
    assert len(rows) == 1 and f"There are {count} files of tiny" in reason
    assert all(how.format(n=n) in reason for n in range(count))


def test_attempts_in_flat_files_are_attempts_too(tmp_path):
    rows = _rows(
        tmp_path,
        {"lee_1_20_tiny.ipynb": ONE, "lee_1_21_tiny-1.ipynb": ONE, "lee_2_22_tiny.ipynb": ONE},
    )
    assert "lee_1_21_tiny-1.ipynb" in rows["lee_1", "tiny"].reason
    assert _graded(rows) == {"lee_2"}


def test_folders_that_would_get_one_name_are_both_graded_under_names_that_last(tmp_path):
    homes = ["Ann Lee", "Ann_Lee", "ann lee", "😀", "😃", "U\u0308b", "\u00dcb", "x" * 200]
    rows = _rows(tmp_path, {f"{home}/tiny.ipynb": ONE for home in homes})
    names = [student for student, _ in rows]
    assert len({name.casefold() for name in names}) == len(homes) == len(_graded(rows))
    assert {"Ann_Lee", "\u00dcb"} < set(names) and max(map(len, names)) < 60
    assert sum("another student is called" in "".join(s.notes) for s in rows.values()) == 5
    # Who else is in the class changes no name that had to be changed.
    again = _rows(tmp_path, {"Ann?Lee/tiny.ipynb": ONE})
    assert set(names) < {student for student, _ in again}


# ---- archives


def _tar(mode, **files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data or b""))
    return stream.getvalue()


def test_archives_are_read_as_folders_are(tmp_path):
    inside = packed(**{"tiny.ipynb": ONE, "__MACOSX/._tiny.ipynb": b"x"})
    rows = _rows(
        tmp_path,
        {
            "zip/homework.zip": inside,
            "tgz/a.tar.gz": _tar("w:gz", **{"deep/er/tiny.ipynb": ONE}),
            "tar/a.TAR": _tar("w", **{"tiny.ipynb": ONE}),
            "xz/a.tar.xz": _tar("w:xz", **{"tiny.ipynb": ONE}),
            "bz/a.tbz2": _tar("w:bz2", **{"tiny.ipynb": ONE}),
            "nested/a.zip": packed(**{"b.zip": inside}),
            "windows/a.zip": packed(**{"deep\\tiny.ipynb": ONE}),
            "up/a.zip": packed(**{"../../../up.ipynb": ONE, "/tiny.ipynb": ONE}),
            "named/tiny.ipynb.zip": inside,
        },
    )
    assert _graded(rows) == {*("zip", "tgz", "tar", "xz", "bz", "nested", "windows", "up", "named")}
    assert rows["nested", "tiny"].notes == ["handed in as a.zip/b.zip/tiny.ipynb"]


@pytest.mark.parametrize(
    "name", ["../../up.ipynb", "/../../up.ipynb", "..\\..\\up.ipynb", "a/../../../up.ipynb"]
)
def test_nothing_is_unpacked_outside_of_the_folder(name, tmp_path):
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    for file, data in (("a.zip", packed(**{name: ONE})), ("a.tar", _tar("w", **{name: ONE}))):
        (tmp_path / file).write_bytes(data)
        archives.unpack(tmp_path / file, folder, archives.Budget())
    written = list(tmp_path.rglob("*.ipynb"))
    assert len(written) == 2 and all(folder in p.parents for p in written)


def test_archives_that_cannot_be_read_are_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 2**16)
    monkeypatch.setattr(intake, "LARGEST", 2**16)
    monkeypatch.setattr(archives.Budget, "__init__", _small)
    locked = bytearray(packed(**{"tiny.ipynb": ONE}))
    for at in (locked.index(b"PK\3\4") + 6, locked.index(b"PK\1\2") + 8):
        locked[at] |= 1  # says that it is encrypted
    quine = packed(**{"tiny.ipynb": ONE})
    for number in range(5):
        quine = packed(**{f"{number}.zip": quine})
    rows = _rows(
        tmp_path,
        {
            "seven/tiny.7z": b"7z",
            "rar/homework.rar": b"Rar",
            "damaged/tiny.zip": packed(a=b"b")[:40],
            "text/tiny.zip": b"hello",
            "cut/tiny.tar.gz": _tar("w:gz", **{"tiny.ipynb": ONE})[:60],
            "locked/tiny.zip": bytes(locked),
            "link/a.tar": _tar("w", **{"tiny.ipynb": None}),
            "bomb/tiny.tgz": _tar("w:gz", **{"tiny.ipynb": b"0" * 2**21}),
            "many/tiny.zip": packed(**{f"{n}.ipynb": b"" for n in range(60)}),
            "deep/tiny.zip": quine,
            "none/tiny.zip": packed(),
            "ann/tiny.ipynb": ONE,
        },
    )
    reasons = {student: one.reason for (student, _), one in rows.items()}
    assert _graded(rows) == {"ann"} and len(reasons) == len(rows) == 12
    for student, words in {
        "seven": "tiny.7z is an archive of a kind that is not read",
        "rar": "homework.rar is an archive of a kind",
        "damaged": "tiny.zip cannot be unpacked",
        "text": "tiny.zip cannot be unpacked",
        "cut": "tiny.tar.gz cannot be unpacked",
        "locked": "it is encrypted",
        "link": "tiny.ipynb in a.tar is a link",
        "bomb": "tiny.tgz is too large",
        "many": "tiny.zip is too large",
        "deep": "lies in 3 archives",
        "none": "empty",
    }.items():
        assert words in reasons[student], f"{student}: {reasons[student]}"


def _small(self, files=50, size=2**20):
    self.files, self.size = min(files, 50), min(size, 2**20)


def test_a_file_in_an_archive_is_as_large_as_any_other(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 1000)
    monkeypatch.setattr(intake, "LARGEST", 1000)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny.ipynb", b"0" * 10**6)
    rows = _rows(tmp_path, {"ann/a.zip": stream.getvalue()})
    with pytest.raises(intake.Refused, match="outputs"):
        intake.read(rows["ann", "tiny"].path)
    assert rows["ann", "tiny"].path.stat().st_size == 1001


def test_two_files_of_one_name_in_an_archive_are_two_attempts(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(2):
            archive.writestr("tiny.ipynb", ONE)
    assert "2 files" in _rows(tmp_path, {"ann/a.zip": stream.getvalue()})["ann", "tiny"].reason


@pytest.mark.parametrize(
    "inside",
    [
        {"ann/tiny.ipynb": ONE, "bob/tiny/tiny.ipynb": ONE},
        {"class/ann/tiny.ipynb": ONE, "class/bob/x.zip": packed(**{"tiny.ipynb": ONE})},
        {"ann_tiny.ipynb": ONE, "bob_tiny.ipynb": ONE},
    ],
)
def test_the_archive_of_a_class_is_a_class(inside, tmp_path):
    (tmp_path / "class.zip").write_bytes(packed(**inside))
    assert {s.student for s in intake.find(tmp_path / "class.zip", ["tiny"]) if not s.reason} == {
        "ann",
        "bob",
    }


def test_what_a_platform_packed_is_a_class_wherever_it_lies(tmp_path):
    flat = packed(**{"lee_1_2_tiny.ipynb": ONE, "ray_3_4_tiny.ipynb": ONE})
    moodle = {f"x/{n}_1_assignsubmission_file_/tiny.ipynb": ONE for n in ("Ann", "Bob")}
    rows = _rows(tmp_path, {"a.zip": flat, "b.zip": packed(**moodle)})
    assert len(_graded(rows)) == len(rows) == 4
    files = {"tiny.ipynb": ONE, "run_2024_11_results.csv": b""}
    assert _graded(_rows(tmp_path / "own", {"cy.zip": packed(**files)})) == {"cy"}


def test_what_was_unpacked_is_deleted(tmp_path):
    rows = _rows(tmp_path, {"ann/a.zip": packed(**{"tiny.ipynb": ONE})})
    path = rows["ann", "tiny"].path
    assert path.is_file()
    rows.clear()
    assert not path.exists()


# ---- nothing, and failures


@pytest.mark.parametrize("what", [{}, {".DS_Store": b""}, {".git/config": b""}])
@pytest.mark.parametrize("command", ["grade", "export"])
def test_finding_nothing_is_an_error_and_changes_no_table(what, command, tmp_path, capsys):
    course, folder = tmp_path / "course", tmp_path / "submissions"
    (course / "release" / "tiny").mkdir(parents=True)
    nbformat.write(GIVEN, course / "release" / "tiny" / "tiny.ipynb")
    folder.mkdir()
    hand_in(folder, [odd.HandIn(what)])
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
