"""Numbers in prose that come from the record: `12.3<!--=key-->`.

The comment names a key of the record, `key[2]` an item of a list, `key*100` another unit. The
author types any number of the wanted form; the build writes the value in its place.
"""

import re

from helpers.runs.request import BadRequest

SEPARATORS = ",\u2009\u202f\u00a0"
CITED = re.compile(
    rf"(?P<number>(?<![\w.])[-+\u2212]?(?:\d{{1,3}}(?:[{SEPARATORS}]\d{{3}})+|\d+)(?:\.\d+)?(?:e[-+]?\d+)?)?"
    r"<!--=(?P<key>[A-Za-z_]\w*)(?:\[(?P<item>\d+)\])?(?:\*(?P<factor>[\d.]+))?-->"
)


def fill_numbers(text, results):
    """Refill every `12.3<!--=key-->` with the record's value, in the form that was typed.

    Decimals, thousands separators, the minus sign and a leading plus stay as typed.

    Raises:
        BadRequest: If a marker has no number before it, or names no number of the record.
    """
    return CITED.sub(lambda m: _refill(m, results), text)


def cited_numbers(text):
    """Return `(number as typed, key, item, factor)` for every marker in a text."""
    return [m.group("number", "key", "item", "factor") for m in CITED.finditer(text)]


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


def cited_value(results, key, item, factor):
    """Look up what a marker cites."""
    if key not in results:
        raise BadRequest(f"The prose cites {key!r}; the record has {', '.join(results)}.")
    value = results[key]
    if item is not None:
        value = value[int(item)] if isinstance(value, list) and int(item) < len(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRequest(f"The prose cites {key!r} as a number. Received: {value!r}")
    return value * float(factor) if factor else value


def _refill(match, results):
    if match["number"] is None:
        raise BadRequest(f"Write a number directly before {match[0]}")
    value = cited_value(results, match["key"], match["item"], match["factor"])
    return format_like(match["number"], value) + match[0][len(match["number"]) :]
