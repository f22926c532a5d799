"""A room as one of its members has it: what was said, who is there, and what one can do.

Rule 1  What you say is the affair of `RoomTalk`.
Rule 2  What was said is the affair of `Backlog`; `async for entry in room` reads it
        on from the first join, every entry once, whatever breaks.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace

from server.protocol import names
from server.protocol.answers import JoinResponse
from server.protocol.entries import Entry, Member, Message, PresencePush, TopicChange
from server.protocol.errors import ChatError, NotJoined
from server.protocol.limits import HISTORY_DEFAULT, HISTORY_PAGE
from server.protocol.requests import (
    JoinRoom,
)
from tui_chat.client import cleaning
from tui_chat.client.backlog import Backlog
from tui_chat.client.delivery import Delivery
from tui_chat.client.entering import is_another_log, say_goodbye
from tui_chat.client.events import Event, KeepingFailed, LogChanged, MembersChanged, Noticed, RoomEntered, TopicChanged
from tui_chat.client.gate import Gate
from tui_chat.client.kept_log import KeptLog
from tui_chat.client.link import Link
from tui_chat.client.local_history import LocalHistory, Shelf
from tui_chat.client.outbox import Outbox, Place
from tui_chat.client.plain import PlainTalk, Said
from tui_chat.client.results import Results
from tui_chat.client.room_talk import RoomTalk
from tui_chat.client.roster import Roster
from tui_chat.client.searching import Searcher
from tui_chat.client.spans import Gap
from tui_chat.client.speaking import Speaking
from tui_chat.client.tasks import Tasks

if TYPE_CHECKING:
    from tui_chat.client.transport import Transport

log = logging.getLogger("chat.client")


class Room(RoomTalk):
    """A room that was joined; `ChatClient.join` makes it.

    Attributes:
        name: As the server writes it.
        topic: What it is about; may be empty.
        nick: Your own nickname in it.
        member_id: Your own id, which your messages have.
        log: What was said, as far as it is known.
        gate: Open with the connection on which the room is joined.
        delivery: What you posted into it and is not sent.
        trouble: Why it could not be joined yet, empty when nothing was wrong.
        plain: The server is a plain one (`tui_chat.client.plain`): nobody is told to be there, nothing is kept.
    """

    def __init__(
        self,
        request: JoinRoom,
        *,
        link: Link,
        tasks: Tasks,
        tell: Callable[[Event], None],
        on_left: "Callable[[Room], None]",
        new_id: Callable[[], UUID],
        now_ms: Callable[[], int],
        place: Callable[[], Place],
        outbox: Outbox | None,
        history: LocalHistory | None,
        messages_held: int | None,
        searcher: Searcher,
    ) -> None:
        self.name = request.room_name
        self.topic = ""
        self.nick = request.nick_name
        self.member_id: str = ""
        self._roster = Roster(lambda members: tell(MembersChanged(self.name, members)))
        self.gate: Gate[Transport] = Gate()
        self.trouble = ""
        self._link = link
        self._searcher = searcher
        self._tell = tell
        self._on_left = on_left
        self._new_id = new_id
        self._talk = PlainTalk(lambda: self.nick, now_ms)
        self._speaking = Speaking(self.gate, link, self._talk)
        self._backlog = Backlog(self.name, self.gate, link, tasks, self._log_changed, bound=messages_held)
        self.log = self._backlog.log
        if history is not None:
            at = place()
            shelf = Shelf(at.server, at.room, at.nick)
            self._backlog.kept = KeptLog(history, shelf, self.log, tasks, lambda why: tell(KeepingFailed(why)))
        self.delivery = Delivery(
            self.name,
            place,
            outbox,
            gate=self.gate,
            link=link,
            tasks=tasks,
            tell=tell,
            new_id=new_id,
            now_ms=now_ms,
            talk=self._talk,
        )
        self._known = False
        self._invite = request.invite
        self._limit = request.limit
        self._entered_before = False
        self._opening: asyncio.Task[None] | None = None
        self._tasks = tasks
        # The newest message that was kept, until the server has shown that it has the same.
        self._unproven: Message | None = None
        self.plain = False
        self._left = False

    async def leave(self) -> None:
        """Go out of the room; its log stays readable."""
        if self._left:
            return
        self._left = True
        transport = self.gate.value
        self.end(NotJoined("you have left the room"), quietly=True)
        self._on_left(self)
        if transport is not None:
            await self._say_goodbye(transport)

    # -- reading

    async def load_older(self, limit: int = HISTORY_PAGE) -> bool:
        """Fetch what was said before the first entry of the log.

        Args:
            limit: How many entries, at most 200.

        Returns:
            Whether there is still more.

        Raises:
            ChatError: As `send`.
        """
        return await self._backlog.load_older(limit)

    async def fill(self, gap: Gap, limit: int | None = None, *, oldest_first: bool = False) -> None:
        """Fetch what is missing in a gap; `log.gaps()` says what is missing still.

        Args:
            gap: One of `log.gaps()`, or what was one.
            limit: How many entries, all by default.
            oldest_first: Begin next to the older messages, not next to the newer ones.

        Raises:
            ChatError: As `send`.
        """
        await self._backlog.fill(gap, limit, oldest_first=oldest_first)

    async def load_around(self, seq: int, limit: int = HISTORY_PAGE // 2) -> bool:
        """Fetch what was said about a message; whether it is in the log now, perhaps behind a gap. Raises as `send`."""
        await self._backlog.load_around(seq=seq, limit=limit)
        return seq in self.log

    async def load_at(self, ts: int, limit: int = HISTORY_PAGE // 2) -> int | None:
        """Fetch what was said about a time, in milliseconds since the epoch. Raises as `send`.

        Returns:
            The `seq` of the first message of then or later, or else of the last one; None when there is none.
        """
        await self._backlog.load_around(at=ts, limit=limit)
        return self.log.first_at(ts)

    async def search(self, query: str, *, before: int | None = None, limit: int = HISTORY_DEFAULT) -> Results:
        """Look for what was said here; see `ChatClient.search`."""
        return await self._searcher.search(query, self.name, before, limit)

    def __aiter__(self) -> "Room":
        return self

    async def __anext__(self) -> Entry:
        """The next entry: a message, or a change to one.

        What was missed is fetched, and then a message reads as it does by now; its
        changes follow as entries all the same.

        Raises:
            StopAsyncIteration: The room was left, or the client closed.
            ChatError: The room was lost.
        """
        entry = await self._backlog.next_entry()
        if entry is None:
            raise StopAsyncIteration
        return entry

    async def trim(self, kept: int) -> bool:
        """Let the oldest messages go from memory, so that `kept` stay; `load_older` brings them back.

        Returns:
            Whether any went.
        """
        return await self._backlog.trim(kept)

    # -- what the client tells the room

    @property
    def members(self) -> dict[str, Member]:
        """Who is there, by member id, yourself included."""
        return self._roster.members

    @property
    def known(self) -> bool:
        """It was entered, or something of it was kept here."""
        return self._entered_before or self._known

    @property
    def entered(self) -> bool:
        """It was entered, now or before a break."""
        return self._entered_before

    async def open(self) -> None:
        """Bring in what was kept of it on this computer; more than once does nothing."""
        if self._opening is None:
            self._opening = self._tasks.start(self._open(), "opening a room")
        await asyncio.wait({self._opening})

    async def settled(self) -> None:
        """Wait until the disk holds what is to be kept, as far as it can."""
        await self.delivery.settled()
        if self._backlog.kept is not None:
            await self._backlog.kept.settled()

    async def enter(self, transport: "Transport", guest_key: str | None) -> JoinResponse:
        """Join over this connection, and take in what the answer brings.

        Raises:
            ChatError: The server refused, or the connection ended.
        """
        since = self.log.last if self._entered_before or self.log.last else None
        joined = await self._join(transport, guest_key, since)
        if self.gate.locked:
            await self._say_goodbye(transport)
            raise NotJoined("you have left the room")
        was_plain, self.plain = self.plain, joined is None
        anew = False
        if joined is None:
            self._backlog.kept = None  # what a plain server says is kept on no disk
        elif since is not None and (was_plain or await is_another_log(transport, joined, since, self._unproven)):
            log.warning("the log of a room is not the one known: it is read anew")
            self._backlog.replaced(joined.room.last_seq)
            if self._backlog.kept is not None:
                await self._backlog.kept.drop()
            since, anew = None, True
            joined = await self._join(transport, guest_key, since)
        answer = joined or self._talk.entered(self.name, self.log.last)
        again, self._entered_before, self._unproven = self._entered_before, True, None
        self.name, self.nick = cleaning.room_name(answer.room.name), cleaning.nickname(answer.nick_name)
        self.member_id = cleaning.member_id(answer.member_id)
        self._backlog.room = self.name
        self.delivery.room = self.name
        self.gate.open(transport)
        self._tell(RoomEntered(self.name, again, anew))
        self._roster.joined(answer.members)
        self._set_topic(answer.room.topic)
        self._keep_place()
        self._backlog.entered(replace(answer, messages=cleaning.entries(answer.messages)), since, again=again)
        return answer

    def pushed(self, entry: Entry) -> None:
        """An entry came."""
        entry = cleaning.entry(entry)
        self._backlog.pushed(entry)
        if isinstance(entry, TopicChange) and self.gate.value is not None:
            self._set_topic(entry.topic)

    def overheard(self, push: Said) -> None:
        """A plain server told that something was said."""
        told = self._talk.overheard(self.name, push, self.log.last)
        if isinstance(told, Message):
            self._backlog.pushed(told)
            self._talk.came_back(told)
        elif told.nick_name != self.nick:
            self._tell(Noticed(told))

    def presence(self, push: PresencePush) -> None:
        """Members came, left or changed nickname."""
        self._roster.changed(push)
        if (own := self.members.get(self.member_id)) is not None:
            self.nick = own.nick_name

    def disconnected(self) -> None:
        """The connection is lost."""
        self.gate.shut()
        self.log.broken()
        self._talk.broken()

    def end(self, error: ChatError, *, quietly: bool = False) -> None:
        """Nothing follows: whoever waits gets this error, and `async for` ends, by it or `quietly`."""
        self.gate.lock(error)
        self._roster.end()
        self._backlog.end(quietly=quietly)

    # -- within

    async def _open(self) -> None:
        kept = await self._backlog.kept.open() if self._backlog.kept is not None else None
        if kept is not None:
            self.name, self.topic = cleaning.room_name(kept.name), cleaning.topic(kept.topic)
            self.member_id = kept.member_id
            self._unproven = next(reversed(list(self.log.messages())), None)
            self._known = True
        await self.delivery.take_over()

    async def _join(self, transport: "Transport", guest_key: str | None, since: int | None) -> JoinResponse | None:
        request = JoinRoom(
            room_name=self.name,
            nick_name=self.nick,
            since=since,
            limit=HISTORY_PAGE if since is not None else self._limit,
            guest_key=guest_key,
            invite=self._invite,
        )
        return await transport.join(request)

    async def _say_goodbye(self, transport: "Transport") -> None:
        if transport.plain_room is not None:
            self._link.gate.shut(transport)  # it takes no other room
        await say_goodbye(transport, self.name)

    def _set_topic(self, topic: str) -> None:
        topic = cleaning.topic(topic)
        if topic != self.topic:
            self.topic = topic
            self._keep_place()
            self._tell(TopicChanged(self.name, topic))

    def _keep_place(self) -> None:
        if self._backlog.kept is not None:
            entered = self._backlog.kept.entered(self.name, self.topic, self.member_id, names.canonical_key(self.nick))
            self._tasks.start(entered, "keeping a room")

    def _log_changed(self, seqs: tuple[int, ...], live: bool) -> None:
        if seqs:
            self._tell(LogChanged(self.name, seqs, live))
