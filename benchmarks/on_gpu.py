"""The series on a GPU: tests on its kernels, and the minutes of each notebook.

    python benchmarks/on_gpu.py --record data/results/gpu.json
    python benchmarks/on_gpu.py --tests --at-once 7 --record data/results/gpu_kernels.json

For every registered kernel that computes on a GPU: where it computes, how far its ELBO is from the
one that the CPU computes, nbval at smoke parameters, and each notebook of the series at its default
parameters with minutes and memory. (In the environment of `make test-backends`, these are vae-gpu,
vae-jax and vae-torch.) The record is written after each step, so a stopped run keeps what it has
measured. `--tests` ends after nbval, and runs it on all kernels side by side. The long training on
a card is `photographs_on_card.py`.

`--kernels vae-cpu --anyway` tries the script itself on a machine without a GPU.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from jupyter_client.kernelspec import KernelSpecManager

from helpers.runs import kernels
from helpers.runs.execute import execute
from helpers.runs.notebooks import PROFILES, find, profile_file, series
from helpers.runs.parameter_cells import read_notebook
from helpers.runs.parameters import read_file
from helpers.runs.provenance import write_record

ROOT = Path(__file__).resolve().parents[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", nargs="+", default=list(kernels.KERNELS))
    parser.add_argument("--notebooks", nargs="+", help="numbers; the whole series without it")
    parser.add_argument("--profile", choices=PROFILES, default="default")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "gpu")
    parser.add_argument("--record", type=Path, help="also write the numbers with their provenance")
    parser.add_argument("--tests", action="store_true", help="nothing but the ELBO and nbval")
    parser.add_argument("--minutes", type=float, default=60.0, help="of nbval on a kernel at most")
    parser.add_argument("--at-once", type=int, default=1, help="notebooks of a kernel in nbval")
    parser.add_argument("--anyway", action="store_true", help="also on kernels without a GPU")
    options = parser.parse_args()
    chosen = [find(name) for name in options.notebooks] if options.notebooks else series()
    results, failed = {}, []

    def keep(kernel, what, value, ok=True):
        name = f"{kernel}_{what}".replace("-", "_").replace(" ", "_")
        results[name] = value
        print(f"{name}: {value}", flush=True)
        if not ok:
            failed.append(name)
        if options.record:
            write_record(
                options.record, "The series on a GPU", results, {"profile": options.profile}
            )

    tested = []
    for kernel in options.kernels:
        if kernel not in KernelSpecManager().find_kernel_specs():
            print(f"{kernel}: left out, it is not registered here (make kernels)")
            continue
        why = kernels.why_no_gpu(kernel)
        if why and not options.anyway:
            print(f"left out: {why}")
            continue
        tested.append(kernel)
        keep(kernel, "device", kernels.probe(kernel).get("device"))
        keep(kernel, "card", cards())
    running = []
    for kernel in tested:
        log = options.out / f"{kernel}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        process = nbval(kernel, chosen, options.at_once, log)
        running.append((kernel, time.perf_counter(), process, log))
        if not options.tests:
            wait(process, options.minutes)
    for kernel in tested:
        try:
            for precision, found in elbo_differences(kernel).items():
                keep(kernel, f"elbo {precision}", *found)
        except RuntimeError as error:  # the tests that run beside it are worth more
            keep(kernel, "elbo", f"failed: {error}", False)
    for kernel, start, process, log in running:
        wait(process, options.minutes - (time.perf_counter() - start) / 60)
        found = counted(log.read_text("utf-8"), chosen)
        keep(kernel, "tests", found, not found["failed"] and not found["not_reached"])
        keep(kernel, "tests minutes", (time.perf_counter() - start) / 60)
    for kernel in () if options.tests else tested:
        for notebook in chosen:
            values = read_file(p) if (p := profile_file(notebook, options.profile)) else {}
            out = options.out / kernel / notebook.name
            run = execute(notebook, out, values, profile=options.profile, kernel=kernel)
            keep(kernel, notebook.stem, run.line(), run.ok)
    if not results:
        print("No kernel here computes on a GPU, so nothing was measured.")
    return 1 if failed or not results else 0


def cards():
    """Names of the NVIDIA cards, and the version of their driver."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return []
    return done.stdout.strip().splitlines()


def nbval(kernel, notebooks, at_once, log):
    """nbval on a kernel at smoke parameters: a process that was started, and writes to a file."""
    command = [sys.executable, "-m", "pytest", "-v", "--nbval-lax", "--nb-profile", "smoke"]
    command += ["--nbval-kernel-name", kernel, "--nbval-cell-timeout", "600"]
    command += ["--nbval-sanitize-with", "tests/sanitize.cfg", "-p", "no:cacheprovider"]
    command += ["-n", str(at_once), "--dist", "loadfile", "--no-loadscope-reorder"]
    command += map(str, notebooks)
    with log.open("w", encoding="utf-8") as out:
        return subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)


def wait(process, minutes):
    """Wait for a process, and end it after some minutes: what it has written until then counts."""
    try:
        process.wait(60 * max(minutes, 0))
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


def counted(log, notebooks):
    """Numbers of cells that passed, failed and were not reached, by what nbval wrote to a log.

    And the notebooks whose cells were all reached, whether they passed or not.
    """
    cells = {path.stem: len(code_cells(path)) for path in notebooks}
    said = {
        (name, int(number)): word
        for word, name, number in re.findall(r"(PASSED|FAILED) \S*?(\w+)::ipynb::Cell (\d+)", log)
    }
    reached = Counter(name for name, _ in said)
    return {
        "passed": sum(word == "PASSED" for word in said.values()),
        "failed": [f"{name}, cell {i}" for (name, i), word in said.items() if word == "FAILED"],
        "not_reached": sum(cells.values()) - len(said),
        "read_to_the_end": [name for name in cells if reached[name] == cells[name]],
    }


def code_cells(path):
    return [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]


def elbo_differences(kernel):
    """Largest relative difference of an ELBO between the GPU and the CPU, and whether it is small.

    The VAEs, weights, pictures and noise are those of `make test-backends`. A card may multiply
    with fewer digits than single precision has (TF32); the second answer forbids it.
    """
    backend = kernels.KERNELS[kernel][1]
    exact = {"JAX_DEFAULT_MATMUL_PRECISION": "highest", "NVIDIA_TF32_OVERRIDE": "0"}
    hidden = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    on_cpu = elbos(backend, hidden)
    found = {}
    for words, environment in (("as it is", {}), ("single precision", exact)):
        here = elbos(backend, environment)
        largest = max(np.abs(here[name] / on_cpu[name] - 1).max() for name in on_cpu)
        found[words] = (float(largest), largest < 1e-4 or not environment)
    return found


def elbos(backend, environment):
    """ELBOs of `tests/backends/elbo.py`: a dictionary of arrays."""
    environment = {**os.environ, "KERAS_BACKEND": backend, **environment}
    command = [sys.executable, "tests/backends/elbo.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    values = json.loads(done.stdout.splitlines()[-1])
    return {name: np.array(value) for name, value in values.items() if name != "backend"}


if __name__ == "__main__":
    sys.exit(main())
