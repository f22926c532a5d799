"""A load driver that costs little: it counts what arrives instead of decoding it.

Each member is one WebSocket over a bare asyncio protocol. Only probes, a few
of the members, look into the messages: they measure the time from send to
arrival and check that `seq` grows by one where the server gives any.
"""

import asyncio
import json
import os
import struct
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

MARK = b'42["message",{'
"""How every message starts on the wire, once per delivery, in every server compared here."""

STAMP = b"@"
"""Stands before the time of sending in a message's text."""


_PING = b"\x81\x012"


@dataclass(slots=True)
class Tally:
    """What all members of one driver counted.

    Attributes:
        delivered: Messages that arrived.
        acknowledged: Sends that were answered.
        refused: Sends that were answered with an error.
        latencies: Seconds from send to arrival, of the probes.
        disorder: Times that a probe saw a `seq` that was not the next.
        lost: Connections that ended before they should.
    """

    delivered: int = 0
    acknowledged: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list[float])
    disorder: int = 0
    lost: int = 0


class Member(asyncio.Protocol):
    """One connection.

    Args:
        tally: Where it counts.
        probe: Look into what arrives; whoever sends must.
    """

    def __init__(self, tally: Tally, *, probe: bool = False) -> None:
        self.tally = tally
        self.probe = probe
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.leaving = False
        self.on_answer: Callable[[], None] | None = None
        self._shaking_hands = True
        self._tail: bytes = b""
        self._seq = 0
        self._ack = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self.transport = transport = cast(asyncio.Transport, transport)
        key = b64encode(os.urandom(16)).decode()
        transport.write(
            (
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        """Count, or as a probe look."""
        if self._shaking_hands:
            data = self._tail + data
            head, found, data = bytes(data).partition(b"\r\n\r\n")
            if not found:
                self._tail = head
                return
            self._tail = b""
            self._shaking_hands = False
            self.send(b"40")
        if self.probe:
            self._look(data)
            return
        tail = self._tail
        seen = tail + data
        self.tally.delivered += seen.count(MARK) - tail.count(MARK)
        if not self.ready.done() and b"40{" in seen:
            self.ready.set_result(None)
        if _PING in seen and seen.count(_PING) > tail.count(_PING):
            self.send(b"3")
        self._tail = seen[-len(MARK) + 1 :]

    def _look(self, data: bytes) -> None:
        buffer = self._tail + data
        at = 0
        while len(buffer) - at >= 2:
            length, start = buffer[at + 1] & 127, at + 2
            if length == 126:
                if len(buffer) - at < 4:
                    break
                length, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                if len(buffer) - at < 10:
                    break
                length, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if len(buffer) < start + length:
                break
            self._packet(buffer[start : start + length])
            at = start + length
        self._tail = buffer[at:]

    def _packet(self, packet: bytes) -> None:
        if packet.startswith(MARK):
            self.tally.delivered += 1
            body = json.loads(packet[2:])[1]
            text = body["message"].encode()
            if STAMP in text:
                self.tally.latencies.append(time.perf_counter() - float(text.partition(STAMP)[2].split()[0]))
            if "seq" in body:
                self.tally.disorder += self._seq not in (0, body["seq"] - 1)
                self._seq = body["seq"]
        elif packet.startswith(b"43"):
            taken = b'"ok":true' in packet
            self.tally.acknowledged += taken
            self.tally.refused += not taken
            if self.on_answer is not None:
                self.on_answer()
        elif packet == b"2":
            self.send(b"3")
        elif packet.startswith(b"40") and not self.ready.done():
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count those that nobody wanted."""
        if not self.leaving:
            self.tally.lost += 1
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError("the server closed the connection"))

    def send(self, payload: bytes) -> None:
        """Write one Engine.IO packet; the mask is zero, which costs nothing and is allowed."""
        length = len(payload)
        head = bytes((0x81, 0x80 | length)) if length < 126 else b"\x81\xfe" + struct.pack(">H", length)
        self.transport.write(head + b"\0\0\0\0" + payload)

    def ask(self, event: str, body: dict[str, object]) -> None:
        """Send an event that wants an acknowledgement."""
        self._ack += 1
        self.send(f"42{self._ack}".encode() + json.dumps([event, body], ensure_ascii=False).encode())

    def say(self, room: str, nick: str, size: int) -> None:
        """Send a message of so many bytes that carries the time."""
        text = f"{STAMP.decode()}{time.perf_counter():.6f} ".ljust(size, "x")
        self.ask("sendMessage", {"room": room, "nickName": nick, "message": text})

    def stop_reading(self) -> None:
        """From now on take nothing from the kernel."""
        self.transport.pause_reading()

    def leave(self) -> None:
        """End the connection."""
        self.leaving = True
        self.transport.abort()


async def enter(url: str, tally: Tally, room: str, nick: str, *, probe: bool = False) -> Member:
    """Connect a member and put it into a room."""
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, member = await loop.create_connection(
        lambda: Member(tally, probe=probe), address.hostname or "", address.port or 0
    )
    await member.ready
    member.ask("joinRoom", {"roomName": room, "nickName": nick})
    return member
