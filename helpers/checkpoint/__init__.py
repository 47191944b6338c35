"""Long runs in several sittings: what is finished is kept, what was killed goes on.

`checkpoint.ResultStore` keeps results and weights (05, 07, 08, 09, and 06 on photographs); the
other modules tell whether what was kept was made by the code and the data of now.
"""

import importlib

__all__ = ["ResultStore"]


def __getattr__(name):
    # It needs Keras, and importing Keras takes seconds; what names states of code does not.
    if name in __all__:
        return getattr(importlib.import_module("helpers.checkpoint.store"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
