"""Sphinx settings of the site. `build.py` copies this file into the folder that is built."""

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(os.environ["SITE_PROJECT"])
sys.path.insert(0, str(ROOT / "docs" / "site"))
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

from helpers.runs import quiet  # noqa: E402

with quiet():  # autodoc imports the package; TensorFlow writes to stderr when it starts
    import keras  # noqa: F401

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_REPOSITORY = _PROJECT["urls"]["Repository"]

project = "From a VAE to segments and edges"
author = f"The authors of {project}"
copyright = "the authors. Code: MIT. Text and figures: CC BY 4.0"
version = release = _PROJECT["version"]
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "docstrings",
    "figures",
]
exclude_patterns = ["_static", "**/.ipynb_checkpoints"]

# Pages show the outputs that are stored; no kernel starts here.
nb_execution_mode = "off"
nb_merge_streams = True
nb_output_stderr = "remove"
# The record of results is a MIME type of the project's own.
suppress_warnings = ["mystnb.unknown_mime_type"]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# What is copied from an example are its lines of code, without the prompt and the output.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# Docstrings write `code` in single backticks, as Markdown does.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autodoc_typehints = "none"
autodoc_preserve_defaults = True  # as written: a value may hold a path of this machine
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("References", "notes_style"), ("Call arguments", "params_style")]

# Fetched once by vendor.py and copied into the site: no page asks another host.
mathjax_path = "vendor/mathjax/tex-svg-full.js"
nb_ipywidgets_js = {
    "vendor/require.js": {},
    "vendor/widgets/embed-amd.js": {"data-jupyter-widgets-cdn": "", "crossorigin": "anonymous"},
}

html_theme = "sphinx_book_theme"
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = True
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {
    "repository_url": _REPOSITORY,
    "repository_branch": "main",
    "path_to_docs": "",
    "use_repository_button": True,
    "use_issues_button": True,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "launch_buttons": {
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
        "notebook_interface": "jupyterlab",
    },
    "home_page_in_toc": False,
    "show_toc_level": 2,
    "show_navbar_depth": 1,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
