"""Notebook 18 accounts for every item of its list, and for every entry of the references.

The list stands in the notebook's appendix. Each function below returns problems, and doctored
copies show that it can.
"""

import re

import notebook_checks as checks
import pytest

from helpers.runs.notebooks import series
from helpers.runs.results import read_results

ITEMS, ENTRIES, TESTED = 85, 38, 25
# Notebooks of the series that the list names and that may arrive after this one.
COMING = {"12", "15", "17"}
PRINTED = re.compile(r"^\[(\d+)\] \S", flags=re.M)
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| ([^|]+) \|$", flags=re.M)
KNOWN = re.compile(f"{checks.DOI}|{checks.ARXIV}|{checks.URL}", re.I)


@pytest.fixture(scope="module")
def stored():
    (path,) = [p for p in series() if p.name.startswith("18_")]
    return checks.Stored.read(path)


def printed(nb, marked):
    """Numbers of the items that cells print a test of, of marked cells or of all."""
    cells = nb.code("nbval-check-output" if marked else None)
    texts = (o.get("text", "") for c in cells for o in c.outputs if o.output_type == "stream")
    return [int(n) for text in texts for n in PRINTED.findall(text)]


def appendix(nb):
    """`{item: (the article, right, where)}` of the appendix, and the items in their order."""
    rows = ROW.findall(nb.prose().partition("\n## Appendix")[2])
    return {int(n): rest for n, *rest in rows}, [int(n) for n, *_ in rows]


def list_problems(nb):
    """Each item once and in order, said what is right, with a place that exists."""
    rows, order = appendix(nb)
    problems = []
    if order != list(range(1, ITEMS + 1)):
        odd = sorted(set(range(1, ITEMS + 1)) ^ set(order)) or "their order"
        problems.append(f"the appendix must hold the items 1 to {ITEMS}, each once; see {odd}")
    existing = {p.name[:2] for p in series()} | COMING
    for item, (fault, right, where) in rows.items():
        places = where.split(", ")
        strange = [w for w in places if w not in existing and w not in ("here", "–")]
        if strange or ("–" in places and len(places) > 1):
            problems.append(f"item {item}: {where!r} names no place")
        if min(len(fault), len(right)) < 5:
            problems.append(f"item {item} says too little")
    return problems


def here_problems(nb):
    """What the appendix calls tested here is what cells print, once; enough of it is compared."""
    rows, _ = appendix(nb)
    here = sorted(item for item, (*_, where) in rows.items() if "here" in where.split(", "))
    found = sorted(printed(nb, marked=False))
    problems = []
    if found != here:
        odd = sorted(set(here) ^ set(found)) or "an item twice"
        problems.append(f"tested, and said to be tested here, are not the same: {odd}")
    if found != sorted(read_results(nb.node)["results"]["shown"]):
        problems.append("the record counts other items than the cells print")
    compared = len(set(printed(nb, marked=True)))
    if compared < TESTED:
        problems.append(f"nbval compares {compared} items; at least {TESTED}")
    claims = {int(n) for n in re.findall(r"\[(\d+)\]\.?\*\*", nb.prose())}
    if claims - set(found):
        problems.append(f"a claim without a test: {sorted(claims - set(found))}")
    return problems


def reference_problems(nb):
    """The table of the references covers the entries 1 to 38; each row tells what can be cited."""
    table = nb.prose().partition("\n| entry, and its copies |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\d+(?: = [\d, ]+)?) \| ([^|]+) \| ([^|]+) \|$", table, flags=re.M)
    entries = sorted(int(n) for row in rows for n in re.findall(r"\d+", row[0]))
    problems = []
    if entries != list(range(1, ENTRIES + 1)):
        odd = sorted(set(range(1, ENTRIES + 1)) ^ set(entries)) or "an entry twice"
        problems.append(f"the references must cover the entries 1 to {ENTRIES}: {odd}")
    lost = [number for number, _, cite in rows if not KNOWN.search(cite)]
    if lost:
        problems.append(f"no DOI, arXiv number or address: entries {lost}")
    return problems


@pytest.mark.parametrize("problems", [list_problems, here_problems, reference_problems])
def test_erratum(problems, stored):
    found = problems(stored)
    assert not found, "\n".join(found)


DOCTORED = {
    "a lost item": (list_problems, r"see \[33\]", ("| 33 |", "| x |")),
    "a notebook that is none": (list_problems, "'here, 99'", ("| here, 04 |", "| here, 99 |")),
    "an item unsaid": (list_problems, "too little", ("| one of the two |", "| no |")),
    "tested elsewhere": (here_problems, r"the same: \[5\]", ("inequality | here, 04 |", "inequality | 04 |")),
    "a claim left alone": (here_problems, r"without a test: \[86\]", ("**Claim [5].**", "**Claim [86].**")),
    "a lost entry": (reference_problems, r"\[18\]", ("10 = 18, 26, 34", "10 = 26, 34")),
    "a reference without an address": (reference_problems, r"'12 = 20", ("arXiv:1511.07122 |", "arXiv:1511 |")),
}  # fmt: skip


@pytest.mark.parametrize("case", DOCTORED)
def test_it_goes_red(case, stored):
    problems, message, change = DOCTORED[case]
    doctored = checks.Stored(stored.path, checks.nbformat.from_dict(stored.node), stored.text)
    texts = [c for c in doctored.node.cells if c.cell_type == "markdown" and change[0] in c.source]
    assert texts, f"nothing to doctor: {change[0]}"
    for cell in texts:
        cell.source = cell.source.replace(*change)
    assert re.search(message, "\n".join(problems(doctored)))


def test_too_few_compared_goes_red(stored):
    doctored = checks.Stored(stored.path, checks.nbformat.from_dict(stored.node), stored.text)
    for cell in doctored.code("nbval-check-output")[3:]:
        cell.metadata.tags = []
    assert any("at least 25" in problem for problem in here_problems(doctored))
