"""Those who talk and listen while everything breaks: clients of the SDK, and what they were told."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

from benchmarks.faults.checker import Read, Said
from server.protocol.errors import ChatError, Unavailable
from tui_chat.client.chat import ChatClient
from tui_chat.client.room import Room

EMOJI = ("👍", "🎉", "🤔")

EDITS = 0.06
REACTIONS = 0.1
RETURNS = 0.03
"""How likely it is, after a message, that its writer edits it, reacts to it, or comes back as a new
client and says it again."""

SEND_TIMEOUT = 4.0
"""Seconds after which a writer calls `send` anew, with the same `clientId`."""


class Writer:
    """Says one thing after the other, each until it is answered.

    Attributes:
        said: Everything it ever sent, in order.
        repeats: Acknowledgements that said `duplicate`.
        refusals: How often which error ended an attempt. Only what is unavailable is tried again.
        client: The connection it has now.
    """

    def __init__(self, url: str, room: str, name: str, seed: int, on_answer: Callable[[], None]) -> None:
        self.said: list[Said] = []
        self.repeats = 0
        self.refusals: Counter[str] = Counter()
        self.client: ChatClient | None = None
        self._url = url
        self._room = room
        self._name = name
        self._random = random.Random(seed)
        self._on_answer = on_answer
        self._enough = False

    def stop(self) -> None:
        """Say no more than what is on its way."""
        self._enough = True

    async def run(self) -> None:
        """Talk until told to stop and until all of it is answered."""
        guest_key = None
        again: tuple[Said, UUID, str] | None = None
        while again is not None or not self._enough:
            async with ChatClient(self._url, guest_key=guest_key, connect_in_background=True) as self.client:
                room = await _joined(self.client, self._room, self._name)
                if again is not None:
                    await self._deliver(room, *again)
                again = await self._talk(room)
                guest_key = self.client.guest_key

    async def _talk(self, room: Room) -> tuple[Said, UUID, str] | None:
        """Until it is enough, or this client goes: then what its next is to say once more."""
        chance = self._random
        while not self._enough:
            mark = f"{self._name}-{len(self.said)}"
            said = Said(self._room, self._name, mark)
            client_id = UUID(int=chance.getrandbits(128), version=4)
            text = f"{mark} {'words ' * chance.randrange(12)}"
            self.said.append(said)
            await self._deliver(room, said, client_id, text)
            if said.answers and chance.random() < EDITS:
                await self._change(room.edit(said.answers[0].seq, f"{mark} in better words"))
            target = chance.choice(self.said)
            if target.answers and chance.random() < REACTIONS:
                await self._change(room.react(target.answers[0].seq, chance.choice(EMOJI), chance.random() < 0.7))
            if chance.random() < RETURNS:
                return said, client_id, text
        return None

    async def _deliver(self, room: Room, said: Said, client_id: UUID, text: str) -> None:
        while True:
            try:
                sent = await room.send(text, client_id, timeout=SEND_TIMEOUT)
            except Unavailable as refusal:
                self.refusals[refusal.code] += 1
            except ChatError as refusal:
                self.refusals[refusal.code] += 1
                return
            else:
                said.answers.append(sent)
                self.repeats += sent.duplicate
                self._on_answer()
                return

    async def _change(self, request: Awaitable[object]) -> None:
        """An edit or a reaction has no clientId: once it failed nobody repeats it."""
        try:
            await request
        except ChatError as refusal:
            self.refusals[refusal.code] += 1


class Reader:
    """Keeps what it is given.

    Attributes:
        read: Its record.
        client: Its connection.
        room: Set once it has come in.
    """

    def __init__(self, url: str, room: str, name: str) -> None:
        self.read = Read(room, name)
        self.client = ChatClient(url, connect_in_background=True)
        self.room: Room | None = None
        self.began = asyncio.Event()

    @property
    def last(self) -> int:
        """The `seq` of the last entry that it was given."""
        return self.read.entries[-1].seq if self.read.entries else self.read.began

    async def run(self) -> None:
        """Read until cancelled."""
        async with self.client:
            self.room = room = await _joined(self.client, self.read.room, self.read.reader)
            self.read.began = room.log.last
            self.began.set()
            async for entry in room:
                self.read.entries.append(entry)

    async def finish(self) -> None:
        """Have what is missing fetched, and note what the room looks like in the end."""
        assert self.room is not None
        for gap in self.room.log.gaps():
            await self.room.fill_gap(gap)
        self.read.shown_from = self.room.log.first
        self.read.shown = list(self.room.log.messages(first=self.read.began + 1))


async def _joined(client: ChatClient, room: str, nick: str) -> Room:
    while True:
        with suppress(Unavailable):
            return await client.join(room, nick=nick, timeout=SEND_TIMEOUT)
