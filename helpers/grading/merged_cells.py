"""Cells that were merged or split become, as far as their text tells, what they were before."""

import re
from dataclasses import replace

from helpers.grading.answer_cells import asked, defined, lines, together, tree
from helpers.grading.cells import find_run, same

PIECES = 4  # most cells of which only one has the name
PARAGRAPHS = 20  # most of a cell that is searched for prose


def unmerge(given, release):
    """Return the cells that were handed in, with merged ones cut where the course's text stands.

    JupyterLab's merged cell has one of the names, and the others are gone. A text of the course
    that stands whole in a cell is a cell again; of what is around it, an answer keeps its name,
    and the rest is the student's own. Answers that were merged into one cell stay in one. Text
    that keeps Python from reading an answer is a cell, too.

    Args:
        given: The cells that were handed in.
        release: The student version.

    Returns:
        The cells, and a remark for each that was cut.
    """
    locked = [c for c in release.cells if not c.metadata.get("nbgrader", {}).get("solution")]
    stubs = {
        c.metadata.nbgrader.grade_id: c.source
        for c in release.cells
        if c.metadata.get("nbgrader", {}).get("solution")
    }
    gone = [c for c in locked if not _is_there(c, given)]
    found, cut = [], []
    for cell in given:
        mine = [
            c
            for c in locked
            if (_name(c) and _name(c) == cell.name) or (cell.id and c.get("id") == cell.id)
        ]
        few = [c for c in gone if len(lines(c.source)) > 1 and c not in mine]
        parts = _cut(cell, mine + few)
        if len(parts) > 1:
            cut.append(_remark(cell, stubs))
            answers = [asked(stub) for stub in stubs.values()]
            for part in parts:
                # A written answer that was merged with code, or the other way round.
                if part.name is None and part.kind == "code" and tree(part.text) is None:
                    part.kind = "raw"
                elif part.name is None and any(a and a <= defined(part.text) for a in answers):
                    part.kind = "code"
            free = [p for p in parts if not any(same(p.text, c.source) for c in release.cells)]
            _name_the_answer(free, cell.name, stubs)
        found += parts
    _name_halves(found, release)
    names, whole = [cell.name for cell in found], []
    for cell in found:
        parts = [cell]
        if names.count(cell.name) == 1 and _is_code(cell.name, release):
            parts = _without_prose(cell, asked(stubs.get(cell.name, "")))
        if len(parts) > 1:
            cut.append(f"text that is no Python was taken out of {cell.name}; look at it")
        whole += parts
    return whole, cut


def _is_code(name, release):
    return any(_name(cell) == name and cell.cell_type == "code" for cell in release.cells)


def _name_halves(found, release):
    """Give an answer's name to cells beside it that can be read only together with it.

    Some editors give only one piece of a split cell the name.
    """
    for size in range(2, PIECES + 1):
        for start in range(len(found) - size + 1):
            run = found[start : start + size]
            names = {cell.name for cell in run if cell.name}
            if len(names) == 1 and any(_is_code(name, release) for name in names):
                (name,) = names
                free = [cell for cell in run if not cell.name]
                own = all(_is_own_code(cell, release) for cell in free)
                if free and own and not _is_whole(run) and together([c.text for c in run]):
                    found[start : start + size] = [replace(cell, name=name) for cell in run]


def _is_own_code(cell, release):
    course = any(same(cell.text, given.source) for given in release.cells)
    return cell.kind == "code" and bool(cell.text.strip()) and not course


def _is_whole(run):
    """Whether a run of several cells ends in an answer that needs none of those above it."""
    text = run[-1].text
    indented = text.lstrip("\n")[:1].isspace()
    return len(run) > 2 and bool(run[-1].name) and not indented and tree(text) is not None


def _without_prose(cell, wanted):
    """Return a cell with code, and beside it the paragraphs without which Python can read it."""
    blocks = re.split(r"\n(?:[ \t]*\n)+(?=\S)", cell.text.strip("\n"))
    if tree(cell.text) is not None or len(blocks) > PARAGRAPHS:
        return [cell]
    for size in range(1, len(blocks)):
        for start in range(len(blocks) - size + 1):
            code = "\n\n".join(blocks[:start] + blocks[start + size :])
            if wanted and wanted <= defined(code):
                text = "\n\n".join(blocks[start : start + size])
                prose = cell.without_name(text=text, kind="raw", attachments={})
                rest = replace(cell, text=code)
                return [prose, rest] if start == 0 else [rest, prose]
    return [cell]


def _remark(cell, stubs):
    if cell.name in stubs:
        return f"{cell.name} was merged with cells of the course; they are cells again"
    if cell.name:
        return f"{cell.name} was changed and is as it was; what was added is a cell of its own"
    return "text was added to a cell of the course; it is a cell of its own"


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _is_there(cell, given):
    """Whether a cell of the course was handed in as a cell of its own."""
    name = _name(cell)
    return any(g.name == name if name else same(g.text, cell.source) for g in given)


def _cut(cell, locked):
    """Return the parts of a cell: the texts of the course, and what stands around them."""
    mine = lines(cell.text)
    for course in locked:
        theirs = lines(course.source)
        start = find_run(theirs, mine) if course.source.strip() else None
        if start is None or len(theirs) == len(mine):
            continue
        rest = [c for c in locked if c is not course]
        parts = []
        for some in (mine[:start], mine[start + len(theirs) :]):
            text = "\n".join(some).strip("\n")
            part = cell.without_name(text=text, attachments=_of(cell, text))
            parts.append(_cut(part, rest) if text.strip() else [])
        whole = cell.without_name(text=course.source, attachments={})
        whole.name, whole.id, whole.kind = _name(course), course.get("id"), course.cell_type
        return [*parts[0], whole, *parts[1]]
    return [cell]


def _of(cell, text):
    """Return the attachments of a cell to which a part of it points."""
    return {name: file for name, file in cell.attachments.items() if name in text}


def _name_the_answer(free, name, stubs):
    """Give a merged cell's name to the part that is its answer."""
    if name not in stubs:
        return
    wanted = asked(stubs[name])
    fit = [p for p in free if (wanted <= defined(p.text) if wanted else p.kind != "code")]
    for part in (fit or free)[:1]:
        part.name = name
