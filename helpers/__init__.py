"""What the notebooks share; what a notebook teaches it builds in its own cells.

* The small module, for who builds and trains a VAE: `layers`, `losses`, `networks`, `models`,
  `pyramids`, `training`; and beside them `photo_networks` (for whole photographs), `backend` (what
  Keras leaves to TensorFlow, JAX and PyTorch), `checkpoint` (long runs in several sittings),
  `pretrained` (trained weights that come with the project), `progress` (bars) and `checks` (of the
  answers to the assignments).
* Topics: `data`, `metrics`, `plots`, `edges`, `segmentation`, `uncertainty`, `generative`,
  `experiments`. Each says what is inside, and which notebooks use it.
* Two machine rooms that no learner needs to enter: `runs` starts the notebooks, `grading` the
  course.

The small module imports none of the topics but `data`, and no other folder imports the
machine rooms. To import the package costs nothing: a module is imported when it is named, and
matplotlib, scikit-image and scikit-learn when a function needs them. The examples in the
docstrings take `np`, `keras` and the modules of `helpers` as imported.
"""

import time

# Files that are changed after this moment are not what runs; see `checkpoint.code_versions`.
IMPORTED = time.time()
