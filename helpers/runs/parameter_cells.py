"""A notebook's parameters and rules, read from its source without running it.

The cell tagged `parameters` holds plain literals with one comment each. The call of
`check_parameters` further down states what is allowed, in literals too.
"""

import ast
import dataclasses
import io
import tokenize

TYPES = {"bool": bool, "str": str}


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: name, default, meaning (its comment) and rule (or None)."""

    name: str
    default: object
    comment: str
    rule: object = None

    @property
    def type(self):
        """Name of the default's type."""
        return type(self.default).__name__


def read_parameters(notebook):
    """Read a notebook's parameters and rules from its source, without running it.

    Args:
        notebook: Path of an `.ipynb` or py:percent `.py` file, or a notebook node.

    Returns:
        A dictionary from name to `Parameter`, in the order of the cell.

    Raises:
        ValueError: If the tagged cell is missing or is not plain literals with a comment each, or
            if a rule cannot be read.
    """
    cells = [c for c in read_notebook(notebook).cells if c.cell_type == "code"]
    tagged = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise ValueError(f"One cell must be tagged 'parameters'. Received: {len(tagged)}")
    found = parse_cell(tagged[0].source)
    rules = {}
    for cell in cells:
        if "check_parameters(" in cell.source:
            rules.update(parse_rules(cell.source))
    unknown = [name for name in rules if name not in found]
    if unknown:
        raise ValueError(f"Rules without a parameter: {', '.join(unknown)}")
    return {n: dataclasses.replace(p, rule=rules.get(n)) for n, p in found.items()}


def parse_cell(source):
    """Parse the source of a parameters cell: `name = literal  # meaning` and nothing else."""
    comments = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0]] = token.string.lstrip("# ").strip()
    found = {}
    for node in ast.parse(source).body:
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        target = targets[0] if len(targets) == 1 else None
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not isinstance(target, ast.Name):
            raise ValueError(
                f"Line {node.lineno} of the parameters cell must be `name = literal  # meaning`. "
                f"Received: {ast.unparse(node)}"
            )
        name = target.id
        try:
            default = ast.literal_eval(node.value)
        except (ValueError, TypeError):
            raise ValueError(
                f"Parameter {name!r} must be a plain literal, nothing derived. "
                f"Received: {ast.unparse(node)}"
            ) from None
        text = next((comments[n] for n in _lines(node) if comments.get(n)), "")
        if not text:
            raise ValueError(f"Parameter {name!r} needs a comment that tells its meaning.")
        if name in found:
            raise ValueError(f"Parameter {name!r} is assigned twice.")
        found[name] = Parameter(name, default, text)
    return found


def parse_rules(source):
    """Read the rules from the source of a cell that calls `check_parameters`."""
    rules = {}
    for node in ast.walk(ast.parse(source)):
        name = getattr(node, "func", None)
        name = getattr(name, "id", getattr(name, "attr", None))
        if isinstance(node, ast.Call) and name == "check_parameters":
            for keyword in node.keywords:
                if keyword.arg is None:
                    raise ValueError("Write the rules out as name=rule; ** cannot be read unrun.")
                rules[keyword.arg] = _literal(keyword.value, keyword.arg)
    return rules


def read_notebook(notebook):
    """Return a notebook node from a path (`.ipynb`, or `.py` as py:percent) or a node."""
    if hasattr(notebook, "cells"):
        return notebook
    if str(notebook).endswith(".py"):
        import jupytext

        return jupytext.read(notebook, fmt="py:percent")
    import nbformat

    return nbformat.read(notebook, as_version=4)


def _literal(node, name):
    """Evaluate a rule's syntax tree: literals, `bool`, `str`, `range(...)` and whole powers."""
    if isinstance(node, ast.Name) and node.id in TYPES:
        return TYPES[node.id]
    if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "range":
        return range(*(_literal(a, name) for a in node.args))
    if isinstance(node, ast.Dict):
        keys = [_literal(k, name) for k in node.keys]
        return dict(zip(keys, (_literal(v, name) for v in node.values)))
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_literal(e, name) for e in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return _literal(node.left, name) ** _literal(node.right, name)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise ValueError(
            f"The rule of {name!r} must be literal so that it can be read unrun. "
            f"Received: {ast.unparse(node)}"
        ) from None


def _lines(node):
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
