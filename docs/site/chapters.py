"""Pages and parts of pages that are written from the notebooks, the README and the package.

The map of notebooks, the list of references and the pages of the API. Each has one source: what
a notebook costs stands in the README, what it asks for in the notebook, what a function does in
its docstring.
"""

import ast
import re
from dataclasses import dataclass, field

from sources import ROOT, SiteError

ROW = re.compile(
    r"^\|\s*\[(?P<number>\d\d) (?P<title>[^\]]+)\]\(notebooks/(?P<file>\S+\.ipynb)\)\s*"
    r"\|\s*(?P<question>[^|]*?)\s*\|\s*(?P<run>[\d.]+)\s*\|\s*(?P<read>[\d.]+)\s*\|$",
    re.M,
)
NEED = re.compile(r"\*\*What you'll need\*\*\s*(?P<list>(?:^[-*] .*\n?)+)", re.M)
ENTRY = re.compile(r'^<a id="term-[\w-]+"></a>\*\*(?P<term>[^*]+)\*\*: (?P<text>\S.*)$')
MEMORY = re.compile(r"([\d.]+) GB of memory")
DOI = re.compile(r"10\.\d{4,9}/[^\s>\]]*[^\s>\].,;]")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})", re.I)
ADDRESS = re.compile(r"https?://[^\s>\])]+")


# ---- the glossary


def glossary_page(text):
    """The glossary as Sphinx has it, from the page with anchors that GitHub shows.

    Args:
        text: of `glossary.md`: an introduction, then a paragraph for each term.

    Raises:
        SiteError: If a paragraph after the first term is not one of a term.
    """
    introduction, anchor, entries = text.partition('<a id="term-')
    lines = []
    for paragraph in f"{anchor}{entries}".strip().split("\n\n"):
        if not (entry := ENTRY.match(paragraph)):
            raise SiteError(f"glossary.md: not a term with its anchor: {paragraph[:60]!r}")
        lines += [entry["term"], f"  {entry['text']}", ""]
    page = "\n".join([introduction.rstrip(), "", ":::{glossary}", *lines[:-1], ":::", ""])
    return page.replace("](../../", "](")  # the site keeps the places that files have


# ---- the map


def map_of_notebooks(readme, notebooks):
    """Cards of all notebooks: number, title, question, minutes, memory, what to read before.

    Args:
        readme: text of README.md; its table names question and minutes.
        notebooks: `{stem: notebook}` of the series.

    Raises:
        SiteError: If the table and the series are not the same notebooks.
    """
    rows = {m["file"].removesuffix(".ipynb"): m for m in ROW.finditer(readme)}
    if set(rows) != set(notebooks):
        odd = ", ".join(sorted(set(rows) ^ set(notebooks)))
        raise SiteError(f"README.md and notebooks/ do not list the same notebooks: {odd}")
    cards = [_card(rows[stem], notebooks[stem], stem) for stem in sorted(notebooks)]
    return "\n".join(
        [":::::{grid} 1 1 2 2", ":gutter: 3", ":class-container: map", *cards, ":::::"]
    )


def contents(readme):
    """The notebooks as lines of a table of contents, with number and short title."""
    return [
        f"{m['number']} {m['title']} <notebooks/{m['file'].removesuffix('.ipynb')}>"
        for m in ROW.finditer(readme)
    ]


def titles(readme):
    """`{stem: number and title}` of every notebook."""
    return {
        m["file"].removesuffix(".ipynb"): f"{m['number']} {m['title']}"
        for m in ROW.finditer(readme)
    }


def next_notebook(readme, stem):
    """What to read after a notebook: a line of Markdown with title and question; "" at the end."""
    rows = list(ROW.finditer(readme))
    files = [m["file"].removesuffix(".ipynb") for m in rows]
    if stem == files[-1]:
        return ""
    after = rows[files.index(stem) + 1]
    return f"**Next:** [{after['number']} {after['title']}]({after['file']}): {after['question']}"


def _card(row, notebook, stem):
    before, memory = needs(notebook)
    words = f"run {row['run']} min · read {row['read']} min" + (f" · {memory} GB" if memory else "")
    if before := [n for n in before if n != row["number"]]:
        words += " · after " + ", ".join(f"`{n}`" for n in before)
    return "\n".join(
        [
            f"::::{{grid-item-card}} {row['number']} {row['title']}",
            f":link: notebooks/{stem}",
            ":link-type: doc",
            f"{row['question']}",
            ":::{card-footer}",
            words,
            ":::",
            "::::",
        ]
    )


def needs(notebook):
    """What a notebook asks for: numbers of notebooks to read before it, and GB of memory."""
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    found = NEED.search(prose)
    text = found["list"] if found else ""
    memory = MEMORY.search(text)
    text = text.replace("`00` measures yours", "")  # of the minutes, and nothing to read before
    return sorted(set(re.findall(r"`(\d\d)`", text))), memory[1] if memory else None


# ---- references


@dataclass
class Reference:
    """One work: how a notebook cites it, its addresses, and which notebooks cite it."""

    text: str
    links: list
    cited_by: list = field(default_factory=list)


def references(notebooks):
    """Every work that a notebook lists under References, once, by author.

    Args:
        notebooks: `{stem: notebook}`.

    Returns:
        List of `Reference`. The same DOI, arXiv number or address is the same work.
    """
    works = {}
    for stem, notebook in sorted(notebooks.items()):
        prose = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
        section = prose.partition("\n## References")[2]
        for item in re.split(r"^\s*(?:[-*]|\d+\.)\s+", section, flags=re.M)[1:]:
            item = " ".join(item.split())
            key, links = identify(item)
            if key is None:
                raise SiteError(f"{stem} cites without DOI, arXiv number or address: {item[:80]}")
            works.setdefault(key, Reference(_words(item), links)).cited_by.append(stem)
    return sorted(works.values(), key=lambda work: surname(work.text))


def identify(item):
    """The key of a cited work, and its links as `(says, address)`; (None, []) if it has none."""
    if found := DOI.search(item.replace("%28", "(").replace("%29", ")")):
        doi = found[0]
        while doi.endswith(")") and doi.count(")") > doi.count("("):
            doi = doi[:-1]
        return doi.lower(), [(f"doi:{doi}", f"https://doi.org/{doi}")]
    if found := ARXIV.search(item):
        # arXiv gives each of its papers a DOI of this form.
        doi = f"10.48550/arXiv.{found[1]}"
        return found[1], [
            (f"arXiv:{found[1]}", f"https://arxiv.org/abs/{found[1]}"),
            (f"doi:{doi}", f"https://doi.org/{doi}"),
        ]
    if found := ADDRESS.search(item):
        address = found[0].rstrip(".,;")
        return address.lower(), [(re.sub(r"^https?://", "", address), address)]
    return None, []


def _words(item):
    """A reference without its addresses."""
    item = re.sub(r"\s*\[[^\]]*\]\(\S+\)\)?", "", item)
    item = re.sub(r"\s*<https?://[^>]+>", "", item)
    return item.strip().rstrip(".") + "."


def surname(text):
    """What a reference is sorted by: its first author's surname, without initials."""
    return re.sub(r"^(?:[A-Z]\w?\.[-\s]*)+", "", text).lower()


def references_page(notebooks):
    """The page of references as Markdown."""
    lines = [
        "# References",
        "",
        "Every work that a notebook cites, and where it is cited. arXiv papers have two links to the same text.",
        "",
    ]
    for work in references(notebooks):
        links = " · ".join(f"[{says}](<{address}>)" for says, address in work.links)
        cited = ", ".join(f"[{s[:2]}](notebooks/{s}.ipynb)" for s in dict.fromkeys(work.cited_by))
        lines.append(f"- {work.text} {links} (in {cited})")
    return "\n".join(lines) + "\n"


# ---- the package

# Parts of the list of modules: what a learner reads first, then topics, then what starts and grades.
# A module stands under the part that has its folder, or file, below `helpers`.
PARTS = {
    "The small module": (
        "layers", "losses", "networks", "models", "pyramids", "photo_networks", "training", "backend",
        "checkpoint", "pretrained", "progress", "checks",
    ),
    "Topics": (
        "data", "metrics", "plots", "edges", "segmentation", "uncertainty", "generative",
        "experiments",
    ),
    "Machine rooms, which no learner needs to enter": ("runs", "grading"),
}  # fmt: skip


def modules(package="helpers"):
    """`(name, first line of the docstring)` of every public module, packages before theirs.

    The package itself is first; then what `PARTS` lists, in its order.

    Raises:
        SiteError: If a module stands in no part.
    """
    order = [package, *(f"{package}.{name}" for names in PARTS.values() for name in names)]
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        elif parts[-1].startswith("_"):
            continue
        says = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found.append((".".join(parts), says.partition("\n")[0]))
    if strange := {_top(name) for name, _ in found} - set(order):
        raise SiteError(f"chapters.PARTS names no part for {', '.join(sorted(strange))}")
    return sorted(found, key=lambda module: (order.index(_top(module[0])), module[0]))


def _top(name):
    """`helpers.data` of `helpers.data.crops`."""
    return ".".join(name.split(".")[:2])


def api_pages(package="helpers"):
    """`{file: Markdown}`: a page for each module, and one that lists them, part by part."""
    listed = modules(package)
    # A list and no table: names of modules would leave no room beside them on a narrow screen.
    entries = []
    for title, names in {"": (), **PARTS}.items():
        tops = {f"{package}.{name}" for name in names} or {package}
        entries += ["", f"## {title}", ""] if title else []
        entries += [
            f"- [`{name}`]({name}.md): {says}" for name, says in listed if _top(name) in tops
        ]
    tree = ["```{toctree}", ":hidden:", "", *(name for name, _ in listed), "```"]
    intro = (
        "What the notebooks share. What a notebook teaches it builds in its own cells; what it "
        "needs it takes from here. The source of each page is the module's docstrings; examples "
        "take `np`, `keras` and the modules of `helpers` as imported, and a test runs them."
    )
    pages = {"index.md": "\n".join(["# The package", "", intro, "", *entries, "", *tree]) + "\n"}
    for name, _ in listed:
        options = ["   :members:", "   :ignore-module-all:", "```"]
        body = ["```{eval-rst}", f".. automodule:: {name}", *options]
        pages[f"{name}.md"] = "\n".join([f"# {name}", "", *body]) + "\n"
    return pages
