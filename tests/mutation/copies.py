"""Copies of the checkout, in which the tests of changed code run."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from draw import normal

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


class Watch:
    """A pytest plugin: how long each test takes, and which one fails first."""

    def __init__(self, path):
        self.path, self.seconds, self.failed = path, Counter(), None

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] += report.duration
        self.pytest_collectreport(report)

    def pytest_collectreport(self, report):
        if report.failed and self.failed is None:
            self.failed = report.nodeid

    def pytest_sessionfinish(self):
        self.path.write_text(json.dumps({"seconds": self.seconds, "failed": self.failed}))


class Copy:
    """A copy of the checkout with the code of `helpers` in `draw.normal` form.

    Args:
        folder: where it is put.
        data: HELPERS_DATA of its tests, or None.
    """

    def __init__(self, folder, data=None):
        self.root, self.data, self.writes = Path(folder), data, 0
        self.report, self.log = self.root / "mutation.json", self.root / "mutation.log"
        self.coverage = self.root / "mutation.coverage"
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.root / name)
        for path in self.root.glob("helpers/**/*.py"):
            self.write(path, normal(path.read_text(encoding="utf-8")))

    def write(self, path, code):
        """Writes a file, and returns what was there."""
        path = self.root / path
        before = path.read_text(encoding="utf-8")
        path.write_text(code, encoding="utf-8")
        # A time of its own for every version, or Python takes an older one's compiled file.
        self.writes += 1
        os.utime(path, (self.writes, self.writes))
        return before

    def test(self, arguments, limit=None):
        """Runs pytest in a fork of this process.

        Args:
            arguments: of pytest.
            limit: seconds of computing; and ten times as many by the clock, which waits count.

        Returns:
            (code, report): pytest's exit code, or None beyond the limit; and what `Watch` saw,
            or an empty report if the process died.
        """
        self.report.unlink(missing_ok=True)
        sys.stdout.flush()
        child, started, status = os.fork(), time.monotonic(), None
        if child == 0:
            self._run(arguments, limit)
        try:
            while status is None and (limit is None or time.monotonic() - started < 10 * limit):
                time.sleep(0.02)
                ended, code = os.waitpid(child, os.WNOHANG)
                status = os.waitstatus_to_exitcode(code) if ended else None
        finally:
            if status is None:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
        if status == -signal.SIGXCPU:
            status = None
        if status == 99:
            raise RuntimeError(f"the tests did not start:\n{self.log.read_text()[-3000:]}")
        seen = json.loads(self.report.read_text()) if self.report.exists() else {}
        return status, {"seconds": {}, "failed": None, **seen}

    def _run(self, arguments, limit):
        code = 99
        try:
            os.setsid()
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (round(limit), resource.RLIM_INFINITY))
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(log, stream)
            os.chdir(self.root)
            os.environ |= {"PYTHONPATH": str(self.root), "COVERAGE_FILE": str(self.coverage)}
            os.environ.pop("HELPERS_DATA", None)
            if self.data:
                os.environ["HELPERS_DATA"] = self.data
            others = [p for p in sys.path if Path(p or ".").resolve() not in (ROOT, HERE)]
            sys.path[:] = [str(self.root), *others]
            import pytest

            import helpers

            assert Path(helpers.__file__).is_relative_to(self.root), helpers.__file__
            options = ["-q", "-x", "-p", "no:cacheprovider", *arguments]
            code = int(pytest.main(options, plugins=[Watch(self.report)]))
        finally:
            sys.stdout.flush()
            os._exit(code)
