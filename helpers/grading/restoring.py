"""The notebook that is graded: the student version, with all that the student wrote in its place.

Names are nbgrader's ids of cells; numbers count the cells of the student version; places count
those that were handed in. "Own" cells are a student's that have no name.
"""

import difflib

from helpers.grading import answer_cells, cells
from helpers.grading.answer_cells import lines
from helpers.grading.assembling import assemble
from helpers.grading.cells import Cell, Refused, same
from helpers.grading.merged_cells import unmerge
from helpers.grading.misplaced_answers import stand_in

MANY = 4  # versions of an answer that are tried
MOST = 500  # lines of a changed cell that are compared


def mend(raw, release, passes=None):
    """Return a copy of the student version with the student's cells put in.

    What a student may change is the cells for answers, and cells of their own of any kind.
    Everything else comes from the student version: a deleted test cell is back, a changed one is
    as it was, and so are the names and points of the cells. What a student wrote into a cell of
    the course becomes a cell of their own.

    Args:
        raw: The notebook handed in, from `read`.
        release: The student version, as nbformat reads it.
        passes: Called with the beginning of a notebook, up to a test: whether it passes. Asked
            only where an answer is there more than once and in different words; without it, the
            last one above the test counts.

    Returns:
        The notebook to be graded, and a list of what was mended.

    Raises:
        Refused: If no cell can be told by its metadata.
    """
    given, prefer = cells.cells_of(raw), {}
    work = _mended(given, release, prefer)
    for number, versions in work.versions.items() if passes else ():
        for version in reversed(versions[-MANY:]):
            trial, test = _mended(given, release, {**prefer, number: version}), work.test_of(number)
            if test and passes(assemble(trial, until=test)):
                prefer[number] = version
                break
    if prefer:
        work = _mended(given, release, prefer)
    return assemble(work), work.notes


def refuse_another(raw, assignment, releases):
    """Refuse the notebook of another assignment under this one's name: it would get 0.

    Names of cells that two assignments share, such as `setup`, tell nothing.

    Args:
        raw: The notebook handed in, from `read`.
        assignment: Whose name the file has.
        releases: `{name: student version}` of all assignments.

    Raises:
        Refused: If it has none of this assignment's own cells, and some of another one's.
    """
    named = {name: _names_in(release) for name, release in releases.items()}
    given, mine = {cell.name for cell in cells.cells_of(raw)}, named.pop(assignment)
    found = {
        name: len(given & (other - mine))
        for name, other in named.items()
        if not given & (mine - other)
    }
    other = max(found, key=found.get, default=None)
    if found.get(other):
        raise Refused(
            f"None of {assignment}'s own cells is in it: this is {other}. Give the file the name of its "
            "assignment, or hand in the right one, and grade again."
        )


def _names_in(release):
    """Return the names of the cells of a student version."""
    marks = (cell.metadata.get("nbgrader", {}) for cell in release.cells)
    return {mark["grade_id"] for mark in marks if mark.get("grade_id")}


def _mended(given, release, prefer):
    work = Mending(given, release, prefer)
    work.look()
    stand_in(work)
    return work


class Mending:
    """One submission on its way to the notebook that is graded."""

    def __init__(self, given, release, prefer):
        self.prefer, self.versions = prefer, {}  # which of several answers counts, by number
        self.student, self.release = release, release.cells
        self.marks = [c.metadata.get("nbgrader", {}) for c in release.cells]
        self.known = {m["grade_id"]: n for n, m in enumerate(self.marks) if m.get("grade_id")}
        if not any(cell.name in self.known for cell in given):
            raise Refused(
                "No cell carries the name that the grading needs: the notebook lost its metadata, "
                "or is another one. Copy your answers into a fresh copy of the assignment."
            )
        self.files = {name: f for cell in given for name, f in cell.attachments.items()}
        self.given, cut = unmerge(given, release)
        self.notes = list(cut)
        self.texts, self.attached = {}, {}  # of the answers, by number
        self.homes = {}  # {place: number} of the cells that stand for one of the course
        self.extras = {}  # {place: cells that are the student's own}
        self.before = {}  # the same, of those that must stand before
        self.own = {}  # {number or None: own cells that stand after it}

    # ---- which cell is what

    def look(self):
        """Tell the cells of the course, choose the answers, and find what is the student's own."""
        places, order = {}, []
        for place, cell in enumerate(self.given):
            if cell.name in self.known:
                places.setdefault(cell.name, []).append(place)
                order.append(cell.name)
            else:
                self._nameless(place, cell)
        for name, number in self.known.items():
            if name not in places:
                self.notes.append(f"{name} was missing and is back")
            elif not self.marks[number].get("solution"):
                self._locked(name, number, places[name])
            elif self.release[number].cell_type == "code":
                self._code(name, number, places[name], places)
            else:
                self._written(name, number, places[name])
        if list(dict.fromkeys(order)) != [name for name in self.known if name in places]:
            self.notes.append("cells were moved; they are graded in their first order")
        last = None
        for place in range(len(self.given)):
            self.own.setdefault(last, []).extend(self.before.get(place, []))
            last = self.homes.get(place, last)
            self.own.setdefault(last, []).extend(self.extras.get(place, []))

    def _nameless(self, place, cell):
        """Take a cell without a name for one of the course, or for the student's own."""
        texts = {n for n, mark in enumerate(self.marks) if not mark.get("grade_id")}
        alike = [n for n in texts if same(self.release[n].source, cell.text)]
        alike = alike or [n for n in texts if self._is_split_from(n, cell)]
        free = [n for n in alike if n not in self.homes.values()]
        if alike:
            if free:
                self.homes[place] = free[0]
            self._keep(place, self._attached_to(cell, alike[0]))
            return
        changed = [n for n in texts if cell.id and self.release[n].get("id") == cell.id]
        if changed and changed[0] not in self.homes.values():
            self.homes[place] = changed[0]
        self._keep(place, cell)

    def _is_split_from(self, number, cell):
        """Whether a cell is a piece of a text of the course that is not there whole."""
        source = self.release[number].source
        there = any(same(source, given.text) for given in self.given)
        return not there and cells.find_run(lines(cell.text), lines(source)) is not None

    def _locked(self, name, number, places):
        """A cell that a student may not change: what was changed in it is kept beside it."""
        original = self.release[number].source
        texts = [self.given[place].text for place in places]
        whole = [p for p, text in zip(places, texts) if same(text, original)]
        self.homes[(whole or places)[0]] = number
        for place in places:
            self._keep(place, self._attached_to(self.given[place], number))
        joined = [line for text in texts for line in lines(text) if line]
        if joined == [line for line in lines(original) if line]:
            if len(places) > 1:
                self.notes.append(f"{name} was split and is whole again")
            return
        for place, text in zip(places, texts):
            if whole and not same(text, original):
                self._keep(place, self.given[place].without_name(attachments={}))
                continue
            mine, theirs = lines(original), lines(text)[:MOST]
            parts = difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
            new = [line for tag, _, _, a, b in parts if tag != "equal" for line in theirs[a:b]]
            new += lines(text)[MOST:]
            if "".join(new).strip():
                self._keep(place, self._changed(name, number, text, "\n".join(new)))
        if not whole:
            self.notes.append(f"{name} was changed and is as it was")
        elif len(places) > len(whole):
            self.notes.append(f"{name} is there {len(places)} times; a changed copy stays")

    def _changed(self, name, number, text, new):
        """Return the own cell that holds what a student changed in a cell of the course."""
        test = self.marks[number].get("grade")
        if (
            self.release[number].cell_type == "code"
            and not test
            and answer_cells.tree(new) is not None
        ):
            return Cell(new, "code")  # an import that the answers need, for example
        remark = f"*{name}, as the student changed it. This is not run.*"
        return Cell(cells.fenced(text, remark), "markdown", ours=True)

    def test_of(self, number):
        """Return the number of the test that follows an answer, or None."""
        later = range(number + 1, len(self.marks))
        return next((n for n in later if is_test(self.marks[n])), None)

    def _code(self, name, number, places, all_places):
        """An answer in code, which may have been split or copied."""
        code = [p for p in places if self._is_code(p)] or places
        for place in places:
            if place not in code:
                self._keep(place, self.given[place].without_name())
                self.notes.append(f"a copy of {name} was turned into text and stays as text")
        places, test = code, self.test_of(number)
        tests = all_places.get(self.marks[test]["grade_id"]) if test else None
        above = sum(place < tests[0] for place in places) if tests else len(places)
        texts = [self.given[place].text for place in places]
        prefer = self.prefer.get(number)
        chosen = answer_cells.choose(texts, self.release[number].source, above, prefer)
        if chosen.versions:
            self.versions[number] = chosen.versions
        self.texts[number] = chosen.text
        self.homes[places[chosen.counts]] = number
        for index, place in enumerate(places):
            self._keep(place, self._attached_to(self.given[place], number))
            if index in chosen.left:
                # Another version below the answer must not take its place before the test.
                over = index > chosen.counts and index in chosen.versions and index < above
                self._keep(places[0] if over else place, Cell(chosen.left[index], "code"), over)
        if len(places) > 1:
            self.notes.append(_told(name, len(places), chosen, prefer))

    def _is_code(self, place):
        """Whether a cell may be an answer in code, perhaps one that was turned into text."""
        cell = self.given[place]
        return cell.kind == "code" or bool(answer_cells.defined(cell.text))

    def _written(self, name, number, places):
        """A written answer: all that stands under its name is one answer."""
        here = [self.given[place] for place in places]
        stub = self.release[number].source
        said = [c for c in here if (c.text.strip() and not same(c.text, stub)) or c.attachments]
        once = [c for i, c in enumerate(said) if not any(c.says_as(d) for d in said[:i])]
        text, self.attached[number] = cells.joined(once or here[:1])
        self.texts[number] = text
        self.homes[places[0]] = number
        if len(places) > 1:
            self.notes.append(f"{name} is there {len(places)} times: the texts are joined")

    def _attached_to(self, cell, number):
        """Return an own cell with the pictures that a student put into a cell of the course."""
        given = self.release[number].get("attachments", {})
        new = {name: file for name, file in cell.attachments.items() if name not in given}
        return Cell("", "markdown", attachments=new)

    def _keep(self, place, cell, before=False):
        if cell.text.strip() or cell.attachments:
            kept = self.before if before else self.extras
            kept.setdefault(place, []).append(cell)

    def all_own(self):
        """Return the student's own cells."""
        return [cell for own in self.own.values() for cell in own]


def is_test(mark):
    """Whether a mark is that of a cell that tests."""
    return bool(mark.get("grade") and not mark.get("solution"))


def _told(name, count, chosen, preferred):
    """Return the remark about an answer that is there several times."""
    if not chosen.left:
        return f"{name} stands in {count} cells; the pieces are joined in their order"
    told = f"{name} is there {count} times: number {chosen.counts + 1} counts"
    if chosen.versions:
        rule = "the last one above the test" if preferred is None else "the last one that passes"
        told += f", {rule} (they differ: look at them)"
    if count > 1 + len(chosen.left):
        told += "; its pieces are joined in their order"
    return f"{told}; what is not the answer stays as an ordinary cell"
