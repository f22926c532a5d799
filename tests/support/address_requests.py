"""Requests that name a room by an address, in all dialects."""

import json
from typing import Any

from tests.support.raw_client import RawClient

ADDRESS = "~aaaabbbbccccdddd"
"""Address that no room has."""

ADDRESS_REQUESTS: list[tuple[str, Any]] = [
    ("joinRoom", {"roomName": ADDRESS, "nickName": "eve"}),
    ("joinRoom", {"roomName": ADDRESS, "nickName": "eve", "invite": "guessed"}),
    ("joinRoom", ADDRESS),
    ("joinRoom", {"roomId": ADDRESS, "nickName": "eve", "id": 1}),
    ("observe", {"room": ADDRESS}),
    ("leaveRoom", {"room": ADDRESS}),
    ("leaveRoom", {"room": ADDRESS, "forget": True}),
    ("history", {"room": ADDRESS, "before": 9}),
    ("search", {"query": "tea", "room": ADDRESS}),
    ("listMembers", {"room": ADDRESS}),
    ("sendMessage", {"room": ADDRESS, "message": "hi"}),
    ("sendMessage", {"room": ADDRESS, "message": "hi", "as": {"nickName": "eve"}}),
    ("client_msg", {"roomId": ADDRESS, "msg": "hi"}),
    ("editMessage", {"room": ADDRESS, "seq": 1, "message": "hi"}),
    ("deleteMessage", {"room": ADDRESS, "seq": 1}),
    ("react", {"room": ADDRESS, "seq": 1, "emoji": "👍", "on": True}),
    ("setTopic", {"room": ADDRESS, "topic": "news"}),
    ("typing", {"room": ADDRESS, "on": True}),
    *((event, {"room": ADDRESS, "memberId": "g1"}) for event in ("kick", "ban", "unban", "mute", "unmute")),
    ("setRole", {"room": ADDRESS, "memberId": "g1", "role": "member"}),
    ("audit", {"room": ADDRESS}),
    ("changeNick", {"room": ADDRESS, "nickName": "eve"}),
]
"""Requests of all entry points that name a room, with an address."""


async def request_without_ack(client: RawClient, event: str, body: Any) -> Any:
    """Send a request of a basic client, and return its error event."""
    await client.ws.send_str("42" + json.dumps([event, body]))
    return await client.wait_for_push("error")
