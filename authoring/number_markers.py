"""Numbers in prose that come from the record: `12.3<!--=key-->`.

The comment names a key of the record: `key[2]` is an item of a list, counted from 0, `key[-1]` its
last item, `key[2][0]` an item of an item, `key["name"]` an entry of a table, and `key*100` another
unit. The author types any number of the wanted form; the build writes the value in its place.

Nothing is passed over: a marker that cannot be read is an error, and so is a text that looks like
a marker and is none.
"""

import math
import re
import reprlib

from helpers.runs.notebooks import BadRequest
from helpers.runs.rules import nearest

SEPARATORS = ",\u2009\u202f\u00a0"
DASHES = "-\u2010-\u2015\u2212"
# Not the rest of a number of another form, such as 0,53 or 12 345 or 1E-4: half of it would stay.
NUMBER = (
    rf"(?<![\w.])(?<![0-9][{SEPARATORS} '\u2019\u00b7])(?<![0-9][eE][-+\u2212])[-+\u2212]?"
    rf"(?:[0-9]{{1,3}}(?:[{SEPARATORS}][0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?"
)
CITED = re.compile(rf"(?P<number>{NUMBER})?<!--=(?P<cites>.*?)-->", re.S)
STEP = r"\[ *(?:-?[0-9]{1,9}|\"[^\"\[\]]*\"|'[^'\[\]]*') *\]"
CITES = re.compile(
    rf" *(?P<key>[A-Za-z_]\w*)(?P<steps>(?:{STEP})*)"
    r" *(?:\* *(?P<factor>-?[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?))? *"
)
# A sign that is no part of the number: it would stay, whatever the sign of the value.
SIGN_APART = re.compile(
    rf"(?:(?:\A|[\s(\[|=~\u2248,:/\u00b1])[\u2010-\u2015]|[{DASHES}+][*$]+|&(?:\w+|#\w+);)\Z"
)
# Digits that go on behind a marker: the number before it is not all of the number.
GOES_ON = re.compile(rf"[.{SEPARATORS}]?[0-9]|[eE][-+\u2212]?[0-9]")
LINES = ("badges", "picture")  # comments that mark a line which the build writes
COMMENT = re.compile(r"<!--(?P<says>.*?)-->", re.S)
LESS = r"(?:<|&lt;|&#0*60;|&#x0*3c;)"
MISSPELT = re.compile(
    rf"{LESS}\s*!\s*[{DASHES}=]"  # <!-=key--> or <!--=key without its end
    rf"|{LESS}\s*[{DASHES}]+\s*=\s*\w"  # <--=key-->
    rf"|!\s*[{DASHES}]+\s*=\s*\w"  # !--=key-->
    rf"|[{DASHES}0-9!<]\s*=\s*[A-Za-z_][\w\[\]\"'*.-]*?[{DASHES}]{{2,}}\s*(?:>|&gt;)",  # 12.3=key-->
    re.I,
)


def fill_numbers(text, results, name="the prose"):
    """Refill every `12.3<!--=key-->` with the record's value, in the form that was typed.

    Decimals, thousands separators, the minus sign and a leading plus stay as typed.

    Args:
        text: Prose.
        results: Dictionary from name to what was recorded.
        name: What the text is called in an error, such as its file.

    Raises:
        BadRequest: If a marker has no number before it, names no number of the record or cannot
            be read; one line for each.
    """
    values, wrong = _read(text, results)
    if wrong:
        raise BadRequest("\n".join(f"{name}: {sentence}" for sentence in wrong))
    return CITED.sub(lambda m: _written(m, values[m.start()]), text)


def cited_numbers(text):
    """Return `(number as typed or None, what it cites)` for every marker in a text."""
    return [m.group("number", "cites") for m in CITED.finditer(text)]


def wrong_numbers(text, results):
    """Return one sentence for each number that is not the record's, and each unread marker."""
    values, wrong = _read(text, results)
    for match in CITED.finditer(text):
        value = values.get(match.start())
        if value is not None and _written(match, value) != match[0]:
            wrong.append(
                f"the prose says {match['number']} for {match['cites']!r}; the record has {value}"
            )
    return wrong


def unread(text):
    """Return one sentence for each marker that no record could fill, and each misspelt one."""
    wrong = [
        f"{_around(text, m)}: {problem}" for m in CITED.finditer(text) if (problem := _form(m))
    ]
    for match in COMMENT.finditer(text):
        if match["says"].startswith("="):
            continue
        if "<!--" in match["says"]:
            wrong.append(f"{_around(text, match)}: the comment before it has no end, '-->'")
        elif re.match(rf"[{DASHES}\s]*=", match["says"]):
            wrong.append(f"{_around(text, match)}: a marker is written 12.3<!--=key-->")
        elif _number_before(text, match):
            wrong.append(
                f"{_around(text, match)}: a comment behind a number is a marker, "
                "12.3<!--=key-->, or stands elsewhere"
            )
    # A blank for each character: places stay the same.
    rest = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in MISSPELT.finditer(rest):
        wrong.append(f"{_around(rest, match)}: a marker is written 12.3<!--=key-->")
    return wrong


def misplaced(notebook):
    """Return one sentence for each marker of a notebook that does not stand in its prose."""
    cells = [cell for cell in notebook.cells if cell.cell_type != "markdown"]
    found = [match[0] for cell in cells for match in CITED.finditer(cell.source)]
    return [f"{marker} stands in code; numbers are filled in prose only" for marker in found]


def refuse_unread(notebook, name):
    """Refuse what `unread` and `misplaced` find in a notebook.

    Raises:
        BadRequest: One line for each, with the notebook's name.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    wrong = [sentence for cell in cells for sentence in unread(cell.source)] + misplaced(notebook)
    if wrong:
        raise BadRequest("\n".join(f"{name}: {sentence}" for sentence in wrong))


def format_like(typed, value):
    """Write a value in the form of a typed number."""
    body = typed.lstrip("+-\u2212")
    separator = next((s for s in SEPARATORS if s in body), "")
    mantissa, _, exponent = body.partition("e")
    decimals = len(mantissa.partition(".")[2])
    if exponent:
        digits = f"{abs(value):.{decimals}e}"
    else:
        digits = f"{abs(value):,.{decimals}f}".replace(",", separator)
    is_zero = not any(c in "123456789" for c in digits.partition("e")[0])
    sign = ""
    if value < 0 and not is_zero:
        sign = typed[0] if typed[0] in "-\u2212" else "\u2212"
    elif typed[0] == "+":
        sign = "+"
    return sign + digits


def cited_value(results, cites):
    """Look up what a marker cites.

    Args:
        results: Dictionary from name to what was recorded.
        cites: What stands in the marker, such as `key[2][0]*100`.

    Raises:
        BadRequest: If that cannot be read, or is not a finite number of the record.
    """
    parts = CITES.fullmatch(cites)
    if parts is None:
        raise BadRequest(
            f"{cites!r} cannot be read. A marker holds a key of the record, then items such as "
            '[0], [-1] or ["name"], then a factor such as *100.'
        )
    if parts["key"] not in results:
        near = nearest(parts["key"], list(results))
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"cites {parts['key']!r}, which is not on record.{hint}")
    value = results[parts["key"]]
    for step in re.findall(STEP, parts["steps"]):
        value = _item(value, step.strip("[] "))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        hint = ": there is no such item." if value is None else ""
        raise BadRequest(f"cites {cites!r} as a number. Received: {reprlib.repr(value)}{hint}")
    value = value * float(parts["factor"]) if parts["factor"] else value
    if not math.isfinite(value):
        raise BadRequest(f"cites {cites!r} as a finite number. Received: {value}")
    return value


def _item(value, step):
    """The item or entry of a value, or None where it has none."""
    if step[0] in "\"'":
        return value.get(step[1:-1]) if isinstance(value, dict) else None
    place = int(step)
    inside = isinstance(value, list) and -len(value) <= place < len(value)
    return value[place] if inside else None


def _read(text, results):
    """The value of each marker by its place in the text, and what is wrong with the others."""
    values, wrong = {}, unread(text)
    for match in COMMENT.finditer(text):
        cites = CITES.fullmatch(match["says"].strip(f"{DASHES} :={{}}\uff1d"))
        named = cites and cites["key"] in results and match["says"] not in LINES
        if named and not match["says"].startswith("=") and not _number_before(text, match):
            wrong.append(f"{_around(text, match)}: a marker is written 12.3<!--=key-->")
    for match in CITED.finditer(text):
        if _form(match):
            continue
        try:
            values[match.start()] = cited_value(results, match["cites"])
        except BadRequest as error:
            wrong.append(f"{_around(text, match)} {error}")
    return values, wrong


def _number_before(text, comment):
    return re.search(r"[0-9][ %*]*\Z", text[max(0, comment.start() - 20) : comment.start()])


def _form(match):
    """What is wrong with how a marker is written, or None."""
    if match["number"] is None:
        return f"Write a number directly before {match[0]} (1234.5, 1,234.5, \u22121.0, +1.0 or 1.2e-3)"
    if SIGN_APART.search(match.string[max(0, match.start() - 20) : match.start()]):
        return f"Write the sign of the number before {match[0]} directly before it, as - or \u2212"
    if GOES_ON.match(match.string, match.end()):
        return f"The number before {match[0]} goes on behind it"
    return None


def _around(text, match):
    """A marker and a little of what stands around it, on one line."""
    return "\u2026" + " ".join(text[max(0, match.start() - 20) : match.end() + 10].split())[-80:]


def _written(match, value):
    return format_like(match["number"], value) + match[0][len(match["number"]) :]
