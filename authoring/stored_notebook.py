"""Build the stored notebooks from the text that people edit.

`notebooks/py/NN_name.py` (py:percent) becomes `notebooks/NN_name.ipynb`: executed at default
parameters, outputs kept, numbers in the prose refilled from the record, the picture below the title
taken from the run, badges and Colab cell written from pyproject's repository address, and nothing in it that changes from run to run.
"""

import ast
import html
import re
import tempfile
from pathlib import Path

from authoring import cover
from authoring.notebook_cells import absolute_paths, clean, refresh_source, to_notebook
from authoring.number_markers import fill_numbers, refuse_unread
from helpers.runs.execute import execute
from helpers.runs.notebook_names import gone
from helpers.runs.notebooks import BadRequest, notebooks_folder, profile_file
from helpers.runs.parameters import read_file
from helpers.runs.results import read_results

# What a figure shows, told for those who do not see it: words in a code cell, and in its outputs.
DESCRIPTION = re.compile(r'^ *alt = ("(?:[^"\\\n]|\\.)*")$', re.M)


def build(number, *, profile="default", kernel=None, out=None):
    """Build one notebook.

    Args:
        number: "07", or the name of the file in `notebooks/py`.
        profile: With "default" the stored notebook is written. With another profile the notebook
            is only run; the copy stays under `runs/`.
        kernel: Jupyter kernel to run on.
        out: Folder of the run's own copy.

    Returns:
        The `Run`; its `ok` tells whether the stored notebook was written.

    Raises:
        BadRequest: If the notebook records nothing, cites what it does not record, or would
            store an absolute path; before the run, if a marker in its prose cannot be read.
    """
    import nbformat

    source = find_source(number)
    typed = source.read_text(encoding="utf-8")
    text = refresh_source(typed, source.stem)
    refuse_unread(to_notebook(text), source.name)
    path = profile_file(stored_path(source), profile)
    values = read_file(path) if path else {}
    copy = _copy_path(source, out)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / copy.name
        nbformat.write(to_notebook(text), draft)
        run = execute(draft, copy, values, profile=profile, kernel=kernel)
    if run.ok and profile == "default":
        if source.read_text(encoding="utf-8") != typed:
            raise BadRequest(f"{source.name} changed while it ran. Now: build {number} --prose")
        _store(source, text, nbformat.read(run.output, as_version=4))
    return run


def rewrite(number, *, out=None):
    """Write changed prose into a stored notebook without running it.

    The descriptions of figures, `alt = "…"`, are prose. The cell for Colab runs nowhere else.

    Args:
        number: As in `build`.
        out: Folder of the last run's own copy, as in `build`. The newer of copy and stored
            notebook gives the outputs.

    Raises:
        BadRequest: If the code changed since the last default run, or as in `build`.
    """
    import nbformat

    source = find_source(number)
    text = refresh_source(source.read_text(encoding="utf-8"), source.stem)
    fresh = to_notebook(text)
    refuse_unread(fresh, source.name)
    code = _code(fresh)
    # A run whose source changed meanwhile left its copy and nothing else, so the newest comes first.
    paths = [p for p in (stored_path(source), _copy_path(source, out)) if p.exists()]
    for path in sorted(paths, key=lambda p: p.stat().st_mtime, reverse=True):
        executed = nbformat.read(path, as_version=4)
        clean(executed)
        ran = [c for c in executed.cells if c.cell_type == "code"]
        if _code(executed) != code:
            continue
        if _results(executed)["profile"] != "default":
            continue
        for cell, done in zip((c for c in fresh.cells if c.cell_type == "code"), ran):
            told = zip(*(DESCRIPTION.findall(c.source) for c in (done, cell)))
            cell.outputs = _describe(
                done.outputs, [tuple(map(ast.literal_eval, pair)) for pair in told]
            )
            cell.execution_count = done.execution_count
        fresh.metadata = executed.metadata
        _store(source, text, fresh)
        return
    raise BadRequest(f"The code of {source.name} changed since its last default run: build it.")


def _code(notebook):
    """The code cells without what may change and needs no run: descriptions, the cell for Colab."""
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    colab = ["colab" in c.metadata.get("tags", []) for c in cells]
    return [skip or DESCRIPTION.sub("alt", c.source) for skip, c in zip(colab, cells)]


def _describe(value, pairs):
    """Outputs with each old description replaced by the new one, as it is and as HTML has it."""
    if isinstance(value, dict):
        return type(value)({key: _describe(item, pairs) for key, item in value.items()})
    if isinstance(value, list):
        return [_describe(item, pairs) for item in value]
    if isinstance(value, str):
        for old, new in pairs:
            value = value.replace(old, new).replace(html.escape(old), html.escape(new))
    return value


def _store(source, text, executed):
    import nbformat

    text = cover.write(text, executed, source.stem)
    text, stored = finish(text, executed, _results(executed)["results"], source.name)
    source.write_text(text, encoding="utf-8")
    nbformat.write(stored, stored_path(source))


def _results(executed):
    try:
        return read_results(executed)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _copy_path(source, out):
    folder = Path(out) if out else notebooks_folder().parent / "runs" / "build"
    return folder / f"{source.stem}.ipynb"


def finish(text, executed, results, name):
    """Return the refilled source text and the notebook as it is stored."""
    text = fill_numbers(text, results, name)
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            cell.source = fill_numbers(cell.source, results, name)
    dropped = clean(executed)
    for line in dropped:
        print(f"  dropped from stderr: {line}")
    paths = absolute_paths(executed)
    if paths:
        raise BadRequest(f"The notebook would store absolute paths: {', '.join(paths)}")
    return text, executed


def find_source(number):
    """Return the py:percent file of a notebook's number or name."""
    stem = Path(str(number)).name.removesuffix(".py").removesuffix(".ipynb")
    folder = notebooks_folder() / "py"
    pattern = f"{stem.zfill(2)}_*.py" if stem.isdigit() else f"{stem}.py"
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        texts = [p.stem for p in found or sorted(folder.glob("*.py"))]
        if former := gone(stem.zfill(2) if stem.isdigit() else stem, texts):
            raise BadRequest(former)
        names = ", ".join(texts)
        raise BadRequest(f"{number!r} must name one file in {folder}. There are: {names}")
    return found[0]


def stored_path(source):
    """Return the path of the stored notebook that belongs to a py:percent file."""
    return source.parent.parent / f"{source.stem}.ipynb"
