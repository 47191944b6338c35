"""Code that uses what no task needs: not forbidden, but a person should look."""

import ast
import re

from helpers.grading.answer_cells import tree

UNUSUAL = re.compile(
    r"\b(?:_getframe|currentframe|inspect|f_back|f_locals|__(?:code|globals|defaults|kwdefaults)__|settrace|setprofile|gc|ctypes|_ih"
    r"|get_ipython|sys\.modules|importlib|__import__|builtins|helpers\.(?:checks|grading)"
    r"|_exit|subprocess|socket|urllib|multiprocessing|read_text|rmtree)\b"
    r"|\b(?:open|exec|eval|exit|quit)(?=\()|\bIn(?=\[)"
    r"|\b(?:np|numpy|keras|ops|checks|helpers)(?:\.\w+)+(?= *=[^=])"
)
COMMANDS = re.compile(r"(?m:^[ \t]*(?:%%?(?:bash|sh|sx|system)\b|!)|(?<==)[ \t]*!)")


def unusual(codes, release):
    """Return the unusual words of a student's code which the student version does not have.

    Words in comments and in texts are no code, nor is a cell that Python cannot read.
    """
    given = "\n".join(cell.source for cell in release.cells)
    found = set()
    for code in codes:
        read = tree(code)
        if read is None:
            continue
        try:
            plain = ast.unparse(_NoProse().visit(read))
        except RecursionError:  # a sum of a thousand terms, for example
            plain = code
        words = {match[0] for match in UNUSUAL.finditer(plain)}
        if "get_ipython" not in code and "get_ipython" in words:
            # IPython's own commands, which it turns into calls of this.
            words -= {"get_ipython"}
            words |= {match[0].strip() for match in COMMANDS.finditer(code)}
        found |= words
    return sorted(word for word in found if word not in given)


class _NoProse(ast.NodeTransformer):
    """Empties texts of several words; a text of one word may name what `getattr` gets."""

    def visit_Constant(self, node):
        if isinstance(node.value, str) and len(node.value.split()) > 1:
            return ast.Constant("")
        return node
