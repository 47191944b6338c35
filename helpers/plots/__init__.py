"""Figures of the notebooks: one style, images, charts, and several methods beside a recorded run.

For who draws: all functions are named here, as `plots.show` and `plots.image_grid`. matplotlib is
imported when the first figure is drawn.

Notebooks: 00 to 18.
"""

# isort: skip_file
# fmt: off
from helpers.plots.charts import (
    differences, heatmap, interval_panels, intervals, latent_scatter, learning_curves,
    precision_recall, reliability,
)
from helpers.plots.comparisons import (
    label_efficiency, scores_by_method,
)
from helpers.plots.images import (
    class_legend, image_grid, mask_to_rgb, picture_rows, segmentation_gallery, worst_pictures,
)
from helpers.plots.side_by_side import curve_panels, differences_and_record, reliability_panels
from helpers.plots.rates import (
    likelihood_choices, power_spectra, rate_distortion, reconstruction_lengths,
    reconstruction_rates, sigma_over_steps,
)
from helpers.plots.style import CLASS_COLOURS, COLOURS, DETAILS, check_alt, show, use
