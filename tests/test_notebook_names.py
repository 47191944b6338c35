"""Former names of notebooks: refused with the present one, and what was made under them is read."""

import json
from pathlib import Path

import nbformat
import pytest

import authoring.__main__ as authoring
from helpers.runs import __main__ as shell
from helpers.runs import notebook_names, parameter_names, provenance, tables
from helpers.runs.notebook_names import FORMER_NOTEBOOKS, gone, present_file, present_run
from helpers.runs.notebooks import BadRequest, find, series_names
from helpers.runs.results import MIME

SERIES = Path(__file__).parents[1] / "notebooks"
KNOWN = series_names()
OLD, NOW = next(iter(FORMER_NOTEBOOKS.items()))
# A former notebook whose number another one took.
TAKEN = next(old for old in FORMER_NOTEBOOKS if any(n[:2] == old[:2] for n in KNOWN))


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A series of one notebook, `NOW`, so that no other has its former number."""
    (tmp_path / "notebooks" / "py").mkdir(parents=True)
    for name in (f"{NOW}.ipynb", f"py/{NOW}.py"):
        (tmp_path / "notebooks" / name).touch()
    monkeypatch.setenv("HELPERS_NOTEBOOKS", str(tmp_path / "notebooks"))


def test_the_table_leads_from_names_that_are_gone_to_notebooks_that_are_there():
    assert set(FORMER_NOTEBOOKS.values()) <= set(KNOWN)
    assert not set(FORMER_NOTEBOOKS) & set(KNOWN)
    assert len(set(FORMER_NOTEBOOKS)) >= 9


@pytest.mark.parametrize("old", FORMER_NOTEBOOKS)
def test_a_former_name_is_refused_with_the_present_one(old, capsys, tmp_path):
    now = FORMER_NOTEBOOKS[old]
    says = f"error: There is no notebook {old} now; it is called {now}.\n"
    for command in (["run", old], ["list", f"notebooks/{old}.ipynb"]):
        assert shell.main(command) == 2
        assert capsys.readouterr().err == says
    assert authoring.main(["build", old]) == 2
    assert capsys.readouterr().err == says
    sweep = tmp_path / "sweep.yaml"
    sweep.write_text(f"notebooks: [{old!r}]\n")
    assert shell.main(["sweep", str(sweep)]) == 2
    assert capsys.readouterr().err == says
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.yaml"]


@pytest.mark.parametrize("number", [OLD[:2], str(int(OLD[:2]))])
def test_a_former_number_is_refused_with_both_names(number, alone, capsys):
    says = f"error: There is no notebook {OLD[:2]} now; the old {OLD} is {NOW}.\n"
    for do, command in ((shell, "run"), (shell, "list"), (authoring, "build")):
        assert do.main([command, number]) == 2
        assert capsys.readouterr().err == says


def test_a_number_that_another_notebook_has_now_is_that_one():
    (there,) = (name for name in KNOWN if name[:2] == TAKEN[:2])
    assert find(TAKEN[:2]).stem == there != FORMER_NOTEBOOKS[TAKEN]
    assert gone(TAKEN[:2], KNOWN) is None and gone(TAKEN, KNOWN)


def test_a_name_is_former_only_where_the_series_has_the_new_one():
    assert gone(OLD, [NOW]) and gone(OLD[:2], [NOW])
    for known in ([], ["99_other"], [OLD, NOW]):
        assert gone(OLD, known) is None and gone(OLD[:2], known) is None
        assert present_run(f"{OLD}__seed=1", known) == f"{OLD}__seed=1"
    assert gone("99", [NOW]) is None and gone(OLD[3:], [NOW]) is None
    assert gone(NOW, [NOW]) is None and gone(NOW[:2], [NOW]) is None


def test_two_former_notebooks_of_one_number_leave_the_number_open(monkeypatch):
    monkeypatch.setitem(notebook_names.FORMER_NOTEBOOKS, f"{OLD[:2]}_other", NOW)
    assert gone(OLD[:2], [NOW]) is None and gone(f"{OLD[:2]}_other", [NOW])


# ---- files

FILES = {p.name: p for kind in ("parameters", "sweeps") for p in SERIES.glob(f"{kind}/*.yaml")}


def _former_files():
    """Paths that the parameter files and sweeps had, with what they are now."""
    for old, now in FORMER_NOTEBOOKS.items():
        for name, path in FILES.items():
            former = path.with_name(old[:2] + name[2:])
            if name.startswith(f"{now[:2]}.") and not former.exists():
                yield former, path


def test_a_file_under_a_former_number_is_refused_with_the_present_one(capsys):
    found = dict(_former_files())
    assert {path.parent.name for path in found} <= {"parameters", "sweeps"} and len(found) >= 5
    for former, path in found.items():
        assert present_file(former) == path
        sweep = path.parent.name == "sweeps"
        command = ["sweep", str(former)] if sweep else ["run", path.name[:2], "-f", str(former)]
        assert shell.main(command) == 2
        assert capsys.readouterr().err.endswith(f" It is {path} now.\n")
    former = next(iter(found))
    assert present_file(former.with_name(former.name.replace(".", "_", 1))) is None
    assert present_file(former.with_name(former.name + ".bak")) is None
    assert present_file(Path("my.yaml")) is None


# ---- runs from before


def _old_run(path, **parameters):
    """An executed notebook of a former name, as papermill left it, with a former parameter."""
    code = [
        "batch = 8  # pictures",
        "check_parameters(globals(), batch=range(1, 99))\nset_up()",
        "record({'pictures': 12})",
    ]
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in code])
    node.cells[0].metadata["tags"] = ["parameters"]
    data = {MIME: {"results": {"pictures": 12}}, "text/plain": ""}
    node.cells[2].outputs = [nbformat.v4.new_output("display_data", data)]
    node.metadata["papermill"] = {"parameters": parameters, "duration": 1.0, "exception": None}
    nbformat.write(node, path)


def _with_a_former_parameter():
    """A former notebook whose present one has the parameter that was called `batch`, and both names."""
    texts = {now: (SERIES / "py" / f"{now}.py").read_text("utf-8") for now in KNOWN}
    found = FORMER_NOTEBOOKS.items()
    return next((old, now) for old, now in found if "\nbatch_size = " in texts[now])


def test_runs_of_a_former_name_stand_in_one_table_with_new_ones(tmp_path):
    old, now = _with_a_former_parameter()
    _old_run(tmp_path / f"{old}__batch=4__0123456789ab.ipynb", batch=4)
    _old_run(tmp_path / f"{old}.ipynb")
    _old_run(tmp_path / f"{now}__batch=2__ba9876543210.ipynb", batch=2)
    rows, left = tables.collect(tmp_path)
    assert left == []
    assert [(r["notebook"], r["run"]) for r in rows] == [
        (now, old),
        (now, "0123456789ab"),
        (now, "ba9876543210"),
    ]
    # The notebook's name of today also tells what its former parameters are called now.
    assert "batch" in parameter_names.FORMER_NAMES
    assert [r["batch_size"] for r in rows] == [8, 4, 2]
    assert shell.main(["results", str(tmp_path)]) == 0


def test_a_run_of_a_former_name_is_kept_under_the_present_one(tmp_path):
    old, _ = _with_a_former_parameter()
    run = tmp_path / f"{old}__full.ipynb"
    _old_run(run, batch=4)
    kept = json.loads(provenance.keep(run, tmp_path / "kept.json").read_text("utf-8"))
    assert kept["name"] == f"{FORMER_NOTEBOOKS[old]}__full"
    assert kept["parameters"] == {"batch_size": 4}


def test_a_run_of_no_notebook_of_the_series_keeps_its_name(tmp_path):
    _old_run(tmp_path / "my_own__batch=4__0123456789ab.ipynb", batch=4)
    (row,) = tables.table(tmp_path)
    assert row["notebook"] == "my_own" and row["batch"] == 4


def test_a_near_name_is_still_guessed():
    with pytest.raises(BadRequest, match=rf"Did you mean '{KNOWN[0]}'"):
        find(KNOWN[0][:-1])
