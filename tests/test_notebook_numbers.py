"""No text, link or name of a file speaks of a notebook under a number that it does not have.

`problems` looks at one text; doctored texts show that it finds each kind of slip.
"""

import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from authoring import readme
from helpers.runs.notebook_names import FORMER_NOTEBOOKS
from helpers.runs.notebooks import series_names
from helpers.runs.parameter_cells import read_parameters

ROOT = Path(__file__).resolve().parents[1]
KNOWN = series_names()
NUMBERS = [name[:2] for name in KNOWN]
# The one place that names the notebooks of before.
TABLE = "helpers/runs/notebook_names.py"

TWO = r"`?\**(\d\d)\**`?"
NAME = re.compile(r"(?<!\w)\d\d_[a-z](?:(?!__)\w)*")
QUOTED = re.compile(r"`(\d\d)`")
LIST = re.compile(rf"\b[Nn]otebooks?:? {TWO}(?:(?:, and|,| and| or| to| also) {TWO})*(?![\w%])")
LINK = re.compile(r"\[([^\[\]]*)\]\((?:[\w./]*/)?(\d\d)_\w+\.(?:ipynb|html|md)[^)]*\)")
PICTURE = re.compile(r"docs/pictures/(\d\d)\.png")
COMMAND = re.compile(
    r"(?:helpers\.runs|vae-runs) (?:run|list) (\d\d)\b|authoring build((?: \d\d)+)|\bNB=\"?((?:\d\d ?)+)"
)
FILE = re.compile(r"(?<![\w.])(\d\d)(?:\.(?:smoke|full)\b|\.[a-z-]+\.yaml)")
RECORD = re.compile(r"(?:[\"'`/]|(?:cache_dir|weights_out): )(\d\d)-[a-z{]")
MARKER = re.compile(r"<!--=(?:run_|n)(\d\d)_")
SWEEP = re.compile(r"\bnotebooks: \"(\d\d)\"")


def problems(text, tests=False):
    """What a text says of notebooks that are not there, or gives another's number.

    Args:
        text: of any file.
        tests: whether it is a test, which may make up notebooks; none of a former name.
    """
    found = [f"a former name, {name}" for name in FORMER_NOTEBOOKS if name in text]
    if tests:
        return found
    found += [f"no notebook {name}" for name in NAME.findall(text) if name not in KNOWN]
    named = [*QUOTED.findall(text), *SWEEP.findall(text)]
    for pattern in (PICTURE, FILE, RECORD, MARKER):
        named += pattern.findall(text)
    for lists in (LIST.finditer(text), COMMAND.finditer(text)):
        for match in lists:
            numbers = re.findall(r"\b\d\d\b", match[0])
            named += numbers
            if numbers != sorted(set(numbers)):
                found.append(f"numbers out of their order: {match[0]}")
    found += [f"no notebook {number}" for number in named if number not in NUMBERS]
    for says, number in LINK.findall(text):
        told = re.match(TWO, says)
        if told and told[1] != number:
            found.append(f"a link says {told[1]} and leads to {number}: {says}")
    return found


def _tracked():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout: which files are tracked is unknown")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def _texts():
    """`(name, text)` of every tracked text file; of a notebook, what is neither picture nor frame."""
    for name in _tracked():
        data = (ROOT / name).read_bytes()
        if b"\0" in data[:8192] or name in (TABLE, "requirements.txt"):
            continue
        text = data.decode("utf-8")
        if name.endswith(".ipynb"):
            text = "\n".join(_parts(nbformat.reads(text, as_version=4)))
        yield name, text


def _parts(notebook):
    for cell in notebook.cells:
        yield cell.source
        for output in cell.get("outputs", []):
            yield output.get("text", "")
            data = output.get("data", {})
            yield from (str(v) for kind, v in data.items() if not kind.startswith("image/"))


def test_no_text_names_a_notebook_that_is_not_there():
    found, looked = [], 0
    for name, text in _texts():
        found += [f"{name}: {problem}" for problem in problems(text, name.startswith("tests/"))]
        looked += 1
    assert looked > 250
    assert not found, "\n".join(found)


FOLDERS = (
    *("notebooks", "notebooks/py", "notebooks/parameters", "notebooks/sweeps"),
    *("docs/pictures", "data/results", "data/weights"),
)


def test_every_file_of_a_notebook_has_the_number_of_one():
    files = [Path(name) for name in _tracked() if Path(name).parent.as_posix() in FOLDERS]
    numbered = [path for path in files if re.match(r"\d", path.name)]
    assert {path.parent.as_posix() for path in numbered} == set(FOLDERS)
    assert [str(path) for path in numbered if path.name[:2] not in NUMBERS] == []


def test_the_problem_sets_go_with_notebooks_that_are_there():
    rows = re.findall(
        r"^\| `ps\d_\w+` \| ([^|]+) \|", (ROOT / "docs/teaching.md").read_text("utf-8"), re.M
    )
    assert len(rows) == 6
    for row in rows:
        numbers = row.split(", ")
        assert set(numbers) <= set(NUMBERS) and numbers == sorted(numbers), row


def test_the_project_is_about_notebooks_and_parameters_that_are_there():
    text = (ROOT / "notebooks/assignments/py/ps5_project.py").read_text("utf-8")
    (allowed,) = re.findall(r'p\["notebook"\] in \{([^}]*)\}', text)
    (row,) = re.findall(
        r"^\| `ps5_project` \| ([^|]+) \|", (ROOT / "docs/teaching.md").read_text("utf-8"), re.M
    )
    assert re.findall(r'"(\d\d)"', allowed) == row.split(", ")
    ((notebook, changed),) = re.findall(r'"notebook": "(\d\d)",\s*"changed": "(\w+)"', text)
    asked = re.findall(r"\(`(\w+)` in `(\d\d)`", text)
    assert len(asked) == 5
    for name, number in [*asked, (changed, notebook)]:
        path = next((ROOT / "notebooks").glob(f"{number}_*.ipynb"))
        assert name in read_parameters(path), (number, name)


def test_a_problem_set_names_the_notebooks_of_its_row():
    table = (ROOT / "docs/teaching.md").read_text("utf-8")
    looked = 0
    for path in sorted(ROOT.glob("notebooks/assignments/py/ps[12346]_*.py")):
        (row,) = re.findall(rf"^\| `{path.stem}` \| ([^|]+) \|", table, re.M)
        (needs,) = re.findall(r"\*\*What you'll need\.\*\* (.*)", path.read_text("utf-8"))
        assert QUOTED.findall(needs) == row.split(", "), path.name
        looked += 1
    assert looked == 5


def test_the_plan_has_every_notebook_and_the_short_one_says_what_it_leaves_out():
    text = (ROOT / "docs/teaching.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (\d*) ?\| ((?:\d\d(?:, | or )?)+) \|", text, re.M)
    assert [week for week, *_ in rows] == [str(n) for n in range(1, 13)]
    planned = {number for *_, row in rows for number in re.findall(r"\d\d", row)}
    assert planned == set(NUMBERS)
    left = re.findall(r"The notebooks of rows (\d+) and (\d+) are left out, for `ps5", text)
    assert left == [tuple(week for week, short, _ in rows if not short)]
    (project,) = re.findall(r"^\| `ps5_project` \| ([^|]+) \|", text, re.M)
    out = {n for week, _, row in rows if week in left[0] for n in re.findall(r"\d\d", row)}
    assert out and not out & set(project.split(", "))  # the project takes none of them


def test_what_the_pages_say_is_looked_at():
    # The patterns find something where there is something to find.
    text = "\n".join(path.read_text("utf-8") for path in readme.pages())
    text += "\n".join(p.read_text("utf-8") for p in ROOT.glob("notebooks/**/*.*y*ml"))
    text += "\n".join(p.read_text("utf-8") for p in ROOT.glob("notebooks/py/*.py"))
    for pattern in (NAME, QUOTED, LIST, LINK, PICTURE, COMMAND, FILE, RECORD, MARKER, SWEEP):
        assert len(pattern.findall(text)) >= 3, pattern.pattern
    assert len(set(QUOTED.findall(text))) >= 9


OLD, NOW = next(iter(FORMER_NOTEBOOKS.items()))
DOCTORED = {
    "a former name": (f"see {OLD}.ipynb", "a former name"),
    "a name that never was": ("[x](98_sing.ipynb)", "no notebook 98_sing"),
    "a number in prose": ("The rest is in `98`.", "no notebook 98"),
    "a list": (f"Notebooks {NUMBERS[0]}, {NUMBERS[1]} and 98 do.", "no notebook 98"),
    "a line of a docstring": (f"Notebooks: {NUMBERS[0]} to 98.", "no notebook 98"),
    "an order": (f"notebooks `{NUMBERS[2]}` and `{NUMBERS[1]}`", "out of their order"),
    "the number of a link": (f"[`{NUMBERS[0]}`]({NOW}.ipynb)", f"leads to {NOW[:2]}"),
    "a row of the map": (f"| [**{NUMBERS[0]}** Build]({NOW}.ipynb) |", f"leads to {NOW[:2]}"),
    "a row of the README": (f"| [{NUMBERS[0]} Build](notebooks/{NOW}.ipynb) |", "a link says"),
    "a picture": ("![x](../docs/pictures/98.png)", "no notebook 98"),
    "a command": ("python -m helpers.runs run 98 -p a 1", "no notebook 98"),
    "a build": (f"python -m authoring build {NUMBERS[0]} 98", "no notebook 98"),
    "a make": (f'make build NB="{NUMBERS[0]} 98"', "no notebook 98"),
    "a parameter file": ("`98.full-camvid.yaml`", "no notebook 98"),
    "a sweep file": ("notebooks/sweeps/98.labels.yaml", "no notebook 98"),
    "a sweep": ('notebooks: "98"', "no notebook 98"),
    "a record": ('results_of("98-shapes")', "no notebook 98"),
    "a kept folder": ("cache_dir: 98-shapes", "no notebook 98"),
    "a marker": ("1<!--=run_98_shapes__x-->", "no notebook 98"),
    "a marker of a notebook": ("1<!--=n98_x-->", "no notebook 98"),
}


@pytest.mark.parametrize("case", DOCTORED)
def test_a_slip_is_found(case):
    text, says = DOCTORED[case]
    found = problems(text)
    assert found and says in found[0], found
    assert bool(problems(text, tests=True)) == (case == "a former name")


def test_what_is_no_notebook_is_left_alone():
    for text in (
        f"`{NUMBERS[0]}` and `{NUMBERS[1]}`, notebooks {NUMBERS[1]} to {NUMBERS[3]}",
        f"[`{NOW[:2]}`](notebooks/{NOW}.ipynb#place), [Build]({NOW}.html)",
        "98 % of 98 notebooks, 1998-04-01, `0.98`, `98,304`, x_98_a, 98.5, notebook 985",
        "`-98`, 12.98.smoke, level 98, 98-fold",
    ):
        assert problems(text) == [], text
