"""Every notebook in JupyterLab, in a browser: Run All, restart, figures, formulas, sliders.

At smoke parameters, in copies without outputs.
"""

import nbformat
import pytest
from PIL import Image

from helpers.runs.request import gather, parameters_of, series

pytestmark = pytest.mark.browser
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


def figures(notebook):
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    return [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})]


def marked(notebook):
    """What the cells show that are marked for nbval: `[text, …]` for each."""
    cells = [c for c in notebook.cells if "nbval-check-output" in c.metadata.get("tags", [])]
    return [
        [o.get("text") or o.data.get("text/plain") for o in c.outputs if o.get("name") != "stderr"]
        for c in cells
    ]


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
    # Two badges and the picture below the title, at least.
    assert opened.pictures_of_the_text() == prose.count("](../docs/") >= 3
    first = opened.run_all(SECONDS)
    check(opened, first)
    second = opened.restart_and_run_all(SECONDS)
    check(opened, second)
    assert marked(first) == marked(second) != []
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
