"""A Socket.IO client of bare WebSocket frames, to send what no library would."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

TIMEOUT = 15.0
"""Seconds after which something that was waited for is called missing."""


class RawClient:
    """Reads and writes Engine.IO packets as text.

    Attributes:
        opening: What the server said in the handshake.
        heard: Every packet that came and was not asked for, oldest first.
    """

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws
        self.handshake: dict[str, Any] = {}
        self.pushes: list[str] = []
        self._request_ids = itertools.count(1)

    async def read_packet(self) -> str | None:
        """The next packet, None when the connection is over; pings are answered."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                message = await self.ws.receive()
                if message.type is not WSMsgType.TEXT:
                    return None
                if message.data != "2":
                    return str(message.data)
                await self.ws.send_str("3")

    async def connect_namespace(self) -> dict[str, Any]:
        """Send CONNECT and read its answer."""
        await self.ws.send_str("40")
        packet = await self.read_packet()
        assert packet is not None
        assert packet.startswith("40{")
        return json.loads(packet[2:])

    async def request(self, event: str, *args: Any) -> Any:
        """Send an event and read until its answer; pushes are kept in `heard`."""
        request_id = next(self._request_ids)
        await self.ws.send_str(f"42{request_id}" + json.dumps([event, *args]))
        return await self.read_response(request_id)

    async def read_response(self, request_id: int) -> Any:
        """Read until the answer to request `number`; pushes are kept in `heard`."""
        prefix = f"43{request_id}["
        while True:
            packet = await self.read_packet()
            assert packet is not None, "the server closed the connection"
            if packet.startswith(prefix):
                return json.loads(packet[len(prefix) - 1 :])[0]
            self.pushes.append(packet)

    async def join(self, room: str, nick: str, **fields: Any) -> dict[str, Any]:
        """Join, which must succeed."""
        response = await self.request("joinRoom", {"roomName": room, "nickName": nick, **fields})
        assert response["ok"], response
        return response

    async def send_messages(self, room: str, texts: Sequence[str]) -> None:
        """Say much, and wait for the answer to every hundredth only.

        It has to be read now and then: who leaves pings and pushes unread is taken for dead and cut.
        """
        for number, text in enumerate(texts, 1):
            message = {"room": room, "message": text}
            if number % 100 == 0 or number == len(texts):
                await self.request("sendMessage", message)
            else:
                await self.ws.send_str("42" + json.dumps(["sendMessage", message]))

    async def wait_for_push(self, name: str) -> Any:
        """The first argument of the next push of this name, kept or to come."""
        prefix = f'42["{name}",'
        while True:
            for packet in self.pushes:
                if packet.startswith(prefix):
                    self.pushes.remove(packet)
                    return json.loads(packet[2:])[1]
            packet = await self.read_packet()
            assert packet is not None, "the server closed the connection"
            self.pushes.append(packet)

    def abort(self) -> None:
        """Be gone without a word, as a machine that loses its power."""
        connection = self.ws._response.connection  # pyright: ignore[reportPrivateUsage]
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def wait_closed(self) -> None:
        """Read until the server closes the connection; fails when it does not."""
        while await self.read_packet() is not None:
            pass


@asynccontextmanager
async def raw_client(
    url: str, *, connect: bool = True, headers: dict[str, str] | None = None, compress: int = 0
) -> AsyncGenerator[RawClient]:
    """A connection; with `connect` false it has only shaken hands."""
    ws_url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    async with (
        ClientSession() as session,
        session.ws_connect(ws_url, max_msg_size=0, headers=headers, compress=compress) as ws,
    ):
        client = RawClient(ws)
        packet = await client.read_packet()
        assert packet is not None
        client.handshake = json.loads(packet[1:])
        if connect:
            await client.connect_namespace()
        yield client
