"""The page of questions: what the notebooks ask under two of their headings, with folded answers."""

from sources import SiteError, with_links

HEADINGS = ("Check yourself", "On your own")
PLACE = "notebooks/questions.md"  # beside the notebooks, so that links in the texts hold
INTRO = """# Check yourself

The questions at the end of each notebook, with their answers folded, and its exercises. A notebook whose questions are easy for you need not be read.
"""


def section(notebook, heading):
    """The Markdown under a `##` heading of a notebook, up to the next one; "" if there is none."""
    prose = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    _, found, rest = f"\n{prose}".partition(f"\n## {heading}\n")
    return rest.partition("\n## ")[0].strip() if found else ""


def page(notebooks, titles, known):
    """The page as Markdown.

    Args:
        notebooks: `{stem: notebook}` of the series.
        titles: `{stem: title}`, with the number.
        known: paths of everything that is a page, see `sources.with_links`.

    Raises:
        SiteError: If no notebook has questions, or a notebook has no title.
    """
    parts = [INTRO]
    for stem, notebook in sorted(notebooks.items()):
        if stem not in titles:
            raise SiteError(f"README.md does not list {stem}.")
        found = {heading: section(notebook, heading) for heading in HEADINGS}
        if any(found.values()):
            parts.append(f"## [{titles[stem]}]({stem}.ipynb)\n")
        parts += [f"### {heading}\n\n{text}\n" for heading, text in found.items() if text]
    if len(parts) == 1:
        raise SiteError(f"no notebook has a section {' or '.join(HEADINGS)}")
    return with_links("\n".join(parts), PLACE, known)
