"""One training target from what several people drew."""

import numpy as np

TREATMENTS = ("share", "majority", "any", "one")


def combine(annotations, treatment="share", seed=0):
    """What a network is told of the annotators of each image.

    Args:
        annotations: one array `(A, H, W)` of 0 and 1 for each image, a layer for each person.
        treatment: "share" of them who drew a pixel; 1 where the "majority" did, at least half
            of them; 1 where "any" did; or what "one" of them drew, picked by lot.
        seed: of the lots.

    Returns:
        float32 `(N, H, W)`, in [0, 1].

    Raises:
        ValueError: If there is no such treatment, an image has no annotator, or a value is
            other than 0 and 1.
    """
    if treatment not in TREATMENTS:
        raise ValueError(f"`treatment` must be one of {TREATMENTS}. Received: {treatment!r}")
    rng, targets = np.random.default_rng(seed), []
    for number, drawn in enumerate(annotations):
        drawn = np.asarray(drawn)
        if drawn.ndim != 3 or not len(drawn):
            raise ValueError(
                f"image {number}: annotations must be (A, H, W) with A of 1 or more. "
                f"Received: shape {drawn.shape}"
            )
        if not np.isin(drawn, (0, 1)).all():
            raise ValueError(
                f"image {number}: annotations must be 0 or 1, one map per annotator and no mean of "
                f"them. Received: values from {drawn.min()} to {drawn.max()}"
            )
        share = drawn.mean(axis=0, dtype="float64")
        if treatment == "share":
            target = share
        elif treatment == "majority":
            target = share >= 0.5
        elif treatment == "any":
            target = share > 0
        else:
            target = drawn[rng.integers(len(drawn))]
        targets.append(target)
    return np.stack(targets).astype("float32")
