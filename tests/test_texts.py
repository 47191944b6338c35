"""README, notebook 00 and the cards agree, and the commands that the texts show can be typed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import nbformat

from authoring import readme
from helpers.runs import __main__ as shell
from helpers.runs import notebooks, parameters

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(
    r"^\| \[?\**(\d\d)\** ([^\]|]+?)(?:\]\((?:notebooks/)?(\S+)\))? \|.*\| (\d+) \| (\d+) \|$", re.M
)
RUN = re.compile(r"^- About (\d+) minutes? (?:to run )?on 2 CPU cores", re.M)
READ = re.compile(r"^- About .*\b(\d+) minutes to read", re.M)  # cards of notebooks that say so


def _cells(path):
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]


def _rows(text):
    """`(number, title, minutes to run, to read)` of each row of a table of notebooks, and the files
    that it links."""
    found = ROW.findall(text)
    rows = [(n, title, int(run), int(read)) for n, title, _, run, read in found]
    return rows, [file for *_, file, _, _ in found if file]


def test_the_readme_notebook_00_and_the_cards_agree_on_notebooks_and_minutes():
    series = notebooks.series()
    table, files = _rows((ROOT / "README.md").read_text(encoding="utf-8"))
    assert files == [path.name for path in series], "README.md lists other notebooks"
    cards = ["\n".join(_cells(path)) for path in series]
    for column, pattern in ((2, RUN), (3, READ)):
        told = {path.stem: pattern.findall(card) for path, card in zip(series, cards)}
        listed = {path.stem: [str(row[column])] for path, row in zip(series, table)}
        if pattern is READ:
            listed = {stem: minutes for stem, minutes in listed.items() if told[stem]}
            told = {stem: minutes for stem, minutes in told.items() if minutes}
        assert told == listed, "cards and README.md"
    mapped, linked = _rows(cards[0])
    assert mapped == table, "the map of notebook 00 and README.md"
    assert linked == files[1:]  # 00 does not link itself


def test_the_parts_in_the_readme_link_every_notebook_in_order():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = re.findall(r"^- \*\*[^*]+\*\*: (\[\d\d .*)$", text, re.M)
    linked = re.findall(r"\[(\d\d) [^\]]+\]\(notebooks/(\S+?)\)", " ".join(parts))
    assert [file for _, file in linked] == [path.name for path in notebooks.series()]
    assert all(file.startswith(number) for number, file in linked)


def _visible_words(text):
    """Words of a Markdown text as a page shows it: no comments, pictures, targets of links, and
    nothing that is folded but its one line."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"(<details>.*?</summary>).*?</details>", r"\1", text, flags=re.S)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"<[^>]*>", " ", text)
    return [word for word in text.split() if re.search(r"\w", word)]


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 400 < len(_visible_words(text)) <= 900
    assert text.count("<details>") == 2
    seen = "One **two** [three four](a.md). 5.0<!--=n05_x--> ![no](a.png) | six | – |\n\n"
    folded = "<details><summary>seven eight</summary>\n\nno no\n</details>\n\nnine\n"
    assert len(_visible_words(seen + folded)) == 9


def test_the_readme_has_one_command_for_each_kind_of_reader():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## For whom\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line]
    assert [re.match(r"- \*\*(\w+)\*\*", line)[1] for line in lines] == [
        *("Readers", "Teachers", "Experimenters"),
    ]
    commands = [re.findall(r"`((?:make|\.venv/bin/python) [^`]+)`", line) for line in lines]
    assert [len(found) for found in commands] == [1, 1, 1]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert all(c.split()[1] in targets for (c,) in commands if c.startswith("make"))


def test_what_lies_behind_the_picture_is_linked_right_below_it():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    below = text.partition("](docs/picture.png)")[2].partition("\n## ")[0]
    (line,) = re.findall(r"^\*\*Behind the picture:\*\*.*$", below, re.M)
    links = re.findall(r"\]\(([^)]+)\)", line)
    for file in ("docs/site/latents.md", "docs/site/glossary.md", "docs/cheat_sheet.md"):
        assert file in links
    (notebook,) = [link for link in links if link.endswith(".ipynb")]
    asked = "\n".join(_cells(ROOT / notebook))
    assert "**Exercise" in asked and "## Check yourself" in asked and "<details>" in asked


COMMAND = re.compile(r"-m helpers\.runs ([a-z][^`\n#\u2026]*)")


def test_the_commands_that_the_texts_show_are_accepted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_pictures").mkdir()
    texts = [path.read_text(encoding="utf-8") for path in readme.pages()]
    texts += ["\n".join(_cells(path)) for path in notebooks.series()]
    shown = set()
    for command in [found for text in texts for found in COMMAND.findall(text)]:
        options = shell._parser().parse_args(shell._joined(shlex.split(command)))
        if hasattr(options, "sweep"):
            assert (ROOT / options.sweep).is_file(), command
        if hasattr(options, "parameter"):
            files = [ROOT / name for name in options.file if name != "my.yaml"]
            notebook = notebooks.find(options.notebook)
            parameters.gather(notebook, options.profile, files, options.parameter)
            shown |= {name for name, _ in options.parameter}
    assert {"latent", "betas", "seed"} <= shown


def test_the_parameter_files_that_the_texts_name_exist():
    named = re.compile(r"notebooks/(?:sweeps|parameters)/[0-9][\w.-]*\.yaml")
    paths = [*readme.pages(), *ROOT.glob("notebooks/py/*.py"), *ROOT.glob("helpers/**/*.py")]
    found = [(path, name) for path in paths for name in named.findall(path.read_text("utf-8"))]
    assert len(found) >= 4
    assert [f"{path.name}: {name}" for path, name in found if not (ROOT / name).is_file()] == []


def test_the_results_say_at_which_size_the_bar_of_speed_is_met():
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    (bar,) = re.findall(r"^\| Do training steps .* use (\d+) % of", text, re.M)
    share = readme.known_results()["run_step_speed__share_of_sgemm"]
    for size in ("28×28×1", "32×32×3"):
        (word,) = re.findall(rf"at {size}[^:|]*?, (yes|no): \*\*\d+<!--=", text)
        assert word == ("yes" if share[f"ours, {size}"] >= int(bar) / 100 else "no"), size


# ---- the guide to the edge benchmark

# What `helpers.edges` is said not to need, and joblib, which only several processes need.
UNNEEDED = (
    *("keras", "tensorflow", "jax", "torch", "matplotlib", "skimage", "sklearn", "PIL"),
    *("pooch", "yaml", "sympy", "joblib", "papermill", "nbformat"),
)


def _run_without(code, folder, names=UNNEEDED):
    """Run code in an interpreter where these packages cannot be imported."""
    code = f"import sys\nsys.modules.update(dict.fromkeys({names!r}))\n{code}"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def test_the_guide_to_the_edge_benchmark_runs_without_keras(tmp_path):
    text = (ROOT / "docs" / "edge_benchmark.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    # On a slow machine the benchmark would call for more processes, and these need joblib.
    code = f"from helpers.edges import berkeley\nberkeley.ALONE_SECONDS = 1e9\n{code}"
    done = _run_without(code, tmp_path)
    assert done.returncode == 0, done.stderr
    result, plain, people = done.stdout.splitlines()
    scores = [float(re.search(pattern, line)[1]) for pattern, line in (
        (r"^ODS (0\.\d+) .* 10 images$", result),
        (r"^Without suppression: (0\.\d+)$", plain),
        (r"each against the other: (0\.\d+)$", people),
    )]  # fmt: skip
    assert 0.9 < scores[1] < scores[0] < scores[2] < 1, done.stdout
    # The second call finds every image in the file, and says the same.
    kept = (tmp_path / "edges.jsonl").read_bytes()
    assert kept.count(b"\n") == 10
    assert _run_without(code, tmp_path).stdout == done.stdout
    assert (tmp_path / "edges.jsonl").read_bytes() == kept


def test_what_cannot_be_imported_is_missed(tmp_path):
    done = _run_without("import keras", tmp_path)
    assert done.returncode == 1 and "ModuleNotFoundError" in done.stderr
