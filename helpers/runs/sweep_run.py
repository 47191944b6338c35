"""Run a sweep on Dask: a cluster of this machine's own, or one that is joined by its address.

Each run is an executed notebook with its results inside, under a name that holds the run's id. It
is written whole or not at all, so a file that is there is a run that is done: a sweep that was
stopped goes on, and two sweeps can share a folder.
"""

import contextlib
import dataclasses
import os
import tempfile
import time
import uuid
from pathlib import Path

from helpers.runs.notebooks import BadRequest, check_environment, check_kernel, notebooks_folder
from helpers.runs.outputs import Outcome, Output, read_outcome

THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
# What a notebook of the series may take, in bytes.
MEMORY = 2 * 2**30
# A worker may die this often under one run before that run counts as failed.
DEATHS = 3


def sweep(plan, out, *, workers=None, threads=None, scheduler=None, pin=False, report=None):
    """Run all runs of a sweep that are not done yet.

    Args:
        plan: a `sweep_plan.Sweep`. Its kernel is one of the workers' machines where a cluster
            is joined; without a name, it is the one that `check_kernel` chooses there or here.
        out: folder, or a URL that papermill can write to.
        workers: processes of the local cluster; None takes as many as cores and memory carry.
        threads: of each run; None divides the cores among the workers, and is 1 in a joined cluster.
        scheduler: address of a Dask scheduler to join instead.
        pin: whether each local worker keeps to `threads` cores of its own (Linux).
        report: function that is called with each `Outcome` as it comes.

    Returns:
        List of `Outcome`, in the order of `plan.jobs`.

    Raises:
        BadRequest: if the request is refused, the scheduler cannot be reached or the folder
            cannot be written; no kernel was started.
    """
    report = report or (lambda outcome: None)
    kernel = plan.kernel if scheduler else check_kernel(plan.kernel)
    store, outcomes = Output(out), {}
    store.check()
    for job in plan.jobs:
        found = store.done(job.name)
        if found is not None:
            outcomes[job.id] = found
            report(found)
    left = [job for job in plan.jobs if job.id not in outcomes]
    if not left:
        return [outcomes[job.id] for job in plan.jobs]
    if scheduler is None:
        for job in left:
            check_environment(job.values)
        workers, threads = _share(workers, threads, len(left))
    with _client(scheduler, workers, threads, pin) as client:
        stop = _Stop(client)
        futures = {}
        for job in left:
            source, task = job.notebook.read_text("utf-8"), f"vae-{job.id}"
            arguments = (source, job.notebook.stem, job.name, job.values, store.target, kernel)
            limit = {"threads": threads or 1, "stop": stop.name}
            futures[client.submit(run_one, *arguments, **limit, key=task, retries=1)] = job
        try:
            for future, job in _completed(futures):
                outcomes[job.id] = _outcome(future, job)
                report(outcomes[job.id])
        except BaseException:
            stop.set()
            client.cancel(list(futures), force=True)
            raise
    return [outcomes[job.id] for job in plan.jobs]


def run_one(source, stem, name, values, target, kernel, threads, stop):
    """One run, on a worker: the notebook's text comes with it, its helpers are the worker's.

    Returns:
        The fields of an `Outcome`, as a dictionary.
    """
    from helpers.runs.execute import execute

    store = Output(target)
    found = store.done(name)
    if found is not None:  # by another worker, or before this worker's forerunner died
        return dataclasses.asdict(found)
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / f"{stem}.ipynb"
        notebook.write_text(source, "utf-8")
        here = notebooks_folder()
        run = execute(
            notebook,
            Path(folder) / "out" / f"{name}.ipynb",
            values,
            kernel=kernel,
            cwd=here if here.is_dir() else folder,
            environment=dict.fromkeys(THREADS, str(threads)),
            stop=_asked_to_stop(stop),
        )
        output, error = store.path(name, failed=not run.ok), run.error
        if run.output.exists():
            output, lost = store.put_or_keep(output, run.output.read_text("utf-8"))
            error = "; ".join(filter(None, (error, lost))) or None
        if error:
            return dataclasses.asdict(Outcome(name, output, error, run.seconds))
        store.remove_failure(name)
        return dataclasses.asdict(read_outcome(name, run.output, output))


def _share(workers, threads, jobs):
    """How many workers, and threads for each: as the cores, the memory and the runs allow."""
    import psutil

    from helpers.runs.setup import cores

    if workers is None:
        fits = psutil.virtual_memory().available // MEMORY
        workers = max(1, min(cores() // (threads or 1), fits))
    workers = min(workers, jobs)
    return workers, threads or max(1, cores() // workers)


@contextlib.contextmanager
def _client(scheduler, workers, threads, pin):
    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.scheduler.allowed-failures": DEATHS,
        "distributed.worker.daemon": False,
        "distributed.comm.timeouts.connect": "20s",
        # A run holds the worker for minutes, and its memory is the kernel's, not the worker's.
        "distributed.worker.memory.terminate": False,
        "distributed.worker.memory.pause": False,
    }
    with dask.config.set(settings):
        if scheduler:
            try:
                client = Client(scheduler, timeout="20s")
            except (OSError, ValueError) as error:
                raise BadRequest(f"No Dask scheduler answers at {scheduler}: {error}") from None
            with client:
                yield client
            return
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                host="127.0.0.1",
                silence_logs="ERROR",
            ) as cluster,
            Client(cluster) as client,
        ):
            if pin:
                places = dict(zip(sorted(client.scheduler_info(-1)["workers"]), range(workers)))
                client.run(_pin, places=places, threads=threads)
            yield client


def _pin(places, threads, dask_worker):
    """Keep a worker, and what it starts, to cores of its own."""
    known = sorted(os.sched_getaffinity(0))
    first = places[dask_worker.address] * threads
    os.sched_setaffinity(0, [known[i % len(known)] for i in range(first, first + threads)])


def _completed(futures):
    from distributed import as_completed

    for future in as_completed(list(futures)):
        yield future, futures[future]


def _outcome(future, job):
    """Turn a finished future into an `Outcome`; a run that killed its workers is a failure too."""
    if future.status == "finished":
        return Outcome(**future.result())
    error = future.exception()
    return Outcome(job.name, "", error=f"{type(error).__name__}: {error}")


class _Stop:
    """A sign to the workers to end their notebooks, because a running task cannot be cancelled."""

    def __init__(self, client):
        self.name, self.client = f"stop-{uuid.uuid4().hex}", client

    def set(self):
        from distributed import Event

        with contextlib.suppress(Exception):  # the cluster may be gone, and its runs with it
            Event(self.name, client=self.client).set()


def _asked_to_stop(name):
    """A function that tells whether the sweep wants its runs to end; asks every two seconds."""
    from distributed import Event, get_client

    event, asked = Event(name, client=get_client()), time.monotonic()

    def stop():
        nonlocal asked
        if time.monotonic() - asked < 2:
            return False
        asked = time.monotonic()
        return event.is_set()

    return stop
