"""The page that runs a VAE takes a picture by every way: drawn, touched, dropped, by keyboard."""

import pytest

from conftest import HTML, SHOWS, live

pytestmark = pytest.mark.browser
PICTURE = "#live canvas[data-shows=picture]"
SAYS = "document.querySelector('#live .says').textContent"

# The red value of a pixel of the picture, read from a copy: Chromium warns of a canvas that is
# often read.
RED = f"""([x, y]) => {{
  const copy = Object.assign(document.createElement("canvas"), {{width: 1, height: 1}});
  const context = copy.getContext("2d");
  context.drawImage(document.querySelector("{PICTURE}"), -x, -y);
  return context.getImageData(0, 0, 1, 1).data[0];
}}"""

# A file made in the page: a red picture, or text. It is dropped on what is named.
DROP = """async ([where, kind]) => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 60, height: 40});
  const context = canvas.getContext("2d");
  context.fillStyle = "#f00";
  context.fillRect(0, 0, 60, 40);
  const files = {
    picture: [[await new Promise((done) => canvas.toBlob(done))], "red.png", {type: "image/png"}],
    text: [["no picture"], "notes.txt", {type: "text/plain"}],
    broken: [["no picture"], "broken.png", {type: "image/png"}],
  };
  const dataTransfer = new DataTransfer(), target = document.querySelector(where);
  if (files[kind]) dataTransfer.items.add(new File(...files[kind]));
  else dataTransfer.setData("text/plain", "words");
  const fire = (name) => target.dispatchEvent(
    new DragEvent(name, {bubbles: true, cancelable: true, dataTransfer}));
  const taken = !fire("dragover"), outlined = document.querySelector("#live.dropping") !== null;
  fire("drop");
  return [taken, outlined, document.querySelector("#live.dropping") !== null];
}"""

# Many moves at once, and how often the picture was decoded, at once and in the frames that follow.
MOVES = """async () => {
  const canvas = (name) => document.querySelector(`#live canvas[data-shows=${name}]`);
  const box = canvas("picture").getBoundingClientRect();
  const drawn = CanvasRenderingContext2D.prototype.putImageData;
  let count = 0;
  CanvasRenderingContext2D.prototype.putImageData = function (...all) {
    if (this.canvas === canvas("again")) count++;
    drawn.apply(this, all);
  };
  for (let i = 0; i < 40; i++) canvas("picture").dispatchEvent(new PointerEvent("pointermove", {
    bubbles: true, isPrimary: true, buttons: 1,
    clientX: box.left + box.width * i / 40, clientY: box.top + box.height / 2}));
  const counts = [count];
  for (let i = 0; i < 2; i++) {
    await new Promise(requestAnimationFrame);
    counts.push(count);
  }
  CanvasRenderingContext2D.prototype.putImageData = drawn;
  return counts;
}"""


def plain(opened, colour="#ff0000"):
    """The page with a plain grey picture, and where its points are in the window."""
    page = live(opened)
    page.locator("#live [name=picture]").select_option("plain")
    page.locator("#live [name=colour]").fill(colour)
    picture = page.locator(PICTURE)
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    return page, lambda x, y: (box["x"] + box["width"] * x / 32, box["y"] + box["height"] * y / 32)


def test_a_line_is_drawn_by_hand(opened):
    page, at = plain(opened)
    looks = [page.evaluate(SHOWS, "again")]
    page.mouse.move(*at(4, 16))
    page.mouse.move(*at(8, 16))
    assert page.evaluate(RED, [8, 16]) == 128  # no button is down
    page.mouse.down()
    page.mouse.move(*at(16, 16))
    page.wait_for_function(f"({RED})([12, 16]) === 255")  # between two places of the mouse
    looks.append(page.evaluate(SHOWS, "again"))
    page.mouse.move(*at(16, 26))
    page.wait_for_function(f"({RED})([16, 22]) === 255")
    looks.append(page.evaluate(SHOWS, "again"))
    page.mouse.up()
    page.mouse.move(*at(28, 26))
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert [page.evaluate(RED, [x, y]) for x, y in ((22, 26), (8, 22), (2, 16))] == [128] * 3
    assert len(set(looks)) == 3
    page.locator("#live [name=undo]").click()
    assert page.evaluate(RED, [12, 16]) == 128
    assert page.evaluate(SHOWS, "again") == looks[0]
    assert opened.problems == []


def test_a_line_goes_on_behind_the_edge_and_comes_back(opened):
    page, at = plain(opened)
    page.mouse.move(*at(16, 8))
    page.mouse.down()
    page.mouse.move(*at(40, 8))
    page.mouse.move(*at(40, 24))
    page.mouse.move(*at(16, 24))
    page.mouse.up()
    assert [page.evaluate(RED, [28, y]) for y in (8, 16, 24)] == [255, 128, 255]
    assert opened.problems == []


def test_the_networks_run_at_most_once_a_frame(opened):
    page, at = plain(opened)
    page.mouse.move(*at(2, 16))
    page.mouse.down()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    at_once, first, second = page.evaluate(MOVES)
    page.mouse.up()
    assert at_once == 0 and first <= 1 and second == 1
    assert page.evaluate(RED, [30, 16]) == 255
    assert opened.problems == []


@pytest.mark.parametrize("tool", ["brush", "disc", "square", "triangle"])
def test_brush_and_shapes_are_put_in_by_keyboard_and_by_pointer(tool, opened):
    page, at = plain(opened)
    page.locator("#live [name=tool]").select_option(tool)
    page.locator(PICTURE).focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    far = (13, 20)  # inside every shape, outside of the brush
    assert page.evaluate(RED, [13, 16]) == 255
    assert (page.evaluate(RED, far) == 255) == (tool != "brush")
    page.mouse.click(*at(26, 6))
    assert page.evaluate(RED, [26, 6]) == 255
    assert "nats" in page.locator("#live .says").inner_text()
    assert opened.problems == []


def test_a_line_is_drawn_by_keyboard(opened):
    page, _ = plain(opened)
    page.locator(PICTURE).focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(RED, [15, 16]) == 128
    for _ in range(8):
        page.keyboard.press("Shift+ArrowLeft")
    assert [page.evaluate(RED, [x, 16]) for x in (3, 8, 14, 20)] == [128, 255, 255, 128]
    assert "column 7, row 16" in page.locator("#live .says").inner_text()
    assert opened.problems == []


def test_a_finger_taps_draws_and_drags(phone):
    page, at = plain(phone)
    top = page.evaluate("scrollY")
    finger = page.context.new_cdp_session(page)

    def touch(kind, *place):
        points = [{"x": place[0], "y": place[1]}] if place else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    page.touchscreen.tap(*at(8, 8))
    page.wait_for_function(f"({RED})([8, 8]) === 255")
    touch("touchStart", *at(8, 28))
    for y in (24, 20, 16, 12):
        touch("touchMove", *at(20, y))
        page.wait_for_timeout(30)
    page.wait_for_function(f"({RED})([20, 14]) === 255")
    moving = page.evaluate(SHOWS, "again")
    touch("touchMove", *at(20, 4))
    touch("touchEnd")
    page.wait_for_function(f"({RED})([20, 5]) === 255")
    assert page.evaluate(SHOWS, "again") != moving
    assert page.evaluate("scrollY") == top  # the finger drew, the page stayed

    plane = page.locator("#live canvas[data-shows=plane]")
    plane.scroll_into_view_if_needed()
    box, top = plane.bounding_box(), page.evaluate("scrollY")
    page.touchscreen.tap(box["x"] + 60, box["y"] + 60)
    values = {plane.get_attribute("aria-valuetext")}
    touch("touchStart", box["x"] + 60, box["y"] + 60)
    for step in (80, 120, 160):
        touch("touchMove", box["x"] + 60, box["y"] + step)
        page.wait_for_timeout(50)
        values.add(plane.get_attribute("aria-valuetext"))
    touch("touchEnd")
    assert len(values) == 4 and page.evaluate("scrollY") == top
    over = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert over <= 0 and phone.problems == []


@pytest.mark.parametrize("where", [PICTURE, "#live .plane figure", "#live [name=own]", "#live"])
def test_a_picture_is_dropped_anywhere_in_the_box(where, opened):
    page = live(opened)
    before = page.evaluate(SHOWS, "again")
    assert page.evaluate(DROP, [where, "picture"]) == [True, True, False]
    page.wait_for_function(f"({RED})([0, 31]) === 255")
    assert page.evaluate(SHOWS, "again") != before
    assert "nats" in page.evaluate(SAYS)
    assert opened.problems == []


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("text", "“notes.txt” is no picture."),
        ("broken", "cannot read “broken.png” as a picture."),
        ("words", "What was dropped is no file, so it is no picture."),
    ],
)
def test_what_is_dropped_and_no_picture_is_refused(kind, word, opened):
    page = live(opened)
    before = [page.evaluate(SHOWS, name) for name in ("picture", "again")]
    page.evaluate(DROP, ["#live", kind])
    page.wait_for_function(f"{SAYS}.includes('Nothing has changed')")
    assert word in page.evaluate(SAYS)
    assert [page.evaluate(SHOWS, name) for name in ("picture", "again")] == before
    assert opened.problems == []


def test_a_picture_of_ones_own_is_chosen(opened, tmp_path):
    page = live(opened)
    before = page.evaluate(SHOWS, "picture")
    page.locator("#live [name=own]").set_input_files(next(HTML.rglob("*.png")))
    page.wait_for_function("(before) => (" + SHOWS + ")('picture') !== before", arg=before)
    (tmp_path / "no.png").write_bytes(b"no picture")
    page.locator("#live [name=own]").set_input_files(tmp_path / "no.png")
    page.wait_for_function(f"{SAYS}.includes('cannot read')")
    assert opened.problems == []
