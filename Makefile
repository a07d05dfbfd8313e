# Every target sets up what it needs: Python 3.11+, make and a package registry are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV = $(shell command -v uv || echo $(BIN)/uv)
CONSTRAINTS := --constraints constraints.txt --build-constraints constraints.txt

.PHONY: demo test test-browser types check bench soak gpu-check dashboards latest constraints clean

demo: $(READY)
	$(BIN)/streetreplay demo

# a process a core, at most four of about 1 GB; tests of one file stay together for their fixtures,
# in the order that tests/conftest.py gives the files
test: $(READY)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

# every page in Chromium (Debian's package); screenshots go to .cache/screenshots
test-browser: $(READY)
	$(BIN)/python -m pytest -m browser tests/browser

types: $(READY)
	$(BIN)/mypy

# side by side what leaves a core idle each
check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(MAKE) --jobs=2 --output-sync types test-browser
	$(MAKE) test

bench: $(READY)
	$(BIN)/python -m tests.bench

soak: $(READY)
	$(BIN)/python -m pytest -m slow

# what the GPU computes, against the CPU; what it does a second: python -m tests.bench.gpu
gpu-check: $(READY)
	$(BIN)/python -m tests.gpu

dashboards: $(READY)
	$(BIN)/streamlit run dashboards

# the tests with the newest releases that pyproject.toml allows, in an environment of their own
latest:
	rm -rf .venv-latest
	$(MAKE) VENV=.venv-latest CONSTRAINTS= test

# the versions in .venv, with the markers of other platforms
constraints: $(READY)
	$(UV) pip freeze --quiet --exclude-editable --python $(BIN)/python > $(VENV)/tested.txt
	{ head -2 constraints.txt; $(UV) pip compile --quiet pyproject.toml --extra dev --universal \
		--python-version 3.11 --constraints $(VENV)/tested.txt --no-header --no-annotate \
		--no-emit-index-url; } > $(VENV)/constraints.txt
	mv $(VENV)/constraints.txt constraints.txt

clean:
	find analytics replay model -name '*.nb[ci]' -delete
	rm -rf .venv .venv-latest .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
		.hypothesis

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "streetreplay: found $$($(PYTHON) --version 2>&1); expected Python 3.11 or later;" \
			"name one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@command -v $(UV) >/dev/null || $(BIN)/python -m pip install --quiet uv
	@echo "installing into $(VENV) (several GB, about two minutes)"
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python $(CONSTRAINTS) -e '.[dev]'
	@touch $@
