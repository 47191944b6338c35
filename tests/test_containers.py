"""The container files name commands and files that the project has."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))


def test_the_dev_container_sets_up_with_a_target_of_make():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    make, target = settings["postCreateCommand"].split()
    assert make == "make" and target in TARGETS
    assert settings["customizations"]["vscode"]["settings"][
        "python.defaultInterpreterPath"
    ].endswith("/.venv/bin/python")


def test_the_image_has_a_python_of_the_project_and_runs_make():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    wanted = re.search(
        r'requires-python = ">=(\d\.\d+)', (ROOT / "pyproject.toml").read_text("utf-8")
    )
    assert f"FROM python:{wanted[1]}-slim" in text
    assert set(re.findall(r"RUN make (\S+)", text)) <= TARGETS
    assert '"notebooks"' in text and (ROOT / "notebooks").is_dir()


def test_the_image_leaves_out_what_git_ignores():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert {".git", ".venv*", "data/cache", "runs"} <= set(ignored)
