"""An Engine.IO session by HTTP long-polling, one request at a time, to send what no library would."""

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

PATIENCE = 15.0
"""Seconds after which an answer that was waited for is called missing."""

SEPARATOR = "\x1e"


@dataclass(frozen=True)
class Answer:
    """What a request was answered with."""

    status: int
    body: str
    content_type: str = ""

    @property
    def packets(self) -> list[str]:
        """The payload's packets, of an answer that has some."""
        assert self.status == 200, self
        return self.body.split(SEPARATOR)

    @property
    def fault(self) -> tuple[int, int]:
        """The status and the code of a refusal."""
        return self.status, json.loads(self.body)["code"]


class PollingClient:
    """Requests to one server's endpoint.

    Attributes:
        opening: What the server said in the handshake, empty before it.
    """

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._endpoint = url + "/socket.io/"
        self.opening: dict[str, Any] = {}

    @property
    def query(self) -> dict[str, str]:
        """What every request of the session has."""
        return {"EIO": "4", "transport": "polling", "sid": self.opening["sid"]}

    async def request(self, method: str, query: dict[str, str], **how: Any) -> Answer:
        """Any request at all."""
        async with self._session.request(method, self._endpoint, params=query, **how) as response:
            return Answer(response.status, await response.text(), response.headers.get("Content-Type", ""))

    async def open(self) -> None:
        """Shake hands."""
        (packet,) = (await self.request("GET", {"EIO": "4", "transport": "polling"})).packets
        assert packet.startswith("0{")
        self.opening = json.loads(packet[1:])

    async def poll(self, **query: str) -> Answer:
        """One GET."""
        return await self.request("GET", {**self.query, **query})

    async def post(self, *packets: str, **how: Any) -> Answer:
        """One POST with these packets."""
        return await self.request("POST", self.query, data=SEPARATOR.join(packets).encode(), **how)

    async def let_in(self) -> str:
        """CONNECT to the root namespace; the packet that answers it."""
        assert (await self.post("40")).body == "ok"
        (packet,) = await self.hear()
        assert packet.startswith("40{")
        return packet

    async def hear(self) -> list[str]:
        """The packets of the next poll; pings are answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                packets = (await self.poll()).packets
                if "2" in packets:
                    await self.post("3")
                if heard := [packet for packet in packets if packet != "2"]:
                    return heard

    async def polling(self) -> "asyncio.Task[Answer]":
        """A poll that waits at the server by the time this returns."""
        sent = asyncio.Event()
        pending = asyncio.create_task(self.request("GET", self.query, trace_request_ctx=sent))
        await sent.wait()
        # What was sent before another request is read before that is answered: its connection is taken
        # before the first of these, and it is read before the second.
        for _ in range(2):
            await self.request("OPTIONS", {})
        assert not pending.done()
        return pending

    async def websocket(self, **query: str) -> ClientWebSocketResponse:
        """A WebSocket for the session."""
        address = self._endpoint.replace("http", "ws", 1)
        return await self._session.ws_connect(
            address, params={**self.query, "transport": "websocket", **query}, max_msg_size=0
        )


async def _sent(session: ClientSession, context: SimpleNamespace, params: TraceRequestHeadersSentParams) -> None:
    if isinstance(context.trace_request_ctx, asyncio.Event):
        context.trace_request_ctx.set()


@asynccontextmanager
async def polling_client(url: str, *, opened: bool = True) -> AsyncGenerator[PollingClient]:
    """A session by polling; with `opened` false it has not even shaken hands."""
    trace = TraceConfig()
    trace.on_request_headers_sent.append(_sent)
    async with ClientSession(timeout=ClientTimeout(total=PATIENCE), trace_configs=[trace]) as session:
        client = PollingClient(session, url)
        if opened:
            await client.open()
        yield client
        if client.opening:
            with suppress(ClientError):
                await client.post("1")
