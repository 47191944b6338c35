"""What every stored notebook must be, as functions that return a list of problems.

`test_notebooks.py` runs them on the notebooks, and on doctored copies of a tiny one.
"""

import ast
import dataclasses
import html
import io
import os
import re
from pathlib import Path

import nbformat
from PIL import Image, ImageChops, ImageStat

from authoring import cover, glossary_links, notebook_cells, number_markers
from helpers.plots import DETAILS, check_alt
from helpers.runs import results
from helpers.runs.notebooks import BadRequest
from helpers.runs.parameter_cells import read_parameters
from helpers.runs.parameters import gather
from helpers.runs.rules import check_value

MAX_WIDTH, MAX_CELL_LINES, MAX_BYTES = 96, 40, 3 * 2**20
HEADINGS = ("What you saw", "On your own", "References")
# A title starts with what the reader does. Add a verb where a new notebook needs it.
VERBS = {
    "attach", "build", "compare", "count", "derive", "detect", "draw", "explain", "find", "finish", "label",
    "learn", "look", "measure", "meet", "read", "repair", "run", "say", "score", "see", "segment", "set", "spot", "start", "take", "teach",
    "test", "train", "trace", "use", "watch",
}  # fmt: skip
DOI = r"\b10\.\d{4,9}/[^\s<>)\]]+[^\s<>)\].,;]"
ARXIV = (
    r"\barXiv:(?:\d{4}\.\d{4,5}|[a-z-]+/\d{7})\b|arxiv\.org/abs/(?:\d{4}\.\d{4,5}|[a-z-]+/\d{7})\b"
)
URL = r"https?://(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/[^\s<>)\]]*)?"


@dataclasses.dataclass
class Stored:
    """A stored notebook with where it lies and its paired text."""

    path: Path
    node: nbformat.NotebookNode
    text: str

    @classmethod
    def read(cls, path):
        pair = path.parent / "py" / f"{path.stem}.py"
        text = pair.read_text(encoding="utf-8") if pair.exists() else ""
        return cls(path, nbformat.read(path, as_version=4), text)

    def code(self, tag=None):
        cells = [c for c in self.node.cells if c.cell_type == "code"]
        return cells if tag is None else [c for c in cells if tag in tags(c)]

    def prose(self):
        return "\n\n".join(c.source for c in self.node.cells if c.cell_type == "markdown")

    def outputs(self):
        return [(c, o) for c in self.code() for o in c.outputs]


def tags(cell):
    return cell.metadata.get("tags", [])


def check_opening(nb):
    """A title with a verb, what you'll do, learn and need, badges, then Colab, then parameters."""
    problems = []
    first = nb.node.cells[0]
    match = re.match(r"# (?:\d+\W+)?(\w+)", first.source)
    if first.cell_type != "markdown" or not match:
        return ["the first cell must be markdown that starts with a '# Title'"]
    if match[1].lower() not in VERBS:
        problems.append(f"the title must start with a verb, not {match[1]!r} (see VERBS)")
    kinds = [c.cell_type for c in nb.node.cells]
    start = kinds.index("code") if "code" in kinds else len(kinds)
    opening = "\n".join(c.source for c in nb.node.cells[:start]).replace("\u2019", "'")
    for part in ("What you'll do", "What you'll learn", "What you'll need"):
        if part not in opening:
            problems.append(f"the opening lacks {part!r}")
    need = opening.partition("What you'll need")[2]
    if not re.search(r"\d[^.]*\bmin", need) or not re.search(r"\d[^\n]*\b[GM]B\b", need):
        problems.append("'What you'll need' must tell minutes and memory (GB or MB) as measured")
    if notebook_cells.badges(nb.path.stem) not in opening:
        problems.append("the opening lacks the <!--badges--> line as the build writes it")
    code = nb.code()
    if not code or "colab" not in tags(code[0]) or code[0].source != notebook_cells.colab_cell():
        problems.append(
            "the first code cell must be the one tagged 'colab', as the build writes it"
        )
    if len(code) < 3 or "parameters" not in tags(code[1]):
        problems.append("the second code cell must be the one tagged 'parameters'")
    elif "check_parameters(" not in code[2].source or "set_up(" not in code[2].source:
        problems.append("the third code cell must call check_parameters and set_up")
    return problems


def check_picture(nb):
    """The opening shows the figure of the cell tagged `picture`, as the build stores it."""
    stem = nb.path.stem
    try:
        png, alt = cover.figure_of(nb.node)
    except BadRequest as error:
        return [str(error)]
    if cover.line(alt, stem) not in nb.node.cells[0].source:
        return ["the first cell lacks the <!--picture--> line as the build writes it"]
    kept = nb.path.parents[1] / "docs" / "pictures" / f"{stem[:2]}.png"
    if not kept.is_file() or not _alike(kept.read_bytes(), cover.smaller(png)):
        return [
            f"docs/pictures/{kept.name} is not the figure: python -m authoring build {stem[:2]} --prose"
        ]
    return []


def _alike(one, other):
    """Whether two PNGs show the same; how Pillow packs them may differ from version to version."""
    one, other = (Image.open(io.BytesIO(png)).convert("RGB") for png in (one, other))
    return one.size == other.size and max(ImageStat.Stat(ImageChops.difference(one, other)).rms) < 4


def check_parameter_rules(nb):
    """Plain literals, a comment each, a rule each, and defaults within their own rules."""
    try:
        parameters = read_parameters(nb.node)
    except (ValueError, SyntaxError) as error:
        return [str(error)]
    problems = [f"parameter {n!r} has no rule" for n, p in parameters.items() if p.rule is None]
    checked = (check_value(n, p.default, p.rule) for n, p in parameters.items() if p.rule)
    return problems + [p for p in checked if p]


def check_profiles(nb):
    """A smoke file exists; every parameter file names known parameters within their rules."""
    folder, number = nb.path.parent / "parameters", nb.path.name[:2]
    problems = []
    if not (folder / f"{number}.smoke.yaml").exists():
        problems.append(f"parameters/{number}.smoke.yaml is missing")
    for path in sorted(folder.glob(f"{number}.*.yaml")):
        try:
            gather(nb.path, "default", files=[path])
        except BadRequest as error:
            problems.append(f"{path.name}: {error}")
    return problems


def check_headings(nb):
    """What you saw, On your own, References: in this order, at the end."""
    found = re.findall(r"^## (.+?)\s*$", nb.prose(), flags=re.M)
    if tuple(h for h in found if h in HEADINGS) != HEADINGS:
        return [f"the headings must be {', '.join(HEADINGS)} in this order; there are {found}"]
    return [] if found[-1] == "References" else ["References must be the last heading"]


def check_lines(nb):
    """Short lines and short cells, so that a cell can be read.

    A line has at most 96 characters, comments too. Lines that hold nothing but a description of a
    figure (the text of `alt=` or `alt = "..."`) may be longer. A cell has at most 40 lines. Empty
    lines do not count, nor do lines of magic (`%%time`) and a line of tags (`# %% tags=[...]`);
    comments, brackets and descriptions do. The cell tagged `colab` is the build's own.
    """
    problems = []
    for cell in nb.code():
        if "colab" in tags(cell):
            continue
        lines = cell.source.splitlines()
        counted = [s for line in lines if (s := line.strip()) and not re.match(r"%|# ?%%", s)]
        if len(counted) > MAX_CELL_LINES:
            problems.append(
                f"a cell of {len(counted)} lines, at most {MAX_CELL_LINES}: {counted[0]!r} ..."
            )
        described = _lines_of_descriptions(cell.source)
        problems += [
            f"a line of {len(line)} characters, at most {MAX_WIDTH}: {line.strip()[:60]!r} ..."
            for number, line in enumerate(lines, start=1)
            if len(line) > MAX_WIDTH and number not in described
        ]
    return problems


def check_glossary(nb):
    """The first use of a term is a link to the glossary."""
    return [
        f"the first use of {term!r} has no link: python -m authoring glossary {nb.path.name[:2]}"
        for term, *_ in reversed(glossary_links.missing(nb.prose()))
    ]


def _lines_of_descriptions(source):
    """Numbers of the lines with nothing on them but the text of `alt=` or of `alt = ...`."""
    # A line of magic is no Python.
    lines = [re.sub(r"^(\s*)[%!].*", r"\1pass", line) for line in source.splitlines()]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return set()
    values = [n.value for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "alt"]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "alt":
            values.append(node.value)
    rest = [line.encode() for line in lines]  # columns of the tree are bytes
    touched = set()
    for value in values:
        if not isinstance(value, (ast.Constant, ast.JoinedStr)):
            continue
        for number in range(value.lineno, value.end_lineno + 1):
            start = value.col_offset if number == value.lineno else 0
            end = value.end_col_offset if number == value.end_lineno else None
            line = rest[number - 1]
            rest[number - 1] = line[:start] + (b"" if end is None else line[end:])
            touched.add(number)
    return {n for n in touched if re.fullmatch(rb"[\s(]*(alt\s*=)?[\s(),]*", rest[n - 1])}


def check_size(nb):
    """No empty code cell, and not too many bytes as stored."""
    problems = ["an empty code cell" for cell in nb.code() if not cell.source.strip()]
    size = os.path.getsize(nb.path)
    if size > MAX_BYTES:
        problems.append(f"{size / 2**20:.1f} MB as stored; at most 3")
    return problems


def check_executed(nb):
    """Every code cell ran, in order, without error and without a word on stderr."""
    problems = []
    counts = [c.execution_count for c in nb.code()]
    if counts != list(range(1, len(counts) + 1)):
        problems.append(f"the cells must be executed in order; their counts are {counts}")
    for _, output in nb.outputs():
        if output.output_type == "error":
            problems.append(f"an error output: {output.ename}: {output.evalue}")
        if output.output_type == "stream" and output.name == "stderr":
            problems.append(f"text on stderr: {output.text[:80]!r}")
    problems += [f"an absolute path: {p}" for p in notebook_cells.absolute_paths(nb.node)]
    if nb.node.metadata.get("kernelspec", {}).get("name") != "python3":
        problems.append("the stored kernel must be python3, which every machine has")
    return problems


def check_figures(nb):
    """Every picture is a PNG with alternative text, and its folded description follows."""
    problems = []
    for cell in nb.code():
        for i, output in enumerate(cell.outputs):
            data = output.get("data", {})
            problems += [
                f"a picture that is {k}, not PNG"
                for k in ("image/jpeg", "image/svg+xml")
                if k in data
            ]
            if "image/png" not in data:
                continue
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            try:
                alt = check_alt(alt)
            except ValueError as error:
                problems.append(f"In [{cell.execution_count}]: {error}")
                continue
            after = cell.outputs[i + 1] if i + 1 < len(cell.outputs) else {}
            folded = after.get("data", {}).get("text/html", "")
            if DETAILS not in folded or html.escape(alt) not in folded:
                problems.append(f"In [{cell.execution_count}]: no folded description of {alt!r}")
    problems += [
        f"a picture without text in the prose: {m}"
        for m in re.findall(r"!\[\s*\]\([^)]*\)", nb.prose())
    ]
    return problems


def check_references(nb):
    """Each reference has a DOI, an arXiv number or an address, well formed."""
    section = nb.prose().partition("\n## References")[2]
    items = re.split(r"^\s*(?:[-*]|\d+\.)\s+", section, flags=re.M)[1:]
    if not items:
        return ["the section References lists nothing"]
    known = re.compile(f"{DOI}|{ARXIV}|{URL}", re.I)
    return [
        f"no DOI, arXiv or URL: {' '.join(i.split())[:80]}" for i in items if not known.search(i)
    ]


def check_pair(nb):
    """The notebook and its text in notebooks/py say the same."""
    if not nb.text:
        return [f"py/{nb.path.stem}.py is missing"]
    pair = notebook_cells.to_notebook(nb.text)
    here, there = (
        [(c.cell_type, c.source.strip(), tags(c)) for c in n.cells] for n in (nb.node, pair)
    )
    if here == there:
        return []
    for mine, other in zip(here, there):
        if mine != other:
            return [f"differs from py/{nb.path.stem}.py at {mine[1][:60]!r} / {other[1][:60]!r}"]
    return [f"{len(here)} cells here, {len(there)} in py/{nb.path.stem}.py"]


def check_record(nb):
    """One record from the cell tagged results, of a default run, inside its bands."""
    if len(nb.code("results")) != 1:
        return [f"one cell must be tagged 'results', not {len(nb.code('results'))}"]
    try:
        payload = results.read_results(nb.node)
    except ValueError as error:
        return [str(error)]
    problems = results.outside_bands(payload, "default")
    if payload["profile"] != "default":
        problems.append(f"recorded by profile {payload['profile']!r}, not by a default run")
    shown = [o.data for o in nb.code("results")[0].outputs if results.MIME in o.get("data", {})]
    if not shown:
        problems.append("the record must be displayed by the cell tagged 'results'")
    elif not _as_today(payload, shown[0].get("text/plain", ""), shown[0].get("text/html")):
        problems.append("the record's table is displayed otherwise than `record` does it today")
    if not payload["headline"]:
        problems.append("the record has no headline")
    return problems


def _as_today(payload, table, folded):
    """Whether a record is displayed as `record` does it; a stored payload has lost its order."""
    same = sorted(table.splitlines()) == sorted(results.table_of(payload).splitlines())
    return same and folded == results.folded(payload, table)


def check_citations(nb):
    """Each number that the prose takes from the record equals it, and each marker can be read."""
    try:
        record = results.read_results(nb.node)["results"]
    except ValueError as error:
        return [str(error)]
    wrong = number_markers.wrong_numbers(nb.prose(), record) + number_markers.misplaced(nb.node)
    problems = [f"{nb.path.name}: {sentence}" for sentence in wrong]
    if not number_markers.cited_numbers(nb.prose()):
        problems.append("the prose cites no number of the record (12.3<!--=key-->)")
    elif "in the stored run" not in nb.prose().lower():
        problems.append("the prose must say that its numbers are those 'in the stored run'")
    return problems


def check_marked(nb):
    """Cells marked for nbval have a stored output to compare with, and assert on their own."""
    marked = nb.code("nbval-check-output")
    problems = [] if marked else ["no cell is marked nbval-check-output"]
    for cell in marked:
        start = cell.source.strip().splitlines()[0]
        texts = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
        if cell.execution_count is None or not "".join(texts).strip():
            problems.append(f"a marked cell without a stored output: {start!r}")
        if "assert" not in cell.source:
            problems.append(f"a marked cell that asserts nothing: {start!r}")
    return problems


CHECKS = [
    value
    for name, value in sorted(globals().items())
    if name.startswith("check_") and value.__module__ == __name__
]
