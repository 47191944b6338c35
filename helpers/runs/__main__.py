"""Run the notebooks from a shell: `python -m helpers.runs --help`."""

import argparse
import sys
from pathlib import Path

from helpers.runs.request import (
    PROFILES,
    BadRequest,
    check_kernel,
    find,
    gather,
    notebooks_folder,
    parameters_of,
    series,
)
from helpers.runs.rules import check_value, describe


def main(arguments=None):
    """Parse the command line, do it, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.do(options)
    except BadRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def run(options):
    """Run one notebook."""
    from helpers.runs.execute import execute

    notebook = find(options.notebook)
    values, pure = gather(notebook, options.profile, options.file, options.parameter)
    name = notebook.stem + _suffix(values, options)
    dataset = _dataset(notebook, values)
    folder = Path(options.out) if options.out else _runs() / dataset
    done = execute(
        notebook,
        folder / f"{name}.ipynb",
        values,
        profile=options.profile if pure else None,
        kernel=options.kernel,
        progress=sys.stderr.isatty(),
        log=options.log,
    )
    print(f"{name:<28} {done.line()}\n{done.output}")
    return 0 if done.ok else 1


def run_all(options):
    """Run what can run on a data set; one line a notebook, then the pages."""
    from helpers.runs.execute import execute
    from helpers.runs.index import write_html, write_index

    folder = Path(options.out) if options.out else _runs() / options.dataset
    kernel = check_kernel(options.kernel)
    jobs, skipped = _plan(options.dataset, options.profile)
    if not jobs:
        raise BadRequest(f"No notebook takes dataset={options.dataset!r}.")
    print(f"{len(jobs)} notebooks on {options.dataset}, {options.profile} parameters, {kernel}")
    for name, reason in skipped:
        print(f"{name:<28} skipped: {reason}")
    runs = []
    for notebook, values, pure in jobs:
        print(f"{notebook.stem:<28} ", end="", flush=True)
        output = folder / notebook.name
        profile = options.profile if pure else None
        runs.append(execute(notebook, output, values, profile=profile, kernel=kernel))
        print(runs[-1].line(), flush=True)
        if output.exists():
            write_html(output)
    index = write_index(folder, runs, f"The series on {options.dataset}")
    failed = [r.notebook.stem for r in runs if not r.ok]
    minutes = sum(r.seconds for r in runs) / 60
    print(f"{minutes:.1f} min in all" + (f"; failed: {', '.join(failed)}" if failed else ""))
    print(f"Open {index}")
    return 1 if failed else 0


def run_sweep(options):
    """Run a sweep; a bar with the time left and the best result so far, then the table."""
    from tqdm import tqdm

    from helpers.runs import tables
    from helpers.runs.sweep import sweep
    from helpers.runs.sweeps import read_sweep

    plan = read_sweep(options.sweep, options.profile)
    out = options.out or str(_runs() / Path(options.sweep).stem)
    bar = tqdm(total=len(plan.jobs), unit="run", disable=not sys.stderr.isatty())
    best = None

    def report(outcome):
        nonlocal best
        if plan.best and outcome.error is None:
            name, sign = plan.best
            value = outcome.results.get(name)
            if value is None:
                raise BadRequest(f"`best`: {outcome.name} has no result {name!r}.")
            if best is None or sign * value > sign * best:
                best = value
                bar.set_postfix_str(f"best {name} {best:.4g}")
        words = "done before" if outcome.reused else f"{outcome.seconds:.0f} s"
        words = f"FAILED: {outcome.error}  {outcome.output}" if outcome.error else words
        bar.write(f"{outcome.name:<60} {words}  {outcome.headline}".rstrip(), file=sys.stdout)
        bar.update()

    with bar:
        keys = ("kernel", "workers", "threads", "scheduler", "pin")
        limits = {key: getattr(options, key) for key in keys}
        outcomes = sweep(plan, out, report=report, **limits)
    failed = [outcome for outcome in outcomes if outcome.error]
    reused = sum(outcome.reused for outcome in outcomes)
    print(f"{len(outcomes)} runs: {reused} done before, {len(failed)} failed, in {out}")
    if "://" not in str(out) and len(failed) < len(outcomes):
        rows = tables.table(out)
        tables.write_csv(rows, Path(out) / "results.csv")
        print(tables.as_text(tables.varying(rows)))
    return 1 if failed else 0


def show_results(options):
    """Print the table of a folder's runs, write it as csv, and draw it."""
    from helpers.runs import tables

    if options.by and not options.plot:
        raise BadRequest("--by needs --plot X Y.")
    rows = tables.table(options.folder)
    path = Path(options.folder) / "results.csv"
    tables.write_csv(rows, path)
    print(tables.as_text(tables.varying(rows)))
    print(f"{len(rows)} runs in {path}")
    if options.plot:
        picture = (
            Path(options.folder) / f"{'-'.join(filter(None, [*options.plot, options.by]))}.png"
        )
        tables.draw(rows, *options.plot, by=options.by, path=picture)
        print(f"drawn in {picture}")
    return 0


def list_all(options):
    """List the notebooks and their parameters."""
    for notebook in [find(n) for n in options.notebooks] or series():
        print(notebook.stem)
        for p in parameters_of(notebook).values():
            print(f"  {p.name:<20} {p.default!r:<16} {p.comment} ({describe(p.rule or [])})")
    return 0


def build_all(options):
    """Build stored notebooks from `notebooks/py`."""
    from helpers.runs.author import build, rewrite

    status = 0
    for number in options.notebooks:
        if options.prose:
            rewrite(number)
            print(f"{number:<28} prose written; nothing was run")
            continue
        done = build(number, profile=options.profile, kernel=options.kernel)
        print(f"{done.notebook.stem:<28} {done.line()}", flush=True)
        if not done.ok:
            print(f"  see {done.output}")
            status = 1
    return status


def keep(options):
    """Keep an executed notebook's results as a record."""
    from helpers.runs import provenance

    path = notebooks_folder().parent / "data" / "results" / f"{options.name}.json"
    print(provenance.keep(options.executed, path))
    return 0


def register_kernels(options):
    """Register the project's Jupyter kernels."""
    from helpers.runs.kernels import register

    print("registered:", ", ".join(register()))
    return 0


def show_device(options):
    """Start a kernel, tell where it computes, and fail if it promises a GPU that it has not."""
    from helpers.runs.kernels import broken_promise, probe

    broken = broken_promise(options.kernel)
    if broken:
        print(f"error: {broken}", file=sys.stderr)
        return 1
    facts = probe(options.kernel)
    print(f"kernel {options.kernel}: {facts['backend']} on {facts['device']}")
    return 0


def refresh_readme(options):
    """Refill the numbers of the Markdown pages, and the README's picture, from what is stored."""
    from helpers.runs.readme import refresh

    refresh()
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


def _suffix(values, options):
    """Name a changed run after its changes, so that it does not overwrite the plain one."""
    parts = [f"{name}={values[name]}" for name, _ in options.parameter if name in values]
    parts += [Path(path).stem for path in options.file]
    parts += [options.profile] if options.profile != "default" else []
    text = "".join(f"__{part}" for part in parts)
    return "".join(c if c.isalnum() or c in "._=-" else "-" for c in text)[:120]


def _runs():
    folder = notebooks_folder().parent / "runs"
    try:
        return folder.relative_to(Path.cwd())
    except ValueError:
        return folder


def _positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m helpers.runs", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name, do, help, *, profile="default"):
        command = commands.add_parser(name, help=help, description=help)
        command.set_defaults(do=do)
        if profile:
            command.add_argument("--profile", choices=PROFILES, default=profile)
            command.add_argument("--kernel", help="Jupyter kernel; vae-cpu where registered")
        return command

    one = add("run", run, "run one notebook with other parameters")
    one.add_argument("notebook", help='number ("04"), name or path')
    one.add_argument(
        "-p",
        dest="parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="set a parameter; may be repeated",
    )
    one.add_argument(
        "-f", dest="file", action="append", default=[], metavar="FILE", help="YAML of parameters"
    )
    one.add_argument("--log", action="store_true", help="print the cells' output as it comes")
    one.add_argument("--out", help="folder of the executed notebook; runs/<dataset> without it")

    every = add("run-all", run_all, "run the series, and write web pages of it")
    every.add_argument("--dataset", default="shapes", help="only what can run on this set")
    every.add_argument("--out", help="folder of the executed notebooks; runs/<dataset> without it")

    many = add(
        "sweep", run_sweep, "run a notebook under many parameters, in parallel", profile=None
    )
    many.add_argument("sweep", help="YAML file, such as notebooks/sweeps/05.labels.yaml")
    many.add_argument("--profile", choices=PROFILES, help="instead of the file's own")
    many.add_argument("--kernel", help="Jupyter kernel; vae-cpu where registered")
    many.add_argument("--out", help="folder or URL; runs/<name of the file> without it")
    many.add_argument("--workers", type=_positive, help="processes; without it, what cores carry")
    many.add_argument("--threads", type=_positive, help="of each run; cores / workers without it")
    many.add_argument("--scheduler", help="address of a Dask scheduler to join")
    many.add_argument("--pin", action="store_true", help="each worker on cores of its own (Linux)")

    found = add("results", show_results, "collect the results of runs in one table", profile=None)
    found.add_argument("folder")
    found.add_argument("--plot", nargs=2, metavar=("X", "Y"), help="draw column Y over column X")
    found.add_argument("--by", metavar="Z", help="one line for each value of column Z")

    listing = add("list", list_all, "list notebooks, parameters and what they allow", profile=None)
    listing.add_argument("notebooks", nargs="*")

    kept = add("keep", keep, "keep a full run's results in data/results/NAME.json", profile=None)
    kept.add_argument("executed", help="an executed notebook, as `run` writes it")
    kept.add_argument("name", help='of the record, such as "01-bsds500"')

    add("kernels", register_kernels, "register the Jupyter kernels of this project", profile=None)
    device = add("device", show_device, "tell on which device a kernel computes", profile=None)
    device.add_argument("kernel")

    add("readme", refresh_readme, "refill the Markdown pages from what is stored", profile=None)

    author = add("build", build_all, "build stored notebooks from notebooks/py")
    author.add_argument("notebooks", nargs="+", help='numbers ("04") or names')
    author.add_argument(
        "--prose",
        action="store_true",
        help="write changed prose and descriptions of figures only; the code must be unchanged",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
