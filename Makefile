# Requirements: Python 3.11+ and make. The targets install all other tools and dependencies.

UV := .uv/bin/uv
BIN := .venv/bin

.PHONY: help chat server test check bench faults cluster-faults attacks api-requests soak docs messages screenshots recording clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS="|" read -r name text; do printf 'make %-14s %s\n' "$$name" "$$text"; done

chat: .venv/ready  ## run the client with a local server
	@$(BIN)/chat-tui --serve $(ARGS)

server: .venv/ready  ## run the server
	@$(BIN)/chat-server $(ARGS)

test:  ## run all checks and the complete test suite
	@$(MAKE) --no-print-directory --jobs=2 check pytest

# Without bytecode files, each worker compiles the plugins of pytest again.
.PHONY: pytest
pytest: export PYTHONDONTWRITEBYTECODE =
pytest: .venv/ready-dev javascript
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: .venv/ready-dev javascript  ## check formatting, lint, types (the page requires npm) and import contracts
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/pyright
	$(BIN)/lint-imports
	@if command -v npm >/dev/null; then tests/support/javascript/node_modules/.bin/tsc --project tests/support/javascript; \
	elif [ "$$CHAT_REQUIRE_ALL" = 1 ]; then echo "missing npm: run apt-get install nodejs npm" >&2; exit 1; fi

bench: .venv/ready-dev  ## run the benchmarks of the README, including Node.js and Bun if npm is available
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix benchmarks/node; fi
	@$(BIN)/python -m benchmarks.run $(ARGS)
	@$(BIN)/python -m benchmarks.terminal

faults: .venv/ready-dev  ## inject faults into a server for several minutes and check for lost messages
	@$(BIN)/python -m benchmarks.faults $(ARGS)

cluster-faults: .venv/ready-dev  ## inject 200 faults into three servers, PostgreSQL and Redis
	@$(BIN)/python -m benchmarks.faults.cluster $(ARGS)

attacks: .venv/ready-dev  ## attack a server and measure the effect on another client
	@$(BIN)/python -m benchmarks.attacks $(ARGS)

api-requests: .venv/ready-dev  ## send generated requests to all HTTP endpoints and check the responses
	@API_EXAMPLES=20 $(BIN)/pytest tests/web/test_api_conformance.py $(ARGS)

soak: .venv/ready-dev  ## run a server under churn for 30 minutes and check its memory
	@$(BIN)/python -m benchmarks.soak $(ARGS)

docs: .venv/ready-dev  ## update the generated parts of docs
	@$(BIN)/python -m tools.generated_docs

messages: .venv/ready-dev  ## update and compile the message catalogue
	@$(BIN)/python -m tools.update_catalogue

screenshots: .venv/ready-dev  ## render docs/screenshots
	@$(BIN)/python -m tools.screenshots

recording: .venv/ready-dev  ## record docs/recording.cast (30 seconds)
	@$(BIN)/python -m tools.recording

.PHONY: javascript
javascript:  ## install the JavaScript test clients if npm is available
	@if command -v npm >/dev/null; then \
		test tests/support/javascript/node_modules/.package-lock.json -nt tests/support/javascript/package-lock.json \
		|| npm ci --silent --no-audit --no-fund --prefix tests/support/javascript; \
	fi

.venv/ready: pyproject.toml uv.lock | $(UV)
	@echo "installing the dependencies into .venv"
	@$(UV) sync --no-dev --inexact
	@touch $@

# The tests import a fraction of the modules, which are compiled at their first import.
.venv/ready-dev: pyproject.toml uv.lock | $(UV)
	@echo "installing the dependencies and the development tools into .venv"
	@$(UV) sync --all-extras --all-groups --no-compile-bytecode
	@touch $@ .venv/ready

# A link to the uv on PATH if it accepts the project, otherwise a copy of its own.
$(UV):
	@mkdir -p $(@D)
	@if uv export --quiet --frozen --all-groups >/dev/null 2>&1; then ln -sf "$$(command -v uv)" $@; else \
		if ! python3 -c "import ensurepip, venv" 2>/dev/null; then \
			echo "python3 cannot create environments: install python3-venv (Debian, Ubuntu) or uv" >&2; exit 1; \
		fi; \
		echo "installing uv into .uv"; \
		python3 -m venv --clear .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv; \
	fi

clean:  ## remove the output of all targets
	rm -rf .venv .uv tests/support/javascript/node_modules dist
