"""The container files name commands and files that the project has."""

import json
import re
import tomllib
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


def test_a_build_argument_brings_an_extra_of_the_project():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (named,) = re.findall(r"^#   docker build --build-arg EXTRA=(\S+)", text, re.M)
    assert named in extras["optional-dependencies"]
    assert re.search(r'^ARG EXTRA=\nRUN test -z "\$EXTRA" \|\| .*-e "\.\[\$EXTRA\]"$', text, re.M)
    guide = (ROOT / "docs" / "rerunning.md").read_text("utf-8")
    assert f"--build-arg EXTRA={named}" in guide and "docker run --rm --gpus all" in guide


def _as_docker_spells(line):
    """A line of .gitignore in the spelling of .dockerignore, where each begins at the root."""
    name = line.strip("/")
    return name if "/" in line.rstrip("/") else f"**/{name}"


def test_the_image_leaves_out_what_git_ignores():
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    assert _as_docker_spells("/.gpu/") == ".gpu" and _as_docker_spells("a/*.csv") == "a/*.csv"
    assert _as_docker_spells("__pycache__/") == "**/__pycache__"
    left_out = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert set(left_out) == {".git", *map(_as_docker_spells, ignored)}
