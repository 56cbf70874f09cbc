# make install | demo | test | lint | requirements | container-test | reference | gallery
# Everything lives in .venv; a stamp makes the second run instant.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
UV := $(BIN)/uv
REQUIREMENTS := requirements/dev.txt
STAMP := $(VENV)/installed

.PHONY: install demo test lint requirements container-test reference gallery clean

install: $(STAMP)

$(STAMP): $(REQUIREMENTS) requirements/uv.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "sweep needs Python 3.11, 3.12 or 3.13; this is %d.%d. Name another with: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $(REQUIREMENTS)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q sweep
	@touch $@

demo: install
	$(BIN)/sweep start spaces/capacity.py --data builtin --max-epochs 9
	$(BIN)/sweep report

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

test: lint
	$(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Builds the image and sweeps in it; without a Docker engine it needs root on Debian or Ubuntu.
container-test:
	bash tests/container/run.sh

# Pins every dependency with hashes and without any address.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate
requirements: install
	echo "uv==0.13.9" | $(COMPILE) --output-file requirements/uv.txt -
	$(COMPILE) --output-file requirements/cpu.txt --extra serve pyproject.toml
	$(COMPILE) --output-file requirements/gpu.txt --extra cuda --extra serve --constraint requirements/cpu.txt pyproject.toml
	$(COMPILE) --output-file $(REQUIREMENTS) --group dev --extra optuna --extra serve --extra ray --constraint requirements/cpu.txt pyproject.toml

clean:
	rm -rf $(VENV)

# results/README.md and its charts, also for the README.
reference: install
	bash results/reference/make.sh

# docs/gallery.md and its pictures, on data that come with scikit-learn: a few minutes.
gallery: install
	$(BIN)/python docs/gallery/make.py
	$(BIN)/python docs/gallery/service.py
