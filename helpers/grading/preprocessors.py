"""Two steps for nbgrader: run a submission in a room of its own, keep hidden tests hidden."""

import contextlib
import json
import os
import shlex
import subprocess
import sys

from nbformat import from_dict, v4
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer, Unicode


class ExecuteApart(NbGraderPreprocessor):
    """Takes the place of nbgrader's Execute: the kernel runs in `helpers.grading.sandbox`."""

    timeout = Integer(30, help="seconds a cell may take").tag(config=True)
    total = Integer(300, help="seconds a notebook may take").tag(config=True)
    command = Unicode(
        "", help="what starts `python -m helpers.grading.sandbox`, for example a container"
    ).tag(config=True)

    def preprocess(self, nb, resources):
        """Fill the outputs of the notebook's cells; its sources stay as nbgrader made them."""
        cells, reason = run_apart(nb, self.timeout, self.total, self.command)
        for index, cell in enumerate(nb.cells):
            if cell.cell_type != "code":
                continue
            done = cells[index] if index < len(cells) else {"outputs": [], "ran": False}
            cell.outputs = [from_dict(output) for output in done["outputs"]]
            if not utils.is_grade(cell):
                continue
            # nbgrader takes a warning on stderr for a failed test, and silence for a passed one.
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            if cell.source.strip() and not done["ran"] and not utils.has_failed(cell):
                text = f"this test did not run to its last line{f': {reason}' * bool(reason)}."
                cell.outputs.append(
                    v4.new_output("error", ename="Stopped", evalue=text, traceback=[text])
                )
        if reason:
            self.log.warning("Stopped: %s", reason)
        return nb, resources


class HideTests(NbGraderPreprocessor):
    """Leaves of a test cell, in feedback, its visible part and its message."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Cut the hidden lines and the traceback, which would show them."""
        if cell.cell_type != "code" or not utils.is_grade(cell):
            return cell, resources
        lines, hidden = [], False
        for line in cell.source.split("\n"):
            if "BEGIN HIDDEN TESTS" in line:
                hidden = True
                lines.append("    # … hidden tests …")
            elif "END HIDDEN TESTS" in line:
                hidden = False
            elif not hidden:
                lines.append(line)
        cell.source = "\n".join(lines)
        for output in cell.outputs:
            if output.output_type == "error":
                output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources


def run_apart(notebook, timeout, total, command=""):
    """Run a notebook in a room.

    Args:
        notebook: The notebook, as nbformat has it.
        timeout: Seconds a cell may take.
        total: Seconds the notebook may take.
        command: What stands before `-m helpers.grading.sandbox`; this Python where it is empty.

    Returns:
        For each cell its outputs and whether it ran, and the reason why the run was stopped, or an empty text.
    """
    start = shlex.split(command) or [sys.executable]
    limits = ["--timeout", str(timeout), "--total", str(total)]
    process = subprocess.Popen(
        [*start, "-m", "helpers.grading.sandbox", *limits],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        start_new_session=True,
    )
    try:
        # The room stops itself; this is for a room that cannot.
        answer, log = process.communicate(json.dumps(notebook).encode(), timeout=total + 60)
        result = json.loads(answer)
        return result["cells"], result["reason"]
    except KeyboardInterrupt:
        _end(process)  # it has a session of its own, which the signal does not reach
        raise
    except subprocess.TimeoutExpired:
        _end(process)
        return [], f"the room did not answer within {total + 60} s"
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        last = log.decode(errors="replace").strip().splitlines()[-1:]
        return [], f"the room gave no result ({' '.join(last)[:300]})"


def last_passes(notebook, **limits):
    """Whether a notebook's last cell, a test, runs without an error; `limits` as in `run_apart`."""
    done, _ = run_apart(notebook, **limits)
    if len(done) < len(notebook.cells):
        return False
    return done[-1]["ran"] and all(o["output_type"] != "error" for o in done[-1]["outputs"])


def _end(process):
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):  # it may have ended by itself
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.communicate()
