# Every target sets up what it needs: Python 3.11+, make and a package registry are enough.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test check bench soak dashboards clean clean-compiled

demo: $(READY)
	$(BIN)/streetreplay demo

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY) clean-compiled
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

bench: $(READY)
	$(BIN)/python -m tests.bench

soak: $(READY)
	$(BIN)/python -m pytest -m slow

dashboards: $(READY)
	$(BIN)/streamlit run dashboards

# numba's cache does not see that a function changed which is called from another file
clean-compiled:
	find analytics replay model -name '*.nb[ci]' -delete

clean: clean-compiled
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "streetreplay: found $$($(PYTHON) --version 2>&1); expected Python 3.11 or later;" \
			"name one with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@if command -v uv >/dev/null; then uv=uv; \
		else $(BIN)/python -m pip install --quiet uv && uv=$(BIN)/uv; fi && \
		echo "installing into .venv (several GB, about two minutes)" && \
		$$uv pip install --quiet --compile-bytecode --python $(BIN)/python -e '.[dev]'
	@touch $@
