"""`chat-server`: parse the command line, then run until told to stop."""

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
"""Exit code for whatever the operator can mend."""


app = App(
    name="chat-server",
    help="A group chat server of rooms: for chat-tui, for browsers, for any Socket.IO client.",
    version=lambda: version("tui-chat"),
    help_epilogue="Every option is also an environment variable (CHAT_PORT) and a key of the TOML file (port).",
    result_action="return_value",
    print_error=False,
    exit_on_error=False,
)


def _option(help_text: str) -> Parameter:
    return Parameter(help=help_text, negative="")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Flags:
    """The command line's part of `server.settings.Settings`; what is None was not given."""

    config: Annotated[Path | None, _option("TOML file with settings.")] = None
    host: Annotated[str | None, _option("Address to listen on (127.0.0.1); 0.0.0.0 for the whole network.")] = None
    port: Annotated[str | None, _option("TCP port (3000); 0 takes a free one.")] = None
    database: Annotated[str | None, _option("Database file or URL (a file in your data directory).")] = None
    pages: Annotated[str | None, _option("Folder of your own pages, served at / (the built-in page).")] = None
    cors_origin: Annotated[list[str] | None, _option("Another origin whose pages may connect; repeatable.")] = None
    trusted_proxy: Annotated[list[str] | None, _option("Network of a reverse proxy to believe; repeatable.")] = None
    log_format: Annotated[str | None, _option("text or json (text).")] = None
    log_level: Annotated[str | None, _option("debug, info, warning or error (info).")] = None
    tls_cert: Annotated[str | None, _option("Certificate chain, PEM; with it only TLS is spoken.")] = None
    tls_key: Annotated[str | None, _option("Private key of the certificate, PEM.")] = None
    rate_limit: Annotated[str | None, _option("on or off (on); off for trusted networks and benchmarks.")] = None
    message_burst: Annotated[str | None, _option("Messages a connection may send at once (10).")] = None
    message_rate: Annotated[str | None, _option("Messages a second in the long run (3).")] = None
    join_rate: Annotated[str | None, _option("Joins and new nicknames a second of one connection (5).")] = None
    flood_timeout: Annotated[str | None, _option("Seconds a flood is slowed before it is cut (30).")] = None
    time_zone: Annotated[str | None, _option("Zone of the times told to plain clients (the machine's own).")] = None
    connections_per_address: Annotated[str | None, _option("Connections one address may hold (20).")] = None
    connects_per_minute: Annotated[str | None, _option("Connections one address may open a minute (64).")] = None
    rooms_per_minute: Annotated[str | None, _option("Rooms one address may make or change a minute (30).")] = None
    drain: Annotated[str | None, _option("Seconds before a stop in which /ready says no (0).")] = None
    ping_interval: Annotated[str | None, _option("Seconds between two pings (25).")] = None
    ping_timeout: Annotated[str | None, _option("Seconds a client has to answer one (20).")] = None
    connect_timeout: Annotated[str | None, _option("Seconds a connection has to say what it wants (10).")] = None
    unsent_bytes: Annotated[str | None, _option("Bytes a reader may be behind before it is cut (1048576).")] = None
    stall_timeout: Annotated[str | None, _option("Seconds a reader may stand still (10).")] = None

    def resolve(self) -> ResolvedSettings:
        """The settings in force."""
        flag_values = {name: value for name, value in asdict(self).items() if value is not None and name != "config"}
        return resolve_settings(flag_values, os.environ, self.config)


_DEFAULT_FLAGS = Flags()


@app.default
def serve_command(*, flags: Flags = _DEFAULT_FLAGS) -> None:
    """Serve until Ctrl+C or SIGTERM."""
    settings = flags.resolve().settings
    # Imported only now, so that --help and a wrong flag answer at once.
    from server import process  # noqa: PLC0415

    try:
        process.run(settings)
    except process.STARTUP_ERRORS as error:
        _exit_with_error(str(error))


@app.command(name="config")
def config_command(*, flags: Flags = _DEFAULT_FLAGS) -> None:
    """Print the settings in force and where each came from, and the wire's limits."""
    resolved = flags.resolve()
    for name, source in resolved.sources.items():
        value: object = getattr(resolved.settings, name)
        if name == "database":
            value = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", resolved.settings.database_target())
        formatted = ", ".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else value
        print(f"{name} = {formatted}  ({source})")
    print()
    for name in sorted(vars(limits)):
        if name.isupper():
            print(f"{name.lower()} = {getattr(limits, name)}  (fixed by the wire)")


def main() -> None:
    """The command.

    Exit codes: 0 stopped as told, 2 something the operator can mend, 1 a fault of the program.
    """
    try:
        app()
    except (CycloptsError, ConfigError) as error:
        _exit_with_error(str(error))


def _exit_with_error(reason: str) -> NoReturn:
    print(f"chat-server: {reason}", file=sys.stderr)
    sys.exit(EXIT_USAGE_ERROR)
