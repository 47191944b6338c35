"""Linear probes: what a linear model can read off frozen features."""

import numpy as np


def balanced_subset(labels, n):
    """Positions of the first `n` labels with equally many of each class, in order of class.

    Args:
        labels: Integer class of each example, `(N,)`.
        n: How many to take in all; rounded down to a multiple of the number of classes.

    Returns:
        Integer positions.

    Raises:
        ValueError: If a class has too few examples, or `n` is below the number of classes.
    """
    labels = np.asarray(labels)
    classes = np.unique(labels)
    each = n // len(classes)
    if each < 1:
        raise ValueError(f"{len(classes)} classes need n ≥ {len(classes)}. Received: n={n!r}")
    positions = [np.flatnonzero(labels == c)[:each] for c in classes]
    short = [int(c) for c, found in zip(classes, positions) if len(found) < each]
    if short:
        raise ValueError(f"class {short[0]} has fewer than {each} examples. Received: n={n!r}")
    return np.concatenate(positions)


def probe_regression(features, truth, held_features, held_truth):
    """R² on held-out examples of ridge regression from standardised features to one number.

    Args:
        features: `(N, K)`; they set the scale of both.
        truth: `(N,)`.
        held_features: `(M, K)`.
        held_truth: `(M,)`.

    Returns:
        Explained share of the variance: 1 is perfect, 0 no better than the mean, may be negative.
    """
    from sklearn.linear_model import Ridge

    return _score(Ridge(1.0), features, truth, held_features, held_truth)


def probe_classes(features, truth, held_features, held_truth):
    """Accuracy on held-out examples of logistic regression from standardised features.

    Arguments as for `probe_value`, with integer classes.

    References:
        Alain and Bengio (2016), linear probes. https://arxiv.org/abs/1610.01644
    """
    from sklearn.linear_model import LogisticRegression

    return _score(LogisticRegression(max_iter=2000), features, truth, held_features, held_truth)


def _score(model, features, truth, held_features, held_truth):
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # NumPy takes no tensor of PyTorch that carries gradients.
    features, held_features = (
        np.asarray(f.detach().cpu() if hasattr(f, "detach") else f)
        for f in (features, held_features)
    )
    if features.ndim != 2 or held_features.shape[1:] != features.shape[1:]:
        raise ValueError(
            "features must be (N, K) and (M, K). "
            f"Received: shapes {features.shape} and {held_features.shape}"
        )
    pipeline = make_pipeline(StandardScaler(), model).fit(features, truth)
    return float(pipeline.score(held_features, held_truth))
