"""The grading itself: what comes in is data from anybody, what runs has limits, what goes out is safe."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest

pytest.importorskip("nbgrader")

from assignments import odd

from helpers.grading import (
    assignment_source,
    course,
    grade,
    limits,
    release,
    submission_files,
    tables,
)
from helpers.grading.__main__ import main
from helpers.grading.preprocessors import run_apart

TINY = Path(__file__).parent / "assignments" / "tiny.py"
LIMITS = {"GRADE_CELL_SECONDS": "8", "GRADE_TOTAL_SECONDS": "60"}


@pytest.fixture(scope="module")
def tiny_course(tmp_path_factory):
    """A course of one tiny assignment, released and checked, and its student version."""
    root = tmp_path_factory.mktemp("course")
    made = release.release(root, {"tiny": TINY})
    return root, nbformat.read(made["tiny"], as_version=4)


def _answered(student, **cells):
    """A student version with cells replaced; those not named get a right answer."""
    notebook = nbformat.from_dict(json.loads(json.dumps(student)))
    right = {
        "double": "def double(number):\n    return 2 * number",
        "next_step": "def next_step(number):\n    return STEP + number",
        "why": "It is so.",
    }
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = {**right, **cells}.get(grade_id, cell.source)
    return notebook


# ---- a class with everything in it


HOSTILE = {
    "endless": "while True:\n    pass",
    "deaf": "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass",
    "loud": "for _ in range(100):\n    print('x' * 2**20)\nprint('END OF THE NOISE')",
    "leaver": "import os\nos._exit(3)",
    "spy": (
        "import os, glob\n"
        "seen = ''.join(open(p, errors='ignore').read() for p in glob.glob('**/*', recursive=True)"
        " if os.path.isfile(p))\n"
        "print('FOUND' if 'secret_of_the_tests' in seen else 'nothing', os.environ.get('TEST_SECRET'))"
    ),
    "thrower": "raise ValueError('x' * 10**8)",
    "quitter": "exit()",
    "quiet": (
        "get_ipython().input_transformers_post.append(\n"
        "    lambda lines: ['pass\\n'] if any('def test_' in line for line in lines) else lines)"
    ),
    "shadow": "abs = sum = len = 0",
    "parent": "import subprocess\nsubprocess.Popen(['sleep', '987'], start_new_session=True)",
}


@pytest.fixture(scope="module")
def graded(tiny_course, tmp_path_factory):
    """The class, graded: root, rows by student, tasks by student."""
    root, student = tiny_course
    folder = tmp_path_factory.mktemp("submissions")

    def hand_in(name, content, file="tiny.ipynb"):
        (folder / name).mkdir(exist_ok=True)
        if isinstance(content, bytes):
            (folder / name / file).write_bytes(content)
        else:
            nbformat.write(content, folder / name / file)

    hand_in("ann", _answered(student))
    hand_in("bob", _answered(student, double="def double(number):\n    return 2"))
    hand_in("cy", student)
    for name, code in HOSTILE.items():
        body = f"def double(number):\n    return 2 * number\n{code}"
        hand_in(name, _answered(student, double=body))
    hand_in("bytes", os.urandom(3000))
    hand_in("text", b"my answer is 7")
    hand_in("list", b"[1, 2, 3]")
    bare = _answered(student)
    for cell in bare.cells:
        cell.metadata = {}
    hand_in("bare", bare)
    hand_in("script", b"print(1)", "tiny.py")
    hand_in("renamed", _answered(student), "tiny (1).ipynb")
    hand_in("zed", _answered(student))  # the last in line
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_SECRET", "hush")
        for key, value in LIMITS.items():
            patch.setenv(key, value)
        rows = {r["student"]: r for r in grade.grade(root, folder, say=lambda line: None)}
    assert main(["export", str(folder), "--course", str(root)]) == 0
    with open(root / "grades.csv", newline="", encoding="utf-8") as file:
        assert {r["student"]: r["remark"] for r in csv.DictReader(file)} == {
            name: row["remark"] for name, row in rows.items()
        }, "an export keeps the remarks"
    return root, rows


def _tests(root, student):
    return {n: s for n, (s, _) in grade.task_scores(root, student, "tiny").items() if n != "why"}


def test_a_class_is_graded_whoever_is_in_it(graded):
    root, rows = graded
    full = {"test_double": 2, "test_next_step": 1}
    assert _tests(root, "ann") == _tests(root, "zed") == full
    assert _tests(root, "bob") == {"test_double": 0, "test_next_step": 1}
    assert _tests(root, "cy") == {"test_double": 0, "test_next_step": 0}
    assert rows["ann"]["awaiting_hand"] == 1 and rows["ann"]["by_tests"] == 3
    assert rows["cy"]["awaiting_hand"] == 0, "an untouched answer waits for nobody"


def test_what_cannot_be_graded_is_refused_with_a_reason(graded):
    root, rows = graded
    refused = {name for name, row in rows.items() if row["status"] == "refused"}
    assert refused == {"bytes", "text", "list", "bare", "script", "renamed"}
    for name in refused:
        assert len(rows[name]["remark"]) > 20 and rows[name]["score"] == ""
        pages = list((root / "feedback" / name).rglob("*.html"))
        assert len(pages) == 1 and "not graded" in pages[0].read_text(encoding="utf-8")


def test_code_that_never_ends_or_leaves_loses_its_marks_only(graded):
    root, _ = graded
    for name in ("deaf", "leaver"):
        assert _tests(root, name)["test_next_step"] == 0, name
    stored = (root / "autograded" / "endless" / "tiny" / "tiny.ipynb").read_text(encoding="utf-8")
    assert "Does a loop never end?" in stored
    page = (root / "feedback" / "leaver" / "tiny" / "tiny.html").read_text(encoding="utf-8")
    assert "Stopped: this test did not run to its last line: the kernel died." in page


def test_a_test_must_end_and_a_forgotten_exit_costs_nothing(graded):
    root, rows = graded
    assert _tests(root, "quiet") == {"test_double": 0, "test_next_step": 0}
    assert _tests(root, "quitter") == {"test_double": 2, "test_next_step": 1}
    assert "stopped: the kernel died" in rows["leaver"]["remark"]


def test_a_name_of_pythons_taken_by_a_student_costs_nothing(graded):
    root, _ = graded
    assert _tests(root, "shadow") == {"test_double": 2, "test_next_step": 1}


def test_a_person_is_told_where_to_look(graded):
    _, rows = graded
    assert "look at the code, it uses open" in rows["spy"]["remark"]
    assert "get_ipython" in rows["quiet"]["remark"]
    assert "look at" not in rows["ann"]["remark"] + rows["bob"]["remark"] + rows["cy"]["remark"]


def test_an_error_of_a_hundred_megabytes_is_cut(graded):
    root, _ = graded
    assert _tests(root, "thrower") == {"test_double": 2, "test_next_step": 1}
    assert (root / "autograded" / "thrower" / "tiny" / "tiny.ipynb").stat().st_size < 2**20


def test_a_hundred_megabytes_of_print_are_cut(graded):
    root, _ = graded
    assert _tests(root, "loud") == {"test_double": 2, "test_next_step": 1}
    stored = root / "autograded" / "loud" / "tiny" / "tiny.ipynb"
    assert stored.stat().st_size < 5 * 2**20
    text = stored.read_text(encoding="utf-8")
    assert "the rest is left out" in text and text.count("END OF THE NOISE") == 1  # its own source


def test_the_room_is_empty_and_leaves_nothing_running(graded):
    root, _ = graded
    spied = (root / "autograded" / "spy" / "tiny" / "tiny.ipynb").read_text(encoding="utf-8")
    assert "nothing None" in spied and '"FOUND' not in spied
    left = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "987"]]
    assert left == []


def test_feedback_shows_the_message_and_no_hidden_test(graded):
    root, _ = graded
    page = (root / "feedback" / "bob" / "tiny" / "tiny.html").read_text(encoding="utf-8")
    assert "secret_of_the_tests" not in page and "246912" not in page
    assert "Other numbers have doubles too." in page and "hidden tests" in page
    assert '<a href="#test_double">test double</a> (Score: 0.0 / 2.0)' in page
    assert '<a href="#why">why</a> (not read yet)' in page
    assert "secret_of_the_tests" in (root / "source" / "tiny" / "tiny.ipynb").read_text("utf-8")


def test_tables_for_people_and_for_the_learning_platform(graded):
    root, rows = graded
    with open(root / "grades.csv", newline="", encoding="utf-8") as file:
        stored = {row["student"]: row for row in csv.DictReader(file)}
    assert set(stored) == set(rows) and float(stored["ann"]["max_score"]) == 4
    with open(root / "lms.csv", newline="", encoding="utf-8") as file:
        lines = {row["student"]: row["tiny (4)"] for row in csv.DictReader(file)}
    assert float(lines["ann"]) == 3 and lines["bytes"] == ""
    assert tables.safe("=cmd()") == "'=cmd()"


# ---- what is handed in


def test_mending_brings_back_what_a_student_may_not_change(tiny_course):
    _, student = tiny_course
    spoiled = _answered(student)
    spoiled.cells = [
        c for c in spoiled.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "test_double"
    ]
    for cell in spoiled.cells:
        marked = cell.metadata.get("nbgrader", {})
        if marked.get("grade_id") == "test_next_step":
            cell.source, cell.metadata.nbgrader.solution = "pass", True
            cell.metadata.nbgrader.points = 100
    spoiled.cells.insert(0, nbformat.v4.new_code_cell("mine = 1"))
    spoiled.cells.append(spoiled.cells.pop(2))
    mended, notes = submission_files.mend(json.loads(json.dumps(spoiled)), student)
    named = {c.metadata.nbgrader.grade_id: c for c in mended.cells if "nbgrader" in c.metadata}
    original = {c.metadata.nbgrader.grade_id: c for c in student.cells if "nbgrader" in c.metadata}
    assert list(named) == list(original)
    for name in ("setup", "test_double", "test_next_step"):
        assert named[name].source == original[name].source
    assert all(named[n].metadata == original[n].metadata for n in named)
    assert "2 * number" in named["double"].source
    assert mended.cells[0].source == "mine = 1"
    assert "test_double was missing" in "; ".join(
        notes
    ) and "test_next_step was changed" in "; ".join(notes)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return sys._getframe(1).f_locals['expected']", ["_getframe", "f_locals"]),
        ("checks.close.__kwdefaults__.update(relative=9)", ["__kwdefaults__"]),
        ("np.abs = lambda x: 0 * x", ["np.abs"]),
        ("%%bash\nls", ["%%bash"]),
        ("print(open('/etc/passwd').read(), In[-1])", ["In", "open"]),
        ("# an open question: In this case np.abs(x) == 3, evaluate it\nx = 7 %sh", []),
    ],
)
def test_unusual_words_are_named_and_usual_ones_are_not(code, words, tiny_course):
    assert submission_files._unusual([code], tiny_course[1]) == words


@pytest.mark.parametrize(
    "cells",
    [[], [7], [{}], [{"metadata": 3, "source": ["a", 1]}], [{"metadata": {"nbgrader": []}}]],
)
def test_cells_that_are_none_are_refused(cells, tiny_course):
    with pytest.raises(submission_files.Refused, match="fresh copy"):
        submission_files.mend({"cells": cells}, tiny_course[1])


def test_links_and_giants_are_refused(tmp_path, monkeypatch):
    (tmp_path / "real.ipynb").write_text("{}")
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "real.ipynb")
    with pytest.raises(submission_files.Refused, match="link"):
        submission_files.read(tmp_path / "link.ipynb")
    monkeypatch.setattr(submission_files, "LARGEST", 1)
    with pytest.raises(submission_files.Refused, match="outputs"):
        submission_files.read(tmp_path / "real.ipynb")
    (tmp_path / "deep.ipynb").write_text("[" * 100_000)
    monkeypatch.undo()
    with pytest.raises(submission_files.Refused):
        submission_files.read(tmp_path / "deep.ipynb")


def test_both_layouts_are_found_and_names_must_differ(tmp_path):
    for place in ("ann/tiny.ipynb", "bo b/tiny/tiny.ipynb", "cy/.ipynb_checkpoints/tiny.ipynb"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text("{}")
    found = submission_files.find(tmp_path, ["tiny"])
    assert [(s.student, s.assignment, s.reason) for s in found[:2]] == [
        ("ann", "tiny", ""),
        ("bo_b", "tiny", ""),
    ]
    (cy,) = found[2:]
    assert cy.student == "cy" and "empty" in cy.reason, "a copy that Jupyter hides is not graded"
    (tmp_path / "bo_b").mkdir()
    (tmp_path / "bo_b" / "tiny.ipynb").write_text("{}")
    names = [s.student for s in submission_files.find(tmp_path, ["tiny"]) if not s.reason]
    assert len(set(names)) == len(names) == 3 and "bo_b" in names


def test_the_quick_student_version_of_the_tests_is_nbgraders(tiny_course):
    made = [(c.cell_type, c.source, c.id) for c in tiny_course[1].cells if "nbgrader" in c.metadata]
    quick = [(c.cell_type, c.source, c.id) for c in odd.student().cells if "nbgrader" in c.metadata]
    stub = re.compile(r" *# Your code here.*\n *raise NotImplementedError.*")
    assert [(k, stub.sub("    raise NotImplementedError", s), i) for k, s, i in made] == quick


# ---- the room


def _run(code, **limits):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in code])
    return run_apart(notebook, **{"timeout": 20, "total": 60, **limits})


def test_a_room_gives_outputs_and_goes_on_after_an_error():
    cells, reason = _run(["print(6 * 7)", "1 / 0", "print('on')"])
    assert reason == "" and all(cell["ran"] for cell in cells)
    assert cells[0]["outputs"][0]["text"] == "42\n"
    assert cells[1]["outputs"][0]["ename"] == "ZeroDivisionError"


def test_a_slow_cell_is_stopped_with_words_and_the_next_one_runs():
    start = time.monotonic()
    cells, _ = _run(["while True: pass", "print('on')"], timeout=3)
    assert time.monotonic() - start < 50
    assert cells[0]["outputs"][-1]["ename"] == "CellTimeoutError"
    assert "Does a loop never end?" in cells[0]["outputs"][-1]["evalue"]
    assert cells[1]["outputs"][0]["text"] == "on\n"


def test_a_room_that_does_not_answer_is_a_reason():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    cells, reason = run_apart(notebook, 5, 5, command="python3 -c pass")
    assert cells == [] and "no result" in reason


def test_a_room_behind_the_script_has_no_network_no_course_and_nowhere_to_write(tmp_path):
    script = course.HERE / "apart.sh"
    try:
        command = ["sh", script, sys.executable, "-c", "import helpers"]
        tried = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except OSError as error:
        pytest.skip(str(error))
    if tried.returncode:
        pytest.skip(f"this system does not allow it: {tried.stderr.strip()[-200:]}")
    kept = Path(__file__).parent
    code = [
        "import socket\nsocket.create_connection(('1.1.1.1', 80), 3)",
        f"open({str(kept / 'hostile.txt')!r}, 'w')",
        f"import os\nprint(os.listdir({str(course.HERE)!r}), os.path.exists({str(tmp_path)!r}))",
        "import subprocess\nprint(subprocess.run(['mount', '-o', 'remount,bind,rw', '/'], capture_output=True).returncode != 0)",
        "open('mine.txt', 'w').write('x')\nprint(6 * 7)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in code])
    cells, reason = run_apart(notebook, 20, 60, command=f"sh {script} {sys.executable}")
    assert reason == ""
    last = [cell["outputs"][-1] for cell in cells]
    assert last[0]["ename"] == "OSError" and last[1]["ename"] in ("OSError", "PermissionError")
    assert not (kept / "hostile.txt").exists()
    assert [o["text"] for o in last[2:]] == ["[] False\n", "True\n", "42\n"]


# ---- sources


def test_a_course_seed_redraws_the_constants_and_nothing_else():
    text = TINY.read_text(encoding="utf-8")
    with pytest.raises(assignment_source.BadSource, match="not among"):
        assignment_source.redraw(text.replace("[1, 2", "[4, 2"), "tiny")
    plain = assignment_source.redraw(text, "tiny")
    assert "STEP = 1\n" in plain and "redrawn" not in plain
    drawn = {assignment_source.redraw(text, "tiny", seed) for seed in range(30)}
    assert 2 < len(drawn) <= 5
    assert assignment_source.redraw(text, "tiny", 4) == assignment_source.redraw(text, "tiny", "4")
    # A typo that is mended in the middle of a term leaves the constants as they are.
    for seed in range(10):
        mended = assignment_source.redraw(
            "# %% [markdown]\n# A word more.\n\n" + text, "tiny", seed
        )
        assert mended.endswith(assignment_source.redraw(text, "tiny", seed))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ('# %% test="a"\npass', "have points"),
        ('# %% solution="a" points=2\npass', "have points"),
        ('# %% solution="a"\npass\n# %% solution="a"\npass', "two cells"),
        ('# %% sollution="a"\npass', "what is"),
    ],
)
def test_a_text_with_a_slip_is_refused(cell, message):
    with pytest.raises(assignment_source.BadSource, match=message):
        assignment_source.source_notebook(cell, "slip")


def test_a_student_version_that_tells_too_much_is_not_released(tmp_path):
    text = TINY.read_text(encoding="utf-8")
    leaky = tmp_path / "leaky.py"
    leaky.write_text(
        text.replace(
            "    ### BEGIN SOLUTION\n    return number + STEP\n    ### END SOLUTION",
            "    return number + STEP",
        )
    )
    with pytest.raises(RuntimeError):
        # A solution that is not marked as one is cut whole, and its test fails with a NameError.
        release.release(tmp_path, {"leaky": leaky})
    assert not (tmp_path / "release" / "leaky" / "leaky.ipynb").exists()


def test_the_configuration_of_nbgraders_own_commands_is_this_one():
    from traitlets.config import Config

    text = (course.HERE / "nbgrader_config.py").read_text(encoding="utf-8")
    config = Config()
    exec(text, {"get_config": lambda: config, "__file__": str(course.HERE / "nbgrader_config.py")})
    assert config == course.configure(Config(), course.HERE)


# ---- limits


def test_a_limit_reads_as_a_limit():
    watch = limits.Watch(SimpleNamespace(total=3, memory=10))
    watch.end()
    assert watch.reason == ""
