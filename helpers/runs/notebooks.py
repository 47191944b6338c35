"""Which notebook, profile and kernel is asked for; refused here if there is no such one.

Everything in this file happens before a kernel starts and before a file is written.
"""

import os
import re
from pathlib import Path

from helpers.runs.notebook_names import gone
from helpers.runs.rules import nearest

PROFILES = ("smoke", "default", "full")

NUMBER = re.compile(r"\d\d_\w+\.ipynb$")


class BadRequest(ValueError):
    """A run that was refused before its kernel started."""


def notebooks_folder():
    """Return the folder of the notebooks: `HELPERS_NOTEBOOKS`, beside the package, or here."""
    beside = Path(__file__).resolve().parents[2] / "notebooks"
    named = os.environ.get("HELPERS_NOTEBOOKS")
    return Path(named) if named else beside if beside.is_dir() else Path.cwd()


def series():
    """Return the paths of all numbered notebooks, in order."""
    found = sorted(notebooks_folder().glob("*.ipynb"))
    return [path for path in found if NUMBER.match(path.name) and path.is_file()]


def series_names():
    """Return the names of all numbered notebooks, in order."""
    return [path.stem for path in series()]


def find(name):
    """Return the notebook that a number ("07"), a name or a path stands for."""
    path = Path(name)
    if path.suffix == ".ipynb" and path.exists():
        return path.resolve()
    known = series()
    stem = path.name.removesuffix(".ipynb")
    number = stem.zfill(2) if stem.isdigit() else None
    hits = [p for p in known if p.stem == stem or (number and p.name.startswith(number + "_"))]
    if len(hits) == 1:
        return hits[0]
    if former := gone(number or stem, series_names()):
        raise BadRequest(former)
    near = nearest(stem, [p.stem for p in known])
    hint = f" Did you mean {near!r}?" if near else ""
    raise BadRequest(f"No notebook {name!r} in {notebooks_folder()}.{hint}")


def profile_file(notebook, profile, dataset=None):
    """Return the parameter file of a profile, or None for the default profile.

    `smoke` is `parameters/NN.smoke.yaml`; `full` is `parameters/NN.full-<dataset>.yaml`.
    """
    if profile == "default":
        return None
    if profile not in PROFILES:
        raise BadRequest(f"A profile is one of {', '.join(PROFILES)}. Received: {profile!r}")
    folder, number = notebook.parent / "parameters", notebook.name[:2]
    wanted = f"{number}.full-{dataset}.yaml" if profile == "full" and dataset else None
    found = sorted(folder.glob(wanted or f"{number}.{profile}*.yaml"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise BadRequest(
            f"No file parameters/{wanted or f'{number}.{profile}.yaml'} beside {notebook.name}."
        )
    names = ", ".join(p.name for p in found)
    raise BadRequest(
        f"Profile 'full' of {notebook.stem} needs a data set (-p dataset NAME): {names}."
    )


def check_environment(values):
    """Return the environment of a run: folders that it names are absolute ones.

    Raises:
        BadRequest: If `HELPERS_DATA` names no folder, and the run wants a real data set.
    """
    environment = dict(os.environ)
    for name in ("HELPERS_DATA", "HELPERS_CACHE", "HELPERS_NOTEBOOKS"):
        if environment.get(name):
            environment[name] = os.path.abspath(os.path.expanduser(environment[name]))
    folder = environment.get("HELPERS_DATA")
    real = values.get("dataset", "shapes") not in ("shapes", "folder")
    if folder and real and not os.path.isdir(folder):
        raise BadRequest(
            f"The environment variable HELPERS_DATA must name a folder. Received: {folder}. "
            "Correct it, or unset it to use downloads."
        )
    return environment


def check_kernel(name):
    """Return the kernel to use: the named one, else vae-cpu where registered, else python3."""
    from jupyter_client.kernelspec import KernelSpecManager

    known = sorted(KernelSpecManager().find_kernel_specs())
    if name is None:
        return "vae-cpu" if "vae-cpu" in known else "python3"
    if name not in known:
        near = nearest(name, known)
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"No kernel {name!r}.{hint} Registered: {', '.join(known)}.")
    return name
