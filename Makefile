# `make run` starts the server with the demo campaign; `make test` tests everything. Both install what they need.
PY ?= python3
V := .venv
PIP = $$($(PY) -c 'import pip' 2>/dev/null && echo $(PY) -m pip --python $(V)/bin/python || echo $(V)/bin/python -m pip) install -q --disable-pip-version-check --require-hashes --only-binary :all:
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/messages.po)
COMPILED := $(CATALOGUES:.po=.mo)

.PHONY: run install test test-long test-quick lint bench words spelling picture rooms migration lock sbom clean

run: install
	@export PETITIONS_DEMO=$${PETITIONS_DEMO-1}; $(V)/bin/flask setup && exec $(V)/bin/gunicorn app:app

# The program without starting it: for a real server, and after each update.
install: $(V)/.run-ok $(COMPILED)

test: $(V)/.test-ok $(COMPILED) lint
	@sh scripts/packages.sh $(V) tests browser
	$(V)/bin/python -m pytest -n 3 --dist worksteal -m "not browser"
	$(V)/bin/python -m pytest -n 2 --dist worksteal -m browser

# Runs the reliability tests as often as docs/reliability.md says, and writes the figures into that document.
test-long: $(V)/.test-ok $(COMPILED)
	@sh scripts/packages.sh $(V) tests long
	rm -f test-output/figures.jsonl
	TEST_EFFORT=long $(V)/bin/python -m pytest -n 2 --dist worksteal tests/reliability
	$(V)/bin/python -m tests.reliability.report

test-quick: $(V)/.test-ok $(COMPILED) lint
	@sh scripts/packages.sh $(V) tests
	$(V)/bin/python -m pytest -n 2 --dist worksteal -m "not browser"

lint: $(V)/.test-ok
	$(V)/bin/ruff check .
	$(V)/bin/ruff format --check .
	$(V)/bin/mypy

bench: $(V)/.test-ok $(COMPILED)
	$(V)/bin/python -m bench

# Collects every visible word into the catalogues; new ones are empty there until they are translated.
words: $(V)/.run-ok
	$(V)/bin/python -m scripts.words

# Checks new words with dictionaries; a person checks the rest and adds it to tests/spelled.
spelling: $(V)/.test-ok
	@$(V)/bin/python -m tests.support.spelling

# Updates the picture in README.md.
picture: $(V)/.test-ok $(COMPILED)
	@sh scripts/packages.sh $(V) browser
	$(V)/bin/python -m scripts.picture

# Updates the table of packages in docs/architecture.md from the docstrings.
rooms: $(V)/.test-ok
	$(V)/bin/python -m scripts.rooms

# Writes a migration from what changed in the models: make migration NAME="accounts are disabled"
migration: $(V)/.test-ok
	@$(V)/bin/python -m scripts.migration $(NAME)

# Pins every dependency by hash; needs uv. UPGRADE=--upgrade takes newer ones. Read the difference before you commit it.
lock:
	@command -v uv >/dev/null || { echo "uv is missing: pipx install uv" >&2; exit 1; }
	for s in requirements requirements-test; do uv pip compile -q $(UPGRADE) --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $$s.in -o $$s.txt; done

# The software bill of materials (CycloneDX), to standard output: make -s sbom > sbom.json
sbom: $(V)/.run-ok
	@$(V)/bin/python -m scripts.sbom

clean:
	rm -rf $(V) $(COMPILED)

# A minimal Debian has neither pip nor venv; either package is enough.
$(V)/bin/python:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PY) -c 'import pip' 2>/dev/null || $(PY) -c 'import ensurepip' 2>/dev/null || \
		{ echo "Python's pip is missing. On Debian type:  sudo apt-get install python3-venv" >&2; exit 1; }
	$(PY) -m venv $$($(PY) -c 'import pip' 2>/dev/null && echo --without-pip) $(V)
$(V)/.run-ok: requirements.txt | $(V)/bin/python
	$(PIP) -r requirements.txt && touch $@
$(V)/.test-ok: requirements-test.txt requirements.txt | $(V)/bin/python
	$(PIP) -r requirements-test.txt && touch $@ $(V)/.run-ok
%.mo: %.po | $(V)/.run-ok
	@$(V)/bin/pybabel -q compile -i $< -o $@ -l $$(basename $$(dirname $$(dirname $<)))
