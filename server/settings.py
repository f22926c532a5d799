"""Declaration of the server settings; `make docs` writes the table of docs/operating.md.

`SETTINGS` describes each field of `ServerSettings` for all sources (`server.settings_sources`), `--help` and the docs.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
import platformdirs

from server.origins import normalize_origin

IPNetwork = IPv4Network | IPv6Network

SWITCHED_ON = "on"
"""Value of a switch whose option has no value."""


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
        limits: Minimum and maximum of a number.
    """
    minimum, maximum = limits or (None, None)
    extra = {"unit": unit, "default": default, "is_path": is_path}
    return msgspec.Meta(description=description, extra=extra, ge=minimum, le=maximum)


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Server settings; the constructor does not validate them (`server.settings_sources.resolve_settings`)."""

    host: Annotated[
        str, _setting("Listen address; 0.0.0.0 for all IPv4 interfaces, an empty value for all IPv4 and IPv6 ones")
    ] = "127.0.0.1"
    port: Annotated[int, _setting("Listen port; 0 selects a free port", limits=(0, 65535))] = 3000
    database: Annotated[
        str, _setting("SQLite file or database URL", default="file in the user data directory", is_path=True)
    ] = ""
    bus: Annotated[
        str,
        _setting(
            "Connection to other servers of the database: local for none, postgres, or a Redis URL",
            default="postgres for a PostgreSQL database, otherwise local",
        ),
    ] = ""
    uploads: Annotated[
        str,
        _setting(
            "Directory or object store URL of uploaded files", default="directory beside the database", is_path=True
        ),
    ] = ""
    upload_max_bytes: Annotated[
        int, _setting("Maximum size of an uploaded file; 0 for no uploads", unit="bytes", limits=(0, 2**40))
    ] = 26214400
    upload_daily_bytes: Annotated[
        int,
        _setting(
            "Maximum uploads within a day per account or guest address; 0 for no limit", unit="bytes", limits=(0, 2**50)
        ),
    ] = 262144000
    upload_total_bytes: Annotated[
        int, _setting("Maximum size of all uploaded files; 0 for no limit", unit="bytes", limits=(0, 2**50))
    ] = 10737418240
    upload_min_free_bytes: Annotated[
        int, _setting("Minimum free disk space; below it, uploads are rejected", unit="bytes", limits=(0, 2**50))
    ] = 1073741824
    pages: Annotated[str, _setting("Directory of static files for /", default="built-in page", is_path=True)] = ""
    pages_fallback: Annotated[
        str, _setting("File in --pages for unknown paths, for applications with client-side routes")
    ] = ""
    conversations: Annotated[Literal["off", "on"], _setting("Conversation dialect with its HTTP endpoints")] = "off"
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
    registration: Annotated[Literal["invite", "open", "closed"], _setting("Registration of accounts")] = "invite"
    guests: Annotated[Literal["on", "off"], _setting("Connections without an account")] = "on"
    insecure_login: Annotated[Literal["off", "on"], _setting("Passwords over plain HTTP from other machines")] = "off"
    rooms: Annotated[Literal["open", "accounts", "admins"], _setting("Users who may create rooms, also by joining")] = (
        "open"
    )
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
        int, _setting("Maximum send queue per connection, at least 1 MiB", unit="bytes", limits=(2**20, 2**30))
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
        return _hide_password(self.resolve_database())

    def describe_bus(self) -> str:
        """Return `resolve_bus` with `…` in place of the password of a URL; raises as `resolve_bus`."""
        return _hide_password(self.resolve_bus())

    def resolve_bus(self) -> str:
        """Return `local`, `postgres`, or the URL of a Redis or Valkey server.

        Raises:
            ConfigError: The value is invalid, or the database supports one server only.
        """
        has_database_server = self.resolve_database().startswith(("postgresql://", "postgres://"))
        if not self.bus:
            return "postgres" if has_database_server else "local"
        if self.bus != "local":
            if self.bus != "postgres" and not _is_redis_url(self.bus):
                bus = _hide_password(self.bus)
                raise ConfigError(f"bus: {bus!r} is not supported; use local, postgres or redis://HOST:6379/0")
            if not has_database_server:
                raise ConfigError("bus: a SQLite database has one server; use local, or a PostgreSQL database")
        return self.bus

    def resolve_uploads(self) -> str:
        """Return the configured location of uploads, or the path of the default directory.

        The default is the path of a SQLite file with the suffix `.uploads`, such as `chat.db.uploads`, or `uploads` in
        the user data directory for a database server.
        """
        if self.uploads:
            return self.uploads
        target = self.resolve_database()
        if "://" not in target:
            return f"{target}.uploads"
        url = urlsplit(target)
        if url.scheme.startswith("sqlite"):
            return f"{Path(url.path[1:]).expanduser()}.uploads"
        return str(platformdirs.user_data_path("tui-chat", appauthor=False) / "uploads")

    def resolve_pages_directory(self) -> Path | None:
        """Return the directory of `pages`, or None for the built-in page.

        An index file is not required.

        Raises:
            ConfigError: The path does not exist, is not a directory or cannot be read; or the fallback page does not
                exist, or is set without `pages`.
        """
        if not self.pages:
            if self.pages_fallback:
                raise ConfigError("pages_fallback: requires pages")
            return None
        directory = Path(self.pages)
        try:
            if not directory.is_dir():
                problem = "is not a directory" if directory.exists() else "does not exist"
                raise ConfigError(f"pages: {directory} {problem}")
            if self.pages_fallback and not (directory / self.pages_fallback).is_file():
                raise ConfigError(f"pages_fallback: {self.pages_fallback} does not exist in {directory}")
        except OSError as error:  # no permission, or a path that is too long
            raise ConfigError(f"pages: {error.filename}: {error.strerror}") from None
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
            ConfigError: A value is not an origin; `*` is invalid too.
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
        type: Annotated type for validation.
        default_text: Default for the operator.
        unit: Unit of the value, empty for none.
        help: Sentence about the value, with the choices.
        flag: Command line option.
        variable: Environment variable; commas separate the items of a list.
        is_list: The value is a list of strings.
        is_path: The value is a path.
        is_switch: The values are `on` and `off`, which is the default.
        limits: Minimum and maximum of a number; None for other types.
    """

    type: Any
    default_text: str
    unit: str
    help: str
    flag: str
    variable: str
    is_list: bool
    is_path: bool
    is_switch: bool
    limits: tuple[float, float] | None


def _describe_setting(field: msgspec.structs.FieldInfo) -> ServerSetting:
    """Return the description of a field of `ServerSettings`, from its type, default and metadata."""
    value_type, metadata = get_args(field.type)
    extra: dict[str, Any] = metadata.extra
    default_text = (
        f"{field.default:g}"
        if isinstance(field.default, float)
        else str(field.default if isinstance(field.default, int) else field.default or extra["default"])
    )
    choices = ", ".join(get_args(value_type)) if get_origin(value_type) is Literal else ""
    return ServerSetting(
        field.type,
        default_text,
        extra["unit"],
        f"{metadata.description}{choices and f': {choices}'}.",
        flag=f"--{field.name.replace('_', '-')}",
        variable=f"CHAT_{field.name.upper()}",
        is_list=isinstance(field.default, tuple),
        is_path=extra["is_path"],
        is_switch=get_origin(value_type) is Literal and get_args(value_type) == ("off", SWITCHED_ON),
        limits=(metadata.ge, metadata.le) if metadata.ge is not None else None,
    )


SETTINGS = {field.name: _describe_setting(field) for field in msgspec.structs.fields(ServerSettings)}
"""All settings by name, in display order."""


def render_markdown() -> str:
    """Return the settings table of docs/operating.md."""
    return "| option | environment variable | default | unit | description |\n|---|---|---|---|---|\n" + "".join(
        f"| `{setting.flag}` | `{setting.variable}` | {setting.default_text} | {setting.unit} | {setting.help} |\n"
        for setting in SETTINGS.values()
    )


def _is_redis_url(text: str) -> bool:
    """Return whether a text is a URL of the Redis driver; only its scheme and port are checked."""
    try:
        port = urlsplit(text).port
    except ValueError:
        return False
    return port != 0 and text.startswith(("redis://", "rediss://", "unix://"))


def _hide_password(url: str) -> str:
    """Return a URL with `…` in place of its password, even in the query; any other text stays unchanged."""
    return re.sub(r"([?&]password=)[^&]*", r"\1…", re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", url))


def _parse_network(text: str) -> IPNetwork:
    """Return the network of an item of `trusted_proxy`; an address is a network of one address.

    A network has a prefix length or an IPv4 netmask. Spaces around the item are invalid.

    Raises:
        ConfigError: The item is not an address or a network, or has host bits set, such as `10.0.0.1/8`.
    """
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
    """Return the canonical form of an item of `cors_origin`.

    Raises:
        ConfigError: The item is not an origin, or is `*`.
    """
    if text == "*":
        raise ConfigError("cors_origin: '*' would allow every website; list the origins")
    origin = normalize_origin(text)
    if origin is None:
        raise ConfigError(
            f"cors_origin: {text!r} is not an origin; use the form http://localhost:5500, capacitor://localhost or file://"
        )
    return origin
