"""The examples of the docstrings are right, and each public name of the small module has one."""

import ast
import contextlib
import doctest
import importlib
import itertools
import os
import tempfile
import unittest.mock
from pathlib import Path

import keras
import numpy as np
import pytest

HELPERS = Path(__file__).resolve().parents[1] / "helpers"

# The small module: its files, and the names in `helpers` that an example may use.
SMALL = (
    "backend", "checks", "layers", "losses", "networks", "photo_networks", "pretrained", "progress", "pyramids",
    "training", "checkpoint.code_versions", "checkpoint.fingerprints", "checkpoint.result_store",
    "checkpoint.session_code", "metrics.density", "metrics.label_maps", "metrics.loss_weights", "models.inputs",
    "models.pair_checks", "models.saving", "models.two_level", "models.vae",
)  # fmt: skip
# Files of it that only other files of `helpers` use.
INSIDE = (
    "checkpoint.long_training",
    "checkpoint.training_backup",
    "models.first_edition",
    "models.half_precision",
    "models.resizing",
)
# Methods that readers call by themselves.
METHODS = {
    "TwoLevelVAE": ("decode_levels", "sample", "start_from"),
    "VAE": ("encode", "decode", "sample", "elbo"),
    "ResultStore": ("result", "fit"),
}
LIBRARIES = {
    "contextlib": contextlib, "itertools": itertools, "keras": keras, "np": np, "os": os,
    "tempfile": tempfile, "unittest": unittest,
}  # fmt: skip
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def names():
    """What an example has besides its own lines: modules of `helpers`, and a few libraries."""
    importlib.import_module("helpers.checkpoint.fingerprints")  # by their full names
    parts = sorted({name.partition(".")[0] for name in (*SMALL, "data")})
    return LIBRARIES | {name: importlib.import_module(f"helpers.{name}") for name in parts}


def _public(tree):
    """Nodes of the public functions and classes of a module, and of `METHODS`, by their names."""
    found = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            found[node.name] = node
            inside = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
            for method in METHODS.get(node.name, ()):
                found[f"{node.name}.{method}"] = inside[method]
    return found


def _without_example(text):
    """Public names of a module whose docstring has no section `Examples:` with a line of code."""
    docs = {n: ast.get_docstring(node) or "" for n, node in _public(ast.parse(text)).items()}
    return [n for n, doc in docs.items() if ">>> " not in doc.partition("\nExamples:\n")[2]]


def test_the_small_module_is_all_here():
    places = (HELPERS, HELPERS / "checkpoint", HELPERS / "models")
    paths = [path for place in places for path in place.glob("[a-z]*.py")]
    files = {".".join(path.relative_to(HELPERS).with_suffix("").parts) for path in paths}
    assert files == {*SMALL, *INSIDE} - {
        f"metrics.{name}" for name in ("density", "label_maps", "loss_weights")
    }


@pytest.mark.parametrize("module", SMALL)
def test_every_public_name_of_the_small_module_has_an_example(module):
    path = HELPERS / f"{module.replace('.', '/')}.py"
    assert _without_example(path.read_text("utf-8")) == []


def test_a_name_without_an_example_is_found():
    text = 'def f():\n    """One."""\n\n\ndef _g():\n    pass\n\n\nclass A:\n    pass\n'
    assert _without_example(text) == ["f", "A"]
    good = 'def f():\n    """One.\n\n    Examples:\n        >>> 1\n        1\n    """\n'
    assert _without_example(good) == []
    assert _without_example(good.replace("Examples:", "Note:")) == ["f"]


def _cases():
    """Every module of the package with an example in it."""
    paths = (p for p in sorted(HELPERS.rglob("*.py")) if ">>> " in p.read_text("utf-8"))
    modules = (".".join(p.relative_to(HELPERS.parent).with_suffix("").parts) for p in paths)
    return [module.removesuffix(".__init__") for module in modules]


@pytest.mark.parametrize("module", _cases())
def test_the_examples_are_right(module, names, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    keras.utils.set_random_seed(0)
    runner, said = doctest.DocTestRunner(optionflags=FLAGS), []
    for test in doctest.DocTestFinder().find(importlib.import_module(module), globs=names):
        runner.run(test, out=said.append)
    assert runner.tries and not runner.failures, "".join(said)
