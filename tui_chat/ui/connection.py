"""The one owner of the chat client: asks it, listens to it, and puts all that comes into one inbox.

Rule 1  Only `run` holds the client; nothing here touches a widget.
Rule 2  All answers and events go through the inbox, in the order they happened.
Rule 3  What is written is posted (`Room.post`): it is in the outbox at once, and what
        becomes of it comes as an event.
Rule 4  A room of which something is kept here is opened with that, before there is a
        connection, or without one.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from server.protocol import names
from server.protocol.errors import ChatError, NotJoined, Unavailable
from server.protocol.limits import ROOMS_PER_CONNECTION
from tui_chat.client import events
from tui_chat.client.posting import OutboxItem
from tui_chat.session import refusals, words
from tui_chat.session.kept_writing import ComposerStore
from tui_chat.session.language import tr
from tui_chat.session.writing import ComposeMode
from tui_chat.ui.arrivals import (
    Arrival,
    NotOpened,
    Opened,
    PlaceLoaded,
    Refused,
    RoomJoined,
    RoomNotJoined,
    RoomOpened,
    RoomParted,
    RoomsExpected,
    RoomsListed,
    RoomTrimmed,
)
from tui_chat.ui.inbox import Inbox
from tui_chat.ui.start import Keeping

if TYPE_CHECKING:
    from tui_chat.client.chat import ChatClient
    from tui_chat.client.results import SearchPage
    from tui_chat.client.room import Room

log = logging.getLogger("chat.ui")

GAP_STEP = 400
"""Entries that are fetched of a gap when it comes into view; what is left is a smaller gap."""


class Connection:
    """One server, connected to or being connected to.

    Attributes:
        inbox: What has come and was not taken yet, oldest first.
    """

    def __init__(
        self,
        url: str,
        first: tuple[str, str],
        guest_key: str | None,
        keeping: Keeping,
        arrived: Callable[[], None],
        *,
        come_back: bool,
    ) -> None:
        """Make it; `run` connects.

        Args:
            url: The server's base URL.
            first: The room to begin with, and the nickname to have in it.
            guest_key: The secret of an earlier visit.
            keeping: Where things are kept.
            arrived: Called when the inbox is no longer empty.
            come_back: Go into the rooms, too, that were open when the program ended.
        """
        self.url = url
        self.inbox = Inbox(arrived)
        self._first = first
        self._guest_key = guest_key
        self._keeping = keeping
        self._chat: ChatClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._trimming: set[str] = set()
        self._come_back = come_back
        self._written: ComposerStore

    @property
    def guest_key(self) -> str | None:
        """The secret by which the server knows you again, once it gave one."""
        return self._chat.guest_key if self._chat is not None else None

    async def run(self) -> None:
        """Connect, and stay connected until cancelled."""
        # The network libraries cost a fifth of a second, which the first screen does not wait for.
        from tui_chat.client.chat import ChatClient  # noqa: PLC0415
        from tui_chat.client.local_history import LocalHistory  # noqa: PLC0415
        from tui_chat.client.outbox import Outbox  # noqa: PLC0415

        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._end_tasks)
            outbox = await stack.enter_async_context(Outbox(self._keeping.state))
            cache = self._keeping.cache
            self._written = await stack.enter_async_context(
                ComposerStore(
                    self._keeping.state,
                    self.url,
                    self._first[1],
                    keep_history=cache is not None,
                    on_problem=lambda problem: self._put(Refused(problem)),
                )
            )
            history = await stack.enter_async_context(LocalHistory(cache)) if cache is not None else None
            chat = ChatClient(
                self.url,
                guest_key=self._guest_key,
                connect_in_background=True,
                outbox=outbox,
                history=history,
                max_messages=None,
            )
            stack.push_async_callback(chat.close)
            self._chat = chat
            stream = chat.events()
            try:
                room, nick = self._first
                left = await self._written.load_room(room)
                opened = await chat.open_cached(room, nick=nick)
                if opened is None:
                    await chat.connect()
            except ChatError as error:
                self._put(NotOpened(error))
                return
            await stack.enter_async_context(chat)
            if opened is None:
                self._put(Opened())
            else:
                self._put(RoomOpened(opened, left, show=True))
                self._opened(opened)
            self._put(events.ConnectionStateChanged(chat.state))
            async for event in stream:
                self._put(event)

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def join(self, room: str, nick: str) -> None:
        """Go into a room."""
        self._start(self._join(room, nick))

    def keep_draft(self, room: str, text: str, writing: ComposeMode | None) -> None:
        """This is being written in a room, and is kept."""
        self._written.save_draft(room, text, writing)

    def keep_sent(self, room: str, text: str) -> None:
        """This was sent in a room, to be found again with Up and Ctrl+R."""
        self._written.add_sent_text(room, text)

    def keep_read(self, room: str, seq: int) -> None:
        """A room was read up to this entry."""
        self._written.save_read_seq(room, seq)

    def known_as(self, nick: str) -> None:
        """You have this nickname now."""
        self._written.rename_nick(nick)

    def lost(self, room: str) -> None:
        """A room was closed by the server; it does not come back by itself."""
        self._written.remove_room(room)

    def part(self, room: str) -> None:
        """Leave a room."""
        self._start(self._part(room))

    def post(self, room: str, text: str, reply_to: int | None = None) -> OutboxItem:
        """Say something in a room as soon as it can be said, perhaps as an answer to the message `reply_to`.

        Raises:
            ChatError: It can never be said, or too much waits already.
        """
        return self._joined(room).post(text, reply_to)

    def edit(self, room: str, seq: int, text: str) -> OutboxItem:
        """Say it otherwise. Raises what `post` does."""
        return self._joined(room).post_edit(seq, text)

    def delete(self, room: str, seq: int) -> OutboxItem:
        """Take a message back. Raises what `post` does."""
        return self._joined(room).post_deletion(seq)

    def react(self, room: str, seq: int, emoji: str, on: bool) -> OutboxItem:
        """Put an emoji under a message, or take it away. Raises what `post` does."""
        return self._joined(room).post_reaction(seq, emoji, on)

    def retry(self, room: str, client_id: UUID) -> OutboxItem | None:
        """Post a failed one anew; None when there is no such one."""
        with suppress(KeyError):
            return self._joined(room).retry(client_id)
        return None

    def drop(self, room: str, client_id: UUID) -> OutboxItem | None:
        """Take one away that is not sent; None when it is on its way right now, or there is none."""
        with suppress(KeyError):
            return self._joined(room).drop(client_id)
        return None

    def trim(self, room: str, kept: int) -> None:
        """Let a room's oldest messages go from memory, so that `kept` stay."""
        if room not in self._trimming:
            self._trimming.add(room)
            self._start(self._trim(room, kept))

    def rename(self, nick: str) -> None:
        """Take another nickname everywhere."""
        self._start(self._rename(nick))

    def set_topic(self, room: str, topic: str) -> None:
        """Say what a room is about."""
        self._start(self._set_topic(room, topic))

    def retry_now(self) -> None:
        """While offline: try to connect now."""
        if self._chat is not None:
            self._chat.reconnect_now()

    def list_rooms(self, query: str, *, told: bool) -> None:
        """Ask for the rooms of the server, for the person to read (`told`) or for the program to know."""
        self._start(self._list_rooms(query, told))

    def load_older(self, room: str) -> None:
        """Ask for what was said before what is here."""
        self._start(self._load_older(room))

    def fill(self, room: str, after: int, *, oldest_first: bool) -> None:
        """Ask for what is missing behind the entry `after`, from there on (`oldest_first`) or up to the gap's end."""
        self._start(self._fill(room, after, oldest_first))

    def load_place(self, room: str, *, seq: int | None = None, ts: int | None = None) -> None:
        """Ask for what was said about a message, or about a time in milliseconds; `PlaceLoaded` says what is there."""
        self._start(self._load_place(room, seq, ts))

    async def search(self, query: str, room: str | None, before: int | None) -> "SearchPage":
        """Look for what was said (`ChatClient.search`).

        Raises:
            ChatError: It cannot be searched for now.
        """
        if self._chat is None:
            raise Unavailable("the server cannot be reached")
        return await self._chat.search(query, room=room, before=before)

    def typing(self, room: str, on: bool) -> None:
        """Tell the room that you type, or no longer do."""
        joined = self._room(room)
        if joined is not None:
            self._start(_quietly(joined.set_typing(on)))

    def _joined(self, name: str) -> "Room":
        room = self._room(name)
        if room is None:
            raise NotJoined(tr(words.ROOM_CLOSED))
        return room

    def _room(self, name: str) -> "Room | None":
        key = names.canonical_key(name)
        rooms = self._chat.rooms.values() if self._chat is not None else ()
        return next((room for room in rooms if names.canonical_key(room.name) == key), None)

    async def _join(self, room: str, nick: str) -> None:
        assert self._chat is not None
        left = await self._written.load_room(room)
        try:
            joined = await self._chat.join(room, nick=nick)
        except ChatError as error:
            self._put(RoomNotJoined(room, error))
            return
        self._put(RoomJoined(joined, nick, left, show=True))
        self._opened(joined)

    def _opened(self, room: "Room") -> None:
        if self._come_back:
            self._come_back = False
            self._start(self._rejoin(room.name, room.nick))
        else:
            self._written.add_room(room.name)

    async def _rejoin(self, first: str, nick: str) -> None:
        assert self._chat is not None
        rooms = (await self._written.load_room_names())[:ROOMS_PER_CONNECTION]
        self._written.add_room(first)
        self._put(RoomsExpected(tuple(rooms)))
        for name in rooms:
            if self._room(name) is None:
                self._start(self._bring_back(self._chat, name, nick))

    async def _bring_back(self, chat: "ChatClient", name: str, nick: str) -> None:
        left = await self._written.load_room(name)
        try:
            opened = await chat.open_cached(name, nick=nick)
            if opened is not None:
                self._put(RoomOpened(opened, left, show=False))
            else:
                self._put(RoomJoined(await chat.join(name, nick=nick), "", left, show=False))
        except ChatError as error:
            self._put(Refused(words.rejoin_failed(name, refusals.phrase(error.message, error.code))))

    async def _part(self, name: str) -> None:
        room = self._room(name)
        if room is not None:
            await _quietly(room.leave())
        self._written.remove_room(name)
        self._put(RoomParted(name))

    async def _rename(self, nick: str) -> None:
        assert self._chat is not None
        try:
            await self._chat.change_nick(nick)
        except ChatError as error:
            self._put(Refused(error.message))

    async def _set_topic(self, name: str, topic: str) -> None:
        room = self._room(name)
        try:
            if room is not None:
                await room.set_topic(topic)
        except ChatError as error:
            self._put(Refused(error.message))

    async def _list_rooms(self, query: str, told: bool) -> None:
        assert self._chat is not None
        try:
            self._put(RoomsListed(list(await self._chat.list_rooms(query or None)), told))
        except ChatError as error:
            if told:
                self._put(Refused(error.message))

    async def _load_older(self, name: str) -> None:
        room = self._room(name)
        if room is not None and room.log.has_older:
            await _quietly(room.load_older())

    async def _load_place(self, name: str, seq: int | None, ts: int | None) -> None:
        room = self._room(name)
        if room is None:
            return
        try:
            if ts is not None:
                self._put(PlaceLoaded(name, await room.load_at_time(ts)))
            elif seq is not None:
                self._put(PlaceLoaded(name, seq if await room.load_around(seq) else None))
        except ChatError as error:
            self._put(Refused(error.message))

    async def _fill(self, name: str, after: int, oldest_first: bool) -> None:
        room = self._room(name)
        gap = next((gap for gap in room.log.gaps() if gap.after == after), None) if room is not None else None
        if room is not None and gap is not None:
            await _quietly(room.fill_gap(gap, GAP_STEP, oldest_first=oldest_first))

    async def _trim(self, name: str, kept: int) -> None:
        room = self._room(name)
        try:
            if room is not None and await room.trim(kept):
                self._put(RoomTrimmed(name))
        finally:
            self._trimming.discard(name)

    def _put(self, arrival: Arrival) -> None:
        self.inbox.put(arrival)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("a request failed by a fault of the program", exc_info=fault)
            self._put(Refused(tr(words.INTERNAL_ERROR)))


async def _quietly(work: Coroutine[Any, Any, object]) -> None:
    """Do what nobody waits for: when it is refused, the log's debug level has it."""
    try:
        await work
    except ChatError as error:
        log.debug("refused: %s", error.code)
