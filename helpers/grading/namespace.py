"""Inside the kernel: what the tests rely on is, before each of them, as it was at the start.

`sandbox` imports this before the first cell and calls `restore` before every test. It mends the
slips and the easy tricks: a `sum` that a student's cell wrote over, `np.abs` replaced, the checks
made blind. It is no lock: code in the same process can undo it (docs/teaching.md).
"""

import builtins
import importlib
import math
import sys
import types

import numpy

import helpers
from helpers import checks

_MODULES = (builtins, importlib, math, numpy, numpy.linalg, numpy.random, helpers)
_KEPT = [(module, dict(vars(module))) for module in _MODULES]
_BY_NAME = {module.__name__: module for module in (*_MODULES, checks)}


def restore():
    """Put the names of Python, NumPy and the checks back, whatever a cell did to them."""
    for module, names in _KEPT:
        module.__dict__.update(names)
    sys.modules.update(_BY_NAME)
    importlib.reload(checks)
    _stay()


def _stay():
    # A forgotten `exit()` would stop the kernel a moment later: after one cell, or after five.
    shell = getattr(builtins, "get_ipython", lambda: None)()
    if shell is not None:
        shell.ask_exit = lambda: None


def call(test):
    """Call a test whose Python names are Python's, also where a student has a `sum` of their own."""
    names = {**test.__globals__, **vars(builtins)}
    types.FunctionType(test.__code__, names)()


_stay()
