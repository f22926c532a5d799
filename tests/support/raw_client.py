"""A Socket.IO client of bare WebSocket frames, to send what no library would."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

PATIENCE = 15.0
"""Seconds after which something that was waited for is called missing."""


class RawClient:
    """Reads and writes Engine.IO packets as text.

    Attributes:
        opening: What the server said in the handshake.
        heard: Every packet that came and was not asked for, oldest first.
    """

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws
        self.opening: dict[str, Any] = {}
        self.heard: list[str] = []
        self._ids = itertools.count(1)

    async def packet(self) -> str | None:
        """The next packet, None when the connection is over; pings are answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.ws.receive()
                if message.type is not WSMsgType.TEXT:
                    return None
                if message.data != "2":
                    return str(message.data)
                await self.ws.send_str("3")

    async def let_in(self) -> dict[str, Any]:
        """Send CONNECT and read its answer."""
        await self.ws.send_str("40")
        answer = await self.packet()
        assert answer is not None
        assert answer.startswith("40{")
        return json.loads(answer[2:])

    async def ask(self, event: str, *args: Any) -> Any:
        """Send an event and read until its answer; pushes are kept in `heard`."""
        number = next(self._ids)
        await self.ws.send_str(f"42{number}" + json.dumps([event, *args]))
        return await self.answer(number)

    async def answer(self, number: int) -> Any:
        """Read until the answer to request `number`; pushes are kept in `heard`."""
        head = f"43{number}["
        while True:
            packet = await self.packet()
            assert packet is not None, "the server closed the connection"
            if packet.startswith(head):
                return json.loads(packet[len(head) - 1 :])[0]
            self.heard.append(packet)

    async def join(self, room: str, nick: str, **fields: Any) -> dict[str, Any]:
        """Join, which must succeed."""
        answer = await self.ask("joinRoom", {"roomName": room, "nickName": nick, **fields})
        assert answer["ok"], answer
        return answer

    async def flood(self, room: str, texts: Sequence[str]) -> None:
        """Say much, and wait for the answer to every hundredth only.

        It has to be read now and then: who leaves pings and pushes unread is taken for dead and cut.
        """
        for number, text in enumerate(texts, 1):
            message = {"room": room, "message": text}
            if number % 100 == 0 or number == len(texts):
                await self.ask("sendMessage", message)
            else:
                await self.ws.send_str("42" + json.dumps(["sendMessage", message]))

    async def event(self, name: str) -> Any:
        """The first argument of the next push of this name, kept or to come."""
        head = f'42["{name}",'
        while True:
            for packet in self.heard:
                if packet.startswith(head):
                    self.heard.remove(packet)
                    return json.loads(packet[2:])[1]
            packet = await self.packet()
            assert packet is not None, "the server closed the connection"
            self.heard.append(packet)

    def vanish(self) -> None:
        """Be gone without a word, as a machine that loses its power."""
        connection = self.ws._response.connection  # pyright: ignore[reportPrivateUsage]
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def closed(self) -> None:
        """Read until the server closes the connection; fails when it does not."""
        while await self.packet() is not None:
            pass


@asynccontextmanager
async def raw_client(
    url: str, *, connect: bool = True, headers: dict[str, str] | None = None, compress: int = 0
) -> AsyncGenerator[RawClient]:
    """A connection; with `connect` false it has only shaken hands."""
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    async with (
        ClientSession() as session,
        session.ws_connect(address, max_msg_size=0, headers=headers, compress=compress) as ws,
    ):
        client = RawClient(ws)
        opening = await client.packet()
        assert opening is not None
        client.opening = json.loads(opening[1:])
        if connect:
            await client.let_in()
        yield client
