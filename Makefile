# Everything runs from a local environment that this file makes; it needs only git, make and Python >= 3.11.
PYTHON ?= python3
VENV := .venv
UV_VENV := .venv-uv
UV := $(UV_VENV)/bin/uv
UV_VERSION := 0.13.9
BIN := $(VENV)/bin
SPARK_VERSION := 4.3.0
DEMO ?= recsysops-demo
DRILL ?= recsysops-drill
JOBS ?= 2
export UV_PYTHON_DOWNLOADS := never

.PHONY: help setup demo drill drill-quick test test-slow spark test-latest check bench docs lock clean
help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "found Python " + sys.version.split()[0] + ", expected 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(UV_VENV)
	$(UV_VENV)/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(BIN)/.ready: requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(BIN)/.ready ## a local environment with exactly the locked versions

demo: setup ## audit real serving logs, then follow a planted fault from its finding to a verdict
	$(BIN)/recsysops demo --force $(DEMO)
	$(BIN)/recsysops demo --force --logs streaming $(DEMO)-streaming
	@echo "(here the program is $(BIN)/recsysops)"

drill: setup ## the full scorecard: every planted fault, five sizes, three seeds; goes on where it was
	$(BIN)/recsysops drill run --jobs $(JOBS) --folder $(DRILL) --html $(DRILL)/scorecard.html --markdown docs/scorecard.md

drill-quick: setup ## every planted fault once, and is any lost that was found before? (about a quarter of an hour on two cores)
	$(BIN)/recsysops drill run --quick --jobs $(JOBS) --folder $(DRILL)-quick --html $(DRILL)-quick/scorecard.html
	RECSYSOPS_DRILL=$(abspath $(DRILL)-quick) $(BIN)/python -m pytest -m slow tests/drills/test_quick_drill.py

test: setup ## the tests
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test-slow: setup ## the wheel, other Pythons, kills at random moments, many seeds
	$(BIN)/python -m pytest -m slow

spark: setup ## pyspark beside the locked packages, for the tests and the benchmark of `engine: spark` (they need Java 17)
	$(UV) pip install --quiet --python $(BIN)/python "pyspark==$(SPARK_VERSION)"

test-latest: $(UV) ## the tests once with the newest dependencies instead of the locked ones
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-latest
	$(UV) pip install --quiet --python .venv-latest/bin/python --upgrade --group dev --editable .
	.venv-latest/bin/python -m pytest -n $(JOBS) --dist loadfile

check: setup ## format, lint, types, import arrows, examples in docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -m "" --doctest-modules recsysops

bench: setup ## speed and memory as ratios measured in one run
	$(BIN)/python -m benchmarks

docs: setup ## the pictures, lists and pages of detectors in README and docs, made by the tool itself
	$(BIN)/python docs/shelf.py
	$(BIN)/python docs/draw.py
	$(BIN)/python docs/tables.py

lock: | $(UV) ## resolve the newest versions into requirements.lock
	$(UV) pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --upgrade --quiet -o requirements.lock

clean: ## remove the environments and caches
	rm -rf .venv .venv-uv .venv-latest .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
