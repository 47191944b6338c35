"""Execute one notebook with papermill, under the parameter contract.

The run happens in a process of its own, so that its working folder, its memory and its end are
its own as well.
"""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from helpers.runs.notebooks import BadRequest, check_environment, check_kernel, notebooks_folder
from helpers.runs.outputs import PARTIAL, keep, lost_place, make_folder
from helpers.runs.parameters import check_values


@dataclasses.dataclass(frozen=True)
class Run:
    """What became of one notebook."""

    notebook: Path
    output: Path
    seconds: float
    peak_bytes: int
    error: str | None = None
    headline: str = ""

    @property
    def ok(self):
        """True if every cell ran."""
        return self.error is None

    def line(self):
        """Time, memory and headline (or the error) in one line."""
        text = self.headline if self.ok else f"FAILED: {self.error}"
        return f"{self.seconds / 60:5.1f} min  {self.peak_bytes / 2**30:5.2f} GB  {text}"


def execute(
    notebook,
    output,
    values=None,
    *,
    profile=None,
    kernel=None,
    cwd=None,
    progress=False,
    log=False,
    environment=None,
    stop=None,
    failed=None,
):
    """Run a notebook and keep the executed copy, also when a cell fails.

    Args:
        notebook: Path of the notebook.
        output: Path of the executed copy; its folder is made.
        values: Parameters that differ from the notebook's own cell; checked first.
        profile: What the notebook finds in `HELPERS_PROFILE`: "smoke", "default" or "full" hold
            the results to the bands of that profile, None only reports.
        kernel: Name of the Jupyter kernel; see `check_kernel`.
        cwd: Working folder of the kernel; the notebooks' folder without it.
        progress: Show papermill's progress bar.
        log: Also print the cells' output as it comes.
        environment: Further environment variables of the kernel.
        stop: Function that is asked now and then whether the run shall end; see `Run.error`.
        failed: Path of the copy in which a cell failed, so that it does not take the place of an
            earlier good one; `output` without it.

    Returns:
        A `Run`. Where its place could not be written in the end, `Run.output` is the place where
        the notebook was kept instead, and the error says so.

    Raises:
        BadRequest: If the request is refused; no kernel was started and no file written.
    """
    notebook, output, values = Path(notebook), Path(output), dict(values or {})
    if not notebook.is_file():
        raise BadRequest(f"No notebook at {notebook}.")
    if values:
        values = check_values(notebook, values)
    environment = {**check_environment(values), **(environment or {})}
    kernel = check_kernel(kernel)
    cwd = Path(cwd) if cwd else notebooks_folder()
    make_folder(output.parent)
    partial = output.with_name(output.stem + PARTIAL)
    for path in (output, partial):
        if path.is_dir():
            raise BadRequest(f"{path} is a folder, so no notebook can be written there.")
    if output.resolve() == notebook.resolve():
        raise BadRequest(f"{output} is the notebook itself, which a run would replace.")
    job = {
        # Relative to the working folder: papermill writes both paths into the copy.
        "input_path": _literally(os.path.relpath(notebook, cwd)),
        "output_path": _literally(os.path.relpath(partial, cwd)),
        "parameters": values,
        "kernel_name": kernel,
        "language": "python",
        "progress_bar": progress,
        "log_output": log,
    }
    environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    environment.pop("HELPERS_PROFILE", None)
    if profile:
        environment["HELPERS_PROFILE"] = profile
    started = time.monotonic()
    partial.unlink(missing_ok=True)  # of a run that was killed: it is no copy of this one
    try:
        report = _in_own_process(job, cwd, environment, stop)
    except KeyboardInterrupt:
        partial.unlink(missing_ok=True)
        raise
    seconds, error = time.monotonic() - started, report["error"]
    output = Path(failed) if error and failed else output
    if report.get("kept"):
        output = Path(report["kept"])
    elif partial.exists():
        try:
            os.replace(partial, output)
        except OSError as failure:
            error = "; ".join(filter(None, (error, lost_place(output, failure, partial))))
            output = partial
    headline = "" if error else _headline(output)
    return Run(notebook, output, seconds, report["peak_bytes"], error, headline)


def _in_own_process(job, cwd, environment, stop=None):
    """Run `_work` in a subprocess; return its report, `peak_bytes` that of the kernel."""
    command = [sys.executable, "-m", "helpers.runs.execute", json.dumps(job)]
    live = job["progress_bar"] or job["log_output"]
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "stderr", "w+b") as errors:
        report = Path(folder) / "report.json"
        child = subprocess.Popen(
            [*command, str(report)], cwd=cwd, env=environment, stderr=None if live else errors
        )
        watch = _MemoryWatch(child.pid)
        try:
            while stop is not None and child.poll() is None:
                if stop():
                    _end_tree(child.pid)
                    return {"error": "stopped", "peak_bytes": watch.stop()}
                time.sleep(0.2)
            child.wait()
        except KeyboardInterrupt:
            # The child got the signal too and is closing its kernel.
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                _end_tree(child.pid)
            raise
        except BaseException:
            _end_tree(child.pid)
            raise
        finally:
            peak = watch.stop()
        if not report.exists():
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
            reason = f": {last[0]}" if last else ""
            error = f"the run ended with status {child.returncode}{reason}"
            return {"error": error, "peak_bytes": peak}
        outcome = json.loads(report.read_text(encoding="utf-8"))
    return {**outcome, "peak_bytes": max(peak, outcome["peak_bytes"])}


class _MemoryWatch(threading.Thread):
    """Samples the resident memory of a process's descendants (the kernel and its children).

    `_work` asks the system as well: it has the peaks between two samples, of the largest process
    only. The samples have the sum of several processes, and the peak of a run that was ended.
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.done = pid, 0, threading.Event()
        self.start()

    def run(self):
        import psutil

        while not self.done.wait(0.25):
            try:
                children = psutil.Process(self.pid).children(recursive=True)
            except psutil.Error:
                continue
            total = 0
            for child in children:
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)

    def stop(self):
        self.done.set()
        self.join()
        return self.peak


def _end_tree(pid):
    """Kill a process and all that it started; some of them may have ended by themselves."""
    import psutil

    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in [*parent.children(recursive=True), parent]:
            with contextlib.suppress(psutil.Error):
                process.kill()


def _headline(path):
    from helpers.runs.results import read_results

    try:
        return read_results(path)["headline"] or ""
    except ValueError:
        return ""


def _work(job, report):
    """Run papermill here, in the child process, and write the outcome to a file."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    unwritten = _write_when_possible()
    error = kept = None
    try:
        papermill.execute_notebook(**job)
    except PapermillExecutionError as failure:
        last = failure.evalue.strip().splitlines() or [""]
        error = f"cell In [{failure.exec_count}]: {failure.ename}: {last[0]}"
    except KeyboardInterrupt:
        error = "interrupted"
    except Exception as failure:  # a dead kernel, a full disk: report it, whatever it is
        error = f"{type(failure).__name__}: {failure}"
    if unwritten:
        path = Path(job["output_path"].replace("{{", "{").replace("}}", "}"))
        kept = keep(unwritten["text"], path.name.removesuffix(PARTIAL))
        lost = lost_place(path.absolute(), unwritten["error"], kept)
        error = "; ".join(filter(None, (error, lost)))
    peak = 0
    if sys.platform != "win32":
        import resource

        # Kilobytes on Linux, bytes on macOS; the largest single child.
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    report, outcome = Path(report), {"error": error, "peak_bytes": peak, "kept": kept and str(kept)}
    report.write_text(json.dumps(outcome), encoding="utf-8")
    return 0 if error is None else 1


def _write_when_possible():
    """Have papermill's notebooks not end when their place cannot be written.

    Returns:
        A dictionary with "text" and "error" of the last notebook that could not be written; empty
        once one could be.
    """
    from papermill.iorw import papermill_io

    local, last = papermill_io.get_handler("local"), {}
    plainly = local.write

    def write(text, path):
        last.clear()
        try:
            plainly(text, path)
        except OSError as error:
            last.update(text=text, error=error)

    local.write = write
    return last


def _literally(path):
    """A path in which papermill fills nothing in."""
    return path.replace("{", "{{").replace("}", "}}")


def _die_with_parent():
    """Ask Linux to end this process, and so its kernel, when the process that started it dies."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1: PR_SET_PDEATHSIG


if __name__ == "__main__":
    _die_with_parent()
    sys.exit(_work(json.loads(sys.argv[1]), sys.argv[2]))
