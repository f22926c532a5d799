"""Low-level Socket.IO client over WebSocket, able to send invalid packets."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import BaseConnector, ClientConnectionResetError, ClientSession, ClientWebSocketResponse, WSMsgType

from tests.support.wait import RESPONSE_TIMEOUT


class RawClient:
    """Socket.IO client on the level of Engine.IO text packets.

    Attributes:
        ws: The WebSocket.
        handshake: Handshake of the server.
        pushes: Packets received during waits for other packets, oldest first.
    """

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws
        self.handshake: dict[str, Any] = {}
        self.pushes: list[str] = []
        self._request_ids = itertools.count(1)

    async def read_packet(self) -> str | None:
        """Return the next packet other than a ping, or None after the end of the connection; answer pings."""
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            while True:
                message = await self.ws.receive()
                if message.type is not WSMsgType.TEXT:
                    return None
                if message.data != "2":
                    return str(message.data)
                with suppress(ClientConnectionResetError):  # the server aborted the connection after the ping
                    await self.ws.send_str("3")

    async def connect_namespace(self) -> dict[str, Any]:
        """Connect to the root namespace and return the body of the CONNECT response."""
        await self.ws.send_str("40")
        packet = await self.read_packet()
        assert packet is not None
        assert packet.startswith("40{")
        return json.loads(packet[2:])

    async def request(self, event: str, *args: Any) -> Any:
        """Send an event and return its response; other packets are appended to `pushes`."""
        return await self.read_response(await self.start_request(event, *args))

    async def start_request(self, event: str, *args: Any) -> int:
        """Send an event and return its request id, for `read_response`."""
        request_id = next(self._request_ids)
        await self.ws.send_str(f"42{request_id}" + json.dumps([event, *args]))
        return request_id

    async def read_response(self, request_id: int) -> Any:
        """Return the response to `request_id`; other packets are appended to `pushes`."""
        prefix = f"43{request_id}["
        while True:
            packet = await self.read_packet()
            assert packet is not None, "the server closed the connection"
            if packet.startswith(prefix):
                return json.loads(packet[len(prefix) - 1 :])[0]
            self.pushes.append(packet)

    async def join(self, room: str, nick: str, **fields: Any) -> dict[str, Any]:
        """Join a room and return the successful response."""
        response = await self.request("joinRoom", {"roomName": room, "nickName": nick, **fields})
        assert response["ok"], response
        return response

    async def send_messages(self, room: str, texts: Sequence[str]) -> None:
        """Send messages and await a response after every hundredth and the last.

        The periodic reads are necessary: the server aborts clients that leave pings and pushes unread.
        """
        for number, text in enumerate(texts, 1):
            message = {"room": room, "message": text}
            if number % 100 == 0 or number == len(texts):
                await self.request("sendMessage", message)
            else:
                await self.ws.send_str("42" + json.dumps(["sendMessage", message]))

    async def wait_for_push(self, name: str, **fields: Any) -> Any:
        """Remove and return the first argument of the next push with a name and with the values of `fields`.

        Earlier pushes with the name and with other values are discarded.
        """
        prefix = f'42["{name}",'
        while True:
            for packet in [packet for packet in self.pushes if packet.startswith(prefix)]:
                self.pushes.remove(packet)
                argument = json.loads(packet[2:])[1]
                if all(argument.get(field) == value for field, value in fields.items()):
                    return argument
            packet = await self.read_packet()
            assert packet is not None, "the server closed the connection"
            self.pushes.append(packet)

    def abort(self) -> None:
        """Abort the TCP connection without a close frame, as at a power failure."""
        connection = self.ws._response.connection  # pyright: ignore[reportPrivateUsage]
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def wait_closed(self) -> None:
        """Discard packets until the connection is closed by the server."""
        while await self.read_packet() is not None:
            pass


@asynccontextmanager
async def raw_client(
    url: str,
    *,
    connect: bool = True,
    headers: dict[str, str] | None = None,
    compress: int = 0,
    connector: BaseConnector | None = None,
) -> AsyncGenerator[RawClient]:
    """Open a WebSocket, perform the handshake, and with `connect` connect to the root namespace."""
    ws_url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    async with (
        ClientSession(connector=connector) as session,
        session.ws_connect(ws_url, max_msg_size=0, headers=headers, compress=compress) as ws,
    ):
        client = RawClient(ws)
        packet = await client.read_packet()
        assert packet is not None
        client.handshake = json.loads(packet[1:])
        if connect:
            await client.connect_namespace()
        yield client
