"""A notebook from the text that people edit: py:percent, one `# %%` a cell."""

import hashlib

KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


def to_notebook(text, counted=str):
    """An unexecuted notebook with stable cell ids from py:percent text; `counted` as `name_cells`."""
    import jupytext

    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = {"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}}
    name_cells(notebook, counted)
    return notebook


def name_cells(notebook, counted=str):
    """Give each cell an id from what it says, so that a rebuild changes no id without need.

    Args:
        notebook: a notebook node, changed.
        counted: function of a cell's source that returns what its id depends on.
    """
    seen = {}
    for cell in notebook.cells:
        said = f"{cell.cell_type}\n{counted(cell.source)}"
        digest = hashlib.sha256(said.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
