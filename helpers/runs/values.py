"""What a written value means, the same for `-p`, `-f`, profiles, sweeps and plain papermill.

A number is written as Python writes it: `12`, `-3`, `1_000`, `0x10`, `.5`, `1e-3`, `1E5`. Where an
integer is asked for, `1e3` is 1000. What some reader takes for something else is no number and no
bool but stays the text that it is, and a rule that asks for more refuses it: `010`, `1:30`, `yes`,
`2024-01-01`, `.inf`, `1e400`, `1e-400`.
"""

import math
import os
from decimal import Decimal

from helpers.runs.rules import check_value
from helpers.runs.yaml_reader import Plain, read_whole

NOTHING = ("", "~", "null", "Null", "NULL", "None", "none")
BOOLS = dict.fromkeys(("true", "True", "TRUE"), True)
BOOLS |= dict.fromkeys(("false", "False", "FALSE"), False)
ALSO_BOOLS = ("yes", "no", "on", "off", "y", "n", "1", "0")
BRACKETS = {"[": "]", "{": "}", "(": ")", "'": "'", '"': '"'}


def typed(text, rule=None):
    """What a text of the command line holds: a list and a text in quotes are read as YAML has it.

    Where a rule allows texts only, `[a]` is one.
    """
    inner = text.strip()
    rule = rule.get("or_none", rule) if isinstance(rule, dict) else rule
    if inner[:1] in ("[", "{", "(") and (rule is str or isinstance(rule, str)):
        return Plain(text)
    if len(inner) > 1 and BRACKETS.get(inner[0]) == inner[-1]:
        try:
            return read_whole(f"[{inner[1:-1]}]" if inner[0] == "(" else inner)
        except ValueError:
            pass
    return Plain(text) if inner else text


def meant(value, rule=None):
    """The value that a rule of `helpers.runs.rules` is asked about.

    Texts become numbers, bools and None where the rule asks for these, and so do the texts in
    lists. What has no such meaning is returned as it is, for the rule to refuse. Without a rule,
    only what stood without quotes can be more than a text.
    """
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()  # NumPy's numbers, which no JSON can hold
    if isinstance(rule, dict) and "or_none" in rule:
        return None if value is None or _is_nothing(value) else meant(value, rule["or_none"])
    if isinstance(rule, dict) and isinstance(value, str):
        held = typed(value)
        return _word(held) if isinstance(held, str) else meant(held, rule)
    if isinstance(value, (list, tuple)):
        item = rule.get("list_of") if isinstance(rule, dict) else None
        return type(value)(meant(v, item) for v in value)
    if isinstance(value, dict):
        return {key: meant(v) for key, v in value.items()}
    if isinstance(rule, str) and (value is None or _is_nothing(value)):
        return ""  # no path
    if not isinstance(value, str):
        return value
    if isinstance(rule, str):
        return str(value)
    if rule is str:
        return None if _is_nothing(value) else str(value)
    if rule is None and not isinstance(value, Plain):
        return value
    if isinstance(rule, list) and any(isinstance(c, str) and c == value for c in rule):
        return str(value)
    integer = isinstance(rule, range) or (
        isinstance(rule, list) and any(type(choice) is int for choice in rule)
    )
    return _word(value, integer)


def settle(name, value, rule):
    """Check what a value means.

    Returns:
        (value, problem): the value to go on with, paths absolute, and None; or what was received
        and what is wrong with it, as `check_value` says it.
    """
    value = meant(value, rule)
    problem = check_value(name, value, rule)
    return (value, problem + hint(value, rule)) if problem else (_placed(value, rule), None)


def number(text, integer=False):
    """The number that a text writes, or None; `integer` reads `1e3` as an integer."""
    text = text.strip()
    if not text.isascii():
        return None
    try:
        return int(text, 0)
    except ValueError:
        pass
    if "." not in text and "e" not in text.lower():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    if not math.isfinite(value) or (value == 0 and Decimal(text) != 0):
        return None  # too large or too small for a float
    return int(Decimal(text)) if integer and "." not in text and value.is_integer() else value


def hint(value, rule):
    """One sentence that helps with a value which a rule refused, or an empty text."""
    while isinstance(rule, dict):
        if "list_of" in rule and not (isinstance(value, (list, tuple)) and value):
            return " Write a list of one item or more in brackets, such as [a, b]."
        rule = rule.get("or_none", rule.get("list_of"))
    wants_number = isinstance(rule, (range, tuple))
    if isinstance(value, float) and isinstance(rule, range) and value.is_integer():
        return f" Write {int(value)}, without a point."
    if rule is bool and str(value).lower() in ALSO_BOOLS:
        return " Write true or false."
    if isinstance(value, (bool, int, float)) and rule is str:
        return f" Write it in quotes: '{value}'."
    if not wants_number or not isinstance(value, str):
        return ""
    if not value.isascii() and value[1:].isascii() and value[0] in "\u2212\u2013":
        return " The minus sign is -, as the keyboard has it."
    digits = value.strip().lstrip("+-")
    if digits.isdecimal() and digits.startswith("0"):
        return " A number has no zeros in front, because YAML reads them as base eight."
    if digits.replace(":", "").replace(".", "").isdecimal() and ":" in digits:
        return " A number has no colon, because YAML reads it as base sixty."
    if digits.replace(",", "").isdecimal() and digits.count(",") == 1:
        return " A number has no comma. The decimal sign is a point."
    return ""


def _is_nothing(value):
    return isinstance(value, Plain) and value.strip() in NOTHING


def _word(text, integer=False):
    if _is_nothing(text):
        return None
    if text.strip() in BOOLS:
        return BOOLS[text.strip()]
    found = number(text, integer)
    return str(text) if found is None else found


def _placed(value, rule):
    """Allowed values with paths made absolute; relative ones start in the working folder."""
    if isinstance(rule, dict):
        rule = rule.get("or_none", rule.get("list_of"))
    if isinstance(value, (list, tuple)):
        return type(value)(_placed(v, rule) for v in value)
    is_path = isinstance(rule, str) and value
    return os.path.abspath(os.path.expanduser(value)) if is_path else value
