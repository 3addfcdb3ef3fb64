# Rabta. `make` lists the targets; docs: README.md, CONTRIBUTING.md.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# The servers may have to be readable by the user they run as, whatever the umask of who installs.
INSTALL = umask 022; $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
# What only the tests need is twice as much: uv has it there in half the time. Where uv cannot, pip does it.
UV = uv==0.13.9
INSTALL_DEV = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python

.PHONY: help run test servers bench fuzz axe screens lint format

help: ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

run: $(VENV)/.installed ## start all of Rabta on this machine (Ctrl-C stops it); ARGS="--port 8001" is handed on
	@exec $(BIN)/python manage.py up $(ARGS)

test: ## linters, types and all tests
	@$(MAKE) --no-print-directory --jobs=2 servers $(VENV)/.installed-dev
	@exec .ci/test

servers: # what the tests drive, beside the packages: one waits for the network, the other for the processor
	@exec .ci/servers

bench: $(VENV)/.installed-dev ## speed of e-mail in and out, beside bare loops on this machine
	@exec $(BIN)/python -m tests.bench $(ARGS)

fuzz: $(VENV)/.installed-dev ## thousands of requests made from the API's description; EXAMPLES=200 for each operation and reader
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),100) exec $(BIN)/pytest -q tests/api/test_schemathesis.py $(ARGS)

axe: $(VENV)/.installed-dev ## axe on every page, in both themes and both directions (minutes)
	@AXE=all exec $(BIN)/pytest -q tests/browser/test_every_page.py $(ARGS)

screens: $(VENV)/.installed-dev ## pictures of every screen into docs/screenshots, of a demo that starts for them
	@exec $(BIN)/python -m tests.screens $(ARGS)

lint: $(VENV)/.installed-dev ## ruff, mypy, import arrows, missing migrations
	@exec .ci/lint

format: $(VENV)/.installed-dev ## put code into the house's format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

$(VENV)/.made:
	@[ -n "$(PYTHON)" ] || { echo "Rabta needs Python 3.11 or newer (on Debian and Ubuntu: apt install python3 python3-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) comes without venv and ensurepip (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@umask 022; $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt $(VENV)/.made
	@echo "Installing what Rabta needs into $(VENV) (about a minute) ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt $(VENV)/.made
	@echo "Installing what Rabta and its tests need into $(VENV) (about a minute) ..."
	@$(INSTALL) $(UV); umask 022; $(INSTALL_DEV) -r requirements-dev.txt || { $(INSTALL) -r requirements-dev.txt; }
	@touch $(VENV)/.installed $@
