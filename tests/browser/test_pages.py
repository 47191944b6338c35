"""Every page of the site as people meet it: light and dark, narrow and wide, by eye and by key."""

import pytest

pytestmark = pytest.mark.browser
VIEWS = (("light", 1400), ("dark", 1400), ("dark", 390), ("light", 390))

# Blocks of the article that follow each other and lie on each other.
OVERLAPS = """() => {
  const found = [];
  for (const section of document.querySelectorAll("article section")) {
    const blocks = [...section.children].filter((b) => b.offsetHeight > 0);
    blocks.slice(1).forEach((block, i) => {
      const over = blocks[i].getBoundingClientRect().bottom - block.getBoundingClientRect().top;
      if (over > 2) found.push(block.outerHTML.slice(0, 80) + ` by ${over.toFixed(0)} px`);
    });
  }
  return found;
}"""

# What ends right of the window, and no box around it scrolls.
STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth, found = [];
  for (const element of document.querySelectorAll("article *, footer *")) {
    const box = element.getBoundingClientRect();
    if (!box.width || box.right <= width + 1 || element.closest(".visually-hidden, mjx-assistive-mml")) continue;
    let around = element, scrolls = false;
    while ((around = around.parentElement) && !scrolls)
      scrolls = ["auto", "scroll", "hidden"].includes(getComputedStyle(around).overflowX);
    if (!scrolls) found.push(element.outerHTML.slice(0, 80));
  }
  return found;
}"""

AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.flatMap(
  (v) => v.nodes.map((n) => [v.impact, v.id, n.target.join(" "), n.failureSummary]))"""

FORMULAS = """() => ({
  raw: [...document.querySelectorAll(".math")].filter((m) => !m.querySelector("mjx-container")).length,
  wrong: [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map((m) => m.textContent),
})"""

PICTURES = """async () => {
  const found = [];
  for (const image of document.images) {
    image.loading = "eager";
    try { await image.decode(); } catch { found.push("not drawn: " + image.src); }
    if (image.closest("article") && !image.alt) found.push("no text: " + image.src);
    const {width, height} = image.getBoundingClientRect();
    if (width > 8 && Math.abs(width / height / (image.naturalWidth / image.naturalHeight) - 1) > 0.03)
      found.push(`stretched: ${image.src} ${width}×${height}`);
  }
  return found;
}"""

# Colours fade from one scheme to the other.
SETTLED = """(scheme) => document.documentElement.dataset.theme === scheme
  && document.getAnimations().every((a) => a.playState !== "running")"""

# What can be reached, marked so that it is known again; what is not shown is not waited for.
REACHABLE = """() => {
  const what = "a[href], button, input, select, summary, textarea, [tabindex='0']";
  const shown = [...document.querySelectorAll(what)].filter((e) => !e.disabled && e.tabIndex >= 0
    && e.checkVisibility({visibilityProperty: true}) && !e.closest("dialog:not([open])"));
  shown.forEach((e, i) => { e.dataset.seen = i; });
  window.focused = [];
  addEventListener("focusin", (event) => window.focused.push(event.target.dataset.seen ?? ""));
  return shown.map((e) => e.outerHTML.slice(0, 90));
}"""


def test_page(page_name, opened, axe):
    page = opened.open(page_name)
    page.evaluate(axe)
    for scheme, width in VIEWS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        where = f"{scheme} {width}"
        page.wait_for_function(SETTLED, arg=scheme)
        root = "document.documentElement"
        over = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        assert over <= 0, f"{where}: the page scrolls sideways by {over} px"
        assert page.evaluate(STICKS_OUT) == [], where
        assert page.evaluate(OVERLAPS) == [], where
        faults = page.evaluate(AXE)  # also those that axe calls minor or moderate
        assert not faults, f"{where}: " + "\n".join(map(str, faults[:12]))
    assert page.evaluate(PICTURES) == []
    assert page.evaluate(FORMULAS) == {"raw": 0, "wrong": []}
    assert opened.problems == []


def test_every_control_is_reached_by_keyboard(page_name, opened, width):
    opened.page.set_viewport_size({"width": width, "height": 900})
    page = opened.open(page_name)
    wanted = page.evaluate(REACHABLE)
    assert len(wanted) >= 5
    for _ in range(len(wanted) + 10):
        page.keyboard.press("Tab")
    seen = set(page.evaluate("window.focused"))
    missed = [text for i, text in enumerate(wanted) if str(i) not in seen]
    assert not missed, "\n".join(missed[:10])
