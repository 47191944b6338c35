"""A local server of the built site, a JupyterLab, and one Chromium for all tests.

`make test-browser` builds the site first. Chromium is the one that `CHROMIUM` names, or the first
on the path; SITE_HTML and SITE_VENDOR name another build and another folder of fetched scripts.
"""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import lab as jupyter
import pytest
from playwright.sync_api import sync_playwright

from helpers.runs.notebook_names import FORMER_NOTEBOOKS

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("SITE_HTML") or ROOT / "build" / "site" / "html")
VENDOR = Path(os.environ.get("SITE_VENDOR") or ROOT / ".site-env" / "vendor")
NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox, because containers allow none; the pages are our own.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def site_pages():
    """Paths of all pages below the site's root, but for those that only lead to another one."""
    static = HTML / "_static"
    moved = {HTML / "notebooks" / f"{old}.html" for old in FORMER_NOTEBOOKS}
    return sorted(
        p.relative_to(HTML).as_posix()
        for p in HTML.rglob("*.html")
        if static not in p.parents and p not in moved
    )


def pytest_generate_tests(metafunc):
    if "page_name" in metafunc.fixturenames:
        pages = site_pages() or [None]
        if "width" not in metafunc.fixturenames:
            metafunc.parametrize("page_name", pages)
            return
        # One narrow page of the API, api/index.html, stands for all of them: they are alike.
        narrow = [page for page in pages if not str(page).startswith("api/helpers.")]
        both = [(page, 1400) for page in pages] + [(page, 390) for page in narrow]
        metafunc.parametrize(("page_name", "width"), both)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def base():
    """The address of the built site."""
    if not (HTML / "index.html").is_file():
        pytest.fail(f"No site in {HTML}: run `make site` first.", pytrace=False)
    handler = functools.partial(Quiet, directory=str(HTML))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail(f"No Chromium here: install one of {', '.join(NAMES)}.", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, which finds faults of accessibility."""
    return (VENDOR / "tests" / "axe.min.js").read_text(encoding="utf-8")


# The page that runs a VAE: when it has encoded a picture, and what a canvas of it shows.
READY = "document.querySelector('#live .says').textContent.includes('nats')"
SHOWS = "(name) => document.querySelector(`#live canvas[data-shows=${name}]`).toDataURL()"


def live(opened):
    """The page that runs a VAE, ready."""
    page = opened.open("latents.html")
    page.wait_for_function(READY)
    return page


class Opened:
    """A page, and everything it complained of or asked another host for."""

    def __init__(self, context, base):
        self.base, self.page, self.problems = base, context.new_page(), []
        context.route("**/*", self._pass_on)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on("response", self._response)

    def _pass_on(self, route):
        url = route.request.url
        if url.startswith((self.base, "data:", "blob:")):
            route.continue_()
        else:
            self.problems.append(f"asked another host: {url[:120]}")
            route.abort()

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text[:200]}")

    def _response(self, response):
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def open(self, name):
        """Open a page of the site, and wait until its formulas are typeset."""
        self.page.goto(self.base + name, wait_until="load")
        self.page.evaluate(
            "async () => { if (window.MathJax?.startup?.promise) await MathJax.startup.promise }"
        )
        self.page.wait_for_timeout(100)
        return self.page


def _opened(chromium, base, width, height, **options):
    context = chromium.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(60_000)
    yield Opened(context, base)
    context.close()


@pytest.fixture
def opened(chromium, base):
    yield from _opened(chromium, base, 1400, 900, color_scheme="light")


@pytest.fixture
def phone(chromium, base):
    """A narrow window that knows fingers, not a mouse."""
    yield from _opened(chromium, base, 390, 800, has_touch=True, is_mobile=True)


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory):
    server = jupyter.Server(tmp_path_factory.mktemp("lab"))
    server.wait()
    yield server
    server.stop()


@pytest.fixture
def lab(chromium, lab_server):
    """Opens a notebook node in JupyterLab: `lab(notebook, name)`, a `lab.Opened`."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(90_000)
    pages = []

    def open_notebook(notebook, name):
        pages.append(jupyter.Opened(lab_server, context, notebook, name))
        return pages[-1]

    yield open_notebook
    for page in pages:
        page.close()
    context.close()
