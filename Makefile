# Every target sets up what it needs: Python 3.11, git, make and a C compiler are all it asks for.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := uv==0.13.9
# Each of the two has servers of its own, and waits for them for half of the time. One thread each:
# threads meet at barriers that spin, and four of them on two cores wait longer than they work.
SIDE_BY_SIDE := --numprocesses 2 --dist worksteal
ALONE := OMP_NUM_THREADS=1

.PHONY: help demo up down status test test-all check format lock openapi docs bench fuzz chaos clean env test-compose

help:            ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

$(READY): deploy/requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@# Compiled once: under PYTHONDONTWRITEBYTECODE each process would compile torch anew, for seconds.
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
	  -r deploy/requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)   ## the main job on phantoms; results in demo-output/, the stack stays up
	@$(BIN)/lesiongan demo

up: $(READY)     ## start the embedded stack
	@$(BIN)/lesiongan up

down: $(READY)   ## stop it
	@$(BIN)/lesiongan down

status: $(READY) ## what runs
	@$(BIN)/lesiongan status

test: $(READY)   ## all tests that need neither Docker nor a browser
	@$(ALONE) $(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-all: $(READY) ## those too that need Chromium, which is installed if that may be
	@command -v chromium > /dev/null || { command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ] && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null; } || \
	  echo "The browser tests need Debian's package chromium, or LESIONGAN_CHROMIUM=/path/to/it"
	@LESIONGAN_TEST_BROWSER=1 $(ALONE) $(BIN)/python -m pytest $(SIDE_BY_SIDE)

check: $(READY)  ## lint, format, types, import rules, licences, generated files
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --num-workers 2
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m deploy.checks.licences
	@$(BIN)/python -m deploy.openapi --check

format: $(READY) ## apply what `check` asks for
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

openapi: $(READY) ## write the one OpenAPI document
	@$(BIN)/python -m deploy.openapi

docs: $(READY)   ## the documentation as a site, in site/
	@$(BIN)/sphinx-build -c deploy/site -W --keep-going -q docs site
	@echo "site/index.html"

bench: $(READY)  ## print ratios measured in one run
	@$(BIN)/python -m tests.benchmarks
	@NO_ALBUMENTATIONS_UPDATE=1 $(BIN)/uv run --quiet --no-project --python $(BIN)/python \
	  --with albumentations==2.0.8 python -m tests.benchmarks.augmentation_speed

fuzz: $(READY)   ## hostile requests and 2,000 mutated uploads; takes minutes
	@$(BIN)/python -m tests.fuzz --uploads 2000
	@LESIONGAN_FUZZ_EXAMPLES=50 LESIONGAN_FUZZ_UPLOADS=300 \
	  $(BIN)/python -m pytest tests/integration/fuzz -s

chaos: $(READY)  ## 300 jobs while every process is killed for three minutes
	@$(BIN)/python -m tests.chaos --seconds 180 --jobs 300 --seed 1

lock: $(READY)   ## pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --generate-hashes \
	  --no-emit-index-url --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	  --upgrade --quiet -o deploy/requirements.lock

# Docker on a server (docs/operations.md).

env:             ## write .env: random secrets for docker compose; what is there is kept
	@$(PYTHON) deploy/env.py

test-compose: $(READY) ## the tests that run docker-compose.yml
	@LESIONGAN_TEST_COMPOSE=1 $(BIN)/python -m pytest tests/compose --timeout 900

clean:           ## remove what was built here; data of the stack stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis site
