"""helpers.runs: a value means the same however it is given, and a path is looked at before a run."""

import hashlib
import itertools
import json
import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from helpers.runs import __main__ as shell
from helpers.runs import check_parameters
from helpers.runs.notebooks import BadRequest, series
from helpers.runs.parameters import check_values, gather, parameters_of, read_file
from helpers.runs.rules import check_value, describe
from helpers.runs.sweep_plan import read_sweep
from helpers.runs.tables import collect
from helpers.runs.values import meant, typed
from helpers.runs.yaml_reader import Plain, read

CELLS = [
    "count = 9  # how many\nrate = 0.25  # of learning\nlabel = 'a'  # a text\nrates = [0.1]  # many\n"
    "sizes = [16]  # sides\nfast = False  # or not\ntitle = None  # or a text\n"
    "photo = ''  # of yours\nplace = ''  # of more\nfree = 2  # without a rule\nseed = 0  # of it",
    "from helpers.runs import check_parameters\n"
    "check_parameters(globals(), count=range(-99, 200_000), rate=(-1.0, 1e6), label=str,\n"
    "    rates={'list_of': (0.0, 1.0)}, sizes={'list_of': [16, 32]}, fast=bool,\n"
    "    title={'or_none': str}, photo='image', place='folder', seed=range(2**32))",
]


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """The path of a notebook that nothing runs, the only one of its series."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    path = tmp_path / "notebooks" / "04_count.ipynb"
    (path.parent / "parameters").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(path.parent))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def asked(monkeypatch):
    """Whatever the command would have run: notebook, output and values, and no kernel."""
    from helpers.runs import execute

    runs = []

    def pretend(notebook, output, values=None, **_):
        runs.append((Path(notebook), Path(output), values))
        return execute.Run(Path(notebook), Path(output), 0.0, 0)

    monkeypatch.setattr(execute, "execute", pretend)
    return runs


def same(found, value):
    return found == value and type(found) is type(value)


# ---- numbers


NUMBERS = [
    ("rate", "1e-3", 0.001),
    ("rate", "1E5", 100000.0),
    ("rate", ".5", 0.5),
    ("rate", "-1e-3", -0.001),
    ("rate", "-.5", -0.5),
    ("rate", "1.", 1.0),
    ("rate", "12e03", 12000.0),
    ("rate", "+5e-1", 0.5),
    ("rate", "1_0.5", 10.5),
    ("rate", "7", 7),
    ("count", "64", 64),
    ("count", "-3", -3),
    ("count", "+5", 5),
    ("count", "1e3", 1000),
    ("count", "1E5", 100000),
    ("count", "10e-1", 1),
    ("count", "1_000", 1000),
    ("count", "0x10", 16),
    ("count", "0o10", 8),
    ("count", "0b11", 3),
    ("seed", "1e3", 1000),
    ("free", "12e1", 120),
    ("fast", "true", True),
    ("fast", "False", False),
]


@pytest.mark.parametrize(("name", "text", "value"), NUMBERS)
def test_a_value_is_the_same_in_every_way(notebook, name, text, value):
    """`-p`, `-f` in YAML and JSON, profile, and the entries of a sweep, with and without quotes."""
    file, sweep = Path("my.yaml"), Path("sweep.yaml")
    found = [gather(notebook, assignments=[(name, text)])[0].get(name)]
    for written in (f"{name}: {text}", f"{name}: '{text}'", json.dumps({name: text})):
        file.write_text(written)
        found.append(gather(notebook, files=[file])[0].get(name))
    (notebook.parent / "parameters" / "04.smoke.yaml").write_text(f"{name}: {text}")
    found.append(gather(notebook, "smoke")[0][name])
    entries = [f"grid: {{{name}: [{text}]}}", f"runs: [{{{name}: {text}}}]"]
    entries += [f"parameters: {{{name}: {text}}}", f"profile: smoke\nruns:\n- {name}: '{text}'"]
    entries += [f"seeds: [{text}]"] if name == "seed" else []
    for entry in entries:
        sweep.write_text(f"notebooks: '04'\n{entry}\n")
        (job,) = read_sweep(sweep).jobs
        found.append(job.values[name])
    # A default that is said is no change.
    found = [False if v is None and value is False else v for v in found]
    assert [v for v in found if not same(v, value)] == []


def by_papermill(path, values):
    """What the notebook's names hold after its first two cells, as plain papermill runs them."""
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    node = parameterize_notebook(
        load_notebook_node(str(path)), values, kernel_name="python3", language="python"
    )
    space = {}
    for cell in node.cells[:3]:
        exec(cell.source, space)
    return space


@pytest.mark.parametrize(("name", "text", "value"), NUMBERS)
def test_plain_papermill_means_the_same(notebook, name, text, value):
    from papermill.cli import _resolve_type
    from papermill.iorw import read_yaml_file

    Path("my.yaml").write_text(f"{name}: {text}")
    ways = {"-p": _resolve_type(text), "-r": text, "-f": read_yaml_file("my.yaml")[name]}
    for way, given in ways.items():
        if name == "free" and not isinstance(given, int):
            continue  # no rule says what a text should be
        if way == "-p" and isinstance(given, float) and name in ("count", "seed"):
            # papermill has made 1000.0 of 1e3, and a number with a point is no integer.
            with pytest.raises(ValueError, match=r"Write \d+, without a point"):
                by_papermill(notebook, {name: given})
            continue
        assert same(by_papermill(notebook, {name: given})[name], value), way


def test_papermill_gives_lists_bools_and_nothing_as_texts(notebook):
    space = by_papermill(notebook, {"rates": "[1e-1, .5]", "sizes": ["16", "32e0"], "fast": "true"})
    assert space["sizes"] == [16, 32] and {type(size) for size in space["sizes"]} == {int}
    assert space["rates"] == [0.1, 0.5] and space["fast"] is True
    space = by_papermill(notebook, {"photo": None, "title": "None", "label": "1e-3"})
    assert space["photo"] == "" and space["title"] == "None" and space["label"] == "1e-3"


def test_a_table_shows_the_values_that_were_meant(notebook, tmp_path):
    node = nbformat.read(notebook, as_version=4)
    payload = {"results": {"a": 1.0}, "bands": {}, "headline": None, "profile": None}
    shown = nbformat.v4.new_output("display_data", {"application/vnd.vae-results+json": payload})
    node.cells.append(nbformat.v4.new_code_cell("record()", outputs=[shown]))
    node.metadata["papermill"] = {"parameters": {"rate": "1e-3"}, "exception": None}
    nbformat.write(node, tmp_path / "04_count.ipynb")
    assert collect(tmp_path)[0][0]["rate"] == 0.001


# ---- what YAML 1.1 and others would turn into something else


WRITTEN = ["010", "1:30", "190:20:30.15", "yes", "on", "2024-01-01", "0777", ".inf", "nan", "1e400"]
WRITTEN += ["1__0", "1,5", "-010", "１", "1e-400", "0x1.8p3", "1/2", "50%", "1_e3"]


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_no_number_is_refused_and_stays_a_text_where_a_text_may_stand(notebook, text):
    file = Path("my.yaml")
    for name, written in itertools.product(("count", "rate", "fast", "free"), (text, f"'{text}'")):
        file.write_text(f"{name}: {written}", "utf-8")
        with pytest.raises(BadRequest, match=f"Bad parameter '{name}'. Received: '"):
            gather(notebook, files=[file])
        with pytest.raises(BadRequest, match=f"Bad parameter '{name}'. Received: '"):
            gather(notebook, assignments=[(name, text)])
    for name in ("label", "title"):
        file.write_text(f"{name}: {text}", "utf-8")
        assert gather(notebook, files=[file])[0] == {name: text}
        assert gather(notebook, assignments=[(name, text)])[0] == {name: text}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("count", "010", "no zeros in front"),
        ("rate", "1:30", "no colon"),
        ("rate", "\u22120.5", "The minus sign is -"),
        ("rate", "0,5", "The decimal sign is a point"),
        ("fast", "yes", "Write true or false"),
        ("fast", "1", "Write true or false"),
        ("count", "64.0", "Write 64, without a point"),
        ("count", "1.5e3", "Write 1500, without a point"),
        ("count", "1e5000", "Received: '1e5000'"),
        ("rate", "null", "Received: None"),
        ("label", "null", "Received: None"),
        ("label", "~", "Received: None"),
        ("rates", "0.5", "a list"),
        ("rates", "0.5, 0.6", r"in brackets, such as \[a, b\]"),
        ("rates", "[]", "of one item or more"),
        ("count", "1,000", "has no comma"),
    ],
)
def test_a_refusal_says_how_to_write_it(notebook, name, text, words):
    Path("my.yaml").write_text(f"{name}: {text}")
    for given in ({"assignments": [(name, text)]}, {"files": ["my.yaml"]}):
        with pytest.raises(BadRequest, match=words):
            gather(notebook, **given)


def test_the_notebook_says_it_too():
    with pytest.raises(ValueError, match="Write it in quotes: '7'"):
        check_parameters({"label": 7}, label=str)
    space = {"rate": "1e-3", "n": "010"}
    with pytest.raises(ValueError, match=r"'n'. Received: '010' \(str\).*no zeros in front"):
        check_parameters(space, rate=(0, 1), n=range(99))
    assert space["n"] == "010"


def test_nothing_and_texts_in_quotes(notebook):
    for text in ("null", "~", "None", "none", "NULL"):
        assert gather(notebook, assignments=[("title", "b"), ("title", text)]) == ({}, True)
    for text in ("'null'", '"~"', "'1e-3'", "'a' # 'b'", "[a", "#1", "photo #3.jpg", "&x", "a: b"):
        kept = text[1:-1] if text[0] == text[-1] and "#" not in text else text
        assert gather(notebook, assignments=[("label", text)])[0] == {"label": kept}
    # A text that looks like a list stays one where only a text may stand.
    assert gather(notebook, assignments=[("label", "[a]")])[0] == {"label": "[a]"}
    assert gather(notebook, assignments=[("label", "")])[0] == {"label": ""}
    for text in ("[1e-1, .5]", "(1e-1, .5)", " [ 1e-1,.5 ] "):
        assert gather(notebook, assignments=[("rates", text)])[0] == {"rates": [0.1, 0.5]}
    assert meant(typed("[None, True, 'true', 1e3]")) == [None, True, "true", 1000.0]


BROKEN = {
    "a key twice": ("count: 1\nrate: 0.1\ncount: 2", "gives 'count' twice (line 3)"),
    "a key twice in quotes": ("count: 1\n'count': 2", "gives 'count' twice (line 2)"),
    "a key twice inside": ("rates: [{a: 1, a: 2}]", "gives 'a' twice (line 1)"),
    "a key twice in JSON": ('{"count": 1, "count": 2}', "gives 'count' twice (line 1)"),
    "a bool for a key": ("yes: 3", "Unknown parameter 'yes'"),
    "a number for a key": ("1: 3", "Unknown parameter '1'"),
    "a list for a key": ("? [a]\n: 3", "has a key that is no name (line 1)"),
    "a tag": ("count: !!int '3'", "has a tag, 'tag:yaml.org,2002:int'"),
    "a tag of a text": ("label: !!str null", "has a tag, 'tag:yaml.org,2002:str'"),
    "a tag of one's own": ("label: !my:str x", "has a tag, '!my:str'"),
    "a tag of a key": ("!!str count: 3", "has a tag"),
    "half a character": ('{"label": "\\ud83d"}', "has half a character (line 1)"),
    "half a character in a key": ('{"\\ud83d": 1}', "has half a character (line 1)"),
    "a Python tag": ("count: !!python/object/apply:os.getcwd []", "has a tag"),
    "itself": ("rates: &a [*a]", "holds itself (line 1)"),
    "two documents": ("count: 1\n---\ncount: 2", "is not YAML: expected a single document"),
    "a tab": ("rates:\n\t- 1", "is not YAML"),
    "a list": ("- 1", "must map names to values"),
    "a number": ("3", "must map names to values. Received: 3"),
    "no blank": ("{count:8}", "Did you mean 'count'"),
    "a merge of nothing": ("<<: 3", "brings in no mapping"),
    "UTF-16": ("count: 1".encode("utf-16"), "is not YAML in UTF-8"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_by_name(notebook, capsys, case):
    text, words = BROKEN[case]
    Path("my.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert shell.main(["run", "04", "-f", "my.yaml"]) == 2
    assert words in capsys.readouterr().err
    (notebook.parent / "parameters" / "04.smoke.yaml").write_bytes(Path("my.yaml").read_bytes())
    assert shell.main(["run", "04", "--profile", "smoke"]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("grid: {count: [1], count: [2]}", "gives 'count' twice"),
        ("runs: [{count: 1, count: 2}]", "gives 'count' twice"),
        ("seeds: 2\nseeds: 3", "gives 'seeds' twice"),
        ("parameters: {count: 1}\ngrid: {count: [2]}", "stands in `parameters` and in `grid`"),
        ("grid: {seed: [1]}\nseeds: 2", "sets the parameter 'seed', which is set already"),
        ("parameters: {seed: 1}\nseeds: 2", "which is set already"),
        ("grid: {count: [010]}", "no zeros in front"),
        ("grid: {rate: [1:30]}", "no colon"),
        ("grid: {rates: [0.5]}", "a list"),
        ("parameters: []", "must map names to values"),
        ("parameters: ''", "must map names to values"),
        ("grid: ''", "must map names to values"),
    ],
)
def test_a_sweep_does_not_choose_between_two_values(notebook, entry, words):
    Path("sweep.yaml").write_text(f"notebooks: '04'\n{entry}")
    with pytest.raises(BadRequest, match=words):
        read_sweep("sweep.yaml")


def test_a_run_is_listed_once_however_its_numbers_are_written(notebook):
    text = "notebooks: '04'\nparameters: ~\ngrid: {rate: [1, 1.0, 1e0], rates: [[1], [1.0]]}"
    Path("sweep.yaml").write_text(text)
    assert len(read_sweep("sweep.yaml").jobs) == 1


def test_numbers_of_numpy_are_numbers(notebook):
    given = {"count": np.int64(3), "rate": np.float64(0.5), "fast": np.True_, "free": np.int8(4)}
    found = check_values(notebook, given | {"rates": [np.float64(0.25)]})
    expected = {"count": 3, "rate": 0.5, "fast": True, "free": 4, "rates": [0.25]}
    assert json.loads(json.dumps(found)) == expected


def test_json_writes_some_characters_in_two_halves(notebook):
    Path("my.json").write_text(json.dumps({"label": "\U0001f600"}))
    assert "\\ud83d\\ude00" in Path("my.json").read_text()
    assert gather(notebook, files=["my.json"])[0] == {"label": "\U0001f600"}


def test_what_is_no_text_is_refused(notebook, capsys):
    """A shell hands over bytes; those that are not UTF-8 could not be written in a notebook."""
    for name, text in (("label", "a\udcff"), ("photo", "a\udcff.jpg"), ("sizes", "[a\udcff]")):
        assert shell.main(["run", "04", "-p", name, text]) == 2
        assert f"Bad parameter {name!r}." in (error := capsys.readouterr().err)
        assert "which is not in UTF-8" in error


def test_anchors_and_shared_entries_are_read(notebook):
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 4}, *a]}\nd: *a"
    assert read(text)["b"] == {"x": "1", "y": "3"} and read(text)["c"] == {"x": "4", "y": "2"}
    assert read("") is None and isinstance(read("a"), Plain) and not isinstance(read("'a'"), Plain)
    Path("my.yaml").write_bytes(b"\xef\xbb\xbfcount: 5\r\nrate: 1e-3\r\n")
    assert check_values(notebook, read_file("my.yaml")) == {"count": 5, "rate": 0.001}
    Path("my.yaml").write_text("")
    assert gather(notebook, files=["my.yaml"]) == ({}, True)


# ---- the forms of -p


@pytest.mark.parametrize(
    "words",
    [
        ["-p", "rate", "-1e-3"],
        ["-p", "rate=-1e-3"],
        ["-prate=-1e-3"],
        ["--parameter", "rate", "-1e-3"],
        ["--parameter", "rate=-1e-3"],
        ["--parameter=rate=-1e-3"],
    ],
)
def test_forms_of_a_parameter(notebook, asked, words):
    assert shell.main(["run", "04", *words, "--kernel", "python3"]) == 0
    assert shell.main(["run", *words, "04", "--kernel", "python3"]) == 0
    assert [values for _, _, values in asked] == [{"rate": -0.001}] * 2


def test_a_value_may_hold_blanks_and_signs(notebook, asked):
    given = {"label": "a = b, -p c", "title": "-x"}
    words = [word for name, text in given.items() for word in ("-p", name, text)]
    assert shell.main(["run", "04", *words, "--kernel", "python3"]) == 0
    words = [word for name, text in given.items() for word in ("-p", f"{name}={text}")]
    assert shell.main(["run", "04", *words, "--kernel", "python3"]) == 0
    assert [values for _, _, values in asked] == [given] * 2


@pytest.mark.parametrize(
    "words",
    [
        ["-p"],
        ["-p", "rate"],
        ["-p", "rate", "--log"],
        ["-p", "rate", "--5"],
        ["-p", "=3"],
        ["-p", "rate", "1", "2"],
    ],
)
def test_half_a_parameter_is_refused(notebook, asked, capsys, words):
    with pytest.raises(SystemExit) as error:
        shell.main(["run", "04", *words])
    assert error.value.code == 2 and not asked
    assert "argument" in capsys.readouterr().err


@pytest.mark.parametrize(
    "labels",
    [("x" * 200 + "a", "x" * 200 + "b"), ("像" * 99 + "a", "像" * 99 + "b"), ("a b", "a-b")],
)
def test_names_of_two_runs_differ_and_fit_a_file_system(notebook, asked, labels):
    for label in labels:
        assert shell.main(["run", "04", "-p", "label", label, "--kernel", "python3"]) == 0
    first, second = (output.name for _, output, _ in asked)
    assert first != second and max(len(name.encode()) for name in (first, second)) < 160


def test_runs_with_files_from_a_pipe_are_named_after_what_was_in_it(notebook, asked):
    """As `-f <(echo ...)` of a shell gives it: a pipe can be read once."""
    texts = (b"label: b\n", b"label: c\r\n")
    for text in texts:
        reads, writes = os.pipe()
        os.write(writes, text)
        os.close(writes)
        try:
            words = ["run", "04", "-f", f"/dev/fd/{reads}", "--kernel", "python3"]
            assert shell.main(words) == 0
        finally:
            os.close(reads)
    assert [values for _, _, values in asked] == [{"label": "b"}, {"label": "c"}]
    digests = [hashlib.sha1(text).hexdigest()[:6] for text in texts]
    assert [output.stem.rpartition("-")[2] for _, output, _ in asked] == digests


# ---- paths


@pytest.fixture
def photo(tmp_path):
    """A folder that is not that of the notebooks, with a picture and other things in it."""
    place = tmp_path / "my pictures"
    place.mkdir()
    Image.new("RGB", (8, 6), "red").save(place / "my.jpg")
    (place / "note.txt").write_text("no picture")
    (place / "empty.png").touch()
    (place / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(place / "pipe.jpg")
    (place / "cut.jpg").write_bytes((place / "my.jpg").read_bytes()[:200])
    return place / "my.jpg"


def test_a_path_starts_in_the_callers_folder(notebook, asked, photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    monkeypatch.setenv("HOME", str(photo.parent))
    Path("my.yaml").write_text("photo: my.jpg\nplace: .\n")
    for words in (
        ["-p", "photo", "my.jpg", "-p", "place", "."],
        ["-p", "photo", "~/my.jpg", "-p", f"place={photo.parent}"],
        ["-p", "photo", "../my pictures/my.jpg", "-p", "place", "./"],
        ["-f", "my.yaml"],
    ):
        assert shell.main(["run", "04", *words, "--kernel", "python3"]) == 0
    values = [values for _, _, values in asked]
    assert values == [{"photo": str(photo), "place": str(photo.parent)}] * 4
    Path("sweep.yaml").write_text("notebooks: '04'\ngrid: {photo: [my.jpg, '', ~]}")
    jobs = read_sweep("sweep.yaml").jobs
    assert [job.values["photo"] for job in jobs] == [str(photo), ""]
    Image.new("RGB", (8, 6), "blue").save(photo)  # other pixels under the same name: another run
    assert read_sweep("sweep.yaml").jobs[0].id != jobs[0].id
    assert read_sweep("sweep.yaml").jobs[1].id == jobs[1].id


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("photo", "my.jpeg", r"my.jpeg is not there\. Relative paths start in .*my pictures\."),
        ("photo", "my.jpeg", r"Nearest: 'my.jpg'"),
        ("photo", "no/such.jpg", "is not there"),
        ("photo", "../my pictures", "is a folder"),
        ("photo", "note.txt", "cannot be read as a picture"),
        ("photo", "empty.png", "cannot be read as a picture"),
        ("photo", "cut.jpg", "cannot be read as a picture"),
        ("photo", "x" * 300, "File name too long"),
        ("photo", "https://a.org/a.jpg", "is not there"),
        ("place", "my.jpg", "is no folder"),
        ("place", "nowhere", "is not there"),
        ("photo", "[my.jpg]", "is not there"),
        ("photo", "pipe.jpg", "is no file"),
        ("photo", "gone.jpg", r"gone.jpg is a link to what is not there\."),
        ("place", "gone.jpg", "is a link to what is not there"),
        ("photo", "~no_such_user/a.jpg", r"home directory\.\n"),
    ],
)
def test_a_path_is_looked_at_before_a_kernel_starts(
    notebook, asked, photo, monkeypatch, capsys, name, value, words
):
    monkeypatch.chdir(photo.parent)
    assert shell.main(["run", "04", "-p", name, value]) == 2
    Path("my.yaml").write_text(json.dumps({name: value}))
    assert shell.main(["run", "04", "-f", "my.yaml"]) == 2
    Path("sweep.yaml").write_text(json.dumps({"notebooks": "04", "runs": [{name: value}]}))
    assert shell.main(["sweep", "sweep.yaml"]) == 2
    errors = capsys.readouterr().err
    assert len(re.findall(words, errors)) == 3, errors
    assert not asked and f"Bad parameter '{name}'" in errors


def test_no_path_is_none(notebook, photo):
    for text in ("''", "", "null", "~", "none"):
        file = photo.parent / "my.yaml"
        file.write_text(f"photo: {text}\nplace: {text}")
        assert gather(notebook, files=[file]) == ({}, True)
        assert gather(notebook, assignments=[("photo", text)]) == ({}, True)
    assert check_value("x", 3, "file").startswith("Bad parameter 'x'. Received: 3 (int). Allowed:")
    assert check_value("x", str(photo.parent / "note.txt"), "file") is None
    assert describe({"or_none": "folder"}) == 'None, or the path of a folder, or "" for none'


def test_the_notebook_looks_at_a_path_too(photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    space = {"photo": "my.jpg", "none": ""}
    check_parameters(space, photo="image", none="image")
    assert space == {"photo": str(photo), "none": ""}
    with pytest.raises(ValueError, match=r"no.jpg is not there\. Relative paths start in"):
        check_parameters({"photo": "no.jpg"}, photo="image")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("out", "mine", "mine is not empty: name another folder"),
        ("out", "mine/net.keras", "is no folder"),
        ("image_path", "mine/net.keras", "cannot be read as a picture"),
        ("image_path", "gone", "gone is not there"),
    ],
)
def test_11_takes_no_folder_that_is_in_use(
    asked, tmp_path, monkeypatch, capsys, name, value, words
):
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    Path("mine/net.keras").write_text("of before")
    assert shell.main(["run", "11", "-p", name, value, "--kernel", "python3"]) == 2
    assert words in capsys.readouterr().err and not asked
    known = {n.stem[:2]: n for n in series()}["11"]
    values, _ = gather(known, assignments=[("out", "new"), ("image_path", "mine")])
    here = Path.cwd()  # and not the folder of the notebook
    assert values == {"out": str(here / "new"), "image_path": str(here / "mine")}


OWN = [n for n in series() if {"dataset", "path"} <= parameters_of(n).keys()]


@pytest.mark.parametrize("own", OWN, ids=lambda path: path.stem)
def test_a_path_is_for_the_data_set_that_reads_it(own, asked, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = {"path": str(tmp_path)}
    words = ["run", str(own), "-p", "path", ".", "--kernel", "python3"]
    Path("my.yaml").write_text("dataset: shapes\n")
    for more in ([], ["-f", "my.yaml"], ["--profile", "smoke"]):
        assert shell.main([*words, *more]) == 2
        assert "add -p dataset folder" in capsys.readouterr().err
    assert not asked
    assert shell.main([*words[:2], "-p", "dataset", "folder"]) == 2
    assert "add -p path FOLDER" in capsys.readouterr().err and not asked
    assert shell.main([*words, "-p", "dataset", "folder"]) == 0
    assert asked.pop()[2] == given | {"dataset": "folder"}
    assert shell.main(["run", str(own), "-p", "path", "", "--kernel", "python3"]) == 0

    sweep = Path("sweep.yaml")
    sweep.write_text(f"notebooks: '{own.name[:2]}'\nparameters: {{path: .}}\n")
    with pytest.raises(BadRequest, match="Parameter 'path' is read for dataset 'folder' only"):
        read_sweep(sweep)
    sweep.write_text(f"{sweep.read_text()}grid: {{dataset: [folder]}}")
    assert [job.values for job in read_sweep(sweep).jobs] == [given | {"dataset": "folder"}]

    rules = {name: parameters_of(own)[name].rule for name in ("dataset", "path")}
    check_parameters({"dataset": "folder", **given}, **rules)
    with pytest.raises(ValueError, match="Received: dataset = 'shapes'"):
        check_parameters({"dataset": "shapes", **given}, **rules)
    with pytest.raises(ValueError) as failure:
        check_parameters({"dataset": "shape", **given}, **rules)
    assert "\n" not in str(failure.value)


def test_folders_of_the_environment_are_the_callers(notebook, monkeypatch):
    from helpers.runs.notebooks import check_environment

    Path("archives").mkdir()
    monkeypatch.setenv("HELPERS_DATA", "archives")
    monkeypatch.setenv("HELPERS_CACHE", "~/cache")
    found = check_environment({"dataset": "pets"})
    assert found["HELPERS_DATA"] == str(Path.cwd() / "archives")
    assert found["HELPERS_CACHE"] == str(Path.home() / "cache")
    monkeypatch.setenv("HELPERS_DATA", "no/such")
    assert check_environment({"dataset": "shapes"}) and check_environment({})
    with pytest.raises(BadRequest, match="HELPERS_DATA must name a folder"):
        check_environment({"dataset": "pets"})
