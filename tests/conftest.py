"""Fixtures shared by the test files."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data():
    """The folder of real archives that HELPERS_DATA names; skips where there is none."""
    folder = os.environ.get("HELPERS_DATA")
    if not folder:
        pytest.skip("HELPERS_DATA is unset: no real data on this machine")
    return Path(folder)
