# `make demo` or `make test` is the first command on a fresh clone: every target sets itself up.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
READY := $(BIN)/.ready
LINTED := $(BIN)/.linted
CHAIN := node_modules/.ready
PYTHON ?= $(shell for p in python3.13 python3 python; do $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo $$p && break; done)

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH := $(CURDIR)/layers/shared:$(CURDIR)
export SAM_CLI_TELEMETRY := 0
TESTS ?= tests

.PHONY: help setup test test-slow check lint types arrows deployment generated format build openapi readme function local demo bench chaos onchain gas staff lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY) $(CHAIN) ## .venv of requirements-dev.txt and node_modules of package-lock.json, once

$(READY): requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.13 is needed; name it: make PYTHON=/path/to/python3.13"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# What the chain needs: the compiler, the libraries, Anvil and forge, as the lock file says and no script of theirs run.
$(CHAIN): package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || { echo "Node 20 or newer is needed, with npm"; exit 1; }
	npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# Three workers on two cores, as tests of running platforms wait too. Files start in their order, not by how many tests
# they have: those of few long tests (chaos, flows) must not come last, when the other workers have nothing left.
test: $(READY) $(CHAIN) ## check, then every test but the slow ones (TESTS=tests/unit for some)
	$(MAKE) --no-print-directory -j2 check
	$(BIN)/python -m pytest $(TESTS) -m "not slow and not live" -n 3 --dist loadfile --no-loadscope-reorder

test-slow: $(READY) $(CHAIN) ## the slow tests
	$(BIN)/python -m pytest $(TESTS) -m "slow and not live"

check: lint types arrows deployment generated ## the five below

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict
	$(BIN)/mypy

arrows: $(READY) ## import-linter: who may import whom
	$(BIN)/lint-imports --no-logo

deployment: $(LINTED) ## cfn-lint and sam validate --lint, where the template changed

$(LINTED): template.yaml samconfig.toml $(wildcard statemachines/*) $(READY)
	$(BIN)/cfn-lint template.yaml
	$(BIN)/sam validate --lint
	@touch $@

generated: $(READY) ## openapi.json and the README are current
	$(BIN)/python -m tools.openapi --check
	$(BIN)/python -m tools.readme --check

format: $(READY) ## ruff's mending and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: $(READY) ## sam build for arm64 without a container, then bytecode, sizes checked
	$(BIN)/python -m tools.build

openapi: $(READY) ## openapi.json from the functions and the template
	$(BIN)/python -m tools.openapi

readme: $(READY) ## the README's map and diagrams from the code
	$(BIN)/python -m tools.readme

function: $(READY) ## template block and event of a new function (CONTRIBUTING.md)
	$(BIN)/python -m tools.function "$(NAME)" "$(ROOM)" "$(DOES)" $(if $(ROUTE),--route "$(ROUTE)") $(if $(PUBLIC),--public)

local: $(READY) $(CHAIN) ## the platform on this machine; Ctrl-C stops all of it
	$(BIN)/python -m local $(if $(PORT),--port $(PORT)) $(ARGS)

demo: $(READY) $(CHAIN) ## whole trades, by card and in USDC, through the public API
	$(BIN)/python -m local.demo $(ARGS)

bench: $(READY) $(CHAIN) ## cold start, warm calls, round trips, what a trade costs
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(READY) ## random trades while everything goes wrong: over 2,000 (TRADES=…, where few may miss an accident, and it fails), of SEED=…; REPORT=1; WORLD=… alone
	PYTHONHASHSEED=0 $(BIN)/python -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(TRADES),--trades $(TRADES)) $(if $(EACH),--each $(EACH)) $(if $(WORLD),--world $(WORLD)) $(if $(REPORT),--report) $(ARGS)

onchain: $(READY) $(CHAIN) ## the contracts: artifact byte for byte, fuzz and invariant tests, mutants
	node onchain/build.mjs --check
	$(BIN)/python -m onchain.forge test
	$(BIN)/python -m onchain.mutants

gas: $(READY) $(CHAIN) ## what the vault costs, against Circle's token; fails above the limits
	$(BIN)/python -m onchain.gas

staff: $(READY) ## USER=usr_… ROLE=ARBITER TIER=TIER_2: grant a platform role on the running local stack
	$(BIN)/python -m local.staff "$(USER)" $(if $(ROLE),--role $(ROLE)) $(if $(TIER),--tier $(TIER))

UV_COMPILE = $(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.13
lock: $(READY) ## compile both requirements files again
	$(UV_COMPILE) requirements-dev.in -o requirements-dev.txt
	$(UV_COMPILE) -c requirements-dev.txt layers/shared/requirements.in -o layers/shared/requirements.txt

clean: ## what was built and what was cached
	rm -rf .aws-sam .local .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
