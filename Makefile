# Thin on purpose: each target is a line or two of real work. `make` lists them.
# PY may be set by hand; without it the first Python 3.11 to 3.13 that starts is taken.
PY      ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN     := .venv/bin
PYTHON  := $(BIN)/python
UV      := .uv/bin/uv
DATASET ?= shapes
PROFILE ?= default
KERNEL  ?= vae-cpu
NBVAL    = --nbval-lax --nbval-kernel-name $(KERNEL) --nbval-cell-timeout 600 --nbval-kernel-startup-timeout 180 --nbval-sanitize-with tests/sanitize.cfg

# Test files and notebooks run side by side, whole files to a worker; see conftest.py for the threads.
WORKERS ?= $(shell $(PY) -c 'import os; print(min(4, os.cpu_count() or 1))')
SPREAD   = -n $(WORKERS) --dist loadfile --no-loadscope-reorder

BACKENDS := .backends/bin/python
PORTABLE := $(addprefix tests/test_,layers.py losses.py vae.py half_precision.py networks.py inputs.py pair_checks.py saving.py backend.py \
	segmentation_losses.py pyramids.py training.py density.py label_maps.py loss_weights.py checkpoint.py pretrained.py stream.py weights.py \
	linear_probes.py statistics.py metrics_tables.py cost.py receptive_fields.py progress.py gan.py \
	pixelcnn.py quantised.py two_level.py beside_real.py mixture_prior.py mask_damage.py mask_repairs.py mask_comparison.py mask_sets.py evaluator.py metrics_generative.py comparisons.py data_records.py vq.py ood.py \
	probabilistic_unet.py uncertainty_baselines.py several_answers.py annotated.py photo_networks.py photo_views.py photographs.py examples.py)

.DEFAULT_GOAL := help
.PHONY: help setup run own test test-backends assignments grade feedback test-graders site test-browser lab kernels lint build wheel weights train-photographs bench mutants gpu lock

help:     ## list the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

setup: .venv/.ready    ## make .venv from the lock and register the kernels

run: setup    ## run the series, and write web pages of it; PROFILE=smoke is quick, DATASET=camvid takes the notebooks that have that set
	$(PYTHON) -m helpers.runs run-all --dataset $(DATASET) --profile $(PROFILE)

test: setup    ## what CI runs: lint, the tests of the helpers, and nbval on KERNEL at smoke parameters; WORKERS=1 for one after another
	$(PYTHON) -m helpers.runs device $(KERNEL)
	$(BIN)/ruff check .
	$(PYTHON) -m pytest -q $(SPREAD) tests
	$(PYTHON) -m pytest -q $(SPREAD) $(NBVAL) --nb-profile smoke notebooks

# The tests that train with a GPU's or three backends' libraries stay out of CI: 8 GB, half an hour.
test-backends: .backends/.ready    ## helpers and notebooks at smoke parameters on JAX and PyTorch, and one ELBO on all three
	$(BACKENDS) -m pytest -q tests/backends
	for backend in jax torch; do \
	  KERAS_BACKEND=$$backend $(BACKENDS) -m pytest -q $(PORTABLE) && \
	  PYTHONPATH=$(CURDIR)/tests/backends/card $(BACKENDS) -m pytest -q $(subst $(KERNEL),vae-$$backend,$(NBVAL)) --nb-profile smoke notebooks || exit 1; done

assignments: setup    ## the course: write and check the student versions, COURSE_SEED=... redraws the constants
	$(PYTHON) -m helpers.grading assignments $(if $(COURSE_SEED),--seed $(COURSE_SEED))

grade: setup    ## the course: grade SUBMISSIONS=folder (see docs/teaching.md)
	@test -n "$(SUBMISSIONS)" || { echo "Which folder? make grade SUBMISSIONS=path"; exit 1; }
	$(PYTHON) -m helpers.grading grade "$(SUBMISSIONS)"

feedback: setup    ## the course: feedback and tables of SUBMISSIONS=folder again, with the points given by hand
	@test -n "$(SUBMISSIONS)" || { echo "Which folder? make feedback SUBMISSIONS=path"; exit 1; }
	$(PYTHON) -m helpers.grading export "$(SUBMISSIONS)"

test-graders: setup    ## every wrong, right and hostile submission, through nbgrader; half an hour
	GRADERS=all $(PYTHON) -m pytest -q $(SPREAD) tests/test_assignments.py tests/test_grading.py tests/test_odd_class.py

site: .site-env/.ready    ## build the web site from the stored notebooks: build/site/html
	.site-env/bin/python docs/site/build.py --vendor .site-env/vendor

# Debian's Chromium, or any that is there; see tests/browser/conftest.py.
test-browser: site    ## in Chromium: every page of the site, and every notebook in JupyterLab; half an hour
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { apt-get update -qq && apt-get install -y --no-install-recommends chromium fonts-dejavu-core; }
	.site-env/bin/python -m pytest -q -m browser tests/browser

own: setup    ## train a network on PICTURES=folder (images, and masks or edges), score and export it to OUT=folder
	@test -n "$(PICTURES)" -a -n "$(OUT)" || { echo "Which folders? make own PICTURES=path OUT=path"; exit 1; }
	$(PYTHON) -m helpers.experiments.own_network train "$(PICTURES)" "$(OUT)"

lab: setup    ## open JupyterLab with the kernels registered
	$(BIN)/jupyter lab notebooks

kernels: setup    ## register the Jupyter kernels vae-cpu, vae-gpu and those of other backends again
	$(PYTHON) -m helpers.runs kernels

lint: setup    ## check and format the Python
	$(BIN)/ruff check . && $(BIN)/ruff format .

build: setup    ## write the stored notebooks from notebooks/py, and the numbers of README and docs: make build NB="03 07"
	$(PYTHON) -m authoring build $(NB)
	$(PYTHON) -m authoring readme

# Without the leavings of an earlier build: a module that is gone would come along.
wheel: setup    ## pack helpers, with the records and kept weights, into dist/: for a machine without this folder
	@ls data/results/*.json data/weights/*.json data/weights/*.npz > /dev/null  # setuptools builds without them, too
	rm -rf build/lib
	$(UV) build -q --wheel --no-build-isolation --python $(PYTHON) --out-dir dist

weights: setup    ## train the models of data/weights long, NAME=vae-shapes32, or without NAME all of them, for hours; stopped, it goes on where it was
	$(PYTHON) -m authoring weights $(NAME)

train-photographs: setup    ## hours: a network for SET=bsds500, camvid or pets, if data/weights has none; stopped, it goes on where it was; LEARN=train+val, SCORE=val or test
	$(PYTHON) -m authoring photographs $(SET) $(if $(LEARN),--learn $(LEARN)) $(if $(SCORE),--score $(SCORE))

# Hours, or a card: each of them by its own command.
LONG := on_gpu.py photographs_on_card.py segmenters.py gan_length.py objective_search.py strange_parts.py mnist_importance.py latents.py few_labels.py latent_heads.py texture_flaws.py

bench: setup    ## the side-by-side measurements; minutes each, some with real sets (HELPERS_DATA)
	for script in $(filter-out $(addprefix benchmarks/,$(LONG)),$(wildcard benchmarks/*.py)); do echo "== $$script"; $(PYTHON) $$script || exit 1; done

mutants: setup    ## what no test notices: 60 changes of the code, drawn by SEED, tried on a copy; see tests/mutation/run.py
	$(PYTHON) tests/mutation/run.py --seed $(or $(SEED),0) $(MODULES)

gpu: .gpu/.ready    ## on a machine with an NVIDIA card: tests and minutes on every kernel that reaches it
	.gpu/bin/python benchmarks/on_gpu.py --record data/results/gpu.json

lock: .uv/.ready    ## write requirements.txt anew from pyproject.toml
	$(UV) pip compile -q --upgrade --universal --python-version 3.11 --extra lab --extra dev --extra teach --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt

# A failed step leaves no .ready behind, so the next call starts that step over.
.uv/.ready:
	@test -n "$(PY)" || { echo "No Python 3.11, 3.12 or 3.13 found. Install one, or name it: make $(MAKECMDGOALS) PY=/path/to/python3.11"; exit 1; }
	@echo "Setting up: the installer uv ..."
	@$(PY) -m venv .uv && .uv/bin/python -m pip install -q --disable-pip-version-check "uv>=0.9,<1" && touch $@

.backends/.ready: requirements.txt pyproject.toml | .uv/.ready
	@echo "Setting up: .backends with JAX and PyTorch (a few minutes, 8 GB) ..."
	@$(UV) venv -q --clear --python $(PY) .backends
	@$(UV) pip install -q --python $(BACKENDS) -c requirements.txt -e ".[lab,dev,jax,torch]"
	@$(BACKENDS) -m helpers.runs kernels >/dev/null
	@touch $@

.gpu/.ready: requirements.txt pyproject.toml | .uv/.ready
	@echo "Setting up: .gpu with TensorFlow and PyTorch for CUDA (10 GB) ..."
	@$(UV) venv -q --clear --python $(PY) .gpu
	@$(UV) pip install -q --python .gpu/bin/python -c requirements.txt -e ".[lab,dev,gpu,torch]"
	@.gpu/bin/python -m helpers.runs kernels >/dev/null
	@touch $@

.site-env/.ready: requirements.txt pyproject.toml docs/site/vendor.py | .uv/.ready
	@echo "Setting up: .site-env with Sphinx and Playwright (a minute) ..."
	@$(UV) venv -q --clear --python $(PY) .site-env
	@$(UV) pip install -q --compile-bytecode --python .site-env/bin/python -c requirements.txt -e ".[lab,dev,teach,site,browser]"
	@.site-env/bin/python docs/site/vendor.py .site-env/vendor
	@touch $@

.venv/.ready: requirements.txt pyproject.toml | .uv/.ready
	@echo "Setting up: .venv from requirements.txt (about a minute, 2.5 GB) ..."
	@$(UV) venv -q --clear --python $(PY) .venv
	@$(UV) pip sync -q --require-hashes --compile-bytecode --python $(PYTHON) requirements.txt
	@$(UV) pip install -q --no-deps --no-build-isolation --python $(PYTHON) -e .
	@$(PYTHON) -m helpers.runs kernels >/dev/null
	@touch $@
