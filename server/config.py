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

Positive = Annotated[float, Meta(gt=0)]
Network = IPv4Network | IPv6Network


class ConfigError(Exception):
    """A setting cannot be used; the message is one line that names it and its source."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
        flood_patience: Seconds for which a client that asks for no answers is slowed to these rates before it is cut.
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
    message_burst: Positive = 10.0
    message_rate: Positive = 3.0
    join_rate: Positive = 5.0
    flood_patience: Positive = 30.0
    time_zone: str = ""
    connections_per_address: Annotated[int, Meta(ge=1)] = 20
    connects_per_minute: Annotated[int, Meta(ge=1)] = 64
    rooms_per_minute: Annotated[int, Meta(ge=1)] = 30
    drain: Annotated[float, Meta(ge=0)] = 0.0
    ping_interval: Positive = 25.0
    ping_timeout: Positive = 20.0
    connect_timeout: Positive = 10.0
    unsent_bytes: Annotated[int, Meta(ge=65536)] = 1024 * 1024
    stall_timeout: Positive = 10.0

    def database_target(self) -> str:
        """The database to open: what was set, or the file in the user's data directory."""
        return self.database or str(platformdirs.user_data_path("tui-chat", appauthor=False) / "chat.db")

    def pages_folder(self) -> Path | None:
        """The folder of `pages`; None for the built-in page.

        Raises:
            ConfigError: It is not there, or is none.
        """
        if not self.pages:
            return None
        folder = Path(self.pages).expanduser()
        if not folder.is_dir():
            raise ConfigError(f"pages: {folder} is not a folder" if folder.exists() else f"pages: there is no {folder}")
        return folder

    def zone(self) -> ZoneInfo | None:
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

    def origins(self) -> tuple[str, ...]:
        """The origins of `cors_origin` as browsers write them (RFC 6454, section 6.2).

        Raises:
            ConfigError: One is none.
        """
        return tuple(map(_origin, self.cors_origin))

    def trusted_networks(self) -> tuple[Network, ...]:
        """The networks of `trusted_proxy`.

        Raises:
            ConfigError: One is no network.
        """
        try:
            return tuple(ip_network(network) for network in self.trusted_proxy)
        except ValueError as fault:
            raise ConfigError(f"trusted_proxy: {fault}") from None


class Resolved(Struct, frozen=True):
    """Settings, and for each field the words that say where it came from."""

    settings: Settings
    sources: dict[str, str]


def resolve(flags: Mapping[str, Any], environ: Mapping[str, str], file: Path | None) -> Resolved:
    """Put the sources together.

    Args:
        flags: What was given on the command line, by field.
        environ: The environment; `CHAT_PORT` sets `port`, lists are separated by commas.
        file: A TOML file with a key for each field, or None.

    Raises:
        ConfigError: A source cannot be read, or holds something that cannot be used.
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.__struct_fields__, "default")
    for source, found in (
        *([(str(file), _from_file(file))] if file is not None else []),
        *_from_environment(environ),
        ("command line", dict(flags)),
    ):
        for name, value in found.items():
            values[name] = _checked(name, value, source)
            sources[name] = source
    settings = Settings(**values)
    settings.origins()
    settings.trusted_networks()
    settings.zone()
    settings.pages_folder()
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise ConfigError("tls_cert and tls_key go together")
    return Resolved(settings, sources)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except OSError as fault:
        raise ConfigError(f"{file}: {fault.strerror or fault}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file}: {fault}") from None


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for name in Settings.__struct_fields__:
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environ:
            value = environ[variable]
            is_list = _TYPES[name] == tuple[str, ...]
            parts = [part.strip() for part in value.split(",") if part.strip()]
            found.append((f"environment {variable}", {name: parts if is_list else value}))
    return found


def _checked(name: str, value: Any, source: str) -> Any:
    if name not in _TYPES:
        known = ", ".join(Settings.__struct_fields__)
        raise ConfigError(f"{source}: there is no setting {name!r}; there are {known}")
    try:
        return msgspec.convert(value, _TYPES[name], strict=not isinstance(value, str))
    except msgspec.ValidationError as fault:
        wanted = str(fault).split(", got")[0].replace("`", "").lower()
        raise ConfigError(f"{source}: {name} cannot be {value!r} ({wanted})") from None


def _origin(given: str) -> str:
    if given == "*":
        raise ConfigError("cors_origin: '*' would let every page that anybody here visits read along; name the origins")
    if given == "null":
        return given
    parts = urlsplit(given)
    try:
        port = parts.port
    except ValueError:
        port = 0
    beyond = parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or beyond:
        raise ConfigError(f"cors_origin: {given!r} is no origin; one is written like http://localhost:5500")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in {None, _PORTS[parts.scheme]} else f":{port}")


_PORTS = {"http": 80, "https": 443}
_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}
