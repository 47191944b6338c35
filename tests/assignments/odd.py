"""A class of odd submissions of the tiny assignment, and the tools to write them.

`the_class` says what each hands in and what it must get. `tests/test_restoring.py` looks at it without
nbgrader, `tests/test_odd_class.py` has it graded.
"""

import copy
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import from_dict

from helpers.grading import submission_files
from helpers.grading import release
from helpers.grading import assignment_source

TINY = Path(__file__).parent / "tiny.py"
STUB = "*Your answer here, in place of this line.*"
DOUBLE = "def double(number):\n    return 2 * number"
NEXT = "def next_step(number):\n    return STEP + number"
RIGHT = {"double": DOUBLE, "next_step": NEXT, "why": "It is so."}
PICTURE = {"image/png": "iVBORw0KGgo="}


def student():
    """Return the student version of the tiny assignment as nbgrader makes it, without nbgrader."""
    notebook = assignment_source.source_notebook(TINY.read_text(encoding="utf-8"), "tiny")
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if mark.get("solution") and mark.get("grade"):
            cell.source = STUB
        else:
            text = release.SOLUTION.sub("    raise NotImplementedError", cell.source)
            cell.source = release.HIDDEN.sub("", text).replace("\n\n\n\n", "\n\n\n")
    return notebook


GIVEN = student()


class Work:
    """A notebook that a student works on, as JSON; by default all answers are right."""

    def __init__(self, given, **texts):
        self.raw = json.loads(json.dumps(given))
        self.raw.update(nbformat=4, nbformat_minor=5)
        for name, text in {**RIGHT, **texts}.items():
            self[name]["source"] = text

    @property
    def cells(self):
        return self.raw["cells"]

    def at(self, name):
        names = [c["metadata"].get("nbgrader", {}).get("grade_id") for c in self.cells]
        return names.index(name)

    def __getitem__(self, name):
        return self.cells[self.at(name)]

    def split(self, name, *texts):
        """Split or copy a cell: the same name in all of them."""
        place = self.at(name)
        parts = [copy.deepcopy(self.cells[place]) for _ in texts]
        for number, (part, text) in enumerate(zip(parts, texts)):
            part["source"] = text
            part["id"] = f"{part['id']}-{number}" if number else part["id"]
        self.cells[place : place + 1] = parts
        return self

    def merge(self, first, last, name=None):
        """Merge the cells from one to another; the name is that of the first, or another one."""
        start, end = self.at(first), self.at(last) + 1
        one = copy.deepcopy(self[name or first])
        one["source"] = "\n\n".join(c["source"] for c in self.cells[start:end])
        self.cells[start:end] = [one]
        return self

    def add(self, text, kind="markdown", after=None, **more):
        """Add a cell of the student's own, after a named one or at the end."""
        cell = {"cell_type": kind, "metadata": {}, "source": text, "id": f"own{len(self.cells)}"}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        place = self.at(after) + 1 if after else len(self.cells)
        self.cells.insert(place, cell | more)
        return self

    def remove(self, name):
        del self.cells[self.at(name)]
        return self

    def bytes(self, encoding="utf-8"):
        return json.dumps(self.raw, ensure_ascii=False, indent=1).encode(encoding)

    def node(self):
        return from_dict(self.raw)


def packed(**files):
    """Return the bytes of a zip; `__` in a name stands for a slash."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return stream.getvalue()


@dataclass
class HandIn:
    """What one student hands in, and what becomes of it."""

    files: dict = field(default_factory=dict)  # {path: bytes, or None for a folder}
    student: str = ""
    marks: int | None = 3  # points by tests, or None where it is refused
    hand: int = 1  # points that wait for the teacher
    says: str = ""  # in the remark


def the_class(given):
    """Return `{title: HandIn}`: three plain submissions, and odd ones."""

    def work(**texts):
        return Work(given, **texts)

    photo = work(why="![photo](attachment:photo.png)")
    photo["why"]["attachments"] = {"photo.png": PICTURE}
    lost = work(why="![photo](attachment:my%20photo.png) and ![](attachment:gone.png)")
    lost["why"]["attachments"] = {"my photo.png": PICTURE}
    below = work(why=STUB).add("My long answer.")
    far = work().split("double", "ONE = 1", "def double(number):\n    return TWO * number")
    far.cells.append(copy.deepcopy(far["double"]) | {"source": "TWO = ONE + ONE", "id": "far"})
    tried = work().split("double", DOUBLE, "def double(number):\n    return number**2", "double(3)")
    merged = work().merge("double", "next_step")
    half = work().split("double", "def double(number):\n    two = 2", "    return two * number")
    half.cells[half.at("double") + 1]["metadata"] = {}
    prose = work(double=f"It's *my* idea.\n\n{DOUBLE}", why=STUB)
    filled = work().split(
        "double", "TABLE = []", "TABLE.append(2)", DOUBLE.replace("2", "TABLE[0]")
    )
    crlf = work()
    for cell in crlf.cells:
        cell["source"] = cell["source"].replace("\n", "\r\n")
    one = work().bytes()
    return {
        "plain ann": HandIn({"ann/tiny.ipynb": one}, "ann"),
        "plain bob": HandIn({"bob/tiny/tiny.ipynb": one}, "bob"),
        "plain cy": HandIn(
            {"cy/tiny.ipynb": work(double="def double(n):\n    return 3").bytes()}, "cy", 1
        ),
        "a flat file": HandIn({"mueller_12345_678_tiny.ipynb": photo.bytes()}, "mueller_12345"),
        "an archive": HandIn(
            {"dan/homework.zip": packed(x__tiny__ipynb=b"", **{"a/tiny.ipynb": one})}, "dan"
        ),
        "a second ending, UTF-16": HandIn({"eve/tiny.ipynb.txt": work().bytes("utf-16")}, "eve"),
        "another case, a mark, CR LF": HandIn({"fay/tiny.IPYNB": crlf.bytes("utf-8-sig")}, "fay"),
        "no notebook": HandIn({"gus/solution.py": b"x = 1"}, "gus", None, says="solution.py"),
        "nothing": HandIn({"hal": None}, "hal", None, says="empty"),
        "three attempts": HandIn(
            {f"ida/a{n}/tiny.ipynb": one for n in (1, 2, 3)}, "ida", None, says="a3/tiny.ipynb"
        ),
        "one name": HandIn({"Ann_Lee/tiny.ipynb": one}, "Ann_Lee"),
        "the same name": HandIn({"Ann Lee/tiny.ipynb": one}, "Ann_Lee-a36e14", says="Ann Lee"),
        "pictures": HandIn({"jo/tiny.ipynb": lost.bytes()}, "jo", says="gone.png"),
        "the answer below": HandIn({"kim/tiny.ipynb": below.bytes()}, "kim", says="after why"),
        "split far away": HandIn({"lou/tiny.ipynb": far.bytes()}, "lou", says="joined"),
        "another idea": HandIn({"max/tiny.ipynb": tried.bytes()}, "max", says="they differ"),
        "merged": HandIn({"noa/tiny.ipynb": merged.bytes()}, "noa", says="merged"),
        "half without a name": HandIn({"pat/tiny.ipynb": half.bytes()}, "pat", says="joined"),
        "merged with prose": HandIn({"quin_tiny.ipynb": prose.bytes()}, "quin", says="no Python"),
        "a list that is filled": HandIn(
            {"ron_tiny.zip": packed(**{"tiny.ipynb": filled.bytes()})}, "ron", says="joined"
        ),
        "a text in Moodle": HandIn(
            {
                "Sam_1_assignsubmission_file_/tiny.ipynb": one,
                "Sam_1_assignsubmission_onlinetext_/onlinetext.html": b"See my file.",
            },
            "Sam_1_assignsubmission_file",
            says="onlinetext.html",
        ),
        "damaged": HandIn(
            {"oli/tiny.zip": packed(tiny=b"")[:30]}, "oli", None, says="cannot be unpacked"
        ),
    }


def hand_in(folder, some):
    """Write what is handed in into a folder."""
    for one in some:
        for name, data in one.files.items():
            path = Path(folder) / name
            (path if data is None else path.parent).mkdir(parents=True, exist_ok=True)
            if data is not None:
                path.write_bytes(data)


# ---- what the tests ask of a mended notebook


def mended(work):
    """Return the notebook that is graded, and the remarks in one text."""
    raw = work.raw if isinstance(work, Work) else work
    notebook, notes = submission_files.mend(raw, GIVEN)
    nbformat.validate(notebook)
    return notebook, "; ".join(notes)


def named(notebook):
    """Return the cells of the course by their names."""
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def marks_of(notebook):
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


def own_cells(notebook):
    """Kind and text of the cells that are not the student version's."""
    texts = {c.source for c in GIVEN.cells if "nbgrader" not in c.metadata}
    return [
        (c.cell_type, c.source)
        for c in notebook.cells
        if "nbgrader" not in c.metadata and c.source not in texts
    ]


def last_passes(notebook):
    """Whether the last cell, a test, passes; without a kernel."""
    before = notebook.cells[-1].metadata.nbgrader.points
    return (
        marks_of(notebook) - marks_of(nbformat.v4.new_notebook(cells=notebook.cells[:-1])) == before
    )


def rows_of(folder, files, names=("tiny",)):
    """Hand files in; return `{(student, assignment): submission}`."""
    hand_in(folder, [HandIn(files)])
    found = submission_files.find(folder, list(names))
    assert len({(s.student, s.assignment) for s in found}) == len(found)
    return {(s.student, s.assignment): s for s in found}


def graded_in(rows):
    """Return the students whose submission is read and not refused."""
    for one in rows.values():
        if not one.reason:
            assert submission_files.read(one.path)["cells"]
    return {student for (student, _), one in rows.items() if not one.reason}
