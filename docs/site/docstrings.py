"""A Sphinx extension: docstrings are plain text with `code`, so signs of reStructuredText are text.

`|A|` is the size of a set in our docstrings and a substitution in reStructuredText; `*x` is an
argument and the start of an emphasis. Both are escaped outside of backticks.
"""

import re

CODE = re.compile(r"(`[^`]*`)")


def escaped(line):
    """A line of a docstring with `|` and `*` as themselves; a bullet at its start stays one."""
    start = re.match(r"\s*(?:[*-] )?", line)[0]
    parts = CODE.split(line[len(start) :])
    return start + "".join(
        part if i % 2 else re.sub(r"(?<!\\)([|*])", r"\\\1", part) for i, part in enumerate(parts)
    )


def _escape(app, what, name, obj, options, lines):
    lines[:] = [escaped(line) for line in lines]


def setup(app):
    # Before napoleon, which writes reStructuredText of its own.
    app.connect("autodoc-process-docstring", _escape, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
