"""A wheel of the package brings the records and the kept weights, and is used without the project."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers import pretrained
from helpers.data import records

ROOT = Path(__file__).resolve().parents[1]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "cache")
BUILD = "from setuptools import build_meta; build_meta.build_wheel({folder!r})"


def _copy(folder):
    """What a wheel is built from, elsewhere: the build writes beside it."""
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, folder)
    for name in ("helpers", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
    return folder


def _python(code, folder, **environment):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | environment
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built without network by the setuptools that is installed."""
    project, built = _copy(tmp_path_factory.mktemp("project")), tmp_path_factory.mktemp("built")
    (project / "data" / "weights" / "part-1-tiny.npz.partial").write_bytes(b"")  # of a run
    done = _python(BUILD.format(folder=str(built)), project)
    assert done.returncode == 0, done.stderr
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_has_every_module_record_and_kept_network(wheel):
    with zipfile.ZipFile(wheel) as packed:
        found = {n: packed.read(n) for n in packed.namelist() if ".dist-info/" not in n}
    paths = [*ROOT.glob("helpers/**/*.py"), *ROOT.glob("helpers/data/*.json")]
    expected = {path.relative_to(ROOT).as_posix(): path for path in paths}
    kept = [*ROOT.glob("data/results/*.json"), *ROOT.glob("data/weights/*.*")]
    expected |= {f"helpers/{path.relative_to(ROOT).as_posix()}": path for path in kept}
    assert {"helpers/data/weights/vae-shapes32.npz", "helpers/losses.py"} <= set(expected)
    assert set(found) == set(expected)
    assert [name for name, path in expected.items() if found[name] != path.read_bytes()] == []


READ = """
import json, helpers
from helpers import pretrained
from helpers.data import records
model, note = pretrained.load("vae-shapes32")
facts = {"package": helpers.__file__, "record": records.results_of("08-rates"), "note": note}
facts["folders"] = [str(records.RESULTS), str(pretrained.FOLDER)]
facts["weights"] = float(model.encoder.weights[0].value[0, 0, 0, 0])
try:
    pretrained.required("nothing")
except FileNotFoundError as error:
    facts["missing"] = str(error)
print(json.dumps(facts))
"""


def test_the_package_of_the_wheel_reads_them_away_from_the_project(wheel, tmp_path):
    package = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(package)
    (tmp_path / "elsewhere").mkdir()
    done = _python(READ, tmp_path / "elsewhere", PYTHONPATH=str(package))
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    inside = package / "helpers"
    assert Path(facts["package"]) == inside / "__init__.py"
    folders = [inside / "data" / name for name in ("results", "weights")]
    assert list(map(Path, facts["folders"])) == folders
    assert facts["missing"].endswith("Installing the wheel anew brings back what comes with it.")
    assert facts["record"] == records.results_of("08-rates") != {}
    model, note = pretrained.load("vae-shapes32")
    assert facts["note"] == note
    assert facts["weights"] == float(model.encoder.weights[0].value[0, 0, 0, 0])


def test_the_guide_names_the_wheel_and_the_target_that_builds_it(wheel):
    guide = (ROOT / "docs" / "rerunning.md").read_text("utf-8")
    assert f"pip install '{wheel.name}[lab]'" in guide and "`make wheel`" in guide
    assert "`make wheel`" in (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(
        r"^wheel: setup .*\n\t@ls .*\n\trm -rf build/lib\n.* build .*--wheel ", makefile, re.M
    )


def test_a_checkout_reads_its_own_folder():
    assert records.kept_folder("results") == records.RESULTS == ROOT / "data" / "results"
    assert records.kept_folder("weights") == pretrained.FOLDER == ROOT / "data" / "weights"


def test_a_wheel_without_the_folder_of_weights_is_not_built(tmp_path):
    project = _copy(tmp_path)
    shutil.rmtree(project / "data" / "weights")
    done = _python(BUILD.format(folder=str(tmp_path)), project)
    assert done.returncode and "'data/weights' does not exist" in done.stderr
    assert list(tmp_path.glob("*.whl")) == []


def test_a_source_archive_has_what_the_wheel_is_built_from(tmp_path):
    project = _copy(tmp_path)
    done = _python("from setuptools import build_meta; build_meta.build_sdist('.')", project)
    assert done.returncode == 0, done.stderr
    (path,) = project.glob("*.tar.gz")
    shutil.unpack_archive(path, tmp_path / "unpacked")
    (source,) = (tmp_path / "unpacked").iterdir()
    for folder in ("results", "weights"):
        names = {p.name for p in (source / "data" / folder).iterdir()}
        assert names == {p.name for p in (ROOT / "data" / folder).iterdir()}
