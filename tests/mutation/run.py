"""Mutation testing: changes a copy of the code in one place after another and asks the tests.

    python tests/mutation/run.py                    # 60 mutants of all modules in TESTS
    python tests/mutation/run.py losses edges --number 20 --each
    python tests/mutation/run.py --again            # those that survived, after new tests

A mutant is killed when a test fails, and survives when all pass: then a test is missing, or the
change is none. The tests that reach the changed line run first, the quickest in front; a mutant
survives only after all test files of its module. The folder `--record` keeps what is done, so a
stopped run goes on. The checkout stays as it is: each process changes a copy of its own.

mutmut changes no code of decorated functions and classes, which the layers and models are, and
none outside functions; Cosmic Ray changes the checkout itself and runs all tests for each mutant.
Neither draws a sample by a seed.
"""

import argparse
import hashlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from importlib.metadata import entry_points
from pathlib import Path

from copies import ROOT, Copy
from draw import draw, mutants

# Imported once, before the fork of each mutant: seconds for each of them.
SHARED = ["numpy", "scipy.ndimage", "scipy.optimize", "scipy.sparse.csgraph", "scipy.io"]
SHARED += ["skimage.feature", "skimage.filters", "sklearn.linear_model", "PIL.Image"]
SHARED += ["coverage", "pytest"]
KERAS = {"backend", "losses", "layers", "models", "metrics", "generative", "experiments"}
KERAS |= {"checkpoint"}
# Test files of each module or package, its own first.
TESTS = {
    "backend": ["backend", "losses", "segmentation_losses"],
    "losses": ["losses"],
    "layers": ["layers"],
    "models/vae": ["vae"],
    "models/inputs": ["inputs"],
    "models/pair_checks": ["pair_checks"],
    "models/saving": ["saving"],
    "models/two_level": ["two_level"],
    "generative/beside_real": ["beside_real"],
    "generative/gan": ["gan"],
    "generative/mixture_prior": ["mixture_prior"],
    "generative/quantised": ["quantised"],
    "generative/vq": ["vq"],
    "generative/whole_objects": ["whole_objects"],
    "metrics/density": ["density"],
    "metrics/label_maps": ["label_maps"],
    "metrics/calibration": ["calibration"],
    "metrics/multi_annotator": ["multi_annotator"],
    "metrics/generative": ["metrics_generative"],
    "metrics/statistics": ["statistics"],
    "metrics/linear_probes": ["linear_probes"],
    "metrics/tables": ["metrics_tables"],
    "edges": ["edges", "classical"],
    "data": [
        "data", "data_sets", "data_fetch", "data_folder", "data_own", "data_masks",
        "data_unpacked", "data_mistaken", "data_records", "data_ambiguous", "crops", "shapes",
    ],
    "data/mask_damage": ["mask_damage"],
    "experiments/mask_repairs": ["mask_repairs"],
    "experiments/odd_parts": ["odd_parts"],
    "checkpoint": ["checkpoint", "versions"],
    "grading": [
        "submission_files", "restoring", "answer_cells", "archives", "grading", "assignments",
    ],
}  # fmt: skip
PATIENCE = 60  # seconds that a mutant may take besides five times what its tests take


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", help="such as losses, edges or edges/matching; all")
    parser.add_argument("--number", type=int, default=60, help="of mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the drawing")
    parser.add_argument("--each", action="store_true", help="and one of each public function")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--data", help="HELPERS_DATA of the tests; unset without it")
    parser.add_argument("--record", type=Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--again", action="store_true", help="try again what survived")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    kept = options.record.resolve() / "mutants.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    codes = {path: (ROOT / path).read_text(encoding="utf-8") for path in _paths(options.modules)}
    population = [(path, mutant) for path, code in codes.items() for mutant in mutants(code)]
    drawn = sorted(draw(population, options.number, options.seed, options.each), key=_place)
    print(f"{len(drawn)} of {len(population)} mutants, seed {options.seed}", flush=True)
    done = _read(kept)
    todo = [d for d in drawn if _key(*d, options.data) not in done]
    if options.again:
        todo += [
            d for d in drawn if done.get(_key(*d, options.data), {}).get("result") == "survived"
        ]
    if todo:
        _try_all(todo, options, kept)
    done = _read(kept)
    _table([done[_key(*d, options.data)] for d in drawn])


def _place(drawn):
    path, mutant = drawn
    return path, mutant.line


def _paths(names):
    """Paths, seen from the root, of the modules asked for."""
    found = []
    for name in names or TESTS:
        path = ROOT / "helpers" / name
        files = [p for p in sorted(path.glob("*.py")) or [path.with_suffix(".py")] if p.is_file()]
        paths = [file.relative_to(ROOT).as_posix() for file in files]
        tested = [path for path in paths if _module(path) in TESTS]
        if not tested:
            sys.exit(f"No module {name!r}. There are {', '.join(TESTS)}.")
        found += tested
    return found


def _module(path):
    """The key in `TESTS` of a path seen from the root: its own, or else its package's."""
    name = path.removeprefix("helpers/").removesuffix(".py")
    return name if name in TESTS else name.rpartition("/")[0]


def _key(path, mutant, data):
    """Names a mutant in the record: by its code, and by whether real data were at hand."""
    return hashlib.sha256(f"{path}\n{bool(data)}\n{mutant.code}".encode()).hexdigest()[:16]


def _read(path):
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries = map(json.loads, lines)
    return {entry["key"]: entry for entry in entries}


def _try_all(todo, options, kept):
    for name in SHARED + ["keras"] * any(_module(path).split("/")[0] in KERAS for path, _ in todo):
        importlib.import_module(name)
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    with tempfile.TemporaryDirectory() as folder:
        copies = [Copy(Path(folder) / str(k), options.data) for k in range(options.jobs)]
        files = dict.fromkeys(file for path, _ in todo for file in _files(path))
        clean = {file: _clean(file, copies[0], kept.parent) for file in files}
        drivers, codes = [], []
        try:
            for k, copy in enumerate(copies):
                drivers.append(os.fork())
                if drivers[-1] == 0:
                    _drive(todo[k :: options.jobs], copy, clean, kept)
            while drivers:
                codes.append(os.waitpid(drivers[0], 0)[1])
                del drivers[0]
        finally:  # stopped: so are they
            for driver in drivers:
                os.kill(driver, signal.SIGTERM)
                os.waitpid(driver, 0)
    if any(codes):
        sys.exit("A process stopped early; the same call goes on.")


def _drive(todo, copy, clean, kept):
    """Tries one mutant after another, and ends the process."""
    code = 1
    try:
        for path, mutant in todo:
            started = time.monotonic()
            entry = {"key": _key(path, mutant, copy.data), "module": path, "line": mutant.line}
            entry |= {"owner": mutant.owner, "kind": mutant.kind}
            entry |= {"before": mutant.before, "after": mutant.after}
            entry |= _verdict(path, mutant, copy, clean)
            entry["seconds"] = round(time.monotonic() - started, 1)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            print(_line(entry), flush=True)
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _verdict(path, mutant, copy, clean):
    seconds = {t: s for file in _files(path) for t, s in clean[file]["seconds"].items()}
    near = set()
    for file in _files(path):
        lines = clean[file]["lines"].get(path, {})
        for line in range(mutant.first, mutant.last + 1):
            near.update(lines.get(str(line), ()))
    before = copy.write(path, mutant.code)
    try:
        for tests in (sorted(near, key=seconds.get), _files(path)):
            if tests:
                limit = PATIENCE + 5 * sum(seconds[t] for t in (near or seconds))
                code, report = copy.test(tests, limit if tests is not _files(path) else None)
                if code is None:
                    return {"result": "timeout", "by": None}
                # 4: a name is no test's; so the change moved a list that tests go through.
                if code not in (0, 4, 5):
                    return {"result": "killed", "by": report["failed"]}
    finally:
        copy.write(path, before)
    return {"result": "survived", "by": None}


def _files(path):
    return [f"tests/test_{name}.py" for name in TESTS[_module(path)]]


def _clean(file, copy, folder):
    """Seconds of each test of a file, and the tests that run each line; measured once, unchanged."""
    sources = sorted((ROOT / "helpers").rglob("*.py"))
    digest = hashlib.sha256((ROOT / file).read_bytes() + repr(copy.data).encode())
    for source in sources:
        digest.update(source.read_bytes())
    kept = folder / f"{Path(file).stem}-{digest.hexdigest()[:12]}.json"
    if not kept.exists():
        started = time.monotonic()
        code, report = copy.test([file, "--cov=helpers", "--cov-context=test", "--cov-report="])
        if code != 0:
            sys.exit(f"{file} fails without a change:\n{copy.log.read_text()[-3000:]}")
        lines = _lines(copy, list(report["seconds"]))
        kept.write_text(json.dumps({"seconds": report["seconds"], "lines": lines}))
        print(f"{file}: {time.monotonic() - started:.0f} s unchanged", flush=True)
    return json.loads(kept.read_text())


def _lines(copy, every):
    from coverage import CoverageData

    data = CoverageData(str(copy.coverage))
    data.read()
    found = {}
    for measured in data.measured_files():
        lines = found[Path(measured).relative_to(copy.root).as_posix()] = {}
        for line, contexts in data.contexts_by_lineno(measured).items():
            # What runs on import or for a fixture may serve any test of the file.
            shared = any(not c or c.endswith("|setup") for c in contexts)
            lines[line] = every if shared else sorted({c.partition("|")[0] for c in contexts})
    return found


def _line(entry):
    place = f"{entry['module']}:{entry['line']} {entry['owner']}"
    change = f"{entry['before']} → {entry['after']}".replace("\n", " ")[:150]
    return f"{entry['result']:9}{place} [{entry['kind']}] {change} ({entry['seconds']} s)"


def _table(entries):
    print(f"\n{'module':28}{'mutants':>8}{'killed':>8}{'timeout':>8}{'survived':>9}")
    modules = sorted({entry["module"] for entry in entries})
    for name in [*modules, "all"]:
        results = [e["result"] for e in entries if name in (e["module"], "all")]
        counts = [results.count(r) for r in ("killed", "timeout", "survived")]
        print(
            f"{name.removeprefix('helpers/'):28}{len(results):8}" + "{:8}{:8}{:9}".format(*counts)
        )
    left = [entry for entry in entries if entry["result"] != "killed"]
    print(f"killed, timeouts included: {1 - results.count('survived') / len(results):.1%}")
    print(*map(_line, left), sep="\n")


if __name__ == "__main__":
    main()
