"""Long runs in several sittings: what is finished is kept, what was killed goes on.

For who trains for more than minutes: `checkpoint.ResultStore` keeps results and weights. The
other modules tell whether what was kept was made by the code and the data of now.

Notebooks: 08 to 13 and 17.
"""

import importlib

__all__ = ["ResultStore"]


def __getattr__(name):
    # It needs Keras, and importing Keras takes seconds; what names states of code does not.
    if name in __all__:
        return getattr(importlib.import_module("helpers.checkpoint.result_store"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
