# Two commands on a fresh machine: `make demo` and `make test`. Everything lands in .venv and demo/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
export OMP_WAIT_POLICY := PASSIVE

.PHONY: demo test test-slow test-gpu test-pretrained lint bench bench-smoke bench-peers clean

# What is installed is written down by a stamp, so that a second call is quick; a changed pyproject installs again.
$(VENV)/.stamp-run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/.stamp-run
	rm -rf $(DEMO)
	$(BIN)/stockcast init $(DEMO) --demo
	cd $(DEMO) && ../$(BIN)/stockcast run --out plan
	@echo
	@echo "The plan:    $(DEMO)/plan/plan.csv and orders.csv"
	@echo "The report:  $(DEMO)/plan/report.html"

# a process for each core; the tests of one file stay together, for they share what is made once
test: $(VENV)/.stamp-dev
	$(BIN)/python -m pytest -m 'not slow and not gpu' -q -n auto --dist loadfile

test-slow: $(VENV)/.stamp-dev
	$(BIN)/python -m pytest -m slow -q

# with the extra `pretrained`, which nothing else needs: an environment of its own
test-pretrained: $(VENV)/.stamp-dev
	test -x $(VENV)-pretrained/bin/python || $(PYTHON) -m venv $(VENV)-pretrained
	$(VENV)-pretrained/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,pretrained]'
	$(VENV)-pretrained/bin/python -m pytest -m pretrained -q

test-gpu: $(VENV)/.stamp-dev
	$(BIN)/python -m pytest -m gpu -q

lint: $(VENV)/.stamp-dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(VENV)/.stamp-dev
	$(BIN)/python -m benchmarks

bench-smoke: $(VENV)/.stamp-dev
	$(BIN)/python -m benchmarks --smoke

# statsforecast and mlforecast cap pandas below 3: an environment of their own
benchmarks/peers/.venv/.stamp: benchmarks/peers/requirements.txt
	test -x benchmarks/peers/.venv/bin/python || $(PYTHON) -m venv benchmarks/peers/.venv
	benchmarks/peers/.venv/bin/python -m pip install --quiet --upgrade --requirement benchmarks/peers/requirements.txt
	touch $@

bench-peers: $(VENV)/.stamp-dev benchmarks/peers/.venv/.stamp
	$(BIN)/python -m benchmarks statistical boosting features

clean:
	rm -rf $(DEMO) build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
