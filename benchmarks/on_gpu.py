"""Everything that awaits a GPU, in one command: tests on its kernels, minutes, the long trainings.

    python benchmarks/on_gpu.py --record data/results/gpu.json

For every registered kernel that computes on a GPU: where it computes, nbval at smoke parameters,
each notebook of the series at its default parameters with minutes and memory, and the long
trainings of CamVid and BSDS500 in half precision with XLA and larger batches, scored on "val".
(In the environment of `make test-backends`, these are vae-gpu, vae-jax and vae-torch.) The record
is written after each step, so a stopped run keeps what it has measured.

`--kernels vae-cpu --anyway` tries the script itself on a machine without a GPU.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

from helpers.runs import kernels
from helpers.runs.execute import execute
from helpers.runs.notebooks import PROFILES, find, profile_file, series
from helpers.runs.parameters import read_file
from helpers.runs.provenance import write_record

ROOT = Path(__file__).resolve().parents[1]
FASTER = {"precision": "mixed_float16", "xla": True, "split": "val", "cache_dir": ""}
LONG = {
    "11.full-camvid": {**FASTER, "batch_size": 16, "weights_out": ""},
    "11.full-bsds500": {**FASTER, "batch_size": 32, "weights_out": ""},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", nargs="+", default=list(kernels.KERNELS))
    parser.add_argument("--notebooks", nargs="+", help="numbers; the whole series without it")
    parser.add_argument("--profile", choices=PROFILES, default="default")
    parser.add_argument("--long", nargs="*", choices=list(LONG), default=list(LONG))
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "gpu")
    parser.add_argument("--record", type=Path, help="also write the numbers with their provenance")
    parser.add_argument("--anyway", action="store_true", help="also on kernels without a GPU")
    options = parser.parse_args()
    chosen = [find(name) for name in options.notebooks] if options.notebooks else series()
    results, failed = {}, []

    def keep(name, value, ok=True):
        results[name] = value
        print(f"{name}: {value}", flush=True)
        if not ok:
            failed.append(name)
        if options.record:
            about = {"profile": options.profile, "long": LONG}
            write_record(options.record, "The series on a GPU", results, about)

    for kernel in options.kernels:
        if kernel not in KernelSpecManager().find_kernel_specs():
            print(f"{kernel}: left out, it is not registered here (make kernels)")
            continue
        why = kernels.why_no_gpu(kernel)
        if why and not options.anyway:
            print(f"left out: {why}")
            continue
        keep(f"{kernel} device", kernels.probe(kernel).get("device"))
        start = time.perf_counter()
        keep(f"{kernel} tests", *nbval(kernel, chosen))
        keep(f"{kernel} tests, minutes", (time.perf_counter() - start) / 60)
        for notebook in chosen:
            values = read_file(p) if (p := profile_file(notebook, options.profile)) else {}
            out = options.out / kernel / notebook.name
            run = execute(notebook, out, values, profile=options.profile, kernel=kernel)
            keep(f"{kernel} {notebook.stem}", run.line(), run.ok)
        for name in options.long:
            values = read_file(ROOT / "notebooks" / "parameters" / f"{name}.yaml") | LONG[name]
            out = options.out / kernel / f"{name}.ipynb"
            run = execute(find(name[:2]), out, values, kernel=kernel)
            keep(f"{kernel} {name}", run.line(), run.ok)
    if not results:
        print("No kernel here computes on a GPU, so nothing was measured.")
    return 1 if failed or not results else 0


def nbval(kernel, notebooks):
    """Last line of nbval on a kernel at smoke parameters, and whether all passed."""
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nb-profile", "smoke"]
    command += ["--nbval-kernel-name", kernel, "--nbval-cell-timeout", "600"]
    command += ["--nbval-sanitize-with", "tests/sanitize.cfg", *map(str, notebooks)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return (done.stdout.strip().splitlines() or [done.stderr[-300:]])[-1], done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
