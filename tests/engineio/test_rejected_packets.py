"""Events with invalid values are answered; binary and oversized packets receive an `error` event before the close."""

import json
from typing import Any

import pytest
from aiohttp import WSMsgType

from tests.support.polling_client import PollingClient
from tests.support.raw_client import RawClient
from tui_chat.protocol.limits import PACKET_BYTES

HALF_EMOJI = '"\\ud83d"'
TOO_DEEP = "[" * 5000 + "]" * 5000
ESCAPES = '["NaN \\\\ud83d \\"",Infinity]'
INVALID_VALUES = [HALF_EMOJI, '"\\ude00\\uD83D"', "NaN", "-Infinity", '[1,{"x":NaN}]', ESCAPES, TOO_DEEP]
TOO_LONG = '42["sendMessage",{"room":"tea","message":"' + "x" * PACKET_BYTES + '"}]'


async def read_error(websocket: RawClient) -> dict[str, Any]:
    """Return the next `error` event."""
    return await websocket.wait_for_push("error")


@pytest.mark.parametrize("event", ["sendMessage", "joinRoom", "findAllChatroom", "client_msg", "nothing"])
async def test_an_event_with_an_invalid_value_is_answered_with_an_error_and_keeps_the_session(
    websocket: RawClient, event: str
) -> None:
    await websocket.connect_namespace()
    await websocket.join("tea", "ann")
    for value in INVALID_VALUES:
        await websocket.ws.send_str(f'42700["{event}",{{"room":"tea","message":{value}}}]')
        assert (await websocket.read_response(700))["error"]["code"] == "bad_request", value[:12]
        await websocket.ws.send_str(f'42["{event}",{{"room":"tea","message":{value}}}]')
        assert (await read_error(websocket))["code"] == "bad_request", value[:12]
    assert (await websocket.request("sendMessage", {"room": "tea", "message": "next"}))["ok"]


@pytest.mark.parametrize(
    ("value", "reason"), [(HALF_EMOJI, "json_invalid"), ("NaN", "json_invalid"), (TOO_DEEP, "json_too_deep")]
)
@pytest.mark.parametrize("event", ["sendMessage", "client_msg"])
async def test_the_error_of_an_invalid_value_names_the_reason(
    websocket: RawClient, event: str, value: str, reason: str
) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_str(f'421["{event}",{{"room":"tea","message":{value}}}]')
    response = await websocket.read_response(1)
    assert (response["ok"], response["error"]["code"], response["error"]["reason"]) == (False, "bad_request", reason)


async def test_an_invalid_event_name_is_an_unknown_event(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_str(f"421[{HALF_EMOJI},{{}}]")
    assert (await websocket.read_response(1))["error"]["reason"] == "request_unknown"


async def test_an_invalid_value_in_a_poll_is_answered(polling: PollingClient) -> None:
    await polling.connect_namespace()
    assert (await polling.post(f'421["sendMessage",{{"message":{HALF_EMOJI}}}]')).body == "ok"
    (packet,) = await polling.receive_packets()
    assert packet.startswith("431[")
    assert json.loads(packet[3:])[0]["error"]["code"] == "bad_request"


@pytest.mark.parametrize(
    "packet",
    [
        "42[NaN]",
        "42[[NaN]]",
        "42{}",
        "42NaN",
        '42["sendMessage",',
        '42["a",01]',
        '42["a",1NaN]',
        '42["a","NaN",NaN',
        "42" + "[" * 5000,
        "42" + '[{"x":' * 5000,
    ],
)
async def test_an_event_that_is_not_an_array_with_a_name_closes_the_session(
    websocket: RawClient, packet: str, caplog: pytest.LogCaptureFixture
) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_str(packet)
    await websocket.wait_closed()
    assert websocket.pushes == []
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize(
    "packet", ['452-["sendMessage",{"_placeholder":true,"num":0}]', '461-1[{"_placeholder":true}]']
)
async def test_a_packet_with_attachments_receives_an_error_before_the_close(websocket: RawClient, packet: str) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_str(packet)
    error = await read_error(websocket)
    assert (error["code"], error["reason"]) == ("bad_request", "packet_binary")
    await websocket.wait_closed()
    assert websocket.ws.close_code == 1000


async def test_a_binary_frame_receives_an_error_before_the_close(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_bytes(b"\x01\x02")
    assert (await read_error(websocket))["reason"] == "packet_binary"
    await websocket.wait_closed()


async def test_an_oversized_frame_receives_an_error_before_the_close(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    await websocket.ws.send_str(TOO_LONG)
    error = await read_error(websocket)
    assert (error["code"], error["reason"], error["params"]) == ("too_long", "packet_too_long", {"limit": PACKET_BYTES})
    await websocket.wait_closed()
    assert websocket.ws.close_code == 1009


async def test_an_oversized_message_of_fragments_receives_an_error_before_the_close(websocket: RawClient) -> None:
    await websocket.connect_namespace()
    writer: Any = websocket.ws._writer  # pyright: ignore[reportPrivateUsage]
    for opcode in (WSMsgType.TEXT, WSMsgType.CONTINUATION, WSMsgType.CONTINUATION):
        payload = b"x" * (PACKET_BYTES // 2)
        writer.transport.write(bytes((opcode, 0xFE)) + len(payload).to_bytes(2, "big") + bytes(4) + payload)
    assert (await read_error(websocket))["reason"] == "packet_too_long"
    await websocket.wait_closed()


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [("bAQID", 400, "packet_binary"), ('451-["a"]', 400, "packet_binary"), (TOO_LONG, 413, "packet_too_long")],
    ids=["base64", "attachments", "oversized"],
)
async def test_a_rejected_post_leaves_an_error_for_the_next_poll(
    polling: PollingClient, body: str, status: int, reason: str
) -> None:
    await polling.connect_namespace()
    assert (await polling.post(body)).status == status
    (packet,) = await polling.receive_packets()
    assert json.loads(packet[2:])[1]["reason"] == reason
    assert (await polling.poll()).body == "1"
    assert (await polling.poll()).error == (400, 1)


@pytest.mark.parametrize("body", ["bAQID", TOO_LONG])
async def test_a_rejected_post_before_the_connect_closes_the_session_without_an_event(
    polling: PollingClient, body: str
) -> None:
    assert (await polling.post(body)).status >= 400
    assert (await polling.poll()).error == (400, 1)
