"""Low-level Engine.IO client over HTTP long polling, able to send invalid requests."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    TraceConfig,
    TraceRequestHeadersSentParams,
)

from tests.support.wait import RESPONSE_TIMEOUT

PACKET_SEPARATOR = "\x1e"


@dataclass(frozen=True)
class PollingResponse:
    """HTTP response of the endpoint."""

    status: int
    body: str
    content_type: str = ""

    @property
    def packets(self) -> list[str]:
        """Packets of a successful response."""
        assert self.status == 200, self
        return self.body.split(PACKET_SEPARATOR)

    @property
    def error(self) -> tuple[int, int]:
        """HTTP status and error code of a failed response."""
        return self.status, json.loads(self.body)["code"]


class PollingClient:
    """Client of one Engine.IO endpoint.

    Attributes:
        handshake: Handshake of the server; empty before `open_session`.
    """

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._endpoint = url + "/socket.io/"
        self.handshake: dict[str, Any] = {}

    @property
    def session_query(self) -> dict[str, str]:
        """Query parameters of the session."""
        return {"EIO": "4", "transport": "polling", "sid": self.handshake["sid"]}

    async def request(self, method: str, query: dict[str, str], **options: Any) -> PollingResponse:
        """Send an arbitrary request to the endpoint."""
        async with self._session.request(method, self._endpoint, params=query, **options) as response:
            return PollingResponse(response.status, await response.text(), response.headers.get("Content-Type", ""))

    async def open_session(self) -> None:
        """Perform the handshake."""
        (packet,) = (await self.request("GET", {"EIO": "4", "transport": "polling"})).packets
        assert packet.startswith("0{")
        self.handshake = json.loads(packet[1:])

    async def poll(self, **query: str) -> PollingResponse:
        """Send one GET request."""
        return await self.request("GET", {**self.session_query, **query})

    async def post(self, *packets: str, **options: Any) -> PollingResponse:
        """Send packets in one POST request."""
        return await self.request("POST", self.session_query, data=PACKET_SEPARATOR.join(packets).encode(), **options)

    async def connect_namespace(self) -> str:
        """Connect to the root namespace and return the CONNECT packet of the server."""
        assert (await self.post("40")).body == "ok"
        (packet,) = await self.receive_packets()
        assert packet.startswith("40{")
        return packet

    async def receive_packets(self) -> list[str]:
        """Return the next packets other than pings; answer pings."""
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            while True:
                packets = (await self.poll()).packets
                if "2" in packets:
                    await self.post("3")
                if received := [packet for packet in packets if packet != "2"]:
                    return received

    async def start_poll(self) -> "asyncio.Task[PollingResponse]":
        """Start a GET request and return its task after the server has begun to process it."""
        request_sent = asyncio.Event()
        poll_task = asyncio.create_task(self.request("GET", self.session_query, trace_request_ctx=request_sent))
        await request_sent.wait()
        # The server accepts the connection of the poll before it answers the first of these requests, and reads
        # the poll before it answers the second.
        for _ in range(2):
            await self.request("OPTIONS", {})
        assert not poll_task.done()
        return poll_task

    async def open_websocket(self, **query: str) -> ClientWebSocketResponse:
        """Open a WebSocket for the session."""
        url = self._endpoint.replace("http", "ws", 1)
        return await self._session.ws_connect(
            url, params={**self.session_query, "transport": "websocket", **query}, max_msg_size=0
        )


async def _on_request_headers_sent(
    session: ClientSession, context: SimpleNamespace, params: TraceRequestHeadersSentParams
) -> None:
    if isinstance(context.trace_request_ctx, asyncio.Event):
        context.trace_request_ctx.set()


@asynccontextmanager
async def polling_client(
    url: str, *, with_handshake: bool = True, headers: dict[str, str] | None = None
) -> AsyncGenerator[PollingClient]:
    """Provide a client, by default after the handshake; close the session at the end."""
    trace = TraceConfig()
    trace.on_request_headers_sent.append(_on_request_headers_sent)
    timeout = ClientTimeout(total=RESPONSE_TIMEOUT)
    async with ClientSession(timeout=timeout, trace_configs=[trace], headers=headers) as session:
        client = PollingClient(session, url)
        if with_handshake:
            await client.open_session()
        yield client
        if client.handshake:
            with suppress(ClientError):
                await client.post("1")
