# Recipes. `make` alone lists them; each does its own set-up and is quick the second time.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.setup-done
CANDIDATES := python3 python3.13 python3.12 python3.11
# The first Python that is new enough; looked for only when it is needed.
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)
PIP := -m pip --disable-pip-version-check --quiet --quiet

# Tests with peers have an environment of their own; localstripe is GPL and has a further one,
# and Prism is a program for Node.js.
PEERS := $(VENV)/peers
LOCALSTRIPE := $(VENV)/localstripe
PRISM := $(VENV)/prism

ARGS ?=
MARKERS ?= not peers
SEEDS ?= 20
PYTEST := $(BIN)/pytest -m "$(MARKERS)"

COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes \
	--strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

# Addresses of package registries; written so that the pattern does not find itself.
REGISTRIES := (pypi|pythonhosted|npmjs|yarnpkg)[.](org|com)|deb[.]debian[.]org

.PHONY: help setup demo run test coverage peers test-peers drill survival bench rivals check generate lock clean

help: ## list the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(SETUP) ## virtual environment in .venv with pinned requirements

$(SETUP): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "Headrace needs Python 3.11 or newer; none of $(CANDIDATES) is." >&2; \
		echo "Install one, or name it: make setup PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) lacks the venv module (on Debian: the package python3-venv)." >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) install --require-hashes -r requirements/dev.txt
	@$(BIN)/python $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup $(if $(findstring --peers,$(ARGS)),peers) ## orders through all systems, some through trouble; ARGS="--keep", "--help"
	@$(BIN)/headrace demo $(ARGS)

run: setup ## facade and one worker in the foreground; ARGS="--config headrace.yaml"
	@$(BIN)/headrace migrate $(ARGS)
	@$(BIN)/headrace worker $(ARGS) & worker=$$!; trap 'kill $$worker' EXIT INT TERM; \
		$(BIN)/headrace serve $(ARGS)

test: setup ## all tests but those with peers; MARKERS="not survival" narrows
	$(PYTEST) -n 2 --dist worksteal --ignore=tests/e2e $(ARGS)
	$(PYTEST) tests/e2e $(ARGS)

coverage: setup ## the same with the lines and branches that no test reaches
	$(PYTEST) --cov --cov-report=term-missing:skip-covered $(ARGS)

peers: $(PEERS)/.setup-done $(LOCALSTRIPE)/.setup-done $(PRISM)/.setup-done ## set up products that nobody here wrote

test-peers: peers ## against products that nobody here wrote
	@# 5 is pytest's word for "every test was skipped": they are listed with the peer they miss.
	LOCALSTRIPE=$(LOCALSTRIPE)/bin/python PRISM=$(PRISM)/node_modules/.bin/prism \
		$(PEERS)/bin/pytest -m peers $(ARGS) || test $$? -eq 5

# What cannot be installed is named here, its tests are skipped, and it is tried again next time.
$(PEERS)/.setup-done: requirements/peers.txt $(SETUP)
	@$(BIN)/python -m venv $(PEERS)
	@if $(PEERS)/bin/python $(PIP) install --require-hashes -r $<; then touch $@; else \
		echo "skipped: gocardless_pro, mock-bank, mock-sap, simple-salesforce, stripe cannot be installed"; \
		$(PEERS)/bin/python $(PIP) install --require-hashes -r requirements/dev.txt; fi
	@$(PEERS)/bin/python $(PIP) install --no-deps --no-build-isolation --editable .

$(LOCALSTRIPE)/.setup-done: requirements/localstripe.txt $(SETUP)
	@$(BIN)/python -m venv $(LOCALSTRIPE)
	@if $(LOCALSTRIPE)/bin/python $(PIP) install --require-hashes -r $<; then touch $@; else \
		rm -rf $(LOCALSTRIPE); echo "skipped: localstripe cannot be installed"; fi

$(PRISM)/.setup-done: requirements/prism/package-lock.json $(SETUP)
	@mkdir -p $(PRISM) && cp requirements/prism/package.json requirements/prism/package-lock.json $(PRISM)
	@if npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $(PRISM) \
		&& $(PRISM)/node_modules/.bin/prism --version >/dev/null; then touch $@; else \
		rm -rf $(PRISM); echo "skipped: prism (npm) cannot be installed"; fi

drill: setup ## payments at every provider while answers are lost and workers die; SEEDS=20
	HEADRACE_DRILL_SEEDS=$(SEEDS) HEADRACE_DRILL_PAYMENTS=96 $(BIN)/pytest tests/flows/test_fault_drill.py tests/flows/test_member_drill.py -s -n 0 -q $(ARGS)

survival: setup ## long drill with killed processes; SEEDS=20
	HEADRACE_SURVIVAL_SEEDS=$(SEEDS) $(BIN)/pytest -m survival tests/e2e/test_survival.py tests/e2e/test_payment_survival.py $(ARGS)

bench: setup ## every benchmark, each a ratio against a baseline of the same run
	@status=0; for file in benchmarks/[a-z]*.py; do echo "== $$file"; \
		$(BIN)/python "$$file" $(ARGS) || status=1; done; exit $$status

rivals: setup ## what some benchmarks compare with: jlens, Polars, jsonata (npm); without, they skip it
	@$(BIN)/python $(PIP) install --require-hashes --upgrade --target $(VENV)/bench \
		-r requirements/bench.txt || echo "skipped: jlens and polars cannot be installed"
	@npm install --silent --no-audit --no-fund --prefix $(VENV)/node jsonata@2.2.2 \
		|| echo "skipped: jsonata cannot be installed"

check: setup ## formatting, types, layers, generated files, no registry addresses
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/headrace generate --check
	@! git grep --no-index --exclude-standard -nIE '$(REGISTRIES)' -- . \
		|| { echo "Registry addresses do not belong into the repository." >&2; exit 1; }

generate: setup ## write openapi/, the diagrams and the reference tables anew
	$(BIN)/headrace generate

lock: setup ## resolve the requirements anew, with hashes
	$(COMPILE) --upgrade --all-build-deps --extra embedded --extra dev \
		--output-file requirements/dev.txt pyproject.toml
	$(COMPILE) --build-deps-for editable --extra embedded \
		--constraint requirements/dev.txt --output-file requirements/run.txt pyproject.toml
	$(COMPILE) --extra embedded --extra dev --constraint requirements/dev.txt \
		--output-file requirements/peers.txt pyproject.toml requirements/peers.in
	$(COMPILE) --upgrade --output-file requirements/localstripe.txt requirements/localstripe.in
	$(COMPILE) --upgrade --output-file requirements/bench.txt requirements/bench.in
	npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund \
		--prefix requirements/prism

clean: ## remove what the recipes made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
