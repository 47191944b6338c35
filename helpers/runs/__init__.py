"""Run the notebooks: set-up, checked parameters, recorded results, execution, and authoring.

Light on purpose: importing it imports neither Keras nor papermill.
"""

from helpers.runs.parameter_cells import read_parameters
from helpers.runs.parameters import check_parameters
from helpers.runs.results import read_results, record
from helpers.runs.setup import quiet, set_up

__all__ = ["check_parameters", "quiet", "read_parameters", "read_results", "record", "set_up"]
