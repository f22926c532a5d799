"""Members of a room on all servers after a fault run: equal lists, unique nicknames and no departed members."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack

from benchmarks.faults.checker import Violation, ViolationKind
from benchmarks.faults.fleet import request_until_available
from tests.support.raw_client import RawClient, raw_client
from tui_chat.protocol import names

_RETRY_DELAY = 0.5  # seconds

Members = frozenset[tuple[str, str]]
"""Member ids and nicknames of a room."""


async def audit_members(urls: Sequence[str], room: str, count: int, timeout: float) -> list[Violation]:
    """Wait for equal and correct lists of members on all servers, and return the violations after a timeout.

    The function joins the room once on each server.

    Args:
        urls: URLs of all servers.
        room: Name of the room.
        count: Number of other members.
        timeout: Maximum time until the lists are equal, in seconds.
    """
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(url)) for url in urls]
        request = {"roomName": room, "nickName": "auditor", "limit": 1}
        for client in clients:
            await request_until_available(client, "joinRoom", request)
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            lists = [await _list_members(client, room) for client in clients]
            violations = _find_violations(room, lists, count + len(clients))
            if not violations or asyncio.get_running_loop().time() >= deadline:
                return violations
            await asyncio.sleep(_RETRY_DELAY)


async def _list_members(client: RawClient, room: str) -> Members:
    response = await request_until_available(client, "listMembers", {"room": room})
    return frozenset((member["memberId"], member["nickName"]) for member in response["members"])


def _find_violations(room: str, lists: Sequence[Members], count: int) -> list[Violation]:
    """Return repeated nicknames, wrong member counts and differences between the servers."""
    violations: list[Violation] = []
    for members in lists:
        nicks = Counter(names.canonical_key(nick) for _, nick in members)
        violations += [
            Violation(ViolationKind.NICKNAME, f"{room}: {nick} is held by {holders} members")
            for nick, holders in nicks.items()
            if holders > 1
        ]
        if len(members) != count:
            violations.append(Violation(ViolationKind.UNEXPECTED, f"{room}: {len(members)} members instead of {count}"))
    if len(set(lists)) > 1:
        violations.append(Violation(ViolationKind.ALTERED, f"{room}: the lists of members differ between the servers"))
    return violations
