"""A machine room that no learner needs to enter: notebooks are started, checked and recorded here.

For who runs notebooks: set-up and checked `parameters`, recorded `results`, `execute` and sweeps
of many runs. Light on purpose: importing it imports neither Keras nor papermill. A notebook calls
`set_up`, `check_parameters` and `record`.

Notebooks: 00 to 18.
"""

from helpers.runs.parameter_cells import read_parameters
from helpers.runs.parameters import check_parameters
from helpers.runs.results import read_results, record
from helpers.runs.setup import quiet, set_up

__all__ = ["check_parameters", "quiet", "read_parameters", "read_results", "record", "set_up"]
