# Two commands: `make up` runs everything, `make test` tests everything. Nothing needs to be installed before.
SHELL := /bin/bash
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: up test lint format install install-dev clean

up: $(VENV)/.installed
	@exec $(BIN)/python -m llmmetrics.up

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(BIN)/python:
	@echo "Making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the packages of requirements.txt …"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements.txt \
		| grep --line-buffered -E "^(Collecting|Installing|Successfully)" || exit $${PIPESTATUS[0]}
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing the packages of requirements-dev.txt …"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements-dev.txt \
		| grep --line-buffered -E "^(Collecting|Installing|Successfully)" || exit $${PIPESTATUS[0]}
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV)
