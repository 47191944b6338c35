"""Record a notebook's results as data beside its outputs, and read them back."""

import html
import math
import numbers
import os

from helpers.runs.provenance import provenance

MIME = "application/vnd.vae-results+json"
PROFILES = ("smoke", "default", "full")


def record(results, bands=None, headline=None):
    """Record the numbers that the prose speaks of; call it in the cell tagged `results`.

    Date, commit, hardware and versions of this run go beside them, for `runs keep`.

    Trained numbers differ from machine to machine, so each may have a band. When the environment
    variable `HELPERS_PROFILE` names the profile of this run, a value outside its band is an
    error; without it (a reader's own run) the table only says so. The table is folded, because
    some notebooks have hundreds of numbers.

    Args:
        results: Dictionary from name to finite number, bool, text, or list of these. NumPy
            scalars and arrays are converted. Names that begin with `study_` are for what the
            notebook copies from records; `runs keep` leaves them out.
        bands: Dictionary from a name in `results` to `{"default": (low, high), "smoke": ...}`;
            ends included; a profile that is not named is not checked.
        headline: The main result in a few words, for the runner's list.

    Raises:
        ValueError: If a value cannot be recorded, or a band does not fit; names the key.
        AssertionError: If a value lies outside the band of this run's profile.
    """
    profile = os.environ.get("HELPERS_PROFILE") or None
    if profile not in (None, *PROFILES):
        raise ValueError(f"HELPERS_PROFILE is one of {PROFILES}. Received: {profile!r}")
    if not results:
        raise ValueError("record needs at least one result. Received: none")
    results = {str(key): _plain(str(key), value) for key, value in results.items()}
    bands = _check_bands(results, bands or {})
    if headline is not None and (not isinstance(headline, str) or "\n" in headline):
        raise ValueError(f"headline is one line of text. Received: {headline!r}")
    payload = {"results": results, "bands": bands, "headline": headline, "profile": profile}
    payload["provenance"] = provenance()
    _display(payload)
    if profile:
        outside = outside_bands(payload, profile)
        assert not outside, "\n".join(outside)


def read_results(notebook):
    """Read what `record` stored in an executed notebook.

    Args:
        notebook: Path of an `.ipynb` file, or a notebook node.

    Returns:
        Dictionary with "results", "bands", "headline", "profile" and "provenance" (of that run,
        or None) and "parameters" (what papermill was given; empty for a run without it).

    Raises:
        ValueError: If the notebook holds no record, a damaged one, or more than one.
    """
    from helpers.runs.parameter_cells import read_notebook

    node = read_notebook(notebook)
    found = [
        output["data"][MIME]
        for cell in node.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    name = "the notebook" if node is notebook else notebook
    if len(found) != 1:
        raise ValueError(f"{name} must hold one record of results. Received: {len(found)}")
    parameters = node.metadata.get("papermill", {}).get("parameters", {})
    whole = isinstance(found[0], dict) and isinstance(found[0].get("results"), dict)
    if not whole or not isinstance(parameters, dict):
        raise ValueError(f"{name} holds a damaged record of results")
    missing = {"headline": None, "bands": {}, "profile": None, "provenance": None}
    return {**missing, **found[0], "parameters": parameters}


def is_unfinished(node):
    """Whether papermill has cells of a notebook still to run, or was stopped before them."""
    states = (cell.metadata.get("papermill", {}).get("status") for cell in node.cells)
    return any(state in ("pending", "running") for state in states)


def error_of(node):
    """The error that ended an executed notebook, in one line, or None."""
    papermill = node.metadata.get("papermill", {})
    if "exception" in papermill and not papermill["exception"]:
        return None  # an error that is shown on purpose ends nothing
    for cell in node.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get(
                "tags", []
            ):
                first = (str(output.evalue).strip().splitlines() or [""])[0]
                return f"cell In [{cell.execution_count}]: {output.ename}: {first}"
    return "a cell failed." if papermill.get("exception") else None


def outside_bands(payload, profile):
    """Return one sentence for each recorded value outside its band of `profile`."""
    results = payload["results"]
    found = (_outside(k, results[k], band, profile) for k, band in payload["bands"].items())
    return [sentence for sentence in found if sentence]


def _plain(key, value):
    """Turn a value into what JSON can hold, or say which key cannot be recorded."""
    if hasattr(value, "tolist") and hasattr(value, "dtype"):  # NumPy scalar or array
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(f"{key}[{i}]", item) for i, item in enumerate(value)]
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if not isinstance(value, numbers.Real):
        raise ValueError(
            f"Result {key!r} must be a number, bool, text or a list of these; convert it, for "
            f"example with float(...). Received: {type(value).__name__}"
        )
    if not math.isfinite(value):
        raise ValueError(f"Result {key!r} must be finite. Received: {value}")
    return float(value)


def _check_bands(results, bands):
    from helpers.runs.rules import nearest

    checked = {}
    for key, profiles in bands.items():
        if key not in results:
            near = nearest(key, list(results))
            hint = f" Did you mean {near!r}?" if near else ""
            raise ValueError(f"The band {key!r} belongs to no result.{hint}")
        if isinstance(results[key], (str, list)):
            raise ValueError(f"Only a number can have a band. Received: {key}={results[key]!r}")
        if not isinstance(profiles, dict) or not set(profiles) <= set(PROFILES):
            raise ValueError(
                f"The band {key!r} maps a profile of {PROFILES} to (low, high). Received: {profiles!r}"
            )
        for profile, ends in profiles.items():
            if len(ends) != 2 or not ends[0] <= ends[1]:
                raise ValueError(f"The band {key!r} must be (low, high). Received: {ends!r}")
            checked.setdefault(key, {})[profile] = [_plain(key, end) for end in ends]
    return checked


def _outside(key, value, band, profile):
    if profile not in band:
        return None
    low, high = band[profile]
    if low <= value <= high:
        return None
    return f"Result {key}={value:.6g} lies outside its band {low:g} to {high:g} ({profile} run)."


def folded(payload, table):
    """The table of a payload as HTML that a click opens; open where a value is outside its band."""
    results, bands, profile = payload["results"], payload["bands"], payload["profile"] or "default"
    outside = [key for key in bands if _outside(key, results[key], bands[key], profile)]
    summary = f"All {len(results)} results"
    summary += f"; outside the band: {', '.join(outside)}" if outside else ""
    headline = f"<p>{html.escape(payload['headline'])}</p>" if payload["headline"] else ""
    opened = " open" if outside else ""
    return (
        f"{headline}<details{opened}><summary>{html.escape(summary)}</summary>"
        '<pre tabindex="0" role="region" aria-label="Results" style="overflow-x: auto">'
        f"{html.escape(table)}</pre></details>"
    )


def table_of(payload):
    """The results of a payload as text, a line each, with what is inside and outside its band."""
    results, bands, profile = payload["results"], payload["bands"], payload["profile"] or "default"
    width = max(len(key) for key in results)
    lines = []
    for key, value in results.items():
        text = f"{value:.6g}" if isinstance(value, float) else str(value)
        line = f"{key:<{width}}  {text if len(text) <= 60 else text[:57] + '...'}"
        if profile in bands.get(key, {}):
            low, high = bands[key][profile]
            inside = "in" if _outside(key, value, bands[key], profile) is None else "OUTSIDE"
            line += f"  ({inside} the band {low:g} to {high:g})"
        lines.append(line)
    return "\n".join(lines)


def _display(payload):
    import sys

    table = table_of(payload)
    module = sys.modules.get("IPython")
    if module is None or module.get_ipython() is None:  # a plain script
        print(table)
        return
    from IPython.display import display

    data = {MIME: payload, "text/html": folded(payload, table), "text/plain": table}
    display(data, raw=True)
