# Thin names for commands. Each one sets up what it needs in .venv; nothing is installed outside it.
# PYTHON=... says which interpreter .venv is made with; ARGS=... is passed on to demo, bench and tests.

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
BUILD := build/wheel
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PINS := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: help venv demo test test-all test-source lint format bench soak guests wheel pins clean

help:
	@echo "make demo      a year of real readings through sandboxed actors"
	@echo "make test      every check a change must pass"
	@echo "make test-all  the same on each CPython from 3.11 to 3.15 found"
	@echo "make lint | format | bench | soak | guests | wheel | venv | pins | clean"

# The demo needs no linters and no toolchains, so the environment grows in two steps.
$(VENV)/run: constraints-run.txt pyproject.toml
	.ci/venv $(VENV) $(PYTHON)
	$(PIP) install --require-hashes -r constraints-run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev: constraints.txt $(VENV)/run
	$(PIP) install --require-hashes -r constraints.txt
	@touch $@

venv: $(VENV)/dev

demo: $(VENV)/run
	$(BIN)/actorhost demo $(ARGS)

lint: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Three at a time, as most tests wait more than they compute; then, alone, those that measure time.
test-source: $(VENV)/dev
	$(BIN)/python -m pytest -m "not alone" -n 3 --dist loadfile $(ARGS)
	$(BIN)/python -m pytest -m alone $(ARGS)

# Built from the committed and the changed files alike, then used where neither can be seen.
wheel: $(VENV)/dev
	rm -rf $(BUILD)
	$(BIN)/python -m hatchling build --target wheel --directory $(BUILD)
	$(BIN)/python -I tests/wheel/check.py $(BUILD)/*.whl

# One after the other, also under `make -j`: the tests measure time.
test: $(VENV)/dev
	$(MAKE) lint
	$(MAKE) wheel
	$(MAKE) test-source

test-all:
	.ci/test-all

bench: $(VENV)/dev
	for name in engine echo local density preempt startup overload recovery hosts capability http; do $(BIN)/actorhost bench $$name $(ARGS) || exit; done

soak: $(VENV)/dev
	ACTORHOST_SOAK=1 $(BIN)/python -m pytest -o faulthandler_timeout=3600 $(ARGS)

guests: $(VENV)/dev
	$(BIN)/python actors/build.py $(ARGS)

# New pins: everything, then the part that runs and builds the package, held to the same versions.
pins:
	$(PINS) --all-extras --group dev pyproject.toml --output-file constraints.txt
	$(PINS) --group build pyproject.toml --constraints constraints.txt --output-file constraints-run.txt

clean:
	rm -rf $(VENV) .venvs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
