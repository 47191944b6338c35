"""Run the notebooks from a shell: `python -m helpers.runs --help`."""

import argparse
import re
import sys

from helpers.runs.commands import run, run_all, run_sweep, show_results
from helpers.runs.notebooks import PROFILES, BadRequest, find, notebooks_folder, series
from helpers.runs.parameters import parameters_of
from helpers.runs.rules import describe


def main(arguments=None):
    """Parse the command line, do it, and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a sign that a terminal cannot show ends no series
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        return options.do(options)
    except BadRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def list_all(options):
    """List the notebooks and their parameters."""
    for notebook in [find(n) for n in options.notebooks] or series():
        print(notebook.stem)
        for p in parameters_of(notebook).values():
            print(f"  {p.name:<20} {p.default!r:<16} {p.comment} ({describe(p.rule or [])})")
    return 0


def keep(options):
    """Keep an executed notebook's results as a record."""
    from helpers.runs import provenance

    path = _record(options.name, options.replace)
    try:
        print(provenance.keep(options.executed, path))
    except OSError as error:
        raise BadRequest(f"Cannot keep {options.executed}: {error}") from None
    except ValueError as error:
        raise BadRequest(str(error)) from None
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


def _record(name, replace):
    """The file of a record, which may be there only where it is to be replaced."""
    if not re.fullmatch(r"\w[\w.-]*", name) or name.lower().endswith(".json"):
        raise BadRequest(
            f"A record cannot be called {name!r}. Use letters, digits, '_', '-' and '.', as in "
            "02-bsds500; it becomes data/results/02-bsds500.json."
        )
    path = notebooks_folder().parent / "data" / "results" / f"{name}.json"
    key = name.replace("-", "_")  # as pages cite it
    alike = [p.stem for p in path.parent.glob("*.json") if p.stem.replace("-", "_") == key]
    twins = sorted(set(alike) - {name})
    if twins:
        raise BadRequest(
            f"There is a record {twins[0]}, which pages cite by the same keys as {name}. "
            "Choose another name, or renew that one: its name and --replace."
        )
    if path.exists() and not replace:
        raise BadRequest(f"There is a record {name}. Add --replace to renew it.")
    return path


def _joined(arguments):
    """The command line with each `-p NAME VALUE` as one word, `--parameter=NAME=VALUE`.

    Left as it is, argparse takes a value such as -1e-3 for an option.
    """
    left, words = list(arguments), []
    while left:
        word = left.pop(0)
        if word in ("-p", "--parameter") and left:
            name = left.pop(0)
            if "=" not in name and left and not left[0].startswith("--"):
                name = f"{name}={left.pop(0)}"
            word = f"--parameter={name}"
        words.append(word)
    return words


def _assignment(text):
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(
            f"needs a name and a value, not {text!r}; write NAME=VALUE for a value like --x"
        )
    return name.strip(), value


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
    one.add_argument("notebook", help='number ("07"), name or path')
    one.add_argument(
        "-p",
        "--parameter",
        type=_assignment,
        action="append",
        default=[],
        metavar="NAME VALUE",
        help="set a parameter, also as NAME=VALUE; may be repeated",
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
    many.add_argument("sweep", help="YAML file, such as notebooks/sweeps/09.labels.yaml")
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
    kept.add_argument("name", help='of the record, such as "02-bsds500"')
    kept.add_argument("--replace", action="store_true", help="renew the record of this name")

    add("kernels", register_kernels, "register the Jupyter kernels of this project", profile=None)
    device = add("device", show_device, "tell on which device a kernel computes", profile=None)
    device.add_argument("kernel")

    return parser


if __name__ == "__main__":
    sys.exit(main())
