"""Cells of a notebook that anybody may have written: their text, their kind and their pictures."""

import base64
import re
import unicodedata
from dataclasses import dataclass, field, replace
from html import unescape
from urllib.parse import quote, unquote

from helpers.grading.answer_cells import lines

KINDS = ("code", "markdown", "raw")
_MIME = re.compile(r"[\w.+-]+/[\w.+-]+")


class Refused(Exception):
    """A submission that cannot be graded; the text goes to the student."""


@dataclass
class Cell:
    """A cell that was handed in."""

    text: str
    kind: str  # one of KINDS
    name: str | None = None  # nbgrader's grade_id
    id: str | None = None
    attachments: dict = field(default_factory=dict)  # {file name: {kind of file: base64}}
    ours: bool = False  # whether the grading wrote it

    @property
    def is_text(self):
        """Whether a student wrote text or a picture here, and no code."""
        return (self.kind != "code" or bool(self.attachments)) and not self.ours

    def says_as(self, other):
        """Whether another cell says the same."""
        return same(self.text, other.text) and self.attachments == other.attachments

    def without_name(self, **changed):
        """Return the cell as a student's own."""
        return replace(self, name=None, id=None, **changed)


def cells_of(raw):
    """Return the cells of a notebook as it was read; what is no cell is left out."""
    found = []
    for cell in raw["cells"]:
        if not isinstance(cell, dict):
            continue
        metadata = cell.get("metadata")
        mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        name = mark.get("grade_id") if isinstance(mark, dict) else None
        kind = cell.get("cell_type")
        found.append(
            Cell(
                text=_text(cell.get("source", "")),
                kind=kind if kind in KINDS else "raw",
                name=name if isinstance(name, str) else None,
                id=cell.get("id") if isinstance(cell.get("id"), str) else None,
                attachments=_attachments(cell.get("attachments")),
            )
        )
    return found


def _text(source):
    """Return a cell's source: one text, lines that end in a line feed, no broken characters."""
    text = "".join(map(str, source)) if isinstance(source, list) else str(source or "")
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").replace("\0", "")
    # Half a character, such as "\ud800", can be written in JSON and nowhere else.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _attachments(given):
    """Return a cell's attached files, those that are what they should be."""
    found = {}
    for name, bundle in given.items() if isinstance(given, dict) else ():
        files = {}
        for mime, data in bundle.items() if isinstance(bundle, dict) else ():
            data = "".join(map(str, data)) if isinstance(data, list) else str(data)
            data = re.sub(r"\s", "", data)
            if _MIME.fullmatch(mime) and re.fullmatch(r"[A-Za-z0-9+/_-]+=*", data):
                files[mime] = data
        if files:
            found[_text(name)] = files
    return found


def joined(cells):
    """Return the text and the attachments of cells that are one written answer."""
    texts, files = [], {}
    for cell in cells:
        text = cell.text
        for name, bundle in cell.attachments.items():
            new, number = name, 2
            while files.get(new, bundle) != bundle:
                new, number = f"{number}-{name}", number + 1
            if new != name:
                for spelled in {name, quote(name)}:
                    text = text.replace(f"attachment:{spelled}", f"attachment:{quote(new)}")
            files[new] = bundle
        texts.append(text.strip("\n"))
    return "\n\n".join(texts), files


def shown(text, attachments, elsewhere):
    """Return what makes a markdown cell show all that it holds: text, attachments, what is missing.

    Args:
        text: Of the cell.
        attachments: Of the cell.
        elsewhere: Attachments of the other cells, where a merged or copied text may point to.

    nbconvert stops at a picture that it does not find, and it looks for the name as an address
    spells it ("%20" for a blank).
    """
    asked = _asked(text)
    if asked is None:
        return fenced(text), attachments, []
    files, missing = dict(attachments), []
    for name in asked:
        own, other = _find(name, attachments), _find(name, elsewhere)
        if name in files:
            continue
        if own or other:
            files[name] = attachments[own] if own else elsewhere[other]
        else:
            files[name] = {"image/svg+xml": _missing(name)}
            missing.append(name)
    used = {_find(name, attachments) for name in asked}
    for number, name in enumerate(n for n in attachments if n not in used):
        # A picture to which only HTML points, or nothing.
        address = name if re.fullmatch(r"[A-Za-z0-9._-]+", name) else f"attached-{number}"
        files[address] = files[name]
        label = re.sub(r"[^\w.-]+", " ", name)
        text = f"{text}\n\n![{label}](attachment:{address})".lstrip("\n")
    return text, files, missing


def _asked(text):
    """Return the names of the attachments that nbconvert looks for, or None if it cannot."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Asked(dict):
        def __contains__(self, name):
            self[name] = {"image/png": ""}
            return True

    asked = Asked()
    try:
        MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=asked)).render(text)
    except Exception:  # a text that it cannot show must not cost the marks of the tests
        return None
    return list(asked)


def _find(name, attachments):
    wanted = {_same(name), _same(unquote(name)), _same(unquote(unescape(name)))}
    return next((key for key in attachments if _same(key) in wanted), None)


def _same(name):
    return unicodedata.normalize("NFC", name)


def _missing(name):
    label = re.sub(r"[^\w. -]+", " ", unquote(name))[:80]
    picture = '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="24"><text y="18">'
    picture += f"missing picture: {label}</text></svg>"
    return base64.b64encode(picture.encode()).decode()


def fenced(text, remark=""):
    """Return a markdown text that shows a text as it is, letter by letter."""
    longest = max([2, *(len(run) for run in re.findall("`+", text))])
    fence = "`" * (longest + 1)
    return f"{remark}\n\n{fence}\n{text}\n{fence}".strip()


def find_run(lines_of_one, lines_of_other):
    """Return where the lines of one text stand in another as a block, or None."""
    size = len(lines_of_one)
    for start in range(len(lines_of_other) - size + 1):
        if lines_of_other[start : start + size] == lines_of_one:
            return start
    return None


def same(one, other):
    """Whether two texts are the same but for blanks at the ends of lines and empty lines around."""
    return lines(one) == lines(other)
