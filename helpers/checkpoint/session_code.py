"""The code that a reader brings to a session: a notebook's cells, and modules of their own."""

import ast
import functools
import sys
import sysconfig
from pathlib import Path

from helpers.checkpoint.code_versions import PACKAGE, normal, short


def session_code():
    """A hash of all cells of a notebook that were run so far, and of the reader's own modules.

    Each cell counts, in the order in which they were run, because any may have made what is asked
    now. Two things do not count: the values of the parameters, which belong to the key of a
    result, and that the last cell was run several times. In a kernel that was started anew, *Run
    All* gives the same hash each time. In a script the file itself is one of the modules. Code
    that is neither in a cell nor imported, such as that of `%run`, is not seen.

    Examples:
        >>> checkpoint.session_code.session_code() == checkpoint.session_code.session_code()
        True
    """
    return short(*_cells(), *_own_modules())


def own_code(module):
    """A digest of a module of the reader's own; "" for one of Python, a package, or `helpers`.

    Args:
        module: its name. One without a file is a notebook, whose `session_code` is returned.

    Examples:
        >>> checkpoint.session_code.own_code("math")
        ''
    """
    top = module.split(".")[0]
    path = getattr(sys.modules.get(module, sys.modules.get(top)), "__file__", None)
    if path is None:
        return "" if top in sys.stdlib_module_names else session_code()
    return "" if _installed(path) else normal(Path(path).read_bytes())


def _cells():
    """A digest of each cell that was run; of the last one once."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    sources = [] if shell is None else shell.history_manager.input_hist_parsed[1:]
    rules = [_rules(source) for source in sources]
    checked = next((i for i, names in enumerate(rules) if names), -1)
    found = [normal(s, rules[checked] if i <= checked else ()) for i, s in enumerate(sources)]
    found = [cell for cell in found if cell]
    while found[1:] and found[-1] == found[-2]:
        found.pop()
    return found


@functools.cache
def _rules(source):
    """Names of the parameters that a cell checks; empty for a cell that checks none."""
    if "check_parameters(" not in source:
        return ()
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except SyntaxError:
        return ()
    calls = [call for call in calls if getattr(call.func, "id", None) == "check_parameters"]
    return tuple(keyword.arg for call in calls for keyword in call.keywords)


def _own_modules():
    files = {name: getattr(m, "__file__", None) for name, m in list(sys.modules.items())}
    files = {name: path for name, path in files.items() if isinstance(path, str)}
    own = sorted(n for n, path in files.items() if path.endswith(".py") and not _installed(path))
    paths = {name: Path(files[name]) for name in own}
    return [(name, normal(path.read_bytes())) for name, path in paths.items() if path.is_file()]


@functools.cache
def _installed(path):
    """Whether a file belongs to Python, to an installed package, or to this one."""
    path = Path(path)
    if {"site-packages", "dist-packages"} & set(path.parts):
        return True
    places = sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), PACKAGE
    return any(path.is_relative_to(place) for place in places)
