"""The project's kernels: what is registered, what they promise, and what happens without a GPU."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.runs import kernels
from helpers.runs.__main__ import main
from helpers.runs.setup import set_up

ROOT = Path(__file__).resolve().parents[1]


def test_kernels_of_installed_backends_are_registered(tmp_path, monkeypatch):
    names = kernels.register(tmp_path)
    assert names[:2] == ["vae-cpu", "vae-gpu"]
    for name in names:
        spec = tmp_path / "share" / "jupyter" / "kernels" / name / "kernel.json"
        env = json.loads(spec.read_text("utf-8"))["env"]
        assert env["KERAS_BACKEND"] == kernels.KERNELS[name][1]
        # Two notebooks share a card.
        assert env["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
        assert env["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
        # Single precision is single on a card, too.
        assert env["NVIDIA_TF32_OVERRIDE"] == "0"
        assert env["JAX_DEFAULT_MATMUL_PRECISION"] == "highest"
        assert (env.get("HELPERS_DEVICE") == "gpu") == (name == "vae-gpu")
    monkeypatch.setattr(kernels.importlib.util, "find_spec", lambda name: None)
    assert kernels.register(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"device": "GPU:0"}, None),
        ({"device": "CPU", "hidden": True, "nodes": 1}, "hides every GPU"),
        ({"device": "CPU", "hidden": False, "nodes": 0}, "no NVIDIA GPU"),
        ({"device": "CPU", "hidden": False, "nodes": 1, "backend": "jax"}, "jax sees no GPU"),
        ({"error": "ImportError: no keras"}, "no keras"),
    ],
)
def test_the_reason_is_one_sentence(facts, words):
    found = kernels.reason("vae-gpu", facts)
    assert (found is None) if words is None else ("kernel vae-gpu: " in found and words in found)


def test_a_kernel_without_a_promise_has_none_to_break(monkeypatch):
    facts = {"device": "CPU", "hidden": False, "nodes": 0, "backend": "tensorflow"}
    monkeypatch.setattr(kernels, "probe", lambda kernel: {**facts, "promised": None})
    assert kernels.broken_promise("vae-cpu") is None
    monkeypatch.setattr(kernels, "probe", lambda kernel: {**facts, "promised": "gpu"})
    assert "no NVIDIA GPU" in kernels.broken_promise("vae-gpu")


def test_a_notebook_on_a_gpu_kernel_does_not_run_on_the_cpu(monkeypatch):
    monkeypatch.setenv("HELPERS_DEVICE", "gpu")
    monkeypatch.setattr("helpers.runs.setup.device_in_use", lambda: "CPU")
    with pytest.raises(RuntimeError, match=r"promises a GPU.*vae-cpu"):
        set_up(0)


def test_the_command_tells_the_device_or_fails(capsys):
    assert main(["device", "vae-cpu"]) == 0
    assert "tensorflow on CPU" in capsys.readouterr().out
    assert main(["device", "vae-gpuu"]) == 2
    assert "Did you mean 'vae-gpu'" in capsys.readouterr().err
    missing = kernels.why_no_gpu("vae-gpu")
    assert main(["device", "vae-gpu"]) == (1 if missing else 0)
    assert (missing or "on GPU") in "".join(capsys.readouterr())


@pytest.mark.parametrize("named", [True, False])
def test_nbval_without_a_gpu_fails_if_named_and_skips_if_offered(tmp_path, named):
    missing = kernels.why_no_gpu("vae-gpu")
    if missing is None:
        pytest.skip("this machine has a GPU: its kernel is tested by make test KERNEL=vae-gpu")
    shutil.copy(ROOT / "notebooks" / "conftest.py", tmp_path)
    cells = [nbformat.v4.new_code_cell("1 + 1")]
    spec = {"name": "vae-gpu", "display_name": "VAE (GPU)"}
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), tmp_path / "a.ipynb"
    )
    options = ["--nbval-kernel-name", "vae-gpu"] if named else []
    command = [sys.executable, "-m", "pytest", "-rs", "--nbval-lax", *options, "a.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert missing in text
    assert done.returncode == (1 if named else 0), text
    assert ("1 skipped" in text) is not named
