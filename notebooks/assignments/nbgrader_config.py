"""nbgrader's settings, for its own commands and its page in JupyterLab. See docs/teaching.md."""

import os

from helpers.grading.course import configure

configure(get_config(), os.path.dirname(os.path.abspath(__file__)))  # noqa: F821
