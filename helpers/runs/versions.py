"""One short name for a state of some code, so that results of another state are not taken for it."""

import ast
import hashlib


def code_version(paths):
    """A hash of Python files, without their comments and docstrings: ten hexadecimal digits."""
    digest = hashlib.sha256()
    for path in paths:
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            first = body[0] if isinstance(body, list) and body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                del body[0]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:10]
