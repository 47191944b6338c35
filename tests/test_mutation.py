"""The drawing of mutants: what it changes, what it leaves alone, and which tests it asks."""

import ast
from pathlib import Path

import pytest
from mutation import draw

ROOT = Path(__file__).resolve().parents[1]
CODE = '''
"""Text."""
LIMIT = 3


class Counter:
    """Text."""

    def up(self, step: float | int = 1.0) -> float | None:
        """Text."""
        if step < 0:
            raise ValueError(f"too small by {LIMIT - step}")
        return min(LIMIT, self.count + step)


def _hidden(x):
    return [i for i in x[1:] if not i]
'''


def changes(code):
    return {(m.owner, m.before, m.after) for m in draw.mutants(code)}


def test_changes_by_hand():
    found = changes(CODE)
    assert {
        ("", "3", "4"),
        ("Counter.up", "1.0", "2.0"),
        ("Counter.up", "step < 0", "step <= 0"),
        ("Counter.up", "LIMIT - step", "LIMIT + step"),
        ("Counter.up", "min(LIMIT, self.count + step)", "max(LIMIT, self.count + step)"),
        ("Counter.up", "min(LIMIT, self.count + step)", "self.count + step"),
        ("Counter.up", "self.count + step", "self.count"),
        ("Counter.up", "return min(LIMIT, self.count + step)", "return None"),
        ("_hidden", "x[1:]", "x[:]"),
        ("_hidden", "not i", "i"),
        ("_hidden", "[i for i in x[1:] if not i]", "[i for i in x[1:]]"),
    } <= found
    assert not any(
        "Text" in before or "float" in before or before == "'too small by '"
        for _, before, _ in found
    )


def test_each_mutant_is_code_that_differs_in_one_place():
    plain = draw.normal(CODE)
    mutants = draw.mutants(CODE)
    assert len({m.code for m in mutants}) == len(mutants)
    for mutant in mutants:
        assert ast.unparse(ast.parse(mutant.code)) == mutant.code != plain
        assert mutant.before.splitlines()[0] in plain and 1 <= mutant.first <= mutant.last
    assert draw.mutants(CODE) == mutants  # each change is taken back
    lines = CODE.replace('"', "'").splitlines()
    assert all(m.before in lines[m.line - 1] for m in mutants if "\n" not in m.before)


def test_a_seed_repeats_a_drawing_and_each_public_function_has_one():
    population = [("module", m) for m in draw.mutants(CODE)]
    assert draw.draw(population, 5, seed=1) == draw.draw(population, 5, seed=1)
    assert draw.draw(population, 5, seed=1) != draw.draw(population, 5, seed=2)
    for seed in range(20):
        drawn = draw.draw(population, 1, seed, each=True)
        assert 1 <= len(drawn) <= 2 and "Counter.up" in {m.owner for _, m in drawn}


def test_changes_that_once_no_test_noticed_are_among_them():
    for module, before, after in [
        ("models/vae", "ops.minimum(1.0, done)", "done"),
        ("metrics/calibration", "count * np.abs(said - true)", "np.abs(said - true)"),
        ("edges/matching", "dy * dy + dx * dx", "dy * dy"),
        (
            "edges/matching",
            "(lowest == highest) & (lowest >= 0) & (self.last_size[highest] == size)",
            "(lowest == highest) & (lowest >= 0)",
        ),
    ]:
        code = (ROOT / "helpers" / f"{module}.py").read_text(encoding="utf-8")
        assert (before, after) in {(m.before, m.after) for m in draw.mutants(code)}


def test_every_module_asked_of_has_test_files_that_exist(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "mutation"))
    import run

    paths = run._paths([])
    assert {run._module(path) for path in paths} == set(run.TESTS)
    assert {p.partition("/")[0] for p in run.TESTS} >= run.KERAS
    files = [file for path in paths for file in run._files(path)]
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert run._paths(["experiments/odd_parts"]) == ["helpers/experiments/odd_parts.py"]
    assert run._files("helpers/edges/matching.py") == run._files("helpers/edges/scores.py")
    assert "helpers/metrics/tables.py" in run._paths(["metrics"])
    with pytest.raises(SystemExit, match=r"No module 'metrics/none'. There are backend, losses"):
        run._paths(["metrics/none"])
