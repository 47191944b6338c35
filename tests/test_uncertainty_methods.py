"""The methods train and predict, and a seed repeats them."""

import numpy as np
import pytest
from small_uncertainty import SIZE, noise_task, small_methods

from helpers import metrics
from helpers.uncertainty import baselines, methods


@pytest.fixture(scope="module")
def task():
    return noise_task()


@pytest.fixture(scope="module")
def trainer(task):
    return small_methods(task)


def test_every_method_predicts_and_a_seed_repeats_it(trainer, task):
    rows = baselines.training_rows(task.train_images, task.train_annotations)
    for method in methods.METHODS:
        one, two = (trainer.train(method, *rows, 1)(task.val_images, 6) for _ in range(2))
        assert one.shape == (4, 6, SIZE, SIZE) and one.min() >= 0 and one.max() <= 1
        assert np.allclose(one, two, atol=1e-4), method
        varies = np.abs(one - one[:, :1]).max() > 1e-5
        assert bool(varies) is (method != "one map"), method
        nll = trainer.nll(method, one, task.val_images, task.val_annotations, draws=2)
        assert nll.shape == (4,) and np.isfinite(nll).all()
    members = trainer.train("ensemble", *rows, 1)(task.val_images, 6)
    assert np.array_equal(members[:, 0], members[:, 5])


def test_nll_of_a_latent_is_that_of_each_picture_alone(trainer, task, monkeypatch):
    rows = baselines.training_rows(task.train_images, task.train_annotations)
    trainer.train("latent", *rows, 1)
    monkeypatch.setattr(methods, "BATCH", 3)  # four pictures are two batches
    people = [np.concatenate([a, a[:1]]) for a in task.val_annotations]  # two drew the same
    found = trainer.nll("latent", None, task.val_images, people, draws=5)
    some = [
        trainer.probabilistic_unet().nll(i, metrics.unique_annotations(a)[0], 5)
        for i, a in zip(task.val_images, people)
    ]
    counts = [metrics.unique_annotations(a)[1] for a in people]
    assert np.allclose(found, [n @ c / 4 for n, c in zip(some, counts)], rtol=1e-5)
    assert len(set(np.round(found, 3))) == 4


def test_the_ensemble_has_the_weights_of_one_net(trainer, task):
    rows = baselines.training_rows(task.train_images, task.train_annotations)
    for method in ("one map", "dropout", "ensemble"):
        trainer.train(method, *rows, 1)
    weights = trainer.count_params()
    assert 0.8 < weights["ensemble"] / weights["one map"] <= 1.02
    assert weights["dropout"] == weights["one map"]


def test_an_unknown_method_is_refused(trainer):
    with pytest.raises(ValueError, match="method"):
        trainer.train("oracle", None, None, 0)
