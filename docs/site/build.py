"""Build the site: put its sources together, run Sphinx with warnings as errors, check the pages.

    python docs/site/build.py --vendor FOLDER [--out build/site]

The folder is what `vendor.py` fetched. No network is used.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import chapters  # noqa: E402
import latents_page  # noqa: E402
import nbformat  # noqa: E402
import pages as built  # noqa: E402
import questions  # noqa: E402
import redirects  # noqa: E402
import sources  # noqa: E402
import vendor  # noqa: E402
from sources import ROOT, SiteError  # noqa: E402

GUIDES_FIRST = ("results", "cheat_sheet", "own_pictures", "teaching", "rerunning")


def assemble(target, vendored):
    """Write everything that Sphinx reads into a fresh folder.

    Files keep the places that they have in the project, so that links between them hold.
    """
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(HERE / "_static", target / "_static")
    shutil.copytree(Path(vendored) / "pages", target / "_static" / "vendor")
    shutil.copy(HERE / "conf.py", target)
    paths = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in paths}
    guides = guide_files()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    known = {f"notebooks/{path.name}" for path in paths} | set(guides)
    for path in paths:
        sources.check_size(path)
        place = f"notebooks/{path.name}"
        page = sources.page_of(notebooks[path.stem], place, known)
        if line := chapters.next_notebook(readme, path.stem):
            page.cells.append(nbformat.v4.new_markdown_cell(line, id="next"))
        _write(target / place, nbformat.writes(page))
    for place in guides:
        text = (ROOT / place).read_text(encoding="utf-8")
        _write(target / place, sources.with_links(text, place, known))
    readme = sources.with_links(readme, "README.md", known)
    _write(target / "README.part", readme)
    _write(target / "map.part", chapters.map_of_notebooks(readme, notebooks))
    (target / "docs").mkdir(exist_ok=True)
    shutil.copy(ROOT / "docs" / "picture.png", target / "docs")
    shutil.copytree(ROOT / "docs" / "pictures", target / "docs" / "pictures")
    glossary = (HERE / "glossary.md").read_text(encoding="utf-8")
    _write(target / "glossary.md", chapters.glossary_page(glossary))
    note = json.loads((HERE / "_static" / "latents" / "note.json").read_text(encoding="utf-8"))
    latents = latents_page.fill((HERE / "latents.md").read_text(encoding="utf-8"), note)
    _write(target / "latents.md", latents)
    index = (HERE / "index.md").read_text(encoding="utf-8")
    index = index.replace("<!--repository-->", sources.repository())
    tree = {"notebooks": chapters.contents(readme), "guides": [g[:-3] for g in guides]}
    for name, entries in tree.items():
        index = index.replace(f"<!--{name}-->", "\n".join(entries))
    _write(target / "index.md", index)
    asking = (notebooks, chapters.titles(readme), known)
    _write(target / questions.PLACE, questions.page(*asking))
    _write(target / questions.EXERCISES_PLACE, questions.exercises_page(*asking))
    _write(target / "references.md", chapters.references_page(notebooks))
    for name, text in chapters.api_pages().items():
        _write(target / "api" / name, text)


def guide_files():
    """The Markdown files of the project that are pages: those in docs, and the one on data."""
    stems = sorted(p.stem for p in (ROOT / "docs").glob("*.md"))
    order = [s for s in GUIDES_FIRST if s in stems]
    order += [s for s in stems if s not in GUIDES_FIRST]
    return [f"docs/{stem}.md" for stem in order] + ["data/README.md"]


def run_sphinx(source, html, doctrees):
    """Run Sphinx on an assembled folder; its exit status."""
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    environment = {**os.environ, "SITE_PROJECT": str(ROOT)}
    return subprocess.run(
        [*command, "-d", str(doctrees), str(source), str(html)], env=environment
    ).returncode


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vendor", required=True, type=Path, help="what vendor.py fetched")
    parser.add_argument("--out", default=ROOT / "build" / "site", type=Path)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    if missing := vendor.missing(options.vendor):
        sys.exit(f"Not fetched yet: {', '.join(missing)}. Run docs/site/vendor.py {options.vendor}")
    out = options.out.resolve()
    try:
        assemble(out / "source", options.vendor)
    except SiteError as error:
        sys.exit(str(error))
    html = out / "html"
    shutil.rmtree(html, ignore_errors=True)
    if status := run_sphinx(out / "source", html, out / "doctrees"):
        sys.exit(status)
    moved = redirects.write(html)
    if problems := built.check_site(html, ROOT):
        sys.exit("\n".join([*problems, f"{len(problems)} problems in the pages"]))
    count = len([p for p in html.rglob("*.html") if html / "_static" not in p.parents])
    print(f"{count - len(moved)} pages in {time.perf_counter() - started:.0f} s: {html}/index.html")


if __name__ == "__main__":
    main()
