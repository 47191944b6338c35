"""Twelve smoke runs: two pinned one-thread workers against one, and what a run costs beyond its cells.

    python benchmarks/sweep_speed.py --record data/results/sweep_speed.json

The same sweep of notebook 04 at smoke parameters goes three ways, into empty folders: one worker
with one core, two workers with one core each, and one worker with all cores. The first two must
give the same results to the bit. The overhead of a run is its wall time, from the start of the
runner to its end, less the time of its cells.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from helpers.runs import tables
from helpers.runs.execute import execute
from helpers.runs.notebooks import find, profile_file
from helpers.runs.parameters import read_file
from helpers.runs.provenance import write_record
from helpers.runs.setup import cores
from helpers.runs.sweep_plan import read_sweep
from helpers.runs.sweep_run import sweep

RATIO, OVERHEAD = 1.7, 8.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebook", default="04")
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--record", help="also write the numbers with their provenance")
    options = parser.parse_args()
    ways = {"one": (1, 1), "two": (2, 1), "one_on_all": (1, cores())}
    minutes, found = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "sweep.yaml"
        plan.write_text(
            f"notebooks: '{options.notebook}'\nprofile: smoke\nseeds: {options.runs}\n", "utf-8"
        )
        for name, (workers, threads) in ways.items():
            out = Path(folder) / name
            start = time.perf_counter()
            outcomes = sweep(read_sweep(plan), out, workers=workers, threads=threads, pin=True)
            minutes[name] = (time.perf_counter() - start) / 60
            errors = [outcome.error for outcome in outcomes if outcome.error]
            if errors:
                sys.exit(f"{name}: {errors}")
            found[name] = [
                {k: v for k, v in r.items() if k != "seconds"} for r in tables.table(out)
            ]
            print(
                f"{workers} worker(s) with {threads} core(s): {minutes[name]:.2f} min", flush=True
            )
        overhead = statistics.median(over(options.notebook, Path(folder)) for _ in range(3))
    ratio, same = minutes["one"] / minutes["two"], found["one"] == found["two"]
    print(f"two workers against one: {ratio:.2f} times as fast, results the same: {same}")
    print(
        f"two workers against one on all cores: {minutes['one_on_all'] / minutes['two']:.2f} times"
    )
    print(f"a run beyond its cells: {overhead:.1f} s, the start of the kernel included")
    if options.record:
        results = {f"minutes_{name}": value for name, value in minutes.items()}
        results |= {"ratio": ratio, "same_to_the_bit": same, "overhead_seconds": overhead}
        about = {"notebook": options.notebook, "runs": options.runs}
        write_record(options.record, f"Sweep of {options.runs} smoke runs", results, about)
    return 0 if ratio >= RATIO and same and overhead <= OVERHEAD else 1


def over(number, folder):
    """Seconds of one run beyond those of its cells."""
    notebook = find(number)
    values = read_file(profile_file(notebook, "smoke"))
    start = time.perf_counter()
    run = execute(notebook, folder / "over.ipynb", values)
    seconds = time.perf_counter() - start
    cells = nbformat.read(run.output, as_version=4).cells
    return seconds - sum(c.metadata.get("papermill", {}).get("duration") or 0 for c in cells)


if __name__ == "__main__":
    sys.exit(main())
