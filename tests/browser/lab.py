"""JupyterLab as a reader uses it: a server of its own, one opened notebook, menus and keys."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat

# No pop-up of news. All cells stand in the page, so that what lies below the window is seen too.
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}
# A notebook that asks the network gets no answer, also where there is one.
NOBODY = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
DOCS = Path(__file__).resolve().parents[2] / "docs"

PROMPTS = """() => [...document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputArea-prompt")]
  .map((prompt) => prompt.textContent.trim())"""
NOTEBOOK = "() => jupyterapp.shell.currentWidget.context.model.toJSON()"
DRAWN = """async (where) => {
  const shown = [];
  for (const image of document.querySelectorAll(where + " img")) {
    if (image.closest(".jupyter-widgets")) continue;
    try { await image.decode(); shown.push(image.naturalWidth); } catch { shown.push(0); }
  }
  return shown.filter((width) => width > 50).length;
}"""
# Formulas in the prose that were not typeset, or wrongly.
FORMULAS = r"""() => {
  const found = [...document.querySelectorAll("mjx-merror, [data-mjx-error]")].map((m) => m.outerHTML);
  for (const text of document.querySelectorAll(".jp-MarkdownOutput")) {
    const copy = text.cloneNode(true);
    copy.querySelectorAll("code, pre, mjx-container").forEach((part) => part.remove());
    if (/\$|\\[a-z]{2,}/.test(copy.textContent)) found.push(copy.textContent.slice(0, 200));
  }
  return {typeset: document.querySelectorAll(".jp-MarkdownOutput mjx-container").length, found};
}"""
# What a cell shows beside the slider's own number.
SHOWN = """(slider) => {
  const copy = slider.closest(".jp-Cell-outputArea").cloneNode(true);
  copy.querySelectorAll(".widget-slider").forEach((part) => part.remove());
  return copy.textContent + [...copy.querySelectorAll("img")].map((image) => image.src).join();
}"""


class Server:
    """A JupyterLab of this environment over one folder, as nobody has configured it."""

    def __init__(self, folder):
        own, self.token = Path(folder), secrets.token_hex(8)
        self.folder = own / "work" / "notebooks"
        self.folder.mkdir(parents=True)
        for part in ("badges", "pictures"):  # what the notebooks show in their text
            shutil.copytree(DOCS / part, own / "work" / "docs" / part)
        for name, values in SETTINGS.items():
            file = own / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.base, self.log = f"http://127.0.0.1:{port}/", own / "lab.log"
        places = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "spaces"}
        places |= {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "run", "IPYTHONDIR": "ip"}
        environment = {**os.environ, **NOBODY, "no_proxy": "127.0.0.1,localhost"}
        environment |= {name: str(own / place) for name, place in places.items()}
        # As for a reader: pytest's own variable changes what a kernel does with its output.
        for name in ("PYTEST_CURRENT_TEST", "HELPERS_PROFILE"):
            environment.pop(name, None)
        options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--expose-app-in-browser"]
        options += [f"--port={port}", f"--IdentityProvider.token={self.token}"]
        options += [f"--ServerApp.root_dir={self.folder.parent}", "--ServerApp.port_retries=0"]
        command = [sys.executable, "-m", "jupyterlab", *options]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def wait(self, seconds=90):
        """Wait until the server answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                return self.ask("api/status")
            except OSError:
                time.sleep(0.3)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()[-2000:]}")

    def ask(self, path, method="GET"):
        request = urllib.request.Request(self.base + path, method=method)
        request.add_header("Authorization", f"token {self.token}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        answer = opener.open(request, timeout=10).read()
        return json.loads(answer) if answer else None

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Opened:
    """One notebook in one page, and everything that the page complained of.

    Args:
        server: a `Server` that answers.
        context: of Chromium.
        notebook: a notebook node; what is opened is a copy without outputs.
        name: of its file.
    """

    def __init__(self, server, context, notebook, name):
        self.server, self.page, self.problems = server, context.new_page(), []
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, server.folder / name)
        context.route("**/*", self._pass_on)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.goto(f"{server.base}lab/tree/notebooks/{name}?reset&token={server.token}")
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        # Run All before page and kernel know each other is dropped without a word.
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").first.wait_for()
        self._until(lambda: any(k["connections"] for k in self._kernels()), 60)

    def _pass_on(self, route):
        if re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", route.request.url):
            route.continue_()
        else:
            self.problems.append(f"asked another host: {route.request.url[:120]}")
            route.abort()

    def _kernels(self):
        return self.server.ask("api/kernels")

    def _until(self, true, seconds):
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                prompts = " ".join(self.page.evaluate(PROMPTS))
                raise TimeoutError(f"not done after {seconds} s; prompts: {prompts}")
            self.page.wait_for_timeout(300)

    def _menu(self, menu, entry):
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.locator(f".lm-Menu-item:has-text('{entry}')").first.click()

    def _runs(self):
        return any("*" in prompt for prompt in self.page.evaluate(PROMPTS))

    def _rests(self):
        return not self._runs() and all(k["execution_state"] == "idle" for k in self._kernels())

    def run_all(self, seconds):
        """Menu Run, Run All Cells; the notebook as it is when the kernel rests again."""
        before = self.prompts()
        self._menu("Run", "Run All Cells")
        # Three quick cells are over before anyone looks whether they run.
        self._until(lambda: self._runs() or self.prompts() != before, 60)
        return self._end(seconds)

    def restart_and_run_all(self, seconds):
        """Menu Kernel, Restart Kernel and Run All Cells."""
        self._menu("Kernel", "Restart Kernel and Run All Cells")
        self.page.locator(".jp-Dialog button.jp-mod-accept").click()
        self._until(self._runs, 60)
        return self._end(seconds)

    def _end(self, seconds):
        self._until(self._rests, seconds)
        self.page.wait_for_timeout(1000)  # figures and widgets are drawn after the last word
        return nbformat.from_dict(self.page.evaluate(NOTEBOOK))

    def prompts(self):
        """The numbers before the code cells, as texts."""
        return self.page.evaluate(PROMPTS)

    def pictures(self):
        """How many pictures stand in the outputs and are drawn; those of sliders do not count."""
        return self.page.evaluate(DRAWN, ".jp-CodeCell .jp-OutputArea-output")

    def pictures_of_the_text(self):
        """How many pictures stand in the text and are drawn."""
        return self.page.evaluate(DRAWN, ".jp-MarkdownOutput")

    def formulas(self):
        """How many formulas are typeset, and a list of those that are wrong or raw."""
        return self.page.evaluate(FORMULAS)

    def dead_sliders(self, seconds=60):
        """Move each slider by keys; how many there are, and those whose output stays the same."""
        sliders, dead = self.page.locator(".jp-OutputArea-output .widget-slider").all(), []
        for i, slider in enumerate(sliders):
            before, number = slider.evaluate(SHOWN), slider.locator(".widget-readout")
            read = number.inner_text() if number.count() else ""
            slider.locator(".noUi-handle").first.focus()
            for key in ("ArrowRight", "ArrowLeft"):  # a slider may stand at its end
                self.page.keyboard.press(key)
                self.page.wait_for_timeout(400)
                if not read or number.inner_text() != read:
                    break
            try:
                self._until(lambda s=slider, b=before: s.evaluate(SHOWN) != b, seconds)
            except TimeoutError:
                dead.append(f"slider {i + 1} at {read}")
        return len(sliders), dead

    def close(self):
        """Close the page without saving, and end its kernel."""
        self.page.close(run_before_unload=False)
        for kernel in self._kernels():
            self.server.ask(f"api/kernels/{kernel['id']}", "DELETE")
