# Everything a newcomer needs: `make demo`, `make test`. Both do all set-up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
APT    := mosquitto openssl systemd
TSDB   := influxdb victoria-metrics

.PHONY: setup dev demo test chaos soak check bench lock clean broker stores

setup: $(VENV)/.runtime
dev: $(VENV)/.dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V); name another with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); \
	  else echo "make: Debian keeps venv apart from Python: sudo apt-get install python3-venv"; exit 1; fi; }

$(VENV)/.runtime: $(BIN)/python requirements/runtime.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements/runtime.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.lock
	$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

demo: setup
	$(BIN)/lianfang demo

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

broker:
	@{ { command -v mosquitto || [ -x /usr/sbin/mosquitto ]; } && command -v openssl && command -v systemd-analyze; } >/dev/null || \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq $(APT); \
	  else echo "make: the tests need real programs of Debian: sudo apt-get install $(APT)"; exit 1; fi

# Debian starts what it installs; the tests start their own, so the services are kept from running.
stores:
	@{ command -v influxd && command -v victoria-metrics; } >/dev/null || \
	  if [ "$$(id -u)" = 0 ]; then \
	    systemctl mask --quiet influxdb.service victoria-metrics.service 2>/dev/null; \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends $(TSDB); \
	  else echo "make: the tests need real time series databases: sudo apt-get install $(TSDB)"; exit 1; fi

test: dev broker stores
	$(BIN)/pytest -n 2 --dist worksteal

# Fifteen minutes of kill -9 (gateways, hub, broker, InfluxDB), cut links and locked stores, and an account of every press.
# Telemetry in the hub's own file instead: make chaos CHAOS="--store sqlite".
chaos: setup broker stores
	$(BIN)/lianfang simulate chaos --minutes 15 $(CHAOS)

# Thousands of seeds of the simulated village, an hour each; SEED is the first.
SEED  ?= 1000
SEEDS ?= 5000
soak: setup
	$(BIN)/lianfang simulate world --seed $(SEED) --seeds $(SEEDS) --hours 1

bench: dev broker
	$(BIN)/python -m tests.benchmarks

# Versions and hashes only: a lock that names no index host.
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: dev
	$(LOCK) --extra demo --extra build pyproject.toml -o requirements/runtime.lock
	$(LOCK) --extra dev --extra build pyproject.toml -c requirements/runtime.lock -o requirements/dev.lock
	$(LOCK) --extra edge --extra build pyproject.toml -c requirements/runtime.lock -o requirements/edge.lock
	$(LOCK) --extra hub --extra dashboards --extra build pyproject.toml -c requirements/runtime.lock -o requirements/hub.lock

clean:
	rm -rf $(VENV) data build dist
