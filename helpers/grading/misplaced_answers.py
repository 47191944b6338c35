"""Answers whose cell is empty or gone, while the student answered in another cell."""

from helpers.grading import answer_cells
from helpers.grading.cells import same

NO_ANSWER = "*(No answer stands here. The student wrote text in cells of their own.)*"
NO_CELL = "*(The cell of this answer is gone. It may stand with another written answer.)*"


def stand_in(work):
    """Find, for each answer without a text, the student's other cells that answer.

    Args:
        work: The `restoring.Mending` of the submission; its texts, own cells and notes change.
    """
    for name, number in work.known.items():
        stub = work.release[number].source
        answered = number in work.texts and not same(work.texts[number], stub)
        if answered or not work.marks[number].get("solution"):
            continue
        if work.release[number].cell_type == "code":
            _code(work, name, number, answer_cells.asked(stub))
        elif any(cell.is_text for cell in work.all_own()) and not work.attached.get(number):
            # nbgrader would take the cell for unanswered, and nobody would read on.
            work.texts[number] = f"{stub}\n\n{NO_ANSWER}"
        elif number not in work.texts and any(_is_written(work, n) for n in work.texts):
            work.texts[number] = f"{stub}\n\n{NO_CELL}"


def _is_written(work, number):
    """Whether the student wrote this answer, and it is no code."""
    cell = work.release[number]
    return cell.cell_type != "code" and not same(work.texts[number], cell.source)


def _code(work, name, number, wanted):
    test = work.test_of(number)
    theirs = [
        (after, cell)
        for after in sorted(work.own, key=lambda n: -1 if n is None else n)
        for cell in work.own[after]
        if cell.kind == "code" and wanted & answer_cells.defined(cell.text)
    ]
    between = [
        cell
        for after, cell in theirs
        if after is not None and number <= after and (test is None or after < test)
    ]
    if _define(between, wanted):
        work.notes.append(f"{name} has no answer; a cell of the student's own counts")
    elif _define([cell for _, cell in theirs], wanted):
        work.texts[number] = "\n\n".join(cell.text for _, cell in theirs)
        for _, moved in theirs:
            for own in work.own.values():
                own[:] = [cell for cell in own if cell is not moved]
        work.notes.append(f"{name} has no answer; a cell of the student's own counts, moved")
    else:
        for other, text in list(work.texts.items()):
            if other != number and wanted and wanted <= answer_cells.defined(text):
                work.texts[number] = text
                told = work.marks[other]["grade_id"]
                work.notes.append(f"{name} has no answer; that in {told} counts for both")
                return


def _define(some, wanted):
    """Whether cells together define all names that a task asks for."""
    return bool(wanted) and wanted <= {n for cell in some for n in answer_cells.defined(cell.text)}
