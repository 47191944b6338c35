"""Names of parameters: unknown ones are refused, former ones with the new name, and old runs read.

Records and executed notebooks keep the names that they were made with. A name counts as a former
one only where the notebook has the new name and has no parameter of the old one.
"""

from helpers.runs.rules import nearest

FORMER_NAMES = {
    "batch": "batch_size",
    "held": "val_images",
    "kept": "cache_dir",
    "pretraining": "pretraining_steps",
    "rate": "learning_rate",
    "twin_steps": "head_steps",
}


def present_name(name, known):
    """What a parameter is called now, or None if `name` is no former name among the `known`."""
    now = FORMER_NAMES.get(name)
    return now if now in known and name not in known else None


def with_present_names(values, known):
    """The parameters of an older run under the names that its notebook has today.

    Args:
        values: Dictionary from name to value.
        known: Names of the notebook's parameters today.
    """
    return {present_name(name, known) or name: value for name, value in values.items()}


def unknown(name, known):
    """The sentence that refuses a name which is none of the `known` parameters."""
    now = present_name(name, known)
    if now:
        return f"Parameter {name!r} is called {now!r} now."
    near = nearest(name, list(known))
    guess = f" Did you mean {near!r}?" if near else ""
    return f"Unknown parameter {name!r}.{guess}"
