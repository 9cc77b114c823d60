# make run          set up .venv and open the app
# make test         set up .venv, then lint, types and the tests: what every change runs
# make test-all     the long tests too
# make soak         thousands of random trials, and every property with many more examples
# make test-newest  the same tests on the newest versions that pyproject.toml allows
# make golden       rewrites tests/golden/predictions.csv; the difference is what a change does to figures
# make calibrate    refits the constants of the speed model and prints what is left over
# make lock         renew requirements/lock.txt from pyproject.toml
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
LOCK   := requirements/lock.txt
NEWEST := .venv-newest
PIP    := -m pip install --quiet --disable-pip-version-check
WORKERS ?= auto

.PHONY: run compile test test-all soak test-newest lock lint types unit bench screenshots snapshots readme golden calibrate clean

run: compile
	@$(BIN)/infratui

# A start that finds no bytecode compiles every module again, one without parsed data reads YAML: a third of it.
compile: $(READY)
	@$(BIN)/python -m infratui.catalog.compiled
	@$(BIN)/python -m compileall -q src

# Types are checked by one core while the tests begin on the other.
test: compile
	@$(MAKE) --no-print-directory -j 2 lint types unit

lint: $(READY)
	$(BIN)/ruff check src tests tools
	$(BIN)/ruff format --check src tests tools
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

unit: compile
	$(BIN)/pytest -n $(WORKERS)

test-all: compile
	$(BIN)/pytest -n $(WORKERS) -m "long and not soak"

soak: compile
	$(BIN)/pytest -n 0 -m "soak or hypothesis" --hypothesis-profile=thorough

test-newest:
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/python $(PIP) --upgrade pip
	$(NEWEST)/bin/python $(PIP) --editable '.[dev]'
	$(NEWEST)/bin/pytest -n $(WORKERS)

lock: $(READY)
	$(BIN)/python $(PIP) uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev --no-emit-index-url \
		--custom-compile-command "make lock" pyproject.toml --output-file $(LOCK)

bench: compile
	$(BIN)/python -m tests.bench

screenshots: $(READY)
	$(BIN)/python -m tools.screenshots screenshots

snapshots: $(READY)
	$(BIN)/pytest tests/snapshots --snapshot-update

readme: $(READY)
	$(BIN)/python -m tools.readme

golden: $(READY)
	$(BIN)/python -m tools.golden

calibrate: $(READY)
	$(BIN)/python $(PIP) --no-build-isolation --editable '.[calibrate]'
	$(BIN)/python -m tools.calibrate

$(READY): pyproject.toml $(LOCK)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) --requirement $(LOCK)
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $(READY)

clean:
	rm -rf $(VENV) $(NEWEST) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
