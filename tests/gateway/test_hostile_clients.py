"""What a hostile client tries, and that it fails, with one log line, while everybody else goes on."""

import asyncio
import json
import logging
import signal
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process

TROUBLE = logging.WARNING


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path) as running:
        yield running


@pytest.fixture
async def bystander(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Somebody who was there before the attack and must be able to talk after it."""
    async with raw_client(server.url) as client:
        await client.join("tea", "bystander")
        assert (await client.request("sendMessage", {"room": "tea", "message": "before"}))["seq"] == 1
        yield client
        assert (await client.request("sendMessage", {"room": "tea", "message": "after"}))["ok"]
        page = await client.request("history", {"room": "tea", "after": 0})
        said = [entry["message"] for entry in page["messages"]]
        assert (said[0], said[-1]) == ("before", "after")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("chat")]


def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """At most one line came of it, and no traceback."""
    assert not [record for record in caplog.records if record.exc_info]
    assert len(lines(caplog)) <= 1, lines(caplog)


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "error", "*", "__disconnect_final"])
async def test_an_event_with_a_reserved_name_runs_nothing(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        mine = await mallory.join("tea", "mallory")
        answer = await mallory.request(name, {"sid": "x"}, "forged")
        assert answer["error"]["code"] == "bad_request"
        again = await mallory.join("tea", "mallory")
        assert again["memberId"] == mine["memberId"]
        assert {member["nickName"] for member in again["members"]} == {"bystander", "mallory"}
        quiet(caplog)


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
        '42["sendMessage",{"room":"tea","message":NaN}]',
    ],
)
async def test_a_packet_that_is_none_ends_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture, packet: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        raw = packet.encode("utf-8", "surrogateescape")
        await mallory.ws.send_frame(raw, aiohttp.WSMsgType.TEXT)
        await mallory.wait_closed()
    quiet(caplog)
    assert "tea" not in "".join(lines(caplog))
    left = await bystander.wait_for_push("message")
    assert left["kind"] in ("message", "join", "leave")


async def test_a_binary_frame_ends_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.ws.send_bytes(b"\x04hello")
        await mallory.wait_closed()
    quiet(caplog)


async def test_a_message_of_ten_megabytes_ends_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        body = json.dumps(["sendMessage", {"room": "tea", "message": "a" * 10_000_000}])
        with suppress(aiohttp.ClientError, ConnectionError):  # it may be closed while it is being sent
            await mallory.ws.send_str("42" + body)
        await mallory.wait_closed()
    quiet(caplog)


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
async def test_a_request_that_is_not_valid_gets_an_error_and_changes_nothing(
    server: RunningServer, caplog: pytest.LogCaptureFixture, event: str, body: Any, code: str
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        answer = await mallory.request(event, body)
        assert (answer["ok"], answer["error"]["code"]) == (False, code)
        assert (await mallory.request("history", {"room": "tea", "after": 0}))["lastSeq"] == 1
    quiet(caplog)


async def test_deep_json_inside_a_request_is_refused_or_ends_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for depth in (40, 900, 1000, 5000, 30000):
        async with raw_client(server.url) as mallory:
            await mallory.ws.send_str('421["joinRoom",' + "[" * depth + "]" * depth + "]")
            packet = await mallory.read_packet()
            assert packet is None or json.loads(packet[3:])[0]["error"]["code"] == "bad_request"
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_session_that_never_connects_is_ended(tmp_path: Path) -> None:
    async with running_server(tmp_path, ping_interval=0.3, connect_timeout=0.3) as server:
        async with raw_client(server.url, connect=False) as silent:
            await silent.wait_closed()
        async with raw_client(server.url, connect=False) as elsewhere:
            await elsewhere.ws.send_str("40/other,")
            assert (await elsewhere.read_packet() or "").startswith("44/other,")
            await elsewhere.wait_closed()


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["nothing", "half a head"])
async def test_a_connection_that_asks_for_nothing_is_ended_and_no_other(tmp_path: Path, begun: bytes) -> None:
    async with running_server(tmp_path, connect_timeout=0.5) as server, raw_client(server.url) as client:
        await client.join("tea", "ann")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(begun)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        assert (await client.request("sendMessage", {"room": "tea", "message": "still here"}))["ok"]


async def test_a_client_that_answers_no_ping_is_ended(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, ping_interval=0.2, ping_timeout=0.4) as server,
        raw_client(server.url) as deaf,
        raw_client(server.url) as bystander,
    ):
        await deaf.join("tea", "deaf")
        joined = await bystander.join("tea", "bystander")
        assert len(joined["members"]) == 2
        listening = asyncio.create_task(bystander.wait_for_push("presence"))
        while "deaf" not in str(await asyncio.wait_for(deaf.ws.receive(), 10)) and not deaf.ws.closed:
            pass  # it reads and says nothing
        await listening
        while (push := await bystander.wait_for_push("message"))["kind"] != "leave":
            pass
        assert push["nickName"] == "deaf"


async def test_too_many_requests_that_are_not_valid_end_the_connection(
    server: RunningServer, bystander: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with raw_client(server.url) as mallory:
        for _ in range(40):
            await mallory.ws.send_str('42["nothing",{}]')
        await mallory.wait_closed()
    quiet(caplog)


async def test_one_clients_events_are_carried_out_in_the_order_they_were_sent(tmp_path: Path) -> None:
    async with running_server(tmp_path, rate_limit="off") as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for number in range(300):
            await ann.ws.send_str(f'42{1000 + number}["sendMessage",{{"room":"tea","message":"{number}"}}]')
        seqs = [(await ann.read_response(1000 + number))["seq"] for number in range(300)]
        assert seqs == list(range(1, 301))
        page = await ann.request("history", {"room": "tea", "after": 100, "limit": 200})
        assert [int(entry["message"]) for entry in page["messages"]] == list(range(100, 300))


async def test_the_answer_to_a_send_comes_before_its_push(server: RunningServer) -> None:
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        await ann.wait_for_push("message")
        await ann.ws.send_str('42900["sendMessage",{"room":"tea","message":"hi"}]')
        packets = [await ann.read_packet() for _ in range(3)]
        kinds = [packet[:4] for packet in packets if packet and "presence" not in packet]
        assert kinds == ["4390", '42["']


async def test_nothing_is_pushed_before_a_client_is_let_in(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url, connect=False) as newcomer:
        await bystander.request("sendMessage", {"room": "tea", "message": "hi"})
        await newcomer.ws.send_str("40")
        assert (await newcomer.read_packet() or "").startswith("40{")


async def test_no_compression_is_agreed_on(server: RunningServer) -> None:
    async with raw_client(server.url, compress=15) as client:
        assert client.ws.compress == 0


async def test_a_room_named_like_a_session_or_nothing_is_only_a_room(
    server: RunningServer, bystander: RawClient
) -> None:
    async with raw_client(server.url) as mallory:
        bystander_sid = (await bystander.request("listRooms", {}))["rooms"][0]["name"]
        await mallory.join(str(mallory.handshake["sid"]), "mallory")
        await mallory.join("None", "mallory")
        await mallory.request("sendMessage", {"room": "None", "message": "to all?"})
        await bystander.request("sendMessage", {"room": "tea", "message": "marker"})
        while (push := await bystander.wait_for_push("message"))["message"] != "marker":
            assert push["room"] == bystander_sid


async def test_a_nickname_in_a_message_does_not_speak_for_another(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        await mallory.request("sendMessage", {"room": "tea", "message": "it was me", "nickName": "bystander"})
        while (push := await bystander.wait_for_push("message"))["message"] != "it was me":
            pass
        assert push["nickName"] == "mallory"


async def test_text_is_cleaned_before_anybody_sees_it(server: RunningServer, bystander: RawClient) -> None:
    async with raw_client(server.url) as mallory:
        await mallory.join("tea", "mallory")
        await mallory.request("sendMessage", {"room": "tea", "message": "a\x1b]52;c;aGk=\x07b\u202ec\x9bd"})
        while "52" not in (push := await bystander.wait_for_push("message"))["message"]:
            pass
        assert push["message"] == "a]52;c;aGk=bcd"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Origin": "SELF"}, 101),
        ({"Origin": "http://localhost:PORT"}, 101),  # the same server by its other name
        ({"Origin": "http://[::1]:PORT"}, 101),
        ({"Origin": "https://localhost:PORT"}, 400),
        ({"Origin": "http://localhost:1"}, 400),
        ({"Origin": "http://localhost"}, 400),
        ({"Origin": "http://localhost:x"}, 400),
        ({"Origin": "http://localhost.evil.example:PORT"}, 400),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Origin": "http://friend.example"}, 101),
        ({"Origin": "https://other.example:8443"}, 101),
        ({"Origin": "https://other.example"}, 400),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}, 400),
    ],
)
async def test_only_pages_of_the_server_and_of_listed_origins_connect(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with running_server(
        tmp_path, cors_origin=("http://Friend.example:80/", "https://other.example:8443")
    ) as server:
        headers = {
            name: value.replace("SELF", server.url).replace("PORT", str(server.port)) for name, value in headers.items()
        }
        try:
            async with raw_client(server.url, headers=headers):
                got = 101
        except aiohttp.WSServerHandshakeError as refusal:
            got = refusal.status
        assert got == status


async def test_an_address_that_a_stranger_claims_is_not_believed(tmp_path: Path) -> None:
    claimed = {"X-Forwarded-For": "192.0.2.7"}
    async with running_server(tmp_path, connections_per_address=2) as server:
        # Loopback is exempt, so three get in: what they claim to be is not looked at.
        three = [raw_client(server.url, headers=claimed) for _ in range(3)]
        async with three[0], three[1], three[2]:
            pass
    async with running_server(tmp_path, connections_per_address=2, trusted_proxy=("127.0.0.0/8",)) as server:
        async with raw_client(server.url, headers=claimed), raw_client(server.url, headers=claimed):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                async with raw_client(server.url, headers=claimed):
                    pass
            assert refusal.value.status == 429
            async with raw_client(server.url, headers={"X-Forwarded-For": "192.0.2.8"}):
                pass
        async with raw_client(server.url, headers=claimed):
            pass  # the two are gone, and no longer counted


async def test_sends_past_the_rate_are_refused_with_the_wait(server: RunningServer) -> None:
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        answers = [await ann.request("sendMessage", {"room": "tea", "message": str(number)}) for number in range(12)]
        assert [answer["ok"] for answer in answers[:10]] == [True] * 10
        assert answers[11]["error"]["code"] == "rate_limited"
        assert 0 < answers[11]["error"]["retryAfter"] <= 1


async def test_who_leaves_and_comes_back_on_one_transport_has_no_new_allowance(server: RunningServer) -> None:
    async with raw_client(server.url) as mallory:
        said = 0
        for _ in range(5):
            await mallory.join("tea", "mallory")
            answers = [await mallory.request("sendMessage", {"room": "tea", "message": "m"}) for _ in range(10)]
            said += sum(answer["ok"] for answer in answers)
            await mallory.ws.send_str("41")
            await mallory.ws.send_str("40")
            while (packet := await mallory.read_packet()) is not None and not packet.startswith("40"):
                pass  # what was pushed before
            assert packet is not None
    assert 10 <= said < 20


async def test_a_thousand_joins_from_one_connection_leave_the_others_alone(
    server: RunningServer, bystander: RawClient
) -> None:
    async with raw_client(server.url) as mallory:
        for number in range(1000):
            await mallory.ws.send_str(f'42{number}["joinRoom",{{"roomName":"r{number}","nickName":"mallory"}}]')
        answers = [await mallory.read_response(number) for number in range(1000)]
        assert {answer["error"]["code"] for answer in answers if not answer["ok"]} <= {"rate_limited", "bad_request"}
        assert sum(answer["ok"] for answer in answers) < 64


async def test_a_reader_that_stops_reading_is_cut_and_delays_nobody(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rate_limit="off", unsent_bytes=100_000) as server,
        raw_client(server.url) as ann,
        raw_client(server.url) as stalled,
    ):
        await stalled.join("tea", "stalled")
        await ann.join("tea", "ann")
        left = asyncio.create_task(_leaves(ann))
        body = json.dumps(["sendMessage", {"room": "tea", "message": "x" * 4000}])
        while not left.done():
            await ann.ws.send_str("42" + body)
        assert await left == "stalled"


async def _leaves(client: RawClient) -> str:
    while (push := await client.wait_for_push("message"))["kind"] != "leave":
        pass
    return push["nickName"]


NO_REQUESTS = (
    b"GARBAGE\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,  # how TLS begins
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /socket.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Encoding: br\r\n\r\nabcde",
    b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nabcde",
)


async def test_what_is_no_request_is_one_line_in_the_log_at_most(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server:
        for junk in NO_REQUESTS:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(junk)
            async with asyncio.timeout(15):
                assert (await reader.readline()).startswith((b"HTTP/1.0 4", b"HTTP/1.1 4")), junk
            writer.close()
        server.send_signal(signal.SIGTERM)
        code, errors = await server.wait_closed()
    assert (code, "Traceback" in errors) == (0, False), errors
    assert len(errors.splitlines()) <= len(NO_REQUESTS) + 2
    assert "request from 127.0.0.1: BadStatusLine" in errors
