# All that is needed is make and python3 (3.11 or newer); everything else goes into .venv.
#   make test EXTRAS=torch           with a library to compare with (EXTRAS=a,b for several)
#   make test ARGS="-k schedule"     arguments for pytest; -n 0 for one process alone
#   make mutants-all EVERY=1         all mutants rather than one in 200

PYTHON ?= python3
EXTRAS ?=
EVERY ?= 200
ARGS ?=
BIN := .venv/bin
# By as many processes as there are processors; one that has no tests left takes from another.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal
, := ,
PEERS := $(patsubst %,.venv/with-%,$(subst $(,), ,$(EXTRAS)))
unexport PYTHONPATH PYTHONHOME
.NOTPARALLEL:

# Libraries that cannot live beside the others, each in a folder of its own and without its
# dependencies: old releases, and those that would bring another torch.
FOLDERS := $(addprefix .venv/peers/,timm-1.0.31 pytorch_optimizer-3.9.0 torch_optimizer-0.3.0 \
  galore_torch-1.0)

.PHONY: help verify test slow audit-peers table theorems mutants mutants-all lint wheel clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile

verify: .venv/made $(PEERS)  ## derive the rules, check the loops against them, audit our own
	$(BIN)/adafactor-numba verify

test: .venv/with-test $(PEERS)  ## run the tests and the examples in the docstrings
	$(PYTEST) -m "not slow and not peers" $(ARGS)

slow: .venv/with-test $(PEERS)  ## the tests that take minutes: every wrong implementation audited
	$(PYTEST) -m slow $(ARGS)

audit-peers: .venv/with-torch .venv/with-test .venv/with-peers $(FOLDERS)  ## audit every library; sets them up first
	$(PYTEST) -m peers $(ARGS)

table: .venv/with-torch .venv/with-test .venv/with-peers $(FOLDERS)  ## write docs/implementations.md from these audits
	$(PYTEST) -m peers -k "finds or page" --write

theorems: .venv/with-test .venv/with-proofs  ## prove them all and write docs/theorems.md
	$(BIN)/python -m pytest tests/test_proofs.py -k page --write

mutants: .venv/with-test .venv/with-mutants  ## change the loops in every way and see it noticed, in minutes
	$(BIN)/python -m tests.mutation

# In a copy, as cosmic-ray changes the files that it tries; it goes on where it was stopped.
mutants-all: build/mutants/session.sqlite  ## the same of all modules by their tests, in hours
	cp -R adafactor_numba derivations proofs tests build/mutants
	cd build/mutants && ../../$(BIN)/cosmic-ray exec tests/mutation/cosmic-ray.toml session.sqlite
	$(BIN)/python -m tests.mutation.session report $<

build/mutants/session.sqlite: .venv/with-test .venv/with-mutants $(shell find adafactor_numba derivations -name '*.py')
	rm -rf build/mutants && mkdir -p build/mutants
	cp -R adafactor_numba derivations proofs tests docs .ci *.md LICENSE Makefile pyproject.toml build/mutants
	cd build/mutants && ../../$(BIN)/cosmic-ray init tests/mutation/cosmic-ray.toml part.sqlite
	$(BIN)/python -m tests.mutation.session thin build/mutants/part.sqlite $(EVERY)
	mv build/mutants/part.sqlite $@

lint: .venv/with-lint  ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

wheel: .venv/made  ## build the wheel and use it away from this folder
	.ci/wheel

clean:  ## remove all that make has made
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find adafactor_numba derivations proofs tests -name __pycache__ -prune -exec rm -rf {} +

# A change of pyproject.toml makes the environment anew; an extra is added to the one there is.
.venv/made: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "$(PYTHON) is not Python 3.11 or newer; name one that is: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu the package"; \
	  echo "python3-venv adds them; or name another Python: make PYTHON=python3.12"; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/with-%: .venv/made
	@grep -q '^$* = \[' pyproject.toml || { echo "pyproject.toml has no extra '$*'"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

.venv/peers/%: .venv/made
	rm -rf $@ $@.part
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --target $@.part $(subst -,==,$*)
	@mv $@.part $@ && touch $@
