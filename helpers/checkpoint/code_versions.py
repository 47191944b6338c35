"""Short names for states of code, so that results of one state are not taken for another's.

What computes a score is everything in the package but what is listed in `CANNOT_MATTER`, so a new
module counts from its first day. What trains is found by following imports. Comments, docstrings
and layout never count. Nothing here imports Keras.
"""

import ast
import functools
import hashlib
import importlib.metadata
import subprocess
import time
from pathlib import Path

import helpers

PACKAGE = Path(__file__).parents[1]

# What cannot change a kept number. What counts imports of these only the `HARMLESS`: a test looks.
CANNOT_MATTER = (
    "plots",  # draws what was computed
    "progress",  # bars
    "checks",  # assertions for students, …
    "grading",  # … and what runs them
    "runs",  # starts notebooks and reads what they have recorded
    "experiments/own_network",  # trains on a reader's pictures and keeps no score
)
MATTERS = ("runs/setup",)  # in a folder that is left out, and yet it sets seeds and precision
HARMLESS = ("progress", "runs/rules")  # what counts may import them: bars, messages

# Losses and optimisers of the long trainings, what is done around every `fit`, and the seeds.
TRAINS = (
    "experiments/photo_recipes",
    "checkpoint/long_training",
    "checkpoint/result_store",
    "runs/setup",
)

LIBRARIES = ("keras", "numpy", "pillow", "scikit-image", "scikit-learn", "scipy")
TRAINING_LIBRARIES = ("keras", "numpy", "pillow")


@functools.cache
def score_code():
    """A hash of all code of the package that can change a score, as it was imported.

    Raises:
        RuntimeError: As `unchanged`.

    Examples:
        >>> len(checkpoint.code_versions.score_code())
        10
    """
    return unchanged(scoring_modules(), data=True)


@functools.cache
def training_code(parts=()):
    """A hash of the code of the package that trains, as it was imported.

    Args:
        parts: further modules, those of the model and its loss, such as "helpers.uncertainty.ood".

    Raises:
        RuntimeError: As `unchanged`.

    Examples:
        >>> checkpoint.code_versions.training_code() == checkpoint.code_versions.score_code()
        False
    """
    names = (part.removeprefix("helpers").strip(".").replace(".", "/") for part in parts)
    modules = all_modules()
    return unchanged(
        training_modules([n if n in modules else f"{n}/__init__".strip("/") for n in names])
    )


def all_modules(folder=PACKAGE):
    """Names of all modules of the package, such as "data/shapes", sorted.

    Examples:
        >>> "losses" in checkpoint.code_versions.all_modules()
        True
    """
    paths = (p.relative_to(folder) for p in Path(folder).rglob("*.py"))
    return sorted(p.with_suffix("").as_posix() for p in paths)


def scoring_modules(folder=PACKAGE):
    """Names of the modules that can change a score, sorted.

    Examples:
        >>> [name in checkpoint.code_versions.scoring_modules() for name in ("losses", "progress")]
        [True, False]
    """
    return [name for name in all_modules(folder) if _counts(name)]


def training_modules(parts=(), folder=PACKAGE):
    """Names of the modules that train: `TRAINS`, `parts`, and what they import, sorted.

    The data sets are among them, all of them, since they are loaded by name.

    Examples:
        >>> trains = checkpoint.code_versions.training_modules()
        >>> "data/crops" in trains, "edges/scores" in trains
        (True, False)
    """
    return reached((*TRAINS, *parts), folder)


def reached(roots, folder=PACKAGE):
    """Modules that count and that `roots` import, directly or not, with the roots themselves.

    Args:
        roots: names of modules.
        folder: of the package.

    Returns:
        Their names, sorted. A package that is imported as a whole counts with all its modules.

    Examples:
        >>> checkpoint.code_versions.reached(["layers"])
        ['layers']
    """
    modules, found, waiting = all_modules(folder), set(), list(roots)
    while waiting:
        name = waiting.pop()
        if name in found or not _counts(name):
            continue
        found.add(name)
        if name.endswith("/__init__"):
            inside = name.removesuffix("__init__")
            waiting += [other for other in modules if other.startswith(inside)]
        waiting += imported(name, folder, modules)
    return sorted(found)


def imported(name, folder=PACKAGE, modules=None):
    """Names of the modules of the package that the module `name` imports, anywhere in it, sorted.

    `modules` are all names of the package in `folder`, where they are known.

    Examples:
        >>> checkpoint.code_versions.imported("networks")
        ['layers']
    """
    modules, found = set(modules or all_modules(folder)), set()
    here = ["helpers", *name.split("/")[:-1]]
    for level, module, names in _parsed((Path(folder) / f"{name}.py").read_bytes(), ())[1]:
        place = here[: len(here) + 1 - level] if level else []
        place += module.split(".") if module else []
        if place[:1] != ["helpers"]:
            continue
        base = "/".join(place[1:])
        for last in names or [""]:  # a module of that name, or else something in `base`
            tried = (f"{base}/{last}", f"{base}/{last}/__init__", base, f"{base}/__init__")
            tried = [path.strip("/") for path in tried]
            found.add(next((path for path in tried if path in modules), "__init__"))
    return sorted(found - {"__init__", name})


def version_of(names, folder=PACKAGE, data=False):
    """A hash of modules, by name and code; with `data` of the package's JSON files as well.

    Examples:
        >>> len(checkpoint.code_versions.version_of(["losses", "layers"]))
        10
    """
    folder = Path(folder)
    parts = [(name, normal((folder / f"{name}.py").read_bytes())) for name in names]
    if data:
        files = sorted(folder.rglob("*.json"))
        parts += [(p.relative_to(folder).as_posix(), p.read_bytes().hex()) for p in files]
    return short(*parts)


def unchanged(names, **options):
    """`version_of` modules of this package, as they were imported.

    Raises:
        RuntimeError: If a file was changed after the import: what runs is not what it says.

    Examples:
        >>> versions = checkpoint.code_versions
        >>> versions.unchanged(["losses"]) == versions.version_of(["losses"])
        True
    """
    times = ((name, (PACKAGE / f"{name}.py").stat().st_mtime) for name in names)
    # A time to come is that of a wrong clock, and no restart would help.
    late = [name for name, changed in times if helpers.IMPORTED < changed <= time.time()]
    if late:
        raise RuntimeError(
            f"helpers/{late[0]}.py was changed after it was imported, so results of the old code "
            "would be kept under the name of the new one. Restart the kernel."
        )
    return version_of(names, **options)


def libraries(names=LIBRARIES):
    """The versions of libraries, `{name: version}`; None for one that is not installed.

    Examples:
        >>> checkpoint.code_versions.libraries(["numpy"]) == {"numpy": np.__version__}
        True
    """
    return {name: _installed(name) for name in names}


def short(*parts):
    """Ten hexadecimal digits of anything with a stable `repr`.

    Examples:
        >>> checkpoint.code_versions.short("a", 1) == checkpoint.code_versions.short("a", "1")
        False
    """
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:10]


def normal(source, parameters=()):
    """A digest of Python source without comments and docstrings; "" if nothing is left.

    Args:
        source: text or UTF-8.
        parameters: names whose assignment of a literal, at the top, is left out.

    Examples:
        >>> checkpoint.code_versions.normal("x = 1  # one") == checkpoint.code_versions.normal("x=1")
        True
    """
    return _parsed(source, parameters)[0]


@functools.cache
def _parsed(source, parameters):
    """The digest as `normal` gives it, and (level, module, names) of every import."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # `await` in a cell, for example
        raw = source if isinstance(source, bytes) else source.encode()
        return hashlib.sha256(raw).hexdigest(), ()
    tree.body = [node for node in tree.body if not _sets(node, parameters)]
    imports, waiting = [], [tree]  # statements alone: there are ten times as many expressions
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.level, node.module or "", [a.name for a in node.names]))
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del body[0]  # a docstring
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, field, None)
            waiting += inner if isinstance(inner, list) else []
    text = ast.dump(tree) if tree.body else ""
    return hashlib.sha256(text.encode()).hexdigest() if text else "", imports


def _counts(name):
    return name in MATTERS or not {name, name.split("/")[0]} & set(CANNOT_MATTER)


@functools.cache
def _installed(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _sets(node, names):
    """Whether a statement gives one of these names a literal."""
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    if not isinstance(node, (ast.Assign, ast.AnnAssign)) or len(targets) != 1 or not node.value:
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError):
        return False
    return getattr(targets[0], "id", None) in names


def git_commit():
    """Commit of the code, marked `-dirty` where files differ; None where git does not know it.

    Examples:
        >>> isinstance(checkpoint.code_versions.git_commit(), (str, type(None)))
        True
    """
    describe = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    options = {"cwd": Path(__file__).parent, "capture_output": True, "text": True, "check": True}
    try:
        # Not in the environment that lies in the checkout of another project.
        subprocess.run(["git", "ls-files", "--error-unmatch", Path(__file__).name], **options)
        return subprocess.run(describe, **options).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
