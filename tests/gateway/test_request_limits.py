"""Rate limits of stored entries, stored bytes and refused requests on a real server."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.engineio.options import PACKET_RATE
from server.gateway.request_limits import DEFAULT_RATES
from tests.support.in_process_server import running_server
from tests.support.monotonic_clocks import ManualMonotonicClock
from tests.support.raw_client import raw_client


def build_change(event: str, number: int) -> dict[str, Any]:
    """Return the fields of a change in `tea`; the number makes repeated changes of most kinds different."""
    fields: dict[str, Any] = {
        "editMessage": {"seq": 1, "message": str(number)},
        "setTopic": {"topic": str(number)},
        "react": {"seq": 1, "emoji": f"r{number}", "on": True},
        "deleteMessage": {"seq": 1},
    }[event]
    return {"room": "tea", **fields}


@pytest.mark.parametrize("event", ["editMessage", "setTopic", "react", "deleteMessage"])
async def test_changes_share_the_rate_limit_of_messages(tmp_path: Path, event: str) -> None:
    clock = ManualMonotonicClock()
    async with running_server(tmp_path, message_burst=5, monotonic=clock) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        assert (await ann.request("sendMessage", {"room": "tea", "message": "first"}))["ok"]
        responses = [await ann.request(event, build_change(event, number)) for number in range(20)]
        assert [response["ok"] for response in responses] == [True] * 4 + [False] * 16
        assert {response["error"]["reason"] for response in responses[4:]} == {"too_many_messages"}


async def test_stored_bytes_are_limited(tmp_path: Path) -> None:
    clock = ManualMonotonicClock()
    message = {"room": "tea", "message": "茶" * 4000}
    accepted = int(DEFAULT_RATES["stored_bytes"].burst) // len(json.dumps(message))
    async with running_server(tmp_path, message_burst=1000, monotonic=clock) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        responses = [await ann.request("sendMessage", message) for _ in range(2 * accepted)]
        assert [response["ok"] for response in responses] == [True] * accepted + [False] * accepted
        assert responses[-1]["error"]["reason"] == "too_many_messages"
        assert (await ann.request("listRooms", {}))["ok"]


async def test_a_client_that_continues_after_refusals_is_throttled_and_closed(tmp_path: Path) -> None:
    settings = {"message_burst": 1, "message_rate": 0.01, "flood_timeout": 0.2}
    request_count = int(PACKET_RATE.burst) // 2  # the packet limit does not close the connection
    async with running_server(tmp_path, **settings) as server, raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        for number in range(request_count):
            await mallory.ws.send_str(f'421{number:04}["sendMessage",{{"room":"tea","message":"m"}}]')
        answers: list[dict[str, Any]] = []
        pushed_reasons: list[str] = []
        while (packet := await mallory.read_packet()) is not None:
            if packet.startswith("431"):
                answers.append(json.loads(packet[7:])[0])
            elif packet.startswith('42["error"'):
                pushed_reasons.append(json.loads(packet[2:])[1]["reason"])
        reasons = [answer["error"]["reason"] for answer in answers if not answer["ok"]]
        assert DEFAULT_RATES["refusals"].burst <= len(reasons) < request_count
        assert set(reasons) == {"too_many_messages"}
        assert pushed_reasons == ["rate_limit_ignored"]
        assert sum(answer["ok"] for answer in answers) == 1


async def test_other_requests_do_not_extend_the_deadline_of_throttled_messages(tmp_path: Path) -> None:
    settings = {"message_burst": 1, "message_rate": 20, "flood_timeout": 0.5}
    async with running_server(tmp_path, **settings) as server, raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        for _ in range(50):
            await mallory.ws.send_str('42["sendMessage",{"room":"tea","message":"m"}]')
            await mallory.ws.send_str('42["typing",{"room":"tea","on":true}]')
        last_packet = ""
        while (packet := await mallory.read_packet()) is not None:
            last_packet = packet
        assert json.loads(last_packet[2:])[1]["reason"] == "rate_limit_ignored"


@pytest.mark.parametrize("message", ["m" * 4001, 7, "", None])
async def test_too_many_requests_that_cannot_be_decoded_close_the_connection(tmp_path: Path, message: Any) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        for number in range(40):
            packet = json.dumps(["sendMessage", {"room": "tea", "message": message}])
            await mallory.ws.send_str(f"42{number + 100}{packet}")
        await mallory.wait_closed()
