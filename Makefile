# Everything here needs Python 3.11 or newer, git and make; the rest is installed into .venv by itself.

# The first of these that is Python 3.11 or newer is used; or say which: make install PYTHON=/path/to/python
PYTHON ?= python3.13 python3.12 python3.11 python3
ARGS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --progress-bar off
UNFINISHED := echo "That did not finish: see above. Is the network there? make goes on where it stopped." >&2; exit 1

# When the Python under .venv was upgraded away, start afresh.
$(shell [ -x $(BIN)/python ] || rm -f .venv/.made .venv/.run .venv/.dev)

.PHONY: help install run test check prove journeys bench lock clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

install: .venv/.run ## set up what Hipwise needs to run, and .venv/bin/hipwise

run: .venv/.run ## start Hipwise
	@$(BIN)/python -m bots run $(ARGS)

test: .venv/.dev ## the tests; make test ARGS="-k night" for some of them
	@$(BIN)/python -m pytest -n auto $(ARGS)

check: .venv/.dev ## form, types, dependencies between packages, content
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m bots content

prove: .venv/.dev ## the long proofs that the rules are safe and nothing is lost
	@$(BIN)/python -m pytest -m prove -n auto -q $(ARGS)

journeys: .venv/.dev ## write the golden conversations anew, after a change of words that was meant
	@UPDATE_JOURNEYS=1 $(BIN)/python -m pytest -q tests/test_journeys.py

bench: .venv/.dev ## how fast it is
	@PYTHONPATH=.:tests $(BIN)/python tests/bench.py $(ARGS)

# Versions already in the lock files stay unless pyproject.toml forbids them; make lock ARGS=--upgrade takes newer ones.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url $(ARGS) pyproject.toml

lock: .venv/.made ## write requirements.lock and requirements-dev.lock from pyproject.toml
	@$(PIP) uv
	@$(LOCK) -o requirements.lock
	@$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock

clean: ## remove what these commands made, nothing of yours
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist hipwise.egg-info
	find bots content core scheduler tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp is written last, so that an interrupted step is done again.

.venv/.made:
	@echo "Setting up Hipwise (once, about a minute) ..."
	@for python in $(PYTHON); do \
		"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -m venv --clear .venv || exit 1; \
		touch $@; exit 0; \
	done; \
	for python in $(PYTHON); do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "$$python has no venv module. On Debian and Ubuntu: sudo apt install python3-venv; then make again." >&2; \
		exit 1; \
	done; \
	echo "Hipwise needs Python 3.11 or newer; none of these is: $(PYTHON)." >&2; \
	echo "Install one, or say where it is: make install PYTHON=/path/to/python" >&2; \
	exit 1

.venv/.run: .venv/.made requirements.lock Makefile
	@$(PIP) --require-hashes -r requirements.lock || { $(UNFINISHED); }
	@printf '%s\n' '#!/bin/sh' '# Hipwise, from any folder.' \
		'root=$$(dirname "$$(dirname "$$(dirname "$$(readlink -f "$$0")")")")' \
		'PYTHONPATH=$$root exec "$$root/.venv/bin/python" -P -m bots "$$@"' > $(BIN)/hipwise
	@chmod +x $(BIN)/hipwise
	@touch $@

.venv/.dev: .venv/.run requirements-dev.lock
	@echo "Adding the tools for checks and tests (once) ..."
	@$(PIP) --require-hashes -r requirements-dev.lock || { $(UNFINISHED); }
	@touch $@
