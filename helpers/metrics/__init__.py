"""Measures, NumPy in and NumPy out; all of them are named here: `metrics.mean_iou`.

For who scores what a model gives: `label_maps` (IoU, Dice, boundary IoU), `calibration`,
`multi_annotator` (energy distance, matched IoU), `anomaly_maps` (maps of odd pixels), `generative`
and `frechet` (kernel and Fréchet distance, precision and recall of samples), `linear_probes` (what
features know), `statistics` and `tables` (intervals, and which of two methods is ahead). `density`
has bounds on log p(x) of a VAE, and `loss_weights` the effective β of any VAE's loss; these two
need Keras, and are imported when they are asked for.

Notebooks: 01 to 03, 05 to 10 and 12 to 18.
"""

# isort: skip_file
# fmt: off
import importlib

from helpers.metrics.anomaly_maps import aupro, aupro_by_image, average_precision_by_image
from helpers.metrics.calibration import (
    brier, expected_calibration_error, reliability,
)
from helpers.metrics.frechet import frechet_of_cells, frechet_ratio, gaussian_tiles
from helpers.metrics.generative import (
    block_mean, distance_to_regions, gradient_energy, polynomial_mmd, power_spectrum,
    precision_recall, standardise, variance_ratio,
)
from helpers.metrics.iou_by_image import mean_iou_by_image, mean_iou_of_counts
from helpers.metrics.label_maps import (
    LABEL_MAP_SCORES, boundary_iou, confusion_matrix, dice,
    iou_of_counts, iou_per_class, label_bits, label_map_scores, mean_iou,
    outline_gap, pixel_accuracy,
)
from helpers.metrics.linear_probes import probe_classes, probe_facts, probe_regression
from helpers.metrics.multi_annotator import (
    boundary_band, dilate, generalised_energy_distance, hungarian_matched_iou,
    mixture_nll, pairwise_iou, pixelwise_nll, unique_annotations,
)
from helpers.metrics.statistics import (
    PairedDifference, confidence_interval, contrasts, crossed_interval, crossed_p_value, holm,
    paired_difference,
)
from helpers.metrics.tables import format_interval, format_table, score_table
# fmt: on


def __getattr__(name):
    # The only modules that need Keras, and importing Keras takes seconds.
    if not name.startswith("_"):
        for module in ("density", "loss_weights"):
            found = importlib.import_module(f"helpers.metrics.{module}")
            if hasattr(found, name):
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
