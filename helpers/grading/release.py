"""Make the student versions, and check them before anybody gets them."""

import re
from pathlib import Path

from helpers.grading import assignment_source
from helpers.grading.course import api, assignment_texts, or_interrupt

SOLUTION = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", flags=re.M | re.S)
HIDDEN = re.compile(r"^ *### BEGIN HIDDEN TESTS\n(.*?)^ *### END HIDDEN TESTS", flags=re.M | re.S)


def write_sources(root, texts=None, seed=None):
    """Write nbgrader's `source/` from the texts; return `{name: source notebook}`.

    Args:
        root: Folder of the course.
        texts: `{name: path}`; those of the repository where it is None.
        seed: The course seed, or None.
    """
    import nbformat

    notebooks = {}
    for name, path in (texts or assignment_texts()).items():
        notebook = assignment_source.source_notebook(
            Path(path).read_text(encoding="utf-8"), name, seed
        )
        folder = Path(root) / "source" / name
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")
        notebooks[name] = notebook
    return notebooks


def release(root, texts=None, seed=None, check=True):
    """Make the student versions with nbgrader.

    Args:
        root: Folder of the course.
        texts: As in `write_sources`.
        seed: As in `write_sources`.
        check: Run each student version and its solution, and read it for traces of either.

    Returns:
        `{name: path of the student version}`.

    Raises:
        RuntimeError: If nbgrader fails, or a student version does not keep what it should.
        KeyboardInterrupt: If somebody stops it.
    """
    import nbformat

    from helpers.grading.preprocessors import run_apart

    root = Path(root).resolve()
    nbgrader, made = api(root), {}
    for name, source in write_sources(root, texts, seed).items():
        done = or_interrupt(nbgrader.generate_assignment(name, force=True))
        if not done["success"]:
            raise RuntimeError(f"{name}: {done.get('log')}\n{done.get('error')}")
        made[name] = root / "release" / name / f"{name}.ipynb"
        if check:
            student = nbformat.read(made[name], as_version=4)
            faults = left_over(source, student)
            faults += errors(source, run_apart(source, 30, 300), allowed=())
            faults += errors(student, run_apart(student, 30, 300), allowed=("NotImplementedError",))
            if faults:
                made[name].unlink()
                raise RuntimeError(f"{name} is not released:\n  " + "\n  ".join(faults))
    return made


def left_over(source, student):
    """Return the lines of solutions and hidden tests that a student version still has."""
    text = "\n".join(cell.source for cell in student.cells)
    faults = [f"still has {word}" for word in ("SOLUTION", "HIDDEN TEST") if word in text]
    written = [c for c in source.cells if c.metadata.get("nbgrader", {}).get("locked") is not False]
    written += [c for c in source.cells if c.cell_type == "code"]
    given = "\n".join(SOLUTION.sub("", HIDDEN.sub("", c.source)) for c in written)
    for cell in source.cells:
        marked = cell.metadata.get("nbgrader", {})
        parts = SOLUTION.findall(cell.source) + HIDDEN.findall(cell.source)
        if marked.get("solution") and marked.get("grade"):
            parts = [cell.source]
        for line in "".join(parts).splitlines():
            told = line.strip()
            # Short lines, such as `return total`, may well come about in other ways.
            if len(told) > 25 and told in text and told not in given:
                faults.append(f"still has a line of {marked.get('grade_id')}: {told}")
    return faults


def errors(notebook, ran, allowed):
    """Return the errors of a run that are not among the allowed ones."""
    cells, reason = ran
    faults = [f"stopped: {reason}"] if reason else []
    for cell, done in zip(notebook.cells, cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "a cell")
        for output in done["outputs"]:
            if output["output_type"] == "error" and output["ename"] not in allowed:
                faults.append(f"{name}: {output['ename']}: {output['evalue']}")
    return faults
