"""Linear probes: what a linear model can read off frozen features."""

import numpy as np


def probe_regression(features, truth, held_features, held_truth):
    """Scores of held-out examples by ridge regression from features to a number; their mean is R².

    One example has 1 − (error)² / (variance of `held_truth`), so that two kinds of features can be
    compared example by example. For R² alone there is `sklearn.metrics.r2_score`.

    Args:
        features: `(N, K)`; they set the scale of both.
        truth: `(N,)`.
        held_features: `(M, K)`.
        held_truth: `(M,)`.

    Returns:
        `(M,)`. The mean is 1 for a perfect prediction and 0 for one no better than the mean.

    Raises:
        ValueError: If `held_truth` has one value only.
    """
    from sklearn.linear_model import Ridge

    held_truth = np.asarray(held_truth, "float64")
    error = _predictions(Ridge(1.0), features, truth, held_features) - held_truth
    if not held_truth.var():
        raise ValueError("`held_truth` is the same everywhere: there is nothing to predict")
    return 1.0 - error**2 / held_truth.var()


def probe_classes(features, truth, held_features, held_truth):
    """Whether logistic regression from features to a class is right, `(M,)`; the mean is accuracy.

    Arguments as for `probe_regression`, with integer classes; the answers are 0 and 1.

    References:
        Alain and Bengio (2016), linear probes. https://arxiv.org/abs/1610.01644
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=2000)
    right = _predictions(model, features, truth, held_features) == np.asarray(held_truth)
    return right.astype("float64")


def probe_facts(features, factors, held_features, held_factors, facts):
    """Scores of held-out examples for several facts, `(F, M)`: "class" as a class, others as numbers.

    Args:
        features: `(N, K)`, of the first N examples of `factors`.
        factors: Known facts, dictionary from a name to an array.
        held_features: `(M, K)`.
        held_factors: The same facts of these M examples.
        facts: Names in both.
    """
    rows = []
    for fact in facts:
        probe = probe_classes if fact == "class" else probe_regression
        truth = factors[fact][: len(features)]
        rows.append(probe(features, truth, held_features, held_factors[fact]))
    return np.array(rows)


def _predictions(model, features, truth, held_features):
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
    return pipeline.predict(held_features)
