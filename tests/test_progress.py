"""Bars: drawn where somebody watches, silent elsewhere, with the steps that were done."""

import sys
import types

import keras
import numpy as np
import pytest

from helpers import backend, progress, training


def nobody(monkeypatch):
    """None of the variables that speak about bars is set, and no terminal is there.

    No fixture: pytest sets its variable anew when the test itself begins.
    """
    for name in ("HELPERS_PROGRESS", "PYTEST_CURRENT_TEST", "HELPERS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(isatty=lambda: False))


def _kernel(patch, asks):
    shell = types.SimpleNamespace(kernel=types.SimpleNamespace(_allow_stdin=asks))
    patch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)


def test_a_terminal_is_watched_and_a_log_is_not(monkeypatch):
    nobody(monkeypatch)
    assert not progress.watched()
    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(isatty=lambda: True))
    assert progress.watched()
    monkeypatch.setattr(sys, "stderr", None)
    assert not progress.watched()


def test_a_front_end_is_watched_and_a_runner_is_not(monkeypatch):
    nobody(monkeypatch)
    _kernel(monkeypatch, asks=True)
    assert progress.watched()
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "x")
    assert not progress.watched()
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.setenv("HELPERS_PROFILE", "default")
    assert not progress.watched()
    monkeypatch.delenv("HELPERS_PROFILE")
    _kernel(monkeypatch, asks=False)
    assert not progress.watched()


def test_the_variable_has_the_last_word(monkeypatch):
    nobody(monkeypatch)
    monkeypatch.setenv("HELPERS_PROGRESS", "1")
    assert progress.watched()
    _kernel(monkeypatch, asks=True)
    monkeypatch.setenv("HELPERS_PROGRESS", "0")
    assert not progress.watched()


def test_the_kernel_tells_whether_it_may_ask():
    """The attribute that `watched` reads is the one that ipykernel sets for each cell."""
    from ipykernel.kernelbase import Kernel

    assert "_allow_stdin" in Kernel.class_trait_names() or hasattr(Kernel, "_allow_stdin")


def _drawn(monkeypatch):
    monkeypatch.setenv("HELPERS_PROGRESS", "1")
    monkeypatch.setattr(progress, "SECONDS", 0)


def count(total, what):
    with progress.bar(total, what, "run") as drawn:
        drawn.update()


def test_what_is_done_is_counted(monkeypatch, capsys):
    _drawn(monkeypatch)
    count(2, "twins")
    shown = capsys.readouterr().err
    assert "twins" in shown and "0/2" in shown
    count(None, "letters")


def test_nothing_is_drawn_without_a_watcher(monkeypatch, capsys):
    monkeypatch.setenv("HELPERS_PROGRESS", "0")
    count(2, "twins")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("per_execution", [1, 4])
def test_a_training_counts_its_steps(monkeypatch, per_execution):
    counts = []
    real = progress.bar

    def watched_bar(*args, **options):
        drawn = real(*args, shown=True)
        drawn.refresh = drawn.display = lambda *_, **__: None
        counts.append(drawn)
        return drawn

    monkeypatch.setattr(progress, "bar", watched_bar)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    together = backend.compile_options(per_execution)["steps_per_execution"]
    model.compile("sgd", "mse", jit_compile=False, steps_per_execution=together)
    x = np.ones((40, 2), "float32")
    training.fit_steps(model, x, steps=24, batch_size=5, y=x[:, :1])
    assert [(b.n, b.total) for b in counts] == [(24, 24)]
    clock = iter(range(100))
    budget = training.TimeBudget(7, clock=lambda: next(clock))
    model.fit(x, x[:, :1], batch_size=5, epochs=50, callbacks=[budget], verbose=0)
    assert (counts[1].n, counts[1].total) == (7, 7)
