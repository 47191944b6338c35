"""Classifiers of pixels: losses, how far an output sees, what a network costs.

For who trains or compares networks that label pixels or find edges.

Notebooks: 08 to 11 and 17.
"""

# isort: skip_file
# fmt: off
from helpers.segmentation.class_maps import class_map
from helpers.segmentation.cost import multiply_adds
from helpers.segmentation.losses import EdgeCrossEntropy, PixelCrossEntropy, SoftDice, class_weights
from helpers.segmentation.receptive_fields import (
    AVERAGES, MOST_POSITIONS, SIDES, effective_receptive_field, receptive_field,
    receptive_field_mask, side_holding, with_positive_weights,
)
