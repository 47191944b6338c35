"""Numbers in prose: every marker is read, or is an error that names it."""

import json
from pathlib import Path

import nbformat
import pytest

from authoring import notebook_cells, number_markers, readme, stored_notebook
from helpers.runs.notebooks import BadRequest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = {
    "n": 3,
    "share": 0.8125,
    "curve": [1.0, 2.0, -4.5],
    "table": [[1.0, 2.0], [3.0, [5.0, -6.25]]],
    "speed": {"ours": 42462.6, "keras example": [4715.7]},
    "word": "a",
    "sure": True,
    "lost": float("nan"),
}


@pytest.mark.parametrize(
    ("typed", "written"),
    {
        "0.0<!--=table[0][1]-->": "2.0",
        "0.00<!--=table[1][1][1]-->": "\u22126.25",
        "0<!--=table[-1][0]-->": "3",
        "0.0<!--=curve[-1]-->": "\u22124.5",
        "0.0<!--=curve[ 1 ]-->": "2.0",
        "0<!--= n -->": "3",
        "0<!--=table[1][0] * 100-->": "300",
        "0.0<!--=curve[2]*-1-->": "4.5",
        "0.0<!--=n*1e-1-->": "0.3",
        '0,000<!--=speed["ours"]-->': "42,463",
        "0.0<!--=speed['keras example'][0]*0.001-->": "4.7",
        # Wherever it stands.
        "| 0<!--=n--> | x |": "| 3",
        "## 0<!--=n--> things": "## 3",
        "```\n0<!--=n-->\n```": "```\n3",
        "`0<!--=n-->`": "`3",
        '<img alt="0<!--=n-->">': '<img alt="3',
        "**0<!--=n-->**, 9": "**3",
        "(7\u20130<!--=n-->)": "(7\u20133",
        "5 %\u20130<!--=n--> %": "5 %\u20133",
        "\u00b10<!--=n-->": "\u00b13",
        "$\\pm$0<!--=n-->": "$\\pm$3",
        "0.0e-9<!--=share-->": "8.1e-01",
    }.items(),
)
def test_every_expression_is_filled_and_compared(typed, written):
    _, marker, rest = typed.partition("<!--")
    filled = number_markers.fill_numbers(typed, RESULTS)
    assert filled == written + marker + rest
    assert number_markers.wrong_numbers(filled, RESULTS) == []
    (problem,) = number_markers.wrong_numbers(typed, RESULTS)
    assert rest.partition("-->")[0][1:] in problem and "the record has" in problem


NO_NUMBER = "Write a number directly before"
UNREAD = "cannot be read"
SPELLING = "a marker is written 12.3<!--=key-->"
BAD = {
    # what it names
    "0<!--=nn-->": "cites 'nn', which is not on record",
    "0<!--=Share-->": "Did you mean 'share'?",
    "0<!--=word-->": "as a number. Received: 'a'",
    "0<!--=sure-->": "as a number. Received: True",
    "0<!--=table[0]-->": r"cites 'table\[0\]' as a number. Received: \[1.0, 2.0\]",
    "0<!--=table[0][2]-->": "Received: None: there is no such item",
    "0<!--=curve[-4]-->": "there is no such item",
    "0<!--=n[0]-->": "there is no such item",
    '0<!--=curve["1"]-->': "there is no such item",
    '0<!--=speed["theirs"]-->': "there is no such item",
    "0<!--=speed[0]-->": "there is no such item",
    "0<!--=word[0]-->": "there is no such item",
    "0<!--=lost-->": "a finite number. Received: nan",
    "0<!--=n*1e999-->": "a finite number. Received: inf",
    # an expression of another form
    "0<!--=-->": UNREAD,
    "0<!--==n-->": UNREAD,
    "0<!--=curve[0:2]-->": UNREAD,
    "0<!--=curve[n]-->": UNREAD,
    "0<!--=curve[1.0]-->": UNREAD,
    "0<!--=curve[]-->": UNREAD,
    "0<!--=curve[0-->": UNREAD,
    "0<!--=curve[0]]-->": UNREAD,
    "0<!--=curve[\u22121]-->": UNREAD,
    "0<!--=curve\\[0\\]-->": UNREAD,
    "0<!--=speed.ours-->": UNREAD,
    "0<!--=share:.2f-->": UNREAD,
    "0<!--=n/2-->": UNREAD,
    "0<!--=n+1-->": UNREAD,
    "0<!--=n*1.2.3-->": UNREAD,
    "0<!--=n*share-->": UNREAD,
    "0<!--=max(curve)-->": UNREAD,
    "0<!--=n\n-->": UNREAD,
    "0<!--=n\u200b-->": UNREAD,
    "0<!--=n and 0<!--=n-->": UNREAD,
    # the number before it
    "<!--=n-->": NO_NUMBER,
    "0 <!--=n-->": NO_NUMBER,
    "0 %<!--=n-->": NO_NUMBER,
    "**0**<!--=n-->": NO_NUMBER,
    "0\\<!--=n-->": NO_NUMBER,
    "0<!--=n--><!--=n-->": NO_NUMBER,
    "0,53<!--=n-->": NO_NUMBER,
    "12 345<!--=n-->": NO_NUMBER,
    "1'234<!--=n-->": NO_NUMBER,
    "12,34.5<!--=n-->": NO_NUMBER,
    "1.2.3<!--=n-->": NO_NUMBER,
    ".5<!--=n-->": NO_NUMBER,
    "1E-4<!--=n-->": NO_NUMBER,
    "1e\u22124<!--=n-->": NO_NUMBER,
    "10\u207b\u2074<!--=n-->": NO_NUMBER,
    "\uff15<!--=n-->": NO_NUMBER,
    "\u20130<!--=n-->": "Write the sign",
    "(\u20140<!--=n-->": "Write the sign",
    "&minus;0<!--=n-->": "Write the sign",
    "&#8722;0<!--=n-->": "Write the sign",
    "$-$0<!--=n-->": "Write the sign",
    "\u2212**0<!--=n-->**": "Write the sign",
    "0<!--=n-->\u202f234": "goes on behind it",
    "0<!--=n-->.5": "goes on behind it",
    "0<!--=n-->,234": "goes on behind it",
    "0<!--=n-->e5": "goes on behind it",
    # what only looks like a marker
    "0<!-- =n-->": SPELLING,
    "0<!---=n-->": SPELLING,
    "0<!-=n-->": SPELLING,
    "0<!=n-->": SPELLING,
    "0<--=n-->": SPELLING,
    "0<! --=n-->": SPELLING,
    "0 < !--=n-->": SPELLING,
    "0!--=n-->": SPELLING,
    "0=n-->": SPELLING,
    "0=table[1][0]-->": SPELLING,
    "0<!\u2013=n\u2013>": SPELLING,
    "0<!\u2014=n\u2014>": SPELLING,
    "0&lt;!--=n--&gt;": SPELLING,
    "0&#60;!--=n--&#62;": SPELLING,
    "0<!--=n": SPELLING,
    "0<!--=n->": SPELLING,
    "0<!--=n-- >": SPELLING,
    "0<!--=n--!>": SPELLING,
    "0<!--n-->": "a comment behind a number",
    "0 <!--n-->": "a comment behind a number",
    "0 %<!--n-->": "a comment behind a number",
    "**0**<!--table[0][1]-->": "a comment behind a number",
    "0 nats<!--n-->": SPELLING,
    "0 nats <!--n=-->": SPELLING,
    "so <!--\uff1dtable[0][1]-->": SPELLING,
    "<!-- a note 0<!--=n-->": "has no end",
}


@pytest.mark.parametrize("text", BAD)
def test_a_marker_that_cannot_be_filled_is_an_error(text):
    with pytest.raises(BadRequest, match=BAD[text]) as caught:
        number_markers.fill_numbers(f"On {text} and so on.", RESULTS, "07_dots.py")
    assert all(line.startswith("07_dots.py: \u2026") for line in str(caught.value).splitlines())
    assert number_markers.wrong_numbers(f"On {text} and so on.", RESULTS)


def test_one_bad_marker_hides_no_other():
    text = "1<!--=nn-->, 2<!--=n/2-->, 3<!-- =n-->, 4<!--=n-->, 3<!--=n-->"
    with pytest.raises(BadRequest) as caught:
        number_markers.fill_numbers(text, RESULTS)
    assert len(str(caught.value).splitlines()) == 3
    assert len(number_markers.wrong_numbers(text, RESULTS)) == 4


def test_other_comments_and_arrows_are_left_alone():
    text = (
        "![](a.png) <!--picture-->\n<!-- a note = 1 -->\n<!--\nlines\n-->\nx <= 2, y != -1, z <- 3, "
        "$n!$, rate = 0.1 --> 0.2, A --> B, in 2020, 3<!--=n-->, 4, and 3<!--=n-->. A 3<!--=n-->-fold."
    )
    assert (
        number_markers.fill_numbers(text, RESULTS) == text
        and number_markers.wrong_numbers(text, RESULTS) == []
    )
    assert number_markers.cited_numbers(text) == [("3", "n")] * 3


# ---- notebooks and pages


def _notebook(prose_cell, code="x = 1"):
    cells = [nbformat.v4.new_markdown_cell(prose_cell), nbformat.v4.new_code_cell(code)]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("says", "cells"),
    {
        "07_dots.py: \u20261<!-- =n-->: a marker": ("1<!-- =n-->",),
        "07_dots.py: 1<!--=n--> stands in code": ("1<!--=n-->", "print('1<!--=n-->')"),
    }.items(),
)
def test_a_build_refuses_before_it_runs(says, cells, tmp_path, monkeypatch):
    with pytest.raises(BadRequest, match=says):
        number_markers.refuse_unread(_notebook(*cells), "07_dots.py")
    folder = tmp_path / "notebooks" / "py"
    folder.mkdir(parents=True)
    text = f"# %% [markdown]\n# {cells[0]}\n\n# %%\n{'x = 1' if len(cells) < 2 else cells[1]}\n"
    (folder / "07_dots.py").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(folder.parent))
    monkeypatch.setattr(stored_notebook, "execute", lambda *_, **__: pytest.fail("it ran"))
    for do in (stored_notebook.build, stored_notebook.rewrite):
        with pytest.raises(BadRequest, match=says):
            do("07")
    assert (folder / "07_dots.py").read_text(encoding="utf-8") == text


def test_ids_of_cells_do_not_hang_on_a_number():
    cells = [_notebook(f"The gain is {n}<!--=table[1][0]-->.") for n in ("1.0", "\u22122.5")]
    for node in cells:
        notebook_cells.name_cells(node)
    assert cells[0].cells[0].id == cells[1].cells[0].id


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project without notebooks: two records and two pages."""
    for folder in ("notebooks", "data/results", "docs/site"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(tmp_path / "notebooks"))
    record = tmp_path / "data" / "results" / "05-a-b.json"
    record.write_text(json.dumps({"results": {"table": [[1.0, 2.0]]}}), "utf-8")
    (tmp_path / "README.md").write_text("So 0.0<!--=run_05_a_b__table[0][1]-->.\n", "utf-8")
    (tmp_path / "docs" / "site" / "x.md").write_text(
        "And 0<!--=run_05_a_b__table[0][0]-->", "utf-8"
    )
    return tmp_path


def test_every_page_is_filled(project):
    readme.refresh()
    assert (project / "README.md").read_text("utf-8").startswith("So 2.0<!--")
    assert (project / "docs" / "site" / "x.md").read_text("utf-8").startswith("And 1<!--")


def test_an_error_names_the_page_and_leaves_all_as_they_were(project):
    page = project / "docs" / "site" / "x.md"
    page.write_text("And 0<!--=run_05_a_b__tabel[0][0]-->", "utf-8")
    with pytest.raises(BadRequest, match=r"docs/site/x\.md: .*Did you mean 'run_05_a_b__table'"):
        readme.refresh()
    assert (project / "README.md").read_text("utf-8").startswith("So 0.0<!--")


def test_two_records_with_the_same_keys_are_refused(project):
    (project / "data" / "results" / "05_a-b.json").write_text('{"results": {}}', "utf-8")
    with pytest.raises(BadRequest, match=r"05-a-b\.json and 05_a-b\.json have the same keys"):
        readme.known_results()
