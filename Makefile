# One verb a task; CI calls the same verbs.
SHELL := /bin/sh
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-unit check bench chaos fuzz coverage schemas up down clean lock

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## set everything up: .venv, locked libraries, Debian packages that are missing
	@sh deploy/setup.sh

demo: setup ## run a whole exit on real parts and leave the certificates in .ophor/demo
	@$(BIN)/ophor demo

test: setup check ## run every check and every test
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-long: setup ## run the tests that take minutes each: every process killed once in one exit (15 minutes)
	@$(BIN)/python -m pytest -m long

test-unit: setup ## run the pure tests only (a few seconds)
	@$(BIN)/python -m pytest tests/unit

check: setup ## ruff, mypy, import-linter
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup ## measure speed and memory, each beside a reference (one of them, or the long one: make bench ONLY=certificates)
	@$(BIN)/python -m tests.bench $(ONLY)

chaos: setup ## inject hundreds of faults under load and count what was lost or doubled (a few minutes: make chaos SHORT=1)
	@$(BIN)/python -m tests.chaos $(if $(SHORT),--short)

fuzz: setup ## attack the verifier: every byte of a small bundle, then five minutes of mutations (make fuzz SECONDS=60)
	@$(BIN)/python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(STRIDE),--stride $(STRIDE))

coverage: setup ## write docs/coverage.md: which tests show each activity, obligation and tension
	@$(BIN)/python -m tests.coverage_page

schemas: setup ## generate the JSON Schema documents in contracts/generated from the contracts
	@$(BIN)/python -m contracts.generate

up: setup ## start the local stack and leave it running (stop it with `make down`)
	@$(BIN)/ophor up

down: ## stop the local stack and remove its data
	@if [ -x $(BIN)/ophor ]; then $(BIN)/ophor down; else echo "nothing is set up, so nothing runs"; fi

clean: down ## stop the stack and remove what set-up, runs and checks made (not .ophor/compose)
	if [ -d .ophor ]; then find .ophor -mindepth 1 -maxdepth 1 ! -name compose -exec rm -rf {} +; fi
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis ophor.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: setup ## compile requirements/*.in to pinned and hashed requirements/*.txt
	@for name in build run dev bench; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.txt; done
