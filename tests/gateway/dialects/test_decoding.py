"""Decoding of arbitrary input by the dialects: a valid request or a `ChatError`."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import Raw

from server.domain.room_registry import RoomRegistry
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame
from server.gateway.dialects.registry import create_dialects
from server.gateway.dialects.server_msg import ServerMsgJoin
from tui_chat.protocol import codec, sanitize
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.request_base import Request
from tui_chat.protocol.requests import JoinRoom, SendMessage
from tui_chat.protocol.room_requests import CreateInvite


class UnusedSink:
    """Frame sink that fails on use, because decoding sends nothing."""

    def push(self, frame: Frame) -> None:
        raise AssertionError(frame)

    def close(self, reason: str) -> None:
        raise AssertionError(reason)


DIALECTS = create_dialects(RoomRegistry[ClientConnection](), None)
SINK = UnusedSink()
CONNECTION = ClientConnection(SINK.push, SINK.close, "sid", "127.0.0.1", {})
EVENTS = sorted(
    {
        *codec.REQUEST_EVENTS,
        "client_msg",
        "createChatroom",
        "findAllChatroom",
        "findOneChatroom",
        "updateChatroom",
        "removeChatroom",
        "findChatroomMessages",
    }
)
FIELDS = (
    "roomName",
    "nickName",
    "roomId",
    "id",
    "msg",
    "message",
    "room",
    "name",
    "topic",
    "userId",
    "limit",
    "before",
)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda children: st.lists(children, max_size=3), max_leaves=5)
bodies = values | st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)
arguments = st.lists(bodies.map(lambda body: Raw(json.dumps(body).encode())), max_size=3)


def decode(event: str, args: list[Raw]) -> Request | None:
    """Return the request that the first matching dialect decodes, or None on an error."""
    for dialect in DIALECTS:
        if dialect.matches(event, args):
            try:
                return dialect.decode(CONNECTION, event, args)
            except ChatError:
                return None
    return None


@given(event=st.sampled_from(EVENTS), args=arguments)
def test_arbitrary_arguments_decode_to_a_valid_request_or_an_error(event: str, args: list[Raw]) -> None:
    request = decode(event, args)
    if isinstance(request, JoinRoom):
        assert (request.room_name, request.nick_name) == (request.room_name.strip(), request.nick_name.strip())
    if request is not None:
        msgspec.json.encode(request)


@given(nick=st.text(max_size=40), room=st.text(max_size=70) | st.integers(), user=st.text(max_size=150) | st.integers())
def test_a_server_msg_join_keeps_the_room_id_and_sanitizes_the_user_id(nick: str, room: Any, user: Any) -> None:
    body = Raw(json.dumps({"nickName": nick, "roomId": room, "id": user}).encode())
    request = decode("joinRoom", [body])
    if request is None:
        return
    assert isinstance(request, ServerMsgJoin)
    assert request.room_id == room
    if isinstance(user, int):
        assert request.user_id == user
    elif request.user_id is not None:
        assert request.user_id == sanitize.sanitize_line(user)
        assert not set(str(request.user_id)) & set("\n\t\x1b\x7f\x9b\u202e\u2066")


@given(room=st.text(max_size=50))
def test_a_string_join_uses_the_guest_nickname(room: str) -> None:
    request = decode("joinRoom", [Raw(json.dumps(room).encode())])
    assert request is None or (isinstance(request, JoinRoom) and request.nick_name == "guest")


@pytest.mark.parametrize(
    "raw",
    [b"[" * 5000, b'"\\ud800"', b'{"roomId":' * 2000, b'{"roomId":NaN}', b"", b'"', b'{"roomId"'],
)
@pytest.mark.parametrize("event", EVENTS)
def test_invalid_json_is_rejected_by_events_with_arguments(event: str, raw: bytes) -> None:
    request = decode(event, [Raw(raw)])
    assert request is None or event == "findAllChatroom"  # ignores its arguments


def test_a_client_msg_event_decodes_to_send_message() -> None:
    request = decode("client_msg", [Raw(b'{"msg":"hi\\u0007","roomId":5,"nickName":"x","userId":1}')])
    assert request == SendMessage(room="5", message="hi")


def test_native_requests_precede_resource_names() -> None:
    assert decode("createInvite", [Raw(b'{"room":"tea"}')]) == CreateInvite(room="tea")
