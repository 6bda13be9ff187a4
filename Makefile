# Every target sets up what it needs on a fresh machine: a virtual environment, the packages, the data.
PYTHON ?= python3
EPOCHS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: demo test test-all book bench bench-models lint clean

$(VENV)/.user: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[all]"
	touch $@

$(VENV)/.dev: $(VENV)/.user
	$(PIP) -e ".[all,dev]"
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) -e ".[all,dev,bench]"
	touch $@

demo: $(VENV)/.user  ## train LeNet on MNIST, write demo/lenet.net and demo/report.html
	$(BIN)/netwright demo --epochs $(EPOCHS)

test: $(VENV)/.dev  ## the fast suite: lint, types, tests
	$(BIN)/ruff format --check src tests book bench
	$(BIN)/ruff check src tests book bench
	$(BIN)/pyright
	$(BIN)/pytest -m "not slow" -n auto

test-all: $(VENV)/.dev  ## everything, the slow proofs too
	$(BIN)/pytest -n auto

book: $(VENV)/.dev  ## the pages, whole, into book/site/
	$(BIN)/python book/build.py

bench: $(VENV)/.bench  ## the speed tables, into bench/results.md and bench/growth.md
	$(BIN)/python -m bench.run --date $$(date +%F)
	$(BIN)/python -m bench.growth --date $$(date +%F)

bench-models: $(VENV)/.bench  ## the speed of published nets, into bench/models.md; fetches 177 MB once
	$(BIN)/python -m bench.models --date $$(date +%F)

lint: $(VENV)/.dev
	$(BIN)/ruff format src tests book bench
	$(BIN)/ruff check --fix src tests book bench
	$(BIN)/pyright

clean:
	rm -rf $(VENV) demo book/site book/.cache
