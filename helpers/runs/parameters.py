"""The parameter contract: literals in one tagged cell, rules in the next, both readable unrun.

A notebook's cell tagged `parameters` holds plain literals with one comment each. The call of
`check_parameters` further down states what is allowed. Because the rules are literals too, the
runner reads them from the source and refuses a bad value before any kernel starts.

Rules:
    ["a", "b"]        one of these
    range(lo, hi)     an integer, lo <= value < hi
    (lo, hi)          a number, lo <= value <= hi; None leaves a side open
    bool              True or False
    str               any text
    {"or_none": r}    None, or what r allows
    {"list_of": r}    a non-empty list of what r allows
"""

import ast
import dataclasses
import difflib
import io
import numbers
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


def check_parameters(namespace, **rules):
    """Check a notebook's parameters; call it as `check_parameters(globals(), name=rule, ...)`.

    Args:
        namespace: Dictionary that holds the values.
        **rules: One rule for each parameter, as in this module's docstring.

    Raises:
        ValueError: Names each bad parameter, what it received, what is allowed and the nearest
            allowed value.
    """
    problems = []
    for name, rule in rules.items():
        if name not in namespace:
            near = nearest(name, [n for n in namespace if not n.startswith("_")])
            hint = f" Did you mean {near!r}?" if near else ""
            problems.append(f"No variable is called {name!r}, but a rule names it.{hint}")
        else:
            problem = check_value(name, namespace[name], rule)
            problems += [problem] if problem else []
    if problems:
        raise ValueError("\n".join(problems))


def check_value(name, value, rule):
    """Return what is wrong with one value, or None.

    Raises:
        TypeError: If the rule itself is not one of the known kinds.
    """
    if isinstance(rule, dict) and set(rule) == {"or_none"}:
        if value is None:
            return None
        problem = check_value(name, value, rule["or_none"])
        return problem and problem.replace("Allowed: ", "Allowed: None, or ", 1)
    if isinstance(rule, dict) and set(rule) == {"list_of"}:
        if not isinstance(value, (list, tuple)) or not value:
            return _problem(name, value, rule, None)
        found = (check_value(f"{name}[{i}]", v, rule["list_of"]) for i, v in enumerate(value))
        return next((problem for problem in found if problem), None)
    if rule is bool or rule is str:
        fits = isinstance(value, str) if rule is str else _is_bool(value)
        return None if fits else _problem(name, value, rule, None)
    if isinstance(rule, range):
        fits = _is_integer(value) and int(value) in rule
        near = _clip(value, rule[0], rule[-1]) if len(rule) else None
        return None if fits else _problem(name, value, rule, near)
    if isinstance(rule, tuple) and len(rule) == 2:
        low, high = (-float("inf"), float("inf")) if rule == (None, None) else _ends(rule)
        if _is_number(value) and low <= value <= high and abs(value) != float("inf"):
            return None
        return _problem(name, value, rule, _clip(value, low, high))
    if isinstance(rule, list) and rule:
        if any(_same(value, choice) for choice in rule):
            return None
        return _problem(name, value, rule, nearest(value, rule))
    raise TypeError(
        f"The rule of {name!r} must be a list of choices, range(lo, hi), (lo, hi), bool, str, "
        f'{{"or_none": rule}} or {{"list_of": rule}}. Received: {rule!r}'
    )


def describe(rule):
    """Return a rule in words."""
    if isinstance(rule, dict) and "or_none" in rule:
        return f"None, or {describe(rule['or_none'])}"
    if isinstance(rule, dict):
        return f"a list, each item {describe(rule['list_of'])}"
    if rule is bool:
        return "True or False"
    if rule is str:
        return "a text in quotes"
    if isinstance(rule, range):
        return f"an integer from {rule[0]} to {rule[-1]}"
    if isinstance(rule, tuple):
        low, high = rule
        if low is None and high is None:
            return "a finite number"
        if low is None or high is None:
            return f"a number of {high} or less" if low is None else f"a number of {low} or more"
        return f"a number from {low} to {high}"
    return "one of " + ", ".join(repr(choice) for choice in rule) if rule else "anything"


def nearest(value, choices):
    """Return the choice nearest to a value (by spelling, or by size for numbers), or None."""
    if _is_number(value):
        near = [c for c in choices if _is_number(c)]
        return min(near, key=lambda c: abs(c - value)) if near and value == value else None
    texts = {str(c).lower(): c for c in choices}
    found = difflib.get_close_matches(str(value).lower(), texts, n=1, cutoff=0.5)
    return texts[found[0]] if found else None


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
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
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


def _problem(name, value, rule, near):
    kind = "" if value is None else f" ({type(value).__name__})"
    hint = "" if near is None else f" Nearest: {near!r}."
    return f"Bad parameter {name!r}. Received: {value!r}{kind}. Allowed: {describe(rule)}.{hint}"


def _lines(node):
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _ends(rule):
    low, high = rule
    return (-float("inf") if low is None else low), (float("inf") if high is None else high)


def _clip(value, low, high):
    """Return the nearest end of an interval for a number outside it, else None."""
    if not _is_number(value) or low <= value <= high or value != value:
        return None
    end = low if value < low else high
    return None if abs(end) == float("inf") else end


def _is_bool(value):
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _is_integer(value):
    # True is an int to Python, not to us.
    return isinstance(value, numbers.Integral) and not _is_bool(value)


def _is_number(value):
    return isinstance(value, numbers.Real) and not _is_bool(value)


def _same(value, choice):
    """Equality that keeps True apart from 1, and an integer choice apart from 1.0."""
    if _is_bool(value) != _is_bool(choice):
        return False
    if _is_number(value) and _is_integer(choice) and not _is_integer(value):
        return False
    return type(value).__name__ != "ndarray" and value == choice
