"""What papermill has set in this kernel, read from the session's own history.

Papermill puts a cell of its own behind the one tagged `parameters`. Nothing but its form tells it
from others: the comment `# Parameters`, and below it literals without a further comment.
"""

import ast
import io
import sys
import tokenize

COMMENT = "# Parameters"
# What papermill adds with --inject-paths.
PATHS = ("PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH")
LITERALS = (ast.Constant, ast.List, ast.Dict, ast.UnaryOp, ast.unaryop, ast.expr_context)
LITERALS += (ast.Call, ast.Name)


def injected_parameters(namespace, rules):
    """What papermill set in this session, and which names are parameters.

    Only the latest cell of papermill's form behind the latest run of the parameters cell counts,
    so that a mended one takes the place of its forerunner.

    Args:
        namespace: The dictionary that is checked. Only one that is the session's own was set by
            cells; for another there is nothing to tell.
        rules: Names that the parameters cell must assign, to be known as that.

    Returns:
        (given, known): two lists of names; both empty without a session, as in a plain script, and
        without such cells.
    """
    IPython = sys.modules.get("IPython")
    shell = IPython.get_ipython() if IPython else None
    if shell is None or namespace is not getattr(shell, "user_ns", None):
        return [], []
    cells = getattr(getattr(shell, "history_manager", None), "input_hist_raw", [])
    given = []
    for source in reversed(cells):
        if not given and source.startswith(COMMENT):
            given = _papermills(source)
        known = _assigned(source)
        if rules and set(rules) <= set(known):
            return [name for name in given if name not in PATHS], known
    return [], []


def _papermills(source):
    """The names that a cell of papermill's form sets; none of another."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, tokenize.TokenError):
        return []
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    if comments != [COMMENT] or not all(map(_is_literal, statements)):
        return []
    return _assigned(source)


def _is_literal(statement):
    """Whether a statement is `name = literal`; papermill writes infinity as `float('inf')`."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return False
    nodes = list(ast.walk(statement.value))
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    return all(isinstance(node, LITERALS) for node in nodes) and all(
        name in called and name.id == "float" for name in names
    )


def _assigned(source):
    """The names that a cell assigns in plain statements; none where it is no plain Python."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return []
    targets = []
    for node in statements:
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    return [target.id for target in targets if isinstance(target, ast.Name)]
