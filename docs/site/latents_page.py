"""The page of interactive latents: its text, filled from the note that `latents.py` wrote."""

import json
import re

KEPT = ("side", "places", "kl", "codes", "spreads", "samples", "columns")  # what the script reads
WIDE, HIGH = 8, 3  # draws shown at once


def fill(template, note):
    """Put the note's values in place of every `{{name}}`.

    Raises:
        KeyError: If the text asks for what the note does not hold.
    """
    told = ("side", "latent", "kl_all", "samples", "batch_size")
    values = {**note["settings"], **{name: note[name] for name in told}}
    values |= {
        "kl_least": note["kl"][-1],
        "last_place": len(note["places"]) - 1,
        "many": WIDE * note["side"],
        "few": HIGH * note["side"],
        "picture_options": _options(f"{i + 1}" for i in range(len(note["codes"]))),
        "coordinate_options": _options(f"{i + 1} ({kl} nats)" for i, kl in enumerate(note["kl"])),
        "spread_options": _options(map(str, note["spreads"]), note["spreads"].index(1.0)),
        # "</" would end the script.
        "data": json.dumps({k: note[k] for k in KEPT}, separators=(",", ":")).replace("</", "<\\/"),
    }
    values["steps"] = f"{note['steps']:,}"
    return re.sub(r"\{\{(\w+)\}\}", lambda m: str(values[m[1]]), template)


def _options(says, chosen=0):
    return "".join(
        f'<option value="{i}"{" selected" if i == chosen else ""}>{text}</option>'
        for i, text in enumerate(says)
    )
