"""Build stored notebooks and kept weights from a shell: `python -m authoring --help`."""

import argparse
import sys

from authoring import glossary_links
from authoring.readme import refresh
from authoring.stored_notebook import build, rewrite
from helpers.runs.notebooks import PROFILES, BadRequest


def main(arguments=None):
    """Build notebooks or refill pages; returns the status for the shell."""
    options = _parser().parse_args(arguments)
    try:
        return options.action(options)
    except BadRequest as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def build_all(options):
    """Build stored notebooks from `notebooks/py`."""
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


def refresh_pages(options):
    """Refill the numbers of the Markdown pages, and the README's picture, from what is stored."""
    refresh()
    return 0


def draw_studies(options):
    """Draw the pictures of recorded studies for `docs/results.md`, and fill their descriptions."""
    from authoring import study_plots  # imports the figures' helpers

    print("drawn:", ", ".join(study_plots.write()))
    return 0


def link_terms(options):
    """Link the first uses of terms in `notebooks/py` to the glossary."""
    for number in options.notebooks:
        print(f"{number}: {', '.join(glossary_links.add(number)) or 'nothing to link'}")
    return 0


def train_weights(options):
    """Train the models that come with the project; after a stop, the next call goes on."""
    from authoring import gan_weights, weights  # import Keras

    recipes = [*weights.RECIPES, *gan_weights.RECIPES]
    unknown = sorted(set(options.names) - set(recipes))
    if unknown:
        raise BadRequest(f"no recipe of this name: {unknown[0]}. There are: {', '.join(recipes)}")
    for name in options.names or recipes:
        made_by = gan_weights if name in gan_weights.RECIPES else weights
        try:
            note = made_by.keep(name, say=lambda line: print(line, flush=True))
        except KeyboardInterrupt:
            print(f"{name}: stopped; the same command goes on from its last part")
            return 130
        change = note["trained_enough"]
        word = "enough" if change["verdict"] else "not enough"
        if made_by is weights:
            said = (
                f"the score by {change['difference_nats']:+.1f} ± {change['interval_nats']:.1f} "
                f"nats, {change['percent']:.2f} %"
            )
        else:
            said = f"the kernel distance by {change['share']:.0%}"
        print(f"{name}: kept. Twice the steps changed {said}: trained {word}")
    return 0


def train_photographs(options):
    """Train a network for photographs, or score the one that is kept."""
    from helpers.experiments import photographs  # imports Keras

    name, learn = options.set, options.learn
    try:
        if options.score:
            for way, scores in photographs.score_kept(name, options.score, learn).items():
                mean, half = scores["score"]
                print(f"{name}, {options.score}, {way}: {mean:.3f} ± {half:.3f}")
            return 0
        note = photographs.keep(name, learn=learn, say=lambda line: print(line, flush=True))
    except ValueError as error:
        raise BadRequest(str(error)) from error
    except KeyboardInterrupt:
        print(f"{name}: stopped; the same command goes on from the last hundred steps")
        return 130
    print(f"{name}: kept after {note['gigapixels']:.1f} gigapixels, {note['minutes']:.0f} min")
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m authoring", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    author = commands.add_parser("build", help="build stored notebooks from notebooks/py")
    author.set_defaults(action=build_all)
    author.add_argument("notebooks", nargs="+", help='numbers ("07") or names')
    author.add_argument("--profile", choices=PROFILES, default="default")
    author.add_argument("--kernel", help="Jupyter kernel; vae-cpu where registered")
    author.add_argument(
        "--prose",
        action="store_true",
        help="write changed prose and descriptions of figures only; the code must be unchanged",
    )
    terms = commands.add_parser("glossary", help="link first uses of terms to the glossary")
    terms.set_defaults(action=link_terms)
    terms.add_argument("notebooks", nargs="+", help='numbers ("07") or names')
    kept = commands.add_parser("weights", help="train and keep the models of data/weights")
    kept.set_defaults(action=train_weights)
    kept.add_argument("names", nargs="*", metavar="NAME", help="of recipes; all of them if none")
    photos = commands.add_parser("photographs", help="train a network for photographs, for hours")
    photos.set_defaults(action=train_photographs)
    photos.add_argument("set", metavar="SET", help="bsds500, camvid or pets")
    photos.add_argument("--learn", default="train", help="from train (the default) or train+val")
    photos.add_argument("--score", choices=("val", "test"), help="score the kept network instead")
    pages = commands.add_parser("readme", help="refill the Markdown pages from what is stored")
    pages.set_defaults(action=refresh_pages)
    studies = commands.add_parser("plots", help="draw the recorded studies of docs/results.md")
    studies.set_defaults(action=draw_studies)
    return parser


if __name__ == "__main__":
    sys.exit(main())
