"""Pages under the former names of notebooks: each sends its reader to the page of today.

Standard library and the table of names only, so that the pages are tested everywhere.
"""

import html
from pathlib import Path

from helpers.runs.notebook_names import FORMER_NOTEBOOKS

# The script keeps the place on the page that a link named; where it does not run, the page alone.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{name}</title>
<meta name="robots" content="noindex">
<link rel="canonical" href="{page}">
<script>location.replace("{page}" + location.search + location.hash);</script>
<noscript><meta http-equiv="refresh" content="0; url={page}"></noscript>
</head>
<body>
<p>This notebook has another number now: <a href="{page}">{name}</a>.</p>
</body>
</html>
"""


def write(site):
    """Write the pages of former names into a built site, and return their paths.

    Raises:
        FileExistsError: If a page of that name is there, since its notebook is none of the past.
    """
    written = []
    for old, now in FORMER_NOTEBOOKS.items():
        path = Path(site) / "notebooks" / f"{old}.html"
        text = PAGE.format(page=html.escape(f"{now}.html"), name=html.escape(now.replace("_", " ")))
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        written.append(path)
    return written
