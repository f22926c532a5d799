"""Attacks by clients: each fails, logs at most one line and leaves other clients unaffected."""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.monotonic_clocks import ManualMonotonicClock
from tests.support.raw_client import RawClient, raw_client


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    """Server with the default rate limits, whose tokens are not refilled."""
    async with running_server(tmp_path, monotonic=ManualMonotonicClock()) as running:
        yield running


@pytest.fixture
async def bystander(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Member of `tea` that sends a message before and after the attack, and finds both in the history."""
    async with raw_client(server.url) as client:
        await client.join("tea", "bystander")
        assert (await client.request("sendMessage", {"room": "tea", "message": "before"}))["seq"] == 1
        yield client
        assert (await client.request("sendMessage", {"room": "tea", "message": "after"}))["ok"]
        page = await client.request("history", {"room": "tea", "after": 0})
        texts = [entry["message"] for entry in page["messages"]]
        assert (texts[0], texts[-1]) == ("before", "after")


def log_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages of the server log."""
    return [record.getMessage() for record in caplog.records if record.name.startswith("chat")]


def assert_at_most_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """Fail on a traceback or on more than one log line."""
    assert not [record for record in caplog.records if record.exc_info]
    assert len(log_lines(caplog)) <= 1, log_lines(caplog)


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "error", "*", "__disconnect_final"])
async def test_reserved_event_names_are_rejected(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        first = await mallory.join("tea", "mallory")
        response = await mallory.request(name, {"sid": "x"}, "forged")
        assert response["error"]["code"] == "bad_request"
        second = await mallory.join("tea", "mallory")
        assert second["memberId"] == first["memberId"]
        assert {member["nickName"] for member in second["members"]} == {"bystander", "mallory"}
        assert_at_most_one_log_line(caplog)


@pytest.mark.parametrize(
    "packet",
    [
        '451-["sendMessage",{"_placeholder":true,"num":0}]',
        '4599999999-["sendMessage"]',
        '4610-["x"]',
        '461-1["x"]',
        "b4AAAA",
        "",
        "9",
        "4",
        "47",
        "44{}",
        "42",
        "42[]",
        "42[1]",
        "42{}",
        '42["typing"',
        "42" + "[" * 1000 + "]" * 1000,
        "42" + "[" * 30000,
        "42" + "1" * 17 + '["typing",{}]',
        '42/other,["typing",{}]',
        "40/other\udc80",
        "2",
        "2probe",
        "5",
        "40",
    ],
)
async def test_an_invalid_packet_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture, packet: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        raw = packet.encode("utf-8", "surrogateescape")
        await mallory.ws.send_frame(raw, aiohttp.WSMsgType.TEXT)
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)
    assert "tea" not in "".join(log_lines(caplog))
    assert (await bystander.wait_for_push("message", kind="leave"))["nickName"] == "mallory"


async def test_a_binary_frame_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.ws.send_bytes(b"\x04hello")
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)


async def test_an_oversized_message_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        body = json.dumps(["sendMessage", {"room": "tea", "message": "a" * 10_000_000}])
        with suppress(aiohttp.ClientError, ConnectionError):  # the server may close the connection during the send
            await mallory.ws.send_str("42" + body)
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)


@pytest.mark.parametrize(
    ("event", "body", "code"),
    [
        ("joinRoom", [], "bad_request"),
        ("joinRoom", ["tea", "mallory"], "bad_request"),
        ("joinRoom", None, "bad_request"),
        ("joinRoom", {"roomName": None, "nickName": "mallory"}, "bad_request"),
        ("joinRoom", {"roomName": ["tea"], "nickName": "mallory"}, "bad_request"),
        ("joinRoom", {"roomName": "tea", "nickName": "\x1b]52;c;aGk=\x07"}, "nick_invalid"),
        ("joinRoom", {"roomName": "\x9b2J", "nickName": "mallory"}, "room_invalid"),
        ("joinRoom", {"roomName": "tea", "nickName": "m" * 33}, "too_long"),
        ("sendMessage", {"room": "tea", "message": "m" * 4001}, "too_long"),
        ("sendMessage", {"room": "tea", "message": ""}, "bad_request"),
        ("sendMessage", {"room": "coffee", "message": "hi"}, "not_joined"),
        ("sendMessage", {"room": "tea", "message": {"toString": 1}}, "bad_request"),
        ("history", {"room": "coffee", "after": 0}, "not_joined"),
        ("typing", {"room": "tea", "on": 1}, "bad_request"),
        ("nothing", {}, "bad_request"),
    ],
)
@pytest.mark.usefixtures("bystander")
async def test_an_invalid_request_returns_an_error_and_changes_nothing(
    server: RunningServer, caplog: pytest.LogCaptureFixture, event: str, body: Any, code: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        response = await mallory.request(event, body)
        assert (response["ok"], response["error"]["code"]) == (False, code)
        assert (await mallory.request("history", {"room": "tea", "after": 0}))["lastSeq"] == 1
    assert_at_most_one_log_line(caplog)


async def test_deeply_nested_json_is_rejected_or_closes_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for depth in (40, 900, 1000, 5000, 30000):
        async with raw_client(server.url) as mallory:
            await mallory.ws.send_str('421["joinRoom",' + "[" * depth + "]" * depth + "]")
            packet = await mallory.read_packet()
            assert packet is None or json.loads(packet[3:])[0]["error"]["code"] == "bad_request"
    assert not [record for record in caplog.records if record.exc_info]


async def test_too_many_invalid_requests_close_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        for _ in range(40):
            await mallory.ws.send_str('42["nothing",{}]')
        await mallory.wait_closed()
    assert_at_most_one_log_line(caplog)


async def test_room_names_do_not_collide_with_session_ids(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        for room in (bystander.handshake["sid"], "None"):
            await mallory.join(room, "mallory")
            assert (await mallory.request("sendMessage", {"room": room, "message": "to all?"}))["ok"]
        await bystander.request("sendMessage", {"room": "tea", "message": "marker"})
        while (push := await bystander.wait_for_push("message"))["message"] != "marker":
            assert push["room"] == "tea"


async def test_a_nickname_in_a_message_is_ignored(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        await mallory.request("sendMessage", {"room": "tea", "message": "it was me", "nickName": "bystander"})
        push = await bystander.wait_for_push("message", message="it was me")
        assert push["nickName"] == "mallory"


async def test_message_text_is_sanitized(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        await mallory.request("sendMessage", {"room": "tea", "message": "a\x1b]52;c;aGk=\x07b\u202ec\x9bd"})
        push = await bystander.wait_for_push("message", kind="message", nickName="mallory")
        assert push["message"] == "a]52;c;aGk=bcd"


async def test_rate_limited_sends_fail_with_retry_after(server: RunningServer) -> None:
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        responses = [await ann.request("sendMessage", {"room": "tea", "message": str(number)}) for number in range(12)]
        assert [response["ok"] for response in responses] == [True] * 10 + [False] * 2
        assert responses[-1]["error"]["code"] == "rate_limited"
        assert responses[-1]["error"]["retryAfter"] == 0.333  # 3 messages per second


async def test_a_namespace_reconnect_does_not_reset_the_rate_limit(server: RunningServer) -> None:
    async with raw_client(server.url) as mallory:
        accepted = 0
        for _ in range(5):
            await mallory.join("tea", "mallory")
            responses = [await mallory.request("sendMessage", {"room": "tea", "message": "m"}) for _ in range(10)]
            accepted += sum(response["ok"] for response in responses)
            await mallory.ws.send_str("41")
            await mallory.ws.send_str("40")
            while not (packet := await mallory.read_packet() or "").startswith("40"):
                assert packet, "the server closed the connection"
    assert accepted == 10


async def test_a_thousand_joins_from_one_connection_are_limited_and_close_it(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, flood_timeout=0.5) as server,
        raw_client(server.url) as bystander,
        raw_client(server.url) as mallory,
    ):
        for number in range(1000):
            await mallory.ws.send_str(f'42{number}["joinRoom",{{"roomName":"r{number}","nickName":"mallory"}}]')
        responses: list[dict[str, Any]] = []
        while (packet := await mallory.read_packet()) is not None:
            if packet.startswith("43"):
                responses.append(json.loads(packet[packet.index("[") :])[0])
        assert {response["error"]["code"] for response in responses if not response["ok"]} <= {
            "rate_limited",
            "bad_request",
        }
        assert sum(response["ok"] for response in responses) < 64
        await bystander.join("tea", "bystander")
