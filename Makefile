# The README's two commands are `make demo` and `make test`. Each makes .venv on its first run and installs what it needs
# there, from the package index; nothing outside this folder changes. PYTHON=python3.12 chooses another interpreter.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV   ?= .venv
JOBS   ?= auto
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEMO   := $(VENV)/.installed-demo
TEST   := $(VENV)/.installed-test

.PHONY: demo test test-all lint bench docs clean

demo: $(DEMO)
	@$(BIN)/contractvm demo

test: lint
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow"

test-all: lint
	$(BIN)/python -m pytest -q -n $(JOBS)

lint: $(TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(TEST)
	$(PIP) --editable '.[bench]'
	$(BIN)/python -m tests.bench

# Everything that is generated from a source: tests fail when it is older than that.
docs: $(TEST)
	$(BIN)/python -m contractvm.docs
	$(BIN)/python -m contractvm.node.reference
	$(BIN)/python -m sdk.headers
	$(BIN)/python -m tests.contractvm.cli.golden
	$(BIN)/python -m tests.readme

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The native tier's compiler has no wheel on every Python, and all else works without it.
INSTALL = $(PIP) --only-binary llvmlite --editable '.[native,$(EXTRAS)]' 2>/dev/null || { \
	echo "llvmlite cannot be installed here, so the native tier is left out"; $(PIP) --editable '.[$(EXTRAS)]'; }

$(DEMO): EXTRAS := wat,c,node
$(DEMO): $(BIN)/python pyproject.toml
	@echo "installing contractvm and its compilers into $(VENV) ..."
	@$(INSTALL)
	@touch $@

$(TEST): EXTRAS := wat,c,node,test
$(TEST): $(BIN)/python pyproject.toml
	@echo "installing contractvm and its test tools into $(VENV) ..."
	@$(INSTALL)
	@touch $@

# Debian packages venv apart from Python; without it `python3 -m venv` fails half way.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "contractvm needs Python 3.11 or newer, and finds none;" \
		"install one or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv;" \
		"on Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
