"""What the pages are made of: notebooks without their badges, links that lead somewhere online.

Everything here takes text or a notebook and returns the same changed. Nothing is written.
"""

import copy
import os
import posixpath
import re
from pathlib import Path

from authoring import notebook_cells
from helpers.runs.index import drop_descriptions

ROOT = Path(os.environ.get("SITE_PROJECT") or Path(__file__).resolve().parents[2])
BADGES = re.compile(r"^.*<!--badges-->.*$", re.M)
BADGE = re.compile(r"\[!\[(?P<says>[^\]]*)\]\([^)]*\)\]\((?P<url>[^)\s]*)\)")
LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)#\s]+)(?P<after>(?:#[^)\s]*)?\))")
FENCE = re.compile(r"(^(```+|~~~+).*?^\2[ \t]*$)", re.M | re.S)
# Pages of the site whose text lies elsewhere in the project, and their place on the site.
PLACED = {f"docs/site/{name}.md": f"{name}.md" for name in ("glossary", "latents")}
MAX_BYTES = 3 * 2**20


class SiteError(ValueError):
    """Something in the project that the site cannot be built from."""


def repository():
    """The address of the repository, from pyproject's [project.urls]."""
    return notebook_cells.repository(ROOT)[1]


def page_of(notebook, place, pages):
    """A notebook as the site shows it.

    The pictures of the badges lie on other hosts, so the badges become links in words. Folded
    descriptions go: here each picture carries its text itself. The cell for Colab is not shown.

    Args:
        notebook: as `nbformat.read` gives it; not changed.
        place: the notebook's path in the project, with forward slashes.
        pages: paths of everything that is a page, see `with_links`.
    """
    page = drop_descriptions(copy.deepcopy(notebook))
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links(in_words(cell.source, place), place, pages)
        tags = cell.metadata.get("tags", [])
        if "colab" in tags:
            cell.metadata["tags"] = [*tags, "remove-cell"]
        elif "results" in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]
    return page


def in_words(text, place):
    """The line of badges as links in words."""

    def words(line):
        links = [f"[{m['says']}]({m['url']})" for m in BADGE.finditer(line[0])]
        links.append(f"[the file]({repository()}/blob/main/{place})")
        return "Run it: " + " · ".join(links)

    return BADGES.sub(words, text)


def with_links(text, place, pages):
    """Send links to files that are no pages to the repository.

    Args:
        text: Markdown.
        place: its path in the project, with forward slashes.
        pages: paths of everything that is a page, in the project.

    Raises:
        SiteError: If a link leads to no file of the project.
    """

    def rewritten(match):
        target = match["target"]
        if re.match(r"[a-z]+:|<", target):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
        if path in pages or path.endswith((".png", ".svg")):
            return match[0]
        if path in PLACED and match["after"] == ")":
            near = posixpath.relpath(PLACED[path], posixpath.dirname(place) or ".")
            return f"{match['before']}{near})"
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        if not (ROOT / path).exists() or path.startswith(".."):
            raise SiteError(f"{place} links to {target}, and there is no such file.")
        return f"{match['before']}{repository()}/{kind}/main/{path}{match['after']}"

    parts = FENCE.split(text)  # text, fence, its mark, text, fence, ...
    return "".join(
        LINK.sub(rewritten, part) if i % 3 == 0 else part if i % 3 == 1 else ""
        for i, part in enumerate(parts)
    )


def check_size(path, limit=MAX_BYTES):
    """Raise a SiteError for a notebook above the limit: a page of it would be slow to open."""
    size = path.stat().st_size
    if size > limit:
        raise SiteError(f"{path.name} has {size / 2**20:.1f} MB; {limit / 2**20:.0f} MB at most.")
