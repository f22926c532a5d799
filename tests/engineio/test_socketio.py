"""Parsing of Socket.IO packets (protocol v5: "Packet types", "Packet encoding")."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import WSMsgType

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.raw_client import RawClient, raw_client
from tests.support.raw_websocket import RawFrame, encode_text_frames, raw_websocket


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[RawClient]:
    """Member of `tea`."""
    async with raw_client(server.url) as client:
        await client.join("tea", "ann")
        yield client


# -- connecting


@pytest.mark.parametrize("packet", ["40", "40{}", '40{"token":"123"}', "40/,", '40/,{"token":"123"}', "40/?a=b,"])
async def test_a_connect_packet_opens_the_root_namespace(websocket: RawClient, packet: str) -> None:
    await websocket.ws.send_str(packet)
    connect_response = await websocket.read_packet() or ""
    assert connect_response.startswith("40{")
    handshake = json.loads(connect_response[2:])
    assert list(handshake) == ["sid"]
    assert isinstance(handshake["sid"], str)


async def test_the_socket_id_differs_from_the_session_id(websocket: RawClient) -> None:
    assert (await websocket.connect_namespace())["sid"] != websocket.handshake["sid"]


@pytest.mark.parametrize(
    ("packet", "name"),
    [
        ("40/random", "/random"),
        ("40/random,", "/random"),
        ('40/random,{"token":"abc"}', "/random"),
        ("40/random?token=abc,", "/random"),
        ("40/茶,", "/茶"),
    ],
)
async def test_an_unknown_namespace_is_rejected_and_the_connection_stays_open(
    websocket: RawClient, packet: str, name: str
) -> None:
    await websocket.ws.send_str(packet)
    assert await websocket.read_packet() == f'44{name},{{"message":"Invalid namespace"}}'
    await websocket.connect_namespace()


@pytest.mark.parametrize("packet", ["4abc", "40[]", "40x", '40"token"', "401{}", "40{", "40/x,[]"])
async def test_an_invalid_connect_packet_closes_the_connection(websocket: RawClient, packet: str) -> None:
    await websocket.ws.send_str(packet)
    await websocket.wait_closed()


@pytest.mark.parametrize("packet", ['42["listRooms",{}]', "41", "43", "430[]", '42/other,["listRooms",{}]', "41/other"])
async def test_packets_before_connect_close_the_connection(websocket: RawClient, packet: str) -> None:
    await websocket.ws.send_str(packet)
    await websocket.wait_closed()


async def test_a_second_connect_closes_the_connection(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_str("40")
    await websocket.wait_closed()


@pytest.mark.parametrize(
    ("packets", "answers"),
    [([], []), (["40/other,"], [b"44/other,"]), (["40", "41"], [b"40{"])],
    ids=["no packet", "other namespace", "disconnect"],
)
async def test_a_connection_without_a_namespace_is_closed_after_a_timeout(
    tmp_path: Path, packets: list[str], answers: list[bytes]
) -> None:
    first_frames = encode_text_frames(*packets)  # with the request, because the timeout is short
    async with (
        running_server(tmp_path, connect_timeout=0.2, ping_interval=0.5) as server,
        raw_websocket(server.port, first_frames=first_frames) as client,
    ):
        for start in (b"0{", *answers):
            assert (await client.read_frame()).payload.startswith(start)
        assert await client.read_frame() == RawFrame(WSMsgType.CLOSE, (1000).to_bytes(2, "big"))


# -- disconnecting


async def test_a_disconnect_packet_leaves_rooms_and_keeps_the_connection_open(
    server: RunningServer, ann: RawClient
) -> None:
    async with raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        await ann.ws.send_str("41")
        assert (await ben.wait_for_push("message", kind="leave"))["nickName"] == "ann"
    await ann.ws.send_str("40")
    while not (packet := await ann.read_packet() or "").startswith("40{"):
        assert packet.startswith('42["')
    ann.pushes.clear()
    assert (await ann.request("history", {"room": "tea", "after": 0}))["error"]["code"] == "not_joined"
    assert not ann.pushes  # a disconnected socket receives no pushes of the room


@pytest.mark.parametrize("packet", ['42["listRooms",{}]', "41", "430[]"])
async def test_packets_after_disconnect_require_a_new_connect(ann: RawClient, packet: str) -> None:
    await ann.ws.send_str("41")
    await ann.ws.send_str(packet)
    await ann.wait_closed()


async def test_a_disconnect_from_another_namespace_closes_the_connection(ann: RawClient) -> None:
    await ann.ws.send_str("41/other")
    await ann.wait_closed()


# -- events and acknowledgements


async def test_an_event_without_an_id_gets_no_acknowledgement(server: RunningServer, ann: RawClient) -> None:
    await ann.ws.send_str('42["sendMessage",{"room":"tea","message":"hi"}]')
    assert (await ann.wait_for_push("message", kind="message"))["message"] == "hi"
    assert not [packet for packet in ann.pushes if packet.startswith("43")]


@pytest.mark.parametrize("number", [0, 1, 456, 2**31, 9_007_199_254_740_991])
async def test_an_acknowledgement_has_the_event_id_and_one_argument(ann: RawClient, number: int) -> None:
    await ann.ws.send_str(f'42{number}["listRooms",{{}}]')
    while not (packet := await ann.read_packet() or "").startswith("43"):
        pass
    assert packet.startswith(f"43{number}[")
    (response,) = json.loads(packet[packet.index("[") :])
    assert response["ok"]


async def test_an_event_id_may_be_reused(ann: RawClient) -> None:
    for _ in range(2):
        await ann.ws.send_str('427["listRooms",{}]')
        assert (await ann.read_response(7))["ok"]


async def test_an_event_may_specify_the_root_namespace(ann: RawClient) -> None:
    await ann.ws.send_str('42/,8["listRooms",{}]')
    assert (await ann.read_response(8))["ok"]


async def test_a_push_is_an_event_of_the_root_namespace_without_an_id(ann: RawClient) -> None:
    await ann.request("setTopic", {"room": "tea", "topic": "green"})
    assert (await ann.wait_for_push("update"))["topic"] == "green"


async def test_unsolicited_acknowledgements_are_ignored(ann: RawClient) -> None:
    await ann.ws.send_str("430[]")
    await ann.ws.send_str('4399[1,"2",{"3":[true]}]')
    assert (await ann.request("listRooms", {}))["ok"]


async def test_white_space_in_packet_json_is_accepted(ann: RawClient) -> None:
    await ann.ws.send_str('429 [ "listRooms" , { } ] ')
    assert (await ann.read_response(9))["ok"]


INVALID_PACKETS = [
    "4",
    "4abc",
    "47",
    "4-1",
    "42",
    "42{}",
    "42[]",
    "42[1]",
    "42[null]",
    "42[[]]",
    '42"listRooms"',
    '42abc["listRooms",{}]',
    '42-1["listRooms",{}]',
    '421.5["listRooms",{}]',
    '42["listRooms",{}',
    '42["listRooms",{}]x',
    "42['listRooms']",
    "43",
    "43[]",
    "431",
    "431{}",
    "41{}",
    "411",
    "44{}",
    '44{"message":"no"}',
    '42/other,["listRooms",{}]',
    '42/other["listRooms",{}]',
]


async def test_an_invalid_packet_closes_the_connection(server: RunningServer) -> None:
    for packet in INVALID_PACKETS:
        async with raw_client(server.url) as client:
            await client.ws.send_str(packet)
            await client.wait_closed()
            assert client.ws.close_code == 1000, packet


@pytest.mark.parametrize("packet", ['41{"reason":"x"}', "41{}", "41[]", "411", "43[]"])
async def test_a_malformed_disconnect_or_ack_closes_the_connection(tmp_path: Path, packet: str) -> None:
    async with running_server(tmp_path, connect_timeout=600) as server, raw_client(server.url) as client:
        await client.ws.send_str(packet)
        await client.wait_closed()  # a disconnect would keep the session open until the connect timeout


# -- deliberately stricter than the specification (docs/protocol.md, "Deviations from the specifications")


@pytest.mark.parametrize(
    "packet",
    [
        '452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        '452-789["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        '451-["message",{"_placeholder":true,"num":0}]',
        '450-["message"]',
        '461-1[{"_placeholder":true,"num":0}]',
    ],
)
async def test_a_packet_with_binary_attachments_closes_the_connection(ann: RawClient, packet: str) -> None:
    await ann.ws.send_str(packet)
    await ann.wait_closed()


async def test_an_unknown_event_returns_an_error(ann: RawClient) -> None:
    for name in ("message", "connect", "disconnect", "error", ""):
        assert (await ann.request(name, 1, "2", {"3": [True]}))["error"]["code"] == "bad_request"
