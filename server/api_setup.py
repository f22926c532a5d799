"""Construction of the HTTP endpoints below `/api/`, and of the pushes of the conversation dialect."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import version

from server.domain.rate_limits import ConnectionLimiter, Rate
from server.gateway.account_service import AccountService
from server.gateway.caller_limits import CallerLimits
from server.gateway.conversations.feed import GroupFeed
from server.gateway.conversations.media import ConversationMedia
from server.gateway.conversations.service import ConversationService
from server.gateway.conversations.views import ViewBuilder
from server.gateway.dispatcher import Dispatcher
from server.gateway.event_stream import EventStreams
from server.gateway.hook_messages import HookMessages
from server.gateway.http_callers import CallerIdentifier
from server.observability.supervision import Supervisor
from server.settings import ServerSettings
from server.storage.database import Database
from server.uploads.upload_service import UploadService
from server.web.api.accounts import AccountApi
from server.web.api.authentication import ApiLimits, HttpApi, RequestAuthenticator
from server.web.api.conversations.auth import ConversationAuthApi
from server.web.api.conversations.groups import ConversationApi
from server.web.api.conversations.media import ConversationMediaApi
from server.web.api.documentation import DocumentationApi
from server.web.api.endpoints import EndpointRouter
from server.web.api.events import EventApi
from server.web.api.hooks import HookApi
from server.web.api.rooms import RoomApi
from server.web.api.uploads import UploadApi
from tui_chat.protocol import events

VERSION = version("tui-chat")


@asynccontextmanager
async def run_apis(
    settings: ServerSettings,
    database: Database,
    dispatcher: Dispatcher,
    account_service: AccountService,
    *,
    uploads: UploadService,
    views: ViewBuilder | None,
    connection_limiter: ConnectionLimiter | None,
    supervisor: Supervisor,
    monotonic: Callable[[], float],
) -> AsyncGenerator[list[HttpApi]]:
    """Yield the groups of endpoints of a server; with `views`, also run the pushes of the conversation dialect.

    The function sets `close_streams` and `stream_idle_time` of the dispatcher.
    """
    handlers = dispatcher.handlers
    callers = CallerIdentifier(account_service.tokens, handlers.identity, allow_guests=settings.guests == "on")
    authenticator = RequestAuthenticator(
        callers, settings.parse_trusted_networks(), allow_insecure=settings.insecure_login == "on"
    )
    limits = ApiLimits(monotonic) if settings.rate_limit == "on" else None
    caller_limits = CallerLimits(dispatcher.request_limiter)
    hook_messages = HookMessages(
        database,
        account_service.directory,
        handlers.room_registry,
        access_control=handlers.access_control,
        limits=caller_limits,
    )
    streams = EventStreams(
        handlers,
        account_service.tokens,
        database.reader,
        connection_limiter,
        max_bytes=settings.max_unsent_bytes,
        monotonic=monotonic,
    )
    dispatcher.close_streams, dispatcher.stream_idle_time = streams.close, streams.idle_time
    event_api = EventApi(streams, stall_timeout=settings.stall_timeout)
    endpoints = (
        *AccountApi(
            account_service, handlers.identity, authenticator, registration=settings.registration, limits=limits
        ).endpoints,
        *UploadApi(uploads, handlers.upload_access, authenticator, limits=limits).endpoints,
        *RoomApi(handlers).endpoints,
        *HookApi(handlers, hook_messages, authenticator).endpoints,
        *event_api.endpoints,
    )
    documentation = DocumentationApi(endpoints, VERSION)
    apis: list[HttpApi] = [
        EndpointRouter((*endpoints, *documentation.endpoints), authenticator, caller_limits),
        event_api,
    ]
    async with AsyncExitStack() as resources:
        if views is not None:
            apis += await resources.enter_async_context(
                _run_conversations(
                    settings,
                    database,
                    dispatcher,
                    account_service,
                    uploads=uploads,
                    views=views,
                    authenticator=authenticator,
                    supervisor=supervisor,
                    limits=limits,
                    monotonic=monotonic,
                )
            )
        yield apis


@asynccontextmanager
async def _run_conversations(
    settings: ServerSettings,
    database: Database,
    dispatcher: Dispatcher,
    account_service: AccountService,
    *,
    uploads: UploadService,
    views: ViewBuilder,
    authenticator: RequestAuthenticator,
    supervisor: Supervisor,
    limits: ApiLimits | None,
    monotonic: Callable[[], float],
) -> AsyncGenerator[tuple[HttpApi, ...]]:
    """Push the messages of groups to the clients of the dialect, and yield its endpoints.

    The journal publishes to the rooms first, then to the feed. The dispatcher gets the feed as `membership_feed`, and
    the handlers get the requests of the dialect. The end of the context stops the feed only.
    """
    feed = GroupFeed(database.groups, account_service.directory, views)
    publish_to_rooms = database.journal.publish

    def publish(committed: Sequence[events.Entry]) -> None:
        if publish_to_rooms is not None:
            publish_to_rooms(committed)
        feed.publish(committed)

    database.journal.publish = publish
    dispatcher.membership_feed = feed
    task = supervisor.supervise("group feed", feed.run)
    service = ConversationService(
        database,
        dispatcher.handlers,
        account_service,
        views,
        message_rate=Rate(settings.message_burst, settings.message_rate) if settings.rate_limit == "on" else None,
        monotonic=monotonic,
    )
    dispatcher.handlers.add_handlers(service.handlers_by_type)
    media = ConversationMedia(service, database.groups, account_service, views)
    try:
        yield (
            ConversationAuthApi(
                service,
                account_service,
                database.accounts,
                authenticator,
                registration=settings.registration,
                limits=limits,
                monotonic=monotonic,
            ),
            ConversationApi(service, account_service, authenticator, limits=limits),
            ConversationMediaApi(media, uploads, authenticator, limits),
        )
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
