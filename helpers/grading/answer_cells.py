"""Cells that bear one answer's name: which is the answer, what belongs to it, what is a copy.

JupyterLab copies a cell's name when the cell is split or copied. The rules for code:

1. A cell that stands as it was handed out is no answer.
2. A cell that cannot be read alone is joined with its neighbour, if both together can be read.
3. Of the cells that define what the task asks for, the last one above the task's test counts.
   Where they differ, `restoring` has each tried: the last one that passes the test counts.
4. A cell that defines other things or fills them, and does not use the answer, is a piece of it:
   pieces are joined with the cell that counts, in their order. Of two pieces with one name, the
   one that ran last is joined. A piece stays where it stands if a cell between it and the answer,
   which is no piece, changes or uses what it defines.
5. All others stay as ordinary cells, where they stand.
"""

import ast
import itertools
import re
import warnings
from dataclasses import dataclass

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
# The first line of a cell that runs all of it as Python, and keeps the names that it defines.
RUN_WHOLE = re.compile(r"\A\s*%%(?:time|capture|prun)\b.*\n")


@dataclass
class Answer:
    """What is graded as one answer."""

    text: str
    counts: int  # number of the cell in whose place it stands
    left: dict  # number and code of those that stay as ordinary cells
    versions: list  # numbers of the cells that could be the answer, and say different things


def tree(code):
    """Return the syntax tree of a cell's code, or None if it cannot be read."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, about the style of a student's code
            return ast.parse(TransformerManager().transform_cell(RUN_WHOLE.sub("", code, count=1)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def defined(code):
    """Return the names that a cell gives a value, outside of functions and classes."""
    found = tree(code)
    return set() if found is None else _names(found.body)


def _names(body):
    """Return the names that statements give a value; imports do not count."""
    names = set()
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return names


def asked(stub):
    """Return the functions and classes that a cell asks for, or else the names it gives values."""
    found = tree(stub)
    body = [] if found is None else found.body
    return {node.name for node in body if isinstance(node, DEFINITIONS)} or _names(body)


def choose(texts, stub, above, prefer=None):
    """Return the answer that several cells with one name make.

    Args:
        texts: Of the cells, in their order.
        stub: The text that was handed out.
        above: How many of the cells stand above the task's test.
        prefer: Number of the cell that counts, one of `versions`, where that is known.
    """
    wanted, code = asked(stub), _readable(texts, stub)
    if not code:
        return Answer(texts[0], 0, {}, [])
    whole = [i for i in code if wanted and wanted <= defined(code[i])]
    # What is asked for may be spread over cells, or nothing says what is asked for.
    could = whole or [i for i in code if defined(code[i])] or list(code)
    counts = ([i for i in could if i < above] or could[:1])[-1] if prefer is None else prefer
    taken = defined(code[counts]) | (wanted if whole else set())
    known = {name for text in code.values() for name in defined(text)}
    joined = [counts]
    # From the answer outwards, so that above it the piece that ran last comes first.
    for some in ([i for i in reversed(code) if i < counts], [i for i in code if i > counts]):
        passed, used = set(), set()  # names in the cells between that are no pieces
        for i in some:
            gives, needs = defined(code[i]), _used(code[i])
            moves = not gives & (passed | used) and not (needs - gives) & passed
            if moves and _is_a_piece(code[i], wanted, taken, known):
                joined.append(i)
                taken |= gives
            else:
                passed, used = passed | gives, used | needs
    joined.sort()
    text = "\n\n".join(_inner(code[i]) if n else code[i] for n, i in enumerate(joined))
    left = {i: code[i] for i in code if i not in joined}
    differ = {tuple(lines(code[i])): i for i in whole}
    return Answer(text, counts, left, sorted(differ.values()) if len(differ) > 1 else [])


def _is_a_piece(code, wanted, taken, known):
    """Whether a cell defines things that are not taken, and does not use what is asked for."""
    found = tree(code)
    if found is None or _used(code) & wanted:
        return False
    names = _names(found.body)
    # Imports and words belong to the answer, too, and so does what fills a list or a dictionary
    # of the `known` names; a cell that only calls things does not.
    says = names or _filled(found) & known
    says = says or all(isinstance(n, IMPORTS) or _is_text(n) for n in found.body)
    return bool(says) and not names & taken


def _filled(found):
    """Return the names in whose value a cell changes something: `a.append(1)`, `a["b"] = 1`."""
    names = set()
    tops = [top for top in found.body if not isinstance(top, DEFINITIONS)]
    for node in ast.walk(ast.Module(tops, [])):
        changed = node.func if isinstance(node, ast.Call) else node
        stored = isinstance(getattr(node, "ctx", None), ast.Store)
        if isinstance(changed, ast.Attribute | ast.Subscript) and (stored or changed is not node):
            names |= {n.id for n in ast.walk(changed.value) if isinstance(n, ast.Name)}
    return names


def _used(code):
    """Return the names in what a cell runs at once, and those that its functions call global."""
    names = set()
    for top in getattr(tree(code), "body", []):
        for node in ast.walk(top):
            if isinstance(node, ast.Global):
                names.update(node.names)
            elif isinstance(node, ast.Name) and not isinstance(top, DEFINITIONS):
                names.add(node.id)
    return names


def _inner(code):
    """Return a piece that stands below others, where a first line such as `%%time` is an error."""
    return RUN_WHOLE.sub(lambda found: f"# {found[0].lstrip()}", code)


def _is_text(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _readable(texts, stub):
    """Return `{number: code}`, without empty cells and those that stand as they were handed out.

    Cells that can be read only together have the number of the first of them.
    """
    kept = [(i, t) for i, t in enumerate(texts) if t.strip() and lines(t) != lines(stub)]
    found = {}
    most = 6 if len(kept) < 20 else 1  # nobody splits a cell like this by hand
    while kept:
        code, size = kept[0][1], 1
        for n in range(2, min(len(kept), most) + 1):
            run = [text for _, text in kept[:n]]
            if one := together(run):
                code, size = one, n
                break
        while size < len(kept) and (more := together([code, kept[size][1]])):
            code, size = more, size + 1
        found[kept[0][0]] = code
        kept = kept[size:]
    return found


def together(run):
    """Return the code of cells that can be read only together, or None."""
    first, *others = run
    if first.lstrip().startswith("%%") and not RUN_WHOLE.match(first):
        return None  # all below its first line is a text and no Python
    rest = _join(others)
    if tree(first) is not None and rest is not None and not rest.lstrip("\n")[:1].isspace():
        return None
    return _join(run)


def _join(run):
    # A cell that was split within a line has no line end there.
    for ends in itertools.product(("\n", ""), repeat=len(run) - 1):
        text = run[0] + "".join(end + code for end, code in zip(ends, run[1:]))
        if tree(text) is not None:
            return text
    return None


def lines(text):
    """Return the lines of a text, to compare it: no blanks at their ends, none empty around."""
    found = [line.rstrip() for line in text.split("\n")]
    kept = [n for n, line in enumerate(found) if line]
    return found[kept[0] : kept[-1] + 1] if kept else []
