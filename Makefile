# Needs python3 >= 3.11 (with venv), git and make; everything else goes into .venv, never into the system's Python.
# PYTHON=python3.12 picks the interpreter, ARGS="-k merge" is handed to what a target runs.
.PHONY: help demo test check lint bench mutants sim faults docs clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

# git finds git-merge-gitmem on PATH.
RUN = PATH="$(CURDIR)/.venv/bin:$$PATH"
PYTEST = $(RUN) python -m pytest
SUITE = $(PYTEST) -n auto --maxprocesses 2 --dist loadgroup
MEASURED = $(SUITE) --cov=gitmem --cov-report= --cov-fail-under=0 || { rm -f .coverage; exit 1; }
SOURCES = $(shell find gitmem hooks schemas tests -type f ! -name '*.pyc') pyproject.toml

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: .venv/.runtime ## two members share what they learn, in a temporary directory
	@$(RUN) gitmem demo $(ARGS)

# In CI the suite is measured as it runs, so that `check` after `test` has nothing left to run.
test: .venv/.dev ## the whole suite, on at most two cores
	@$(if $(CI),$(if $(ARGS),$(SUITE) $(ARGS),$(MEASURED)),$(SUITE) $(ARGS))

check: lint .coverage ## what CI runs: lint, and the suite's branch coverage unless it is known for this very tree
	@$(RUN) coverage report

lint: .venv/.dev ## format, lint, types, layers
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) mypy
	@$(RUN) lint-imports

.coverage: .venv/.dev $(SOURCES)
	@$(MEASURED)

bench: .venv/.dev ## the speed ratios of this machine
	@$(RUN) python -m bench $(ARGS)

sim: .venv/.dev ## ten thousand random histories of a team; goes on where it was stopped
	@$(RUN) python -m tests.sim $(ARGS)

faults: .venv/.dev ## three thousand faults at system calls; goes on where it was stopped
	@$(RUN) python -m tests.faults $(ARGS)
	@$(RUN) python -m tests.faults --power $(ARGS)

mutants: .venv/.dev ## put faults into the merge and the rotation rule, one at a time, and see that a test notices
	@$(RUN) python -m tests.mutation $(ARGS)

docs: .venv/.dev ## write the generated pages, run every example, follow every link
	@for page in docs/generate_*.py; do $(RUN) python "$$page" || exit 1; done
	@$(PYTEST) tests/test_docs_examples.py $(ARGS)

clean: ## remove all that these targets made
	rm -rf .venv .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last: a half-made environment is taken up again, a finished one costs nothing.
.venv/.runtime: pyproject.toml .ci/venv
	@PYTHON="$(PYTHON)" .ci/venv
	@touch $@

.venv/.dev: pyproject.toml .ci/venv
	@PYTHON="$(PYTHON)" .ci/venv dev
	@touch $@ .venv/.runtime
