"""The package as a whole: one spelling of an argument, the field's names, and arrows one way."""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# One spelling: what is said instead of what.
SPELLING = {
    "batch": "batch_size",
    "classes": "num_classes",
    "ignore_index": "ignore_class",
    "lr": "learning_rate",
    "n_classes": "num_classes",
    "num_class": "num_classes",
    "outputs": "num_classes",
    "rate": "learning_rate",
    "rates": "learning_rates",
    "void": "ignore_class",
}
# These mean something else.
ALLOWED = {
    ("helpers.models.inputs", "Pixels.look", "batch"): "a batch itself, not its size",
    ("helpers.training", "Progress.on_train_batch_end", "batch"): "Keras calls it by this name",
    ("helpers.training", "TimeBudget.on_train_batch_end", "batch"): "Keras calls it by this name",
}
# Names of the first edition that told a stranger nothing, or something else.
FORMER = ("spread", "probes", "rulers", "kept", "opinions", "panels", "readings", "twins")

# Rooms that run the notebooks and the course; and what is imported of them from elsewhere.
MACHINE_ROOMS = ("runs", "grading")
UPWARD = {
    ("helpers.grading.assignment_source", "helpers.runs.notebook_text"): (
        "the course writes its notebooks as the series does"
    ),
}
# What most notebooks need. It imports no folder of a topic, but for the data that it works on.
SMALL = {"backend", "checkpoint", "checks", "layers", "losses", "models", "networks"}
SMALL |= {"photo_networks", "pretrained", "progress", "pyramids", "training"}
MOST_ENTRIES = 22


@functools.cache
def _modules():
    """The syntax tree of each module of helpers, by its full name."""
    found = {}
    for path in sorted(ROOT.glob("helpers/**/*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def _public(tree, inside=""):
    """`(name, node)` of the public functions and classes of a module, and of a class's methods."""
    for node in tree.body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        special = node.name.startswith("__") and node.name.endswith("__")
        if special or not node.name.startswith("_"):
            yield inside + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node, f"{inside}{node.name}.")


def _arguments(tree):
    """`(function, argument)` of everything public in a module; a data class's fields as well."""
    for name, node in _public(tree):
        if isinstance(node, ast.ClassDef):
            fields = [n.target for n in node.body if isinstance(n, ast.AnnAssign)]
            yield from ((name, field.id) for field in fields if isinstance(field, ast.Name))
        else:
            a = node.args
            every = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
            yield from ((name, arg.arg) for arg in every if arg)


def _names(tree):
    """The public names of a module: functions, classes, methods and what it assigns."""
    found = [name.rpartition(".")[2] for name, _ in _public(tree)]
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            found += [n.id for n in ast.walk(target) if isinstance(n, ast.Name)] if target else []
    return [name for name in found if not name.startswith("_")]


# ---- spelling


def test_an_argument_has_one_spelling():
    found = {
        (module, *place)
        for module, tree in _modules().items()
        for place in _arguments(tree)
        if place[1] in SPELLING
    }
    wrong = [f"{m}.{f}({a}): {SPELLING[a]}" for m, f, a in sorted(found - set(ALLOWED))]
    assert wrong == []
    assert set(ALLOWED) <= found, "an exception that is none any more"


def test_the_field_s_names_stand_where_the_series_had_words_of_its_own():
    found = {module: set(_names(tree)) for module, tree in _modules().items()}
    for module, names in found.items():
        names.update(module.split("."))
    assert {"confidence_interval"} <= found["helpers.metrics.statistics"]
    wrong = [(m, n) for m, names in found.items() for n in names if n.lower() in FORMER]
    assert sorted(wrong) == []


def test_the_package_is_a_short_list():
    entries = [p.stem for p in (ROOT / "helpers").iterdir() if p.stem[:1] not in "_."]
    assert {"losses", "metrics"} <= set(entries)
    assert len(entries) <= MOST_ENTRIES, sorted(entries)
    assert set(entries) >= SMALL


PRETENDED = """
ROWS, (kept, _spread) = 1, (2, 3)
class Model:
    rate: float = 0.1
    def __init__(self, lr, *rates): ...
    def _hidden(self, classes): ...
    def twins(self): ...
def _own(batch): ...
def learn(x, /, *, void=None, **outputs):
    def inner(rate): ...
"""


def test_arguments_and_names_are_seen():
    tree = ast.parse(PRETENDED)
    init = "Model.__init__"
    assert set(_arguments(tree)) == {
        *(("Model", "rate"), (init, "self"), (init, "lr"), (init, "rates")),
        *(("Model.twins", "self"), ("learn", "x"), ("learn", "void"), ("learn", "outputs")),
    }
    assert set(_names(tree)) == {"ROWS", "kept", "Model", "twins", "learn"}


# ---- arrows


def _imported(node):
    """What a node imports, in full: of `from a import b` `a.b`, which may be a name in `a`."""
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def _arrows(tree, known):
    """The modules among `known` that a module imports: when it is imported, and in functions."""
    inner = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner |= {id(n) for n in ast.walk(node)}
    at_once, later = set(), set()
    for node in ast.walk(tree):
        for name in _imported(node):
            known_by = name if name in known else name.rpartition(".")[0]
            (later if id(node) in inner else at_once).update({known_by} & set(known))
    return at_once, later


def _graph(modules, functions=False):
    arrows = {name: _arrows(tree, modules) for name, tree in modules.items()}
    return {name: found[0] | (found[1] if functions else set()) for name, found in arrows.items()}


def _circle(graph):
    """The names on one circle of a graph, or an empty list."""
    done = set()

    def visit(name, path):
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if found := visit(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := visit(name, []))), [])


def _room(module):
    """The entry of `ls helpers` that a module belongs to; "" for the package itself."""
    return module.split(".")[1] if "." in module else ""


def _rooms(graph):
    rooms = {_room(name): set() for name in graph}
    for name, others in graph.items():
        rooms[_room(name)] |= {_room(other) for other in others} - {_room(name)}
    return rooms


def _drawn(graph):
    return "\n".join(f"{name} -> {', '.join(sorted(to))}" for name, to in graph.items() if to)


def test_no_module_imports_itself_by_way_of_others():
    graph = _graph(_modules())
    assert len(graph) > 60 and "helpers.backend" in graph["helpers.training"]
    assert _circle(graph) == [], _drawn(graph)


def test_no_folder_needs_another_that_needs_it():
    rooms = _rooms(_graph(_modules(), functions=True))
    rooms[""] = set()  # the package's own file imports nothing
    assert _circle(rooms) == [], _drawn(rooms)


def test_nothing_but_the_machine_rooms_imports_them():
    graph = _graph(_modules(), functions=True)
    found = {
        (name, other)
        for name, others in graph.items()
        for other in others
        if _room(other) in MACHINE_ROOMS and _room(other) != _room(name)
    }
    assert found == set(UPWARD), _drawn(graph)


def test_the_package_does_not_need_what_is_beside_it():
    beside = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"helpers"}
    beside |= {"benchmarks", "docs", "notebooks", "tests"}
    assert "authoring" in beside
    for module, tree in _modules().items():
        names = {name.split(".")[0] for node in ast.walk(tree) for name in _imported(node)}
        assert names & beside == set(), module


def test_the_small_module_stands_below_the_topics():
    rooms = _rooms(_graph(_modules(), functions=True))
    needed = {other for room in SMALL for other in rooms[room]}
    assert needed <= SMALL | {"data", ""}, _drawn(rooms)
    assert rooms["data"] <= {""}, _drawn(rooms)


def test_imports_and_circles_are_seen():
    known = ("helpers", "helpers.a", "helpers.b", "helpers.b.c")
    text = "import os, helpers.a\nfrom helpers import b\nfrom helpers.b import c, D\n"
    assert _arrows(ast.parse(text), known)[0] == {"helpers.a", "helpers.b", "helpers.b.c"}
    late = (
        "def f():\n    from helpers.b.c import D\ntry:\n    import helpers.a\nfinally:\n    pass\n"
    )
    assert _arrows(ast.parse(late), known) == ({"helpers.a"}, {"helpers.b.c"})
    method = "class A:\n    def f(self):\n        import helpers.a\n    import helpers.b\n"
    assert _arrows(ast.parse(method), known) == ({"helpers.b"}, {"helpers.a"})
    assert _arrows(ast.parse("import helpersb.a\nfrom helpersb import a\n"), known)[0] == set()


@pytest.mark.parametrize(
    ("graph", "circle"),
    [
        ({"a": {"a"}}, ["a"]),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c"]),
        ({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}, []),
    ],
)
def test_a_circle_is_named(graph, circle):
    assert _circle(graph) == circle


def test_rooms_are_folders_or_single_modules():
    graph = {"helpers": set(), "helpers.a": {"helpers.b.c"}, "helpers.b.c": {"helpers.b.d"}}
    graph["helpers.b.d"] = {"helpers"}
    assert _rooms(graph) == {"": set(), "a": {"b"}, "b": {""}}
