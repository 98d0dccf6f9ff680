# `make` lists the recipes. `make demo` and `make test` need Python 3.11 and make, nothing else.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CUSTOMERS ?= 5000
DAYS ?= 400
SEED ?= 7
# One more than there are cores: some tests wait for servers.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
CODE := cdp assets profiles identity sources quality warehouse

.DEFAULT_GOAL := help
.PHONY: help setup demo run ui test check fix docs clean

help: ## List the recipes
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv and install what constraints.txt pins
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not installed"; echo "fix: install Python 3.11, or name one: make PYTHON=/path/to/python"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -m compileall -q $(CODE)
	@$(BIN)/python -c 'from sources.scanner import compile_pass; compile_pass()'
	@touch $(READY)

demo: $(READY) ## Generate the sample business and run everything once
	$(BIN)/cdp demo generate --customers $(CUSTOMERS) --days $(DAYS) --seed $(SEED) --out .
	$(BIN)/cdp demo run

run: $(READY) ## Load what is pending and materialise every table
	$(BIN)/cdp run

ui: $(READY) ## Open the Dagster UI of this project on loopback
	$(BIN)/cdp ui

test: $(READY) ## Run the tests
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(READY) ## Lint, types, import direction, SQL style; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar --nocolor identity/sql profiles/sql

fix: $(READY) ## Format and mend what tools can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --processes 2 --disable-progress-bar --nocolor identity/sql profiles/sql

docs: $(READY) ## Write the generated pages of docs/ again
	$(BIN)/python -m cdp.documentation

clean: ## Remove what runs made (landing files included); keeps .venv
	rm -rf landing truth state published .dagster .logs_queue logs
