"""The cells of a stored notebook: made from text, named, cleaned, with badges and the Colab cell."""

import re
import tomllib
from pathlib import Path

from authoring.number_markers import CITED
from helpers.runs import notebook_text
from helpers.runs.notebooks import notebooks_folder

# Absolute paths of some machine. What stands after "://host" is an address, not a path.
ABSOLUTE = re.compile(
    r"(?<![\w.~/-])/(?:home|root|Users|tmp|private|work|workspace|builds|mnt|opt|var|content)/[\w.-]+"
    r"|\b[A-Z]:\\\\?Users\\"
)


def to_notebook(text):
    """An unexecuted notebook from py:percent text, with ids as `name_cells` gives them."""
    return notebook_text.to_notebook(text, _without_numbers)


def name_cells(notebook):
    """Give each cell an id from what it says; a number that is refilled changes none."""
    notebook_text.name_cells(notebook, _without_numbers)


def _without_numbers(source):
    return CITED.sub("", source)


def clean(notebook):
    """Strip what differs between two equal runs; return the first lines of dropped stderr."""
    from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor

    dropped = []
    # Where a kernel happened to flush cuts one print into several outputs.
    merge = CoalesceStreamsPreprocessor(enabled=True)
    # papermill's own cells: injected parameters (none at default).
    notebook.cells = [
        c for c in notebook.cells if "injected-parameters" not in c.metadata.get("tags", [])
    ]
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                dropped.append(output.text.strip().splitlines()[0] if output.text.strip() else "")
            else:
                kept.append(output)
        cell.outputs = kept
        merge.preprocess_cell(cell, {}, 0)
    name_cells(notebook)
    widgets = notebook.metadata.get("widgets")
    notebook.metadata = {
        "kernelspec": dict(notebook_text.KERNELSPEC),
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    if widgets:
        notebook.metadata["widgets"] = widgets
    return dropped


def absolute_paths(notebook):
    """Return the absolute paths in a notebook's sources and in its text outputs."""
    found = []
    for cell in notebook.cells:
        texts = [cell.source]
        for output in cell.get("outputs", []):
            texts.append(str(output.get("text", "")))
            texts += [str(output.get("evalue", "")), *output.get("traceback", [])]
            data = output.get("data", {})
            texts += [str(v) for k, v in data.items() if not k.startswith("image/")]
        found += [hit for text in texts for hit in ABSOLUTE.findall(text)]
    return found


def repository(root=None):
    """Return the name of a project and the address of its repository, from its pyproject.

    Args:
        root: Folder of the pyproject; without it, that of the notebooks' project.
    """
    pyproject = Path(root or notebooks_folder().parent) / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return project["name"], project["urls"]["Repository"].rstrip("/")


def slug():
    """Return the owner and name of the repository, with a slash between them."""
    return "/".join(repository()[1].split("/")[-2:])


def badges(stem):
    """Return the line of launch badges of a notebook; their pictures are the project's own."""
    path = f"notebooks/{stem}.ipynb"
    hosts = {
        "Colab": f"https://colab.research.google.com/github/{slug()}/blob/main/{path}",
        "Kaggle": f"https://kaggle.com/kernels/welcome?src={repository()[1]}/blob/main/{path}",
        "Binder": f"https://mybinder.org/v2/gh/{slug()}/main?urlpath=lab/tree/{path}",
    }
    links = [
        f"[![Open in {name}](../docs/badges/{name.lower()}.svg)]({address})"
        for name, address in hosts.items()
    ]
    return " ".join([*links, "<!--badges-->"])


def colab_cell():
    """Return the source of the cell that fetches the project on Colab and Kaggle, and nowhere else.

    It takes the whole project, which has an address; the package alone has none. The checkout comes
    first on the path, so its own records and kept weights are read.
    """
    name, address = repository()
    return f"""# On Google Colab and Kaggle this fetches the project; elsewhere it does nothing.
import os
import subprocess
import sys

if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    fetch = "test -d {name} || git clone -q --depth 1 {address}"
    install = f"{{sys.executable}} -m pip install -q ./{name}"
    subprocess.run(f"({{fetch}}) && {{install}}", shell=True, check=True)
    sys.path.insert(0, os.path.abspath("{name}"))"""


def refresh_source(text, stem):
    """Rewrite the badges line and the cell tagged `colab` of a py:percent text."""
    text = re.sub(r"^# .*<!--badges-->.*$", lambda _: f"# {badges(stem)}", text, flags=re.M)
    pattern = r'^(# %% tags=\[[^\]\n]*"colab"[^\]\n]*\]\n).*?(?=^# %%|\Z)'
    body = f"{colab_cell()}\n\n"
    return re.sub(pattern, lambda m: m[1] + body, text, flags=re.M | re.S)
