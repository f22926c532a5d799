"""Short run of the attack benchmark (`make attacks`), without its latency bounds; its counters and preparations."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from benchmarks.attacks import traffic
from benchmarks.attacks.attacks import ATTACKS
from benchmarks.attacks.preparation import joined_members, messages_with_reactions
from benchmarks.attacks.run import MAX_GROWTH, AttackReport, run_attack
from benchmarks.attacks.traffic import AttackCounters, Flood, packet_flood, request_flood
from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.wait import wait_until
from tui_chat.protocol.limits import REACTIONS_PER_MESSAGE

pytestmark = pytest.mark.timeout(240)  # two programs start, one of them with a low priority

SWITCHING_PROTOCOLS = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def attack_handler(flood: Flood, handle: Handler) -> AsyncGenerator[AttackCounters]:
    """Run a flood within the block against a server that passes each connection to a handler."""
    counters = AttackCounters()
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handle(reader, writer)

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        attacking = asyncio.ensure_future(flood(server.sockets[0].getsockname()[1], counters))
        try:
            yield counters
        finally:
            attacking.cancel()
            for writer in writers:
                writer.transport.abort()
            await asyncio.wait({attacking})


async def test_a_bystander_is_served_during_an_attack() -> None:
    report = await run_attack("messages", 0.5)
    assert report.counters.units > 0
    assert report.counters.is_limited
    assert 0 < report.p99 <= report.worst


@pytest.mark.parametrize(
    ("quiet_p99", "p99", "growth", "is_isolated"),
    [
        (0.001, 0.05, MAX_GROWTH, True),
        (0.001, 0.051, 0, False),
        (0.1, 0.3, 0, True),
        (0.1, 0.31, 0, False),
        (0.001, 0.001, MAX_GROWTH + 1, False),
    ],
)
def test_an_attack_is_isolated_within_the_limits_of_latency_and_memory(
    quiet_p99: float, p99: float, growth: int, is_isolated: bool
) -> None:
    report = AttackReport("messages", quiet_p99, p99, p99, cpu=1.0, growth=growth, counters=AttackCounters())
    assert report.is_isolated == is_isolated


async def test_a_request_flood_counts_errors_as_rejections_and_missing_responses_as_disconnects() -> None:
    responses = iter([b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 429 Too Many Requests\r\n\r\n", b""] * 3)

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        response = next(responses, None)
        if response is None:
            await reader.read()  # until the end of the attack
        else:
            writer.write(response)
        writer.close()

    async with attack_handler(request_flood("GET / HTTP/1.1", connections=1), respond) as counters:
        await wait_until(lambda: counters.units == 10)
    assert counters == AttackCounters(units=10, rejections=3, disconnects=3)


async def test_a_packet_flood_counts_rate_limited_errors_and_waits_for_a_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traffic, "MIN_DELAY", 0.01)

    async def reject_and_stop_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHING_PROTOCOLS + b'43[{"ok":false,"error":{"code":"rate_limited"}}]')

    async with attack_handler(packet_flood("6", connections=1), reject_and_stop_reading) as counters:
        await wait_until(lambda: counters.delays)
    assert counters.rejections == counters.delays == 1
    assert counters.disconnects == 0


@pytest.mark.parametrize(
    ("flood", "first_bytes"),
    [(packet_flood("6", connections=1), b"joinRoom"), (ATTACKS["empty fragments"].flood, b"\x01\x81")],
)
async def test_each_connection_of_an_attack_starts_with_the_first_frames(flood: Flood, first_bytes: bytes) -> None:
    received: list[bytes] = []

    async def disconnect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHING_PROTOCOLS)
        received.append(await reader.readexactly(100))
        writer.close()

    async with attack_handler(flood, disconnect) as counters:
        await wait_until(lambda: counters.disconnects > 2)
    assert len(received) > 2
    assert all(first_bytes in data for data in received)


async def test_preparations_add_members_and_messages_with_reactions(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, trusted_proxy=("127.0.0.1",), message_burst=100.0) as server,
        messages_with_reactions(2)(server.port),
        joined_members(3, "mallory")(server.port),
        raw_client(server.url) as reader,
    ):
        joined = await reader.join("attack", "reader")
        nick_names = sorted(member["nickName"] for member in joined["members"])
        assert nick_names == ["mallory", "mallory2", "mallory3", "reader"]
        messages = [entry for entry in joined["messages"] if "reactions" in entry]
        assert [len(message["reactions"]) for message in messages] == [REACTIONS_PER_MESSAGE] * 2
