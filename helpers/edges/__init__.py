"""Edges: the Berkeley benchmark, thinning, non-maximum suppression, classical detectors.

For who finds edges or scores them, with any model or none: `benchmark` scores edge maps against
several annotators, `human_level` the annotators against each other. Neither matplotlib nor
scikit-image is imported before a function needs it.

Notebooks: 02 and 10.
"""

from helpers.edges.berkeley import benchmark, human_level
from helpers.edges.by_image import ods_by_image, ods_difference
from helpers.edges.classical import (
    CLASSICS,
    canny_levels,
    classical_maps,
    gradient_magnitude,
    noise_comparison,
    steepest,
    tune_classical,
)
from helpers.edges.profiles import distance_to_edges, edge_profile
from helpers.edges.scores import BenchmarkResult
from helpers.edges.targets import combine
from helpers.edges.thinning import nms, thin

__all__ = [
    "CLASSICS",
    "BenchmarkResult",
    "benchmark",
    "canny_levels",
    "classical_maps",
    "combine",
    "distance_to_edges",
    "edge_profile",
    "gradient_magnitude",
    "human_level",
    "nms",
    "noise_comparison",
    "ods_by_image",
    "ods_difference",
    "steepest",
    "thin",
    "tune_classical",
]
