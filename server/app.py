"""Composition root of the server: construction, start and ordered shutdown of all components."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from server.administration import Administration
from server.api_setup import VERSION, run_apis
from server.clock import read_wall_clock
from server.cluster.cluster import Cluster
from server.cluster_setup import run_node
from server.control_socket import ControlHandler
from server.domain.guest_addresses import GuestAddresses
from server.domain.guest_keys import GuestKeys
from server.domain.rate_limits import ConnectionLimiter, PerAddressLimiter, Rate
from server.domain.room_registry import RoomRegistry
from server.domain.search_cursors import SearchCursors
from server.engineio.connection import ClientConnection
from server.engineio.options import PACKET_RATE, EngineIOOptions
from server.engineio.socketio_server import SocketIOServer
from server.forwarded import is_in_networks
from server.gateway.account_lifecycle import run_accounts
from server.gateway.account_service import AccountService
from server.gateway.conversations.views import ViewBuilder
from server.gateway.dialects.conversation import ConversationDialect
from server.gateway.dialects.registry import create_dialects
from server.gateway.dispatcher import Dispatcher
from server.gateway.event_stream import EVENT_STREAM, deliver_to_streams
from server.gateway.fanout import Fanout
from server.gateway.file_lines import FileLines
from server.gateway.handlers import Handlers
from server.gateway.identity import IdentityResolver
from server.gateway.request_limits import DEFAULT_RATES, RequestLimiter
from server.gateway.room_access import RoomAccessControl
from server.listener import StartupError, create_tls_context, describe_address, listen, reload_certificate
from server.observability.loop_lag import LoopLagMonitor
from server.observability.supervision import Supervisor
from server.settings import ServerSettings
from server.storage.database import Database, open_database
from server.storage.node_repository import NodeLoad
from server.uploads.object_store import UploadStore
from server.uploads.upload_service import UploadLimits, UploadService, run_uploads
from server.web.api.authentication import HttpApi
from server.web.api.guard import create_api_guard, create_cors_handler
from server.web.assets import INDEX_FILE
from server.web.host_check import create_host_guard
from server.web.http_connections import HttpConnectionPool
from server.web.metrics import MetricsSnapshot, add_metrics_route
from server.web.request_guard import create_request_guard
from server.web.routes import add_routes

log = logging.getLogger("chat.server")

RECONNECT_AFTER = 1.0
"""Reconnect delay in seconds, sent to clients in `goingAway` at a planned shutdown."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Handle of a server that accepts connections.

    Attributes:
        url: Base URL for clients on the same machine, without a final slash, for example `http://127.0.0.1:3000`; a
            wildcard address is replaced by loopback.
        port: TCP port in use, even for a configured port of 0.
        begin_drain: Callback that makes `/ready` return 503 permanently; existing and new connections are unaffected.
        reload_certificate: Callback that reads the TLS files again, for new connections; raises `StartupError` and
            changes nothing if a file is unusable. None without TLS.
        read_metrics: Callback that returns the current metrics.
        idle_time: Callback that returns the seconds since the last Engine.IO session or event stream ended, or since
            the start if there was none; 0 while one exists.
        account_service: Operations on accounts.
        uploads: Operations on uploaded files.
        control_handlers: Handlers of the administration commands, by name.
    """

    url: str
    port: int
    begin_drain: Callable[[], None]
    reload_certificate: Callable[[], None] | None
    read_metrics: Callable[[], MetricsSnapshot]
    idle_time: Callable[[], float]
    account_service: AccountService
    uploads: UploadService
    control_handlers: Mapping[str, ControlHandler]


@asynccontextmanager
async def serve(
    settings: ServerSettings,
    *,
    now: Callable[[], int] = read_wall_clock,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncGenerator[RunningServer]:
    """Run a server until the context exits.

    The port accepts connections inside the context. Shutdown order: `/ready` fails, further requests and sessions are
    rejected, and clients receive `goingAway`; queued log commands are committed, and sent to the other nodes; sessions
    close, then the listening port, then the database. Clients have 2 seconds to read their queued frames.

    Args:
        settings: Resolved server settings.
        now: Wall clock, as Unix time in milliseconds.
        monotonic: Monotonic clock of the rate limits, in seconds.

    Raises:
        ConfigError: A setting that `resolve_settings` has not checked is invalid.
        StartupError: The address, the port or the location of the uploads is unavailable, a TLS file is unreadable or
            invalid, or other machines with a node cannot read the uploads.
        server.storage.errors.StorageError: The database is unusable.
        tui_chat.protocol.errors.Unavailable: The database failed during the start.
    """
    tls_context = create_tls_context(settings) if settings.tls_cert else None
    supervisor = Supervisor()
    database = await open_database(settings.resolve_database(), clock=now, supervisor=supervisor)
    loop_lag = LoopLagMonitor()
    resources = AsyncExitStack()
    try:
        guest_secret, search_secret, address_secret, upload_secret = await database.load_secrets(
            "guests", "search", "addresses", "uploads"
        )
        guest_keys = GuestKeys(guest_secret)
        account_service = await resources.enter_async_context(
            run_accounts(database, guest_keys.generate_member_id, supervisor, now=now, monotonic=monotonic)
        )
        uploads = await resources.enter_async_context(_run_uploads(settings, database, upload_secret, supervisor, now))
        views = ViewBuilder(account_service.directory, uploads.sign) if settings.conversations == "on" else None
        dispatcher = _build_dispatcher(
            settings,
            database,
            guest_keys,
            account_service,
            uploads=uploads,
            views=views,
            search_cursors=SearchCursors(search_secret),
            guest_addresses=GuestAddresses(
                address_secret, partial(is_in_networks, networks=settings.parse_trusted_networks())
            ),
            now=now,
            monotonic=monotonic,
        )
        await dispatcher.handlers.access_control.load()
        connection_limiter = (
            ConnectionLimiter(settings.connections_per_address, settings.connects_per_minute)
            if settings.rate_limit == "on"
            else None
        )
        socketio_server = SocketIOServer(dispatcher, _build_engine_options(settings), connection_limiter, supervisor)
        connection_pool = HttpConnectionPool(
            settings.connect_timeout,
            settings.connections_per_address if settings.rate_limit == "on" else None,
            settings.parse_trusted_networks(),
        )
        drain_started = asyncio.Event()

        async def check_readiness() -> str | None:
            if drain_started.is_set() or dispatcher.is_stopping:
                return "the server is stopping"
            return supervisor.health_problem() or await database.health_problem()

        apis = await resources.enter_async_context(
            run_apis(
                settings,
                database,
                dispatcher,
                account_service,
                uploads=uploads,
                views=views,
                connection_limiter=connection_limiter,
                supervisor=supervisor,
                monotonic=monotonic,
            )
        )
        cluster = await resources.enter_async_context(
            run_node(
                settings,
                database,
                dispatcher,
                account_service,
                begin_drain=drain_started.set,
                reject_handshakes=socketio_server.engineio_server.reject_handshakes,
                read_load=lambda: NodeLoad(len(socketio_server.engineio_server.sockets), loop_lag.last_lag),
                now=now,
                supervisor=supervisor,
            )
        )
        read_metrics = partial(
            _collect_metrics, socketio_server, dispatcher, database, loop_lag, supervisor, cluster=cluster
        )
        app = _build_app(
            settings,
            socketio_server,
            apis,
            connection_pool,
            check_readiness=check_readiness,
            get_degradation=(lambda: None) if cluster is None else cluster.health_problem,
            read_metrics=read_metrics,
        )
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        assert runner.server is not None
        connection_pool.start()
        socketio_server.engineio_server.start()
        listener: asyncio.Server | None = None
        try:
            listener = await listen(connection_pool.create_factory(runner.server, tls_context), settings)
            yield RunningServer(
                *describe_address(listener, settings),
                drain_started.set,
                None if tls_context is None else partial(reload_certificate, tls_context, settings),
                read_metrics,
                lambda: min(socketio_server.engineio_server.idle_time(), dispatcher.stream_idle_time()),
                account_service,
                uploads,
                Administration(database, account_service, settings.resolve_uploads()).handlers,
            )
        finally:
            dispatcher.announce_shutdown(RECONNECT_AFTER)
            await database.journal.close()
            if cluster is not None:
                await cluster.flush()
            # Polling clients fetch their last packets over new connections, so the port stays open until here.
            await socketio_server.engineio_server.stop()
            if listener is not None:
                listener.close()
            dispatcher.close()
            connection_pool.stop()
            await runner.cleanup()
    finally:
        loop_lag.stop()
        await resources.aclose()
        await database.close()


def _build_app(
    settings: ServerSettings,
    socketio_server: SocketIOServer,
    apis: Iterable[HttpApi],
    connection_pool: HttpConnectionPool,
    *,
    check_readiness: Callable[[], Awaitable[str | None]],
    get_degradation: Callable[[], str | None],
    read_metrics: Callable[[], MetricsSnapshot],
) -> web.Application:
    """Return the application with its middlewares and routes; a missing index file of `pages` is logged."""
    trusted_networks = settings.parse_trusted_networks()
    app = web.Application(
        middlewares=(
            connection_pool.mark_active,
            create_request_guard(
                settings.requests_per_minute if settings.rate_limit == "on" else None,
                trusted_networks,
                socketio_server.engineio_server.is_session_request,
                socketio_server.engineio_server.get_cors_headers,
            ),
            create_host_guard(trusted_networks, settings.parse_allowed_origins()),
            create_api_guard(socketio_server.engineio_server.get_cors_headers),
        )
    )
    app.on_response_prepare.append(create_cors_handler(socketio_server.engineio_server.get_cors_headers))
    pages_directory = settings.resolve_pages_directory()
    if pages_directory is not None and not (pages_directory / INDEX_FILE).is_file():
        log.warning("%s is missing in %s: GET / returns 404", INDEX_FILE, pages_directory)
    add_routes(
        app,
        check_readiness=check_readiness,
        get_degradation=get_degradation,
        version=VERSION,
        trusted_networks=trusted_networks,
        pages_directory=pages_directory,
        pages_fallback=settings.pages_fallback,
    )
    for api in apis:
        api.add_routes(app)
    socketio_server.mount(app)
    add_metrics_route(app, read_metrics, trusted_networks)
    return app


@asynccontextmanager
async def _run_uploads(
    settings: ServerSettings, database: Database, secret: bytes, supervisor: Supervisor, now: Callable[[], int]
) -> AsyncGenerator[UploadService]:
    """Run the upload service within the context; raise `StartupError` for an unusable location."""
    limits = UploadLimits(
        file=settings.upload_max_bytes,
        daily=settings.upload_daily_bytes,
        total=settings.upload_total_bytes,
        min_free=settings.upload_min_free_bytes,
    )
    location = settings.resolve_uploads()
    try:
        store = UploadStore(location)
    except (OSError, ValueError) as error:
        raise StartupError(f"{location}: {getattr(error, 'strerror', None) or error}") from error
    async with run_uploads(
        database.uploads, store, limits, secret, now=now, supervisor=supervisor, permit=database.job_permit
    ) as uploads:
        yield uploads


def _collect_metrics(
    socketio_server: SocketIOServer,
    dispatcher: Dispatcher,
    database: Database,
    loop_lag: LoopLagMonitor,
    supervisor: Supervisor,
    *,
    cluster: Cluster | None,
) -> MetricsSnapshot:
    rooms = dispatcher.handlers.room_registry.rooms
    return MetricsSnapshot(
        connections=len(socketio_server.engineio_server.sockets),
        rooms=len(rooms),
        members=sum(map(dispatcher.handlers.room_registry.count_members, rooms)),
        observers=dispatcher.handlers.room_registry.count_observers(),
        aborts=dict(socketio_server.engineio_server.aborts),
        task_failures=dict(supervisor.failures),
        published_entries=dispatcher.handlers.published_count,
        queue_depth=database.journal.queue_depth,
        lag_buckets=loop_lag.get_cumulative_buckets(),
        lag_sum=loop_lag.total_seconds,
        cluster=None if cluster is None else cluster.read_metrics(),
    )


def _build_dispatcher(
    settings: ServerSettings,
    database: Database,
    guest_keys: GuestKeys,
    account_service: AccountService,
    *,
    uploads: UploadService,
    views: ViewBuilder | None,
    search_cursors: SearchCursors,
    guest_addresses: GuestAddresses,
    now: Callable[[], int],
    monotonic: Callable[[], float],
) -> Dispatcher:
    room_registry = RoomRegistry[ClientConnection](account_service.directory)
    time_zone = settings.load_time_zone()
    optional: list[ConversationDialect] = []
    if views is not None:
        optional = [ConversationDialect(room_registry, repository=database.groups, views=views)]
    dialects = create_dialects(room_registry, time_zone, *optional)
    deliver_by_dialect = {dialect.name: dialect.deliver for dialect in dialects}
    fanout = Fanout({**deliver_by_dialect, EVENT_STREAM: deliver_to_streams}, FileLines(uploads.sign))
    room_write_limiter = PerAddressLimiter(settings.rooms_per_minute) if settings.rate_limit == "on" else None
    access_control = RoomAccessControl(database, room_registry, guest_addresses, now, settings.rooms)
    return Dispatcher(
        dialects,
        Handlers(
            database,
            IdentityResolver(guest_keys, account_service.directory, room_registry),
            account_service,
            room_registry,
            fanout,
            access_control=access_control,
            now=now,
            monotonic=monotonic,
            search_cursors=search_cursors,
            room_write_limiter=room_write_limiter,
            uploads=uploads,
        ),
        account_service.tokens,
        RequestLimiter(
            {
                **DEFAULT_RATES,
                "messages": Rate(settings.message_burst, settings.message_rate),
                "joins": Rate(max(settings.join_rate, 1.0), settings.join_rate),
            },
            monotonic,
            is_enabled=settings.rate_limit == "on",
        ),
        allow_guests=settings.guests == "on",
        monotonic=monotonic,
        generate_sid=secrets.token_urlsafe,
        flood_timeout=settings.flood_timeout,
    )


def _build_engine_options(settings: ServerSettings) -> EngineIOOptions:
    return EngineIOOptions(
        ping_interval=settings.ping_interval,
        ping_timeout=settings.ping_timeout,
        connect_timeout=settings.connect_timeout,
        max_unsent_bytes=settings.max_unsent_bytes,
        stall_timeout=settings.stall_timeout,
        cors_origins=settings.parse_allowed_origins(),
        trusted_proxies=settings.parse_trusted_networks(),
        packet_rate=PACKET_RATE if settings.rate_limit == "on" else None,
        flood_timeout=settings.flood_timeout,
    )
