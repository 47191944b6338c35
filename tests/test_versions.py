"""Versions of code: another where a number may be another, the same where it cannot be."""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from helpers.checkpoint import code_versions, session_code
from helpers.edges import finished_images
from helpers.runs import parameter_cells, sweep_plan

ROOT = Path(__file__).resolve().parents[1]
SCORING = code_versions.scoring_modules()
LEFT_OUT = sorted(set(code_versions.all_modules()) - set(SCORING))
TRAINING = code_versions.training_modules(["segmentation/losses"])
COUNTING = code_versions.reached(("edges/berkeley",))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package's files."""
    folder = tmp_path_factory.mktemp("package") / "helpers"
    return Path(
        shutil.copytree(ROOT / "helpers", folder, ignore=shutil.ignore_patterns("__pycache__"))
    )


def score(folder):
    return code_versions.version_of(code_versions.scoring_modules(folder), folder, data=True)


def training(folder, parts=("segmentation/losses",)):
    return code_versions.version_of(code_versions.training_modules(parts, folder), folder)


def counting(folder):
    return code_versions.version_of(code_versions.reached(("edges/berkeley",), folder), folder)


KINDS = {"score": score, "training": training, "edges": counting}


class Changed:
    """A file with other content, until the end of the block."""

    def __init__(self, path, change):
        self.path, self.change = path, change

    def __enter__(self):
        self.before = self.path.read_bytes()
        after = self.change(self.before)
        assert after != self.before
        self.path.write_bytes(after)

    def __exit__(self, *_):
        self.path.write_bytes(self.before)


def other_constant(source):
    """Source with its last number or text changed; docstrings and f-strings are not looked at."""
    tree = ast.parse(source)
    passed = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    formatted = (n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr))
    passed |= {id(inner) for text in formatted for inner in ast.walk(text)}
    found = [
        n for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and type(n.value) in (int, float, str) and id(n) not in passed
    ]  # fmt: skip
    lines = source.splitlines(keepends=True)
    if not found:
        return source + b"\nCHANGED = 1\n"
    node = max(found, key=lambda n: (n.lineno, n.col_offset))
    first = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    last = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    value = node.value + ("x" if isinstance(node.value, str) else 1)
    return source[:first] + repr(value).encode() + source[last:]


# The package ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", code_versions.all_modules())
def test_a_changed_constant_is_another_version_of_what_it_can_change(name, copy):
    before = {kind: version(copy) for kind, version in KINDS.items()}
    with Changed(copy / f"{name}.py", other_constant):
        other = {kind for kind, version in KINDS.items() if version(copy) != before[kind]}
    matters = {"score": SCORING, "training": TRAINING, "edges": COUNTING}
    assert other == {kind for kind, names in matters.items() if name in names}
    assert before == {kind: version(copy) for kind, version in KINDS.items()}


def test_the_versions_in_use_are_those_of_these_modules():
    package = ROOT / "helpers"
    assert code_versions.score_code() == score(package)
    assert code_versions.training_code(("helpers.segmentation.losses",)) == training(package)
    assert code_versions.training_code(("helpers.data",)) == training(package, ())
    counted = code_versions.libraries(("numpy", "scipy"))
    assert finished_images.code_version() == code_versions.short(counting(package), counted)


def test_what_counts_where():
    assert {
        *("metrics/multi_annotator", "uncertainty/evaluation", "metrics/calibration"),
        *("metrics/density", "data/ambiguous"),
    } < set(SCORING)
    assert {"edges/matching", "data/_shapes_draw", "experiments/photo_views", "runs/setup"} < set(
        SCORING
    )
    assert {
        *("models/vae", "losses", "data/crops", "segmentation/losses"),
        *("experiments/photo_recipes", "checkpoint/long_training"),
    } < set(TRAINING)
    assert not {
        *("metrics/label_maps", "metrics/multi_annotator", "uncertainty/evaluation"),
        *("experiments/photo_views", "generative/vq"),
    } & set(TRAINING)
    assert {"edges/matching", "edges/thinning", "edges/scores"} < set(COUNTING)
    assert not {"edges/classical", "plots/style", "models/vae"} & set(COUNTING)


def test_what_is_left_out_exists_and_nothing_that_counts_needs_it():
    modules = set(code_versions.all_modules())
    assert set(code_versions.CANNOT_MATTER) <= {name.split("/")[0] for name in modules} | modules
    assert {*code_versions.MATTERS, *code_versions.HARMLESS} <= set(code_versions.all_modules())
    for name in SCORING:
        needed = set(code_versions.imported(name)) & set(LEFT_OUT)
        assert needed <= set(code_versions.HARMLESS), name


def test_every_library_that_is_imported_counts_or_computes_nothing():
    others = {"joblib", "matplotlib", "pooch"}  # hashes and processes; figures; downloads, checked
    named = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn"}
    for name in SCORING:
        found = {
            module.split(".")[0]
            for level, module, _ in code_versions._parsed((ROOT / "helpers" / f"{name}.py").read_bytes(), ())[1]
            if not level
        } - {"helpers", *sys.stdlib_module_names}  # fmt: skip
        used = {named.get(library, library) for library in found} - others
        backends = {"tensorflow", "jax", "torch"}
        assert used <= {*code_versions.LIBRARIES, *backends}, name
        if name in TRAINING and not name.startswith("data/"):
            assert used <= {*code_versions.TRAINING_LIBRARIES, *backends, "scikit-image"}, name
        if name in COUNTING:
            assert used <= set(finished_images.LIBRARIES), name
    assert all(code_versions.libraries().values()) and code_versions.libraries(["none-such"]) == {
        "none-such": None
    }


def test_a_new_module_counts_and_so_does_a_new_name(copy):
    before = score(copy)
    for name in ("new.py", "data/new.py"):
        (copy / name).write_text("A = 1\n")
        assert score(copy) != before
        (copy / name).unlink()
    (copy / "runs" / "new.py").write_text("A = 1\n")
    assert score(copy) == before
    (copy / "runs" / "new.py").unlink()
    (copy / "metrics" / "multi_annotator.py").rename(copy / "metrics" / "spreading.py")
    assert score(copy) != before
    (copy / "metrics" / "spreading.py").rename(copy / "metrics" / "multi_annotator.py")
    with Changed(copy / "data" / "registry.json", lambda text: text.replace(b"0", b"1", 1)):
        assert score(copy) != before
    assert score(copy) == before


def test_what_a_training_module_imports_trains(copy):
    before = training(copy)
    with Changed(
        copy / "losses.py",
        lambda text: text + b"\n\ndef f():\n    from helpers.generative import vq\n",
    ):
        assert (
            "generative/vq" in code_versions.training_modules((), copy) and training(copy) != before
        )
    # A model may use what its module imports.
    several = code_versions.training_modules(["uncertainty/baselines"], copy)
    assert {"uncertainty/probabilistic_unet", "metrics/density"} < set(several)


def test_imports_of_every_form_are_found(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c", "data/__init__", "data/d", "data/e"):
        (tmp_path / f"{name}.py").write_text("")

    def of(text, name="a"):
        (tmp_path / f"{name}.py").write_text(text)
        return code_versions.imported(name, tmp_path)

    assert of("from helpers import b, c") == ["b", "c"]
    assert of("import helpers.b as x\nimport numpy, helpers.c") == ["b", "c"]
    assert of("from helpers.b import something") == ["b"]
    assert of("def f():\n    if 1:\n        from .b import c\n") == ["b"]
    assert of("from helpers import data") == ["data/__init__"]
    assert of("from helpers.data import load") == ["data/__init__"]
    assert of("from helpers.data.d import load") == ["data/d"]
    assert of("from . import d\nfrom .e import f\nfrom ..b import c", "data/__init__") == [
        "b",
        "data/d",
        "data/e",
    ]
    (tmp_path / "a.py").write_text("from helpers import data")
    assert code_versions.reached(["a"], tmp_path) == ["a", "b", "data/__init__", "data/d", "data/e"]


def test_comments_and_docstrings_keep_the_version_and_code_alters_it(copy):
    here = score(copy), training(copy)
    assert here == (score(ROOT / "helpers"), training(ROOT / "helpers"))

    def replaced(module, old, new):
        def change(text):
            assert text.count(old.encode()) == 1
            return text.replace(old.encode(), new.encode())

        with Changed(copy / f"{module}.py", change):
            return score(copy), training(copy)

    assert replaced("pyramids", "Doubles the resolution", "Always doubles it") == here
    docstring = '    """Doubles the resolution until it has grown by `ratio`."""\n'
    assert replaced("pyramids", docstring, "") == here
    added = "    # new\n    def clone(layer):\n        '''New.'''\n\n"
    assert replaced("models/resizing", "    def clone(layer):\n", added) == here
    for change in (
        ("layers", "BatchNormalization(momentum=momentum)", "BatchNormalization(momentum=0.8)"),
        ("data/crops", "light / 2", "light / 3"),
        ("data/images", "Resampling.NEAREST", "Resampling.BOX"),
    ):
        assert all(new != old for new, old in zip(replaced(*change), here, strict=True))
    (score_only, trained) = replaced("metrics/multi_annotator", "2 * between", "1 * between")
    assert score_only != here[0] and trained == here[1]
    (copy / "plots.py").write_text("")
    assert (score(copy), training(copy)) == here


def test_code_that_was_changed_after_its_import_is_refused(copy, monkeypatch):
    now = time.time()
    monkeypatch.setattr(code_versions, "PACKAGE", copy)
    monkeypatch.setattr(code_versions.helpers, "IMPORTED", now - 100)
    for seconds, refused in ((-200, False), (-50, True), (1000, False)):  # the last: a wrong clock
        for name, at in (("losses", now - 200), ("metrics/multi_annotator", now + seconds)):
            os.utime(copy / f"{name}.py", (at, at))
        assert code_versions.unchanged(["losses"])
        if refused:
            with pytest.raises(
                RuntimeError, match=r"helpers/metrics/multi_annotator\.py was changed.*Restart"
            ):
                code_versions.unchanged(["losses", "metrics/multi_annotator"])
        else:
            assert code_versions.unchanged(["metrics/multi_annotator"]) == code_versions.version_of(
                ["metrics/multi_annotator"], copy
            )


def test_a_sweep_depends_on_all_code_and_on_the_libraries(monkeypatch):
    sweep_plan.package_version.cache_clear()
    here = sweep_plan.package_version()
    for name, value in (("version_of", lambda *a, **k: "x"), ("libraries", lambda: {"numpy": "0"})):
        with monkeypatch.context() as patch:
            patch.setattr(code_versions, name, value)
            sweep_plan.package_version.cache_clear()
            assert sweep_plan.package_version() != here
    sweep_plan.package_version.cache_clear()


# A session -----------------------------------------------------------------------------

CELLS = [
    "steps = 3  # of the training\nkept = ''  # folder",
    "# Parameters\nsteps = 5\n",
    "check_parameters(globals(), steps=range(9), kept=str)",
    "import math",
    "def judged(x):\n    return 2 * x",
    "store.result('a', judged)",
]


@pytest.fixture
def ran(monkeypatch):
    """Function of the cells that a notebook has run → the version of its code."""

    def run(cells):
        shell = types.SimpleNamespace()
        shell.history_manager = types.SimpleNamespace(input_hist_parsed=["", *cells])
        module = types.SimpleNamespace(get_ipython=lambda: shell)
        monkeypatch.setitem(sys.modules, "IPython", module)
        return session_code.session_code()

    return run


def with_cell(number, text):
    return [*CELLS[:number], text, *CELLS[number + 1 :]]


@pytest.mark.parametrize(
    "cells",
    [
        with_cell(0, "steps = 4  # more\nkept = 'folder'"),
        with_cell(1, "steps = 7"),
        [c for i, c in enumerate(CELLS) if i != 1],
        with_cell(0, "steps = 3\nkept = ''\nsteps = 5\nkept = 'x'"),  # as nbval gives them
        with_cell(4, "def judged(x):  # new\n    '''New.'''\n    return (2 * x)"),
        [*CELLS, CELLS[5], CELLS[5] + "  # again"],
        [CELLS[0], "", "# only a comment", "'''and a text'''", *CELLS[1:]],
    ],
)
def test_values_of_parameters_comments_and_running_a_cell_again_do_not_count(cells, ran):
    assert ran(cells) == ran(CELLS)


@pytest.mark.parametrize(
    "cells",
    [
        with_cell(4, "def judged(x):\n    return 3 * x"),
        with_cell(3, "import cmath"),
        [*CELLS[:5], "steps = 9", CELLS[5]],  # after the parameters were read
        [*CELLS[:5], "judged = abs", CELLS[5]],
        [*CELLS[:5], CELLS[4].replace("2", "3"), CELLS[4], CELLS[5]],  # there and back
        [*CELLS[:4], CELLS[3], *CELLS[4:]],  # twice, and it may have changed something
        [CELLS[0] + "\nother = 3", *CELLS[1:]],  # not checked, so no parameter
        [CELLS[0] + "\nsteps = math.pi", *CELLS[1:]],  # no literal
        [*CELLS[:5], "await something()", CELLS[5]],
        [CELLS[4], *CELLS[:4], CELLS[5]],
    ],
)
def test_a_change_of_any_cell_counts(cells, ran):
    assert ran(cells) != ran(CELLS)


def test_cells_that_python_cannot_read_count_as_they_are(ran):
    with_await = [*CELLS, "x = (await f()\n)"]
    assert ran(with_await) == ran(with_await) != ran([*CELLS, "x = (await g()\n)"])
    broken = ["check_parameters(", *CELLS]
    assert ran(broken) == ran(["check_parameters(", *with_cell(0, "steps = 8")[:1], *CELLS[1:]])


def test_modules_of_the_readers_own_count(tmp_path, monkeypatch):
    before = session_code.session_code()
    (tmp_path / "my_scores.py").write_text("def judged(x):\n    return 2 * x\n")
    monkeypatch.syspath_prepend(tmp_path)
    import my_scores

    with_it = session_code.session_code()
    assert with_it != before and session_code.own_code("my_scores")
    (tmp_path / "my_scores.py").write_text("def judged(x):  # new\n    return 2 * x\n")
    assert session_code.session_code() == with_it
    (tmp_path / "my_scores.py").write_text("def judged(x):\n    return 3 * x\n")
    assert session_code.session_code() != with_it
    (tmp_path / "my_scores.py").unlink()  # what is not there cannot be read
    assert session_code.session_code() == before
    del sys.modules["my_scores"], my_scores
    for name in ("builtins", "sys", "os", "numpy.random", "numpy.none", "helpers.layers"):
        assert session_code.own_code(name) == "", name


def test_a_real_notebook_shell_tells_its_cells():
    script = """
import sys
from traitlets.config import Config
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
shell.run_cell("from helpers.checkpoint.session_code import session_code, own_code", store_history=True)
shell.run_cell("class A: pass", store_history=True)
ask = "found = session_code(), own_code(A.__module__)"
for cell in (ask, ask + "  # again", "b = 1", ask):
    assert shell.run_cell(cell, store_history=True).success
    print(*shell.user_ns["found"])
"""
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    first, again, third, fourth = map(str.split, done.stdout.splitlines())
    assert len(set(first)) == 1  # a class in a cell brings all cells
    assert first == again == third and fourth[0] != first[0]


# What a notebook asks for ---------------------------------------------------------------

# Parameters that no kept result depends on, or that the names of its entries tell.
FREE = {
    "08": {"cache_dir", "vae_steps", "weights"} | {"study_steps"},  # in the name of an entry
    "09": {"cache_dir", "study"},  # the names of its entries tell the study
    "10": {"cache_dir", "weights"} | {"seeds", "vae_steps"},  # in the name of an entry
    "11": {"cache_dir", "image_path", "out"},
    "12": {"cache_dir"} | {"seeds", "steps", "controls"},  # in the name of an entry
}


@pytest.mark.parametrize("number", FREE)
def test_every_parameter_is_in_the_key_of_what_is_kept_or_cannot_change_it(number):
    (path,) = (ROOT / "notebooks" / "py").glob(f"{number}_*.py")
    known = set(parameter_cells.read_parameters(path))
    named = names_behind_stores(ast.parse(path.read_text("utf-8")))
    assert known - named == FREE[number]


def names_behind_stores(tree):
    """Names that the arguments of every `Store` depend on; of a name its last value before counts."""
    made, uses, seen = [], [], set()
    for node in tree.body:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and re.search(
                r"\bResultStore$", ast.unparse(inner.func)
            ):
                values = [*inner.args[1:], *(keyword.value for keyword in inner.keywords)]
                uses += [(node.lineno, value) for value in values]
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            made.append((node.lineno, {node.name}, node, True))
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.For)):
            targets = getattr(node, "targets", None) or [node.target]
            names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            value = node.iter if isinstance(node, ast.For) else node.value
            made.append((node.lineno, names, value, not isinstance(node, ast.AugAssign)))
    while uses:
        line, value = uses.pop()
        for name in {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}:
            if (name, line) in seen:
                continue
            seen.add((name, line))
            for at, names, other, whole in reversed([m for m in made if m[0] < line]):
                if name in names:
                    uses.append((at, other))
                    if whole:
                        break
    return {name for name, _ in seen}


def test_all_notebooks_that_keep_something_are_looked_at():
    texts = {p.name[:2]: p.read_text("utf-8") for p in (ROOT / "notebooks" / "py").glob("*.py")}
    assert {number for number, text in texts.items() if "Store(" in text} == set(FREE)


def test_a_copy_in_the_environment_of_another_project_has_no_commit(tmp_path, monkeypatch):
    copy = tmp_path / "environment" / "code_versions.py"
    copy.parent.mkdir()
    copy.write_text("")
    (tmp_path / "theirs.txt").write_text("")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    for command in (["init", "-q"], ["add", "theirs.txt"], ["commit", "-qm", "theirs"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setattr(code_versions, "__file__", str(copy))
    assert code_versions.git_commit() is None
    subprocess.run([*git, "add", "environment"], check=True)
    assert code_versions.git_commit().endswith("-dirty")
