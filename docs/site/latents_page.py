"""The page of a VAE that runs in the browser: its text, filled from the note of `live_vae.py`."""

import re

DRAWS = 24  # pictures shown at once


def fill(template, note):
    """Put the note's values in place of every `{{name}}`.

    Raises:
        KeyError: If the text asks for what the note does not hold.
    """
    values = {**note["settings"], **note, "steps": f"{note['steps']:,}", "last": note["latent"]}
    values["iou"], values["iou_half"] = note["head_iou"]
    values["draw_tiles"] = "".join(
        f'<button type="button" class="tile" aria-label="Draw {i + 1}: take it to the sliders">'
        f'<canvas width="{note["side"]}" height="{note["side"]}"></canvas></button>'
        for i in range(DRAWS)
    )
    values["picture_options"] = (
        "".join(f'<option value="{i}">{i + 1}</option>' for i in range(6))
        + '<option value="plain">plain grey</option>'
    )
    return re.sub(r"\{\{(\w+)\}\}", lambda m: str(values[m[1]]), template)
