"""Command line interface of `chat-server`."""

import os
import re
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn, cast

from cyclopts import App, CycloptsError, Parameter

from server.settings import ConfigError, ResolvedSettings, resolve_settings
from tui_chat.protocol import limits

EXIT_USAGE_ERROR = 2
"""Exit code for errors that the operator can correct."""


app = App(
    name="chat-server",
    help="Group chat server for chat-tui, browsers and Socket.IO clients.",
    version=lambda: version("tui-chat"),
    help_epilogue=(
        "Each option can also be set by environment variable, for example CHAT_PORT, or by TOML key, for example port."
    ),
    result_action="return_value",
    print_error=False,
    exit_on_error=False,
)


def _option(help_text: str) -> Parameter:
    return Parameter(help=help_text, negative="")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class CommandLineOptions:
    """Command line options, one per field of `ServerSettings` plus `config`; None for an absent option."""

    config: Annotated[Path | None, _option("TOML settings file.")] = None
    host: Annotated[str | None, _option("Listen address; 0.0.0.0 for all interfaces. [default: 127.0.0.1]")] = None
    port: Annotated[str | None, _option("Listen port; 0 selects a free port. [default: 3000]")] = None
    database: Annotated[
        str | None, _option("SQLite file or database URL. [default: file in the user data directory]")
    ] = None
    pages: Annotated[str | None, _option("Directory of static files for /. [default: built-in page]")] = None
    cors_origin: Annotated[list[str] | None, _option("Additional allowed origin; repeatable.")] = None
    trusted_proxy: Annotated[list[str] | None, _option("Network of a trusted reverse proxy; repeatable.")] = None
    log_format: Annotated[str | None, _option("Log format: text or json. [default: text]")] = None
    log_level: Annotated[str | None, _option("Log level: debug, info, warning or error. [default: info]")] = None
    tls_cert: Annotated[str | None, _option("TLS certificate chain (PEM); enables TLS.")] = None
    tls_key: Annotated[str | None, _option("TLS private key (PEM).")] = None
    rate_limit: Annotated[str | None, _option("Rate limits: on or off. [default: on]")] = None
    message_burst: Annotated[str | None, _option("Maximum message burst per connection. [default: 10]")] = None
    message_rate: Annotated[str | None, _option("Maximum messages per second and connection. [default: 3]")] = None
    join_rate: Annotated[
        str | None, _option("Maximum joins and nickname changes per second and connection. [default: 5]")
    ] = None
    flood_timeout: Annotated[
        str | None, _option("Maximum throttling before the connection closes, in seconds. [default: 30]")
    ] = None
    time_zone: Annotated[str | None, _option("IANA time zone for basic clients. [default: system time zone]")] = None
    connections_per_address: Annotated[str | None, _option("Maximum open connections per address. [default: 20]")] = (
        None
    )
    connects_per_minute: Annotated[
        str | None, _option("Maximum new connections per minute and address. [default: 64]")
    ] = None
    rooms_per_minute: Annotated[
        str | None, _option("Maximum room creations, renames and removals per minute and address. [default: 30]")
    ] = None
    drain: Annotated[str | None, _option("Drain period before the shutdown, in seconds. [default: 0]")] = None
    ping_interval: Annotated[str | None, _option("Ping interval in seconds. [default: 25]")] = None
    ping_timeout: Annotated[str | None, _option("Pong timeout in seconds. [default: 20]")] = None
    connect_timeout: Annotated[
        str | None, _option("Timeout for the first request and for CONNECT, in seconds. [default: 10]")
    ] = None
    max_unsent_bytes: Annotated[
        str | None, _option("Maximum send queue per connection, in bytes. [default: 1048576]")
    ] = None
    stall_timeout: Annotated[
        str | None, _option("Maximum time without send queue progress, in seconds. [default: 10]")
    ] = None

    def resolve(self) -> ResolvedSettings:
        """Merge the options with the environment and the settings file.

        Raises:
            ConfigError: A source is unreadable or contains an invalid value.
        """
        option_values = {name: value for name, value in asdict(self).items() if value is not None and name != "config"}
        return resolve_settings(option_values, os.environ, self.config)


_NO_OPTIONS = CommandLineOptions()


@app.default
def serve_command(*, options: CommandLineOptions = _NO_OPTIONS) -> None:
    """Run the server until Ctrl+C or SIGTERM."""
    settings = options.resolve().settings
    # Deferred import: --help and usage errors do not load the server.
    from server import process  # noqa: PLC0415

    try:
        process.run(settings)
    except process.STARTUP_ERRORS as error:
        _exit_with_error(str(error))


@app.command(name="config")
def config_command(*, options: CommandLineOptions = _NO_OPTIONS) -> None:
    """Print the effective settings with their sources, and the protocol limits."""
    resolved = options.resolve()
    for name, source in resolved.sources.items():
        value: object = getattr(resolved.settings, name)
        if name == "database":
            value = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", resolved.settings.resolve_database())
        formatted = ", ".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else value
        print(f"{name} = {formatted}  ({source})")
    print()
    for name in sorted(vars(limits)):
        if name.isupper():
            print(f"{name.lower()} = {getattr(limits, name)}  (fixed by the protocol)")


def main() -> None:
    """Run the command line interface.

    Exit codes: 0 after an orderly shutdown, 1 for an internal error or an exceeded shutdown timeout, 2 for an error
    that the operator can correct.
    """
    try:
        app()
    except (CycloptsError, ConfigError) as error:
        _exit_with_error(str(error))


def _exit_with_error(reason: str) -> NoReturn:
    print(f"chat-server: {reason}", file=sys.stderr)
    sys.exit(EXIT_USAGE_ERROR)
