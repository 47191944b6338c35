"""What the site does: latents that move, a search that finds, a scheme that stays, links to run."""

import pytest

from conftest import HTML
from helpers.runs.notebook_names import FORMER_NOTEBOOKS

pytestmark = pytest.mark.browser
INK = """(canvas) => {
  const c = document.createElement("canvas");
  [c.width, c.height] = [canvas.width, canvas.height];
  c.getContext("2d").drawImage(canvas, 0, 0);
  return c.toDataURL();
}"""


def test_a_walk_moves_the_picture(opened):
    page = opened.open("latents.html")
    moved, slider = page.locator("#walk canvas").nth(2), page.locator("#walk [name=place]")
    output, says = page.locator("#walk output"), page.locator("#walk .says")
    page.wait_for_function("document.querySelector('#walk .says').textContent.includes('nats')")
    looks = set()
    slider.focus()
    page.keyboard.press("Home")
    for _ in range(17):
        assert output.inner_text() == slider.get_attribute("aria-valuetext").split()[0]
        looks.add(moved.evaluate(INK))
        page.keyboard.press("ArrowRight")
    # Coordinate 1 carries the most nats: each of its places is another picture.
    assert len(looks) == 17
    assert output.inner_text() == "+4.0"
    before = says.inner_text(), moved.evaluate(INK)
    page.locator("#walk [name=picture]").select_option("2")
    assert (says.inner_text(), moved.evaluate(INK)) != before
    page.locator("#walk [name=coordinate]").select_option("3")
    assert "coordinate 4" in says.inner_text()
    assert opened.problems == []


def test_the_slider_starts_at_the_reconstruction(opened):
    page = opened.open("latents.html")
    page.wait_for_function("document.querySelector('#walk .says').textContent.includes('nats')")
    distance = """() => {
      const [, again, moved] = [...document.querySelectorAll("#walk canvas")].map(
        (c) => c.getContext("2d").getImageData(0, 0, c.width, c.height).data);
      return again.reduce((sum, v, i) => sum + Math.abs(v - moved[i]), 0) / again.length;
    }"""
    for picture in range(6):
        page.locator("#walk [name=picture]").select_option(str(picture))
        assert page.evaluate(distance) < 12  # of 255: half a step of the walk, and the packing


def test_draws_change(opened):
    page = opened.open("latents.html")
    canvas, button = page.locator("#draws canvas"), page.locator("#draws button")
    page.wait_for_function("document.querySelector('#draws canvas').ariaLabel.includes('of 1')")
    first = canvas.evaluate(INK)
    button.focus()
    page.keyboard.press("Enter")
    second = canvas.evaluate(INK)
    page.locator("#draws [name=spread]").select_option("2")
    assert len({first, second, canvas.evaluate(INK)}) == 3
    assert opened.problems == []


def test_the_latents_work_from_a_folder(chromium):
    page = chromium.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((HTML / "latents.html").as_uri())
    page.wait_for_function("document.querySelector('#walk .says').textContent.includes('nats')")
    assert errors == []
    page.close()


def test_search_finds(opened):
    page = opened.open("search.html?q=collapse")
    page.wait_for_selector("#search-results li a")
    found = page.locator("#search-results li a").evaluate_all("links => links.map(a => a.href)")
    assert any("notebooks/07" in link for link in found), found
    assert opened.problems == []


def test_the_chosen_scheme_stays(opened):
    page = opened.open("index.html")
    theme = "document.documentElement.dataset.theme"
    page.locator("button.theme-switch-button:visible").first.press("Enter")
    page.locator("button.theme-change-button[data-mode=dark]:visible").press("Enter")
    assert page.evaluate(theme) == "dark"
    assert opened.open("glossary.html").evaluate(theme) == "dark"


def test_one_page_leads_to_the_next(opened):
    page = opened.open("notebooks/00_start_here.html")
    page.locator("a.right-next").press("Enter")
    page.wait_for_url("**/notebooks/01_*.html")
    page.locator("a.left-prev").press("Enter")
    page.wait_for_url("**/notebooks/00_*.html")


@pytest.mark.parametrize("old", FORMER_NOTEBOOKS)
def test_an_address_from_before_leads_to_the_page_of_today(old, opened):
    page = opened.page
    page.goto(f"{opened.base}notebooks/{old}.html#references")
    page.wait_for_url(f"**/notebooks/{FORMER_NOTEBOOKS[old]}.html#references")
    assert page.locator("article h1").count() == 1
    page.go_back()  # the page that only leads on is none to come back to
    assert page.url == "about:blank"
    assert opened.problems == []


def test_notebooks_can_be_launched(opened):
    page = opened.open("notebooks/07_train_it_well.html")
    links = page.locator("a").evaluate_all("links => links.map(a => a.href)")
    for host in ("https://colab.research.google.com/github/", "https://mybinder.org/v2/gh/"):
        of_host = {link for link in links if link.startswith(host)}
        # The theme's button and the notebook's own line agree.
        assert len(of_host) == 1 and of_host.pop().endswith("notebooks/07_train_it_well.ipynb")
