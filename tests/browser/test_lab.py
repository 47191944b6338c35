"""Every notebook in JupyterLab, in a browser: Run All, restart, figures, formulas, sliders.

At smoke parameters, in copies without outputs.
"""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from helpers.grading.course import assignment_texts
from helpers.grading.release import release
from helpers.runs.notebooks import series
from helpers.runs.parameters import gather, parameters_of

pytestmark = pytest.mark.browser
WIDGET = "application/vnd.jupyter.widget-view+json"
SECONDS = 600  # for one run, on a busy machine
PHOTO = [path for path in series() if "image_path" in parameters_of(path)]


def at_smoke(path, **values):
    """A notebook whose parameters cell ends with the smoke values, and others on top."""
    notebook = nbformat.read(path, as_version=4)
    values = gather(path, "smoke")[0] | values
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    cell.source += "".join(f"\n{name} = {value!r}" for name, value in values.items())
    return notebook


def errors(notebook):
    """The errors that a run left in the outputs."""
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    return [f"{o.ename}: {o.evalue[:300]}" for o in outputs if o.output_type == "error"]


def figures(notebook, word=""):
    """The figures of the code cells that hold a word."""
    cells = [c for c in notebook.cells if c.cell_type == "code" and word in c.source]
    outputs = [o for c in cells for o in c.outputs]
    return [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]


def marked(notebook):
    """What the cells show that are marked for nbval: `[text, …]` for each."""
    cells = [c for c in notebook.cells if "nbval-check-output" in c.metadata.get("tags", [])]
    # A bar of progress is a widget, or a line on stderr; it comes if a cell takes its time.
    return [
        [o.get("text") or o.data.get("text/plain") for o in c.outputs
         if o.get("name") != "stderr" and WIDGET not in o.get("data", {})]
        for c in cells
    ]  # fmt: skip


def check(opened, notebook):
    """What holds for each notebook after each run."""
    assert errors(notebook) == []
    assert all(any(map(str.isdigit, prompt)) for prompt in opened.prompts()), opened.prompts()
    assert opened.pictures() == len(figures(notebook)) > 0
    assert opened.problems == []


@pytest.mark.parametrize("path", series(), ids=lambda path: path.stem)
def test_a_notebook_runs(path, lab):
    opened = lab(at_smoke(path), path.name)
    formulas = opened.formulas()
    assert formulas["found"] == []
    prose = "".join(c.source for c in nbformat.read(path, 4).cells if c.cell_type == "markdown")
    assert ("$" in prose) == (formulas["typeset"] > 0)
    # Three badges and the picture below the title, at least.
    assert opened.pictures_of_the_text() == len(re.findall(r"!\[[^]]*\]\(\.\./docs/", prose)) >= 4
    first = opened.run_all(SECONDS)
    check(opened, first)
    assert marked(first)
    for _ in range(2):
        again = opened.restart_and_run_all(SECONDS)
        check(opened, again)
        assert marked(again) == marked(first)
    sliders, dead = opened.dead_sliders()
    assert dead == []
    assert sliders == 0 or opened.problems == []


@pytest.mark.parametrize("path", PHOTO, ids=lambda path: path.stem)
def test_a_notebook_takes_a_photograph(path, lab, lab_server):
    from skimage.data import astronaut

    # Neither side is a multiple of anything, and it is no square.
    Image.fromarray(astronaut()[:331, 20:475]).save(lab_server.folder / "my photograph.jpg")
    opened = lab(at_smoke(path, image_path="my photograph.jpg"), path.name)
    notebook = opened.run_all(SECONDS)
    check(opened, notebook)
    stored = nbformat.read(path, as_version=4)
    # Where weights are kept, the cell shows the photograph and not what it shows without one.
    assert not set(figures(notebook, "image_path")) & set(figures(stored, "image_path"))


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """The student versions: `{name: path}`."""
    return release(tmp_path_factory.mktemp("course"), check=False)


@pytest.mark.parametrize("name", assignment_texts())
def test_a_student_version_runs_to_the_first_gap(name, students, lab):
    opened = lab(nbformat.read(students[name], as_version=4), f"{name}.ipynb")
    assert opened.formulas()["found"] == []
    (error,) = errors(opened.run_all(SECONDS))
    # Keras may wrap the words of what failed in its layers.
    assert error.startswith("NotImplementedError") and "no answer yet: write" in error
    assert opened.problems == []


BAD = new_notebook(
    metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    cells=[
        new_markdown_cell(
            r"A formula $x^2$, one that is wrong, $x^2^3$, and \sigma, which is none."
        ),
        new_code_cell("from IPython.display import HTML, display\nimport ipywidgets as w"),
        new_code_cell("w.interact(lambda a: print('a is', a), a=(0, 3))"),
        new_code_cell("display(w.IntSlider(3))"),
        new_code_cell("HTML('<img src=\"https://example.org/a.png\">')"),
        new_code_cell("1 / 0"),
    ],
)


def test_what_is_bad_is_seen(lab):
    opened = lab(BAD, "bad.ipynb")
    formulas = opened.formulas()
    assert formulas["typeset"] == 2
    assert "Double exponent" in formulas["found"][0] and "sigma" in formulas["found"][-1]
    assert errors(opened.run_all(SECONDS)) == ["ZeroDivisionError: division by zero"]
    assert opened.dead_sliders(seconds=5) == (2, ["slider 2 at 3"])
    assert "https://example.org/a.png" in "".join(opened.problems)
