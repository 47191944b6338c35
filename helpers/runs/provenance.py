"""Records of full runs, `data/results/*.json`: what was measured, how, on what, and with which code."""

import datetime
import importlib.metadata
import json
import os
import platform
from pathlib import Path

from helpers.checkpoint.code_versions import git_commit
from helpers.runs.setup import cores

COPIED = "study_"  # begins the keys that a notebook copies from records, for its text to cite
PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "scipy", "scikit-image", "scikit-learn")


def write_record(path, name, results, parameters, measured=None, **more):
    """Write one record as JSON, with its provenance, in one step.

    Args:
        path: File to write; a half-written one never stands there.
        name: What was measured, in a few words with the unit.
        results: Dictionary from name to value; README and notebooks cite these.
        parameters: Everything that was set, the seed among it.
        measured: The `provenance` of the measurement, where it was another moment than this one.
        **more: Other plain data, such as `seconds` or a training history.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "name": name,
        "results": results,
        "parameters": parameters,
        **more,
        "provenance": measured or provenance(),
    }
    partial = path.with_name(path.name + ".partial")
    text = json.dumps(record, indent=1, ensure_ascii=False, default=_numbers)
    partial.write_text(text + "\n", encoding="utf-8")
    os.replace(partial, path)
    return path


def _numbers(value):
    """A NumPy array as lists, a NumPy number as Python's."""
    if not hasattr(value, "tolist"):
        raise TypeError(
            f"a record holds numbers, text, lists and dictionaries. Received: {value!r}"
        )
    return value.tolist()


def keep(notebook, path):
    """Keep the results of an executed notebook as a record, `data/results/NAME.json`.

    Its provenance is that of the run: another checkout or machine may keep it. A notebook that
    does not tell it, from before runs did, gets that of this moment. Keys that begin with
    `study_`, which are copies of other records, are left out.

    Raises:
        ValueError: If the notebook cannot be read, failed, is not finished, or holds no record.
    """
    from helpers.runs.notebook_names import present_run
    from helpers.runs.notebooks import series_names
    from helpers.runs.outputs import FAILED, PARTIAL
    from helpers.runs.parameter_cells import read_notebook
    from helpers.runs.parameters import parameters_of_run
    from helpers.runs.results import error_of, is_unfinished, read_results

    try:
        node = read_notebook(notebook)
        error, unfinished = error_of(node), is_unfinished(node)
    except OSError:
        raise
    except Exception as failure:  # nbformat has errors of its own for each kind of damage
        words = " ".join(str(failure).split())[:200]
        raise ValueError(f"{notebook} cannot be read as a notebook: {words}") from None
    if str(notebook).endswith(FAILED):
        error = error or "its name says so"
    if not error and (unfinished or str(notebook).endswith(PARTIAL)):
        raise ValueError(f"{notebook} is not finished, so its results are not kept.")
    if error:
        raise ValueError(f"{notebook} failed, so its results are not kept: {error}")
    payload = read_results(node)
    parameters = parameters_of_run(node, payload["parameters"], notebook)
    results = {k: v for k, v in payload["results"].items() if not k.startswith(COPIED)}
    run = node.metadata.get("papermill", {})
    return write_record(
        path,
        present_run(Path(notebook).stem, series_names()),
        results,
        parameters,
        measured=payload["provenance"],
        headline=payload["headline"],
        seconds=run.get("duration"),
    )


def provenance():
    """Return date, commit, hardware and versions of this moment."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": git_commit(),
        "processor": processor(),
        "cores": cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def processor():
    """Name of the processor, from Linux's own list where there is one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(li.split(":", 1)[1].strip() for li in lines if li.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _versions():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
