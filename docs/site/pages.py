"""Checks of built pages: pictures say what is seen, links lead somewhere, nothing comes from afar.

Standard library only, so that the checks themselves are tested everywhere.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes by which a page makes the browser load something.
LOADS = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
}
# Links in the head that tell of another page and load nothing.
TELLS = {"index", "search", "next", "prev", "canonical", "author", "license", "copyright", "up"}
SHORTEST = 25  # characters of an alternative text of a figure, as in `plots.check_alt`
CSS_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class Page(HTMLParser):
    """What one page loads, shows and links to."""

    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.loads, self.ids = [], [], [], set()
        self.text, self.language = text, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "html":
            self.language = given.get("lang")
        if tag == "img":
            self.images.append((given.get("src") or "", given.get("alt"), given.get("class") or ""))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and set((given.get("rel") or "").split()) & TELLS:
            return
        for name in LOADS.get(tag, ()):
            if given.get(name):
                self.loads.append(given[name].split()[0])

    handle_startendtag = handle_starttag


def check_site(folder, place=None):
    """Every problem of a built site, one line each.

    Args:
        folder: of the pages.
        place: where the project lies on this machine; no page may tell.
    """
    folder = Path(folder)
    # Below _static lie templates of the theme, not pages.
    paths = [p for p in sorted(folder.rglob("*.html")) if folder / "_static" not in p.parents]
    pages = {p: Page(p.read_text(encoding="utf-8")) for p in paths}
    problems = []
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        problems += [f"{name}: {problem}" for problem in check_page(page)]
        if place and str(place) in page.text:
            problems.append(f"{name}: names a folder of this machine, {place}")
        for link in [*page.links, *page.loads]:
            if problem := _leads_nowhere(link, path, folder, pages):
                problems.append(f"{name}: {problem}")
    for path in sorted(folder.rglob("*.css")):
        for found in CSS_URL.findall(path.read_text(encoding="utf-8", errors="replace")):
            if re.match(r"(https?:)?//", address := found[0] or found[1]):
                problems.append(f"{path.relative_to(folder).as_posix()}: loads {address}")
    return problems


def check_page(page):
    """What is wrong with a page by itself."""
    problems = [] if page.language else ["the page names no language"]
    for source, alt, kind in page.images:
        if "_static/" in source:  # the theme's own: empty is right where words stand beside it
            if alt is None:
                problems.append(f"a picture without alt: {source}")
        elif len((alt or "").strip()) < SHORTEST:
            problems.append(
                f"a picture whose alt does not tell what is seen: {source} {alt!r} {kind}"
            )
    for address in page.loads:
        if re.match(r"(https?:)?//", address):
            problems.append(f"loads {address}")
    return problems


def _leads_nowhere(link, path, folder, pages):
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith("data:"):
        return None
    target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
    if parts.path.startswith("/"):
        return f"a link from the root of the host: {link}"
    if target.is_dir():
        target = target / "index.html"
    if not target.is_file():
        return f"a link to nothing: {link}"
    if not target.is_relative_to(folder.resolve()):
        return f"a link out of the site: {link}"
    found = pages.get(folder / target.relative_to(folder.resolve()))
    if parts.fragment and found and unquote(parts.fragment) not in found.ids:
        return f"a link to no place on its page: {link}"
    return None
