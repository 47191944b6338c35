"""What a room may use, and the end of everything it started."""

import contextlib
import ctypes
import resource
import threading
import time

import psutil

MEGABYTE = 2**20


class Watch(threading.Thread):
    """Ends the kernel and all that it started, at the limits or after the run."""

    def __init__(self, limits):
        super().__init__(daemon=True)
        self.limits, self.reason, self.seen = limits, "", set()
        self.until = time.monotonic() + limits.total
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.2):
            memory = self.look()
            if time.monotonic() > self.until:
                self.reason = f"the notebook took longer than {self.limits.total} s"
            elif memory > self.limits.memory * MEGABYTE:
                self.reason = f"more than {self.limits.memory} MB of memory were used"
            if self.reason:
                self._kill()
                return

    def end(self):
        self.over.set()
        self.look()
        self._kill()

    def look(self):
        """Return the bytes in use, and remember who uses them."""
        # Remembered, because a process whose parent has gone is no child of ours any more.
        self.seen |= set(psutil.Process().children(recursive=True))
        total = 0
        for process in self.seen:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _kill(self):
        for process in self.seen:
            with contextlib.suppress(psutil.Error):  # psutil never kills a newer owner of the id
                process.kill()


def adopt_orphans():
    """On Linux, make what outlives the kernel a child of this process, which ends it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def limit_this_process(limits):
    """Set the limits that the kernel inherits.

    A file that a student's code writes stays small, and a loop that cannot be interrupted ends by
    itself even if this process is gone.
    """
    for what, most in (
        (resource.RLIMIT_FSIZE, 64 * MEGABYTE),
        (resource.RLIMIT_CPU, 16 * limits.total),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))
