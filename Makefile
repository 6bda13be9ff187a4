# Every target sets up what it needs on a fresh machine: a virtual environment, the packages, the data.
PYTHON ?= python3
EPOCHS ?= 3
VENV := .venv
OLDEST := .venv-oldest
ORACLES := .venv-oracles
BIN := $(VENV)/bin
PIP := PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: demo test test-all test-portable test-old-processor book site bench bench-models lint clean

CHECKED := src tests book bench docs/site

$(VENV)/.user: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[all]"
	touch $@

$(VENV)/.dev: $(VENV)/.user
	$(PIP) -e ".[all,dev]"
	touch $@

# What only the slow suite needs: the tools that keep numbers of runs.
$(VENV)/.all: $(VENV)/.dev
	$(PIP) -e ".[all,dev,loggers]"
	touch $@

# The lowest versions that pyproject.toml allows of what every user has, but torch, which comes in one build here.
$(OLDEST)/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(OLDEST)
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(OLDEST)/bin/pip install --quiet --disable-pip-version-check \
		-e ".[all,dev]" $$($(PYTHON) tests/oldest.py)
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) -e ".[all,dev,bench]"
	touch $@

demo: $(VENV)/.user  ## train LeNet on MNIST, write demo/lenet.net and demo/report.html
	$(BIN)/netwright demo --epochs $(EPOCHS)

test: $(VENV)/.dev  ## the fast suite: lint, types, tests
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/pyright
	$(BIN)/pytest -m "not slow" -n auto

test-all: $(VENV)/.all  ## everything, the slow proofs too
	$(BIN)/pytest -n auto

# What a machine without wide units computes: the same suite, other kernels. Each variable is read by one library.
COMPUTES := tests/kernels tests/layers tests/net/run tests/training tests/stepping tests/measure tests/test_docs.py \
	tests/test_docstrings.py
OLD := ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 OMP_NUM_THREADS=1 PYTHONHASHSEED=1

test-old-processor: $(VENV)/.dev  ## the part of the suite that computes, as a processor without wide units does it
	$(OLD) $(BIN)/pytest -m "not slow" -n auto tests/kernels tests/training/engines tests/test_docs.py tests/test_docstrings.py

test-portable: $(VENV)/.dev $(OLDEST)/.dev  ## the same on other machines: old units, AVX2 alone, the oldest packages
	$(OLD) $(BIN)/pytest -m "not slow" -n auto $(COMPUTES)
	ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 PYTHONHASHSEED=2 $(BIN)/pytest -m "not slow" -n auto $(COMPUTES)
	$(OLDEST)/bin/pytest -m "not slow" -n auto

# Libraries that cannot stand beside the project's own PyTorch: the tests read the numbers that they gave.
$(ORACLES)/.made: tests/oracles/requirements.txt constraints.txt
	$(PYTHON) -m venv $(ORACLES)
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(ORACLES)/bin/pip install --quiet --disable-pip-version-check \
		-r tests/oracles/requirements.txt
	touch $@

oracles: $(ORACLES)/.made  ## the numbers of other libraries anew, into tests/oracles/stored/
	set -e; for script in tests/oracles/make_*.py; do $(ORACLES)/bin/python $$script; done

book: $(VENV)/.dev  ## run the pages that have changed, into book/executed/
	$(BIN)/python book/build.py

site: $(VENV)/.dev  ## book, docs and reference as one static site, into site/; runs no page
	$(BIN)/python docs/site/build_site.py

bench: $(VENV)/.bench  ## the speed tables, into bench/*.md
	$(BIN)/python -m bench.run --date $$(date +%F)
	$(BIN)/python -m bench.breadth --date $$(date +%F)
	$(BIN)/python -m bench.growth --date $$(date +%F)
	$(BIN)/python -m bench.runs --date $$(date +%F)
	$(BIN)/python -m bench.recipe --date $$(date +%F)
	$(BIN)/python -m bench.perception --date $$(date +%F)

bench-models: $(VENV)/.bench  ## the speed of published nets, into bench/models.md; fetches 177 MB once
	$(BIN)/python -m bench.models --date $$(date +%F)

lint: $(VENV)/.dev
	$(BIN)/ruff format $(CHECKED)
	$(BIN)/ruff check --fix $(CHECKED)
	$(BIN)/pyright

clean:
	rm -rf $(VENV) $(OLDEST) demo site book/executed-quick book/.failed
