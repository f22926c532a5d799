"""Packet rate limit of a session, also for packets without a request."""

# pyright: reportPrivateUsage=false
import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import WSMsgType
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import WebSocketReader
from aiohttp.web_protocol import RequestHandler

from server import app
from server.app import RunningServer
from server.domain.rate_limits import Rate
from server.engineio import packet_limiter, polling, session
from server.engineio.engineio_server import EngineIOServer
from server.engineio.packet_limiter import FrameMeter, PacketLimiter, TickBudget
from tests.support.in_process_server import running_server
from tests.support.monotonic_clocks import ManualMonotonicClock
from tests.support.polling_client import polling_client
from tests.support.raw_client import raw_client
from tests.support.raw_websocket import ZERO_MASK, RawWebSocket, encode_text_frames, raw_websocket

BURST, PER_SECOND = 500, 100
EMPTY_FRAGMENT = b"\x00\x80" + ZERO_MASK
EMPTY_PING = b"\x89\x80" + ZERO_MASK


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server with the default packet rate and a short flood timeout."""
    async with running_server(tmp_path, flood_timeout=0.3) as running:
        yield running


async def connect(websocket: RawWebSocket) -> None:
    """Connect to the root namespace."""
    websocket.write_text_frames("40")
    while not (await websocket.read_frame()).payload.startswith(b"40"):
        pass


async def write_forever(websocket: RawWebSocket, data: bytes) -> None:
    """Write data repeatedly, until the connection is lost."""
    with suppress(ConnectionError):
        while True:
            websocket.writer.write(data)
            await websocket.writer.drain()


@pytest.mark.parametrize(
    "frame",
    [*map(encode_text_frames, ("6", "3", "430[]")), EMPTY_PING, EMPTY_FRAGMENT],
    ids=["noop", "pong", "ack", "ping", "fragment"],
)
async def test_a_flood_of_packets_is_throttled_and_then_closed(server: RunningServer, frame: bytes) -> None:
    async with raw_websocket(server.port) as flooder, raw_client(server.url) as bystander:
        await connect(flooder)
        if frame == EMPTY_FRAGMENT:
            flooder.writer.write(b"\x01\x80" + ZERO_MASK)
        flood = asyncio.create_task(write_forever(flooder, frame * 10_000))
        received = b""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while b"rate_limit_ignored" not in received:
                received = (await flooder.read_frame()).payload
        assert (await bystander.request("listRooms", {}))["ok"]
        assert json.loads(received[2:])[0] == "error"
        assert (await flooder.read_frame()).opcode is WSMsgType.CLOSE
        assert (await bystander.request("listRooms", {}))["ok"]
        with suppress(ConnectionError):
            await flooder.read_to_end()
        await flood


@pytest.mark.parametrize("noops", [0, BURST], ids=["unthrottled", "throttled"])
async def test_an_oversized_frame_receives_an_error_and_a_close_frame(server: RunningServer, noops: int) -> None:
    async with raw_websocket(server.port) as websocket:
        await connect(websocket)
        oversized_header = b"\x81\xff" + (10_000_000).to_bytes(8, "big") + ZERO_MASK
        websocket.writer.write(encode_text_frames("6") * noops + oversized_header)
        while not (frame := await websocket.read_frame()).payload.startswith(b'42["error"'):
            assert frame.opcode is WSMsgType.TEXT
        assert json.loads(frame.payload[2:])[1]["reason"] == "packet_too_long"
        frame = await websocket.read_frame()
        assert (frame.opcode, frame.payload[:2]) == (WSMsgType.CLOSE, (1009).to_bytes(2, "big"))


async def test_frames_that_arrive_with_the_upgrade_request_are_counted_and_handled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "PACKET_RATE", Rate(8, 2))
    frames = encode_text_frames("40", *["6"] * 20)
    async with (
        running_server(tmp_path, flood_timeout=0.3) as server,
        raw_websocket(server.port, first_frames=frames) as websocket,
    ):
        payloads: list[bytes] = []
        while (frame := await websocket.read_frame()).opcode is not WSMsgType.CLOSE:
            payloads.append(frame.payload)
        assert [payload[:2] for payload in payloads] == [b"0{", b"40", b"42"]
        assert b"rate_limit_ignored" in payloads[-1]


async def test_a_burst_below_the_flood_timeout_keeps_the_session_open(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as client:
        for _ in range(BURST + PER_SECOND // 2):
            await client.ws.send_str("6")
        assert (await client.request("listRooms", {}))["ok"]


@pytest.mark.parametrize(
    ("packets", "cost"), [(["6"] * 64, 64), ([f'430["{"x" * 14 * 4096}"]'], 15)], ids=["short", "long"]
)
async def test_a_flood_of_posts_is_throttled_and_then_closed(
    server: RunningServer, packets: list[str], cost: int
) -> None:
    async with polling_client(server.url) as flooder, raw_client(server.url) as bystander:
        await flooder.connect_namespace()
        total_cost = 0
        poll = await flooder.start_poll()
        while not poll.done():
            await flooder.post(*packets)
            total_cost += cost
        assert BURST < total_cost < 2 * BURST
        (packet,) = poll.result().packets
        assert json.loads(packet[2:])[1]["reason"] == "rate_limit_ignored"
        assert (await bystander.request("listRooms", {}))["ok"]


async def test_a_delayed_poll_takes_a_token_and_is_rejected_after_the_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engines: list[EngineIOServer]
) -> None:
    monkeypatch.setattr(app, "PACKET_RATE", Rate(8, 4))
    clock = ManualMonotonicClock(time.monotonic())
    stopped_clock = SimpleNamespace(monotonic=clock)
    monkeypatch.setattr(session, "time", stopped_clock)
    monkeypatch.setattr(polling, "time", stopped_clock)
    async with running_server(tmp_path) as server, polling_client(server.url) as client:
        ws = await client.open_websocket()
        await ws.send_str("2probe")
        assert await ws.receive_str() == "3probe"
        for _ in range(7):  # the handshake counts too
            assert (await client.poll()).body == "6"
        delayed = await client.start_poll()
        clock.now += 0.25
        assert (await delayed).body == "6"
        bucket = engines[0].sockets[client.handshake["sid"]].poll_bucket
        assert bucket is not None
        assert bucket.get_quota(clock.now).remaining == 0
        delayed = await client.start_poll()
        await ws.send_str("5")
        assert (await delayed).error == (400, 3)
        await ws.send_str("40")
        assert (await ws.receive_str()).startswith("40{")


async def test_packets_are_not_limited_without_rate_limits(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rate_limit="off", flood_timeout=0.01) as server,
        raw_client(server.url) as client,
    ):
        for _ in range(10 * BURST):
            await client.ws.send_str("6")
        assert (await client.request("listRooms", {}))["ok"]


@pytest.mark.parametrize(("now", "admitted"), [(0.0, 0), (0.2, 20), (1.0, 100), (5.0, 500), (100.0, 500)])
def test_an_empty_bucket_admits_the_refilled_tokens(now: float, admitted: int) -> None:
    limiter = PacketLimiter(Rate(BURST, PER_SECOND), 1000.0, 0.0)
    assert sum(limiter.acquire(0.0) == 0.0 for _ in range(2 * BURST)) == BURST
    assert sum(limiter.acquire(now) == 0.0 for _ in range(2 * BURST)) == admitted


def test_a_flood_ends_at_the_flood_timeout_without_a_full_bucket() -> None:
    limiter = PacketLimiter(Rate(10, 5), 2.0, 0.0)
    assert [limiter.acquire(0.0) for _ in range(10)] == [0.0] * 10
    assert limiter.acquire(0.0) == 0.2
    assert limiter.acquire(1.0) == 0.0  # a free token does not end the throttling
    assert limiter.acquire(1.9) == 0.0
    while (delay := limiter.acquire(2.0)) == 0.0:
        pass
    assert 0 < delay < math.inf
    while (delay := limiter.acquire(2.1)) == 0.0:
        pass
    assert delay == math.inf


def test_a_full_bucket_ends_the_throttling() -> None:
    limiter = PacketLimiter(Rate(10, 5), 2.0, 0.0)
    while not limiter.acquire(0.0):
        pass
    while not (delay := limiter.acquire(2.0)):
        pass
    assert 0 < delay < math.inf
    while not (delay := limiter.acquire(4.1)):  # full: 2.1 s at 5 packets per second
        pass
    assert 0 < delay < math.inf
    assert limiter.acquire(4.1 + 1.9) == 0.0


class RecordingParser:
    """Parser that records the received bytes."""

    def __init__(self) -> None:
        self.data = b""
        self.ended = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        self.ended = True


class PausableTransport(asyncio.Transport):
    """Transport with flags instead of a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.is_paused = False
        self.closed = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class MeterHarness:
    """Frame meter with a clock of its own; `resume` runs the pending timer.

    Attributes:
        now: Time of the clock in seconds.
        protocol: Flow control of aiohttp, which the parser uses too.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rate: Rate) -> None:
        self.now = 0.0
        self.parser = RecordingParser()
        self.transport = PausableTransport()
        self.floods = 0
        self.timers: list[tuple[float, Any]] = []
        monkeypatch.setattr(packet_limiter, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(packet_limiter, "asyncio", SimpleNamespace(get_running_loop=lambda: self))
        limiter = PacketLimiter(rate, 10.0, 0.0)
        self.protocol = BaseProtocol(cast(asyncio.AbstractEventLoop, self))
        self.protocol.transport, self.protocol._upgraded = self.transport, True
        parser, protocol = cast(WebSocketReader, self.parser), cast(RequestHandler, self.protocol)
        self.meter = FrameMeter(parser, protocol, limiter, self.count_flood)

    def count_flood(self) -> None:
        self.floods += 1

    def call_later(self, delay: float, callback: Any) -> None:
        self.timers.append((self.now + delay, callback))

    def resume(self) -> None:
        (self.now, callback), *self.timers = self.timers
        callback()


FRAMES = [
    encode_text_frames("6"),
    b"\x01\x80" + ZERO_MASK,
    EMPTY_FRAGMENT,
    b"\x80\xfe\x00\x80" + ZERO_MASK + b"x" * 128,
    b"\x81\xff" + (4095).to_bytes(8, "big") + ZERO_MASK + b"y" * 4095,
    b"\x81\x7d" + b"z" * 125,
    EMPTY_PING,
    encode_text_frames("41"),
]
"""Frames of all header forms: lengths of 7, 16 and 64 bits, with and without a mask."""


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 13, 4096, 100_000])
def test_every_short_frame_costs_one_token_in_any_segmentation(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    stream = b"".join(FRAMES)
    for burst in range(1, len(FRAMES) + 1):
        harness = MeterHarness(monkeypatch, Rate(burst, 1))
        for position in range(0, len(stream), step):
            assert harness.meter.feed_data(stream[position : position + step]) == (False, b"")
        assert harness.parser.data == b"".join(FRAMES[:burst])
        assert harness.transport.is_paused == (burst < len(FRAMES))
        for count in range(burst + 1, len(FRAMES) + 1):
            harness.resume()
            assert harness.parser.data == b"".join(FRAMES[:count])
        assert (harness.timers, harness.transport.is_paused) == ([], False)


@pytest.mark.parametrize("step", [1000, 200_000])
def test_a_long_frame_costs_one_more_token_per_4_kib(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    frame = b"\x81\xff" + (12_288).to_bytes(8, "big") + ZERO_MASK + b"y" * 12_288
    harness = MeterHarness(monkeypatch, Rate(9, 1))
    stream = frame * 3
    for position in range(0, len(stream), step):
        harness.meter.feed_data(stream[position : position + step])
    assert (harness.parser.data, harness.transport.is_paused) == (frame * 2, True)
    harness.resume()
    assert (harness.now, harness.parser.data, harness.transport.is_paused) == (3.0, frame * 3, False)


def test_a_long_packet_costs_one_more_token_per_4_kib() -> None:
    limiter = PacketLimiter(Rate(64, 1), 10.0, 0.0)
    assert [limiter.acquire(0.0, size) for size in (0, 0, 4095, 65_535, 131_072)] == [0.0] * 5
    assert limiter.acquire(0.0, 49_152) == 1.0
    assert limiter.acquire(1.0, 49_152) == 0.0


async def test_readers_with_a_burst_of_packets_take_turns() -> None:
    handled: list[str] = []

    async def handle_burst(reader: str, sizes: list[int]) -> None:
        budget = TickBudget()
        for size in sizes:
            handled.append(reader)
            if budget.consume(size):
                await asyncio.sleep(0)

    await asyncio.gather(handle_burst("short", [10] * 16), handle_burst("long", [20_000] * 4))
    assert "".join(reader[0] for reader in handled) == "ssssssssllssssssssll"


def test_a_throttled_connection_parses_nothing_before_its_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = MeterHarness(monkeypatch, Rate(2, 1))
    harness.meter.feed_data(EMPTY_PING * 3)
    harness.now = 0.9
    harness.meter.feed_data(EMPTY_PING)
    assert (harness.parser.data, harness.transport.is_paused) == (EMPTY_PING * 2, True)
    harness.resume()
    assert harness.parser.data == EMPTY_PING * 3
    harness.resume()
    assert (harness.parser.data, harness.transport.is_paused) == (EMPTY_PING * 4, False)


def test_reading_stays_paused_until_neither_the_rate_limit_nor_the_parser_pauses_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = MeterHarness(monkeypatch, Rate(1, 1))
    protocol, transport = harness.protocol, harness.transport
    harness.meter.feed_data(EMPTY_PING * 2)
    protocol.pause_reading()
    harness.resume()
    assert (harness.parser.data, transport.is_paused) == (EMPTY_PING * 2, True)
    protocol.resume_reading()
    assert not transport.is_paused
    harness.meter.feed_data(EMPTY_PING)
    protocol.pause_reading()
    protocol.resume_reading()
    assert (harness.parser.data, transport.is_paused) == (EMPTY_PING * 2, True)
    harness.resume()
    assert (harness.parser.data, transport.is_paused) == (EMPTY_PING * 3, False)


def test_a_flood_is_reported_once_and_stays_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = MeterHarness(monkeypatch, Rate(2, 1))
    harness.meter.feed_data(EMPTY_PING * 1000)
    while harness.timers:
        harness.resume()
        harness.meter.feed_data(EMPTY_PING)
    assert harness.now > 10
    assert (harness.floods, harness.transport.is_paused) == (1, True)
    assert len(harness.parser.data) == 13 * len(EMPTY_PING)


def test_buffered_packets_of_a_closed_transport_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = MeterHarness(monkeypatch, Rate(1, 1))
    harness.meter.feed_data(EMPTY_PING * 2)
    harness.transport.close()
    harness.resume()
    assert (harness.parser.data, harness.timers) == (EMPTY_PING, [])
    harness.meter.feed_eof()
    assert harness.parser.ended
