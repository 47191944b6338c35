"""Recorded full runs: what `data/results` holds, read in one place."""

import json
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "data" / "results"


def results_of(name):
    """The results of a recorded run, `{key: value}`; empty where there is none.

    Args:
        name: of a file in `data/results`, without its ending; None or "" is no record.
    """
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text("utf-8"))["results"] if name and path.exists() else {}
