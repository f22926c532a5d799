"""Messages and closing by polling (Engine.IO protocol v4, "HTTP long-polling", "Packet encoding")."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.polling_client import PollingClient, polling_client
from tests.support.raw_client import raw_client
from tests.support.wait import wait_until
from tui_chat.protocol.limits import PACKET_BYTES

JOIN = '420["joinRoom",{"roomName":"tea","nickName":"ann"}]'


async def over(client: PollingClient) -> bool:
    """Whether the session is over, for GET and POST alike."""
    return (await client.poll()).status == (await client.post("3")).status == 400


async def test_a_payload_of_one_packet_is_taken_and_answered(polling: PollingClient) -> None:
    taken = await polling.post("40")
    assert (taken.status, taken.body) == (200, "ok")
    answer = await polling.poll()
    assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert answer.body.startswith('40{"sid":')


async def test_a_payload_of_several_packets_is_taken_in_their_order(polling: PollingClient) -> None:
    asked = [f'42{number}["sendMessage",{{"room":"tea","message":"{number}"}}]' for number in range(1, 4)]
    assert (await polling.post("40", JOIN, *asked)).body == "ok"
    answers: list[str] = []
    while len(answers) < 3:
        answers += [packet for packet in await polling.receive_packets() if packet.startswith(("431", "432", "433"))]
    assert [json.loads(answer[3:])[0]["seq"] for answer in answers] == [1, 2, 3]


async def test_what_is_said_in_any_script_goes_through_a_payload_unharmed(polling: PollingClient) -> None:
    said = "小明说 «добрый» \U0001f375 e\u0301"
    await polling.post("40", JOIN, f'421["sendMessage",{json.dumps({"room": "tea", "message": said})}]')
    heard: list[str] = []
    while not any(packet.startswith('42["message",') and '"message"' in packet for packet in heard):
        heard += [packet for packet in await polling.receive_packets() if '"kind":"message"' in packet]
    assert json.loads(heard[0][2:])[1]["message"] == "小明说 «добрый» \U0001f375 é"


async def test_a_poll_waits_until_there_is_something(polling: PollingClient) -> None:
    pending = await polling.start_poll()
    await polling.post("40")
    assert (await pending).body.startswith("40{")


async def test_noop_packets_do_nothing(polling: PollingClient) -> None:
    assert (await polling.post("6", "6", "40")).body == "ok"
    assert (await polling.receive_packets())[0].startswith("40{")


@pytest.mark.parametrize("query", [{}, {"t": "Pabc123"}, {"b64": "1"}])
async def test_parameters_that_clients_add_against_caches_change_nothing(
    polling: PollingClient, query: dict[str, str]
) -> None:
    await polling.post("40")
    assert (await polling.poll(**query)).body.startswith("40{")


@pytest.mark.parametrize("body", ["abc", "", "\x1e", "40\x1e", "40\x1e\x1e40", "0{}", "5", "2", "2probe", "7", "bAQID"])
async def test_a_payload_that_is_none_ends_the_session(polling: PollingClient, body: str) -> None:
    assert (await polling.post(body)).status == 400
    assert await over(polling)


@pytest.mark.parametrize(
    "content_type", ["text/plain;charset=UTF-8", "application/octet-stream", "application/x-www-form-urlencoded", "x"]
)
async def test_a_payload_is_text_whatever_its_header_says(polling: PollingClient, content_type: str) -> None:
    assert (await polling.post("40", headers={"Content-Type": content_type})).body == "ok"
    assert (await polling.receive_packets())[0].startswith("40{")


async def test_a_compressed_payload_is_taken_up_to_the_limit_of_what_it_holds(polling: PollingClient) -> None:
    compressed = {"Content-Encoding": "gzip"}
    taken = await polling.request("POST", polling.session_query, data=gzip.compress(b"40"), headers=compressed)
    assert taken.body == "ok"
    assert (await polling.receive_packets())[0].startswith("40{")
    bomb = gzip.compress(b"6" * 20_000_000)
    assert len(bomb) < PACKET_BYTES
    assert (await polling.request("POST", polling.session_query, data=bomb, headers=compressed)).status == 413
    assert await over(polling)


async def test_what_is_not_compressed_as_it_says_ends_the_session(polling: PollingClient) -> None:
    answer = await polling.request("POST", polling.session_query, data=b"40", headers={"Content-Encoding": "gzip"})
    assert answer.error == (400, 3)
    assert await over(polling)


async def test_what_comes_before_a_packet_that_is_none_was_done(server: RunningServer, polling: PollingClient) -> None:
    await polling.connect_namespace()
    assert (await polling.post(JOIN, '42["sendMessage",{"room":"tea","message":"done"}]', "abc")).status == 400
    async with raw_client(server.url) as ben:
        assert [entry["message"] for entry in (await ben.join("tea", "ben"))["messages"]] == ["done"]


async def test_a_second_poll_ends_the_session(polling: PollingClient) -> None:
    first = await polling.start_poll()
    assert (await polling.poll(t="burst")).error == (400, 3)
    assert ((await first).status, (await first).body) == (200, "1")
    assert await over(polling)


async def test_a_second_post_at_the_same_time_ends_the_session(polling: PollingClient) -> None:
    half_way = asyncio.Event()
    released = asyncio.Event()

    async def slowly() -> AsyncGenerator[bytes]:
        yield b"40\x1e"
        half_way.set()
        await released.wait()
        yield b"6"

    first = asyncio.create_task(polling.request("POST", polling.session_query, data=slowly()))
    await half_way.wait()
    while (second := await polling.post("6")).status == 200:
        pass  # the first has not come yet
    assert second.error == (400, 3)
    released.set()
    await first
    assert await over(polling)


async def test_posts_one_after_the_other_are_fine(polling: PollingClient) -> None:
    for _ in range(20):
        assert (await polling.post("6")).body == "ok"


async def test_a_client_that_closes_has_its_poll_ended_with_a_noop(polling: PollingClient) -> None:
    pending = await polling.start_poll()
    assert (await polling.post("1")).body == "ok"
    assert ((await pending).status, (await pending).body) == (200, "6")
    assert await over(polling)


async def test_a_client_that_closes_without_a_poll_is_gone_at_once(polling: PollingClient) -> None:
    await polling.connect_namespace()
    assert (await polling.post("1", "42[]")).body == "ok"
    assert await over(polling)


async def test_who_closes_leaves_its_rooms(server: RunningServer, polling: PollingClient) -> None:
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


@pytest.mark.parametrize("spare", [0, 1])
async def test_a_body_up_to_the_limit_is_taken_and_one_above_it_ends_the_session(
    polling: PollingClient, spare: int
) -> None:
    await polling.connect_namespace()
    head, tail = '421["nothing",{"x":"', '"}]'
    body = head + "x" * (PACKET_BYTES - len(head) - len(tail) + spare) + tail
    answer = await polling.post(body)
    assert answer.status == (413 if spare else 200)
    assert await over(polling) if spare else (await polling.receive_packets())[0].startswith("431[")


async def test_more_packets_than_a_payload_may_have_end_the_session(polling: PollingClient) -> None:
    assert (await polling.post(*["6"] * 64)).status == 200
    assert (await polling.post(*["6"] * 65)).status == 413
    assert await over(polling)


async def test_a_client_that_is_gone_while_its_poll_waits_is_no_session_any_more(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        async with polling_client(server.url) as ann:
            await ann.connect_namespace()
            await ann.post(JOIN)
            while not any(packet.startswith("430[") for packet in await ann.receive_packets()):
                pass
            pending = await ann.start_poll()
            pending.cancel()
            await asyncio.wait({pending})
        left: list[str] = []
        number = 0
        while not left:
            number += 1
            await ben.request("sendMessage", {"room": "tea", "message": str(number)})
            left = [packet for packet in ben.pushes if '"kind":"leave"' in packet]
            await asyncio.sleep(0.4)  # the rate that a member may speak at
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_a_request_that_breaks_off_ends_the_session_quietly(
    server: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with polling_client(server.url) as ann:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        query = "&".join(f"{name}={value}" for name, value in ann.session_query.items())
        writer.write(f"POST /socket.io/?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n40".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        statuses: list[int] = []
        while 400 not in statuses:
            statuses.append((await ann.post("6")).status)
        assert await over(ann)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


async def test_a_goodbye_waits_for_the_next_poll(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, polling_client(server.url) as ann:
        await ann.connect_namespace()
        # Too many requests that are not valid end a connection; the answers to the first ones are owed.
        await ann.post(*[f'42{number}["nothing",{{}}]' for number in range(40)])
        packets = (await ann.poll()).packets
        assert packets[0].startswith("430[")
        # Not with what is owed: a client gives out the events of an answer when it has read all of it.
        assert "1" not in packets
        assert (await ann.poll()).packets == ["1"]
        assert await over(ann)


async def test_a_stopping_server_says_goodbye_to_who_polls_and_to_who_will(tmp_path: Path) -> None:
    stopping = asyncio.Event()
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve_until_told() -> None:
        async with running_server(tmp_path) as server:
            url.set_result(server.url)
            await stopping.wait()

    serving_task = asyncio.create_task(serve_until_told())
    async with polling_client(await url) as waiting, polling_client(await url) as between:
        for client in (waiting, between):
            await client.connect_namespace()
        pending = await waiting.start_poll()
        stopping.set()
        assert (await pending).packets[0].startswith('42["goingAway",')
        (goodbye,) = (await between.poll()).packets
        assert goodbye[:14] == '42["goingAway"'
        assert (await between.poll()).packets == ["1"]
        await wait_until(serving_task.done)
