"""Small changes of a module's code, one at a time: what the tests should notice.

Every place of the syntax tree is tried, of public and private functions alike. Left alone are type
hints, docstrings, the wording of errors and the text of f-strings: no test pins prose word by word.
"""

import ast
import copy
import random
from dataclasses import dataclass

# Each operator and what it becomes.
_OPERATORS = """
Lt LtE GtE, LtE Lt Gt, Gt GtE LtE, GtE Gt Lt, Eq NotEq, NotEq Eq, Is IsNot, IsNot Is, In NotIn,
NotIn In, Add Sub, Sub Add, Mult Div, Div Mult, FloorDiv Div Mult, Mod FloorDiv, Pow Mult, And Or,
Or And, BitAnd BitOr, BitOr BitAnd, BitXor BitAnd, LShift RShift, RShift LShift
"""
_OTHER = {
    getattr(ast, old): [getattr(ast, name) for name in new]
    for old, *new in map(str.split, _OPERATORS.split(","))
}
# Functions that stand for each other.
_PAIRS = [
    ("min", "max"),
    ("minimum", "maximum"),
    ("any", "all"),
    ("sum", "mean"),
    ("zeros", "ones"),
]
_PAIRS += [("ceil", "floor"), ("argmin", "argmax"), ("exp", "log"), ("startswith", "endswith")]
_NAMES = dict(_PAIRS) | {b: a for a, b in _PAIRS}


@dataclass(frozen=True)
class Mutant:
    """One changed place of a module.

    Attributes:
        line: where it is.
        first, last: the lines of `normal` code whose running leads there.
        owner: the function or class around it, such as `VAE.encode`; "" for the module itself.
        kind: of change.
        before, after: the place's code.
        code: of the whole module.
    """

    line: int
    first: int
    last: int
    owner: str
    kind: str
    before: str
    after: str
    code: str

    @property
    def public(self):
        """Whether it lies in a function or class without an underscore in front."""
        return bool(self.owner) and not any(p.startswith("_") for p in self.owner.split("."))


def normal(code):
    """The code as the syntax tree tells it: without comments, a statement a line."""
    return ast.unparse(ast.parse(code))


def mutants(code):
    """Every mutant of a module's code, in the order of its lines."""
    plain = normal(code)
    tree = ast.parse(plain)
    found, seen = [], {plain}
    for site, written in zip(list(_sites(tree)), _sites(ast.parse(code)), strict=True):
        parent, field, index, node, owner, span, quiet = site
        for kind, new in _changes(node, quiet):
            _put(parent, field, index, new)
            changed = ast.unparse(tree)
            _put(parent, field, index, node)
            if changed not in seen:
                seen.add(changed)
                before, after = ast.unparse(node), ast.unparse(new)
                line = written[3].lineno
                found.append(Mutant(line, *span, owner, kind, before, after, changed))
    return found


def draw(population, number, seed, each=False):
    """A sample of `(module, Mutant)` pairs: uniform, and the same for the same seed.

    With `each`, every public function that has none in it gets one more.
    """
    rng = random.Random(seed)
    drawn = rng.sample(population, min(number, len(population)))
    if each:
        names = sorted({(name, m.owner) for name, m in population if m.public})
        for missing in [n for n in names if n not in {(name, m.owner) for name, m in drawn}]:
            drawn.append(rng.choice([p for p in population if (p[0], p[1].owner) == missing]))
    return drawn


def _put(parent, field, index, node):
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _sites(parent, owner="", span=None, quiet=False):
    """Yields (parent, field, index, node, owner, span, quiet) of every expression and statement.

    `quiet` holds where strings are prose.
    """
    for field, value in ast.iter_fields(parent):
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or field in ("annotation", "returns"):
                continue
            if _is_docstring(parent, field, index, node):
                continue
            named, lines, prose = owner, span, quiet
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                named = f"{owner}.{node.name}".lstrip(".")
                lines = (node.body[0].lineno, node.end_lineno)
            elif isinstance(node, ast.stmt):
                body = getattr(node, "body", None)
                end = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
                lines = (node.lineno, end)
            if isinstance(node, (ast.Raise, ast.JoinedStr)):
                prose = True
            place = index if isinstance(value, list) else None
            if isinstance(node, (ast.expr, ast.stmt)):
                yield parent, field, place, node, named, lines, prose
            yield from _sites(node, named, lines, prose)


def _is_docstring(parent, field, index, node):
    within = isinstance(parent, (ast.Module, ast.ClassDef, ast.FunctionDef)) and field == "body"
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return within and index == 0 and text


def _changes(node, quiet):
    """Yields (kind, new node) for one node."""
    maker = _BY_TYPE.get(type(node))
    if maker:
        yield from maker(node, quiet)


def _with(node, **fields):
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _without(items, index):
    return items[:index] + items[index + 1 :]


def _compare(node, quiet):
    for k, op in enumerate(node.ops):
        for other in _OTHER[type(op)]:
            yield "comparison", _with(node, ops=[*node.ops[:k], other(), *node.ops[k + 1 :]])


def _binary(node, quiet):
    for other in _OTHER.get(type(node.op), ()):
        yield "arithmetic", _with(node, op=other())
    yield "operand dropped", node.left
    yield "operand dropped", node.right


def _boolean(node, quiet):
    yield "boolean", _with(node, op=_OTHER[type(node.op)][0]())
    for k in range(len(node.values)):
        kept = _without(node.values, k)
        yield "operand dropped", kept[0] if len(kept) == 1 else _with(node, values=kept)


def _constant(node, quiet):
    value = node.value
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, int):
        others = [value + 1, value - 1]
    elif isinstance(value, float):
        others = [2 * value, -value] if value else [1.0]
    elif isinstance(value, str) and not quiet:
        others = [value + "_"]
    else:
        others = []
    for other in others:
        # A negative number is written as an operation, as in any text.
        new = ast.Constant(abs(other) if type(other) in (int, float) else other)
        negative = type(other) in (int, float) and other < 0
        yield "constant", ast.UnaryOp(ast.USub(), new) if negative else new


def _call(node, quiet):
    for k, keyword in enumerate(node.keywords):
        yield f"{keyword.arg or '**'} dropped", _with(node, keywords=_without(node.keywords, k))
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _NAMES:
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield "other function", _with(node, func=_with(node.func, **{field: _NAMES[name]}))
    for argument in node.args[:2] if not quiet else ():
        if not isinstance(argument, ast.Starred):
            yield "call dropped", argument


def _subscript(node, quiet):
    part = node.slice
    for bound in ("lower", "upper", "step") if isinstance(part, ast.Slice) else ():
        if getattr(part, bound) is not None:
            yield "slice", _with(node, slice=_with(part, **{bound: None}))


def _test(node, quiet):
    yield "condition", _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.If) and not node.orelse:
        yield "statement dropped", ast.Pass()


def _comprehension(node, quiet):
    for k, part in enumerate(node.generators):
        for i in range(len(part.ifs)):
            new = _with(part, ifs=_without(part.ifs, i))
            yield (
                "condition",
                _with(node, generators=[*node.generators[:k], new, *node.generators[k + 1 :]]),
            )


def _unary(node, quiet):
    yield "operator dropped", node.operand


def _return(node, quiet):
    if node.value is not None:
        yield "return", ast.Return(ast.Constant(None))


def _dropped(node, quiet):
    yield "statement dropped", ast.Pass()


def _assigned(node, quiet):
    # Without a plain name's value the next line fails: nothing to learn from.
    if any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in node.targets):
        yield "statement dropped", ast.Pass()


def _loop_end(node, quiet):
    yield "loop", ast.Break() if isinstance(node, ast.Continue) else ast.Continue()


_BY_TYPE = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Subscript: _subscript,
    ast.If: _test,
    ast.While: _test,
    ast.IfExp: _test,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.UnaryOp: _unary,
    ast.Return: _return,
    ast.Expr: _dropped,
    ast.AugAssign: _dropped,
    ast.Raise: _dropped,
    ast.Delete: _dropped,
    ast.Assign: _assigned,
    ast.Break: _loop_end,
    ast.Continue: _loop_end,
}
