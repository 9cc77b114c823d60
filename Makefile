# make run    set up .venv and open the app
# make test   set up .venv, then lint, types and all tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
WORKERS ?= auto

.PHONY: run test lint types unit bench screenshots snapshots calibrate clean

run: $(READY)
	@$(BIN)/infratui

test: lint types unit

lint: $(READY)
	$(BIN)/ruff check src tests
	$(BIN)/ruff format --check src tests
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest -n $(WORKERS)

bench: $(READY)
	$(BIN)/python -m tests.bench

screenshots: $(READY)
	$(BIN)/python -m infratui.tools.screenshots screenshots

snapshots: $(READY)
	$(BIN)/pytest tests/snapshots --snapshot-update

calibrate: $(READY)
	$(BIN)/python -m infratui.tools.calibrate

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
