"""Tests and notebooks side by side: `make test` gives each worker of pytest-xdist whole files."""

import os

# Set before TensorFlow starts, in a worker and in the kernels, which inherit it: two workers
# with a thread for every core would wait for one another.
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
if WORKERS > 1:
    for name in THREADS:
        os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // WORKERS)))

# The longest files start first: one that starts last keeps a worker busy while the others wait.
# A file that is missing here costs a little time, nothing else.
LONGEST = (
    "test_assignments",
    "test_grading",
    "test_vae",
    "test_sweeps",
    "test_notebooks",
    "10_find_edges",
    "09_segment_from_features",
    "08_segment_reconstructions",
    "07_train_it_well",
    "12_draw_several_answers",
    "13_spot_the_strange",
    "14_repair_masks",
    "17_compare_segmenters",
    "15_meet_gans",
    "16_count_in_codes",
    "06_set_the_rate",
    "03_build_a_vae",
)


def pytest_collection_modifyitems(items):
    order = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
