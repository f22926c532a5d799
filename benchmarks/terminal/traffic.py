"""Minimal traffic servers, one for IRC clients and one for chat-tui, each in its own thread.

The servers implement enough for one client in one room and send lines as fast as the client
reads. All lines are encoded in advance, so that the client is the bottleneck.
"""

import asyncio
import io
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from random import Random
from typing import Any

from aiohttp import WSMsgType, web
from PIL import Image, ImageChops

from server.engineio.packets import Frame

NICKS = tuple(f"{name}{number}" for name in ("alice", "bob", "carol", "dave", "erin") for number in range(4))
START_MS = 1_795_000_000_000
INTERVAL_MS = 5_000


def _make_vocabulary() -> list[str]:
    """Return five thousand random words, so that texts compress no better than real chat."""
    rng = Random(1)
    return ["".join(rng.choices("etaoinshrdlucmfwypvbgk", k=rng.randint(2, 9))) for _ in range(5_000)]


_VOCABULARY = _make_vocabulary()
_CUMULATIVE_WEIGHTS = list(
    accumulate(1 / rank for rank in range(1, len(_VOCABULARY) + 1))
)  # Zipf's law, as in natural language


def line_nick(number: int) -> str:
    """Return the nickname of the author of line `number`."""
    return NICKS[number * 7 % len(NICKS)]


def line_text(number: int) -> str:
    """Return the text of line `number`: the number and 4 to 20 words in lowercase, the same at each call."""
    rng = Random(number)
    return f"{number} " + " ".join(rng.choices(_VOCABULARY, cum_weights=_CUMULATIVE_WEIGHTS, k=rng.randint(4, 20)))


ROOM = "bench"
BATCH_LINES = 50
"""Lines per write."""

IMAGE_SIZE = (480, 360)
"""Width and height of images in pixels."""


class TrafficServer(ABC):
    """Server with one room and one client.

    Attributes:
        port: TCP port on 127.0.0.1.
        joined: Set after the join of the client.
    """

    def __init__(self) -> None:
        self.port = 0
        self.joined = threading.Event()
        self._count = 0

    def send_lines(self, lines: int, last_text: str = "", rate: float | None = None) -> threading.Thread:
        """Encode lines, then send them in a thread; the client must have joined.

        Args:
            lines: Number of lines.
            last_text: Text of the last line; generated if empty.
            rate: Lines per second; None for maximum speed.

        Returns:
            Thread that ends after the last write or a disconnection of the client.
        """
        numbers = range(self._count, self._count + lines)
        self._count += lines
        numbered_texts = [(number, line_text(number)) for number in numbers]
        if last_text:
            numbered_texts[-1] = (numbered_texts[-1][0], last_text)
        chunks = [
            b"".join(self._encode_line(number, text) for number, text in numbered_texts[first : first + BATCH_LINES])
            for first in range(0, lines, BATCH_LINES)
        ]
        thread = threading.Thread(target=self._send_chunks, args=(chunks, rate), daemon=True)
        thread.start()
        return thread

    def _send_chunks(self, chunks: list[bytes], rate: float | None) -> None:
        """Send encoded lines, with `BATCH_LINES` per chunk, until the client disconnects."""
        start_time = time.perf_counter()
        for number, chunk in enumerate(chunks):
            if rate is not None:
                time.sleep(max(0.0, start_time + number * BATCH_LINES / rate - time.perf_counter()))
            try:
                self._write(chunk)
            except OSError:
                return  # client disconnected

    @abstractmethod
    def _encode_line(self, number: int, text: str) -> bytes:
        """Return one line in the protocol of the server."""

    @abstractmethod
    def _write(self, chunk: bytes) -> None:
        """Write bytes to the client, blocking while the client does not read."""


class IrcTrafficServer(TrafficServer):
    """Minimal IRC server (RFC 2812) with one channel and without history."""

    def __init__(self, _history: int = 0) -> None:
        super().__init__()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            self._client = client
            with suppress(ConnectionError), client, client.makefile("rb") as lines:
                for line in lines:
                    for response in self._responses(line.decode().split()):
                        client.sendall(f"{response}\r\n".encode())

    def _responses(self, words: list[str]) -> Iterator[str]:
        """Yield the responses to a message of the client."""
        match words:
            case ["NICK", nick]:
                yield f":server 001 {nick} :welcome"
                yield f":server 005 {nick} CHANTYPES=# :are supported by this server"
                yield f":server 422 {nick} :no message of the day"
            case ["CAP", "LS", *_]:
                yield ":server CAP * LS :"
            case ["PING", token, *_]:
                yield f":server PONG server {token}"
            case ["JOIN", channel, *_]:
                yield f":ann!u@h JOIN {channel}"
                yield f":server 353 ann = {channel} :ann {' '.join(NICKS)}"
                yield f":server 366 ann {channel} :end"
                self.joined.set()
            case _:
                return

    def _encode_line(self, number: int, text: str) -> bytes:
        return f":{line_nick(number)}!u@h PRIVMSG #{ROOM} :{text}\r\n".encode()

    def _write(self, chunk: bytes) -> None:
        assert self._client is not None
        self._client.sendall(chunk)


def _create_image() -> bytes:
    """Return a PNG image of color gradients with the noise of a photo."""
    bands: list[Image.Image] = []
    for angle in (0, 90, 180):
        gradient = Image.linear_gradient("L").rotate(angle).resize(IMAGE_SIZE)
        bands.append(ImageChops.add(gradient, Image.effect_noise(IMAGE_SIZE, 8), offset=-128))
    encoded = io.BytesIO()
    Image.merge("RGB", bands).save(encoded, "PNG")
    return encoded.getvalue()


class ChatTrafficServer(TrafficServer):
    """Minimal chat server (docs/protocol.md) with one room and a history.

    Args:
        history: Number of history messages.
        images: Number of the newest history messages with an image.

    Attributes:
        oldest: Lowest `seq` requested so far, initially `history`.
    """

    def __init__(self, history: int = 0, images: int = 0) -> None:
        super().__init__()
        self._count = self.oldest = history
        self._first_image = history - images + 1 if images else None
        self._image = _create_image() if images else b""
        self._websocket: web.WebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._serve, args=(ready,), daemon=True).start()
        ready.wait()

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/socket.io/", self._handle_websocket)
        app.router.add_get("/api/uploads/{id}/image.png", self._send_image)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]

    async def _send_image(self, _: web.Request) -> web.Response:
        return web.Response(body=self._image, content_type="image/png")

    async def _handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        self._websocket, self._transport = ws, request.transport
        handshake: dict[str, Any] = {
            "sid": "s",
            "upgrades": [],
            "pingInterval": 600_000,
            "pingTimeout": 600_000,
            "maxPayload": 1 << 20,
        }
        await ws.send_str(f"0{json.dumps(handshake)}")
        async for frame in ws:
            if frame.type is WSMsgType.TEXT:
                await self._handle_packet(ws, str(frame.data))
        return ws

    async def _handle_packet(self, ws: web.WebSocketResponse, packet: str) -> None:
        if packet.startswith("40"):
            await ws.send_str('40{"sid":"s"}')
        elif packet.startswith("42"):
            number, bracket, remainder = packet[2:].partition("[")
            event, body = json.loads(bracket + remainder)
            if number:
                await ws.send_str(f"43{number}[{json.dumps({'ok': True, **self._build_response(event, body)})}]")
            if event == "joinRoom":
                self.joined.set()

    def _build_response(self, event: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of an acknowledgement, which are empty for events other than joins and history."""
        limit, last = body.get("limit", 50), self._count
        if event == "history":
            after, before = body.get("after"), body.get("before", last + 1)
            numbers = range(max(1, before - limit), before) if after is None else range(after + 1, after + limit + 1)
            page = [self._build_entry(number) for number in numbers if number <= last]
            self.oldest = min([self.oldest, *numbers])
            return {
                "messages": page,
                "hasMore": bool(page) and page[0]["seq"] > 1,
                "logId": "log",
                "firstSeq": 1,
                "lastSeq": last,
            }
        if event == "joinRoom":
            return {
                "room": {
                    "name": ROOM,
                    "topic": "",
                    "logId": "log",
                    "firstSeq": 1,
                    "lastSeq": last,
                    "visibility": "public",
                },
                "nickName": "ann",
                "memberId": "ann",
                "guestKey": "key",
                "members": [{"memberId": nick, "nickName": nick, "role": "member"} for nick in ("ann", *NICKS)],
                "messages": [self._build_entry(number) for number in range(max(1, last - limit + 1), last + 1)],
                "hasMore": last > limit,
            }
        return {}

    def _build_entry(self, number: int, text: str = "") -> dict[str, Any]:
        has_image = self._first_image is not None and number >= self._first_image
        return {
            "kind": "message",
            "room": ROOM,
            "seq": number,
            "id": number,
            "nickName": line_nick(number),
            "memberId": f"{line_nick(number)}-0123456789abcdef",
            "message": text or line_text(number),
            "ts": START_MS + number * INTERVAL_MS,
            **({"attachments": [self._build_attachment(number)]} if has_image else {}),
        }

    def _build_attachment(self, number: int) -> dict[str, Any]:
        width, height = IMAGE_SIZE
        return {
            "id": str(number),
            "name": "image.png",
            "type": "image/png",
            "size": len(self._image),
            "path": f"/api/uploads/{number}/image.png",
            "width": width,
            "height": height,
        }

    def _encode_line(self, number: int, text: str) -> bytes:
        entry = self._build_entry(number + 1, text)
        return Frame(f'42["message",{json.dumps(entry, separators=(",", ":"))}]'.encode()).ws_bytes

    def _write(self, chunk: bytes) -> None:
        asyncio.run_coroutine_threadsafe(self._write_with_backpressure(chunk), self._loop).result()

    async def _write_with_backpressure(self, chunk: bytes) -> None:
        """Write bytes, and wait until the client has read most of them."""
        assert self._transport is not None
        if self._transport.is_closing():
            raise ConnectionError("the client disconnected")
        self._transport.write(chunk)
        while self._transport.get_write_buffer_size() > 1 << 16:  # noqa: ASYNC110 (transports without a protocol callback require polling)
            await asyncio.sleep(0.001)
