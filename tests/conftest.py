"""Fixtures shared by the test files."""

import importlib.util
import os
import shutil
from pathlib import Path

import matplotlib as mpl
import pytest

HERE = Path(__file__).resolve().parent

# `make test-backends` and `make test-browser` run these, in environments that have what they need.
NEEDS = {"backends": ("jax", "torch"), "browser": ("playwright",)}
collect_ignore = [
    folder for folder, names in NEEDS.items() if not all(map(importlib.util.find_spec, names))
]
if os.environ.get("GRADERS") != "all":  # `make test-graders`
    collect_ignore.append("test_odd_class.py")


@pytest.fixture(autouse=True)
def style():
    """What a test sets of matplotlib's style ends with it, so files may run in any order."""
    with mpl.rc_context():
        yield


@pytest.fixture(scope="session")
def real_data():
    """The folder of real archives that HELPERS_DATA names; skips where there is none."""
    folder = os.environ.get("HELPERS_DATA")
    if not folder:
        pytest.skip("HELPERS_DATA is unset: no real data on this machine")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_project(tmp_path_factory):
    """A project of one tiny notebook, built as the real ones are; its `notebooks` folder."""
    root = tmp_path_factory.mktemp("tiny")
    notebooks = root / "notebooks"
    (notebooks / "py").mkdir(parents=True)
    (notebooks / "parameters").mkdir()
    shutil.copy(HERE.parent / "pyproject.toml", root)
    shutil.copy(HERE / "tiny" / "07_count_dots.py", notebooks / "py")
    shutil.copy(HERE / "tiny" / "07.smoke.yaml", notebooks / "parameters")
    from authoring.stored_notebook import build

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HELPERS_NOTEBOOKS", str(notebooks))
        run = build("07", kernel="python3")
    assert run.ok, run.error
    return notebooks


@pytest.fixture
def tiny(tiny_project, monkeypatch):
    """The notebooks folder of `tiny_project`, made the one that helpers.runs looks at."""
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(tiny_project))
    return tiny_project
