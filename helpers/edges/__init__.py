"""Edges: the Berkeley benchmark, thinning, non-maximum suppression, classical detectors.

`benchmark` scores any edge maps against several annotators, `human_level` scores the
annotators against each other. Neither matplotlib nor scikit-image is imported before a
function needs it.
"""

from helpers.edges.annotators import combine
from helpers.edges.berkeley import benchmark, human_level
from helpers.edges.classics import CLASSICS, classical_maps, steepest, tune_classical
from helpers.edges.detectors import canny_levels, gradient_magnitude
from helpers.edges.morphology import nms, thin
from helpers.edges.scores import BenchmarkResult

__all__ = [
    "CLASSICS",
    "BenchmarkResult",
    "benchmark",
    "canny_levels",
    "classical_maps",
    "combine",
    "gradient_magnitude",
    "human_level",
    "nms",
    "steepest",
    "thin",
    "tune_classical",
]
