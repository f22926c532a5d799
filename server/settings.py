"""Server settings and their sources; `make docs` writes the table of docs/operating.md.

- Single declaration: `SETTINGS` describes each field of `ServerSettings` for all sources, `--help` and the docs.
- Precedence: command line, environment, settings file, default.
- Validation: the effective value of a setting is checked against the type and the limits of the field.
- Paths: `~` is expanded, and relative paths refer to the working directory.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

import msgspec
import platformdirs

from server.origins import normalize_origin

IPNetwork = IPv4Network | IPv6Network

_MAX_FILE_SIZE = 2**20

# Kubernetes sets CHAT_PORT=tcp://10.0.0.1:8000 and further variables for a service named "chat" in the same namespace
# (Kubernetes documentation, "Service", section "Environment variables"); links of Docker have the same form.
_SERVICE_ADDRESS_PATTERN = re.compile(r"(tcp|udp|sctp)://.*")
_SERVICE_VARIABLE_PATTERN = re.compile(r"CHAT_(SERVICE_(HOST|PORT)(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?)")


class ConfigError(Exception):
    """Invalid setting or unreadable source; the message is one line for the operator."""


def _setting(
    description: str,
    *,
    unit: str = "",
    default: str = "none",
    is_path: bool = False,
    limits: tuple[float, float] | None = None,
) -> msgspec.Meta:
    """Return the metadata of a setting.

    Args:
        description: Help text without a final period; choices of a `Literal` are appended.
        unit: Unit of the value, empty for none.
        default: Description of an empty default.
        is_path: The value is a path; URLs stay unchanged.
        limits: Least and greatest value of a number.
    """
    least, greatest = limits or (None, None)
    extra = {"unit": unit, "default": default, "is_path": is_path}
    return msgspec.Meta(description=description, extra=extra, ge=least, le=greatest)


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Server settings; all sources and the docs derive from the fields. Only `resolve_settings` checks values."""

    host: Annotated[
        str, _setting("Listen address; 0.0.0.0 for all IPv4 interfaces, an empty value for all IPv4 and IPv6 ones")
    ] = "127.0.0.1"
    port: Annotated[int, _setting("Listen port; 0 selects a free port", limits=(0, 65535))] = 3000
    database: Annotated[
        str, _setting("SQLite file or database URL", default="file in the user data directory", is_path=True)
    ] = ""
    pages: Annotated[str, _setting("Directory of static files for /", default="built-in page", is_path=True)] = ""
    cors_origin: Annotated[tuple[str, ...], _setting("Additional origin whose pages may connect; repeatable")] = ()
    trusted_proxy: Annotated[
        tuple[str, ...],
        _setting("Network of a reverse proxy with trusted X-Forwarded headers; repeatable"),
    ] = ()
    log_format: Annotated[Literal["text", "json"], _setting("Log format")] = "text"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _setting("Minimum level of log lines")] = "info"
    log_file: Annotated[str, _setting("Log file, reopened by SIGHUP", default="standard error", is_path=True)] = ""
    log_max_bytes: Annotated[
        int,
        _setting(
            "Maximum size of the log file, then renamed to FILE.1; 0 for no limit", unit="bytes", limits=(0, 2**40)
        ),
    ] = 0
    tls_cert: Annotated[str, _setting("File with the TLS certificate chain (PEM); enables TLS", is_path=True)] = ""
    tls_key: Annotated[str, _setting("File with the TLS private key (PEM), without a passphrase", is_path=True)] = ""
    rate_limit: Annotated[Literal["on", "off"], _setting("Rate limits")] = "on"
    message_burst: Annotated[
        float, _setting("Maximum burst of messages per connection", unit="messages", limits=(1, 1e6))
    ] = 10.0
    message_rate: Annotated[
        float, _setting("Maximum message rate per connection", unit="messages per second", limits=(0.001, 1e6))
    ] = 3.0
    join_rate: Annotated[
        float, _setting("Maximum joins and nickname changes per connection", unit="per second", limits=(0.001, 1e6))
    ] = 5.0
    flood_timeout: Annotated[
        float,
        _setting("Maximum continuous throttling before the connection closes", unit="seconds", limits=(0.1, 3600)),
    ] = 30.0
    time_zone: Annotated[str, _setting("IANA time zone for basic clients", default="system time zone")] = ""
    connections_per_address: Annotated[
        int, _setting("Maximum open connections per address", unit="connections", limits=(1, 10**6))
    ] = 20
    connects_per_minute: Annotated[
        int, _setting("Maximum new connections per address", unit="per minute", limits=(1, 10**6))
    ] = 64
    requests_per_minute: Annotated[
        int, _setting("Maximum HTTP requests outside sessions per address", unit="per minute", limits=(1, 10**6))
    ] = 1200
    rooms_per_minute: Annotated[
        int, _setting("Maximum room creations, renames and removals per address", unit="per minute", limits=(1, 10**6))
    ] = 30
    exit_when_idle: Annotated[
        float,
        _setting("Time without a client before the server stops; 0 for no limit", unit="seconds", limits=(0, 10**6)),
    ] = 0.0
    drain: Annotated[float, _setting("Drain period before the shutdown", unit="seconds", limits=(0, 3600))] = 0.0
    ping_interval: Annotated[float, _setting("Ping interval", unit="seconds", limits=(0.1, 3600))] = 25.0
    ping_timeout: Annotated[float, _setting("Maximum delay of a pong", unit="seconds", limits=(0.1, 3600))] = 20.0
    connect_timeout: Annotated[
        float,
        _setting(
            "Timeout for the TLS handshake, for the next request of a connection and for CONNECT",
            unit="seconds",
            limits=(0.1, 3600),
        ),
    ] = 10.0
    max_unsent_bytes: Annotated[
        int, _setting("Maximum send queue per connection", unit="bytes", limits=(65536, 2**30))
    ] = 1048576
    stall_timeout: Annotated[
        float, _setting("Maximum time without progress of a send queue", unit="seconds", limits=(0.1, 3600))
    ] = 10.0

    def resolve_database(self) -> str:
        """Return the configured database, or the path of the default file in the user data directory.

        The file may not exist yet.
        """
        return self.database or str(platformdirs.user_data_path("tui-chat", appauthor=False) / "chat.db")

    def describe_database(self) -> str:
        """Return `resolve_database` with `…` in place of the password of a database URL."""
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", self.resolve_database())

    def resolve_pages_directory(self) -> Path | None:
        """Return the directory of `pages`, or None for the built-in page.

        An index file is not required.

        Raises:
            ConfigError: The path does not exist or is not a directory.
        """
        if not self.pages:
            return None
        directory = Path(self.pages)
        if not directory.is_dir():
            problem = "is not a directory" if directory.exists() else "does not exist"
            raise ConfigError(f"pages: {directory} {problem}")
        return directory

    def load_time_zone(self) -> ZoneInfo | None:
        """Return the time zone of `time_zone`, or None for the system time zone.

        Raises:
            ConfigError: The time zone is unknown.
        """
        if not self.time_zone:
            return None
        try:
            return ZoneInfo(self.time_zone)
        except (OSError, ValueError, KeyError):  # KeyError: unknown zone; OSError: the name of a directory
            raise ConfigError(f"time_zone: unknown zone {self.time_zone!r}; use a name like Asia/Shanghai") from None

    def parse_allowed_origins(self) -> tuple[str, ...]:
        """Return the origins of `cors_origin` in canonical form (`server.origins`).

        Raises:
            ConfigError: A value is no origin; `*` is invalid too.
        """
        return tuple(map(_parse_origin, self.cors_origin))

    def parse_trusted_networks(self) -> tuple[IPNetwork, ...]:
        """Return the networks of `trusted_proxy`.

        An address without a prefix length is a network of one address.

        Raises:
            ConfigError: A value is not an IP network, or has host bits set.
        """
        return tuple(map(_parse_network, self.trusted_proxy))


@dataclass(frozen=True, slots=True)
class ServerSetting:
    """Description of one setting.

    Attributes:
        name: Field of `ServerSettings` and key in the settings file.
        type: Annotated type for validation.
        default_text: Default for the operator.
        unit: Unit of the value, empty for none.
        help: Sentence about the value, with the choices.
        flag: Command line option.
        variable: Environment variable; commas separate the items of a list.
        is_list: The value is a list of strings.
        is_path: The value is a path.
        limits: Least and greatest value of a number; None for other types.
    """

    name: str
    type: Any
    default_text: str
    unit: str
    help: str
    flag: str
    variable: str
    is_list: bool
    is_path: bool
    limits: tuple[float, float] | None


def _describe_setting(field: msgspec.structs.FieldInfo) -> ServerSetting:
    value_type, metadata = get_args(field.type)
    extra: dict[str, Any] = metadata.extra
    default_text = (
        f"{field.default:g}"
        if isinstance(field.default, float)
        else str(field.default if isinstance(field.default, int) else field.default or extra["default"])
    )
    choices = ", ".join(get_args(value_type)) if get_origin(value_type) is Literal else ""
    text = f"{metadata.description}: {choices}." if choices else f"{metadata.description}."
    return ServerSetting(
        field.name,
        field.type,
        default_text,
        extra["unit"],
        text,
        flag=f"--{field.name.replace('_', '-')}",
        variable=f"CHAT_{field.name.upper()}",
        is_list=isinstance(field.default, tuple),
        is_path=extra["is_path"],
        limits=(metadata.ge, metadata.le) if metadata.ge is not None else None,
    )


SETTINGS = {field.name: _describe_setting(field) for field in msgspec.structs.fields(ServerSettings)}
"""All settings by name, in display order."""


def suggest(name: str, valid_names: Iterable[str]) -> str:
    """Return `did you mean NAME?` with the nearest valid name; without a similar one, `see chat-server --help`."""
    matches = get_close_matches(name, valid_names, 1)
    return f"did you mean {matches[0]}?" if matches else "see chat-server --help"


def render_markdown() -> str:
    """Return the settings table of docs/operating.md."""
    return "| option | environment variable | default | unit | description |\n|---|---|---|---|---|\n" + "".join(
        f"| `{setting.flag}` | `{setting.variable}` | {setting.default_text} | {setting.unit} | {setting.help} |\n"
        for setting in SETTINGS.values()
    )


def resolve_settings(
    options: Mapping[str, Any], environ: Mapping[str, str], config_file: Path | None
) -> tuple[ServerSettings, dict[str, str]]:
    """Merge all sources into validated settings.

    A source replaces the whole value of a source with lower precedence, also for lists. Replaced values are not
    validated; unknown environment variables, and the service address of Kubernetes in `CHAT_PORT`, are ignored without
    a warning (`find_ignored_variables`). Certificate files are not read.

    Args:
        options: Present command line options, keyed by setting; text is converted to the type of the setting.
        environ: Environment; only variables with the prefix `CHAT_` are read. Commas separate list items.
        config_file: TOML file with one key per setting, or None; a missing file is an error.

    Returns:
        The effective settings, and the source of each value for the operator: `default`, the file path,
        `environment …` or `command line`.

    Raises:
        ConfigError: A source is unreadable, contains an unknown key or an invalid value, or only one TLS path is set;
            or the directory of `pages` does not exist.
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(SETTINGS, "default")
    for source, source_values in (
        *([(str(config_file), _read_file(config_file))] if config_file is not None else []),
        *_read_environment(environ),
        ("command line", dict(options)),
    ):
        for name, value in source_values.items():
            if name not in SETTINGS:
                raise ConfigError(f"{source}: unknown setting {name!r}; {suggest(name, SETTINGS)}")
            values[name], sources[name] = value, source
    settings = ServerSettings(**{name: _convert_value(name, value, sources[name]) for name, value in values.items()})
    settings.parse_allowed_origins()
    settings.parse_trusted_networks()
    settings.load_time_zone()
    settings.resolve_pages_directory()
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("tls_cert and tls_key: set both or neither")
    return settings, sources


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.expanduser().open("rb") as stream:
            return tomllib.loads(stream.read(_MAX_FILE_SIZE).decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RuntimeError) as error:  # invalid TOML, encoding or path; too deep nesting; unknown user of ~
        raise ConfigError(f"{path}: {error}") from None


def _read_environment(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"environment {setting.variable}", {name: _split_list(value) if setting.is_list else value})
        for name, setting in SETTINGS.items()
        if (value := environ.get(setting.variable)) is not None
        and not (name == "port" and _SERVICE_ADDRESS_PATTERN.fullmatch(value))
    ]


def find_ignored_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a warning for each environment variable with the prefix `CHAT_` that has no effect.

    These variables are no settings, or belong to a Kubernetes service named "chat"; such a service results in one
    warning for all its variables. Unknown names are sorted; without ignored variables, the list is empty.
    """
    variables = [setting.variable for setting in SETTINGS.values()]
    unknown = [name for name in sorted(environ) if name.startswith("CHAT_") and name not in variables]
    warnings: list[str] = []
    port = environ.get("CHAT_PORT", "")
    if _SERVICE_ADDRESS_PATTERN.fullmatch(port):
        unknown = [name for name in unknown if not _SERVICE_VARIABLE_PATTERN.fullmatch(name)]
        warnings.append(f"CHAT_PORT={port!r} is the address of a service, not a port; ignored, use --port")
    return warnings + [f"unknown environment variable {name}; {suggest(name, variables)}" for name in unknown]


def _split_list(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _convert_value(name: str, value: Any, source: str) -> Any:
    setting = SETTINGS[name]
    try:
        converted = msgspec.convert(value, setting.type, strict=not isinstance(value, str))
        if isinstance(converted, str):
            _check_text(converted)
        if name == "database" and converted.startswith((":memory:", "file:", "sqlite:")) and "://" not in converted:
            raise ValueError("expected a file or a URL of the form sqlite:///chat.db; a server always needs a file")
        return _resolve_path(converted) if setting.is_path else converted
    except msgspec.ValidationError as error:
        expected = re.split(r", got| [<>]=", str(error).replace("`", ""))[0].lower()
        if setting.limits is not None:
            expected = f"expected {get_args(setting.type)[0].__name__} from {{:.10g}} to {{:.10g}}".format(
                *setting.limits
            )
        raise ConfigError(f"{source}: invalid value {value!r} for {name} ({expected})") from None
    except (ValueError, RuntimeError) as error:  # RuntimeError: unknown user of ~
        raise ConfigError(f"{source}: invalid value {value!r} for {name} ({error})") from None


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("expected text in UTF-8 without NUL")


def _resolve_path(text: str) -> str:
    # Symbolic links stay, because a certificate renewal may replace their target.
    return text if not text or "://" in text else os.path.abspath(Path(text).expanduser())  # noqa: PTH100


def _parse_network(text: str) -> IPNetwork:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ConfigError(
            f"trusted_proxy: {text!r} is neither an address nor a network; use the form 127.0.0.1 or 10.0.0.0/8"
        ) from None
    if "/" in text and str(network.network_address) != str(ip_interface(text).ip):
        raise ConfigError(f"trusted_proxy: {text!r} has host bits set; did you mean {network}?")
    return network


def _parse_origin(text: str) -> str:
    if text == "*":
        raise ConfigError("cors_origin: '*' would allow every website; list the origins")
    origin = normalize_origin(text)
    if origin is None:
        raise ConfigError(
            f"cors_origin: {text!r} is not an origin; use the form http://localhost:5500, capacitor://localhost or file://"
        )
    return origin
