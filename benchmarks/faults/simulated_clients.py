"""Writers and readers of a fault run, based on the SDK, with records of sent and received messages."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from benchmarks.faults.checker import ReadRecord, SentMessage
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room
from tui_chat.protocol.errors import ChatError, Forbidden, NotFound, NotJoined, Unavailable

EMOJI = ("👍", "🎉", "🤔")

EDIT_PROBABILITY = 0.06
REACTION_PROBABILITY = 0.1
RECONNECT_PROBABILITY = 0.03
"""Probabilities of an edit, a reaction, and a reconnect with a repeated message, after each message."""

SEND_TIMEOUT = 4.0
"""Seconds before a writer repeats `send` with the same `clientId`."""

_RETRY_DELAY = 0.2  # seconds


class SimulatedWriter:
    """Writer that sends one message at a time and waits for its acknowledgement.

    Args:
        url: URL of the server.
        name: Name in the markers.
        seed: Seed of all randomness.
        on_ack: Called with each acknowledgement.
        nick: Requested nickname.

    Attributes:
        room: Name of the room.
        sent: All sent messages, in order.
        duplicate_acks: Acknowledgements with `duplicate`.
        error_counts: Failed attempts by error code; only `unavailable` messages are repeated.
        client: Current client; None before the start.
        member_id: Member id; empty before the first join.
    """

    def __init__(self, url: str, room: str, name: str, seed: int, on_ack: Callable[[], None], *, nick: str) -> None:
        self.sent: list[SentMessage] = []
        self.duplicate_acks = 0
        self.error_counts: Counter[str] = Counter()
        self.client: ChatClient | None = None
        self.room = room
        self._url = url
        self._name = name
        self._rng = random.Random(seed)
        self._on_ack = on_ack
        self._nick = nick
        self._is_stopping = False
        self._banned_ids = set[str]()
        self.member_id = ""

    def stop(self) -> None:
        """Stop after the current message."""
        self._is_stopping = True

    def expect_ban(self, member_id: str) -> None:
        """Record the ban of a member id of this writer, before the request."""
        self._banned_ids.add(member_id)

    async def run(self) -> None:
        """Send messages until `stop` is called and the last message is acknowledged or rejected.

        An unavailable server delays the writer, without a time limit. A banned writer continues as a new guest.
        """
        guest_key = None
        pending_resend: tuple[SentMessage, UUID, str] | None = None
        while pending_resend is not None or not self._is_stopping:
            async with ChatClient(self._url, guest_key=guest_key, connect_in_background=True) as self.client:
                try:
                    room = await _join_until_available(self.client, self.room, self._nick)
                    self.member_id = room.member_id
                    if pending_resend is not None:
                        await self._deliver(room, *pending_resend)
                    pending_resend = await self._send_messages(room)
                except (Forbidden, NotJoined):
                    if self.member_id not in self._banned_ids:
                        raise
                    guest_key = pending_resend = None
                else:
                    guest_key = self.client.guest_key

    async def _send_messages(self, room: Room) -> tuple[SentMessage, UUID, str] | None:
        """Send messages until `stop` or a random reconnect; return the message to repeat after the reconnect."""
        rng = self._rng
        while not self._is_stopping:
            marker = f"{self._name}-{len(self.sent)}"
            message = SentMessage(self.room, self._name, marker)
            client_id = UUID(int=rng.getrandbits(128), version=4)
            text = f"{marker} {'words ' * rng.randrange(12)}"
            self.sent.append(message)
            await self._deliver(room, message, client_id, text)
            if message.acks and rng.random() < EDIT_PROBABILITY:
                await self._apply_change(room.edit(message.acks[0].seq, f"{marker} edited"))
            target = rng.choice(self.sent)
            if target.acks and rng.random() < REACTION_PROBABILITY:
                await self._apply_change(room.react(target.acks[0].seq, rng.choice(EMOJI), rng.random() < 0.7))
            if rng.random() < RECONNECT_PROBABILITY:
                return message, client_id, text
        return None

    async def _deliver(self, room: Room, message: SentMessage, client_id: UUID, text: str) -> None:
        """Send a message until an acknowledgement or a final error, and record the result."""
        while True:
            try:
                ack = await room.send(text, client_id, timeout=SEND_TIMEOUT)
            except Unavailable as error:
                self.error_counts[error.code] += 1
            except ChatError as error:
                if isinstance(error, Forbidden | NotJoined) and self.member_id in self._banned_ids:
                    raise
                self.error_counts[error.code] += 1
                return
            else:
                message.acked_at = message.acked_at or time.monotonic()
                message.acks.append(ack)
                self.duplicate_acks += ack.duplicate
                self._on_ack()
                return

    async def _apply_change(self, request: Awaitable[object]) -> None:
        """Await an edit or a reaction, and count a failure; a failed request is not repeated."""
        try:
            await request
        except ChatError as error:
            if isinstance(error, Forbidden | NotJoined) and self.member_id in self._banned_ids:
                raise
            self.error_counts[error.code] += 1


class SimulatedReader:
    """Reader that records all received entries.

    Args:
        url: URL of the server.
        room: Name of the room.
        name: Name in the record.
        nick: Requested nickname.

    Attributes:
        record: Received entries and final state.
        client: Client of the reader.
        room: Joined room; None before the join.
        joined: Set after the join.
    """

    def __init__(self, url: str, room: str, name: str, *, nick: str) -> None:
        self.record = ReadRecord(room, name)
        self._nick = nick
        self.client = ChatClient(url, connect_in_background=True)
        self.room: Room | None = None
        self.joined = asyncio.Event()

    @property
    def last_seq(self) -> int:
        """`seq` of the last received entry, that of the join without one."""
        return self.record.entries[-1].seq if self.record.entries else self.record.start_seq

    async def run(self) -> None:
        """Join the room, repeatedly while the server is unavailable, and record entries until cancelled."""
        async with self.client:
            self.room = room = await _join_until_available(self.client, self.record.room, self._nick)
            self.record.start_seq = room.log.last
            self.joined.set()
            async for entry in room:
                self.record.entries.append(entry)
                self.record.received_at.append(time.monotonic())

    async def finalize(self) -> None:
        """Fill all gaps and record the final state of the room."""
        assert self.room is not None
        for gap in self.room.log.gaps():
            await self.room.history.fill_gap(gap)
        self.record.visible_from = self.room.log.first
        self.record.visible = list(self.room.log.messages(first=self.record.start_seq + 1))


async def _join_until_available(client: ChatClient, room: str, nick: str) -> Room:
    while True:
        with suppress(Unavailable):
            return await client.join(room, nick=nick, timeout=SEND_TIMEOUT)


async def ban_writer(url: str, token: str, writer: SimulatedWriter) -> None:
    """Ban the current member id of a writer, repeatedly while the server is unavailable; no effect before its join.

    Args:
        url: URL of the server.
        token: Token of an administrator.
        writer: Writer, which continues as a new guest.
    """
    member_id = writer.member_id
    if not member_id:
        return
    writer.expect_ban(member_id)
    async with ChatClient(url, token=token, connect_in_background=True) as client:
        room = await _join_until_available(client, writer.room, "moderator")
        while True:
            with suppress(Unavailable, NotJoined):  # not joined: until the next join after a lost connection
                with suppress(NotFound):  # a guest without messages has left
                    await room.moderation.ban(member_id)
                return
            await asyncio.sleep(_RETRY_DELAY)
