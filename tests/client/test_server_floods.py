"""Memory of a client in a room that the server floods."""

import asyncio
import gc
import json
import logging
import tracemalloc
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from aiohttp import web

from tests.support.hostile_server import hostile_server, message_packet, respond_to_join
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import ClientEvent, ProblemReported
from tui_chat.client.room import Room
from tui_chat.client.roster import MAX_MEMBERS
from tui_chat.protocol.limits import REACTIONS_PER_MESSAGE

FLOOD_MEMORY = 3_000_000
"""Maximum memory growth during the second flood of members, in bytes, including the buffers of the connection."""


def update_packet(seq: int, **fields: Any) -> str:
    entry = {"room": "tea", "seq": seq, "id": seq, "ts": 1, "memberId": "m2", "nickName": "eve"}
    return "42" + json.dumps(["update", {**entry, **fields}])


def topic_packet(seq: int) -> str:
    return update_packet(seq, kind="topic", topic=str(seq))


def reaction_packet(seq: int, target: int) -> str:
    return update_packet(seq, kind="reaction", target=target, emoji=f"r{seq}", on=True)


def presence_packet(first: int, last: int) -> str:
    joined = [{"memberId": f"f{n}", "nickName": f"flood{n}", "role": "x" * 100} for n in range(first, last)]
    return "42" + json.dumps(["presence", {"room": "tea", "joined": joined, "left": [], "renamed": []}])


async def run_floods(
    floods: Sequence[Iterable[str]], caplog: pytest.LogCaptureFixture
) -> tuple[Room, list[int], list[ProblemReported]]:
    """Join a room of a server that floods the room, consume the events, and assert that exactly one warning is logged.

    Args:
        floods: Packets of each flood. The last packet is a topic with the `seq` of the topic as its text.
        caplog: Record of the log.

    Returns:
        The room, the traced memory in bytes after each flood, and the reported problems.
    """
    pending_floods = [list(flood) for flood in floods]
    last_seqs = [json.loads(flood[-1][2:])[1]["seq"] for flood in pending_floods]
    problems: list[ProblemReported] = []
    memory: list[int] = []

    async def respond(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if event == "typing":
            for packet in pending_floods.pop(0):
                await socket.send_str(packet)
        return await respond_to_join(socket, event, body)

    async def record_problems(events: EventQueue[ClientEvent]) -> None:
        async for event in events:
            if isinstance(event, ProblemReported):
                problems.append(event)

    tracemalloc.start()
    try:
        async with hostile_server(respond) as port, ChatClient(f"http://127.0.0.1:{port}") as ann:
            recorder_task = asyncio.create_task(record_problems(ann.events()))
            room = await ann.join("tea", nick="ann")
            for last_seq in last_seqs:
                await room.set_typing(True)
                await wait_until(lambda last_seq=last_seq: room.topic == str(last_seq), timeout=40)
                gc.collect()
                memory.append(tracemalloc.get_traced_memory()[0])
        await recorder_task
    finally:
        tracemalloc.stop()
    assert [record.levelno for record in caplog.records if record.levelno >= logging.WARNING] == [logging.WARNING]
    return room, memory, problems


async def test_members_above_the_limit_are_counted_and_reported_once_but_not_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    floods = [
        [*(presence_packet(n, n + 2_000) for n in range(first, last, 2_000)), topic_packet(seq)]
        for seq, first, last in ((1, 0, 12_000), (2, 12_000, 32_000))
    ]
    room, (first_memory, second_memory), problems = await run_floods(floods, caplog)
    assert (len(room.members), room.member_count) == (MAX_MEMBERS, 32_001)
    assert [problem.error.reason for problem in problems] == ["members_unlisted"]
    assert second_memory - first_memory < FLOOD_MEMORY
    assert {member.role for member in room.members.values()} == {"member"}  # replaces roles that are too long


async def test_a_flood_of_reactions_is_limited_per_message_and_in_memory_and_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    floods = [
        [message_packet(1), *(reaction_packet(seq, 1) for seq in range(2, 300)), topic_packet(300)],
        # Changes of later messages are stored until the message arrives.
        [*(reaction_packet(seq, 10_000 + seq) for seq in range(301, 1_500)), topic_packet(1_500)],
        [*(reaction_packet(seq, 10_000 + seq) for seq in range(1_501, 4_000)), topic_packet(4_000)],
    ]
    room, (_, second_memory, third_memory), problems = await run_floods(floods, caplog)
    assert len(room.log[1].reactions or {}) == REACTIONS_PER_MESSAGE
    assert [problem.error.reason for problem in problems] == ["reactions_unlisted"]
    assert third_memory - second_memory < FLOOD_MEMORY / 5


async def test_a_message_with_too_many_reactions_is_truncated_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    summary: dict[str, Any] = {"count": 7, "by": [], "own": False}
    flooded = message_packet(1, reactions={f"r{number}": summary for number in range(50_000)})
    room, _, problems = await run_floods([[flooded, topic_packet(2)]], caplog)
    reactions = room.log[1].reactions or {}
    assert {reaction.count for reaction in reactions.values()} == {7}
    assert len(reactions) == REACTIONS_PER_MESSAGE
    assert [problem.error.reason for problem in problems] == ["reactions_unlisted"]
