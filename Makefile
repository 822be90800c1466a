# One target per task. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.SUFFIXES:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

MONTHS ?= 1
SERVE ?= 1
PORT ?= 8000
BENCH ?= million
ARGS ?=
DATABASES ?=

PYTHON_BIN := .venv/bin/python
MANAGE := $(PYTHON_BIN) manage.py
INSTALLED := .venv/.installed
TRANSLATED := .venv/.translated
CATALOGS := $(wildcard locale/*/LC_MESSAGES/django.po)
CHECKED := config ledger_app ingestion_app tests manage.py .ci

.PHONY: help setup demo serve test check lock bench drill year clean

help: ## List the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: $(INSTALLED) $(TRANSLATED) ## Create .venv with every pinned package and compile the translations

$(INSTALLED): requirements-dev.lock .ci/requirements-data.lock .ci/prepare
	@bash .ci/prepare
	touch $@

$(TRANSLATED): $(INSTALLED) $(CATALOGS)
	@if [ -n "$(CATALOGS)" ]; then .venv/bin/pybabel --quiet compile -D django -d locale; fi
	touch $@

demo: setup ## Take in MONTHS=1 of real purchases, freeze them, then serve (SERVE=0: end before serving)
	@$(MANAGE) migrate --no-input --verbosity 0
	$(MANAGE) demo --months "$(MONTHS)"
	if [ "$(SERVE)" != 0 ]; then $(MAKE) serve; fi

serve: setup ## Run the web server (PORT=8000) and the task worker until Ctrl-C
	@$(MANAGE) migrate --no-input --verbosity 0
	port=$$($(PYTHON_BIN) .ci/free_port.py "$(PORT)")
	if [ "$$port" != "$(PORT)" ]; then echo "Port $(PORT) is taken; port $$port is used instead."; fi
	.venv/bin/gunicorn --config config/gunicorn_conf.py config.wsgi --bind "127.0.0.1:$$port" & web=$$!
	$(MANAGE) db_worker & worker=$$!
	$(MANAGE) wake --every 30 & waker=$$!
	$(MANAGE) deliver_webhooks --every 5 & deliverer=$$!
	end_all() { kill "$$web" "$$worker" "$$waker" "$$deliverer" 2>/dev/null || true; wait "$$web" "$$worker" "$$waker" "$$deliverer" 2>/dev/null || true; }
	trap 'end_all; exit 0' INT TERM HUP
	echo "Kakutei is at http://127.0.0.1:$$port/admin/ (Ctrl-C ends it)."
	wait -n "$$web" "$$worker" "$$waker" "$$deliverer" || true
	echo "The web server, the worker, what wakes it or what delivers events ended by itself; the others are ended too." >&2
	end_all
	exit 1

test: setup ## Run every test on SQLite and again on a private MariaDB (DATABASES=sqlite,mariadb,mysql: on these; ARGS= goes to pytest)
	@PYTHONPATH=. $(PYTHON_BIN) .ci/databases.py $(if $(DATABASES),--databases="$(DATABASES)") $(ARGS)

check: setup ## Check style, types, imports, packages, dangers, migrations and the API description
	@failed=()
	attempt() { "$$@" || failed+=("$$*"); }
	attempt .venv/bin/ruff check .
	attempt .venv/bin/ruff format --check .
	attempt .venv/bin/mypy $(CHECKED)
	attempt .venv/bin/lint-imports --no-logo
	attempt $(PYTHON_BIN) .ci/lock.py --check
	attempt .venv/bin/bandit --quiet --configfile pyproject.toml --recursive config ledger_app ingestion_app manage.py .ci
	attempt $(PYTHON_BIN) .ci/find_passwords.py
	attempt $(MANAGE) check --fail-level WARNING
	attempt $(MANAGE) makemigrations --check --dry-run
	attempt $(MANAGE) spectacular --fail-on-warn --file /dev/null
	if [ $${#failed[@]} -gt 0 ]; then printf 'Failed: %s\n' "$${failed[@]}" >&2; exit 1; fi

lock: ## Lock every package with the hashes of its files, after a requirements file was changed
	@folder=$$(mktemp -d)
	trap 'rm -rf "$$folder"' EXIT
	python3 -m venv "$$folder"
	"$$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r .ci/requirements-lock.lock
	"$$folder/bin/python" .ci/lock.py

bench: setup ## Time one million records on MariaDB (BENCH=million, adjustments, batches, expiry, search or api; RECORDS, HOLDERS, IDENTIFIERS, LOTS, DUE, WORKERS, LEDGER, DATABASE_URL)
	@if [ -n "$${DATABASE_URL:-}" ]; then
		$(PYTHON_BIN) -m tests.benchmarks.$(BENCH)
	else
		$(PYTHON_BIN) -m tests.mariadb -- $(PYTHON_BIN) -m tests.benchmarks.$(BENCH)
	fi

drill: setup ## Kill, cut and stop everything on a private MariaDB, and compare with an undisturbed run (SEED, KILLS, CUTS, STOPS)
	@$(PYTHON_BIN) -m tests.faults

year: setup ## Take in the year of real purchases on MariaDB, each file three times, and hold it against an independent script
	@MONTHS=12 $(PYTHON_BIN) -m tests.mariadb -- $(PYTHON_BIN) -m pytest -q -s tests/independent

clean: ## Remove .venv, the caches and var, with the database and the received files in it
	@rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete 2>/dev/null || true
