"""The list of the article's faults is whole, notebook 18 tells what the list says that it tells.

The list stands in docs/article_errata.md. Each function returns problems, and doctored copies show
that it can. What the list says of single lines of Keras is run.
"""

import re
from collections import Counter
from pathlib import Path

import keras
import notebook_checks as checks
import numpy as np
import pytest
from keras import layers

from helpers.runs.notebooks import series

PAGE = Path(__file__).parents[1] / "docs" / "article_errata.md"
ITEMS, ENTRIES, TOLD = 85, 38, 15
TESTS = ("limit", "count", "run", "control", "look up")
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| ([^|]+) \| ([^|]+) \|$", flags=re.M)
KNOWN = re.compile(f"{checks.DOI}|{checks.ARXIV}|{checks.URL}", re.I)


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text("utf-8")


@pytest.fixture(scope="module")
def prose():
    (path,) = [p for p in series() if p.name.startswith("18_")]
    return checks.Stored.read(path).prose()


def rows_of(page):
    """`{item: (the article, right, test, places)}` of the list, and the items in their order."""
    rows = ROW.findall(page)
    items = {int(n): (*rest, where.split(", ")) for n, *rest, where in rows}
    return items, [int(n) for n, *_ in rows]


def list_problems(page, prose):
    """Each item once and in order, said what is right, with a test and a place that exist."""
    rows, order = rows_of(page)
    problems = []
    if order != list(range(1, ITEMS + 1)):
        odd = sorted(set(range(1, ITEMS + 1)) ^ set(order)) or "their order"
        problems.append(f"the list must hold the items 1 to {ITEMS}, each once; see {odd}")
    existing = {p.name[:2] for p in series()}
    for item, (fault, right, test, places) in rows.items():
        if places != ["–"] and set(places) - existing:
            problems.append(f"item {item}: {places} names no place")
        if test not in TESTS:
            problems.append(f"item {item}: {test!r} is no kind of test")
        if min(len(fault), len(right)) < 5:
            problems.append(f"item {item} says too little")
    said = re.findall(r"^\| ([a-z ]+) \| [^|]+ \| (\d+) \|$", page, flags=re.M)
    counted = Counter(test for _, _, test, _ in rows.values())
    if {test: int(count) for test, count in said} != dict(counted):
        problems.append(f"the table of tests must say {dict(counted)}")
    return problems


def told_problems(page, prose):
    """What the list places in notebook 18 is what the notebook tells, once."""
    rows, _ = rows_of(page)
    here = sorted(item for item, (*_, places) in rows.items() if "18" in places)
    told = sorted(int(n) for n in re.findall(r"\*\*Item (\d+)\.\*\*", prose))
    problems = []
    if told != here:
        odd = sorted(set(here) ^ set(told)) or "an item twice"
        problems.append(f"told, and said to be told in 18, are not the same: {odd}")
    if len(told) != TOLD:
        problems.append(f"the notebook says that it tells {TOLD} items; it tells {len(told)}")
    return problems


def reference_problems(page, prose):
    """The table of the references covers the entries 1 to 38; each row tells what can be cited."""
    table = page.partition("\n| entry, and its copies |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\d+(?: = [\d, ]+)?) \| ([^|]+) \| ([^|]+) \|$", table, flags=re.M)
    entries = sorted(int(n) for row in rows for n in re.findall(r"\d+", row[0]))
    problems = []
    if entries != list(range(1, ENTRIES + 1)):
        odd = sorted(set(range(1, ENTRIES + 1)) ^ set(entries)) or "an entry twice"
        problems.append(f"the references must cover the entries 1 to {ENTRIES}: {odd}")
    right = sum(verdict == "right" for _, verdict, _ in rows)
    said = f"{ENTRIES} entries {len(rows)} are different, and {ENTRIES - len(rows)} are copies"
    if said not in prose or (len(rows), right) != (13, 2):
        problems.append(f"the notebook must count as the table does: {said}, {right} right")
    lost = [number for number, _, cite in rows if not KNOWN.search(cite)]
    if lost:
        problems.append(f"no DOI, arXiv number or address: entries {lost}")
    return problems


@pytest.mark.parametrize("problems", [list_problems, told_problems, reference_problems])
def test_erratum(problems, page, prose):
    found = problems(page, prose)
    assert not found, "\n".join(found)


DOCTORED = {
    "a lost item": (list_problems, r"see \[33\]", ("| 33 |", "| x |")),
    "a notebook that is none": (list_problems, "'99'", ("| 04, 05, 18 |", "| 04, 99, 18 |")),
    "a test that is none": (list_problems, "'luck'", ("| look up | – |", "| luck | – |")),
    "an item unsaid": (list_problems, "too little", ("| one of the two |", "| no |")),
    "a wrong count": (list_problems, "'limit': 16", ("extremes | 16 |", "extremes | 15 |")),
    "told elsewhere": (told_problems, r"the same: \[17\]", ("| 04, 05, 18 |", "| 04, 05 |")),
    "a lost entry": (reference_problems, r"\[18\]", ("10 = 18, 26, 34", "10 = 26, 34")),
    "a wrong verdict": (reference_problems, "1 right", ("35 | right |", "35 | wrong |")),
    "a reference without an address": (reference_problems, r"'12 = 20", ("arXiv:1511.07122 |", "arXiv:1511 |")),
}  # fmt: skip


@pytest.mark.parametrize("case", DOCTORED)
def test_it_goes_red(case, page, prose):
    problems, message, (before, after) = DOCTORED[case]
    assert before in page, f"nothing to doctor: {before}"
    assert re.search(message, "\n".join(problems(page.replace(before, after), prose)))


def test_an_item_that_is_not_told_goes_red(page, prose):
    assert told_problems(page, prose.replace("**Item 14.**", "Item 14"))


class Careless(keras.Model):
    """Keeps a shape under a name that belongs to Keras, and tells nobody how to rebuild it."""

    def __init__(self, shape):
        super().__init__()
        self.input_shape = shape
        self.head = layers.Dense(2)

    def call(self, x):
        return self.head(x)


def _loss(truth, answer):
    return keras.losses.CategoricalCrossentropy(from_logits=True)(truth, answer)


REFUSED = {
    35: (TypeError, lambda: layers.InputLayer(shape=(8,))(np.ones((1, 8), "float32"))),
    39: (ValueError, lambda: layers.Dense(np.prod((8, 8, 3)))),
    47: (NotImplementedError, lambda: Careless((64, 64, 3)).get_config()),
    48: (ValueError, lambda: layers.Dense(2)(...)),
    55: (NameError, lambda: exec("[1] * num_classes", {})),
    58: (ValueError, lambda: _loss(np.ones((1, 64, 64, 3)), np.ones((1, 128, 128, 3)))),
    60: (ValueError, lambda: _loss(np.zeros((1, 2, 2), int), np.zeros((1, 2, 2, 3), "float32"))),
}


@pytest.mark.parametrize("item", REFUSED)
def test_keras_refuses_what_the_list_says_that_it_refuses(item):
    error, call = REFUSED[item]
    with pytest.raises(error):
        call()


def test_keras_takes_what_the_list_says_that_it_takes():
    careless = Careless((64, 64, 3))  # item 34
    assert careless(np.ones((1, 5, 5, 7), "float32")).shape == (1, 5, 5, 2)
    assert careless.input_shape == (64, 64, 3)
    per_pixel = layers.Dense(12_288).compute_output_shape((1, 64, 64, 64))  # item 38
    assert np.prod(per_pixel) == pytest.approx(50.3e6, rel=1e-3)
    double = layers.Conv2DTranspose(3, 2, strides=2, padding="same")  # item 58
    assert tuple(double.compute_output_shape((None, 64, 64, 128)))[1:3] == (128, 128)
    below = np.float32([-1.0])  # item 68
    slopes = [float(f(below)[0]) for f in (keras.activations.leaky_relu, layers.LeakyReLU())]
    np.testing.assert_allclose(slopes, [-0.2, -0.3], rtol=1e-6)
