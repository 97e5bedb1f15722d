# `make demo` and `make test` need python3 (3.11 or later) with venv, and the network once; all else lands in .venv.

PYTHON ?= python3
BIN := .venv/bin
# Further words for the program that a target runs: make demo ARGS=--keep, make test ARGS="-k courier"
ARGS ?=

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test lint types contract units fuzz soak bench clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: .venv/installed-demo ## Show the main job on mail servers of its own, without any set-up
	$(BIN)/mailticket demo $(ARGS)

test: lint types contract units ## Run every check: style, types, imports, tests

lint: .venv/installed-test ## Check style and format (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-test ## Check types (mypy --strict)
	$(BIN)/mypy

contract: .venv/installed-test ## Check that imports go down only (import-linter)
	$(BIN)/lint-imports --no-logo

units: .venv/installed-test ## Run the tests (pytest), by a process for each of up to four processors
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

fuzz: .venv/installed-test ## Feed the readers with hostile mail for a bounded time
	$(BIN)/python -m tests.fuzz $(ARGS)

soak: .venv/installed-test ## A long random run with kills, cuts and refusals; five minutes by default
	$(BIN)/python -m tests.soak $(ARGS)

bench: .venv/installed-test ## Measure speed and memory against a bare reference
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove what was built and cached
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each set of dependencies: a second call installs nothing.
.venv/installed-%: pyproject.toml
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@
