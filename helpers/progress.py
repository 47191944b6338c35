"""Bars with the time left, for what takes more than a few seconds, where somebody watches.

A bar is drawn by tqdm: as a widget in a notebook, as a line in a terminal. It appears after two
seconds and goes when the work is done, so stored notebooks and short trainings hold none. Nobody
watches under nbval, papermill, nbconvert or pytest, and there all of this is silent.
"""

import os
import sys

SECONDS = 2  # before a bar appears


def watched():
    """Whether to draw bars: `HELPERS_PROGRESS` (1 or 0) if set, else whether somebody watches.

    A front end that a person sits at lets a cell ask for input, and says so with every cell that it
    runs. Programs that run notebooks do not.

    Examples:
        >>> with unittest.mock.patch.dict("os.environ", HELPERS_PROGRESS="0"):
        ...     progress.watched()
        False
    """
    named = os.environ.get("HELPERS_PROGRESS")
    if named in ("0", "1"):
        return named == "1"
    if "PYTEST_CURRENT_TEST" in os.environ or os.environ.get("HELPERS_PROFILE"):
        return False
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stderr is not None and sys.stderr.isatty()


def bar(total, what, unit="step", shown=None):
    """A bar: `update(n)` it, `close()` it; it is also a context. Not shown, it does nothing.

    Args:
        total: how many units there are, or None if nobody knows.
        what: a word or two, drawn before the bar.
        unit: of what is counted.
        shown: True or False; None asks `watched`.

    Examples:
        >>> with progress.bar(3, "training", shown=False) as bar:
        ...     for step in range(3):
        ...         done = bar.update(1)
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without ipywidgets tqdm draws a line, and says so
        from tqdm.auto import tqdm
    shown = watched() if shown is None else shown
    options = {"unit": unit, "delay": SECONDS, "leave": False, "disable": not shown}
    return tqdm(total=total, desc=what, **options)
