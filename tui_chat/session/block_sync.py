"""Members that the account has blocked, whose messages `IgnoreFilter` hides.

- Source: the server, after each connection, and its pushes about changes on other devices.
- Offline: the list of the last connection is stored, so that cached messages of blocked members stay hidden.
- Guests: a guest has no blocks.
"""

import logging
from collections.abc import Callable

from tui_chat.client.events import BlockChanged
from tui_chat.protocol.errors import ChatError
from tui_chat.session.chat_session import ChatSession
from tui_chat.session.server_link import ServerLink
from tui_chat.session.session_events import RequestCompleted

log = logging.getLogger("chat.session")


class BlockSync:
    """Synchronization of the blocked members of one session; `account` returns the account name, None for a guest."""

    def __init__(self, session: ChatSession, server_link: ServerLink, account: Callable[[], str | None]) -> None:
        self._session = session
        self._server_link = server_link
        self._account = account
        self._change_count = 0

    async def restore(self) -> None:
        """Apply the stored list without updating timelines: call before the first room opens. No effect for a guest."""
        account = self._account()
        if account is not None:
            store = self._server_link.composer_store
            self._session.ignore_filter.blocked_member_ids = await store.load_blocked_members(account)

    async def load(self) -> None:
        """Load the list of the server, store the list, and update the timelines by a queued event.

        The request is repeated if a change arrives meanwhile. A `ChatError` is only logged, and the known list stays.
        For a guest, the list becomes empty without a request, and nothing is stored.
        """
        member_ids, change_count = frozenset[str](), -1
        while change_count != self._change_count:  # otherwise, the response may precede a change
            change_count = self._change_count
            if self._account() is not None:
                try:
                    members = await self._server_link.require_client().user.list_blocks()
                except ChatError as error:
                    log.info("blocks not loaded: %s", error.code)
                    return
                member_ids = frozenset(member.member_id for member in members)
        self._session.ignore_filter.blocked_member_ids = member_ids
        self._save()
        self._server_link.event_queue.put(RequestCompleted(self._session.apply_settings))

    def on_block_changed(self, event: BlockChanged) -> None:
        """Apply a change by this or another device to the session and its timelines, and store the list."""
        self._change_count += 1
        self._session.apply(event)
        self._save()

    def _save(self) -> None:
        """Store the list; no effect for a guest."""
        account = self._account()
        if account is not None:
            member_ids = self._session.ignore_filter.blocked_member_ids
            self._server_link.composer_store.save_blocked_members(account, member_ids)
