"""Sweeps on real Dask clusters: local workers, joined ones, kills, and requests that are refused."""

import csv
import dataclasses
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from helpers.runs import sweep_run, tables
from helpers.runs.__main__ import main
from helpers.runs.notebooks import BadRequest
from helpers.runs.outputs import Outcome
from helpers.runs.results import read_results
from helpers.runs.sweep_plan import package_version, read_sweep, run_id

SWEEPS = Path(__file__).resolve().parents[1] / "notebooks" / "sweeps"
CELLS = [
    "count = 3  # how many\nnap = 0.0  # seconds of sleep\nseed = 0  # of nothing\nfail = False  # whether to fail",
    "from helpers.runs import check_parameters, record\n"
    "check_parameters(globals(), count=range(1, 9), nap=(0.0, 60.0), seed=range(99), fail=bool)",
    "import os, time\nfor _ in range(int(10 * nap)):\n    time.sleep(0.1)\nassert not fail, 'as asked'",
    "record({'square': count**2 + seed / 10, 'pid': os.getpid(),\n"
    "        'threads': int(os.environ['OMP_NUM_THREADS']),\n"
    "        'cores': len(os.sched_getaffinity(0)), 'list': [1, 2]}, headline=f'{count} squared')",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one small notebook, 04, made the one that the command looks at."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3"}
    node = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    nbformat.write(node, notebooks / "04_square.ipynb")
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(notebooks))
    return tmp_path


def write(folder, text):
    path = folder / "sweep.yaml"
    path.write_text(text, "utf-8")
    return path


def command(folder, path, *options):
    words = ["sweep", str(path), "--out", str(folder / "out"), "--kernel", "python3", *options]
    return [sys.executable, "-m", "helpers.runs", *words]


def rows(folder):
    return list(csv.DictReader((folder / "out" / "results.csv").read_text("utf-8").splitlines()))


def descendants(pid):
    return [p for p in psutil.Process(pid).children(recursive=True) if p.is_running()]


def wait_for(condition, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def kernels_of(pid):
    return [p for p in descendants(pid) if "ipykernel_launcher" in " ".join(p.cmdline())]


def test_grid_list_and_seeds_become_runs(folder):
    grid = "notebooks: '04'\nparameters: {nap: 0.5}\ngrid: {count: [2, 3], fail: [true, false]}\n"
    plan = read_sweep(write(folder, grid + "seeds: 3"))
    assert len(plan.jobs) == 12 and len({job.id for job in plan.jobs}) == 12
    assert plan.jobs[0].values == {"nap": 0.5, "count": 2, "fail": True, "seed": 0}
    assert plan.jobs[0].name.startswith("04_square__count=2__fail=true__seed=0__")
    runs = "notebooks: ['04']\nruns: [{count: 2}, {count: 5, nap: 1.0}, {count: 2}]\nseeds: [7]"
    plan = read_sweep(write(folder, runs))
    assert [job.changed for job in plan.jobs] == [  # what is asked for twice is run once
        {"count": 2, "seed": 7},
        {"count": 5, "nap": 1.0, "seed": 7},
    ]


def test_an_id_stands_for_notebook_parameters_and_code(folder, monkeypatch):
    notebook = folder / "notebooks" / "04_square.ipynb"
    first = run_id(notebook, {"count": 4})
    assert first == run_id(
        notebook, {"nap": 0.0, "count": 4}
    )  # a default that is said is no change
    assert first != run_id(notebook, {"count": 5})
    monkeypatch.setattr("helpers.runs.sweep_plan.package_version", lambda: "other")
    assert first != run_id(notebook, {"count": 4})
    monkeypatch.undo()
    node = nbformat.read(notebook, as_version=4)
    node.cells[3].source += "\nmore = 1"
    nbformat.write(node, notebook)
    assert first != run_id(notebook, {"count": 4})
    assert package_version() == package_version()


def test_an_id_stands_for_the_kernel(folder, monkeypatch):
    """So that no run of another backend is taken for one of this sweep's own."""
    plans = []
    monkeypatch.setattr("helpers.runs.commands.check_kernel", lambda name: name or "python3")
    monkeypatch.setattr(
        "helpers.runs.sweep_run.sweep", lambda plan, out, **limits: plans.append(plan) or []
    )
    words = ["sweep", str(write(folder, "notebooks: '04'")), "--out", str(folder / "out")]
    join = ["--scheduler", "tcp://a:1"]
    asked = ([], ["--kernel", "python3"], ["--kernel", "vae-jax"])
    for more in (*asked, [*join, "--kernel", "vae-jax"], join):
        assert main([*words, *more]) == 0
    ids = [plan.jobs[0].id for plan in plans]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    # Where a cluster is joined, its own machines know which kernel goes without a name.
    kernels = [plan.kernel for plan in plans]
    assert kernels == ["python3", "python3", "vae-jax", "vae-jax", None]


def test_a_kernel_that_is_not_there_is_refused_although_all_is_done(folder, monkeypatch):
    done = functools.partial(Outcome, output="x.ipynb", reused=True)
    monkeypatch.setattr("helpers.runs.sweep_run.Output.done", lambda store, name: done(name))
    plan = read_sweep(write(folder, "notebooks: '04'"))
    (outcome,) = sweep_run.sweep(plan, folder / "out")
    assert outcome.reused
    with pytest.raises(BadRequest, match="No kernel 'no-such'"):
        sweep_run.sweep(dataclasses.replace(plan, kernel="no-such"), folder / "out")


@pytest.mark.parametrize("path", sorted(SWEEPS.glob("*.yaml")), ids=lambda path: path.name)
def test_the_ready_sweeps_fit_the_notebooks(path):
    plan = read_sweep(path)
    assert len(plan.jobs) > 5
    if plan.best:
        assert plan.best[0] in read_results(plan.jobs[0].notebook)["results"]


REFUSED = {
    "no notebook": ("grid: {count: [1]}", "`notebooks` must be"),
    "a notebook that is not there": ("notebooks: '09'", "No notebook '09'"),
    "a number for a notebook": ("notebooks: 4", "in quotes"),
    "an unknown entry": ("notebooks: '04'\ngrids: {count: [1]}", "Did you mean 'grid'"),
    "an unknown parameter": ("notebooks: '04'\ngrid: {cuont: [1]}", "Did you mean 'count'"),
    "a wrong type": ("notebooks: '04'\ngrid: {count: [two]}", "'count'. Received: 'two'"),
    "out of range": ("notebooks: '04'\nruns: [{count: 2}, {count: 12}]", "Nearest: 8"),
    "no list": ("notebooks: '04'\ngrid: {count: 3}", "must be a list"),
    "an empty list": ("notebooks: '04'\ngrid: {count: []}", "must be a list"),
    "grid and runs": ("notebooks: '04'\ngrid: {count: [1]}\nruns: [{}]", "not both"),
    "runs that are no list": ("notebooks: '04'\nruns: {count: 2}", "list of parameter sets"),
    "seeds": ("notebooks: '04'\nseeds: many", "`seeds` must be"),
    "a negative seed": ("notebooks: '04'\nseeds: [-1]", "Bad parameter 'seed'"),
    "a profile": ("notebooks: '04'\nprofile: quick", "a profile is one of"),
    "a profile without a file": ("notebooks: '04'\nprofile: smoke", "No file parameters"),
    "best": ("notebooks: '04'\nbest: square", "`best` must be"),
    "not YAML": ("notebooks: '04\n: [", "is not YAML"),
    "not a mapping": ("- 1", "must map names to values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_sweeps_are_refused_before_a_kernel_starts(folder, capsys, case):
    text, words = REFUSED[case]
    status = main(["sweep", str(write(folder, text)), "--out", str(folder / "out")])
    assert status == 2 and words in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_file_a_kernel_and_a_scheduler_that_are_not_there(folder, capsys):
    path = str(write(folder, "notebooks: '04'"))
    for options, words in (
        ([str(folder / "no.yaml")], "Cannot read"),
        ([path, "--kernel", "no-such"], "No kernel 'no-such'"),
        ([path, "--scheduler", "tcp://127.0.0.1:1"], "No Dask scheduler answers"),
    ):
        assert main(["sweep", *options, "--out", str(folder / "out")]) == 2
        assert words in capsys.readouterr().err
        assert not list((folder / "out").glob("*")) if (folder / "out").exists() else True


@pytest.mark.slow
def test_two_workers_finish_and_report_what_fails(folder, capsys):
    runs = "runs: [{count: 2}, {count: 3, fail: true}, {count: 4}]\nbest: {largest: square}"
    path = write(folder, f"notebooks: '04'\n{runs}")
    options = ["--workers", "2", "--threads", "1", "--pin", "--kernel", "python3"]
    arguments = ["sweep", str(path), "--out", str(folder / "out"), *options]
    assert main(arguments) == 1
    shown = capsys.readouterr().out
    assert "FAILED: cell In [4]: AssertionError: as asked" in shown
    assert len(list((folder / "out").glob("*.failed.ipynb"))) == 1
    assert "3 runs: 0 done before, 1 failed" in shown
    table = rows(folder)
    assert [row["square"] for row in table] == ["4.0", "16.0"]
    assert {row["threads"] for row in table} == {"1"}
    if hasattr(os, "sched_setaffinity"):
        assert {row["cores"] for row in table} == {"1"}
    assert "list" not in table[0]

    written = {p.name: p.stat().st_mtime_ns for p in (folder / "out").glob("*.ipynb")}
    path.write_text(path.read_text().replace("fail: true", "fail: false"))
    assert main(arguments) == 0
    assert "3 runs: 2 done before, 0 failed" in capsys.readouterr().out
    for name, when in written.items():
        if not name.endswith(".failed.ipynb"):
            assert (folder / "out" / name).stat().st_mtime_ns == when, "a finished run ran again"
    assert main(["results", str(folder / "out"), "--plot", "count", "square"]) == 0
    assert (folder / "out" / "count-square.png").stat().st_size > 5000
    assert main(["results", str(folder / "out"), "--plot", "count", "sqare"]) == 2
    assert "Did you mean 'square'" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_worker_and_a_killed_sweep(folder):
    path = write(folder, "notebooks: '04'\nparameters: {nap: 3.0}\ngrid: {count: [1, 2, 3, 4]}")
    sweep = subprocess.Popen(command(folder, path, "--workers", "2"), stdout=subprocess.DEVNULL)
    try:
        kernel = wait_for(lambda: kernels_of(sweep.pid))[0]
        worker = kernel.parent().parent()  # kernel ← papermill ← worker
        family = [worker, *worker.children(recursive=True)]
        worker.kill()
        _, alive = psutil.wait_procs(family, timeout=30)
        assert not alive, "the dead worker left a notebook running"
        wait_for(lambda: list((folder / "out").glob("*.ipynb")))
        family = [psutil.Process(sweep.pid), *descendants(sweep.pid)]
        sweep.kill()
        sweep.wait()
        _, alive = psutil.wait_procs(family, timeout=30)
        assert not alive, f"the killed sweep left {alive}"
    finally:
        sweep.kill()
    done = {p: p.stat().st_mtime_ns for p in (folder / "out").glob("*.ipynb")}
    assert 1 <= len(done) < 4
    again = subprocess.run(command(folder, path), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert f"4 runs: {len(done)} done before, 0 failed" in again.stdout
    assert [row["square"] for row in rows(folder)] == ["1.0", "4.0", "9.0", "16.0"]
    assert all(p.stat().st_mtime_ns == when for p, when in done.items())
    assert not list((folder / "out").glob(".*"))  # nothing half-written is left


def interruptible(args, **options):
    """A process that Ctrl-C stops, also where the tests run in the background of a shell.

    Such a shell has what it starts ignore the signal, and that is inherited.
    """
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(args, preexec_fn=heed, **options)


@pytest.mark.slow
def test_interrupted_by_ctrl_c_no_kernel_is_left(folder):
    path = write(folder, "notebooks: '04'\nparameters: {nap: 30.0}\ngrid: {count: [1, 2]}")
    sweep = interruptible(command(folder, path), stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: kernels_of(sweep.pid))
        family = descendants(sweep.pid)
        sweep.send_signal(signal.SIGINT)
        assert sweep.wait(timeout=60) == 130
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, f"left running: {alive}"
    finally:
        sweep.kill()
    assert not list((folder / "out").iterdir())


@pytest.fixture
def cluster(folder):
    """A scheduler and two workers, started by hand as processes; gives the scheduler's address."""
    scheduler_file = folder / "scheduler.json"
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0"]
    start += ["--scheduler-file", str(scheduler_file), "--no-dashboard", "--host", "127.0.0.1"]
    processes = [subprocess.Popen(start, stderr=subprocess.DEVNULL)]
    try:
        wait_for(scheduler_file.exists)
        address = wait_for(lambda: json.loads(scheduler_file.read_text() or "{}").get("address"))
        start = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
        start += ["--no-dashboard", "--local-directory", str(folder / "scratch")]
        processes += [subprocess.Popen(start, stderr=subprocess.DEVNULL) for _ in range(2)]
        yield address
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


@pytest.mark.slow
def test_a_joined_cluster_and_two_sweeps_on_one_folder(folder, cluster):
    path = write(folder, "notebooks: '04'\nparameters: {nap: 1.0}\ngrid: {count: [1, 2, 3]}")
    both = [
        subprocess.Popen(command(folder, path, *more), stdout=subprocess.PIPE, text=True)
        for more in (["--scheduler", cluster], ["--scheduler", cluster])
    ]
    for sweep in both:
        out, _ = sweep.communicate(timeout=180)
        assert sweep.returncode == 0 and "0 failed" in out
    assert [row["square"] for row in rows(folder)] == ["1.0", "4.0", "9.0"]
    assert len({row["pid"] for row in rows(folder)}) == 3
    assert not list((folder / "out").glob(".*"))
    path = write(folder, "notebooks: '04'\nparameters: {nap: 30.0}\ngrid: {count: [4]}")
    long = interruptible(command(folder, path, "--scheduler", cluster), stderr=subprocess.DEVNULL)
    here = lambda: [p for p in psutil.process_iter() if is_kernel_under(p, folder)]  # noqa: E731
    try:
        wait_for(here)
        long.send_signal(signal.SIGINT)
        assert long.wait(timeout=60) == 130
        wait_for(lambda: not here(), 30)
    finally:
        long.kill()


def is_kernel_under(process, folder):
    try:
        text = " ".join(process.cmdline())
        notebooks = process.environ().get("HELPERS_NOTEBOOKS", "")
    except psutil.Error:
        return False
    return "ipykernel_launcher" in text and notebooks.startswith(str(folder))


def test_table_of_several_notebooks_and_its_picture(tmp_path):
    made = [{"notebook": "a", "beta": b, "seed": s, "nats": b + s} for b in (1, 4) for s in (0, 1)]
    assert tables.varying(made)[0] == {"beta": 1, "seed": 0, "nats": 1}
    assert tables.varying(made[:1]) == made[:1]
    assert tables.as_text([{"a": 0.123456, "b": None}]) == "a       b\n0.1235  –"
    for by in (None, "seed"):
        tables.draw(made, "beta", "nats", by, tmp_path / "x.png")
        assert (tmp_path / "x.png").stat().st_size > 5000
        (tmp_path / "x.png").unlink()
    with pytest.raises(BadRequest, match="no numbers"):
        tables.draw(made, "beta", "notebook", path=tmp_path / "x.png")
    with pytest.raises(BadRequest, match="No finished run"):
        tables.table(tmp_path)
    Path(tmp_path / "other.ipynb").write_text("{}")
    with pytest.raises(BadRequest, match=r"other\.ipynb is no executed notebook"):
        tables.table(tmp_path)


def test_an_id_stands_for_the_pictures_in_a_folder(tmp_path):
    path = next(SWEEPS.parent.glob("06_*.ipynb"))
    (tmp_path / "images").mkdir()
    picture = tmp_path / "images" / "a.png"
    ids = []
    for content in (b"one", b"two", b"one"):
        picture.write_bytes(content)
        ids.append(run_id(path, {"dataset": "folder", "path": str(tmp_path)}))
    assert ids[0] == ids[2] != ids[1]
