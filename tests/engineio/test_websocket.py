"""WebSocket transport (Engine.IO protocol v4, "WebSocket"; RFC 6455, section 7)."""

import asyncio

import pytest
from aiohttp import WSMsgType

from server.app import RunningServer
from tests.support.polling_client import polling_client
from tests.support.raw_client import RawClient, raw_client
from tests.support.raw_websocket import raw_websocket
from tui_chat.protocol.limits import PACKET_BYTES


async def test_each_response_is_sent_in_a_frame_of_its_own(websocket: RawClient) -> None:
    await websocket.ws.send_str("40")
    assert (await websocket.read_packet() or "").startswith("40{")
    await websocket.join("tea", "ann")
    for number in range(3):
        await websocket.ws.send_str(f'42{number}["listRooms",{{}}]')
    for number in range(3):
        assert (await websocket.read_response(number))["ok"]


async def test_a_fragmented_message_is_one_packet(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    connection = websocket.ws._response.connection  # pyright: ignore[reportPrivateUsage]
    assert connection is not None
    assert connection.transport is not None
    packet = b'421["listRooms",{}]'
    for index, fragment in enumerate((packet[:5], packet[5:9], packet[9:])):
        first_byte = (0x01, 0x00, 0x80)[index]  # text frame, continuation, final continuation (RFC 6455, section 5.4)
        connection.transport.write(bytes((first_byte, 0x80 | len(fragment), 0, 0, 0, 0)) + fragment)
    assert (await websocket.read_response(1))["ok"]


async def test_a_websocket_ping_frame_keeps_the_session_open(websocket: RawClient) -> None:
    await websocket.ws.ping(b"here?")
    await websocket.connect_namespace()


@pytest.mark.parametrize("packet", ["abc", "", "0{}", "2", "2probe", "5", "7", "\x1e"])
async def test_an_invalid_packet_closes_the_connection(websocket: RawClient, packet: str) -> None:
    await websocket.ws.send_str(packet)
    await websocket.wait_closed()
    assert websocket.ws.close_code == 1000


async def test_a_binary_frame_closes_the_connection(websocket: RawClient) -> None:
    await websocket.ws.send_bytes(bytes((1, 2, 3, 4)))
    await websocket.wait_closed()
    assert websocket.ws.close_code == 1000


async def test_a_close_packet_closes_the_connection(websocket: RawClient) -> None:
    await websocket.ws.send_str("1")
    await websocket.wait_closed()
    assert websocket.ws.close_code == 1000


async def test_a_close_frame_is_answered_after_pending_responses(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    for number in range(5):
        await websocket.ws.send_str(f'42{number}["listRooms",{{}}]')
    await websocket.ws._writer.close(1000)  # pyright: ignore[reportPrivateUsage]
    for number in range(5):
        assert (await websocket.read_response(number))["ok"]
    assert (await websocket.ws.receive()).type is WSMsgType.CLOSE


async def test_the_server_ignores_packets_after_its_close_frame(server: RunningServer) -> None:
    async with raw_websocket(server.port) as ann, raw_client(server.url) as ben:
        ann.write_text_frames("40", '420["joinRoom",{"roomName":"tea","nickName":"ann"}]')
        await ben.join("tea", "ben")
        ann.write_text_frames("abc")
        await ben.wait_for_push("message", kind="leave")  # the member leaves before the closing handshake completes
        await ben.request("sendMessage", {"room": "tea", "message": "after"})
        while (frame := await ann.read_frame()).opcode is not WSMsgType.CLOSE:
            assert b"after" not in frame.payload
        for _ in range(20):
            ann.write_text_frames('42["sendMessage",{"room":"tea","message":"too late"}]')
        ann.write_frame(WSMsgType.CLOSE, frame.payload)
        assert await ann.read_to_end() == b""
        assert (await ben.request("history", {"room": "tea", "after": 0}))["lastSeq"] == 1


async def test_a_client_that_never_answers_a_close_frame_is_aborted(server: RunningServer) -> None:
    async with raw_websocket(server.port) as ann:
        ann.write_text_frames("1")
        while (await ann.read_frame()).opcode is not WSMsgType.CLOSE:
            pass
        assert await ann.read_to_end() == b""


@pytest.mark.parametrize("excess", [0, 1])
async def test_a_packet_above_the_size_limit_closes_the_connection(websocket: RawClient, excess: int) -> None:
    await websocket.connect_namespace()
    prefix, suffix = '421["nothing",{"x":"', '"}]'
    await websocket.ws.send_str(prefix + "x" * (PACKET_BYTES - len(prefix) - len(suffix) + excess) + suffix)
    if excess:
        await websocket.wait_closed()
        assert websocket.ws.close_code == 1009  # too big (RFC 6455, section 7.4.1)
    else:
        assert (await websocket.read_response(1))["error"]["code"] == "bad_request"


async def test_invalid_utf8_closes_the_connection(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_frame(b'421["nothing",{"x":"\xff\xfe"}]', WSMsgType.TEXT)
    await websocket.wait_closed()


async def test_a_websocket_session_rejects_polling_requests(server: RunningServer, websocket: RawClient) -> None:
    async with polling_client(server.url, with_handshake=False) as polling:
        polling.handshake = websocket.handshake
        assert (await polling.poll()).error == (400, 3)
        assert (await polling.post("1")).error == (400, 3)
        assert (await (await polling.open_websocket()).receive()).type is WSMsgType.CLOSE
        polling.handshake = {}
    await websocket.connect_namespace()


async def test_a_connection_lost_without_close_frame_ends_the_session(server: RunningServer) -> None:
    async with raw_client(server.url) as ann, raw_client(server.url) as ben:
        await ben.join("tea", "ben")
        await ann.join("tea", "ann")
        ann.abort()
        assert (await ben.wait_for_push("message", kind="leave"))["nickName"] == "ann"


async def test_packets_after_an_invalid_packet_are_dropped(server: RunningServer) -> None:
    async with raw_client(server.url) as ann, raw_client(server.url) as ben:
        await ann.join("tea", "ann")
        await ben.join("tea", "ben")
        await ann.ws.send_str("abc")
        await ann.ws.send_str('42["sendMessage",{"room":"tea","message":"too late"}]')
        await ann.wait_closed()
        await ben.wait_for_push("message", kind="leave")
        assert (await ben.request("history", {"room": "tea", "after": 0}))["messages"] == []


async def test_concurrent_closes_all_receive_a_close_frame(server: RunningServer) -> None:
    async def close_session() -> int | None:
        async with raw_client(server.url, connect=False) as client:
            await client.ws.send_str("1")
            await client.wait_closed()
            return client.ws.close_code

    assert await asyncio.gather(*[close_session() for _ in range(30)]) == [1000] * 30
