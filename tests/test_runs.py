"""helpers.runs: rules, the parameter contract, the record, execution, authoring, the shell."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from authoring import __main__ as authoring
from authoring import notebook_cells, number_markers, stored_notebook
from helpers.runs import __main__ as shell
from helpers.runs import check_parameters, provenance, read_parameters, read_results, record
from helpers.runs.execute import execute
from helpers.runs.notebooks import BadRequest, find
from helpers.runs.parameters import gather
from helpers.runs.results import MIME, folded, outside_bands
from helpers.runs.rules import check_value
from helpers.runs.values import meant, typed

# ---- rules

GOOD = [
    ("a", ["a", "b"]),
    (2, [1, 2]),
    (1, range(1, 3)),
    (np.int64(2), range(1, 3)),
    (0.5, (0.0, 1.0)),
    (1, (0.0, 1.0)),
    (np.float32(0.5), (0, 1)),
    (1e9, (0.0, None)),
    (-3, (None, None)),
    (False, bool),
    (np.True_, bool),
    ("any", str),
    (None, {"or_none": str}),
    ("a.png", {"or_none": str}),
    ([1, 2], {"list_of": range(5)}),
]
BAD = [
    ("shape", ["shapes", "camvid"], "one of 'shapes', 'camvid'. Nearest: 'shapes'"),
    (True, [1, 2], "one of 1, 2"),
    (2.0, [1, 2], "Nearest: 2"),
    (True, range(0, 5), "an integer from 0 to 4"),
    (np.True_, range(0, 5), "an integer from 0 to 4"),
    (3.0, range(0, 5), "an integer from 0 to 4"),
    ("3", range(0, 5), "Received: '3' (str)"),
    (7, range(0, 5), "Nearest: 4"),
    (-0.1, (0.0, 1.0), "a number from 0.0 to 1.0. Nearest: 0.0"),
    (True, (0.0, 1.0), "a number from 0.0 to 1.0"),
    (float("nan"), (0.0, 1.0), "Received: nan"),
    (float("inf"), (0.0, None), "a number of 0.0 or more"),
    (0, bool, "True or False"),
    ("False", bool, "True or False"),
    (3, str, "a text in quotes"),
    (None, str, "Received: None"),
    (3, {"or_none": str}, "None, or a text in quotes"),
    ([], {"list_of": range(5)}, "a list, each item an integer from 0 to 4"),
    ([1, 9], {"list_of": range(5)}, "'x[1]'"),
    (np.ones(3), ["a"], "one of 'a'"),
]


@pytest.mark.parametrize(("value", "rule"), GOOD)
def test_rule_allows(value, rule):
    assert check_value("x", value, rule) is None


@pytest.mark.parametrize(("value", "rule", "message"), BAD)
def test_rule_refuses(value, rule, message):
    problem = check_value("x", value, rule)
    assert message in problem and problem.startswith("Bad parameter 'x")


@pytest.mark.parametrize("rule", [None, 3, "a", (1, 2, 3), {"or": str}, [], float])
def test_unknown_rule(rule):
    with pytest.raises(TypeError, match="The rule of 'x' must be"):
        check_value("x", 1, rule)


def test_check_parameters_reports_everything_at_once():
    with pytest.raises(ValueError) as error:
        check_parameters({"beta": -1.0, "epochs": 3}, beta=(0.0, 10.0), epoch=range(9), epochs=str)
    lines = str(error.value).splitlines()
    assert lines[0] == (
        "Bad parameter 'beta'. Received: -1.0 (float). Allowed: a number from 0.0 to 10.0. "
        "Nearest: 0.0."
    )
    assert lines[1] == "No variable is called 'epoch', but a rule names it. Did you mean 'epochs'?"
    assert "'epochs'" in lines[2]
    check_parameters({"beta": 1, "_": 0}, beta=(0.0, 10.0))


# ---- reading parameters unrun


def _notebook(*sources, tag="parameters"):
    cells = [nbformat.v4.new_code_cell(s) for s in sources]
    cells[0].metadata["tags"] = [tag]
    return nbformat.v4.new_notebook(cells=cells)


def test_read_parameters():
    node = _notebook(
        'beta: float = 1.0  # weight of the KL\nsizes = [\n    8,\n    -1,\n]  # widths\nname = "#1"  # a # b',
        "check_parameters(globals(), beta=(0.0, None), sizes={'list_of': range(-1, 2**4)}, name=str)",
    )
    beta, sizes, name = read_parameters(node).values()
    assert (beta.default, beta.type, beta.comment) == (1.0, "float", "weight of the KL")
    assert beta.rule == (0.0, None) and name.rule is str and name.default == "#1"
    assert sizes.default == [8, -1] and sizes.comment == "widths"
    assert sizes.rule == {"list_of": range(-1, 16)}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a = 1", "'a' needs a comment"),
        ("a = 2 * 3  # six", "'a' must be a plain literal"),
        ("a = b  # other", "'a' must be a plain literal"),
        ("import os  # no", "must be `name = literal"),
        ("a = b = 1  # two", "must be `name = literal"),
        ("a = 1  # one\na = 2  # two", "assigned twice"),
    ],
)
def test_parameters_cell_must_be_literal(source, message):
    with pytest.raises(ValueError, match=message):
        read_parameters(_notebook(source))


def test_rules_must_be_readable():
    with pytest.raises(ValueError, match="Rules without a parameter: b"):
        read_parameters(_notebook("a = 1  # one", "check_parameters(globals(), b=bool)"))
    with pytest.raises(ValueError, match="'a' must be literal"):
        read_parameters(_notebook("a = 1  # one", "check_parameters(globals(), a=range(n))"))
    with pytest.raises(ValueError, match="cannot be read unrun"):
        read_parameters(_notebook("a = 1  # one", "check_parameters(globals(), **rules)"))
    with pytest.raises(ValueError, match=r"tagged 'parameters'\. Received: 0"):
        read_parameters(_notebook("a = 1", tag="other"))


# ---- the record


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "'x' must be finite. Received: nan"),
        (np.float32("inf"), "'x' must be finite. Received: inf"),
        ([1.0, float("nan")], r"'x\[1\]' must be finite"),
        (None, "'x' must be a number.*NoneType"),
        ({"a": 1}, "'x' must be a number.*dict"),
        (1j, "'x' must be a number.*complex"),
    ],
)
def test_record_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        record({"x": value})


@pytest.mark.parametrize(
    ("bands", "message"),
    [
        ({"los": {"default": (0, 1)}}, "'los' belongs to no result. Did you mean 'loss'"),
        ({"loss": (0, 1)}, "maps a profile"),
        ({"loss": {"fast": (0, 1)}}, "maps a profile"),
        ({"loss": {"smoke": (1, 0)}}, r"must be \(low, high\)"),
        ({"name": {"smoke": (0, 1)}}, "Only a number"),
    ],
)
def test_record_refuses_bands(bands, message):
    with pytest.raises(ValueError, match=message):
        record({"loss": 1.0, "name": "a"}, bands)


def test_record_holds_only_named_profiles_to_their_bands(monkeypatch, capsys):
    bands = {"loss": {"default": (0, 1), "smoke": (0, 9)}}
    monkeypatch.delenv("HELPERS_PROFILE", raising=False)
    record({"loss": 5.0}, bands)
    assert "OUTSIDE the band 0 to 1" in capsys.readouterr().out
    monkeypatch.setenv("HELPERS_PROFILE", "smoke")
    record({"loss": np.float32(9.0)}, bands)
    monkeypatch.setenv("HELPERS_PROFILE", "full")  # no band of that name: nothing to hold it to
    record({"loss": 100.0}, bands)
    monkeypatch.setenv("HELPERS_PROFILE", "default")
    with pytest.raises(AssertionError, match=r"loss=5 lies outside its band 0 to 1 \(default"):
        record({"loss": 5.0}, bands)
    monkeypatch.setenv("HELPERS_PROFILE", "fast")
    with pytest.raises(ValueError, match="Received: 'fast'"):
        record({"loss": 5.0}, bands)


def test_the_table_is_folded_and_opens_where_a_value_is_outside_its_band():
    kept = {"loss": 5.0, "a<b": 1, "study_loss": 2.0}
    payload = {"results": kept, "bands": {}, "profile": None, "headline": "5 < 6"}
    text = folded(payload, "loss  5\na<b   1")
    assert text.startswith("<p>5 &lt; 6</p><details><summary>All 3 results</summary><pre")
    assert "loss  5\na&lt;b   1</pre></details>" in text
    payload |= {"bands": {"loss": {"default": [0, 1]}}, "headline": None}
    assert folded(payload, "").startswith("<details open>")
    assert "; outside the band: loss</summary>" in folded(payload, "")


def test_read_results_of_the_tiny_notebook(tiny):
    payload = read_results(tiny / "07_count_dots.ipynb")
    assert payload["results"] == {
        "total": 6172.5,
        "last": -2.0,
        "heights": [0.0, 0.5, 1.0, 1.5, 2.0],
    }
    assert payload["headline"] == "5 dots, the last at 2.0" and payload["profile"] == "default"
    assert outside_bands(payload, "default") == []
    assert "total=6172.5 lies outside" in outside_bands(payload, "smoke")[0]
    with pytest.raises(ValueError, match=r"must hold one record of results\. Received: 0"):
        read_results(nbformat.v4.new_notebook())


# ---- numbers in prose


@pytest.mark.parametrize(
    ("typed", "value", "written"),
    [
        ("1.0", 2.345, "2.3"),
        ("1", 2.6, "3"),
        ("1,000.0", 1234567.89, "1,234,567.9"),
        ("1\u202f000", 1234567.8, "1\u202f234\u202f568"),
        ("1.0", 1234.5, "1234.5"),
        ("\u22121.0", -2.0, "\u22122.0"),
        ("-1.0", -2.0, "-2.0"),
        ("1.0", -2.0, "\u22122.0"),
        ("-1.0", 2.0, "2.0"),
        ("-1.0", -0.04, "0.0"),
        ("+1.0", 2.0, "+2.0"),
        ("1.00e-3", 0.000123456, "1.23e-04"),
    ],
)
def test_format_like(typed, value, written):
    assert number_markers.format_like(typed, value) == written
    assert (
        number_markers.fill_numbers(f"({typed}<!--=k--> %)", {"k": value})
        == f"({written}<!--=k--> %)"
    )


def test_fill_numbers():
    results = {"miou": 0.8125, "n": 3, "curve": [1.0, 2.0], "best": "a", "ok": True}
    text = "of 2020, 1.0<!--=curve[1]--> and **9 %** to 1.2<!--=miou*100--> %, 7-8<!--=n-->."
    want = "of 2020, 2.0<!--=curve[1]--> and **9 %** to 81.2<!--=miou*100--> %, 7-3<!--=n-->."
    assert number_markers.fill_numbers(text, results) == want
    assert number_markers.fill_numbers(want, results) == want
    for bad, message in [
        ("1<!--=mio-->", "cites 'mio'"),
        ("1<!--=best-->", "as a number. Received: 'a'"),
        ("1<!--=ok-->", "as a number. Received: True"),
        ("1<!--=curve[2]-->", "Received: None"),
        ("word<!--=n-->", "Write a number directly before <!--=n-->"),
        ("1 %<!--=n-->", "Write a number directly before"),
    ]:
        with pytest.raises(BadRequest, match=message):
            number_markers.fill_numbers(bad, results)


# ---- authoring


def test_build_stores_a_clean_notebook(tiny):
    path = tiny / "07_count_dots.ipynb"
    node = nbformat.read(path, as_version=4)
    nbformat.validate(node)
    text = path.read_text(encoding="utf-8")
    assert "papermill" not in node.metadata and "start_time" not in text and "iopub" not in text
    assert str(tiny.parent) not in text and notebook_cells.absolute_paths(node) == []
    assert "6,172.5<!--=total-->" in text and "6.2<!--=total*0.001-->" in text
    source = (tiny / "py" / "07_count_dots.py").read_text(encoding="utf-8")
    assert "\u22122.00<!--=last-->" in source and "0.5<!--=heights[1]-->" in source
    again = notebook_cells.to_notebook(source)
    assert [c.id for c in again.cells] == [c.id for c in node.cells]
    assert len({c.id for c in node.cells}) == len(node.cells)
    # A second round on its own product changes nothing.
    assert notebook_cells.refresh_source(source, "07_count_dots") == source


def test_changed_prose_is_written_without_a_run(tiny, tmp_path, monkeypatch):
    work = tmp_path / "notebooks"
    shutil.copytree(tiny, work)
    shutil.copy(tiny.parent / "pyproject.toml", tmp_path)
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(work))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("something was started"))
    source, stored = work / "py" / "07_count_dots.py", work / "07_count_dots.ipynb"
    before = stored.read_bytes()
    assert authoring.main(["build", "07", "--prose"]) == 0
    assert stored.read_bytes() == before
    # The cell for Colab is the build's own, and a change of it needs no run either.
    node = nbformat.read(stored, as_version=4)
    next(c for c in node.cells if "colab" in c.metadata.get("tags", [])).source = "an older one"
    nbformat.write(node, stored)
    assert authoring.main(["build", "07", "--prose"]) == 0
    assert stored.read_bytes() == before
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("Twice as many", "1.0<!--=last-->: twice as many"), "utf-8")
    assert authoring.main(["build", "07", "--prose"]) == 0
    assert "\u22122.0<!--=last-->: twice" in stored.read_text(encoding="utf-8")
    assert "\u22122.0<!--=last-->: twice" in source.read_text(encoding="utf-8")
    # A run whose text changed meanwhile stored nothing: its copy is newer, and what it showed counts.
    copy = stored_notebook._copy_path(source, None)
    copy.parent.mkdir(parents=True)
    node = nbformat.read(stored, as_version=4)
    code = [c for c in node.cells if c.cell_type == "code"]
    code[-1].outputs.append(nbformat.v4.new_output("stream", name="stdout", text="later"))
    nbformat.write(node, copy)
    for path, age in ((copy, 2), (stored, 1)):
        os.utime(path, (age, age))
    assert authoring.main(["build", "07", "--prose"]) == 0
    assert "later" in stored.read_text(encoding="utf-8")
    # So are the words that describe a figure, in the code and wherever the run has written them.
    source.write_text(text.replace("A few dots", 'The \\"dots\\" < 9'), "utf-8")
    assert authoring.main(["build", "07", "--prose"]) == 0
    node = nbformat.read(stored, as_version=4)
    told = next(c for c in node.cells if c.source.startswith("heights"))
    assert told.outputs[0].metadata["image/png"]["alt"].startswith('The "dots" < 9 rise')
    assert "<p>The &quot;dots&quot; &lt; 9 rise" in told.outputs[1].data["text/html"]
    assert "A few dots" not in stored.read_text(encoding="utf-8")
    source.write_text(text.replace("2 * 0.5", "2 * 0.25"), "utf-8")
    assert authoring.main(["build", "07", "--prose"]) == 2


def test_cleaning_drops_what_differs_between_runs():
    cell = nbformat.v4.new_code_cell("1", metadata={"papermill": {"duration": 1}, "tags": ["a"]})
    cell.outputs = [
        nbformat.v4.new_output("stream", name=n, text="x") for n in ("stdout", "stdout", "stderr")
    ]
    extra = nbformat.v4.new_code_cell("p = 1", metadata={"tags": ["injected-parameters"]})
    node = nbformat.v4.new_notebook(cells=[extra, cell], metadata={"papermill": {}})
    assert notebook_cells.clean(node) == ["x"]
    assert [c.source for c in node.cells] == ["1"] and cell.metadata == {"tags": ["a"]}
    assert [(o.name, o.text) for o in cell.outputs] == [("stdout", "xx")]
    assert set(node.metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize(
    "place", ["/ho" + "me/ann/x.py", "/Us" + "ers/ann/x", "C:" + "\\Users\\ann"]
)
def test_absolute_paths_are_seen_and_addresses_are_not(place):
    node = _notebook(f"# in {place}")
    assert notebook_cells.absolute_paths(node)
    assert not notebook_cells.absolute_paths(
        _notebook("# https://a.org/home/x and notebooks/tmp/x")
    )


def test_the_cell_for_colab_and_kaggle_fetches_the_project_there_and_does_nothing_elsewhere(
    tmp_path, monkeypatch
):
    ran = []
    monkeypatch.setattr("subprocess.run", lambda *command, **how: ran.append((command, how)))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delenv("KAGGLE_KERNEL_RUN_TYPE", raising=False)
    monkeypatch.chdir(tmp_path)
    cell = compile(notebook_cells.colab_cell(), "colab", "exec")
    exec(cell, {})
    assert ran == [] == sys.path
    name, address = notebook_cells.repository()
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    exec(cell, {})
    (command,), how = ran.pop()
    assert how == {"shell": True, "check": True} and sys.path == [str(tmp_path / name)]
    assert f"git clone -q --depth 1 {address})" in command and command.endswith(f" ./{name}")
    monkeypatch.delenv("KAGGLE_KERNEL_RUN_TYPE")
    monkeypatch.setitem(sys.modules, "google.colab", object())
    exec(cell, {})
    assert ran == [((command,), how)]


def test_the_shell_line_of_that_cell_fetches_once_and_stops_at_an_error(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr("subprocess.run", lambda command, **_: lines.append(command))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    exec(compile(notebook_cells.colab_cell(), "colab", "exec"), {})
    monkeypatch.undo()
    name, address = notebook_cells.repository()
    line = lines[0].replace(f"{sys.executable} -m pip", "echo pip")

    def said(get):
        line_here = line.replace(f"git clone -q --depth 1 {address}", get)
        return subprocess.run(line_here, shell=True, cwd=tmp_path, capture_output=True, text=True)

    assert said("false").returncode != 0 and said("false").stdout == ""
    assert said(f"mkdir {name}").stdout == f"pip install -q ./{name}\n"
    assert said("false").stdout == f"pip install -q ./{name}\n"  # it is there already


# ---- the request, refused before a kernel starts


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 0.001),
        ("true", True),
        ("False", False),
        ("null", None),
        ("None", None),
        ("[1, 2]", [1, 2]),
        ("shapes", "shapes"),
        ("'3'", "3"),
        ("no", "no"),
        ("a: b: c", "a: b: c"),
    ],
)
def test_a_value_without_a_rule(text, value):
    parsed = meant(typed(text))
    assert parsed == value and type(parsed) is type(value)


def test_later_wins_and_only_a_pure_profile_is_held_to_bands(tiny, tmp_path):
    notebook = find("7")
    assert gather(notebook) == ({}, True)
    assert gather(notebook, "smoke") == ({"count": 3}, True)
    file = tmp_path / "more.yaml"
    file.write_text("count: 4\nstep: 1\n")
    assert gather(notebook, "smoke", [file]) == ({"count": 4, "step": 1}, False)
    assert gather(notebook, "smoke", [file], [("count", "9")])[0] == {"count": 9, "step": 1}
    # What already is so is no change.
    assert gather(notebook, "smoke", [], [("count", "3"), ("step", "0.5")]) == ({"count": 3}, True)
    # A text stays a text where only texts may stand.
    assert gather(notebook, assignments=[("label", "007")]) == ({"label": "007"}, False)


BAD_REQUESTS = [
    (
        ["-p", "cuont", "3"],
        "Unknown parameter 'cuont'. Did you mean 'count'? Known: dataset (one of",
    ),
    (["-p", "count", "abc"], "Received: 'abc' (str). Allowed: an integer from 2 to 99"),
    (["-p", "count", "1"], "Nearest: 2"),
    (["-p", "count", "true"], "Received: True (bool)"),
    (["-p", "count", "3.5"], "Received: 3.5 (float)"),
    (["-p", "step", "nan"], "Received: 'nan' (str)"),
    (["-p", "step", "1.5"], "Nearest: 1.0"),
    (["-p", "dataset", "camvit"], "Nearest: 'camvid'"),
    (["-f", "absent.yaml"], "Cannot read parameter file absent.yaml"),
    (["-f", "broken.yaml"], "Parameter file broken.yaml is not YAML"),
    (["-f", "list.yaml"], "must map names to values"),
    (["-f", "typo.yaml"], "Unknown parameter 'setp'. Did you mean 'step'?"),
    (["--profile", "full"], "No file parameters/07.full.yaml"),
    (["--kernel", "pyton3"], "No kernel 'pyton3'. Did you mean 'python3'?"),
    (["--out", "list.yaml/deeper"], "Cannot make the output folder"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_REQUESTS)
def test_bad_request(tiny, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text("a: [1,\n")
    Path("list.yaml").write_text("- 1\n")
    Path("typo.yaml").write_text("setp: 0.1\n")
    before = sorted(Path().rglob("*"))
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("something was started"))
    arguments = arguments if "--out" in arguments else [*arguments, "--out", "out"]
    assert shell.main(["run", "07", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert sorted(Path().rglob("*")) == before


def test_unknown_notebook(tiny, capsys):
    assert shell.main(["run", "count_dots"]) == 2
    assert "Did you mean '07_count_dots'?" in capsys.readouterr().err
    assert shell.main(["run-all", "--dataset", "bsds500"]) == 2
    assert "No notebook takes dataset='bsds500'" in capsys.readouterr().err


# ---- execution, for real


def test_run_with_parameters_and_pages(tiny, tmp_path, capsys):
    out = tmp_path / "out"
    assert (
        shell.main(["run-all", "--profile", "smoke", "--kernel", "python3", "--out", str(out)]) == 0
    )
    printed = capsys.readouterr().out
    assert "07_count_dots" in printed and "3 dots, the last at 1.0" in printed
    assert sorted(p.name for p in out.iterdir()) == [
        "07_count_dots.html",
        "07_count_dots.ipynb",
        "index.html",
    ]
    payload = read_results(out / "07_count_dots.ipynb")
    assert payload["parameters"] == {"count": 3} and payload["profile"] == "smoke"
    kept = provenance.keep(out / "07_count_dots.ipynb", tmp_path / "07.json")
    assert json.loads(kept.read_text("utf-8"))["provenance"] == payload["provenance"]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert '<a href="07_count_dots.html">07 count dots</a>' in page and "3 dots" in page


def test_a_failing_cell_is_named_and_the_copy_kept(tmp_path):
    node = _notebook("a = 1  # one", "print(a)\nraise KeyError('lost')", "print('never')")
    path, out = tmp_path / "bad.ipynb", tmp_path / "deep" / "out.ipynb"
    nbformat.write(node, path)
    run = execute(path, out, {"a": 2}, kernel="python3", cwd=tmp_path)
    assert not run.ok and run.error == "cell In [3]: KeyError: 'lost'" and "FAILED" in run.line()
    assert sorted(p.name for p in out.parent.iterdir()) == ["out.ipynb"]
    texts = json.dumps(nbformat.read(out, as_version=4))
    assert '"2\\n"' in texts and "never\\n" not in texts
    assert run.peak_bytes > 20 * 2**20 and run.seconds > 0


def test_a_dead_kernel_is_reported(tmp_path):
    path = tmp_path / "dead.ipynb"
    nbformat.write(_notebook("import os\nos._exit(3)", tag="x"), path)
    run = execute(path, tmp_path / "out.ipynb", kernel="python3", cwd=tmp_path)
    assert not run.ok and "DeadKernelError" in run.error


def test_list(tiny, capsys):
    assert shell.main(["list"]) == 0
    assert "number of dots (an integer from 2 to 99)" in capsys.readouterr().out


# ---- set-up


def test_set_up_prints_one_line_and_is_quiet():
    code = (
        "from helpers.runs import set_up; import numpy as np\n"
        "for _ in range(2):\n"
        "    set_up(7); import keras\n"
        "    print(np.random.randint(10**6), float(keras.random.normal(())))"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    first, numbers, second, again = done.stdout.splitlines()
    assert " on CPU (" in first and "Keras 3" in first and first.endswith("seed 7")
    assert (first, numbers) == (second, again)
    assert done.stderr == ""


def test_set_up_refuses_a_bad_seed():
    from helpers.runs import set_up

    for seed in (-1, 1.0, True, "1", 2**32):
        with pytest.raises(ValueError, match="Bad parameter 'seed'"):
            set_up(seed)


def test_set_up_sets_precision_and_xla():
    from helpers.runs import set_up

    code = (
        "from helpers.runs import set_up; from helpers.backend import use_xla\n"
        "import keras\n"
        "for options in ({}, {'precision': 'mixed_bfloat16', 'xla': True}, {}):\n"
        "    set_up(0, **options); print(keras.config.dtype_policy().name, use_xla())"
    )
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    said = done.stdout.splitlines()[1::2]
    assert said == ["float32 False", "mixed_bfloat16 True", "float32 False"]
    with pytest.raises(ValueError, match="Bad parameter 'precision'"):
        set_up(0, "half")


def test_record_mime_is_ours():
    assert MIME == "application/vnd.vae-results+json"


# ---- records of full runs


def test_keep_writes_results_parameters_and_provenance(tmp_path, tiny):
    (notebook,) = tiny.glob("07_*.ipynb")
    path = provenance.keep(notebook, tmp_path / "kept" / "07.json")
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["results"] == read_results(notebook)["results"]
    assert set(kept["parameters"]) == set(read_parameters(notebook))
    assert kept["provenance"]["versions"]["keras"] and kept["provenance"]["cores"] >= 1
    assert [p.name for p in path.parent.iterdir()] == ["07.json"]


def test_keep_tells_where_the_run_was_and_not_where_it_is_kept(tmp_path, tiny):
    node = nbformat.read(next(tiny.glob("07_*.ipynb")), as_version=4)
    there = {"date": "2026-01-01", "commit": "of the run", "backend": "jax", "cores": 99}
    (payload,) = [
        o.data[MIME] for c in node.cells for o in c.get("outputs", []) if MIME in o.get("data", {})
    ]
    payload["provenance"] = there
    nbformat.write(node, tmp_path / "07_count_dots.ipynb")
    path = provenance.keep(tmp_path / "07_count_dots.ipynb", tmp_path / "07.json")
    assert json.loads(path.read_text(encoding="utf-8"))["provenance"] == there


def test_keep_leaves_out_what_a_notebook_copied_from_records(tmp_path, tiny):
    node = nbformat.read(next(tiny.glob("07_*.ipynb")), as_version=4)
    (payload,) = [
        o.data[MIME] for c in node.cells for o in c.get("outputs", []) if MIME in o.get("data", {})
    ]
    own = dict(payload["results"])
    payload["results"]["study_of_another"] = 1.0
    nbformat.write(node, tmp_path / "07_count_dots.ipynb")
    path = provenance.keep(tmp_path / "07_count_dots.ipynb", tmp_path / "07.json")
    assert json.loads(path.read_text(encoding="utf-8"))["results"] == own


@pytest.fixture
def project(tiny, tmp_path, monkeypatch):
    """A copy of the tiny project, in which records may be written; its folder of records."""
    shutil.copytree(tiny, tmp_path / "notebooks")
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(tmp_path / "notebooks"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "results"


@pytest.mark.parametrize(
    "name", ["../x", "{}/x", "", "x.json", "x\n", "a b", "..", ".x", "x/y", "x.JSON", "é\n"]
)
def test_keep_refuses_a_name_that_is_not_one_of_a_record(project, capsys, name):
    name = name.format(project.parent)
    before = sorted(project.parents[1].rglob("*"))
    assert shell.main(["keep", "notebooks/07_count_dots.ipynb", name]) == 2
    assert f"A record cannot be called {name!r}." in capsys.readouterr().err
    assert sorted(project.parents[1].rglob("*")) == before


def test_keep_replaces_a_record_only_where_that_is_asked_for(project, capsys):
    keep = ["keep", "notebooks/07_count_dots.ipynb"]
    assert shell.main([*keep, "07-dots"]) == 0
    record = project / "07-dots.json"
    record.write_text("another study")
    assert shell.main([*keep, "07-dots"]) == 2
    assert "There is a record 07-dots. Add --replace to renew it." in capsys.readouterr().err
    # Pages cite both of these as run_07_dots, so two of them would be one too many.
    for more in ([], ["--replace"]):
        assert shell.main([*keep, "07_dots", *more]) == 2
        assert "There is a record 07-dots, which pages cite" in capsys.readouterr().err
    assert [p.name for p in project.iterdir()] == ["07-dots.json"]
    assert record.read_text() == "another study"
    assert shell.main([*keep, "07-dots", "--replace"]) == 0
    assert json.loads(record.read_text("utf-8"))["results"]["total"] == 6172.5
    assert shell.main([*keep, "07-dots.2", "--replace"]) == 0  # where there is none, too


def test_a_record_file_holds_arrays_as_lists_and_no_other_objects(tmp_path):
    results = {"sides": np.arange(3.0), "mean": np.float32(0.5)}
    path = provenance.write_record(tmp_path / "one.json", "a name", results, {})
    assert json.loads(path.read_text("utf-8"))["results"] == {"sides": [0, 1, 2], "mean": 0.5}
    with pytest.raises(TypeError, match="Received: <object"):
        provenance.write_record(tmp_path / "two.json", "a name", {"x": object()}, {})
    assert not (tmp_path / "two.json").exists()
