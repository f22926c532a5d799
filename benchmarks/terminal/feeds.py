"""Servers that do nothing but talk: one for IRC clients, one for chat-tui, each in a thread of its own.

They answer what a client needs to sit in one room, and then say as much as they are
asked to as fast as it is read. What is said was made ready before, so that what is
measured is the client.
"""

import asyncio
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from benchmarks.terminal import talk
from server.gateway.frames import Frame

ROOM = "bench"
BATCH = 50
"""Lines that are written at once."""


class Feed(ABC):
    """A server with one room.

    Attributes:
        port: The TCP port on 127.0.0.1.
        joined: Somebody came into the room.
    """

    def __init__(self) -> None:
        self.port = 0
        self.joined = threading.Event()
        self._count = 0

    def flood(self, lines: int, last: str = "", rate: float | None = None) -> threading.Thread:
        """Say so many lines, beginning now.

        Args:
            lines: How many.
            last: What the last one says, if not something like the others.
            rate: Lines a second; as fast as they are read if None.

        Returns:
            A thread that ends when all were given to the kernel.
        """
        numbers = range(self._count, self._count + lines)
        self._count += lines
        said = [(number, talk.text(number)) for number in numbers]
        if last:
            said[-1] = (said[-1][0], last)
        pieces = [
            b"".join(self._line(number, text) for number, text in said[first : first + BATCH])
            for first in range(0, lines, BATCH)
        ]
        thread = threading.Thread(target=self._say, args=(pieces, rate), daemon=True)
        thread.start()
        return thread

    def _say(self, pieces: list[bytes], rate: float | None) -> None:
        begun = time.perf_counter()
        for number, piece in enumerate(pieces):
            if rate is not None:
                time.sleep(max(0.0, begun + number * BATCH / rate - time.perf_counter()))
            try:
                self._write(piece)
            except OSError:
                return  # the client has gone

    @abstractmethod
    def _line(self, number: int, text: str) -> bytes:
        """One line as it is on the wire."""

    @abstractmethod
    def _write(self, piece: bytes) -> None:
        """Give bytes to the client, and wait until it reads."""


class IrcFeed(Feed):
    """Just enough of RFC 2812 to sit in a channel; without a history, whatever is asked for."""

    def __init__(self, _history: int = 0) -> None:
        super().__init__()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._client: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listening.accept()
            self._client = client
            with suppress(ConnectionError), client, client.makefile("rb") as lines:
                for line in lines:
                    for answer in self._answers(line.decode().split()):
                        client.sendall(f"{answer}\r\n".encode())

    def _answers(self, words: list[str]) -> Iterator[str]:
        match words:
            case ["NICK", nick]:
                yield f":feed 001 {nick} :welcome"
                yield f":feed 005 {nick} CHANTYPES=# :are supported by this server"
                yield f":feed 422 {nick} :no message of the day"
            case ["CAP", "LS", *_]:
                yield ":feed CAP * LS :"
            case ["PING", token, *_]:
                yield f":feed PONG feed {token}"
            case ["JOIN", channel, *_]:
                yield f":ann!u@h JOIN {channel}"
                yield f":feed 353 ann = {channel} :ann {' '.join(talk.NICKS)}"
                yield f":feed 366 ann {channel} :end"
                self.joined.set()
            case _:
                return

    def _line(self, number: int, text: str) -> bytes:
        return f":{talk.nick(number)}!u@h PRIVMSG #{ROOM} :{text}\r\n".encode()

    def _write(self, piece: bytes) -> None:
        assert self._client is not None
        self._client.sendall(piece)


class ChatFeed(Feed):
    """Just enough of the wire (docs/protocol.md) to sit in a room that has a history.

    Attributes:
        oldest: The `seq` of the oldest message that was asked for.

    Args:
        history: How many messages were said before.
    """

    def __init__(self, history: int = 0) -> None:
        super().__init__()
        self._count = self.oldest = history
        self._socket: web.WebSocketResponse | None = None
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
        app.router.add_get("/socket.io/", self._accept)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]

    async def _accept(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        self._socket, self._transport = ws, request.transport
        opening: dict[str, Any] = {
            "sid": "s",
            "upgrades": [],
            "pingInterval": 600_000,
            "pingTimeout": 600_000,
            "maxPayload": 1 << 20,
        }
        await ws.send_str(f"0{json.dumps(opening)}")
        async for frame in ws:
            if frame.type is WSMsgType.TEXT:
                await self._answer(ws, str(frame.data))
        return ws

    async def _answer(self, ws: web.WebSocketResponse, packet: str) -> None:
        if packet.startswith("40"):
            await ws.send_str('40{"sid":"s"}')
        elif packet.startswith("42"):
            number, bracket, rest = packet[2:].partition("[")
            event, body = json.loads(bracket + rest)
            if number:
                await ws.send_str(f"43{number}[{json.dumps({'ok': True, **self._outcome(event, body)})}]")
            if event == "joinRoom":
                self.joined.set()

    def _outcome(self, event: str, body: dict[str, Any]) -> dict[str, Any]:
        limit, last = body.get("limit", 50), self._count
        if event == "history":
            after, before = body.get("after"), body.get("before", last + 1)
            numbers = range(max(1, before - limit), before) if after is None else range(after + 1, after + limit + 1)
            page = [self._entry(number) for number in numbers if number <= last]
            self.oldest = min([self.oldest, *numbers])
            return {"messages": page, "hasMore": bool(page) and page[0]["seq"] > 1, "lastSeq": last}
        if event == "joinRoom":
            return {
                "room": {"name": ROOM, "topic": "", "lastSeq": last, "visibility": "public"},
                "nickName": "ann",
                "memberId": "ann",
                "guestKey": "key",
                "members": [{"memberId": nick, "nickName": nick, "role": "member"} for nick in ("ann", *talk.NICKS)],
                "messages": [self._entry(number) for number in range(max(1, last - limit + 1), last + 1)],
                "hasMore": last > limit,
            }
        return {}

    def _entry(self, number: int, text: str = "") -> dict[str, Any]:
        return {
            "kind": "message",
            "room": ROOM,
            "seq": number,
            "id": number,
            "nickName": talk.nick(number),
            "memberId": f"{talk.nick(number)}-0123456789abcdef",
            "message": text or talk.text(number),
            "ts": talk.START_MS + number * talk.BETWEEN_MS,
        }

    def _line(self, number: int, text: str) -> bytes:
        entry = self._entry(number + 1, text)
        return Frame(f'42["message",{json.dumps(entry, separators=(",", ":"))}]'.encode()).ws_bytes

    def _write(self, piece: bytes) -> None:
        asyncio.run_coroutine_threadsafe(self._give(piece), self._loop).result()

    async def _give(self, piece: bytes) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            raise ConnectionError("the client has gone")
        self._transport.write(piece)
        while self._transport.get_write_buffer_size() > 1 << 16:  # noqa: ASYNC110 (a transport tells nobody)
            await asyncio.sleep(0.001)
