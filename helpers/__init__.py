"""Shared layers, losses, models and measures of the notebook series.

Importing this package costs nothing: each module is imported when it is named,
and matplotlib, scikit-image and scikit-learn only when a function needs them.

What a notebook teaches it builds in its own cells; what it needs it takes from here.
"""

import time

# Files that are changed after this moment are not what runs; see `runs.versions`.
IMPORTED = time.time()
