# Everything is set up by these targets themselves: a machine needs Python 3.11+ and make.

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --no-sync --quiet

.PHONY: chat server test check bench faults messages screenshots recording clean

chat: .venv/ready  ## the client, with its own server
	@$(RUN) chat-tui --serve $(ARGS)

server: .venv/ready  ## the server alone
	@$(RUN) chat-server $(ARGS)

test: .venv/ready-dev javascript check  ## every check and the whole test suite
	$(RUN) pytest -n auto $(ARGS)

check: .venv/ready-dev  ## format, lint, types and import rules
	$(RUN) ruff format --check --quiet .
	$(RUN) ruff check --quiet .
	$(RUN) pyright
	$(RUN) lint-imports

bench: .venv/ready-dev  ## what the README's figures come from; compares with Node.js and Bun where npm brings them
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix benchmarks/node; fi
	@$(RUN) python -m benchmarks.run $(ARGS)
	@$(RUN) python -m benchmarks.terminal

faults: .venv/ready-dev  ## break a server in every way for some minutes, then look for what was lost
	@$(RUN) python -m benchmarks.faults $(ARGS)

messages: .venv/ready-dev  ## take new sentences of the client into the catalogue of translations, and compile it
	@$(RUN) python -m tools.update_catalogue

screenshots: .venv/ready-dev  ## draw docs/screenshots anew, from the program itself
	@$(RUN) python -m tools.screenshots

recording: .venv/ready-dev  ## play docs/recording.cast anew, in a terminal: half a minute
	@$(RUN) python -m tools.recording

.PHONY: javascript
javascript:  ## the real JavaScript clients that some tests drive, where there is Node.js
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

clean:  ## what the other targets made
	rm -rf .venv .uv tests/support/javascript/node_modules dist
