# Two commands do everything:   make demo   and   make test
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
JOBS   ?= auto

.PHONY: help setup demo test fuzz differential bench bench-suggest lint constraints clean-demo clean system-packages

help:            ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 18

setup: $(READY)  ## make the environment (.venv, pinned by constraints.txt)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) tools/check_python.py
	@echo "Making the environment in $(VENV): about a minute, once ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

demo: setup      ## run the whole course on the sample class and say where to look
	@$(BIN)/python tools/demo.py

test: setup system-packages  ## run all tests
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

differential: setup  ## grade hundreds of generated submissions with nbgrader and compare (half an hour)
	MARKBOOK_DIFFERENTIAL=400 $(BIN)/python -m pytest tests/autograde/test_against_nbgrader.py

fuzz: setup      ## try damaged and hostile notebooks and papers for ten minutes
	MARKBOOK_FUZZ=600 $(BIN)/python -m pytest -q -s -n0 tests/fuzz

system-packages:
	@tools/install-debian.sh --quiet || true

lint: setup      ## linters, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup     ## measure Markbook beside nbgrader (ten minutes; benchmarks/RESULTS.md)
	$(BIN)/python benchmarks/bench.py

bench-suggest: setup  ## how good suggested scores are (../shared/asag), how long a large class takes
	$(BIN)/python benchmarks/suggest.py
	$(BIN)/python benchmarks/suggest_class.py

constraints: setup  ## write constraints.txt from what is installed now
	{ echo "# Versions that were tested together. Regenerate with 'make constraints' (no index addresses in here)."; \
	  $(BIN)/python -m pip freeze --exclude-editable; } > constraints.txt

clean-demo:      ## remove what the demo made (submissions, marks, feedback, reports)
	rm -rf submitted feedback reports gradebook.db gradebook.db-wal gradebook.db-shm
	find autograded -mindepth 1 -maxdepth 1 ! -name .gitignore -exec rm -rf {} +

clean: clean-demo
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-artifacts
