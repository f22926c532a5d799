"""Construction of the conversation dialect (docs/dialects.md, "conversation")."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from server.domain.rate_limits import Rate
from server.gateway.account_service import AccountService
from server.gateway.conversations.feed import GroupFeed
from server.gateway.conversations.service import ConversationService
from server.gateway.conversations.views import ViewBuilder
from server.gateway.dispatcher import Dispatcher
from server.observability.supervision import Supervisor
from server.settings import ServerSettings
from server.storage.database import Database
from server.web.api.authentication import ApiLimits, RequestAuthenticator
from server.web.api.conversations.auth import ConversationAuthApi
from server.web.api.conversations.groups import ConversationApi
from tui_chat.protocol import events


@asynccontextmanager
async def run_conversations(
    settings: ServerSettings,
    database: Database,
    dispatcher: Dispatcher,
    account_service: AccountService,
    *,
    views: ViewBuilder,
    authenticator: RequestAuthenticator,
    supervisor: Supervisor,
    limits: ApiLimits | None,
    monotonic: Callable[[], float],
) -> AsyncGenerator[tuple[ConversationAuthApi, ConversationApi]]:
    """Push the messages of groups to the clients of the dialect, and provide its HTTP endpoints.

    Args:
        settings: Settings of the server.
        database: Storage of rooms and groups.
        dispatcher: Dispatcher of the connections.
        account_service: Operations on accounts.
        views: Encoder of results, shared with the dialect of the dispatcher.
        authenticator: Checks of requests.
        supervisor: Supervisor of the background task.
        limits: Limits per address, None for no limits.
        monotonic: Monotonic clock, in seconds.
    """
    feed = GroupFeed(database.groups, account_service.directory, views)
    publish_to_rooms = database.journal.publish

    def publish(committed: Sequence[events.Entry]) -> None:
        if publish_to_rooms is not None:
            publish_to_rooms(committed)
        feed.publish(committed)

    database.journal.publish = publish
    dispatcher.on_conversation_connect = feed.connect
    task = supervisor.supervise("group feed", feed.run)
    service = ConversationService(
        database,
        dispatcher.handlers,
        account_service,
        views,
        message_rate=Rate(settings.message_burst, settings.message_rate) if settings.rate_limit == "on" else None,
        monotonic=monotonic,
    )
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
        )
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
