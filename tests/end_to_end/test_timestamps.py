"""Timestamps outside the range of `datetime` on the screen, in screen-reader mode and in `tail`."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.environment import program_environment
from tests.support.hostile_server import hostile_server
from tests.support.program import PIPE, start_program
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import TIMEOUT

TIMESTAMPS = (-(10**17), -1, 10**17, 2**63 - 1, 10**30)


async def respond(_: web.WebSocketResponse, event: str, __: dict[str, Any]) -> dict[str, Any]:
    if event not in {"joinRoom", "observe"}:
        return {"ok": True}
    common = {"kind": "message", "room": "tea", "nickName": "eve", "memberId": "m2"}
    messages = [
        {**common, "seq": seq, "id": seq, "message": f"message {seq}", "ts": ts}
        for seq, ts in enumerate(TIMESTAMPS, start=1)
    ]
    room = {"name": "tea", "topic": "", "logId": "x", "firstSeq": 1, "lastSeq": len(messages), "visibility": "public"}
    member = {"memberId": "m2", "nickName": "eve", "role": "member"}
    identity = {"nickName": "ann", "memberId": "m1", "guestKey": "k"}
    return {"ok": True, "room": room, **identity, "members": [member], "messages": messages, "hasMore": False}


@pytest.fixture
async def address() -> AsyncGenerator[str]:
    async with hostile_server(respond) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("arguments", [("tail", "--no-follow", "--server"), ("--screen-reader",)])
async def test_line_based_modes_print_messages_with_extreme_timestamps(
    tmp_path: Path, address: str, arguments: tuple[str, ...]
) -> None:
    process = await start_program(
        (*CHAT_TUI, *arguments, address, "--room", "tea", "--nick", "ann"),
        program_environment(tmp_path, TZ="Pacific/Kiritimati"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(b"/whois eve\n"), TIMEOUT)
    assert (process.returncode, errors) == (0, b"")
    assert [f"message {seq}" in output.decode() for seq in range(1, len(TIMESTAMPS) + 1)] == [True] * len(TIMESTAMPS)
    assert b"eve: guest" in output or arguments[0] == "tail"
    assert b"Internal error" not in output


async def test_the_screen_shows_messages_with_extreme_timestamps(tmp_path: Path, address: str) -> None:
    command = (*CHAT_TUI, address, "--room", "tea", "--nick", "ann")
    async with terminal(command, tmp_path, environ={"TZ": "America/Adak"}) as tui:
        for seq in range(1, len(TIMESTAMPS) + 1):
            await tui.wait_for_text(f"message {seq}")
        tui.write_keys("/whois eve\r")
        await tui.wait_for_text("eve: guest")
