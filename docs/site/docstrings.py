"""A Sphinx extension: our docstrings are plain text with `code` and a few sections.

Signs of reStructuredText in them are text: `|A|` is the size of a set and no substitution, `*x` an
argument and no start of an emphasis. Examples stay as they are. The works under References become a
list. Keras hides the arguments of its classes behind `*args`; they are read from `__init__`.
"""

import inspect
import re

KEPT = re.compile(r"(`[^`]*`|\*\*[^*\s][^*]*\*\*)")  # code and strong


def escaped(line):
    """A line of a docstring with `|` and `*` as themselves; a bullet at its start stays one."""
    start = re.match(r"\s*(?:[*-] )?", line)[0]
    parts = KEPT.split(line[len(start) :])
    return start + "".join(
        part if i % 2 else re.sub(r"(?<!\\)([|*])", r"\\\1", part) for i, part in enumerate(parts)
    )


def plain(lines):
    """The lines of a docstring, `escaped` outside of examples: from `>>>` to the next empty line."""
    result, shown = [], False
    for line in lines:
        shown = line.strip() != "" and (shown or line.lstrip().startswith(">>> "))
        result.append(line if shown else escaped(line))
    return result


def listed(lines):
    """The lines of a docstring with a bullet before each work under `References:`."""
    result, indent = [], None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if line.strip() == "References:":
            indent = depth + 4
        elif indent and line.strip() and depth < indent:
            indent = None
        elif indent and line.strip():
            line = " " * depth + ("- " if depth == indent else "  ") + line.lstrip()
        result.append(line)
    return result


def arguments(cls):
    """The arguments of a class as its own `__init__` has them, or None if it has none of its own."""
    if "__init__" not in vars(cls):
        return None
    signature = inspect.signature(cls.__init__)
    return str(signature.replace(parameters=list(signature.parameters.values())[1:]))


def _rewrite(app, what, name, obj, options, lines):
    lines[:] = listed(plain(lines))


def _signature(app, what, name, obj, options, signature, returns):
    if what == "class" and signature == "(*args, **kwargs)" and (found := arguments(obj)):
        return found, returns
    return None


def setup(app):
    # Before napoleon, which writes reStructuredText of its own.
    app.connect("autodoc-process-docstring", _rewrite, priority=100)
    app.connect("autodoc-process-signature", _signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
