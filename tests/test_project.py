"""The project's own files agree with each other and say nothing about one machine."""

import ast
import base64
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from PIL import Image

from authoring import notebook_cells, number_markers, readme
from helpers.data import records
from helpers.runs import notebooks, parameter_names, parameters
from helpers.runs.notebooks import BadRequest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)(?: ;([^\\]*))?", flags=re.M)


def _locked():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [(canonicalize_name(n), v, (m or "").strip()) for n, v, m in PINNED.findall(text)]


def _tracked():
    """The files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout: which files are tracked is unknown")
    return [p for name in done.stdout.split("\0") if name and (p := ROOT / name).is_file()]


def _texts():
    """`(path, text)` of every tracked text file; of a notebook, without its pictures."""
    for path in _tracked():
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        text = data.decode("utf-8")
        if path.suffix == ".ipynb":
            text = re.sub(r'"image/png": "[^"]*"', "", text)
        yield path.relative_to(ROOT), text


# ---- one set of versions


@pytest.mark.parametrize("extra", ["dependencies", "lab", "dev", "teach"])
def test_the_lock_satisfies_pyproject(extra):
    wanted = (
        PROJECT["dependencies"]
        if extra == "dependencies"
        else PROJECT["optional-dependencies"][extra]
    )
    locked = {}
    for name, version, _ in _locked():
        locked.setdefault(name, []).append(version)
    for requirement in map(Requirement, wanted):
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in requirements.txt; run `make lock`"
        for version in versions:
            assert version in requirement.specifier, f"{requirement} but {version} is locked"


def test_every_locked_package_is_pinned_with_hashes():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"^\s*#.*\n", "", text, flags=re.M))[1:]
    assert len(entries) == len(_locked()) > 50
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "rfc3987-syntax" not in {name for name, *_ in _locked()}


def test_pip_takes_the_lock_as_it_is():
    # It lacks a package on purpose (see [tool.uv]); pip would look for it and stop.
    command = re.compile(r"pip install .*-r \S*requirements\.txt")
    found = {str(path): c for path, text in _texts() for c in command.findall(text)}
    named = {"README.md", "environment.yml", ".binder/postBuild"}
    assert named | {"notebooks/assignments/Containerfile"} <= set(found)
    assert [path for path, c in found.items() if "--no-deps --require-hashes" not in c] == []


def test_the_environment_has_a_python_of_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["name"] and environment["channels"] == ["conda-forge"]
    python, pip, packages = environment["dependencies"]
    assert python.startswith("python=") and pip == "pip"
    # In one step: what the project names, in the versions of the lock, and the package itself.
    extras = PROJECT["optional-dependencies"]
    named = {
        Requirement(r).name for r in (*PROJECT["dependencies"], *extras["lab"], *extras["dev"])
    }
    here = {"python_version": python[-4:], "python_full_version": f"{python[-4:]}.0"}
    locked = {n: v for n, v, marker in _locked() if not marker or Marker(marker).evaluate(here)}
    *pinned, own = packages["pip"]
    assert own == "-e ."
    assert pinned == [f"{name}=={locked[name]}" for name in sorted(named)]
    assert python.removeprefix("python=") + ".0" in SpecifierSet(PROJECT["requires-python"])
    # The lock was resolved from the Python that the environment brings.
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"--python-version {python.removeprefix('python=')}" in makefile


def test_binder_installs_the_package():
    # With a Dockerfile in the root, Binder reads no environment.yml there.
    environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf-8"))
    of_root = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    del of_root["dependencies"][-1]  # the packages: here they come in postBuild, by the lock
    assert environment == of_root
    path = ROOT / ".binder" / "postBuild"
    steps = re.findall(r"^python -m (pip install .*)$", path.read_text(encoding="utf-8"), re.M)
    # The same two as for an environment of conda with the whole lock.
    assert steps == re.findall(r"^#   (.*)$", (ROOT / "environment.yml").read_text("utf-8"), re.M)
    assert [step.rpartition(" ")[2] for step in steps] == ["requirements.txt", "."]
    assert sys.platform == "win32" or os.access(path, os.X_OK)


def test_every_package_folder_is_packaged():
    folders = {
        ".".join(p.parent.relative_to(ROOT).parts) for p in ROOT.glob("helpers/**/__init__.py")
    }
    modules = {".".join(p.parent.relative_to(ROOT).parts) for p in ROOT.glob("helpers/**/*.py")}
    assert folders == modules
    mapped = PYPROJECT["tool"]["setuptools"]["package-dir"]  # records and kept weights: no modules
    assert mapped == {f"helpers.data.{n}": f"data/{n}" for n in ("results", "weights")}
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == folders | set(mapped)


def test_the_citation_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]


def test_installed_is_this_checkout():
    import helpers

    assert Path(helpers.__file__).resolve().parent == ROOT / "helpers"


# ---- the README tells what is on record


def test_the_pages_cite_numbers_as_they_are_on_record():
    known, cited, problems = readme.known_results(), {}, []
    for path in readme.pages():
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        cited[name] = len(number_markers.cited_numbers(text))
        problems += [f"{name}: {wrong}" for wrong in number_markers.wrong_numbers(text, known)]
    assert not problems, "\n".join([*problems, "run `python -m authoring readme`"])
    assert cited["README.md"] >= 10 and cited["data/README.md"] >= 4
    assert {p.name for p in (ROOT / "docs").rglob("*.md")} <= {Path(name).name for name in cited}


def test_numbers_are_cited_only_where_a_test_compares_them():
    compared = {path.relative_to(ROOT) for path in readme.pages()}
    compared |= {path.relative_to(ROOT) for path in notebooks.series()}
    compared |= {Path("notebooks", "py", f"{path.stem}.py") for path in notebooks.series()}
    compared |= {
        Path("authoring", name) for name in ("number_markers.py", "readme.py")
    }  # they speak of it
    found = [path for path, text in _texts() if "<!--=" in text and path.parts[0] != "tests"]
    assert {"README.md", "15_meet_gans.ipynb"} <= {path.name for path in found}
    assert [str(path) for path in found if path not in compared] == []


def _pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_the_readme_shows_rows_of_the_figure_of_the_stored_notebook():
    pictures = [readme.picture(nbformat.read(p, as_version=4)) for p in notebooks.series()]
    (data,) = [base64.b64decode(p) for p in pictures if p]
    shown = _pixels((ROOT / "docs" / "picture.png").read_bytes())
    np.testing.assert_array_equal(shown, _pixels(readme.some_rows(data)))
    # The first row is that of the figure, margin and all, and as many stand there as are told.
    row = shown.shape[0] // len(readme.ROWS)
    np.testing.assert_array_equal(shown[: row - 5], _pixels(data)[: row - 5])
    alt = re.search(r"!\[([^\]]*)\]\(docs/picture\.png\)", (ROOT / "README.md").read_text("utf-8"))
    assert alt[1].startswith("Four rows of twelve") and len(readme.ROWS) == 4


def test_rows_of_a_figure_are_taken_and_a_missing_one_is_named():
    pixels = np.full((40, 8, 3), 255, "uint8")
    for row, colour in enumerate((10, 90, 170)):
        pixels[3 + 12 * row : 13 + 12 * row, 2:] = colour
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    some = _pixels(readme.some_rows(file.getvalue(), rows=(0, 2)))
    np.testing.assert_array_equal(some, np.r_[pixels[:15], pixels[27:37], pixels[:3]])
    with pytest.raises(BadRequest, match="has 3 rows of pictures"):
        readme.some_rows(file.getvalue(), rows=(0, 3))


def test_the_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert len(links) >= 8
    assert [link for link in links if not (ROOT / link).exists()] == []


# ---- one address


def test_launch_links_point_to_this_repository():
    slug = notebook_cells.slug()
    assert PROJECT["urls"]["Repository"].endswith(slug)
    link = re.compile(r"(?:research\.google\.com/github|mybinder\.org/v2/gh)/([\w.-]+/[\w.-]+)")
    for path, text in _texts():
        for found in link.findall(text):
            assert found == slug, f"{path}: {found}"


# ---- nothing of one machine


def test_no_tracked_file_names_a_machine_or_a_registry():
    # A lock or a config file with an address in it works only where that address does.
    registry = re.compile(
        r"--(?:extra-)?index-url(?![-\w])|--find-links|--trusted-host|files\.pythonhosted\.org|://[^/\s]+/simple\b"
    )
    bad = []
    for path, text in _texts():
        if path.name == Path(__file__).name:
            continue
        hits = [hit.group() for hit in registry.finditer(text)]
        if path.parts[0] != "tests":  # tests make up paths to refuse
            hits += [hit.group() for hit in notebook_cells.ABSOLUTE.finditer(text)]
        hits += [str(place) for place in (ROOT, Path.home() / "") if f"{place}/" in text]
        # Only CI may look beside the checkout for the real data.
        hits += ["../shared"] if "../shared" in text and path.parts[0] != ".ci" else []
        bad += [f"{path}: {hit}" for hit in hits]
    assert not bad, "\n".join(bad)


def test_no_picture_file_of_a_data_set_is_tracked():
    kinds = {".zip", ".tgz", ".gz", ".mat", ".npz", ".npy", ".h5", ".keras", ".jpg", ".jpeg"}
    # Kept weights are arrays too; `test_kept` shows that each is a network and nothing else.
    others = [p for p in _tracked() if Path(p).parent.name != "weights"]
    assert [p for p in others if p.suffix.lower() in kinds] == []


def test_notebooks_are_valid_and_small():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        nbformat.validate(nbformat.read(path, as_version=4))
        assert path.stat().st_size <= 3 * 2**20


# Parameters of a record that went to another notebook when its own was cut.
PARAMETERS_GONE = {
    "01-camvid": ("edge_images", "thresholds", "tolerance", "sigma"),
    "02-bsds500": (
        *("seed", "train_images", "val_images"),
        *("pixels_per_image", "trees", "shrink"),
    ),
    "09-joint": ("joint",),
}
# Values of a record that have another name today: they were True.
VALUES_TODAY = {"09-labels": {"study": "labels"}, "09-joint": {"study": "joint"}}
# Records of the first edition whose notebooks and settings are gone: their commits have them.
SETTINGS_GONE = {
    *("11-camvid-controls", "11-camvid", "11-bsds500", "12-fashion_mnist"),
}


@pytest.mark.parametrize(
    "record",
    [p for p in sorted(records.RESULTS.glob("[0-9]*.json")) if p.stem not in SETTINGS_GONE],
    ids=lambda p: p.stem,
)
def test_a_record_was_made_with_the_parameter_file_of_its_name(record):
    number, dataset = record.stem.split("-", 1)
    (notebook,) = [path for path in notebooks.series() if path.name.startswith(number)]
    # The file of a notebook's second study is for `-f` and no profile: its name has no "full".
    names = (f"{number}.full-{dataset}.yaml", f"{number}.{dataset}.yaml")
    (file,) = [f for n in names if (f := notebook.parent / "parameters" / n).is_file()]
    asked = {n: p.default for n, p in parameters.parameters_of(notebook).items()}
    asked |= parameters.gather(notebook, files=[file])[0]
    kept = json.loads(record.read_text("utf-8"))
    # The record keeps the names of its day; a parameter that came later is not in it.
    used = parameter_names.with_present_names(kept["parameters"], asked)
    for name in PARAMETERS_GONE.get(record.stem, ()):
        del used[name]
    for name, value in VALUES_TODAY.get(record.stem, {}).items():
        assert used[name] is True
        used[name] = value
    assert used == {name: asked.get(name) for name in used}


# ---- house style, as CONTRIBUTING.md tells it

# Longer than 300 lines. Cut them; add none.
LONG = set()
# In the library, and import a machine room. Turn them round; add none.
UPWARD = set()
MODULES = sorted(ROOT.glob("helpers/**/*.py"))


def _by_module(look):
    """What `look` finds in the text of each module of helpers, by its path there; all modules."""
    return {p.relative_to(ROOT / "helpers").as_posix(): look(p.read_text("utf-8")) for p in MODULES}


def _faults(text):
    """What a module's text has that the house style excludes."""
    faults = ["more than 300 lines"] if text.count("\n") > 300 else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            faults.append("a relative import")
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            faults.append("an import from __future__")
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            a = node.args
            every = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
            if node.returns or any(arg and arg.annotation for arg in every):
                faults.append(f"a type hint on {node.name}")
    return faults


def _machine_rooms(text):
    """What a module's text imports of `helpers.runs` and `helpers.grading`."""
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in names if re.match(r"helpers\.(runs|grading)\b", name)]


def test_the_package_keeps_the_house_style():
    found = _by_module(_faults)
    assert {"data/fetch.py", "losses.py"} <= set(found)
    long = {name: ["more than 300 lines"] for name in LONG}
    assert {n: f for n, f in found.items() if f and f != long.get(n)} == {}


def test_the_library_does_not_import_the_machine_rooms():
    found = {name for name, rooms in _by_module(_machine_rooms).items() if rooms}
    assert {n for n in found if n.split("/")[0] not in ("runs", "grading")} <= UPWARD
    assert "runs/kernels.py" in found


@pytest.mark.parametrize(
    ("text", "fault"),
    {
        "from .b import c\n": "a relative import",
        "def f():\n    from . import b\n": "a relative import",
        "from __future__ import annotations\n": "an import from __future__",
        "def f(x: int):\n    pass\n": "a type hint on f",
        "def f(*x: int):\n    pass\n": "a type hint on f",
        "class A:\n    def f(self, *, x: int = 1):\n        pass\n": "a type hint on f",
        "def f() -> int:\n    pass\n": "a type hint on f",
        "x = 1\n" * 301: "more than 300 lines",
    }.items(),
)
def test_each_fault_of_style_is_found(text, fault):
    assert _faults(text) == [fault]


def test_what_is_no_fault_of_style():
    fields = "from typing import NamedTuple\nclass A(NamedTuple):\n    x: int\n"
    assert _faults(fields + "def f(x=1, *y, **z):\n    pass\n" + "\n" * 295) == []
    assert _machine_rooms("from helpers import runs\nimport helpers.grading.cells\n") == [
        "helpers.runs",
        "helpers.grading.cells",
    ]
    assert _machine_rooms("from helpers import data, runs_of\n") == []


def test_the_targets_and_paths_that_contributing_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z][a-z-]*)\b", text))
    assert {"setup", "test", "build", "site", "test-graders"} <= targets
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.M))
    # In code, with a slash or an ending of a file; NN, N and a name stand for one's own.
    named = re.findall(r"`((?:[\w.-]+/)*[\w.-]*(?:/|\.(?:py|md|toml|json|yaml)))`", text)
    named += re.findall(r" (tests/\S+\.py)`", text)
    paths = {re.sub(r"(NN|psN)[\w.]*$", "", name) for name in named}
    assert {"helpers/data/registry.json", "notebooks/py/", "tests/test_losses.py"} <= paths
    assert len(paths) >= 15
    assert [name for name in sorted(paths) if not (ROOT / name).exists()] == []
    sets = (ROOT / "helpers" / "data" / "__init__.py").read_text(encoding="utf-8")
    kernels = (ROOT / "helpers" / "runs" / "kernels.py").read_text(encoding="utf-8")
    assert "\n_SETS = {" in sets and "\nKERNELS = {" in kernels


# ---- tests mirror the package

# Folders whose tests stand in files by topic, such as test_data_own.py and test_sweeps.py.
BY_TOPIC = {"checkpoint", "data", "edges", "grading", "runs"}


def _helpers_imported(text):
    """Names of what a file imports of helpers, and of the folders above."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in names if name.startswith("helpers.")]
    return {".".join(part[:n]) for part in parts for n in range(2, len(part) + 1)}


def _untested(modules, tests):
    """Modules without a file of tests of their name that imports them or their folder.

    Args:
        modules: their paths in helpers, such as `metrics/density.py`.
        tests: texts of the files of tests, by name.
    """
    imported = {name: _helpers_imported(text) for name, text in tests.items()}
    folders = {module.split("/")[0] for module in modules if "/" in module}
    named = Counter([Path(module).stem for module in modules] + sorted(folders))
    missing = []
    for module in modules:
        folder, _, name = module.removesuffix(".py").rpartition("/")
        if folder in BY_TOPIC or name.startswith("__"):
            continue
        # Two modules of one name: the folder tells which.
        plain = [f"test_{name}.py"] * (not folder or named[name] == 1)
        files = {*plain, f"test_{folder}_{name}.py"} & set(tests)
        if not any(f"helpers.{folder or name}" in imported[file] for file in files):
            missing.append(module)
    every = set().union(*imported.values())
    return missing + sorted(f"{f}/" for f in BY_TOPIC & folders if f"helpers.{f}" not in every)


def test_every_module_has_a_file_of_tests_of_its_name():
    modules = [path.relative_to(ROOT / "helpers").as_posix() for path in MODULES]
    tests = {path.name: path.read_text("utf-8") for path in ROOT.glob("tests/test_*.py")}
    assert {"losses.py", "metrics/tables.py", "data/fetch.py"} <= set(modules)
    assert {path.split("/")[0] for path in modules} >= BY_TOPIC
    assert _untested(modules, tests) == []


def test_a_module_without_tests_is_found():
    modules = ["losses.py", "segmentation/losses.py", "segmentation/cost.py", "data/fetch.py"]
    tests = {
        "test_losses.py": "from helpers import losses",
        "test_segmentation_losses.py": "from helpers.segmentation import SoftDice",
        "test_cost.py": "import helpers.segmentation.cost\nfrom helpers import segmentation",
        "test_data_sets.py": "from helpers import data",
    }
    assert _untested(modules, tests) == []
    assert _untested([*modules, "edges/__init__.py", "data/new.py", "new.py"], tests) == [
        "new.py",
        "edges/",
    ]
    for name, module in zip(tests, [*modules[:3], "data/"]):
        assert _untested(modules, {n: text for n, text in tests.items() if n != name}) == [module]
        assert _untested(modules, tests | {name: "import helpers.plots"}) == [module]


def test_the_test_files_that_are_named_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (portable,) = re.findall(r"^PORTABLE := \$\(addprefix tests/test_,([^)]*)\)$", makefile, re.M)
    files = [f"test_{name}" for name in portable.replace("\\", " ").split()]
    assert len(files) == len(set(files)) > 30
    for node in ast.parse((ROOT / "conftest.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "LONGEST":
            longest = ast.literal_eval(node.value)
    files += [f"{name}.py" for name in longest if name.startswith("test_")]
    assert [name for name in files if not (ROOT / "tests" / name).is_file()] == []
    notebooks = [name for name in longest if not name.startswith("test_")]
    assert notebooks
    assert [n for n in notebooks if not (ROOT / "notebooks" / f"{n}.ipynb").is_file()] == []


# ---- what the docstrings of the folders tell

FOLDERS = {path.parent.name: path for path in sorted(ROOT.glob("helpers/*/__init__.py"))}


def _notebooks_told(doc):
    """The numbers on the line `Notebooks: 00, 02 to 04 and 06.` of a docstring; none of "none".

    A range tells of the notebooks that are there, and both its ends are.
    """
    (told,) = re.findall(r"^Notebooks: (.*)\.$", doc, re.M)
    ranges = re.findall(r"(\d\d)(?: to (\d\d))?", told)
    assert ranges or told.startswith("none"), told
    ends = [(a, b or a) for a, b in ranges]
    there = [name[:2] for name in notebooks.series_names()]
    assert {end for pair in ends for end in pair} <= set(there), told
    assert sum(ends, ()) == tuple(sorted(sum(ends, ()))), told
    return {number for a, b in ends for number in there if a <= number <= b}


def _notebooks_that_import(folder):
    found = set()
    for path in sorted((ROOT / "notebooks" / "py").glob("[0-9]*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", ())]
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name}" for name in names]
            elif not isinstance(node, ast.Import):
                continue
            if any(name.split(".")[:2] == ["helpers", folder] for name in names):
                found.add(path.name[:2])
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_tells_which_notebooks_import_it(folder):
    doc = ast.get_docstring(ast.parse(FOLDERS[folder].read_text(encoding="utf-8")))
    assert _notebooks_told(doc) == _notebooks_that_import(folder)
    room = "A machine room that no learner needs to enter" in doc
    assert room == (folder in ("runs", "grading"))


def test_notebooks_are_read_from_a_docstring():
    first, *_, third, last = [n[:2] for n in notebooks.series_names()][:4]
    told = _notebooks_told(f"A.\n\nNotebooks: {first} and {third} to {last}.")
    assert told == {first, third, last}
    everything = {name[:2] for name in notebooks.series_names()}
    assert _notebooks_told(f"A.\n\nNotebooks: {first} to {max(everything)}.") == everything
    assert _notebooks_told("A of 12.\n\nNotebooks: none; the course.") == set()
    for wrong in (
        f"{first} to 98",
        f"98 and {first}",
        f"{third} and {first}",
        f"{last} to {first}",
    ):
        with pytest.raises(AssertionError):
            _notebooks_told(f"A.\n\nNotebooks: {wrong}.")
    assert _notebooks_that_import("uncertainty") == {"07", "12", "13"}


def test_the_package_names_its_modules_and_folders():
    doc = ast.get_docstring(ast.parse((ROOT / "helpers" / "__init__.py").read_text("utf-8")))
    modules = {path.stem for path in ROOT.glob("helpers/[a-z]*.py")}
    assert {"losses", "training"} <= modules
    assert modules | set(FOLDERS) == set(re.findall(r"`([a-z_]+)`", doc)) - {
        "np",
        "keras",
        "helpers",
    }


# ---- light imports


LIGHT = ("helpers", "helpers.data", "helpers.edges", "helpers.plots", "helpers.runs")


@pytest.mark.parametrize("modules", [*LIGHT, ", ".join(LIGHT)])
def test_light_modules_stay_light(modules):
    heavy = ["keras", "tensorflow", "papermill", "matplotlib", "skimage", "sklearn"]
    code = f"import sys, {modules}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_no_module_imports_the_heavy_ones_for_itself():
    # Keras loads matplotlib and scikit-learn where it finds them, so this is read, not run.
    heavy = {"matplotlib", "skimage", "sklearn", "papermill", "tensorflow", "jax", "torch"}
    for path in sorted(ROOT.glob("helpers/**/*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [a.name for a in getattr(node, "names", [])] if type(node) is ast.Import else []
            names += [node.module or ""] if type(node) is ast.ImportFrom else []
            assert not heavy & {n.partition(".")[0] for n in names}, f"{path.name}: {names}"
