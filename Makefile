# Every target makes the environment it needs by itself. With uv where it is installed, else with venv and pip.
#   make demo ARGS="--port 8080"      make test ARGS="tests/core -x"

VENV ?= .venv
ARGS ?=
PYTHON = $(VENV)/bin/python
UV = $(shell command -v uv 2>/dev/null)
ifneq ($(UV),)
PIP = $(UV) pip install --quiet --compile-bytecode --python $(PYTHON)
else
PIP = $(PYTHON) -m pip install --quiet --disable-pip-version-check
endif

# Python keeps what it has compiled, also where the environment says otherwise: it takes as long as hundreds of tests.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help install demo test check format bench messages requirements clean

help:
	@echo "make demo          start a shop with a sample network (ARGS=--help shows options)"
	@echo "make test          run all tests"
	@echo "make check         formatting, lint, types, layers, sizes"
	@echo "make bench         measure, and print a table"
	@echo "make messages      collect the texts to translate"
	@echo "make requirements  pin the dependencies anew"
	@echo "make install       only make the environment"

install: $(VENV)/.dev

demo: $(VENV)/.base
	@$(VENV)/bin/farebox demo $(ARGS)

test: $(VENV)/.dev
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) -m pytest -q tests/test_house.py

format: $(VENV)/.dev
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: $(VENV)/.bench
	$(PYTHON) -m benchmarks $(ARGS)

LOCALE = src/farebox/locale
messages: $(VENV)/.dev
	$(VENV)/bin/pybabel -q extract --mapping babel.cfg --keyword N_ --no-location --sort-output \
		--output-file $(VENV)/farebox.pot src/farebox
	$(VENV)/bin/pybabel -q update --domain farebox --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
		--input-file $(VENV)/farebox.pot --output-dir $(LOCALE)

COMPILE = uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
	--no-emit-index-url --no-emit-find-links --no-annotate --constraint requirements/limits.in
requirements:
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --output-file requirements/base.txt
	$(COMPILE) pyproject.toml --constraint requirements/base.txt --extra telemetry --group dev \
		--output-file requirements/dev.txt
	$(COMPILE) --constraint requirements/dev.txt --group bench --output-file requirements/bench.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(PYTHON):
ifneq ($(UV),)
	@$(UV) venv --quiet --python ">=3.11,<3.14" $(VENV)
else
	@for candidate in python3.13 python3.12 python3.11 python3 python; do \
		if $$candidate -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
			$$candidate -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); exit 1; \
		fi; \
	done; \
	echo "Farebox needs Python 3.11, 3.12 or 3.13, and none is on the PATH." >&2; exit 1
endif

$(VENV)/.base: requirements/base.txt requirements/build.txt pyproject.toml | $(PYTHON)
	@echo "Installing what Farebox needs into $(VENV) …"
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/base.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(PYTHON) -m compileall -q src
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	@echo "Installing the tools for tests and checks into $(VENV) …"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.dev
	@$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@
