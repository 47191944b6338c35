"""What the site does: latents that move, a search that finds, a scheme that stays, links to run."""

import json

import pytest

from conftest import HTML, READY, SHOWS, live
from helpers.runs.notebook_names import FORMER_NOTEBOOKS

pytestmark = pytest.mark.browser
RUN = """(pictures) => {
  const vae = window.latents.model(window.VAE);
  return window.VAE.pictures.slice(0, 2).map((picture) => {
    const x = Float32Array.from(window.network.bytes(picture), (v) => v / 255);
    const [mean, log_variance] = vae.encode(x), { pixels, features } = vae.decode(mean);
    return [mean, log_variance, pixels, vae.segment(features)].map((v) => Array.from(v));
  });
}"""


def test_the_page_answers_as_keras_does(opened):
    page = live(opened)
    expected = json.loads((HTML / "_static" / "latents" / "expected.json").read_text("utf-8"))
    names = ("mean", "log_variance", "decoded", "logits")
    for i, answers in enumerate(page.evaluate(RUN)):
        for name, found in zip(names, answers, strict=True):
            wanted = expected[name][i]
            assert len(found) == len(wanted)
            assert max(abs(a - b) for a, b in zip(found, wanted)) < 1e-3, (i, name)
    assert opened.problems == []


def test_a_slider_moves_the_picture_and_the_button_brings_it_back(opened):
    page = live(opened)
    first = page.evaluate(SHOWS, "again")
    slider = page.locator("#live [name=z1]")
    slider.focus()
    page.keyboard.press("End")
    assert page.locator(".coordinates output").first.inner_text() == "+4.00"
    moved = page.evaluate(SHOWS, "again")
    page.locator("#live [name=reset]").press("Enter")
    assert moved != first == page.evaluate(SHOWS, "again")
    assert opened.problems == []


def test_the_plane_moves_two_latents_by_keyboard_and_pointer(opened):
    page = live(opened)
    plane = page.locator("#live canvas[data-shows=plane]")
    plane.focus()
    before = plane.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    moved = plane.get_attribute("aria-valuetext")
    box = plane.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    pressed = plane.get_attribute("aria-valuetext"), page.evaluate(SHOWS, "again")
    page.mouse.move(box["x"] + box["width"] / 5, box["y"] + box["height"] / 4, steps=3)
    dragged = plane.get_attribute("aria-valuetext"), page.evaluate(SHOWS, "again")
    page.mouse.up()
    assert len({before, moved, pressed[0], dragged[0]}) == 4
    assert pressed[1] != dragged[1]
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert plane.get_attribute("aria-valuetext") == dragged[0]  # the button is up
    assert opened.problems == []


def test_draws_change_and_go_to_the_sliders(opened):
    page = live(opened)
    tile = "document.querySelector('#draws canvas').toDataURL()"
    looks = {page.evaluate(tile)}
    page.locator("#draws [name=again]").press("Enter")
    looks.add(page.evaluate(tile))
    page.locator("#draws [name=source]").select_option("2")
    looks.add(page.evaluate(tile))
    assert len(looks) == 3
    before = page.evaluate(SHOWS, "again")
    page.locator("#draws .tile").nth(3).press("Enter")
    assert page.evaluate(SHOWS, "again") != before
    assert "draw 4" in page.locator("#live .says").inner_text()
    assert opened.problems == []


def test_the_page_needs_no_server_and_asks_nothing_of_another(chromium):
    page = chromium.new_page()
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((HTML / "latents.html").as_uri())
    page.wait_for_function(READY)
    assert errors == [] and all(url.startswith(("file:", "data:", "blob:")) for url in asked)
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
    for host in (
        "https://colab.research.google.com/github/",
        "https://kaggle.com/kernels/welcome",
        "https://mybinder.org/v2/gh/",
    ):
        of_host = {link for link in links if link.startswith(host)}
        # The theme's button and the notebook's own line agree.
        assert len(of_host) == 1 and of_host.pop().endswith("notebooks/07_train_it_well.ipynb")
