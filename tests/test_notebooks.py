"""The stored notebooks obey the series' rules, and the checks of these rules can fail."""

import base64
import copy
import html
import io
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import nbformat
import notebook_checks as checks
import pytest
from PIL import Image

from authoring import __main__ as authoring
from authoring import glossary_links, notebook_cells
from helpers.runs import index, results
from helpers.runs.notebooks import series

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = series()


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda c: c.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(path, check):
    problems = check(checks.Stored.read(path))
    assert not problems, "\n".join(problems)


def test_every_text_has_its_notebook_and_back():
    texts = {p.stem for p in (ROOT / "notebooks" / "py").glob("*.py")}
    assert texts == {p.stem for p in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_alternative_text_reaches_the_pages(path):
    _assert_alternative_text(nbformat.read(path, as_version=4))


# The rest holds the checks themselves to account, on a tiny notebook.


def _assert_alternative_text(node):
    from nbconvert import HTMLExporter

    alts = _alts(node)
    ours = _pictures(index.to_html(node, "page"))
    assert [a for a in alts if a not in ours] == []
    # nbconvert alone: the "lab" template writes no alt, so the folded description must be there.
    page = html.unescape(HTMLExporter(template_name="lab").from_notebook_node(node)[0])
    assert [a for a in alts if f"<p>{a}</p></details>" not in page] == []


def _alts(node):
    outputs = [
        o for c in node.cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})
    ]
    return [o.metadata["image/png"]["alt"] for o in outputs]


def _pictures(page):
    from html.parser import HTMLParser

    found = []

    class Pictures(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag == "img":
                found.append(dict(attributes).get("alt"))

    Pictures().feed(page)
    return found


@pytest.fixture
def stored(tiny):
    return checks.Stored.read(tiny / "07_count_dots.ipynb")


def test_the_tiny_notebook_passes(stored):
    assert {c.__name__: c(stored) for c in checks.CHECKS} == {c.__name__: [] for c in checks.CHECKS}
    assert len(checks.CHECKS) == 15


def test_alternative_text_reaches_the_page_of_the_tiny_one(stored):
    assert _alts(stored.node) == [
        "A few dots rise to the right in a straight line; the first lies at 0 & <1."
    ]
    _assert_alternative_text(stored.node)


def test_alternative_text_check_is_red_for_a_lost_description(stored):
    cell = next(
        c for c in stored.code() if any("image/png" in o.get("data", {}) for o in c.outputs)
    )
    cell.outputs = [o for o in cell.outputs if "image/png" in o.get("data", {})]
    with pytest.raises(AssertionError):
        _assert_alternative_text(stored.node)


def _figure(nb):
    return next(o for _, o in nb.outputs() if "image/png" in o.get("data", {}))


def _dark(output):
    picture = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")
    file = io.BytesIO()
    picture.point(lambda v: v // 2).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _prose(nb, old, new):
    for cell in nb.node.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(old, new)


def _payload(nb):
    return next(o.data[results.MIME] for _, o in nb.outputs() if results.MIME in o.get("data", {}))


def _source(nb, tag, old, new):
    cell = nb.code(tag)[0]
    assert old in cell.source
    cell.source = cell.source.replace(old, new)


def _markers(nb):
    return nb.code("nbval-check-output")[0]


def _stream(name, text):
    return nbformat.v4.new_output("stream", name=name, text=text)


DOCTORED = {
    "no verb": (checks.check_opening, "verb", lambda n: _prose(n, "# Count dots", "# Dots")),
    "no need": (checks.check_opening, "What you'll need", lambda n: _prose(n, "What you'll need", "Need")),
    "no minutes": (checks.check_opening, "minutes and memory", lambda n: _prose(n, "1 minute and", "a while and")),
    "other repository": (checks.check_opening, "badges", lambda n: _prose(n, "mybinder.org/v2/gh/", "mybinder.org/v2/gh/x")),
    "other Colab cell": (checks.check_opening, "colab", lambda n: _source(n, "colab", "-q", "-v")),
    "no tag": (checks.check_opening, "'parameters'", lambda n: n.code("parameters")[0].metadata.clear()),
    "no picture": (checks.check_picture, "one code cell", lambda n: [c.metadata.clear() for c in n.code("picture")]),
    "other picture": (checks.check_picture, "is not the figure", lambda n: _figure(n).data.update({"image/png": _dark(_figure(n))})),
    "no line of the picture": (checks.check_picture, "<!--picture-->", lambda n: _prose(n, "<!--picture-->", "")),
    "derived parameter": (checks.check_parameter_rules, "literal", lambda n: _source(n, "parameters", "= 0.5", "= 1 / 2")),
    "no comment": (checks.check_parameter_rules, "comment", lambda n: _source(n, "parameters", "  # number of dots", "")),
    "bad default": (checks.check_parameter_rules, "Nearest: 1.0", lambda n: _source(n, "parameters", "0.5", "1.5")),
    "no rule": (checks.check_parameter_rules, "Rules without a parameter: label", lambda n: _source(n, "parameters", "label", "lable")),
    "no heading": (checks.check_headings, "On your own", lambda n: _prose(n, "## On your own", "## More")),
    "empty cell": (checks.check_size, "empty code cell", lambda n: setattr(_markers(n), "source", " \n")),
    "out of order": (checks.check_executed, "order", lambda n: _markers(n).update(execution_count=99)),
    "stderr": (checks.check_executed, "stderr", lambda n: _markers(n).outputs.append(_stream("stderr", "W0000 cuda"))),
    "error": (checks.check_executed, "ZeroDivisionError", lambda n: _markers(n).outputs.append(nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="", traceback=[]))),
    "absolute path": (checks.check_executed, "absolute path", lambda n: _markers(n).outputs.append(_stream("stdout", "in /ho" + "me/ann/vae"))),
    "no alt": (checks.check_figures, "alt must", lambda n: _figure(n).metadata.clear()),
    "alt says image": (checks.check_figures, "starts? with", lambda n: _figure(n).metadata["image/png"].update(alt="An image of dots that rise to the right.")),
    "other description": (checks.check_figures, "folded", lambda n: _figure(n).metadata["image/png"].update(alt="Something else that nobody ever described.")),
    "picture in prose": (checks.check_figures, "in the prose", lambda n: _prose(n, "## More", "![](dots.png)\n\n## More") or _prose(n, "## On your own", "![](dots.png)")),
    "bad reference": (checks.check_references, "Kingma", lambda n: _prose(n, "arXiv:1312.6114", "arXiv:1312")),
    "no references": (checks.check_references, "lists nothing", lambda n: _prose(n, "\n- ", "\n")),
    "other text": (checks.check_pair, "differs", lambda n: _prose(n, "while you wait", "at once")),
    "other tag": (checks.check_pair, "differs", lambda n: _markers(n).metadata.clear()),
    "one cell more": (checks.check_pair, "cells here", lambda n: n.node.cells.append(nbformat.v4.new_markdown_cell("x"))),
    "wrong number": (checks.check_citations, "the prose says 6,172.4", lambda n: _prose(n, "6,172.5", "6,172.4")),
    "unknown key": (checks.check_citations, "'totl'", lambda n: _prose(n, "=total-->", "=totl-->")),
    "no number": (checks.check_citations, "cites no number", lambda n: _prose(n, "<!--=", "<!--")),
    "wrong item": (checks.check_citations, r"says 0.6 for 'heights\[1\]'", lambda n: _prose(n, "0.5<!--=heights[1]", "0.6<!--=heights[1]")),
    "wrong item of an item": (checks.check_citations, r"07_count_dots.ipynb: the prose says 9.9 for 'table\[-1\]\[0\]'", lambda n: _payload(n)["results"].update(table=[[1.0], [2.0]]) or _prose(n, "0.5<!--=heights[1]", "9.9<!--=table[-1][0]")),
    "misspelt marker": (checks.check_citations, "a marker is written", lambda n: _prose(n, "<!--=total-->", "<!-- =total-->")),
    "marker without its end": (checks.check_citations, "cannot be read", lambda n: _prose(n, "=total-->", "=total->")),
    "marker in code": (checks.check_citations, "stands in code", lambda n: _markers(n).update(source="# 1.0<!--=total-->")),
    "outside its band": (checks.check_record, "outside its band", lambda n: _payload(n)["results"].update(total=7000.0)),
    "smoke run": (checks.check_record, "'smoke'", lambda n: _payload(n).update(profile="smoke")),
    "no record": (checks.check_record, "one record", lambda n: n.code("results")[0].update(outputs=[])),
    "folded table of before": (checks.check_record, "displayed otherwise", lambda n: _payload(n).update(headline="Something else.")),
    "table of before": (checks.check_record, "displayed otherwise", lambda n: _payload(n)["results"].update(total=6172.0)),
    "no output": (checks.check_marked, "without a stored output", lambda n: _markers(n).update(outputs=[])),
    "no assertion": (checks.check_marked, "asserts nothing", lambda n: _source(n, "nbval-check-output", "assert ", "")),
}  # fmt: skip


@pytest.mark.parametrize("case", DOCTORED)
def test_check_goes_red(case, stored):
    check, message, doctor = DOCTORED[case]
    assert check(stored) == []
    doctored = copy.deepcopy(stored)
    doctor(doctored)
    assert re.search(message, "\n".join(check(doctored)))


ALT = "Dots that rise from left to right in a straight line, " * 3
CELLS = {
    "96 characters": ("x = 1  # " + "é" * 87, None),
    "97 characters": ("x = 1  # " + "é" * 88, "97 characters"),
    "97 characters of a comment": ("# " + "x" * 95, "97 characters"),
    "40 lines": ("%%time\n# %% tags=['x']\n\n" + "x = 1\n\n" * 39 + "# the last one", None),
    "41 lines": ("x = 1\n\n" * 40 + "# the last one", "41 lines"),
    "a description": (f'alt = "{ALT}"', None),
    "a description with numbers": (f'alt = f"{ALT}{{count}}"', None),
    "a description in brackets": (f'alt = (\n    "{ALT}"\n    "{ALT}"\n)', None),
    "a description as an argument": (f'show(\n    fig,\n    alt="{ALT}"\n    "{ALT}",\n)', None),
    "the same beside magic": (f'%matplotlib inline\nalt = "{ALT}"', None),
    "code beside a description": (f'show(fig, alt="{ALT}")', "characters"),
    "code after a description": (f'alt = "{ALT}"; show(fig)', "characters"),
    "another string": (f'text = "{ALT}"', "characters"),
    "a string in a call": (f'print(\n    "{ALT}"\n)', "characters"),
    "another argument": (f'plot(\n    title=(\n        "{ALT}"\n    )\n)', "characters"),
    "another name": (f'text = (\n    "{ALT}"\n)', "characters"),
    "no Python": (f'alt = = "{ALT}"', "characters"),
}


@pytest.mark.parametrize("case", CELLS)
def test_the_rule_of_lines(case, stored):
    source, message = CELLS[case]
    cell = nbformat.v4.new_code_cell(source)
    nb = checks.Stored(stored.path, nbformat.v4.new_notebook(cells=[cell]), "")
    problems = checks.check_lines(nb)
    assert len(problems) == (message is not None) and (not problems or message in problems[0])
    cell.metadata["tags"] = ["colab"]
    assert checks.check_lines(nb) == []


GLOSSED = {
    "The KL of `KL`, $KL$.": ["KL-divergence"],
    "# KL\n\n`KL` and $KL$ <!-- KL --> ![KL](a.png) [KL](b.md)": [],
    "[KL](../docs/site/glossary.md#term-KL-divergence) is a KL.": [],
    "KL, then [KL](../docs/site/glossary.md#term-KL-divergence).": ["KL-divergence"],
    "The aggregate posterior": ["aggregate-posterior"],
    "The aggregate posterior and a posterior": ["aggregate-posterior", "posterior"],
    "A learning rate. Learning rates. A base rate.": [],
    "Two VAEs at one rate": ["variational-autoencoder-VAE", "rate"],
}


@pytest.mark.parametrize("text", GLOSSED)
def test_first_uses_without_a_link_are_found(text, stored):
    found = [term for term, *_ in reversed(glossary_links.missing(text))]
    assert found == GLOSSED[text]
    cell = nbformat.v4.new_markdown_cell(text)
    nb = checks.Stored(stored.path, nbformat.v4.new_notebook(cells=[cell]), "")
    assert len(checks.check_glossary(nb)) == len(found)


def test_links_are_added_to_prose_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(tmp_path))
    (tmp_path / "py").mkdir()
    text = '# %% [markdown]\n# # A VAE\n#\n# The VAE.\n\n# %%\nKL = "# the KL"\n\n# %% [markdown]\n# `VAE`, KL\n'
    (tmp_path / "py" / "03_x.py").write_text(text, "utf-8")
    assert glossary_links.add("03") == ["variational-autoencoder-VAE", "KL-divergence"]
    page = glossary_links.PAGE + "#term-"
    wanted = text.replace("The VAE.", f"The [VAE]({page}variational-autoencoder-VAE).")
    wanted = wanted.replace("`VAE`, KL", f"`VAE`, [KL]({page}KL-divergence)")
    assert (tmp_path / "py" / "03_x.py").read_text("utf-8") == wanted
    assert glossary_links.add("03") == []


@pytest.mark.parametrize("number", ["99", "foo", "*", ""])
def test_links_for_a_notebook_that_is_not_there_are_refused(capsys, number):
    assert authoring.main(["glossary", number]) == 2
    assert f"error: {number!r} must name one file in" in capsys.readouterr().err


def test_every_term_is_in_the_glossary():
    text = (ROOT / "docs" / "site" / "glossary.md").read_text("utf-8")
    entries = re.findall(r'^<a id="term-(\S+)"></a>\*\*(.+)\*\*: ', text, re.M)
    assert set(glossary_links.TERMS.values()) <= {address for address, _ in entries}
    # GitHub shows the page's own anchors, the site those that Sphinx makes of the words.
    for address, words in entries:
        plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
        assert address == re.sub(r"[^A-Za-z0-9-]+", "-", plain).strip("-")


def test_profile_check_goes_red(stored, tmp_path):
    work = tmp_path / "notebooks"
    shutil.copytree(stored.path.parent, work)
    smoke = work / "parameters" / "07.smoke.yaml"
    nb = checks.Stored.read(work / stored.path.name)
    assert checks.check_profiles(nb) == []
    smoke.write_text("cuont: 3\n")
    assert "Did you mean 'count'" in checks.check_profiles(nb)[0]
    smoke.write_text("count: 1000\n")
    assert "Nearest: 99" in checks.check_profiles(nb)[0]
    smoke.unlink()
    assert checks.check_profiles(nb) == ["parameters/07.smoke.yaml is missing"]


def test_nbval_compares_what_is_marked(tiny, tmp_path):
    """A good notebook passes; one with a wrong and one with a missing stored output fail."""
    work = tmp_path / "notebooks"
    (work / "parameters").mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "conftest.py", work)
    for number in ("07", "08", "09"):
        node = nbformat.read(tiny / "07_count_dots.ipynb", as_version=4)
        marked = next(c for c in node.cells if "nbval-check-output" in checks.tags(c))
        if number == "08":
            marked.outputs[0].text = marked.outputs[0].text.replace("1.0", "1.1")
        if number == "09":
            marked.outputs, marked.execution_count = [], None
        nbformat.write(node, work / f"{number}_count_dots.ipynb")
        shutil.copy(
            tiny / "parameters" / "07.smoke.yaml", work / "parameters" / f"{number}.smoke.yaml"
        )
    command = f"-m pytest -p no:cacheprovider -q -rf --nbval-lax --nbval-kernel-name python3 --nbval-cell-timeout 60 --nb-profile smoke --nbval-sanitize-with {ROOT / 'tests' / 'sanitize.cfg'} ."
    done = subprocess.run(
        [sys.executable, *command.split()], cwd=work, capture_output=True, text=True
    )
    cells = len(notebook_cells.to_notebook((tiny / "py" / "07_count_dots.py").read_text()).cells)
    assert done.returncode == 1, done.stdout + done.stderr
    failed = re.findall(r"^FAILED .*(\d\d)_count", done.stdout, flags=re.M)
    assert failed == ["08", "09"], done.stdout
    assert "a marked cell without a stored output" in done.stdout
    # record() saw the smoke parameters and the smoke band: every other cell passed.
    code = len([c for c in node.cells if c.cell_type == "code"])
    assert f"2 failed, {3 * code - 2} passed" in done.stdout and cells > code
