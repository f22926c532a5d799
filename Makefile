# Requirements: Python 3.11+ and make. The targets install all other tools and dependencies.

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --no-sync --quiet

.PHONY: help chat server test check bench faults attacks soak docs messages screenshots recording clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS="|" read -r name text; do printf 'make %-12s %s\n' "$$name" "$$text"; done

chat: .venv/ready  ## run the client with a local server
	@$(RUN) chat-tui --serve $(ARGS)

server: .venv/ready  ## run the server
	@$(RUN) chat-server $(ARGS)

test: .venv/ready-dev javascript check  ## run all checks and the complete test suite
	$(RUN) pytest -n auto $(ARGS)

check: .venv/ready-dev javascript  ## check formatting, lint, types (the page requires npm) and import contracts
	$(RUN) ruff format --check --quiet .
	$(RUN) ruff check --quiet .
	$(RUN) pyright
	$(RUN) lint-imports
	@if command -v npm >/dev/null; then tests/support/javascript/node_modules/.bin/tsc --project tests/support/javascript; \
	elif [ "$$CHAT_REQUIRE_ALL" = 1 ]; then echo "missing npm: run apt-get install nodejs npm" >&2; exit 1; fi

bench: .venv/ready-dev  ## run the benchmarks of the README, including Node.js and Bun if npm is available
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix benchmarks/node; fi
	@$(RUN) python -m benchmarks.run $(ARGS)
	@$(RUN) python -m benchmarks.terminal

faults: .venv/ready-dev  ## inject faults into a server for several minutes and check for lost messages
	@$(RUN) python -m benchmarks.faults $(ARGS)

attacks: .venv/ready-dev  ## attack a server and measure the effect on another client
	@$(RUN) python -m benchmarks.attacks $(ARGS)

soak: .venv/ready-dev  ## run a server under churn for 30 minutes and check its memory
	@$(RUN) python -m benchmarks.soak $(ARGS)

docs: .venv/ready-dev  ## update the generated parts of docs
	@$(RUN) python -m tools.generated_docs

messages: .venv/ready-dev  ## update and compile the message catalogue
	@$(RUN) python -m tools.update_catalogue

screenshots: .venv/ready-dev  ## render docs/screenshots
	@$(RUN) python -m tools.screenshots

recording: .venv/ready-dev  ## record docs/recording.cast (30 seconds)
	@$(RUN) python -m tools.recording

.PHONY: javascript
javascript:  ## install the JavaScript test clients if npm is available
	@if command -v npm >/dev/null; then \
		test tests/support/javascript/node_modules/.package-lock.json -nt tests/support/javascript/package-lock.json \
		|| npm ci --silent --no-audit --no-fund --prefix tests/support/javascript; \
	fi

.venv/ready: pyproject.toml uv.lock $(UV)
	@$(UV) sync --quiet --no-dev --inexact
	@touch $@

.venv/ready-dev: pyproject.toml uv.lock $(UV)
	@$(UV) sync --quiet --all-extras --all-groups
	@touch $@ .venv/ready

.uv/bin/uv:
	@python3 -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

clean:  ## remove the output of all targets
	rm -rf .venv .uv tests/support/javascript/node_modules dist
