# Thin on purpose: each target is one line of real work. `make help` lists them.
# PY may be set by hand; without it the first Python >= 3.11 that starts is taken.
PY      ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN     := .venv/bin
UV      := .uv/bin/uv
PYTHON  := $(BIN)/python
DATASET ?= shapes
PROFILE ?= smoke
KERNEL  ?= vae-cpu
LOCK     = $(UV) pip compile -q --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-header pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup run test lab kernels lock lint notebooks bench clean

help:             ## list the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

setup: .venv/.ready                    ## make .venv from the lock and register the kernels

.uv/.ready:
	@test -n "$(PY)" || { echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: make PY=/path/to/python3.11 ..."; exit 1; }
	$(PY) -m venv .uv && .uv/bin/python -m pip install -q "uv>=0.9,<1" && touch $@

# Where uv cannot be had, pip does the same from the same lock, more slowly.
.venv/.ready: requirements.txt pyproject.toml | .uv/.ready
	$(UV) venv -q --clear --python $(PY) .venv
	$(UV) pip sync -q --require-hashes --compile-bytecode --python $(PYTHON) requirements.txt
	$(UV) pip install -q --no-deps --no-build-isolation --python $(PYTHON) -e .
	@$(MAKE) -s kernels && touch $@

kernels:          ## register the Jupyter kernels vae-cpu and vae-gpu
	$(PYTHON) -m ipykernel install --sys-prefix --name vae-cpu --display-name "VAE (CPU)" --env CUDA_VISIBLE_DEVICES "" --env KERAS_BACKEND tensorflow --env TF_CPP_MIN_LOG_LEVEL 3 2>/dev/null
	$(PYTHON) -m ipykernel install --sys-prefix --name vae-gpu --display-name "VAE (GPU)" --env TF_FORCE_GPU_ALLOW_GROWTH true --env KERAS_BACKEND tensorflow --env TF_CPP_MIN_LOG_LEVEL 3 2>/dev/null
