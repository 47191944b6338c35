"""The commands that run notebooks and show what came of it; see `helpers.runs.__main__`.

Each takes the options of its command line and returns the exit status.
"""

import hashlib
import os
import sys
from pathlib import Path

from helpers.runs.notebooks import (
    BadRequest,
    check_environment,
    check_kernel,
    find,
    notebooks_folder,
    series,
)
from helpers.runs.outputs import FAILED, Output, cut, make_folder, output_folder, remove_stale
from helpers.runs.parameters import gather, parameters_of, read_bytes, read_file
from helpers.runs.rules import check_value


def run(options):
    """Run one notebook."""
    from helpers.runs.execute import execute

    notebook = find(options.notebook)
    files = [(path, read_bytes(path)) for path in options.file]  # once: one may be a pipe
    read = [read_file(*file) for file in files]
    values, pure = gather(notebook, options.profile, read, options.parameter)
    name = notebook.stem + _suffix(values, options, files)
    folder = _runs() / _dataset(notebook, values)
    kernel = check_kernel(options.kernel)
    store = None
    if options.out and "://" in options.out:
        store = Output(options.out)
        store.check()
    elif options.out:
        folder = output_folder(options.out)
    done = execute(
        notebook,
        folder / f"{name}.ipynb",
        values,
        profile=options.profile if pure else None,
        kernel=kernel,
        progress=sys.stderr.isatty(),
        log=options.log,
        failed=folder / f"{name}{FAILED}",
    )
    print(f"{name:<28} {done.line()}\n{done.output}")
    if done.ok:
        remove_stale(folder / f"{name}{FAILED}")
    if store and done.output.exists():
        return max(_send(done.output, store.path(name, not done.ok), store), 0 if done.ok else 1)
    return 0 if done.ok else 1


def run_all(options):
    """Run what can run on a data set; one line a notebook, then the pages."""
    from helpers.runs.execute import Run, execute
    from helpers.runs.index import try_html, write_index

    if options.out and "://" in options.out:
        raise BadRequest("--out of run-all is a folder, because the pages are written there, too.")
    folder = output_folder(options.out) if options.out else _runs() / options.dataset
    kernel = check_kernel(options.kernel)
    jobs, skipped = _plan(options.dataset, options.profile)
    if not jobs:
        raise BadRequest(f"No notebook takes dataset={options.dataset!r}.")
    for _, values, _ in jobs:
        check_environment(values)
    make_folder(folder)
    print(f"{len(jobs)} notebooks on {options.dataset}, {options.profile} parameters, {kernel}")
    for name, reason in skipped:
        print(f"{name:<28} skipped: {reason}")
    runs, unpaged = [], []
    for notebook, values, pure in jobs:
        print(f"{notebook.stem:<28} ", end="", flush=True)
        output, failed = folder / notebook.name, folder / f"{notebook.stem}{FAILED}"
        options_of_run = {"profile": options.profile if pure else None, "kernel": kernel}
        try:
            runs.append(execute(notebook, output, values, failed=failed, **options_of_run))
        except (BadRequest, OSError) as error:  # the disk is full, the folder is gone: go on
            runs.append(Run(notebook, output, 0.0, 0, f"{type(error).__name__}: {error}"))
        print(runs[-1].line(), flush=True)
        if runs[-1].ok:
            for stale in (failed, failed.with_suffix(".html")):
                remove_stale(stale)
        problem = try_html(runs[-1].output) if runs[-1].output.exists() else None
        if problem:
            unpaged.append(notebook.stem)
            print(f"{'':<28} no page: {problem}", flush=True)
    try:
        where = f"Open {write_index(folder, runs, f'The series on {options.dataset}')}"
    except (OSError, ValueError) as error:  # ValueError: half a character in a headline
        unpaged.append("index")
        where = f"no page that lists them: {error}"
    failed = [r.notebook.stem for r in runs if not r.ok]
    minutes = sum(r.seconds for r in runs) / 60
    words = f"; failed: {', '.join(failed)}" if failed else ""
    words += f"; without a page: {', '.join(unpaged)}" if unpaged else ""
    print(f"{minutes:.1f} min in all{words}\n{where}")
    return 1 if failed or unpaged else 0


def run_sweep(options):
    """Run a sweep; a bar with the time left and the best result so far, then the table."""
    from tqdm import tqdm

    from helpers.runs import tables
    from helpers.runs.sweep_plan import read_sweep
    from helpers.runs.sweep_run import sweep

    # Where a cluster is joined, the kernel is one of its machines'.
    kernel = options.kernel if options.scheduler else check_kernel(options.kernel)
    plan = read_sweep(options.sweep, options.profile, kernel)
    out = options.out or str(_runs() / Path(options.sweep).stem)
    bar = tqdm(total=len(plan.jobs), unit="run", disable=not sys.stderr.isatty())
    best, silent = None, False

    def report(outcome):
        nonlocal best, silent
        if plan.best and outcome.error is None:
            name, sign = plan.best
            value = outcome.results.get(name)
            if type(value) not in (int, float):
                if not silent:
                    bar.write(f"`best`: {outcome.name} has no number {name!r}.", file=sys.stderr)
                silent = True
            elif best is None or sign * value > sign * best:
                best = value
                bar.set_postfix_str(f"best {name} {best:.4g}")
        words = "done before" if outcome.reused else f"{outcome.seconds:.0f} s"
        words = f"FAILED: {outcome.error}  {outcome.output}" if outcome.error else words
        bar.write(f"{outcome.name:<60} {words}  {outcome.headline}".rstrip(), file=sys.stdout)
        bar.update()

    with bar:
        keys = ("workers", "threads", "scheduler", "pin")
        limits = {key: getattr(options, key) for key in keys}
        outcomes = sweep(plan, out, report=report, **limits)
    failed = [outcome for outcome in outcomes if outcome.error]
    reused = sum(outcome.reused for outcome in outcomes)
    print(f"{len(outcomes)} runs: {reused} done before, {len(failed)} failed, in {out}")
    if "://" not in str(out) and len(failed) < len(outcomes):
        _show(*tables.collect(os.path.expanduser(out)), os.path.expanduser(out))
    return 1 if failed else 0


def show_results(options):
    """Print the table of a folder's runs, write it as csv, and draw it."""
    from helpers.runs import tables

    if options.by and not options.plot:
        raise BadRequest("--by needs --plot X Y.")
    rows, left = tables.collect(options.folder)
    status = _show(rows, left, options.folder)
    if options.plot:
        name = "-".join(filter(None, [*options.plot, options.by])).replace("/", "-")
        picture = Path(options.folder) / f"{name}.png"
        try:
            tables.draw(rows, *options.plot, by=options.by, path=picture)
        except OSError as error:
            raise BadRequest(f"Cannot draw in {picture}: {error.strerror}.") from None
        print(f"drawn in {picture}")
    return status


def _show(rows, left, folder):
    """Print a table, write it as csv, and name what is not in it; the exit status."""
    from helpers.runs import tables

    print(tables.as_text(tables.varying(rows)))
    for sentence in left:
        print(f"left out: {sentence}", file=sys.stderr)
    path = Path(folder) / "results.csv"
    try:
        tables.write_csv(rows, path)
    except OSError as error:
        print(f"error: cannot write {path}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{len(rows)} runs in {path}")
    return 0


def _send(file, path, store):
    """Send an executed notebook to a URL; the exit status. It stays here in any case."""
    try:
        store.put(path, file.read_text("utf-8"))
    except Exception as error:  # each kind of URL has errors of its own
        words = " ".join(f"{type(error).__name__}: {error}".split())
        print(
            f"error: cannot write {path} ({words}). The notebook is kept in {file}", file=sys.stderr
        )
        return 1
    print(path)
    return 0


def _plan(dataset, profile):
    """Choose the notebooks that can run on a data set, with their checked values."""
    jobs, skipped = [], []
    for notebook in series():
        parameter = parameters_of(notebook).get("dataset")
        takes = parameter is not None and not check_value("dataset", dataset, parameter.rule or str)
        if not takes and dataset != "shapes":
            skipped.append((notebook.stem, f"does not take dataset={dataset!r}"))
            continue
        try:
            values, pure = gather(notebook, profile, dataset=dataset if takes else None)
        except BadRequest as error:
            if profile != "full":
                raise
            skipped.append((notebook.stem, str(error)))
            continue
        jobs.append((notebook, values, pure))
    return jobs, skipped


def _dataset(notebook, values):
    parameter = parameters_of(notebook).get("dataset")
    return str(values.get("dataset", parameter.default if parameter else "shapes"))


def _suffix(values, options, files):
    """Name a changed run after its changes, so that it does not overwrite the plain one."""
    given = dict.fromkeys(name for name, _ in options.parameter if name in values)
    parts = [f"{name}={values[name]}" for name in given]
    for path, content in files:  # another file of this name is another run
        parts.append(f"{Path(path).stem}-{hashlib.sha1(content).hexdigest()[:6]}")
    parts += [options.profile] if options.profile != "default" else []
    text = "".join(f"__{part}" for part in parts)
    safe = "".join(c if c.isalnum() or c in "._=-" else "-" for c in text)
    if safe != text or len(safe.encode()) > 120:  # what is left out shall not make two runs one
        safe = f"{cut(safe, 109)}-{hashlib.sha1(text.encode()).hexdigest()[:10]}"
    return safe


def _runs():
    folder = notebooks_folder().parent / "runs"
    try:
        return folder.relative_to(Path.cwd())
    except ValueError:
        return folder
