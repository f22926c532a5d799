"""Users of a fault run with a simulated display; `make faults` runs a terminal and a page."""

import asyncio

import pytest

from benchmarks.faults import interactive_clients
from benchmarks.faults.checker import ViolationKind
from benchmarks.faults.interactive_clients import InteractiveClient
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.protocol.events import Message


async def test_a_user_types_messages_until_the_stop_and_waits_for_their_display(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interactive_clients, "WRITE_INTERVAL", 0.001)
    typed: list[str] = []
    reads = 0

    async def send(text: str) -> None:
        typed.append(text)

    async def read() -> list[str]:
        nonlocal reads
        reads += 1
        return typed[: -1 if reads == 1 else None]

    user = InteractiveClient("tea", "user", send, read)
    writing = asyncio.create_task(user.run())
    await wait_until(lambda: len(typed) > 2)
    user.stop()
    await writing
    assert typed == [f"user-{number} text" for number in range(len(typed))]
    assert [(message.marker, message.is_persisted) for message in user.sent] == [
        (f"user-{number}", True) for number in range(len(typed))
    ]

    log = [
        Message(room="tea", seq=seq, id=seq, nick_name="user", member_id="user", message=text, ts=0)
        for seq, text in enumerate(typed, 1)
    ]
    await user.compare(log, timeout=TIMEOUT)
    assert (user.violations, user.displayed, reads) == ([], typed, 2)
    await user.compare(log[:-1], timeout=0)
    assert [violation.kind for violation in user.violations] == [ViolationKind.DISPLAY]
