"""Puts the server together, runs it, and takes it apart in order."""

import asyncio
import logging
import secrets
import ssl
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from aiohttp import web

from server.config import Settings
from server.domain.addresses import AddressGate, AddressRate
from server.domain.guests import Guests
from server.domain.rates import Rate
from server.domain.rooms import Lobby
from server.gateway.commands import Clock, Commands
from server.gateway.connection import Connection
from server.gateway.dialects.dialect import Surroundings
from server.gateway.dialects.table import all_dialects
from server.gateway.engine.endpoint import Engine
from server.gateway.fanout import Fanout
from server.gateway.gateway import ChatGateway
from server.gateway.limits import RequestLimits, RequestRates
from server.gateway.options import EngineOptions
from server.loop_lag import LoopLag
from server.storage.database import Database, open_database
from server.web.files import INDEX
from server.web.metrics import Snapshot, add_metrics
from server.web.rebinding import own_names_only
from server.web.routes import add_routes
from server.web.silence import SilentConnections

log = logging.getLogger("chat.server")

RECONNECT_AFTER = 1.0
"""Seconds after which clients are asked to come back when the server stops as planned."""


KEEP_ALIVE = 150.0
"""Seconds for which a connection may wait for its next request: longer than proxies keep theirs (nginx 60, Caddy
120), so that it is they who close, and far shorter than the hour that aiohttp would wait."""


class ServerError(Exception):
    """The server cannot start; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes connections.

    Attributes:
        url: Where, as a client on this machine names it.
        port: The TCP port, also when a free one was asked for.
        retire: From now on `/ready` says no, so that a load balancer sends people elsewhere; all else goes on.
    """

    url: str
    port: int
    retire: Callable[[], None]


class _SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> int:
        return time.time_ns() // 1_000_000


@asynccontextmanager
async def serve(settings: Settings, clock: Clock | None = None) -> AsyncGenerator[Running]:
    """A server for as long as the context lasts.

    Args:
        settings: Where it listens, and all the rest.
        clock: The time, None for this computer's.

    On leaving it takes no more clients and is not `/ready`, says `goingAway`, writes
    what it has taken, closes every connection and then the port and the database.

    Raises:
        ServerError: The port is taken or the certificate cannot be used.
        server.storage.database.StorageError: The database cannot be used.
    """
    tls = _tls(settings)
    clock = clock or _SystemClock()
    database = await open_database(settings.database_target(), clock=clock.now)
    try:
        guests = Guests(await database.secret("guests"), secrets.token_bytes)
        limits_on = settings.rate_limit == "on"
        gateway = _gateway(settings, database, guests, clock)
        gate = AddressGate(settings.connections_per_address, settings.connects_per_minute) if limits_on else None
        engine = Engine(gateway, _engine_options(settings), gate)
        silent = SilentConnections(settings.connect_timeout)
        names = own_names_only(settings.trusted_networks(), settings.origins())
        app = web.Application(middlewares=(silent.heard, names))

        retired = asyncio.Event()

        async def ready() -> str | None:
            return "the server is stopping" if retired.is_set() or gateway.stopping else await database.healthy()

        pages = settings.pages_folder()
        if pages is not None and not (pages / INDEX).is_file():
            log.warning("there is no %s in %s: / will answer 404", INDEX, pages)
        add_routes(app, ready=ready, version=version("tui-chat"), pages=pages)
        engine.mount(app)
        lag = LoopLag()
        add_metrics(app, lambda: _snapshot(engine, gateway, database, lag), settings.trusted_networks())
        runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=1.0, keepalive_timeout=KEEP_ALIVE
        )
        await runner.setup()
        assert runner.server is not None
        silent.start(runner.server)
        engine.start()
        lag.start()
        try:
            yield await _listen(runner, settings, tls, retired.set)
        finally:
            gateway.say_goodbye(RECONNECT_AFTER)
            await database.journal.close()
            await engine.stop()  # who polls comes for its goodbye over a new connection, so the port closes after it
            for site in list(runner.sites):
                await site.stop()
            gateway.close()
            lag.stop()
            silent.stop()
            await runner.cleanup()
    finally:
        await database.close()


def _snapshot(engine: Engine, gateway: ChatGateway, database: Database, lag: LoopLag) -> Snapshot:
    rooms, members = gateway.present()
    return Snapshot(
        connections=engine.connections(),
        rooms=rooms,
        members=members,
        cuts=engine.cuts(),
        entries=gateway.published,
        waiting=database.journal.waiting,
        lag_buckets=lag.buckets(),
        lag_sum=lag.total,
    )


def _gateway(settings: Settings, database: Database, guests: Guests, clock: Clock) -> ChatGateway:
    lobby = Lobby[Connection]()
    dialects = all_dialects(Surroundings(lobby, settings.zone()))
    fanout = Fanout({dialect.name: dialect for dialect in dialects})
    room_writes = AddressRate(settings.rooms_per_minute) if settings.rate_limit == "on" else None
    commands = Commands(database, guests, clock, lobby, fanout, room_writes=room_writes)
    limits = _request_limits(settings)
    return ChatGateway(
        dialects,
        commands,
        lobby,
        limits,
        clock=clock,
        new_sid=secrets.token_urlsafe,
        flood_patience=settings.flood_patience,
    )


def _request_limits(settings: Settings) -> RequestLimits:
    rates = RequestRates(
        messages=Rate(settings.message_burst, settings.message_rate),
        joins=Rate(max(settings.join_rate, 1.0), settings.join_rate),
    )
    return RequestLimits(rates, enabled=settings.rate_limit == "on")


def _engine_options(settings: Settings) -> EngineOptions:
    return EngineOptions(
        ping_interval=settings.ping_interval,
        ping_timeout=settings.ping_timeout,
        connect_timeout=settings.connect_timeout,
        unsent_bytes=settings.unsent_bytes,
        stall_timeout=settings.stall_timeout,
        cors_origins=settings.origins(),
        trusted_proxies=settings.trusted_networks(),
    )


async def _listen(
    runner: web.AppRunner, settings: Settings, tls: ssl.SSLContext | None, retire: Callable[[], None]
) -> Running:
    site = web.TCPSite(runner, settings.host, settings.port, ssl_context=tls, backlog=1024)
    try:
        await site.start()
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise ServerError(f"cannot listen on {settings.host} port {settings.port}: {reason}") from fault
    port: int = runner.addresses[0][1]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return Running(f"{'https' if tls else 'http'}://{host}:{port}", port, retire)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls_cert:
        return None
    for file in (settings.tls_cert, settings.tls_key):
        try:
            Path(file).read_bytes()
        except OSError as fault:
            raise ServerError(f"{file}: {fault.strerror or fault}") from fault
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except ssl.SSLError as fault:
        raise ServerError(f"{settings.tls_cert}: not a certificate with its key ({fault.reason})") from fault
    return context
