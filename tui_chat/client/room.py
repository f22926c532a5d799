"""Interface to one room for bots and user interfaces: log, members and requests.

- Iteration: `async for entry in room` yields every entry after the first join exactly once, across reconnects, with the
  exceptions of `HistorySync`.
- Requests: immediate with acknowledgement, or through the outbox.
- Reconnect: a request waits for the join, and is repeated with its `clientId` after a connection loss.
"""

from collections.abc import Sequence
from uuid import UUID

from msgspec import structs

from tui_chat.client import sanitize
from tui_chat.client.membership import RoomMembership
from tui_chat.client.message_throttle import MessageThrottle
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.client.room_context import REQUEST_TIMEOUT
from tui_chat.client.room_files import FileSource, to_outbox_file
from tui_chat.client.room_history import RoomHistory
from tui_chat.client.room_moderation import RoomModeration
from tui_chat.client.roster import MAX_MEMBERS
from tui_chat.client.search_page import SearchCursor, SearchFunction, SearchPage
from tui_chat.protocol import requests
from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.events import Entry, Member
from tui_chat.protocol.limits import ATTACHMENTS_PER_MESSAGE, HISTORY_DEFAULT
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.protocol.responses import ChangeAccepted, Empty, NickChanged, SendResponse


class Room:
    """Joined, observed or cached room, created by `ChatClient.join`, `observe` or `open_cached`.

    Attributes:
        log: Known part of the room log.
        files: Uploads and downloads.
        history: Requests for further parts of the log.
        moderation: Kicks, bans, mutes, roles and the audit.
        read_marker: Read marker of the account.
        membership: State of the room for `ChatClient`.
    """

    def __init__(self, membership: RoomMembership, search: SearchFunction) -> None:
        self.log = membership.history.log
        self.membership = membership
        self.read_marker = membership.read_marker
        self._context = membership.context
        self._search = search
        self.moderation = RoomModeration(membership.context)
        self.files = membership.files
        self.history = RoomHistory(membership.history)
        self._throttle = MessageThrottle(membership)

    @property
    def name(self) -> str:
        """Room name in the server's spelling; before the first join, as cached or requested."""
        return self._context.name

    @property
    def topic(self) -> str:
        """Room topic, may be empty."""
        return self._context.topic

    @property
    def nick(self) -> str:
        """User's nickname in the room; the requested one before the first join, empty in an observed room."""
        return self._context.nick

    @property
    def role(self) -> str | None:
        """User's role (`admin`, `owner`, `moderator` or `member`); None for guests, observers and before the join."""
        return self._context.role

    @property
    def policy(self) -> RoomPolicy:
        """Policy of the room; the default policy before the first join."""
        return self._context.policy

    @property
    def upload_max_bytes(self) -> int | None:
        """Maximum size of a file, 0 if the server accepts none; None if unknown, for example before the first join."""
        return self._context.upload_max_bytes

    @property
    def title(self) -> str:
        """Display name: the title of a private or direct room, whose `name` is an address, otherwise `name`."""
        return self._context.display_title

    @property
    def is_direct(self) -> bool:
        """True for a direct room; False before the first join."""
        return self._context.is_direct

    @property
    def member_id(self) -> str:
        """User's member id; before the first join, the cached one or empty; empty in an observed room."""
        return self._context.member_id

    @property
    def members(self) -> dict[str, Member]:
        """Members by member id, including a joined user. Empty on a basic server; unchanged during a disconnection.

        In a large room, some members are missing (`member_count`, `list_members`).
        """
        return self.membership.roster.members

    @property
    def member_count(self) -> int:
        """Number of present members, 0 on a basic server."""
        return self.membership.roster.count

    @property
    def position(self) -> int:
        """Position of `async for`: `seq` of the last returned or skipped entry, initially the newest at the join."""
        return self.membership.history.cursor.position

    @property
    def is_basic_server(self) -> bool:
        """True for a basic server without members and history (docs/clients.md, "Basic servers")."""
        return self.membership.is_basic_server

    @property
    def was_joined(self) -> bool:
        """True after the first join or observation. Remains True while offline and after `leave`."""
        return self.membership.was_joined

    async def leave(self, *, forget: bool = False) -> None:
        """Leave the room, or end its observation, without `RoomLost`. The log remains readable. Idempotent.

        Later requests raise `NotJoined`, and `async for` ends. Unsent items remain in a persistent outbox. A failed
        leave request is ignored, after at most five seconds. On a basic server, the client reconnects.

        Args:
            forget: First end the durable membership; raises a `ChatError` without leaving (`Conflict`: last owner).
        """
        if forget:
            await self._context.request(requests.LeaveRoom(room=self.name, forget=True), Empty)
        await self.membership.leave()

    async def search(
        self, query: str, *, cursor: SearchCursor | None = None, limit: int = HISTORY_DEFAULT
    ) -> SearchPage:
        """Search this room, with the arguments, sources and exceptions of `ChatClient.search`."""
        return await self._search(query, self.name, cursor, limit)

    def __aiter__(self) -> "Room":
        return self

    async def __anext__(self) -> Entry:
        """Wait for the next entry, by any author.

        A fetched message has its current text; its changes follow as separate entries. All loops over a room share one
        position.

        Raises:
            StopAsyncIteration: End after `leave` or `ChatClient.close`.
            ChatError: The room was lost, the token was rejected, or a fetch of missed entries was rejected. The next
                call repeats the fetch.
        """
        entry = await self.membership.history.next_entry()
        if entry is None:
            raise StopAsyncIteration
        return entry

    async def list_members(self, query: str = "", *, limit: int = MAX_MEMBERS) -> list[Member]:
        """Return up to `limit` present members with `query` in their nickname (case and width ignored), in any order.

        Sends no request if `members` is complete. Otherwise, each page of results is added to `members`, which emits
        `MembersChanged`. Raises a `ChatError` for an invalid query, a rejection, a left room or no response in time.
        """
        return await self.membership.list_members(query, limit)

    async def flush(self) -> None:
        """Wait until the writes of outbox and history have ended, successfully or not; no time limit."""
        await self.membership.flush()

    async def send(
        self,
        text: str,
        client_id: UUID | None = None,
        reply_to: int | None = None,
        *,
        files: Sequence[FileSource] = (),
        timeout: float = REQUEST_TIMEOUT,
    ) -> SendResponse:
        """Send a message and wait until the server has stored the message on disk.

        The message is resent after a connection loss and stored once, even by repeated calls with one `client_id`.
        Above the rate limit, the message waits behind earlier ones.

        Args:
            text: Message text; may be empty with files.
            client_id: Idempotency key, generated by default.
            reply_to: `seq` of the message to reply to.
            files: Local files, which are uploaded first (`RoomFiles.deliver`), and uploads of the user.
            timeout: Total time limit in seconds; a basic server's echo has its own limit. An upload is limited to this
                time without progress.

        Raises:
            BadRequest, TooLong: Invalid text, or too many files; nothing was sent.
            OSError: A file is inaccessible or no regular file, or changed before its upload; no message was sent.
            RateLimited: The rate limit applied until the timeout; no message was stored.
            NotJoined: The room was left, or is only observed.
            NotFound, Conflict, InternalError: The server rejected the message (docs/protocol.md, "Errors").
            Unavailable: No response before the timeout; the delivery is unknown.
            DeliveryUnknown: No echo from a basic server; the delivery is unknown, and the message is not resent.
        """
        request = self._build_message(text, client_id or self._context.client.new_id(), reply_to, len(files))
        if files:
            request = structs.replace(request, attachments=await self.files.deliver_all(files, timeout))
        return await self._throttle.send(request, timeout)

    def _build_message(
        self, text: str, client_id: UUID | None, reply_to: int | None, file_count: int
    ) -> requests.SendMessage:
        """Return a valid message, with an empty text in place of each upload id; raise `BadRequest` or `TooLong`."""
        if file_count > ATTACHMENTS_PER_MESSAGE:
            raise BadRequest("files_too_many", limit=ATTACHMENTS_PER_MESSAGE)
        return requests.SendMessage(self.name, text, client_id, reply_to, attachments=[""] * file_count or None)

    def post(self, text: str, reply_to: int | None = None, *, files: Sequence[FileSource] = ()) -> OutboxItem:
        """Queue a message in the outbox; `OutboxItemChanged` events report the delivery.

        Items are sent in order and without a time limit, once a connection exists; later items may overtake a message
        with a slow upload. With a persistent outbox, the queue survives restarts. In an observed room, all items fail;
        on a basic server, all edits, deletions, reactions and messages with files.

        Args:
            text: Message text.
            reply_to: `seq` of the message to reply to.
            files: Local files and uploads of the user. A local file is stored as path, size and time of modification;
                a change of the file before its upload fails the item.

        Raises:
            BadRequest, TooLong: Invalid text, or too many files.
            OutboxFull: 10,000 items are pending or failed.
            NotJoined: The room is closed.
            OSError: A file is inaccessible or no regular file.
        """
        outbox_files = [to_outbox_file(file) for file in files]
        return self.membership.sender.post(self._build_message(text, None, reply_to, len(outbox_files)), outbox_files)

    def post_edit(self, seq: int, text: str) -> OutboxItem:
        """Queue an edit of a message, as `post`."""
        return self.membership.sender.post(requests.EditMessage(room=self.name, seq=seq, message=text))

    def post_deletion(self, seq: int) -> OutboxItem:
        """Queue the deletion of a message, as `post`."""
        return self.membership.sender.post(requests.DeleteMessage(room=self.name, seq=seq))

    def post_reaction(self, seq: int, emoji: str, on: bool = True) -> OutboxItem:
        """Queue the addition or removal (`on=False`) of a reaction, as `post`."""
        return self.membership.sender.post(requests.React(room=self.name, seq=seq, emoji=emoji, on=on))

    def unsent(self) -> tuple[OutboxItem, ...]:
        """Return the pending and failed outbox items in send order."""
        return self.membership.sender.unsent

    def retry(self, client_id: UUID) -> OutboxItem:
        """Queue a failed item again at its position, with its id, and with the current content of its local files.

        After `client_id_in_use`, the failed item is dropped, and a new item is queued at the end and returned.
        `OutboxItemChanged` reports each change.

        Raises:
            KeyError: No failed item has this id.
            OutboxFull, NotJoined: No new item can be queued (`post`); the failed item remains.
        """
        return self.membership.sender.retry(client_id)

    def drop(self, client_id: UUID) -> OutboxItem:
        """Remove an outbox item, and emit `OutboxItemChanged`. The delivery of an item that was sent before is unknown.

        Raises:
            KeyError: No item has this id, or the item is in flight.
        """
        return self.membership.sender.drop(client_id)

    async def edit(self, seq: int, text: str, *, client_id: UUID | None = None) -> ChangeAccepted:
        """Replace the text of a message; an equal text has no effect.

        A repeat with the same `client_id`, by default a new one, receives the first response.

        Raises:
            Forbidden: The message belongs to another member.
            NotFound: No message has this `seq`.
            Conflict: The message was deleted.
            UnsupportedByServer: The server is basic.
            ChatError: As `send`; `RateLimited` without a wait.
        """
        return await self._change(requests.EditMessage(room=self.name, seq=seq, message=text), client_id)

    async def delete(self, seq: int, *, client_id: UUID | None = None) -> ChangeAccepted:
        """Delete a message; a second deletion has no effect. Otherwise, `client_id` and exceptions as for `edit`."""
        return await self._change(requests.DeleteMessage(room=self.name, seq=seq), client_id)

    async def react(self, seq: int, emoji: str, on: bool = True, *, client_id: UUID | None = None) -> ChangeAccepted:
        """Add or remove (`on=False`) the user's reaction; `client_id` and exceptions as for `edit`."""
        return await self._change(requests.React(room=self.name, seq=seq, emoji=emoji, on=on), client_id)

    async def set_topic(self, topic: str, *, client_id: UUID | None = None) -> ChangeAccepted:
        """Set the topic, empty to remove the topic; `client_id` as for `edit`.

        Raises:
            TooLong: The topic is too long.
            Forbidden: The policy of the room does not permit the change.
            ChatError: As `send`; `RateLimited` without a wait, `UnsupportedByServer` on a basic server.
        """
        return await self._change(requests.SetTopic(room=self.name, topic=topic), client_id)

    async def change_nick(self, nick: str) -> str:
        """Change the user's nickname in this room, and return the assigned one, which may differ.

        Raises:
            NickInvalid, TooLong: Invalid nickname.
            ChatError: As `send`; `RateLimited` without a wait, `UnsupportedByServer` on a basic server.
        """
        response = await self._context.request(requests.ChangeNick(nick_name=nick, room=self.name), NickChanged)
        self._context.nick = sanitize.nickname(response.nick_name)
        return self.nick

    async def set_typing(self, is_typing: bool) -> None:
        """Send a typing indicator without an acknowledgement; no effect without a connection or on a basic server."""
        await self.membership.send_typing(is_typing)

    async def _change(self, request: requests.IdempotentRequest, client_id: UUID | None) -> ChangeAccepted:
        request = structs.replace(request, client_id=client_id or self._context.client.new_id())
        return await self._context.request(request, ChangeAccepted)
