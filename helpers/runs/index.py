"""Executed notebooks as web pages, and one page that lists them."""

import contextlib
import copy
import html
import os
from pathlib import Path

from helpers.runs.notebooks import notebooks_folder

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .45rem .8rem .45rem 0; border-bottom: 1px solid #ddd;
         vertical-align: top; }}
td.number, th.number {{ text-align: right; white-space: nowrap; padding-right: 2rem; }}
td.failed {{ color: #a33c00; }}
a {{ color: #0072b2; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
<table>
<thead><tr><th scope="col">Notebook</th><th scope="col" class="number">Minutes</th>
<th scope="col" class="number">Memory (GB)</th><th scope="col">Result</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""
WIDGETS = "application/vnd.jupyter.widget"

# nbconvert's "lab" template writes no alternative text; its "classic" one does.
TEMPLATE = """{%- extends "lab/index.html.j2" -%}
{% block data_png scoped %}{{ super() | with_alt(output) }}{% endblock data_png %}
"""


def write_html(path):
    """Write an executed notebook as a web page beside it, and return the page's path."""
    import nbformat

    path = Path(path)
    page = path.with_suffix(".html")
    page.write_text(to_html(nbformat.read(path, as_version=4), path.stem), encoding="utf-8")
    return page


def try_html(path):
    """As `write_html`, but never an error, because a page is worth no run.

    Returns:
        None, or in one line why there is no page; an earlier page is removed then.
    """
    try:
        write_html(path)
    except Exception as error:  # of nbconvert, of a template, of a full disk: whatever it is
        with contextlib.suppress(OSError):
            Path(path).with_suffix(".html").unlink(missing_ok=True)
        return " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return None


def to_html(notebook, name):
    """Render a notebook as one page whose pictures carry their alternative text.

    The folded descriptions of figures are left out: here each `<img>` carries its text itself.
    """
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    loader = DictLoader({"with_alt.html.j2": TEMPLATE})
    options = {"template_file": "with_alt.html.j2", "embed_images": True}
    exporter = HTMLExporter(extra_loaders=[loader], **options)
    exporter.register_filter("with_alt", _with_alt)
    notebook = drop_descriptions(notebook)
    # Pictures in the text lie beside the notebooks; the page carries them itself.
    place = {"path": str(notebooks_folder())}
    resources = {"metadata": {"name": heading(notebook) or name, **place}}
    return exporter.from_notebook_node(notebook, resources)[0]


def _with_alt(markup, output):
    alt = output.get("metadata", {}).get("image/png", {}).get("alt")
    return markup.replace("<img ", f'<img alt="{html.escape(alt)}" ', 1) if alt else markup


def drop_descriptions(notebook):
    """Return a copy without folded descriptions of figures and without widgets.

    A page has no kernel that a widget could talk to, and what Colab and others store of widgets
    is not what nbconvert expects. Where an output has a text or picture besides, that is shown.
    """
    from helpers.plots import DETAILS

    notebook = copy.deepcopy(notebook)
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                o for o in cell.outputs if DETAILS not in o.get("data", {}).get("text/html", "")
            ]
            for output in cell.outputs:
                for kind in [k for k in output.get("data", {}) if k.startswith(WIDGETS)]:
                    del output["data"][kind]
            cell.outputs = [o for o in cell.outputs if o.get("data") != {}]
    return notebook


def write_index(folder, runs, title):
    """Write `index.html` for a list of runs, and return its path.

    A run without a page is named with a link to its notebook.
    """
    rows = []
    for run in runs:
        page = run.output.with_suffix(".html")
        page = os.path.relpath(page if page.exists() else run.output, folder)
        name = html.escape(run.notebook.stem.replace("_", " "))
        result = html.escape(run.headline if run.ok else f"Failed: {run.error}")
        kind = "" if run.ok else ' class="failed"'
        rows.append(
            f'<tr><td><a href="{html.escape(page)}">{name}</a></td>'
            f'<td class="number">{run.seconds / 60:.1f}</td>'
            f'<td class="number">{run.peak_bytes / 2**30:.2f}</td>'
            f"<td{kind}>{result}</td></tr>"
        )
    minutes = sum(run.seconds for run in runs) / 60
    failed = sum(not run.ok for run in runs)
    summary = f"Notebooks: {len(runs)}, failed: {failed}, minutes in all: {minutes:.1f}."
    path = Path(folder) / "index.html"
    page = PAGE.format(title=html.escape(title), summary=summary, rows="\n".join(rows))
    path.write_text(page, encoding="utf-8")
    return path


def heading(notebook):
    """Return the text of a notebook's first heading, or None."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.lstrip().startswith("# "):
            return cell.source.lstrip().splitlines()[0].removeprefix("# ").strip()
    return None
