"""Run one notebook apart: in a kernel of its own, in an empty folder, within limits.

    python -m helpers.grading.sandbox --timeout 30 --total 300 < notebook.ipynb > executed.json

The notebook comes by standard input and goes by standard output, so nothing of the course has
to lie where the student's code runs: no gradebook, no source, and none of the cells that are
still to come. This is also what a container runs (docs/teaching.md); without one, the code has
the rights of the person who grades.
"""

import argparse
import json
import os
import re
import secrets
import sys
import tempfile

from helpers.grading.limits import MEGABYTE, Watch, adopt_orphans, limit_this_process

# What a kernel needs of the grader's environment. The rest may hold passwords.
PASSED_ON = (
    "PATH",
    "PYTHONPATH",
    "LANG",
    "LC_ALL",
    "VIRTUAL_ENV",
    "JUPYTER_PATH",
    "LD_LIBRARY_PATH",
)

# Before the first cell, and before every test: see `namespace`.
REMEMBER = '__import__("helpers.grading.namespace");'
RESTORE = '__import__("helpers.grading.namespace").grading.namespace.restore()\n'
RESTORE_AND_CALL = r'\n__import__("helpers.grading.namespace").grading.namespace.call(\1)'
_CALL = re.compile(r"\n(test_\w+)\(\)\s*\Z")

# After every test, so that silence is not taken for a passed one: a word drawn for this run.
DONE = "application/x-room-done"
LONGEST = 4000  # characters of an error's message, and of its traceback

# Cells that are locked and not graded import Keras, which takes its time on a busy machine.
PATIENCE = 6


def main(arguments=None):
    """Run the notebook on standard input and write its outputs to standard output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timeout", type=int, default=30, help="seconds a cell may take")
    parser.add_argument("--total", type=int, default=300, help="seconds the notebook may take")
    parser.add_argument("--memory", type=int, default=6000, help="megabytes of all its processes")
    parser.add_argument("--output", type=int, default=2, help="megabytes of output that are kept")
    limits = parser.parse_args(arguments)
    notebook = json.load(sys.stdin)
    cells, reason = execute(notebook, limits)
    json.dump({"cells": cells, "reason": reason}, sys.stdout)


def execute(notebook, limits):
    """Return, for every cell, its outputs and whether it ran, and why the run was stopped."""
    import nbformat
    from nbclient.exceptions import DeadKernelError

    notebook, word = nbformat.from_dict(notebook), secrets.token_hex(16)
    told = f'\nget_ipython().display_pub.publish({{"{DONE}": "{word}"}})'
    for cell in notebook.cells:
        cell.metadata.pop("ran", None)
        cell.metadata.pop("done", None)
        if _is_test(cell):
            cell.source = RESTORE + _CALL.sub(RESTORE_AND_CALL, cell.source) + told
    first = nbformat.v4.new_code_cell(REMEMBER, metadata={"nbgrader": {"locked": True}})
    notebook.cells.insert(0, first)
    with tempfile.TemporaryDirectory(prefix="room-", ignore_cleanup_errors=True) as home:
        limit_this_process(limits)
        _bare_environment(home)
        adopt_orphans()
        watch = Watch(limits)
        client = _client(notebook, limits, home, word, watch)
        try:
            client.execute()
        except DeadKernelError:
            watch.reason = watch.reason or "the kernel died"
        except Exception as error:  # whatever a notebook brings about, the class goes on
            watch.reason = watch.reason or f"{type(error).__name__}: {error}"
        finally:
            watch.end()
    cells = [
        {"outputs": list(c.get("outputs", [])), "ran": _ran_whole(c)} for c in notebook.cells[1:]
    ]
    return cells, watch.reason


def _is_test(cell):
    return bool(cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade"))


def _ran_whole(cell):
    """Whether a cell ran, and a test to its last line."""
    return bool(cell.metadata.get("ran") and (not _is_test(cell) or cell.metadata.get("done")))


def _client(notebook, limits, home, word, watch):
    from nbclient import NotebookClient

    class Client(NotebookClient):
        kept = 0

        def process_message(self, msg, cell, cell_index):
            if msg["msg_type"] == "display_data" and DONE in msg["content"].get("data", {}):
                cell.metadata["done"] = msg["content"]["data"][DONE] == word
                return None
            if msg["msg_type"] == "error":
                msg["content"].update(_short(msg["content"]))
            # Counted before it is stored: an endless print must not fill the memory.
            size = len(str(msg["content"].get("text", ""))) or len(
                json.dumps(msg["content"].get("data", ""), default=str)
            )
            before, self.kept = self.kept, self.kept + size
            if msg["msg_type"] in (
                "stream",
                "display_data",
                "execute_result",
                "update_display_data",
            ):
                limit = limits.output * MEGABYTE
                if before > limit:
                    return None
                if self.kept > limit:
                    msg["msg_type"] = msg["header"]["msg_type"] = "stream"
                    msg["content"] = {"name": "stdout", "text": "\n… the rest is left out …\n"}
            return super().process_message(msg, cell, cell_index)

    def noted(cell, cell_index, execute_reply):
        _note(cell, execute_reply)
        watch.look()

    timed_out = (
        f"This cell took longer than {limits.timeout} s and was stopped. Does a loop never end?"
    )
    return Client(
        notebook,
        timeout_func=lambda cell: limits.timeout * (PATIENCE if _ours(cell) else 1),
        interrupt_on_timeout=True,
        allow_errors=True,
        error_on_timeout={
            "ename": "CellTimeoutError",
            "evalue": timed_out,
            "traceback": [f"CellTimeoutError: {timed_out}"],
        },
        kernel_name="python3",
        resources={"metadata": {"path": home}},
        on_cell_executed=noted,
    )


def _ours(cell):
    marked = cell.metadata.get("nbgrader", {})
    return bool(marked.get("locked") and not marked.get("grade"))


def _note(cell, execute_reply):
    cell.metadata["ran"] = True
    # nbclient returns the error of a timeout, or of an exit, but does not write it into the cell.
    content = execute_reply["content"]
    if content["status"] == "error":
        import nbformat

        told = _short(content)
        others = [o for o in cell.outputs if o.output_type != "error"]
        same = [o for o in cell.outputs if o.output_type == "error" and o.ename == told["ename"]]
        cell.outputs = others + (same or [nbformat.v4.new_output("error", **told)])


def _short(error):
    """Return an error's name, message and traceback, none of them longer than it is useful."""
    text = "\n".join(map(str, error["traceback"]))
    if len(text) > 4 * LONGEST:
        text = f"{text[:LONGEST]}\n…\n{text[-LONGEST:]}"
    evalue = str(error["evalue"])
    return {
        "ename": str(error["ename"])[:100],
        "evalue": evalue if len(evalue) <= LONGEST else f"{evalue[:LONGEST]} …",
        "traceback": [text],
    }


def _bare_environment(home):
    kept = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    os.environ.clear()
    os.environ.update(
        kept,
        HOME=home,
        TMPDIR=home,
        KERAS_BACKEND="tensorflow",
        CUDA_VISIBLE_DEVICES="",
        TF_CPP_MIN_LOG_LEVEL="3",
        OMP_NUM_THREADS="2",
        MPLBACKEND="agg",
        NBGRADER_EXECUTION="autograde",
    )
    os.chdir(home)


if __name__ == "__main__":
    main()
