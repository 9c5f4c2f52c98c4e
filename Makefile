# Thin names for commands. Each one sets up what it needs in .venv; nothing is installed outside it.
# PYTHON=... says which interpreter .venv is made with; ARGS=... is passed on.

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PINS := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: help venv demo pins clean

help:
	@echo "make venv | demo | pins | clean"

# The demo needs no linters and no toolchains, so .venv grows in two steps.
.venv/run: constraints-run.txt pyproject.toml
	.ci/venv .venv $(PYTHON)
	$(PIP) install --require-hashes -r constraints-run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: constraints.txt .venv/run
	$(PIP) install --require-hashes -r constraints.txt
	@touch $@

venv: .venv/dev

demo: .venv/run
	$(BIN)/actorhost demo $(ARGS)

# New pins: everything, then the part that runs and builds the package, held to the same versions.
pins:
	$(PINS) --all-extras --group dev pyproject.toml --output-file constraints.txt
	$(PINS) --group build pyproject.toml --constraints constraints.txt --output-file constraints-run.txt

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
