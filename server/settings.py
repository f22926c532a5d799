"""Server settings and their sources.

- Precedence: command line, environment, settings file, default.
- Validation: values of all sources are checked against the type of the field.
"""

import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
import platformdirs
from msgspec import Meta, Struct

ENVIRONMENT_PREFIX = "CHAT_"

PositiveFloat = Annotated[float, Meta(gt=0)]
IPNetwork = IPv4Network | IPv6Network


class ConfigError(Exception):
    """Invalid setting or unreadable source; the message is one line for the operator."""


class ServerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the server.

    Attributes:
        host: Listen address; 0.0.0.0 listens on all interfaces.
        port: Listen port; 0 selects a free port.
        database: Path of the SQLite file, or a database URL; empty selects a file in the user data directory.
        pages: Directory of static files served at / instead of the built-in page.
        cors_origin: Additional origins whose pages may connect (RFC 6454).
        trusted_proxy: Networks of reverse proxies with trusted X-Forwarded-* headers.
        log_format: `text` or `json`, one line per record.
        log_level: Minimum severity of logged records.
        tls_cert: Path of the certificate chain (PEM); enables TLS and disables plain HTTP.
        tls_key: Path of the private key (PEM).
        rate_limit: `off` disables all rate limits, for trusted networks and benchmarks.
        message_burst: Maximum number of messages in a burst, per connection.
        message_rate: Maximum sustained number of messages per second, per connection.
        join_rate: Maximum number of joins and nickname changes per second, per connection.
        flood_timeout: Seconds of continuous throttling of requests without an ack, before the connection is aborted.
        time_zone: IANA time zone for times sent to basic clients; empty selects the system time zone.
        connections_per_address: Maximum number of open connections per address; loopback is exempt.
        connects_per_minute: Maximum number of new connections per minute and address; loopback is exempt.
        rooms_per_minute: Maximum number of room creations, renames and removals per minute and address; loopback is
            exempt.
        drain: Seconds between a failing `/ready` and the shutdown; a second signal ends the delay.
        ping_interval: Seconds between pings of a connection.
        ping_timeout: Seconds until a missing pong ends the connection.
        connect_timeout: Seconds for the first HTTP request of a connection, and for the CONNECT packet of a session.
        max_unsent_bytes: Maximum number of bytes in a send queue; the connection is aborted above this limit.
        stall_timeout: Seconds without progress of a non-empty send queue, before the connection is aborted.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 3000
    database: str = ""
    pages: str = ""
    cors_origin: tuple[str, ...] = ()
    trusted_proxy: tuple[str, ...] = ()
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    tls_cert: str = ""
    tls_key: str = ""
    rate_limit: Literal["on", "off"] = "on"
    message_burst: PositiveFloat = 10.0
    message_rate: PositiveFloat = 3.0
    join_rate: PositiveFloat = 5.0
    flood_timeout: PositiveFloat = 30.0
    time_zone: str = ""
    connections_per_address: Annotated[int, Meta(ge=1)] = 20
    connects_per_minute: Annotated[int, Meta(ge=1)] = 64
    rooms_per_minute: Annotated[int, Meta(ge=1)] = 30
    drain: Annotated[float, Meta(ge=0)] = 0.0
    ping_interval: PositiveFloat = 25.0
    ping_timeout: PositiveFloat = 20.0
    connect_timeout: PositiveFloat = 10.0
    max_unsent_bytes: Annotated[int, Meta(ge=65536)] = 1024 * 1024
    stall_timeout: PositiveFloat = 10.0

    def resolve_database(self) -> str:
        """Return the configured database, or the path of the default file in the user data directory.

        The file may not exist yet.
        """
        return self.database or str(platformdirs.user_data_path("tui-chat", appauthor=False) / "chat.db")

    def resolve_pages_directory(self) -> Path | None:
        """Return the directory of `pages`, or None for the built-in page.

        A leading `~` is expanded; an index file is not required.

        Raises:
            ConfigError: The path does not exist or is not a directory.
        """
        if not self.pages:
            return None
        directory = Path(self.pages).expanduser()
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
        """Return the origins of `cors_origin` in their serialized form (RFC 6454, section 6.2).

        Default ports, a final slash and upper case in the host are removed.

        Raises:
            ConfigError: A value is neither an HTTP(S) origin nor `null`; `*` is invalid too.
        """
        return tuple(map(_normalize_origin, self.cors_origin))

    def parse_trusted_networks(self) -> tuple[IPNetwork, ...]:
        """Return the networks of `trusted_proxy`.

        An address without a prefix length is a network of one address.

        Raises:
            ConfigError: A value is not an IP network, or has host bits set.
        """
        try:
            return tuple(ip_network(network) for network in self.trusted_proxy)
        except ValueError as error:
            raise ConfigError(f"trusted_proxy: {error}") from None


class ResolvedSettings(Struct, frozen=True):
    """Effective settings with the source of each value.

    Attributes:
        settings: Effective settings.
        sources: Human-readable source per setting: `default`, the file path, `environment …` or `command line`.
    """

    settings: ServerSettings
    sources: dict[str, str]


def resolve_settings(
    options: Mapping[str, Any], environ: Mapping[str, str], config_file: Path | None
) -> ResolvedSettings:
    """Merge all sources into validated settings.

    A source replaces the whole value of a source with lower precedence, also for lists. Values of all sources are
    validated, even replaced ones; unknown environment variables are ignored. Certificate files are not read.

    Args:
        options: Command line options, keyed by setting.
        environ: Environment; only variables with the prefix `CHAT_` are read. Commas separate list items.
        config_file: TOML file with one key per setting, or None.

    Raises:
        ConfigError: A source is unreadable, contains an unknown key or an invalid value, or only one TLS path is set.
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(ServerSettings.__struct_fields__, "default")
    for source, source_values in (
        *([(str(config_file), _read_file(config_file))] if config_file is not None else []),
        *_read_environment(environ),
        ("command line", dict(options)),
    ):
        for name, value in source_values.items():
            values[name] = _convert_value(name, value, source)
            sources[name] = source
    settings = ServerSettings(**values)
    settings.parse_allowed_origins()
    settings.parse_trusted_networks()
    settings.load_time_zone()
    settings.resolve_pages_directory()
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("tls_cert and tls_key: set both or neither")
    return ResolvedSettings(settings, sources)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _read_environment(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    sources: list[tuple[str, dict[str, Any]]] = []
    for name in ServerSettings.__struct_fields__:
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environ:
            value = environ[variable]
            is_list = _FIELD_TYPES[name] == tuple[str, ...]
            items = [part.strip() for part in value.split(",") if part.strip()]
            sources.append((f"environment {variable}", {name: items if is_list else value}))
    return sources


def _convert_value(name: str, value: Any, source: str) -> Any:
    if name not in _FIELD_TYPES:
        valid_names = ", ".join(ServerSettings.__struct_fields__)
        raise ConfigError(f"{source}: unknown setting {name!r}; valid settings are {valid_names}")
    try:
        return msgspec.convert(value, _FIELD_TYPES[name], strict=not isinstance(value, str))
    except msgspec.ValidationError as error:
        expected = str(error).split(", got")[0].replace("`", "").lower()
        raise ConfigError(f"{source}: invalid value {value!r} for {name} ({expected})") from None


def _normalize_origin(origin: str) -> str:
    if origin == "*":
        raise ConfigError("cors_origin: '*' would allow every website; list the origins")
    if origin == "null":
        return origin
    parts = urlsplit(origin)
    try:
        port = parts.port
    except ValueError:
        port = 0
    has_extra_parts = parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0 or has_extra_parts:
        raise ConfigError(f"cors_origin: {origin!r} is not an origin; use the form http://localhost:5500")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}")


_DEFAULT_PORTS = {"http": 80, "https": 443}
_FIELD_TYPES = {field.name: field.type for field in msgspec.structs.fields(ServerSettings)}
