.DEFAULT_GOAL := help
.PHONY: help setup run up down night manifest caps seeds docs check lint types unit test test-sources torture judge bench lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/bin/uv
STAMP := $(VENV)/.installed

# Each of our many processes would compile all the libraries that it imports: some ten seconds of work.
unexport PYTHONDONTWRITEBYTECODE

help:  ## This page
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Safar needs Python 3.11 or newer; set PYTHON=python3.11")'
	@test -x $(UV) || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9; }
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --no-deps --editable .
	@touch $(STAMP)

setup: $(STAMP)  ## Install everything into .venv

run: $(STAMP)  ## Play a night of the company through Airflow (PEOPLE=10000 NIGHTS=1 SOURCES=all)
	@$(BIN)/safar run

up: $(STAMP)  ## The same, and stay: Airflow, docs and mailbox keep running
	@$(BIN)/safar up

down: $(STAMP)  ## Stop what `make up` left running
	@$(BIN)/safar down

night: $(STAMP)  ## Play a night in one process, without Airflow
	@$(BIN)/safar night

manifest: $(STAMP)  ## Write dbt's manifest, which the DAGs read
	@$(BIN)/safar manifest

caps: $(STAMP)  ## Compile the frequency cap's macros into the last look of delivery
	@$(BIN)/python -m safar.delivery.cap_rule

seeds: $(STAMP)  ## Write the seeds of time zones anew from their libraries
	@$(BIN)/python -m safar.warehouse.time_zone_seeds

docs: $(STAMP)  ## Build the dbt docs of the last night
	@$(BIN)/safar docs

check: $(STAMP)  ## Check every declared source, campaign and template
	@$(BIN)/safar check

lint: $(STAMP)  ## ruff, sqlfluff, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/sqlfluff lint --disable-progress-bar dbt_project tests/cdnow

types: $(STAMP)  ## mypy --strict on include/ and plugins/
	@$(BIN)/mypy include plugins

unit: $(STAMP)  ## Only the tests
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

test: lint types unit  ## Lint, types and all tests

test-sources: $(STAMP)  ## Every source with every fault of its vendor, at every place of a load
	@EVERY_PLACE=1 $(BIN)/pytest -n 2 tests/sources

torture: $(STAMP)  ## Kill dispatchers and databases by the hundred, clear a week, let the long property tests run
	@TORTURE_EXAMPLES=5000 $(BIN)/pytest -n 0 tests/intake/test_api_description.py --timeout 3000
	@TORTURE_KILLS=1000 TORTURE_MESSAGES=25000 TORTURE_DATABASE_KILLS=20 $(BIN)/pytest -n 0 -rP \
		tests/delivery/test_torture.py tests/delivery/test_killed_database.py
	@TORTURE_NIGHTS=7 $(BIN)/pytest -n 0 tests/journey/test_night_by_airflow.py -k clearing

judge: $(STAMP)  ## Hold a dispatch against the vendor's own OpenAPI (SPEC=path, needs npm)
	@npm install --silent --no-audit --no-fund --prefix .safar/judge @stoplight/prism-cli@5.16.0
	@$(BIN)/python -m tests.judge.judge_dispatch $(SPEC)

bench: $(STAMP)  ## Measure, and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks

lock: $(STAMP)  ## Resolve the dependencies anew into requirements.lock
	@$(UV) pip compile --quiet pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --output-file requirements.lock

clean:  ## Forget the company, its ledger and everything else of this machine
	@rm -rf .safar dbt_project/target dbt_project/logs
