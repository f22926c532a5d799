"""Joined, observed or cached room: join requests, pushes, and the objects for log, members and outbox."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_chat.client import sanitize
from tui_chat.client.errors import ConnectionLost
from tui_chat.client.events import MembersChanged, NoticeReceived, RoomChanged, RoomJoined, RoomLost, TopicChanged
from tui_chat.client.history_sync import HistorySync
from tui_chat.client.log import log
from tui_chat.client.net.basic_codec import BasicMessage
from tui_chat.client.net.basic_server import BasicServer
from tui_chat.client.outbox.sender import OutboxSender
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.room_context import RoomContext
from tui_chat.client.room_files import RoomFiles
from tui_chat.client.room_read_marker import RoomReadMarker
from tui_chat.client.roster import MAX_MEMBERS, Roster
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.storage.room_cache import RoomCache
from tui_chat.protocol.errors import ChatError, NotFound, NotJoined, Unauthorized, Unavailable
from tui_chat.protocol.events import Entry, Member, MemberChange, Message, PolicyChange, PresencePush, TopicChange
from tui_chat.protocol.limits import HISTORY_PAGE, MEMBER_PAGE
from tui_chat.protocol.names import canonical_key
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.protocol.requests import JoinRoom, LeaveRoom, ListMembers, Observe, Typing, Unobserve
from tui_chat.protocol.responses import Empty, JoinResponse, MemberListResponse, ObserveResponse

if TYPE_CHECKING:
    from tui_chat.client.net.transport import Transport


LEAVE_TIMEOUT = 5.0
"""Time limit of the `leaveRoom` request, in seconds."""


class RoomMembership:
    """State of one joined, observed or cached room.

    Args:
        request: First request, which determines whether the room is joined or observed.
        outbox: Persistent outbox, None for memory only.
        history: Local message history, None if disabled.
        on_closed: Called when the user leaves the room, and when the server rejects or removes the room.
        is_replaced: Returns whether the user has joined or observed the room again after a `leave`.

    Attributes:
        context: Identity and connection of the room.
        history: Synchronized log of the room.
        roster: Members of the room.
        read_marker: Read marker of the account.
        files: Uploads and downloads of the room.
        sender: Outbox of the room.
        basic_server: Adapter for basic servers.
        is_observed: True for a room that is read without a join; nickname and member id are then empty.
        is_basic_server: True for a basic server without members and history (docs/clients.md, "Basic servers").
        was_joined: True after the first join or observation. Remains True while offline and after `leave`.
        last_error: Latest temporary or internal error of a join attempt, even after a later success; None without one.
    """

    def __init__(
        self,
        context: RoomContext,
        request: JoinRoom | Observe,
        *,
        outbox: Outbox | None,
        history: LocalHistory | None,
        on_closed: "Callable[[RoomMembership], None]",
        is_replaced: "Callable[[RoomMembership], bool]",
    ) -> None:
        self.context = context
        self.roster = Roster(
            self._on_members_changed,
            lambda: context.client.report_once(Unavailable("members_unlisted", limit=MAX_MEMBERS)),
        )
        self.history = HistorySync(context)
        self.files = RoomFiles(context)
        self.read_marker = RoomReadMarker(context, self.history.log)
        self.basic_server = BasicServer(lambda: context.nick, context.client.now_ms)
        self.sender = OutboxSender(context, outbox, self.basic_server, deliver=self.files.deliver)
        self.is_observed = isinstance(request, Observe)
        self.is_basic_server = False
        self.was_joined = False
        self.last_error: ChatError | None = None
        self._request = request
        self._on_closed = on_closed
        self._is_replaced = is_replaced
        self.history.cache = RoomCache(context, history, self.history.log) if history is not None else None
        self._has_cached_log = False
        self._has_left = False
        self._load_task: asyncio.Task[None] | None = None

    @property
    def was_opened(self) -> bool:
        """True after the first join or observation, or the load of cached history."""
        return self.was_joined or self._has_cached_log

    def set_invite(self, invite: str) -> None:
        """Replace the invite of the first join, including one in progress; no effect in a joined or observed room."""
        if isinstance(self._request, JoinRoom) and not self.was_joined:
            self._request = replace(self._request, invite=invite)

    async def load_cache(self) -> None:
        """Load the local cache and the outbox once; later calls wait for the same load. Failures are only reported.

        Emits `OutboxItemChanged` per loaded item, but no `LogChanged`.
        """
        if self._load_task is None:
            self._load_task = self.context.client.tasks.start(self._load_cache(), "room cache load")
        await asyncio.wait({self._load_task})

    async def flush(self) -> None:
        """Wait until the writes of outbox and history have ended, successfully or not; no time limit."""
        await self.sender.flush()
        if self.history.cache is not None:
            await self.history.cache.flush()

    async def join(self, transport: "Transport") -> ObserveResponse:
        """Join or observe the room over a connection and apply the response.

        Emits `RoomJoined`, then the changes of members, topic, log and read marker, and resumes the outbox. The gate is
        set before the first event. If the server log was replaced, the local log and its cache are cleared, and the
        room is joined a second time without `since`. On a basic server, the cache is disabled.

        Returns:
            The response, synthesized for a basic server.

        Raises:
            ChatError: As `Transport.join`.
            NotJoined: The room was closed during the request; the join is undone, unless the user joined again.
        """
        context, room_log = self.context, self.history.log
        since = room_log.last if self.was_joined or room_log.last else None
        join_response = await self._send_join(transport, since)
        self.is_basic_server = join_response is None
        log_reset = False
        if join_response is None:
            self.history.cache = None  # messages of a basic server are not cached
        elif since is not None and join_response.room.log_id != room_log.log_id:
            log.warning("server log of a room was replaced: reloading the room")
            self.history.reset(join_response.room.last_seq)
            if self.history.cache is not None:
                await self.history.cache.clear()
            since, log_reset = None, True
            join_response = await self._send_join(transport, since)
        if context.gate.has_failed:  # the room was closed during one of the requests
            if not self._is_replaced(self):
                await self._send_leave(transport)
            raise NotJoined("room_left")
        response = join_response or self.basic_server.make_join_response(context.name, room_log.last)
        rejoined, self.was_joined = self.was_joined, True
        context.name = sanitize.room_name(response.room.name)
        if isinstance(response, JoinResponse):
            context.nick = sanitize.nickname(response.nick_name)
            context.member_id = sanitize.member_id(response.member_id)
            context.upload_max_bytes = response.upload_max_bytes
        context.gate.set(transport)
        self.context.client.emit(RoomJoined(context.name, rejoined, log_reset))
        self.roster.reset(response.members, response.member_count)
        context.title = self._find_title(response)
        context.is_direct = response.room.visibility == "direct"
        context.policy, context.role = response.room.policy or RoomPolicy(), response.room.role
        self._set_topic(response.room.topic)
        self._save_room_info()
        self.history.on_join(
            replace(response, messages=self.history.sanitize_entries(response.messages)),
            since,
            rejoined=rejoined,
        )
        read = response.read if isinstance(response, JoinResponse) else None
        self.read_marker.set(read, response.room.last_seq)
        self.sender.resume()
        return response

    def on_push(self, entry: Entry) -> None:
        """Sanitize and apply a pushed entry.

        Emits `LogChanged` for modified messages, `ReadMarkerChanged` for a message of the user after the marker
        of an account, `TopicChanged` for another topic, and `RoomChanged` for a change of a member or policy.

        Without a joined connection, the entry is only buffered until the next join.
        """
        (entry,) = self.history.sanitize_entries((entry,))
        self.history.on_push(entry)
        if self.context.gate.value is None:
            return
        if isinstance(entry, Message) and entry.member_id == self.context.member_id:
            self.read_marker.on_own_message(entry.seq)
        elif isinstance(entry, TopicChange):
            self._set_topic(entry.topic, entry.nick_name)
        elif isinstance(entry, MemberChange | PolicyChange):
            self.context.apply_change(entry)
            self._save_room_info()
            self.context.client.emit(RoomChanged(self.context.name, entry))

    def on_basic_push(self, push: BasicMessage) -> None:
        """Apply a push of a basic server.

        A message emits `LogChanged`, and a message of the user confirms the sent one with the same text. A join notice
        of another member emits `NoticeReceived`.
        """
        converted = self.basic_server.convert_push(self.context.name, push, self.history.log.last)
        if isinstance(converted, Message):
            self.history.on_push(converted)
            self.basic_server.match_echo(converted)
        elif converted.nick_name != self.context.nick:
            self.context.client.emit(NoticeReceived(converted))

    def on_renamed(self, new_name: str) -> None:
        """Apply a valid new name to the room at once, and to outbox and cache in the background. Emits no event."""
        context = self.context
        old_key, context.key, context.name = context.key, canonical_key(new_name), new_name
        self.sender.on_room_renamed(old_key)
        if self.history.cache is not None:
            context.client.tasks.start(self.history.cache.rename(), "room rename")

    def on_presence(self, push: PresencePush) -> None:
        """Apply a presence push, also to the user's nickname and status; ignored outside a joined connection.

        Emits `MembersChanged`, possibly later (`Roster`).
        """
        if self.context.gate.value is not None:
            self.roster.apply_presence(push)
            if (own_member := self.roster.members.get(self.context.member_id)) is not None:
                self.context.nick = own_member.nick_name
                if any(member.member_id == own_member.member_id for member in push.joined):
                    self.context.client.status.apply_push(own_member.away, self.context.gate.value)

    async def send_typing(self, is_typing: bool) -> None:
        """Send a typing indicator; no effect without a connection, on a basic server, or if the connection closes."""
        transport = self.context.gate.value
        if transport is not None and not self.is_basic_server:
            try:
                await transport.send(Typing(room=self.context.name, on=is_typing))
            except ConnectionLost:
                log.debug("typing indicator dropped: connection lost")

    async def list_members(self, query: str, limit: int) -> list[Member]:
        """Return present members, as documented for `Room.list_members`."""
        roster = self.roster
        if roster.count == len(roster.members):
            key = canonical_key(query) if query else ""
            return [member for member in roster.members.values() if key in canonical_key(member.nick_name)][:limit]
        members: list[Member] = []
        while True:
            after, page_limit = members[-1].member_id if members else "", min(MEMBER_PAGE, limit - len(members))
            request = ListMembers(room=self.context.name, after=after, limit=page_limit, query=query or None)
            page = await self.context.request(request, MemberListResponse, wait_for_rate_limit=True)
            page_members = [sanitize.received(member) for member in page.members[:page_limit]]
            roster.add(page_members, page.member_count)  # at once, because a member can leave before the next page
            members += page_members
            if not page.has_more or not page.members or len(members) >= limit:
                return members

    def on_disconnected(self) -> None:
        """Suspend requests and buffer pushes until the next join; on a basic server, messages without an echo fail."""
        self.context.gate.clear()
        self.history.log.on_disconnected()
        self.basic_server.on_disconnected()

    def on_auth_failed(self, error: Unauthorized) -> None:
        """Raise `error` in pending and later requests and in `async for` until the next join; keep the outbox items."""
        self.context.gate.suspend(error)
        self.history.wake_reader()

    def close(self, error: ChatError, *, silent: bool = False) -> None:
        """Close the room without an event: requests and `async for` raise the first error from now on.

        Args:
            error: Exception to raise.
            silent: `async for` ends without an exception.
        """
        self.context.gate.fail(error)
        self.roster.cancel()
        self.history.close(silent=silent)

    async def leave(self) -> None:
        """Close the room, call `on_closed`, and send the leave request if connected; idempotent (see `Room.leave`)."""
        if self._has_left:
            return
        self._has_left = True
        transport = self.context.gate.value
        self.close(NotJoined("room_left"), silent=True)
        self._on_closed(self)
        if transport is not None:
            await self._send_leave(transport)

    def on_lost(self, error: ChatError) -> None:
        """Close the room with an error, and call `on_closed`; emit `RoomLost` if the room was open."""
        was_open = self.was_opened and not self.context.gate.has_failed
        self.close(error)
        self._on_closed(self)
        if was_open:
            self.context.client.emit(
                RoomLost(self.context.name, error.copy(), self.context.removal, self.context.title)
            )

    def _find_title(self, response: ObserveResponse) -> str:
        """Return the title in a response, empty without one; for a direct room, the known title or the nicknames."""
        context = self.context
        if response.room.visibility != "direct":
            return sanitize.room_name(response.room.title or "")
        others = (member.nick_name for member in response.members if member.member_id != context.member_id)
        return context.client.direct_titles.get(context.name) or context.title or sanitize.line(", ".join(others))

    def _on_members_changed(self, members: tuple[Member, ...]) -> None:
        self.context.client.emit(MembersChanged(self.context.name, members, self.roster.count))

    async def _load_cache(self) -> None:
        """Restore log, name, topic, title and member id from the cache, if cached; then claim the outbox items."""
        if self.history.cache is not None and (cached := await self.history.cache.load()) is not None:
            context = self.context
            if canonical_key(cached.name) == context.key:
                context.name = sanitize.room_name(cached.name)
            context.topic = sanitize.topic(cached.topic)
            context.title = sanitize.room_name(cached.title)
            context.member_id = cached.member_id
            self._has_cached_log = True
        await self.sender.claim_orphans()

    async def _send_join(self, transport: "Transport", since: int | None) -> ObserveResponse | None:
        """Join or observe the room under its current name and nickname; return None on a basic server.

        The limit is that of the first request without `since`, otherwise `HISTORY_PAGE`. An account sends no guest key.
        Raises as `Transport.join` or `Transport.request`. `NotFound` of a first join with an invite gets the reason
        `room_not_found_by_invite`; an invite set during the request is tried instead.
        """
        limit = self._request.limit if since is None else HISTORY_PAGE
        if isinstance(self._request, Observe):
            request = replace(self._request, room=self.context.name, since=since, limit=limit)
            return await transport.request(request, ObserveResponse)
        request = replace(
            self._request,
            room_name=self.context.name,
            nick_name=self.context.nick,
            since=since,
            limit=limit,
            guest_key=self.context.client.guest_key if self.context.client.account is None else None,
        )
        try:
            return await transport.join(request)
        except NotFound:
            if request.invite != self._request.invite:  # a new one was set during the request
                return await self._send_join(transport, since)
            if request.invite is None or self.was_joined:
                raise
            raise NotFound("room_not_found_by_invite") from None

    async def _send_leave(self, transport: "Transport") -> None:
        """Leave the room, or end its observation, on the connection of its join. A failure is only logged.

        On a basic server, the connection is aborted instead, because a later join requires a new one.
        """
        if transport.basic_room is not None:
            self.context.client.connector.gate.clear(transport)
            transport.abort()
            return
        try:
            async with asyncio.timeout(LEAVE_TIMEOUT):
                request_type = Unobserve if self.is_observed else LeaveRoom
                await transport.request(request_type(room=self.context.name), Empty)
        except (ChatError, TimeoutError) as error:
            log.debug("leave request failed: %s; room closed locally", type(error).__name__)

    def _set_topic(self, topic: str, nick_name: str = "") -> None:
        """Store a received topic, in the cache too, and emit `TopicChanged`; no effect for an equal topic."""
        topic = sanitize.topic(topic)
        if topic != self.context.topic:
            self.context.topic = topic
            self._save_room_info()
            self.context.client.emit(TopicChanged(self.context.name, topic, nick_name))

    def _save_room_info(self) -> None:
        if self.history.cache is not None:
            self.context.client.tasks.start(self.history.cache.save_room_info(), "room info write")
