"""Polling transport (Engine.IO protocol v4: "HTTP long-polling", "Packet encoding")."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server, stoppable_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import raw_client
from tests.support.wait import wait_until
from tui_chat.protocol.limits import PACKET_BYTES

JOIN = '420["joinRoom",{"roomName":"tea","nickName":"ann"}]'


async def is_closed(client: PollingClient) -> bool:
    """Return whether GET and POST both reject the session."""
    return (await client.poll()).status == (await client.post("3")).status == 400


async def test_a_payload_of_one_packet_is_processed(polling: PollingClient) -> None:
    posted = await polling.post("40")
    assert (posted.status, posted.body) == (200, "ok")
    response = await polling.poll()
    assert (response.status, response.content_type) == (200, "text/plain; charset=utf-8")
    assert response.body.startswith('40{"sid":')


async def test_packets_of_a_payload_are_processed_in_order(polling: PollingClient) -> None:
    requests = [f'42{number}["sendMessage",{{"room":"tea","message":"{number}"}}]' for number in range(1, 4)]
    assert (await polling.post("40", JOIN, *requests)).body == "ok"
    responses: list[str] = []
    while len(responses) < 3:
        responses += [packet for packet in await polling.receive_packets() if packet.startswith(("431", "432", "433"))]
    assert [json.loads(response[3:])[0]["seq"] for response in responses] == [1, 2, 3]


async def test_a_payload_with_text_of_several_scripts_is_decoded_as_utf_8(polling: PollingClient) -> None:
    text = "小明说 «добрый» \U0001f375 e\u0301"
    await polling.post("40", JOIN, f'421["sendMessage",{json.dumps({"room": "tea", "message": text})}]')
    packets: list[str] = []
    while not any(packet.startswith('42["message",') and '"message"' in packet for packet in packets):
        packets += [packet for packet in await polling.receive_packets() if '"kind":"message"' in packet]
    assert json.loads(packets[0][2:])[1]["message"] == "小明说 «добрый» \U0001f375 é"


async def test_a_poll_waits_for_the_next_packet(polling: PollingClient) -> None:
    pending = await polling.start_poll()
    await polling.post("40")
    assert (await pending).body.startswith("40{")


async def test_noop_packets_are_ignored(polling: PollingClient) -> None:
    assert (await polling.post("6", "6", "40")).body == "ok"
    assert (await polling.receive_packets())[0].startswith("40{")


@pytest.mark.parametrize("query", [{}, {"t": "Pabc123"}, {"b64": "1"}])
async def test_additional_query_parameters_of_a_poll_are_ignored(polling: PollingClient, query: dict[str, str]) -> None:
    await polling.post("40")
    assert (await polling.poll(**query)).body.startswith("40{")


@pytest.mark.parametrize("body", ["abc", "", "\x1e", "40\x1e", "40\x1e\x1e40", "0{}", "5", "2", "2probe", "7", "bAQID"])
async def test_an_invalid_payload_closes_the_session(polling: PollingClient, body: str) -> None:
    assert (await polling.post(body)).status == 400
    assert await is_closed(polling)


@pytest.mark.parametrize(
    "content_type", ["text/plain;charset=UTF-8", "application/octet-stream", "application/x-www-form-urlencoded", "x"]
)
async def test_the_content_type_of_a_payload_is_ignored(polling: PollingClient, content_type: str) -> None:
    assert (await polling.post("40", headers={"Content-Type": content_type})).body == "ok"
    assert (await polling.receive_packets())[0].startswith("40{")


async def test_a_compressed_payload_is_refused_and_the_session_continues(polling: PollingClient) -> None:
    for body in (gzip.compress(b"40"), gzip.compress(b"6" * 20_000_000), b"40"):
        headers = {"Content-Encoding": "gzip"}
        assert (await polling.request("POST", polling.session_query, data=body, headers=headers)).status == 415
    await polling.connect_namespace()


async def test_packets_before_an_invalid_packet_are_processed(server: RunningServer, polling: PollingClient) -> None:
    await polling.connect_namespace()
    assert (await polling.post(JOIN, '42["sendMessage",{"room":"tea","message":"done"}]', "abc")).status == 400
    async with raw_client(server.url) as ben:
        assert [entry["message"] for entry in (await ben.join("tea", "ben"))["messages"]] == ["done"]


async def test_a_concurrent_second_poll_closes_the_session(polling: PollingClient) -> None:
    first = await polling.start_poll()
    assert (await polling.poll(t="burst")).error == (400, 3)
    assert ((await first).status, (await first).body) == (200, "1")
    assert await is_closed(polling)


async def test_a_concurrent_second_post_closes_the_session(polling: PollingClient) -> None:
    half_sent = asyncio.Event()
    may_finish = asyncio.Event()

    async def body_in_parts() -> AsyncGenerator[bytes]:
        yield b"40\x1e"
        half_sent.set()
        await may_finish.wait()
        yield b"6"

    first = asyncio.create_task(polling.request("POST", polling.session_query, data=body_in_parts()))
    await half_sent.wait()
    while (second := await polling.post("6")).status == 200:
        pass  # the first request has not reached the session yet
    assert second.error == (400, 3)
    may_finish.set()
    await first
    assert await is_closed(polling)


async def test_consecutive_posts_are_accepted(polling: PollingClient) -> None:
    for _ in range(20):
        assert (await polling.post("6")).body == "ok"


async def test_a_close_packet_ends_the_pending_poll_with_a_noop(polling: PollingClient) -> None:
    pending = await polling.start_poll()
    assert (await polling.post("1")).body == "ok"
    assert ((await pending).status, (await pending).body) == (200, "6")
    assert await is_closed(polling)


async def test_a_close_packet_without_a_poll_closes_the_session_immediately(polling: PollingClient) -> None:
    await polling.connect_namespace()
    assert (await polling.post("1", "42[]")).body == "ok"
    assert await is_closed(polling)


async def test_a_close_packet_removes_the_member_from_its_rooms(server: RunningServer, polling: PollingClient) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        await polling.connect_namespace()
        await polling.post(JOIN)
        await polling.post("1")
        notices = [await ben.wait_for_push("message") for _ in range(3)]
        assert [(notice["kind"], notice["nickName"]) for notice in notices] == [
            ("join", "ben"),
            ("join", "ann"),
            ("leave", "ann"),
        ]


@pytest.mark.parametrize("excess", [0, 1])
async def test_a_body_above_the_size_limit_closes_the_session(polling: PollingClient, excess: int) -> None:
    await polling.connect_namespace()
    prefix, suffix = '421["nothing",{"x":"', '"}]'
    body = prefix + "x" * (PACKET_BYTES - len(prefix) - len(suffix) + excess) + suffix
    response = await polling.post(body)
    assert response.status == (413 if excess else 200)
    assert (await polling.receive_packets())[0].startswith('42["error",' if excess else "431[")
    if excess:
        assert (await polling.poll()).body == "1"
        assert await is_closed(polling)


async def test_a_payload_with_too_many_packets_closes_the_session(polling: PollingClient) -> None:
    assert (await polling.post(*["6"] * 64)).status == 200
    assert (await polling.post(*["6"] * 65)).status == 413
    assert await is_closed(polling)


async def test_a_poll_without_its_client_closes_the_session_at_the_next_push(
    server: RunningServer, polling: PollingClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        await polling.connect_namespace()
        await polling.post(JOIN)
        packets: list[str] = []
        while not all(any(packet.startswith(start) for packet in packets) for start in ("430[", '42["presence"')):
            packets += await polling.receive_packets()
        pending = await polling.start_poll()
        pending.cancel()
        await asyncio.wait({pending})
        await ben.request("sendMessage", {"room": "tea", "message": "hi"})
        assert (await ben.wait_for_push("message", kind="leave"))["nickName"] == "ann"
        assert await is_closed(polling)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_an_incomplete_request_closes_the_session_without_a_warning(
    server: RunningServer, polling: PollingClient, caplog: pytest.LogCaptureFixture
) -> None:
    pending = await polling.start_poll()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    query = "&".join(f"{name}={value}" for name, value in polling.session_query.items())
    writer.write(f"POST /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n40".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await pending).body == "1"
    assert await is_closed(polling)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_a_close_packet_is_delivered_by_a_separate_poll(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, polling_client(server.url) as ann:
        await ann.connect_namespace()
        # Too many invalid requests close a connection; the first ones still get responses.
        await ann.post(*[f'42{number}["nothing",{{}}]' for number in range(40)])
        packets = (await ann.poll()).packets
        assert packets[0].startswith("430[")
        # A client that reads a close packet may drop the other packets of the same payload.
        assert "1" not in packets
        assert (await ann.poll()).packets == ["1"]
        assert await is_closed(ann)


async def test_a_stopping_server_sends_going_away_to_pending_and_later_polls(tmp_path: Path) -> None:
    async with (
        stoppable_server(tmp_path) as server,
        polling_client(server.url) as polling,
        polling_client(server.url) as idle,
    ):
        for client in (polling, idle):
            await client.connect_namespace()
        pending = await polling.start_poll()
        server.stop.set()
        assert (await pending).packets[0].startswith('42["goingAway",')
        (going_away,) = (await idle.poll()).packets
        assert going_away[:14] == '42["goingAway"'
        assert (await idle.poll()).packets == ["1"]
        await wait_until(server.task.done)
