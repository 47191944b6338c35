"""nbval's two additions: parameters of a profile, and no marked cell without a stored output.

pytest --nbval-lax --nb-profile smoke notebooks
"""

import os
from pathlib import Path

import pytest

collect_ignore = ["assignments"]


def pytest_addoption(parser):
    parser.addoption(
        "--nb-profile",
        choices=("smoke", "default", "full"),
        help="run the notebooks with notebooks/parameters/NN.PROFILE.yaml",
    )


def pytest_configure(config):
    if config.getoption("--nb-profile"):
        # The kernels inherit it: record() then holds the results to this profile's bands.
        os.environ["HELPERS_PROFILE"] = config.getoption("--nb-profile")


def pytest_collection_modifyitems(config, items):
    profile = config.getoption("--nb-profile")
    named = config.getoption("nbval_kernel_name", default=None)
    for item in items:
        _hold_to_device(item, named)
        if profile and "parameters" in _tags(item):
            item.cell.source += "\n" + "\n".join(_assignments(item, profile))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    # nbval passes such a cell in silence: it has nothing to compare with.
    if "nbval-check-output" in _tags(item) and not item.cell.get("outputs"):
        pytest.fail(f"{item.name}: a marked cell without a stored output", pytrace=False)
    return result


def _hold_to_device(item, named):
    """Without its GPU, a kernel asked for by name ends the tests, an offered one is skipped."""
    if not hasattr(item, "cell"):
        return
    from helpers.runs.kernels import KERNELS, broken_promise

    kernel = named or item.parent.nb.metadata.get("kernelspec", {}).get("name")
    broken = broken_promise(kernel) if kernel in KERNELS and "gpu" in kernel else None
    if broken and named:
        pytest.exit(broken, returncode=1)
    if broken:
        item.add_marker(pytest.mark.skip(reason=broken))


def _tags(item):
    cell = getattr(item, "cell", None)
    return () if cell is None else cell.metadata.get("tags", ())


def _assignments(item, profile):
    from helpers.runs.notebooks import BadRequest
    from helpers.runs.parameters import gather

    try:
        values, _ = gather(Path(item.path), profile)
    except BadRequest as error:
        raise pytest.UsageError(str(error)) from None
    return [f"{name} = {value!r}" for name, value in values.items()]
