"""helpers.runs: old names of parameters, and names that only papermill would let pass."""

import json
from pathlib import Path
from types import SimpleNamespace

import IPython
import nbformat
import papermill
import pytest
from nbclient import NotebookClient

from helpers.runs import __main__ as shell
from helpers.runs import check_parameters, parameter_names, provenance, tables
from helpers.runs.injected import injected_parameters
from helpers.runs.notebooks import BadRequest
from helpers.runs.parameters import check_values, gather
from helpers.runs.results import MIME
from helpers.runs.sweep_plan import read_sweep

SERIES = Path(__file__).resolve().parents[1] / "notebooks"
PARAMETERS = (
    "batch_size = 8  # pictures in a step\nlearning_rate = 0.1  # highest\n"
    "cache_dir = ''  # folder\nwide = False  # a parameter of this name, today\nfree = 1  # no rule"
)
RULES = {"batch_size": range(1, 99), "learning_rate": (0.0, 1.0), "cache_dir": str, "wide": bool}
CHECK = (
    "from helpers.runs import check_parameters, record\n"
    "check_parameters(globals(), batch_size=range(1, 99), learning_rate=(0.0, 1.0),\n"
    "                 cache_dir=str, wide=bool)"
)
RECORD = "record({'pictures': 3 * batch_size, 'rate_of_all': 0.5})"
OLD = "Parameter 'batch' is called 'batch_size' now."


def _node(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """The path of a small notebook, the only one of its series."""
    path = tmp_path / "notebooks" / "05_count.ipynb"
    (path.parent / "parameters").mkdir(parents=True)
    nbformat.write(_node(PARAMETERS, CHECK, RECORD), path)
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(path.parent))
    monkeypatch.chdir(tmp_path)
    return path


# ---- the runner


def test_an_old_name_is_refused_with_the_new_one_named_on_the_command_line(notebook, capsys):
    Path("old.yaml").write_text("rate: 0.5\nbatch: 4\n")
    assert shell.main(["run", "05", "-p", "batch", "8"]) == 2
    assert capsys.readouterr().err == f"error: {OLD}\n"
    assert shell.main(["run", "05", "-f", "old.yaml"]) == 2
    said = capsys.readouterr().err
    assert "Parameter 'rate' is called 'learning_rate' now." in said and OLD in said


@pytest.mark.parametrize(
    "entry",
    [
        "parameters: {batch: 8}",
        "grid: {batch: [4, 8]}",
        "runs: [{batch: 8}]",
        "parameters: {batch: 8}\ngrid: {batch_size: [4]}",
        "profile: smoke",
    ],
)
def test_an_old_name_is_refused_in_a_sweep_and_in_a_profile(notebook, entry):
    (notebook.parent / "parameters" / "05.smoke.yaml").write_text("batch: 4\n")
    Path("sweep.yaml").write_text(f"notebooks: '05'\n{entry}\n")
    with pytest.raises(BadRequest, match=OLD):
        read_sweep("sweep.yaml")


def test_a_sweep_whose_best_result_is_the_old_name_of_a_parameter(notebook):
    ran = _node(PARAMETERS, CHECK, RECORD)
    data = {MIME: {"results": {"pictures": 24}}, "text/plain": ""}
    ran.cells[2].outputs = [nbformat.v4.new_output("display_data", data)]
    nbformat.write(ran, notebook)
    Path("sweep.yaml").write_text("notebooks: '05'\nbest: {smallest: batch}\n")
    with pytest.raises(BadRequest, match="'batch', which is not among the results.*" + OLD):
        read_sweep("sweep.yaml")


def test_a_name_that_is_a_parameter_today_is_no_old_one(notebook):
    assert gather(notebook, assignments=[("wide", "true")])[0] == {"wide": True}
    both = {"wide": True, "dilate_pixels": 2.0}
    assert parameter_names.with_present_names(both, both) == both
    # Nor is one whose new name this notebook does not have.
    with pytest.raises(BadRequest, match=r"Unknown parameter 'strangers'\. Known: "):
        check_values(notebook, {"strangers": 10})
    with pytest.raises(BadRequest, match=r"Unknown parameter 'bacth_size'\. Did you mean 'batch_s"):
        check_values(notebook, {"bacth_size": 2})


def test_the_table_fits_the_texts_of_the_notebooks_and_the_records():
    texts = [path.read_text("utf-8") for path in SERIES.glob("py/*.py")]
    known = [_parameters(text) for text in texts]
    for old, new in parameter_names.FORMER_NAMES.items():
        assert any(new in names for names in known), new
        assert not any(old in names for names in known), old
    records = [
        json.loads(p.read_text("utf-8")) for p in SERIES.parent.glob("data/results/[0-9]*.json")
    ]
    used = {name for record in records for name in record["parameters"]}
    assert set(parameter_names.FORMER_NAMES) <= used


def _parameters(text):
    from authoring.notebook_cells import to_notebook
    from helpers.runs.parameter_cells import read_parameters

    return read_parameters(to_notebook(text))


# ---- runs and records from before


def _older_run(path):
    """An executed notebook from before the names changed, as papermill left it."""
    old = PARAMETERS.replace("batch_size", "batch").replace("cache_dir", "kept")
    node = _node(old, CHECK.replace("batch_size", "batch").replace("cache_dir", "kept"), RECORD)
    data = {MIME: {"results": {"pictures": 12}}, "text/plain": ""}
    node.cells[2].outputs = [nbformat.v4.new_output("display_data", data)]
    node.metadata["papermill"] = {"parameters": {"batch": 4}, "duration": 1.0, "exception": None}
    nbformat.write(node, path)


def test_the_runs_of_an_older_sweep_stand_in_one_table_with_new_ones(notebook, capsys):
    out = Path("out")
    out.mkdir()
    _older_run(out / "05_count__batch=4__0123456789ab.ipynb")
    node = nbformat.read(notebook, as_version=4)
    data = {MIME: {"results": {"pictures": 15}}, "text/plain": ""}
    node.cells[2].outputs = [nbformat.v4.new_output("display_data", data)]
    node.metadata["papermill"] = {"parameters": {"batch_size": 5}, "exception": None}
    nbformat.write(node, out / "05_count__batch_size=5__ba9876543210.ipynb")
    rows, left = tables.collect(out)
    assert left == [] and [list(row) for row in rows] == [list(rows[0])] * 2
    assert [row["batch_size"] for row in rows] == [4, 5] and rows[0]["cache_dir"] == ""
    assert shell.main(["results", "out", "--plot", "batch", "pictures"]) == 2
    assert OLD in capsys.readouterr().err


def test_a_run_of_another_notebook_keeps_its_names(notebook):
    Path("out").mkdir()
    _older_run(Path("out") / "12_other__batch=4__0123456789ab.ipynb")
    (row,) = tables.table("out")
    assert row["batch"] == 4 and "batch_size" not in row


def test_an_older_run_is_kept_under_the_present_names(notebook):
    _older_run(Path("05_count__full.ipynb"))
    path = provenance.keep("05_count__full.ipynb", Path("kept", "05.json"))
    kept = json.loads(path.read_text("utf-8"))["parameters"]
    expected = {"batch_size": 4, "learning_rate": 0.1, "cache_dir": "", "wide": False, "free": 1}
    assert kept == expected


# ---- in the kernel: plain papermill


def _by_papermill(notebook, **values):
    return papermill.execute_notebook(
        str(notebook), "out.ipynb", values, kernel_name="python3", progress_bar=False
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch": 4}, OLD),
        ({"learning_rat": 0.5}, "Unknown parameter 'learning_rat'. Did you mean 'learning_rate'?"),
    ],
)
def test_plain_papermill_does_not_run_with_the_default_of_a_name_it_got_wrong(
    notebook, values, message
):
    with pytest.raises(papermill.PapermillExecutionError) as failure:
        _by_papermill(notebook, **values)
    assert failure.value.ename == "ValueError" and failure.value.evalue.startswith(message)
    assert failure.value.exec_count == 3  # parameters, papermill's own cell, the check


def test_plain_papermill_runs_with_what_is_right(notebook):
    from helpers.runs.results import read_results

    _by_papermill(notebook, batch_size=4, free=2, cache_dir="a", PAPERMILL_INPUT_PATH="a.ipynb")
    assert read_results("out.ipynb")["results"]["pictures"] == 12
    # What papermill wrote can be run again, by hand or as nbval and nbclient do.
    node = nbformat.read("out.ipynb", as_version=4)
    assert NotebookClient(node, kernel_name="python3").execute()
    assert "injected-parameters" in node.cells[1].metadata["tags"]


def _check(monkeypatch, *cells, **values):
    """Run `check_parameters` as the last cell of a session with these cells."""
    space = {"batch_size": 8, "learning_rate": 0.1, "cache_dir": "", "wide": False, **values}
    history = SimpleNamespace(input_hist_raw=["", *cells, CHECK])
    session = SimpleNamespace(user_ns=space, history_manager=history)
    monkeypatch.setattr(IPython, "get_ipython", lambda: session)
    check_parameters(space, **RULES)


# Sessions in which something must be said, and sessions of which there is nothing to say.
INJECTED = "# Parameters\nbatch = 4\n"
REFUSED = {
    "as papermill does it": (PARAMETERS, INJECTED),
    "with everything that papermill writes": (
        PARAMETERS,
        "# Parameters\nfree = [-1.5, float('inf'), None, {\"a\": True}]\nbatch = 'x'\n",
    ),
    "the colab cell came first": ("import sys", PARAMETERS, INJECTED),
    "run all, twice": (PARAMETERS, INJECTED, CHECK, "x = 1", PARAMETERS, INJECTED),
    "mended, and wrong again": (PARAMETERS, "# Parameters\nfree = 2", CHECK, INJECTED),
}
SILENT = {
    "no cell of papermill's": (PARAMETERS,),
    "a cell without the check before it": (INJECTED,),
    "it is mended": (PARAMETERS, INJECTED, CHECK, "# Parameters\nbatch_size = 4\n"),
    "mended, with a look at something before the check": (
        PARAMETERS, INJECTED, CHECK, "# Parameters\nbatch_size = 4\n", "print(batch_size)"
    ),
    "the parameters cell was run anew without it": (PARAMETERS, INJECTED, CHECK, PARAMETERS),
    "a variable of that name, later": (PARAMETERS, CHECK, "batch = x[:8]"),
    "a cell of one's own with such a comment": (PARAMETERS, "# Parameters of mine\nbatch = 4"),
    "a cell of one's own with the comment and more": (
        PARAMETERS, "# Parameters\nbatch = 4  # what I try\n"
    ),
    "a cell of one's own that computes": (PARAMETERS, "# Parameters\nbatch = batch_size // 2\n"),
    "a call": (PARAMETERS, "# Parameters\nbatch = load(3)\n"),
    "an import": (PARAMETERS, "# Parameters\nimport os\nbatch = 4\n"),
    "no Python": (PARAMETERS, "# Parameters\n%timeit 3\n", "%%bash\nls", "!ls", "# Parameters\n'"),
    "papermill's paths": (PARAMETERS, "# Parameters\nPAPERMILL_OUTPUT_PATH = 'out.ipynb'\n"),
    "a parameter without a rule": (PARAMETERS, "# Parameters\nfree = 4\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_papermill_set_and_is_no_parameter_is_refused(monkeypatch, case):
    with pytest.raises(ValueError, match=f"^{OLD}$"):
        _check(monkeypatch, *REFUSED[case], batch=4)


@pytest.mark.parametrize("case", SILENT)
def test_a_session_in_which_nothing_is_to_be_said(monkeypatch, case):
    _check(monkeypatch, *SILENT[case], batch=4)


def test_everything_wrong_is_said_at_once(monkeypatch):
    with pytest.raises(ValueError) as failure:
        _check(monkeypatch, PARAMETERS, "# Parameters\nbatch = 4\nfoo = 1\nwide = 3\n", wide=3)
    old, unknown, bad = str(failure.value).splitlines()
    assert old == OLD and unknown == "Unknown parameter 'foo'."
    assert bad.startswith("Bad parameter 'wide'. Received: 3")


def test_without_a_session_there_is_nothing_to_tell(monkeypatch):
    check_parameters({"batch_size": 8, "batch": 4}, batch_size=range(9))
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace())
    assert injected_parameters({}, RULES) == ([], [])
    # A dictionary of one's own that is checked in a session was set by no cell.
    session = SimpleNamespace(
        user_ns={}, history_manager=SimpleNamespace(input_hist_raw=[PARAMETERS, INJECTED])
    )
    monkeypatch.setattr(IPython, "get_ipython", lambda: session)
    assert injected_parameters({}, RULES) == ([], [])
    assert injected_parameters(session.user_ns, RULES)[0] == ["batch"]
