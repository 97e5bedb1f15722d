# `make demo` and `make test` need python3 (3.11 or later) with venv, and the network once; all else lands in .venv.

PYTHON ?= python3
BIN := .venv/bin
# Further words for the program that a target runs: make demo ARGS=--keep, make test ARGS="-k courier"
ARGS ?=

# Tests start the program many hundred times, and compiling it takes a third of a second.
unexport PYTHONDONTWRITEBYTECODE
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test lint types contract units fuzz soak bench wheels deb clean

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

units: .venv/installed-test ## Run the tests (pytest), by four processes: many wait for a server most of their time
	$(BIN)/pytest -n 4 --dist worksteal $(ARGS)

fuzz: .venv/installed-test ## Feed the readers with hostile mail for a bounded time
	$(BIN)/python -m tests.fuzz $(ARGS)

soak: .venv/installed-test ## A long random run with kills, cuts and refusals; five minutes by default
	$(BIN)/python -m tests.soak $(ARGS)

bench: .venv/installed-test ## Measure speed and memory against a bare reference
	$(BIN)/python -m benchmarks $(ARGS)

wheels: ## Gather the program and the libraries that it needs in build/wheels
	rm -rf build/wheels
	/usr/bin/python3 -m venv build/packer
	build/packer/bin/pip wheel --quiet --disable-pip-version-check --wheel-dir build/wheels \
		'.[postgres,holidays,oauth2]' hatchling

deb: wheels ## Build the Debian package into dist/ (needs debhelper and python3-venv)
	rm -rf build/deb dist/mailticket_*.deb
	mkdir -p build/deb/source dist
	cp -R packaging/debian CHANGELOG.md build/deb/source/
	printf 'mailticket (%s) unstable; urgency=medium\n\n  * What changed stands in CHANGELOG.md.\n\n -- %s  %s\n' \
		"$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' mailticket/__init__.py)" \
		"$$(sed -n 's/^Maintainer: //p' packaging/debian/control)" "$$(date -R)" > build/deb/source/debian/changelog
	cd build/deb/source && WHEELS=$(CURDIR)/build/wheels PIP=$(CURDIR)/build/packer/bin/pip \
		dpkg-buildpackage --build=binary --no-sign --no-check-builddeps
	cp build/deb/mailticket_*.deb dist/

clean: ## Remove what was built and cached
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each set of dependencies: a second call installs nothing.
.venv/installed-%: pyproject.toml
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	$(BIN)/python -m compileall -q mailticket  # which pip does for what it copies, not for what it links to
	touch $@
