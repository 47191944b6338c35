"""The notebook of a submission, put together: the student version, answers and own cells."""

import json

from helpers.grading import cells
from helpers.grading.unusual_code import unusual


def assemble(work, until=None):
    """Return the notebook to be graded; complete the remarks.

    Args:
        work: The `restoring.Mending` of the submission.
        until: Number of the last cell of the student version that is wanted; all where None.
    """
    from nbformat import from_dict, v4

    codes = [t for n, t in work.texts.items() if work.release[n].cell_type == "code"]
    codes += [cell.text for cell in work.all_own() if cell.kind == "code"]
    words = unusual(codes, work.student)
    if words:
        work.notes.append(f"look at the code, it uses {', '.join(words)}")
    _tell_of_text(work)
    built = [new for cell in work.own.get(None, []) for new in _built(work, cell)]
    for number, cell in enumerate(work.release):
        copy = from_dict(json.loads(json.dumps(cell)))
        if copy.cell_type == "code":
            copy.outputs, copy.execution_count = [], None
        if number in work.texts:
            copy.source = work.texts[number]
            if copy.cell_type == "markdown":
                _show(work, copy, work.attached.get(number, {}), work.marks[number]["grade_id"])
        built.append(copy)
        if number == until:
            break
        built += [new for own in work.own.get(number, []) for new in _built(work, own)]
    return v4.new_notebook(cells=built, metadata=work.student.metadata)


def _tell_of_text(work):
    after = [n for n, own in work.own.items() for cell in own if cell.is_text]
    if after:
        told = ", ".join(dict.fromkeys(_last_name(work, n) for n in after))
        work.notes.append(f"there is text in cells of the student's own, after {told}")


def _last_name(work, number):
    marks = [] if number is None else work.marks[: number + 1]
    return ([m["grade_id"] for m in marks if m.get("grade_id")] or ["the top"])[-1]


def _built(work, cell):
    """Return an own cell; pictures in a cell that cannot show them get a cell below it."""
    from nbformat import v4

    built, text = [], cell.text
    if cell.kind != "markdown":
        new = {"code": v4.new_code_cell, "raw": v4.new_raw_cell}[cell.kind]
        built, text = [new(text)] if text.strip() else [], ""
    if cell.kind == "markdown" or cell.attachments:
        built.append(v4.new_markdown_cell(text))
        _show(work, built[-1], cell.attachments, "a cell of the student's own")
    return built


def _show(work, cell, attachments, name):
    """Put text and pictures into a markdown cell, so that nbgrader can show it."""
    cell.source, files, missing = cells.shown(cell.source, attachments, work.files)
    if files:
        cell["attachments"] = {**cell.get("attachments", {}), **files}
    if missing:
        work.notes.append(f"a picture is missing in {name}: {', '.join(missing)}")
