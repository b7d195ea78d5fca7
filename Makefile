# Two commands: `make up` runs everything, `make test` tests everything. Nothing needs to be installed before.
SHELL := /bin/bash
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes

.PHONY: up test browser lint format install install-dev clean

up: $(VENV)/.installed
	@exec $(BIN)/python -m llmmetrics.up

test: $(VENV)/.installed-dev browser
	@$(BIN)/python -m pytest

# The page tests need Chromium; everything else runs without.
browser:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing Chromium for the page tests …"; \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	  else \
	    echo "Chromium is missing and only root can install it: the page tests will fail until it is there."; \
	  fi; }

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	SECRET_KEY=$$(printf 'type-checking-%.0s' 1 2 3 4 5) DATABASE_URL=postgresql://none@localhost/none $(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(BIN)/python:
	@echo "Making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	  else \
	    echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	  fi; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing the packages of requirements.txt …"
	@set -o pipefail; $(PIP_INSTALL) -r requirements.txt \
		| { grep --line-buffered -E "^(Collecting|Installing|Successfully)" || true; }
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing the packages of requirements-dev.txt …"
	@set -o pipefail; $(PIP_INSTALL) -r requirements-dev.txt \
		| { grep --line-buffered -E "^(Collecting|Installing|Successfully)" || true; }
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV)
