"""What must stay short: the front page on a screen, and the cheat sheet on paper."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
SCREEN = {"width": 1400, "height": 1000}
COLUMNS = (900, 1000)  # where a code host shows a README on a screen of this width
# Sizes and distances as such hosts have them; the letters are those of this machine.
LOOK = """
body { margin: 0; font: 16px/1.5 "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
article { box-sizing: border-box; margin: 0 auto; padding: 32px; }
h1, h2 { margin: 24px 0 16px; padding-bottom: .3em; border-bottom: 1px solid; line-height: 1.25; }
h1 { margin-top: 0; font-size: 2em; } h2 { font-size: 1.5em; }
p, ul, table, pre, details { margin: 0 0 16px; } ul { padding-left: 2em; }
li + li { margin-top: .25em; } img { max-width: 100%; }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%; }
th, td { padding: 6px 13px; border: 1px solid; }
code { font-family: monospace; font-size: 85%; padding: .2em .4em; }
pre { padding: 16px; font-size: 85%; line-height: 1.45; overflow: auto; }
pre code { padding: 0; font-size: 100%; }
"""
HEIGHT = "document.querySelector('article').getBoundingClientRect().height"


@pytest.mark.parametrize("column", COLUMNS)
def test_the_readme_fills_two_screens_at_most(chromium, tmp_path, column):
    markdown = MarkdownIt("commonmark").enable("table")
    article = markdown.render((ROOT / "README.md").read_text(encoding="utf-8"))
    style = f"{LOOK} article {{ width: {column}px; }}"
    file = tmp_path / "readme.html"
    base = f'<base href="{ROOT.as_uri()}/">'
    file.write_text(f"<meta charset=utf-8>{base}<style>{style}</style><article>{article}</article>")
    page = chromium.new_page(viewport=SCREEN)
    page.goto(file.as_uri(), wait_until="load")
    height = page.evaluate(HEIGHT)
    page.close()
    assert 1200 < height <= 2 * SCREEN["height"], f"{height:.0f} px"


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_cheat_sheet_is_printed_on_two_pages(opened, paper):
    page = opened.open("docs/cheat_sheet.html")
    printed = page.pdf(format=paper)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
    page.emulate_media(media="print")
    size = "parseFloat(getComputedStyle(document.querySelector('article td')).fontSize)"
    assert page.evaluate(size) >= 10  # CSS pixels, 7.5 points: small, and legible
    assert opened.problems == []
