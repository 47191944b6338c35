"""Where runs go: refused early, kept when their place fails, and told apart in the table."""

import io
import json
import os
import shutil
import sys
import warnings
from pathlib import Path

import nbformat
import pytest

from helpers.runs import __main__ as shell
from helpers.runs import execute, index, outputs, tables
from helpers.runs.notebooks import BadRequest
from helpers.runs.outputs import Outcome, Output
from helpers.runs.results import MIME
from helpers.runs.sweep_plan import read_sweep

CELLS = [
    "dataset = 'shapes'  # pictures\ncount = 3  # how many",
    "from helpers.runs import check_parameters, record\n"
    "check_parameters(globals(), dataset=['shapes'], count=range(1, 9))",
    "record({'square': count**2, 'some': [1, 2], 'word': 'a'}, headline=f'{count} squared')\n"
    'now_and_then = {"rare": 1.0}',
]
COLAB = {"application/vnd.jupyter.widget-state+json": {"ab12": {"model_name": "HBoxModel"}}}


def written(results=True, error=None, metadata=None, parameters=None):
    """A notebook of the series; with results as a run leaves it, or with the error that ended it."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    payload = {"results": {"square": 9, "some": [1, 2], "word": "a"}, "bands": {}}
    payload |= {"headline": "3 squared", "profile": None}
    if results:
        cells[2].outputs = [
            nbformat.v4.new_output("display_data", {MIME: payload, "text/plain": "9"})
        ]
    if error:
        cells[1].execution_count = 2
        cells[1].outputs = [
            nbformat.v4.new_output("error", ename="ValueError", evalue=error, traceback=[])
        ]
    node = nbformat.v4.new_notebook(cells=cells, metadata=metadata or {})
    if parameters is not None:
        node.metadata["papermill"] = {"parameters": parameters, "exception": bool(error) or None}
    return node


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of three notebooks, the folder that commands are given in."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("00_first", "01_second", "02_third"):
        nbformat.write(written(), folder / f"{name}.ipynb")
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(folder))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runs(monkeypatch):
    """Kernels that are none: what each "run" leaves can be set by the notebook's name."""
    started, left = [], {}

    def pretend(job, cwd, environment, stop=None):
        name = Path(job["input_path"]).stem
        started.append(name)
        node = left.get(name, written(parameters=job["parameters"]))
        failed = node.metadata["papermill"]["exception"]
        error = "cell In [2]: ValueError: lost" if failed else None
        nbformat.write(node, os.path.join(cwd, job["output_path"].format()))
        return {"error": error, "peak_bytes": 0, "kept": None}

    monkeypatch.setattr(execute, "_in_own_process", pretend)
    pretend.started, pretend.left = started, left
    return pretend


class Bucket:
    """A URL's store in memory, for papermill; `broken` makes writing fail."""

    def __init__(self):
        self.files, self.broken = {}, False

    def write(self, text, path):
        if self.broken:
            raise PermissionError("Access Denied")
        self.files[path] = text

    def read(self, path):
        return self.files[path]


@pytest.fixture
def bucket():
    from papermill.iorw import papermill_io

    made = Bucket()
    papermill_io.register("mem://", made)
    yield made
    papermill_io._handlers.remove(("mem://", made))


def failed_run(**more):
    return written(results=False, error="lost", parameters={}, **more)


# ---- pages


WIDGETS = [COLAB, {}, 3, None, [], {"application/vnd.jupyter.widget-state+json": {"state": 3}}]
WIDGETS += [{"application/vnd.jupyter.widget-state+json": {"state": {"a": {}}}}, {"x": {"y": 1}}]


@pytest.mark.parametrize("widgets", WIDGETS, ids=str)
def test_widgets_of_anybody_are_no_part_of_a_page(tmp_path, widgets):
    node = written(metadata={"widgets": widgets})
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "ab12"}, "text/plain": "a bar"}
    node.cells[1].outputs = [nbformat.v4.new_output("display_data", view)]
    nbformat.write(node, tmp_path / "00_first.ipynb")
    page = index.write_html(tmp_path / "00_first.ipynb").read_text("utf-8")
    assert "a bar" in page and "ab12" not in page
    assert node.metadata["widgets"] == widgets  # the notebook itself keeps them


def test_the_series_goes_on_without_a_page(project, runs, capsys, monkeypatch):
    runs.left |= {"00_first": written(parameters={}, metadata={"widgets": COLAB})}
    (project / "out").mkdir()
    (project / "out" / "01_second.html").write_text("an earlier page")
    plainly = index.to_html

    def page(node, name):
        if name.startswith("01"):
            raise OSError(28, "No space left on device")
        return plainly(node, name)

    monkeypatch.setattr(index, "to_html", page)
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 1
    assert runs.started == ["00_first", "01_second", "02_third"]
    printed = capsys.readouterr().out
    assert printed.count("no page: OSError: [Errno 28] No space left on device") == 1
    assert "without a page: 01_second" in printed
    pages = {p.name for p in (project / "out").glob("*.html")}
    assert pages == {"00_first.html", "02_third.html", "index.html"}
    assert '<a href="01_second.ipynb">' in (project / "out" / "index.html").read_text("utf-8")


def test_an_output_that_was_nothing_but_a_widget_is_left_out(tmp_path):
    node = written()
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "ab12"}}
    node.cells[1].outputs = [nbformat.v4.new_output("display_data", view)]
    assert index.drop_descriptions(node).cells[1].outputs == []
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # nbconvert's, of an output without anything
        nbformat.write(node, tmp_path / "00_first.ipynb")
        assert index.try_html(tmp_path / "00_first.ipynb") is None


def test_a_terminal_that_cannot_show_a_sign_does_not_end_the_series(project, runs, monkeypatch):
    node = written(parameters={})
    node.cells[2].outputs[0]["data"][MIME]["headline"] = "σ ≤ 1"
    runs.left |= {"00_first": node}
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 0
    terminal.flush()
    assert b"? ? 1" in terminal.buffer.getvalue() and len(runs.started) == 3


def test_an_index_with_half_a_character_is_told(project, runs, capsys, monkeypatch):
    monkeypatch.setattr(execute, "_headline", lambda path: "\ud83d")
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 1
    assert "no page that lists them" in capsys.readouterr().out


def test_what_cannot_be_removed_ends_nothing(project, runs):
    for name in ("00_first.failed.ipynb", "01_second.failed.html"):
        (project / "out" / name).mkdir(parents=True)
    assert shell.main(["run", "00", "--kernel", "python3", "--out", "out"]) == 0
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 0
    assert (project / "out" / "index.html").exists()
    Output("out").remove_failure("00_first")


@pytest.mark.parametrize("error", [KeyError("state"), RecursionError("deep"), ValueError("a\nb")])
def test_whatever_ends_a_page_is_one_line(tmp_path, monkeypatch, error):
    def page(*_):
        raise error

    monkeypatch.setattr(index, "to_html", page)
    nbformat.write(written(), tmp_path / "a.ipynb")
    problem = index.try_html(tmp_path / "a.ipynb")
    assert problem.startswith(type(error).__name__) and "\n" not in problem


def test_an_index_that_cannot_be_written_is_told(project, runs, capsys):
    (project / "out" / "index.html").mkdir(parents=True)
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 1
    assert "no page that lists them" in capsys.readouterr().out
    assert len(runs.started) == 3


def test_a_run_that_cannot_start_does_not_end_the_series(project, runs, capsys):
    (project / "out" / "01_second.ipynb").mkdir(parents=True)
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 1
    assert runs.started == ["00_first", "02_third"]
    assert "01_second.ipynb is a folder" in capsys.readouterr().out


# ---- a failed run takes no good one's place


def test_a_failed_run_is_named_as_in_a_sweep(project, runs, capsys):
    run = ["run", "00", "--kernel", "python3", "--out", "out"]
    assert shell.main(run) == 0
    good = (project / "out" / "00_first.ipynb").read_bytes()
    runs.left["00_first"] = failed_run()
    assert shell.main(run) == 1
    assert "00_first.failed.ipynb" in capsys.readouterr().out
    assert (project / "out" / "00_first.ipynb").read_bytes() == good
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 1
    page = (project / "out" / "index.html").read_text("utf-8")
    assert '<a href="00_first.failed.html">' in page
    assert (project / "out" / "00_first.ipynb").read_bytes() == good
    runs.left.clear()
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 0
    assert not list((project / "out").glob("*failed*"))


# ---- destinations


URLS = [
    ("s3://bucket/x", "boto3", "papermill[s3]"),
    ("gs://bucket/x", "gcsfs", "papermill[gcs]"),
    ("abs://account/x", "azure.storage.blob", "papermill[azure]"),
    ("adl://account/x", "azure.datalake.store", "papermill[azure]"),
    ("hdfs://host/x", "pyarrow", "papermill[hdfs]"),
    ("http://host/x", "requests", "papermill[all]"),
    ("ftp://host/x", "", "Nothing here can write to ftp://host/x"),
    ("file:///tmp/x", "", "A folder is written as its path"),
    ("S3://bucket/x", "", "Nothing here can write to S3://"),
    ("https://github.com/a/b/blob/main/x", "", "papermill only reads from there"),
    ("http://", "", "Write it as http://place/folder"),
    ("s3:/bucket/x", "", "A URL starts with s3://"),
    ("FILE:x", "", "'FILE:x' is no folder"),
]


@pytest.mark.parametrize(("url", "package", "words"), URLS, ids=[url for url, *_ in URLS])
def test_a_url_that_cannot_be_written_is_refused_before_a_kernel_starts(
    project, runs, capsys, monkeypatch, url, package, words
):
    if package:
        monkeypatch.setattr(outputs, "_is_there", lambda module: module != package)
    Path("sweep.yaml").write_text("notebooks: '00'")
    assert shell.main(["run", "00", "--out", url]) == 2
    assert shell.main(["sweep", "sweep.yaml", "--out", url]) == 2
    errors = capsys.readouterr().err
    assert errors.count(words) == 2 and package in errors
    assert runs.started == [] and not Path(url.partition(":")[0] + ":").exists()
    assert shell.main(["run-all", "--out", url]) == 2
    assert ("is a folder" if "://" in url else words) in capsys.readouterr().err


def test_a_package_inside_a_package_that_is_not_there():
    assert not outputs._is_there("no_such_package.storage.blob") and outputs._is_there("requests")


def test_a_url_is_tried_before_a_kernel_starts(project, runs, bucket, capsys):
    bucket.broken = True
    Path("sweep.yaml").write_text("notebooks: '00'")
    assert shell.main(["run", "00", "--out", "mem://a"]) == 2
    assert shell.main(["sweep", "sweep.yaml", "--out", "mem://a"]) == 2
    errors = capsys.readouterr().err
    assert errors.count("Cannot write to mem://a: PermissionError: Access Denied") == 2
    assert runs.started == []


def test_a_run_goes_to_a_url_and_stays_here(project, runs, bucket, capsys, monkeypatch):
    run = ["run", "00", "-p", "count=5", "--kernel", "python3", "--out", "mem://a"]
    assert shell.main(run) == 0
    kept = project / "runs" / "shapes" / "00_first__count=5.ipynb"
    assert bucket.files["mem://a/00_first__count=5.ipynb"] == kept.read_text("utf-8")
    plainly = outputs.Output.check

    def breaks_later(store):
        plainly(store)
        bucket.broken = True

    monkeypatch.setattr(outputs.Output, "check", breaks_later)
    assert shell.main(run) == 1
    error = capsys.readouterr().err
    assert "cannot write mem://a/00_first__count=5.ipynb (PermissionError: Access Denied)" in error
    assert f"kept in {Path('runs/shapes/00_first__count=5.ipynb')}" in error and kept.exists()


def test_a_run_of_a_sweep_is_kept_where_its_place_fails(project, runs, bucket, monkeypatch):
    from helpers.runs import sweep_run

    monkeypatch.setattr(sweep_run, "_asked_to_stop", lambda name: None)
    Path("sweep.yaml").write_text("notebooks: '00'\ngrid: {count: [2]}")
    (job,) = read_sweep("sweep.yaml").jobs
    source = job.notebook.read_text("utf-8")

    def once(target):
        given = (source, job.notebook.stem, job.name, job.values, target, "python3")
        return Outcome(**sweep_run.run_one(*given, threads=1, stop="x"))

    assert once("mem://a").error is None
    bucket.files.clear()
    bucket.broken = True
    outcome = once("mem://a")
    assert "cannot write mem://a/00_first__count=2" in outcome.error
    assert "Access Denied" in outcome.error and outcome.output in outcome.error
    kept = Path(outcome.output)
    assert kept.parent == project / "runs" / "kept" and nbformat.read(kept, as_version=4).cells
    # A folder that is gone when the run is over, with a file in its place.
    plainly = execute.execute

    def gone(*arguments, **options):
        run = plainly(*arguments, **options)
        shutil.rmtree(project / "out")
        (project / "out").touch()
        return run

    monkeypatch.setattr(execute, "execute", gone)
    outcome = once(str(project / "out"))
    assert "cannot write" in outcome.error and Path(outcome.output).is_file()
    assert len(list((project / "runs" / "kept").iterdir())) == 2


def test_what_cannot_be_kept_beside_the_project_goes_to_temporary_files(project, monkeypatch):
    (project / "runs").touch()
    monkeypatch.setattr(outputs.tempfile, "gettempdir", lambda: str(project / "tmp"))
    assert outputs.keep("{}", "a.ipynb").parent == project / "tmp" / "vae-runs" / "kept"
    assert outputs.keep("{}", "像" * 100 + ".ipynb").is_file()  # 300 bytes, more than a name has


@pytest.mark.parametrize("place", ["file", "file/deeper", "read only"])
def test_a_folder_that_cannot_be_written_is_refused(project, runs, capsys, monkeypatch, place):
    Path("file").touch()
    if place == "read only":  # the rights of a folder mean nothing to root, who may run the tests
        Path(place).mkdir()

        def refuse(**_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(outputs.tempfile, "TemporaryFile", refuse)
    Path("sweep.yaml").write_text("notebooks: '00'")
    for command in (["run", "00"], ["run-all"], ["sweep", "sweep.yaml"]):
        assert shell.main([*command, "--out", place, "--kernel", "python3"]) == 2
        assert "the output folder" in capsys.readouterr().err
    assert runs.started == []


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("notebooks", "is the folder of the notebooks, which a run would replace"),
        ("out/../notebooks/", "is the folder of the notebooks"),
        ("~no_such_user/x", "is no folder's name"),
        ("a\0b", "null byte"),
        ("a\udcff", "is no folder's name"),
    ],
)
def test_a_folder_that_no_run_can_go_to(project, runs, capsys, place, words):
    (project / "out").mkdir()
    Path("sweep.yaml").write_text("notebooks: '00'")
    before = (project / "notebooks" / "00_first.ipynb").read_bytes()
    for command in (["run", "00"], ["run-all"], ["sweep", "sweep.yaml"]):
        assert shell.main([*command, "--out", place, "--kernel", "python3"]) == 2
        assert words in capsys.readouterr().err
    assert runs.started == []
    assert (project / "notebooks" / "00_first.ipynb").read_bytes() == before


def test_a_notebook_is_not_replaced_by_its_own_run(project, runs):
    notebook = project / "notebooks" / "00_first.ipynb"
    with pytest.raises(BadRequest, match="is the notebook itself"):
        execute.execute(notebook, Path("notebooks/00_first.ipynb"), kernel="python3")
    (project / "x.partial.ipynb").mkdir()
    with pytest.raises(BadRequest, match=r"partial\.ipynb is a folder"):
        execute.execute(notebook, project / "x.ipynb", kernel="python3")
    assert runs.started == []


def test_what_a_killed_run_left_is_no_copy_of_the_next(project, runs, monkeypatch):
    good, left = project / "x.ipynb", project / "x.partial.ipynb"
    nbformat.write(written(), good)
    nbformat.write(written(results=False), left)
    before, dead = good.read_bytes(), {"error": "the kernel died", "peak_bytes": 0, "kept": None}
    monkeypatch.setattr(execute, "_in_own_process", lambda *job: dead)
    notebook = project / "notebooks" / "00_first.ipynb"
    assert execute.execute(notebook, good, kernel="python3").error == "the kernel died"
    assert good.read_bytes() == before and not left.exists()


def test_a_wrong_folder_of_data_is_refused_once(project, runs, capsys, monkeypatch):
    node = written()
    node.cells[1].source = node.cells[1].source.replace("['shapes']", "['shapes', 'pets']")
    for name in ("00_first", "01_second"):
        nbformat.write(node, project / "notebooks" / f"{name}.ipynb")
    Path("sweep.yaml").write_text("notebooks: ['00', '01']\nparameters: {dataset: pets}")
    monkeypatch.setenv("HELPERS_DATA", "no/such")
    for command in (["run-all", "--dataset", "pets"], ["sweep", "sweep.yaml"]):
        assert shell.main([*command, "--out", "out", "--kernel", "python3"]) == 2
        assert capsys.readouterr().err.count("HELPERS_DATA must name a folder") == 1
    assert runs.started == []


DAMAGED = ["[1]", "{}", "null", "3", '"x"', '{"cells": 3}', '{"nbformat": 3, "worksheets": []}']
DAMAGED += ["", "{", '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_notebook_is_named(project, capsys, text):
    Path("x.ipynb").write_text(text)
    for command in (["run", "x.ipynb"], ["keep", "x.ipynb", "y"]):
        assert shell.main(command) == 2
        assert "x.ipynb" in (error := capsys.readouterr().err) and error.count("\n") == 1


def test_a_folder_with_a_notebooks_name_is_none(project, runs):
    (project / "notebooks" / "03_folder.ipynb").mkdir()
    assert shell.main(["run-all", "--kernel", "python3", "--out", "out"]) == 0
    assert len(runs.started) == 3


def test_an_output_folder_with_signs_of_papermill(project, runs):
    assert shell.main(["run", "00", "--kernel", "python3", "--out", "a {b} {}"]) == 0
    assert [p.name for p in (project / "a {b} {}").iterdir()] == ["00_first.ipynb"]


def test_a_notebook_whose_folder_goes_away_while_it_runs_is_kept(project):
    """With a kernel: papermill writes after each cell, and no failure to do so ends the run."""
    cells = ["a = 1  # one", "import shutil\nshutil.rmtree(folder)", "print('the', 'end')"]
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    node.cells[1].source = f"folder = {str(project / 'out {a}')!r}\n" + node.cells[1].source
    nbformat.write(node, project / "gone.ipynb")
    run = execute.execute(
        project / "gone.ipynb", project / "out {a}" / "x.ipynb", kernel="python3", cwd=project
    )
    assert not run.ok and "cannot write" in run.error and str(run.output) in run.error
    assert run.output.parent == project / "runs" / "kept"
    assert "the end\\n" in run.output.read_text("utf-8")


# ---- the table


def test_results_takes_what_is_finished_and_names_the_rest(tmp_path, capsys):
    nbformat.write(written(parameters={"count": 5}), tmp_path / "00_first__a.ipynb")
    nbformat.write(written(parameters={"count": 6}), tmp_path / "00_first__b.ipynb")
    nbformat.write(failed_run(), tmp_path / "00_first__c.ipynb")
    nbformat.write(failed_run(), tmp_path / "00_first__d.failed.ipynb")
    after = written(error="later", parameters={})  # the record is there, a later cell failed
    nbformat.write(after, tmp_path / "00_first__e.ipynb")
    nbformat.write(written(results=False), tmp_path / "00_first__f.partial.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "foreign.ipynb")
    nbformat.write(written(results=False), tmp_path / "unrun.ipynb")
    (tmp_path / "empty.ipynb").touch()
    (tmp_path / "cut.ipynb").write_text('{"cells": [')
    (tmp_path / "list.ipynb").write_text("[1]")
    (tmp_path / "binary.ipynb").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.ipynb").mkdir()
    (tmp_path / "notes.txt").write_text("not looked at")
    assert shell.main(["results", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "2 runs in" in shown.out and [r["count"] for r in tables.table(tmp_path)] == [5, 6]
    left = dict(line.removeprefix("left out: ").split(" ", 1) for line in shown.err.splitlines())
    for name in ("00_first__c", "00_first__d.failed", "00_first__e"):
        assert left[f"{name}.ipynb"].startswith("failed: cell In [2]: ValueError: l")
    assert left["00_first__f.partial.ipynb"].startswith("is not finished")
    for name in ("foreign", "unrun", "empty", "cut", "list", "binary", "folder"):
        assert left[f"{name}.ipynb"].startswith("is no executed notebook of the series"), name
    assert len(left) == 11


def left_behind(status):
    """A run of plain papermill, which writes in its place while it runs."""
    node = written(parameters={})
    node.cells.append(
        nbformat.v4.new_code_cell("later", metadata={"papermill": {"status": status}})
    )
    return node


@pytest.mark.parametrize("status", ["pending", "running"])
def test_a_run_that_is_not_finished_is_neither_shown_nor_kept(project, capsys, status):
    nbformat.write(left_behind(status), project / "00_first__a.ipynb")
    nbformat.write(left_behind("completed"), project / "00_first__b.ipynb")
    assert shell.main(["results", "."]) == 0
    assert "00_first__a.ipynb is not finished" in capsys.readouterr().err
    assert [row["run"] for row in tables.table(".")] == ["b"]
    nbformat.write(written(parameters={}), project / "c.partial.ipynb")
    nbformat.write(written(parameters={}), project / "d.failed.ipynb")
    for name, words in (
        ("00_first__a", "is not finished"),
        ("c.partial", "is not finished"),
        ("d.failed", "failed, so its results are not kept"),
    ):
        assert shell.main(["keep", f"{name}.ipynb", "x"]) == 2
        assert words in capsys.readouterr().err
    assert not (project / "data").exists()


@pytest.mark.parametrize("payload", [{}, [], "x", {"results": None}, {"results": [1]}], ids=str)
def test_a_damaged_record_is_named(project, capsys, payload):
    node = written(parameters={})
    node.cells[2].outputs[0]["data"][MIME] = payload
    Path("00_first__a.ipynb").write_text(json.dumps(node))
    assert shell.main(["results", "."]) == 2
    assert "holds a damaged record of results" in capsys.readouterr().err
    assert shell.main(["keep", "00_first__a.ipynb", "x"]) == 2
    assert "holds a damaged record of results" in capsys.readouterr().err


def test_a_table_has_one_line_a_run_and_a_picture_any_name(project, capsys):
    for count in (2, 3):
        node = written(parameters={"count": count, "dataset": "a\nb"})
        node.cells[2].outputs[0]["data"][MIME]["results"]["a/b"] = count
        nbformat.write(node, project / f"00_first__{count}.ipynb")
    assert len(tables.as_text(tables.table(".")).splitlines()) == 3
    assert shell.main(["results", ".", "--plot", "count", "a/b"]) == 0
    assert Path("count-a-b.png").is_file()
    Path("count-square.png").mkdir()
    assert shell.main(["results", ".", "--plot", "count", "square"]) == 2
    assert "Cannot draw in count-square.png: Is a directory." in capsys.readouterr().err


def test_a_list_of_one_item_is_that_item(project):
    """As in the sweep 09.labels, which gives each run one number of masks."""
    node = written(parameters={})
    node.cells[2].outputs[0]["data"][MIME]["results"] |= {"one": [0.5], "deep": [[1, 2]]}
    node.cells[0].source += "\nlabels = [10]  # masks\nmore = [1, 2]  # of them"
    nbformat.write(node, "00_first__a.ipynb")
    (row,) = tables.table(".")
    assert row["one"] == 0.5 and row["labels"] == 10 and row["more"] == "[1, 2]"
    assert "deep" not in row and "some" not in row


def test_results_of_nothing_say_what_is_there(tmp_path, capsys):
    nbformat.write(failed_run(), tmp_path / "00_first.failed.ipynb")
    assert shell.main(["results", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "No finished run in" in error and "00_first.failed.ipynb failed: cell In [2]" in error
    (tmp_path / "above" / "shapes").mkdir(parents=True)
    nbformat.write(written(), tmp_path / "above" / "shapes" / "00_first.ipynb")
    assert shell.main(["results", str(tmp_path / "above")]) == 2
    assert f"There are notebooks in {tmp_path / 'above' / 'shapes'}." in capsys.readouterr().err
    assert shell.main(["results", str(tmp_path / "nowhere")]) == 2
    assert "No folder" in capsys.readouterr().err


def test_an_error_shown_on_purpose_is_no_failure(tmp_path):
    node = written(error="on purpose")
    node.cells[1].metadata["tags"] = ["raises-exception"]
    nbformat.write(node, tmp_path / "a.ipynb")
    assert len(tables.table(tmp_path)) == 1


def test_a_table_that_cannot_be_kept_is_shown(tmp_path, capsys):
    nbformat.write(written(parameters={}), tmp_path / "00_first__a.ipynb")
    (tmp_path / "results.csv").mkdir()
    assert shell.main(["results", str(tmp_path)]) == 1
    shown = capsys.readouterr()
    assert "square" in shown.out and "cannot write" in shown.err
    assert not list(tmp_path.glob(".*"))


def test_a_drawing_leaves_out_runs_without_its_columns(tmp_path):
    rows = [{"a": 1, "b": 2}, {"a": 2, "b": 3}, {"c": 1}]
    tables.draw(rows, "a", "b", path=tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 5000
    with pytest.raises(BadRequest, match="No run has both 'a' and 'c'"):
        tables.draw(rows, "a", "c", path=tmp_path / "x.png")


def test_a_failed_run_is_not_kept_as_a_record(project, capsys):
    nbformat.write(written(error="late", parameters={}), project / "late.ipynb")
    (project / "cut.ipynb").write_text("{")
    for name, words in (
        ("late", "failed, so its results are not kept"),
        ("no", "No such file"),
        ("cut", "JSON"),
    ):
        assert shell.main(["keep", f"{name}.ipynb", "x"]) == 2
        assert words in capsys.readouterr().err
    assert not (project / "data").exists()


# ---- the best result


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("squar", "'squar', which is not among the results of 00_first. Did you mean 'square'?"),
        ("bitz", "Numbers there: square."),
        ("some", "'some', which is no single number among"),
        ("word", "'word', which is no single number among"),
        ("yes", "'yes', which is not among"),
        ("shapes", "'shapes', which is not among"),
        ("count", "'count', which is not among"),
        ("''", "with the name of a result"),
    ],
)
def test_a_result_that_there_is_not_is_refused_before_a_kernel_starts(project, capsys, name, words):
    Path("sweep.yaml").write_text(f"notebooks: ['00', '01']\nbest: {{smallest: {name}}}")
    assert shell.main(["sweep", "sweep.yaml", "--out", "out"]) == 2
    assert words in capsys.readouterr().err and not Path("out").exists()


def test_a_result_that_comes_with_some_parameters_only_is_not_refused(project):
    Path("sweep.yaml").write_text("notebooks: '00'\nbest: {largest: rare}")
    assert read_sweep("sweep.yaml").best == ("rare", 1)


def test_without_stored_results_the_first_run_says_it_and_nothing_ends(
    project, capsys, monkeypatch
):
    from helpers.runs import sweep_run

    nbformat.write(written(results=False), project / "notebooks" / "00_first.ipynb")
    Path("sweep.yaml").write_text("notebooks: '00'\ngrid: {count: [1, 2]}\nbest: {smallest: squar}")

    def pretend(plan, out, report, **_):
        (project / "out").mkdir()
        found = []
        for job in plan.jobs:
            nbformat.write(written(parameters=job.values), project / "out" / f"{job.name}.ipynb")
            found.append(Outcome(job.name, str(out), results={"square": 9, "squar": [1]}))
            report(found[-1])
        return found

    monkeypatch.setattr(sweep_run, "sweep", pretend)
    assert shell.main(["sweep", "sweep.yaml", "--out", "out"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("has no number 'squar'") == 1
    assert "2 runs: 0 done before, 0 failed" in shown.out
    assert len(tables.table("out")) == 2


def test_an_output_is_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert Output("~/x").target == str(tmp_path / "home" / "x")
    assert Output("x").put_or_keep(f"{tmp_path}/x/a.ipynb", "{}") == (f"{tmp_path}/x/a.ipynb", None)
    assert [p.name for p in Path("x").iterdir()] == ["a.ipynb"]
