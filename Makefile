# Everything a developer types. `make` without a target prints this list.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime-installed
DEVELOPMENT := .venv/.development-installed
PEERS := .venv-bench/.installed
WORKERS ?= 2

.PHONY: help setup demo up down test check bench torture lock format clean

help: ## Print this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(RUNTIME) ## Create .venv and install the locked packages (later runs do nothing)

demo: $(RUNTIME) ## Start everything, feed it, show what came of it (FEED=<file> for your own feed)
	@$(BIN)/pledger demo $(if $(FEED),--feed "$(FEED)")

up: $(RUNTIME) ## Start Kafka, PostgreSQL and the services in the background
	@$(BIN)/pledger up

down: $(RUNTIME) ## Stop what `make up` started; the data stays
	@$(BIN)/pledger down

test: $(DEVELOPMENT) ## Run every test
	@$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadgroup

check: $(DEVELOPMENT) ## Format, lint, types, import rules and the quick tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q tests/unit tests/architecture tests/contract

bench: $(DEVELOPMENT) $(PEERS) ## Measure side by side with what others do (ROWS=append,relay for some; QUICK=1 to try)
	@ROWS="$(ROWS)" QUICK="$(QUICK)" $(BIN)/python -m tests.bench

torture: $(DEVELOPMENT) ## Kill, stop and freeze everything under load (SECONDS=300, SEED=n for the same plan again)
	@$(BIN)/python -m tests.torture --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED))

format: $(DEVELOPMENT) ## Rewrite the files as `make check` wants them
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## Write both lock files anew from pyproject.toml
	@infra/lock.sh

clean: ## Remove .venv, .venv-bench and caches; the data of `make up` stays
	@rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@infra/create-venv.sh "$(PYTHON)"

$(RUNTIME): requirements.lock infra/link-checkout.sh | .venv/bin/python
	@echo "Installing the locked packages into .venv (once; a few minutes at most) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@infra/link-checkout.sh
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	@echo "Installing the locked development tools into .venv (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

$(PEERS): requirements-bench.lock | .venv/bin/python
	@echo "Installing what make bench measures against into .venv-bench (once) ..."
	@$(BIN)/python -m venv --clear .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-bench.lock
	@touch $@
