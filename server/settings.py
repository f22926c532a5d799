"""What the operator can set, and where each value came from.

A flag beats the environment, the environment beats the file, the file beats
the default. Every source is checked in the same way, by the type of the field.
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
    """A setting cannot be used; the message is one line that names it and its source."""


class ServerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set.

    Attributes:
        host: Address to listen on; 0.0.0.0 for everybody on the network.
        port: TCP port; 0 takes a free one.
        database: File of the database, or its URL; by default in the user's data directory.
        pages: Folder of your own pages to serve at / in place of the built-in page.
        cors_origin: Origins besides the server's own whose pages may connect.
        trusted_proxy: Networks of reverse proxies whose X-Forwarded-* headers are believed.
        log_format: `text` for people, `json` for programs, one line each.
        log_level: The least severity that is logged.
        tls_cert: Certificate chain in PEM form; with it the server speaks TLS alone.
        tls_key: Its private key.
        rate_limit: `off` for trusted networks and benchmarks.
        message_burst: Messages that one connection may send at once.
        message_rate: Messages a second that it may send in the long run.
        join_rate: Joins and new nicknames a second of one connection.
        flood_timeout: Seconds for which a client that asks for no answers is slowed to these rates before it is cut.
        time_zone: IANA name of the zone in which plain clients are told times of day; by default the machine's own.
        connections_per_address: Connections that one address may hold; loopback is exempt.
        connects_per_minute: Connections that one address may open a minute; loopback is exempt.
        rooms_per_minute: Rooms that one address may make, rename and remove a minute; loopback is exempt.
        drain: Seconds before a stop in which `/ready` says no and all else goes on; told again to stop, it stops.
        ping_interval: Seconds between two pings of a connection.
        ping_timeout: Seconds that a client has to answer one.
        connect_timeout: Seconds that a connection has to say what it wants.
        unsent_bytes: Bytes that a connection may be behind; past it the reader is cut.
        stall_timeout: Seconds without reading anything after which a reader is cut.
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
    unsent_bytes: Annotated[int, Meta(ge=65536)] = 1024 * 1024
    stall_timeout: PositiveFloat = 10.0

    def database_target(self) -> str:
        """The database to open: what was set, or the file in the user's data directory."""
        return self.database or str(platformdirs.user_data_path("tui-chat", appauthor=False) / "chat.db")

    def pages_directory(self) -> Path | None:
        """The folder of `pages`; None for the built-in page.

        Raises:
            ConfigError: It is not there, or is none.
        """
        if not self.pages:
            return None
        directory = Path(self.pages).expanduser()
        if not directory.is_dir():
            raise ConfigError(
                f"pages: {directory} is not a folder" if directory.exists() else f"pages: there is no {directory}"
            )
        return directory

    def zone_info(self) -> ZoneInfo | None:
        """The zone of `time_zone`; None for the machine's own.

        Raises:
            ConfigError: There is none of this name.
        """
        if not self.time_zone:
            return None
        try:
            return ZoneInfo(self.time_zone)
        except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError; a folder's name is an OSError
            raise ConfigError(f"time_zone: there is no zone {self.time_zone!r}; try one like Asia/Shanghai") from None

    def allowed_origins(self) -> tuple[str, ...]:
        """The origins of `cors_origin` as browsers write them (RFC 6454, section 6.2).

        Raises:
            ConfigError: One is none.
        """
        return tuple(map(_normalize_origin, self.cors_origin))

    def trusted_networks(self) -> tuple[IPNetwork, ...]:
        """The networks of `trusted_proxy`.

        Raises:
            ConfigError: One is no network.
        """
        try:
            return tuple(ip_network(network) for network in self.trusted_proxy)
        except ValueError as error:
            raise ConfigError(f"trusted_proxy: {error}") from None


class ResolvedSettings(Struct, frozen=True):
    """Settings, and for each field the words that say where it came from."""

    settings: ServerSettings
    sources: dict[str, str]


def resolve_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str], config_file: Path | None
) -> ResolvedSettings:
    """Put the sources together.

    Args:
        flags: What was given on the command line, by field.
        environ: The environment; `CHAT_PORT` sets `port`, lists are separated by commas.
        file: A TOML file with a key for each field, or None.

    Raises:
        ConfigError: A source cannot be read, or holds something that cannot be used.
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(ServerSettings.__struct_fields__, "default")
    for source, source_values in (
        *([(str(config_file), _read_file(config_file))] if config_file is not None else []),
        *_read_environment(environ),
        ("command line", dict(flags)),
    ):
        for name, value in source_values.items():
            values[name] = _convert_value(name, value, source)
            sources[name] = source
    settings = ServerSettings(**values)
    settings.allowed_origins()
    settings.trusted_networks()
    settings.zone_info()
    settings.pages_directory()
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("tls_cert and tls_key go together")
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
        raise ConfigError(f"{source}: there is no setting {name!r}; there are {valid_names}")
    try:
        return msgspec.convert(value, _FIELD_TYPES[name], strict=not isinstance(value, str))
    except msgspec.ValidationError as error:
        expected = str(error).split(", got")[0].replace("`", "").lower()
        raise ConfigError(f"{source}: {name} cannot be {value!r} ({expected})") from None


def _normalize_origin(origin: str) -> str:
    if origin == "*":
        raise ConfigError("cors_origin: '*' would let every page that anybody here visits read along; name the origins")
    if origin == "null":
        return origin
    parts = urlsplit(origin)
    try:
        port = parts.port
    except ValueError:
        port = 0
    has_extra_parts = parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0 or has_extra_parts:
        raise ConfigError(f"cors_origin: {origin!r} is no origin; one is written like http://localhost:5500")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}")


_DEFAULT_PORTS = {"http": 80, "https": 443}
_FIELD_TYPES = {field.name: field.type for field in msgspec.structs.fields(ServerSettings)}
