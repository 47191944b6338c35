"""The pages of questions and of exercises: what the notebooks ask, with folded answers."""

import re

from sources import SiteError, with_links

HEADINGS = ("Check yourself", "On your own")
PLACE = "notebooks/questions.md"  # beside the notebooks, so that links in the texts hold
EXERCISES_PLACE = "notebooks/exercises.md"
INTRO = """# Check yourself

The questions at the end of each notebook, with their answers folded, and its exercises. A notebook whose questions are easy for you need not be read.
"""
EXERCISES_INTRO = """# Exercises

The exercises of all notebooks, with their solutions folded. Pencil and paper are enough for most. In its notebook, each one has a cell that checks your answer.
"""
EXERCISE = re.compile(r"^\*\*Exercise[ .\d]", re.M)
SOLUTION = re.compile(r"<details><summary>Solutions?</summary>.*?</details>", re.S)


def section(notebook, heading):
    """The Markdown under a `##` heading of a notebook, up to the next one; "" if there is none."""
    prose = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    _, found, rest = f"\n{prose}".partition(f"\n## {heading}\n")
    return rest.partition("\n## ")[0].strip() if found else ""


def exercises(notebook):
    """The exercises of a notebook, each with its folded solution: a list of Markdown texts.

    An exercise ends its cell; a cell for the answer follows, and then the solution.

    Raises:
        SiteError: If an exercise has no solution after it.
    """
    found, question = [], None
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        if question is not None:
            solution = SOLUTION.match(cell.source)
            if not solution:
                raise SiteError(f"no solution follows the exercise: {question[:80]}")
            found.append(f"{question}\n\n{solution[0]}")
        asked = EXERCISE.search(cell.source)
        question = cell.source[asked.start() :].strip() if asked else None
    if question is not None:
        raise SiteError(f"no solution follows the exercise: {question[:80]}")
    return found


def page(notebooks, titles, known):
    """The page of questions as Markdown.

    Args:
        notebooks: `{stem: notebook}` of the series.
        titles: `{stem: title}`, with the number.
        known: paths of everything that is a page, see `sources.with_links`.

    Raises:
        SiteError: If no notebook has questions, or a notebook has no title.
    """
    asked = {}
    for stem, notebook in notebooks.items():
        parts = {heading: section(notebook, heading) for heading in HEADINGS}
        asked[stem] = [f"### {heading}\n\n{text}" for heading, text in parts.items() if text]
    return _page(INTRO, asked, PLACE, titles, known)


def exercises_page(notebooks, titles, known):
    """The page of exercises as Markdown; arguments and errors as for `page`."""
    asked = {stem: exercises(notebook) for stem, notebook in notebooks.items()}
    return _page(EXERCISES_INTRO, asked, EXERCISES_PLACE, titles, known)


def _page(intro, asked, place, titles, known):
    parts = [intro]
    for stem, texts in sorted(asked.items()):
        if stem not in titles:
            raise SiteError(f"README.md does not list {stem}.")
        if texts:
            parts += [f"## [{titles[stem]}]({stem}.ipynb)\n", *(f"{text}\n" for text in texts)]
    if len(parts) == 1:
        raise SiteError(f"no notebook asks anything for {place}")
    return with_links("\n".join(parts), place, known)
