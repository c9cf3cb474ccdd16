# `make run` starts the server with the demo campaign; `make test` tests everything. Both install what they need.
PY ?= python3
V := .venv
PIP = $(PY) -m pip --python $(V)/bin/python install -q --disable-pip-version-check --require-hashes --only-binary :all:
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/messages.po)
COMPILED := $(CATALOGUES:.po=.mo)

.PHONY: run test test-long test-quick lint browser html-checker long-tests bench words lock clean

run: $(V)/.run-ok $(COMPILED)
	@export PETITIONS_DEMO=$${PETITIONS_DEMO-1}; $(V)/bin/flask setup && exec $(V)/bin/gunicorn app:app

test: $(V)/.test-ok $(COMPILED) lint browser html-checker
	$(V)/bin/python -m pytest -n 2 -m "not browser"
	$(V)/bin/python -m pytest -m browser

# The reliability tests once more, as often as docs/reliability.md says, and the figures into that document.
test-long: $(V)/.test-ok $(COMPILED) long-tests
	rm -f test-output/figures.jsonl
	TEST_EFFORT=long $(V)/bin/python -m pytest -n 2 tests/reliability
	$(V)/bin/python -m tests.reliability.report

test-quick: $(V)/.test-ok $(COMPILED) lint
	$(V)/bin/python -m pytest -n 2 -m "not browser"

lint: $(V)/.test-ok
	$(V)/bin/ruff check .
	$(V)/bin/ruff format --check .
	$(V)/bin/mypy

browser: $(V)/.test-ok
	@sh .ci/browser.sh $(V)

html-checker:
	@sh .ci/html-checker.sh

long-tests:
	@sh .ci/long-tests.sh

bench: $(V)/.test-ok $(COMPILED)
	$(V)/bin/python -m bench

# Collects every visible word into the catalogues; the new ones wait there, empty, for their translation.
words: $(V)/.run-ok
	$(V)/bin/python .ci/words.py

# Pins every dependency by hash; needs uv. Read the difference before you commit it.
lock:
	for s in requirements requirements-test; do uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $$s.in -o $$s.txt; done

clean:
	rm -rf $(V) $(COMPILED)

$(V)/bin/python:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	$(PY) -m venv --without-pip $(V)
$(V)/.run-ok: requirements.txt | $(V)/bin/python
	$(PIP) -r requirements.txt && touch $@
$(V)/.test-ok: requirements-test.txt requirements.txt | $(V)/bin/python
	$(PIP) -r requirements-test.txt && touch $@ $(V)/.run-ok
%.mo: %.po | $(V)/.run-ok
	@$(V)/bin/pybabel -q compile -i $< -o $@ -l $$(basename $$(dirname $$(dirname $<)))
