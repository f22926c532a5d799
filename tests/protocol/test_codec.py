"""Decoding and encoding of requests, responses, errors and pushes."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.support.reactions import summarize
from tui_chat.protocol import codec, events, requests, responses
from tui_chat.protocol.errors import (
    ERRORS_BY_CODE,
    BadRequest,
    ChatError,
    Conflict,
    InternalError,
    RateLimited,
    TooLong,
)
from tui_chat.protocol.policies import Retention
from tui_chat.protocol.request_base import Request

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "roomName",
    "nickName",
    "room",
    "message",
    "clientId",
    "seq",
    "on",
    "emoji",
    "limit",
    "before",
    "since",
    "query",
    "away",
    "text",
]

VALID: dict[str, dict[str, Any]] = {
    "joinRoom": {"roomName": "tea", "nickName": "ann"},
    "leaveRoom": {"room": "tea"},
    "observe": {"room": "tea"},
    "unobserve": {"room": "tea"},
    "listMembers": {"room": "tea"},
    "sendMessage": {"room": "tea", "message": "hi"},
    "signAttachments": {"paths": ["/api/uploads/x/y"]},
    "history": {"room": "tea", "before": 5},
    "editMessage": {"room": "tea", "seq": 1, "message": "hi"},
    "deleteMessage": {"room": "tea", "seq": 1},
    "react": {"room": "tea", "seq": 1, "emoji": "👍", "on": True},
    "typing": {"room": "tea", "on": True},
    "markRead": {"room": "tea", "seq": 0},
    "listMentions": {},
    "listBlocks": {},
    "search": {"query": "tea"},
    "listRooms": {},
    "changeNick": {"nickName": "bob"},
    "setTopic": {"room": "tea", "topic": ""},
    "kick": {"room": "tea", "memberId": "g1"},
    "ban": {"room": "tea", "memberId": "g1"},
    "unban": {"room": "tea", "memberId": "g1"},
    "createInvite": {"room": "tea"},
    "replaceGroupCode": {"room": "tea"},
    "setRole": {"room": "tea", "memberId": "g1", "role": "moderator"},
    "createRoom": {"roomName": "tea"},
    "updateRoom": {"room": "tea"},
    "deleteRoom": {"room": "tea"},
    "setPolicy": {"room": "~abcdefghijklmnop"},
    "myRooms": {},
    "listInvites": {"room": "tea"},
    "revokeInvite": {"room": "tea", "id": "i1"},
    "createHook": {"room": "tea", "nickName": "grafana"},
    "listHooks": {"room": "tea"},
    "revokeHook": {"room": "tea", "id": "g1"},
    "mute": {"room": "tea", "memberId": "g1"},
    "unmute": {"room": "tea", "memberId": "g1"},
    "audit": {"room": "tea"},
    "openDirect": {"memberIds": ["g1"]},
    "block": {"memberId": "g1"},
    "unblock": {"memberId": "g1"},
    "setStatus": {"away": True},
}


def decode(event: str, body: object) -> Request:
    return codec.decode_request(event, json.dumps(body).encode())


def test_every_request_event_has_an_example() -> None:
    assert set(VALID) == set(codec.REQUEST_EVENTS)


@pytest.mark.parametrize("event", VALID)
def test_valid_requests_round_trip(event: str) -> None:
    request = decode(event, VALID[event])
    assert request.event == event
    assert codec.decode_request(event, msgspec.json.encode(request)) == request


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("createRoom", {"roomName": "tea", "speak": "members", "topic": "owner", "keep": {"days": 3}}),
        ("createRoom", {"visibility": "private", "title": "tea"}),
        ("setPolicy", {"room": "tea", "guestPost": False, "keep": {}}),
        ("mute", {"room": "tea", "memberId": "g1", "until": 5}),
        ("setStatus", {"away": True, "text": "lunch"}),
    ],
)
def test_optional_fields_of_requests_for_rooms_round_trip(event: str, body: dict[str, Any]) -> None:
    assert msgspec.to_builtins(decode(event, body)) == body


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("createRoom", {"visibility": "private", "roomName": "tea"}),
        ("createRoom", {"title": "tea"}),
        ("createRoom", {"speak": "members"}),
        ("createRoom", {"roomName": "~abc"}),
        ("createRoom", {"roomName": "tea", "visibility": "direct"}),
        ("setPolicy", {"room": "tea", "topic": "everyone"}),
        ("openDirect", {"memberIds": []}),
        ("openDirect", {"memberIds": ["g"] * 8}),
        ("createInvite", {"room": "tea", "uses": 0}),
        ("kick", {"room": "tea", "memberId": "g1", "reason": "x" * 251}),
        ("setStatus", {"away": True, "text": "x" * 101}),
    ],
)
def test_invalid_requests_for_rooms_and_members_are_rejected(event: str, body: dict[str, Any]) -> None:
    with pytest.raises(ChatError):
        decode(event, body)


@pytest.mark.parametrize("event", VALID)
def test_unknown_fields_are_ignored(event: str) -> None:
    assert decode(event, {**VALID[event], "colour": "green"}) == decode(event, VALID[event])


@pytest.mark.parametrize(("event", "field"), [(event, field) for event in VALID for field in VALID[event]])
def test_missing_fields_and_wrong_types_are_bad_requests(event: str, field: str) -> None:
    if event == "history":
        missing = {"room": "tea"} if field == "before" else {"before": 5}
    else:
        missing = {name: value for name, value in VALID[event].items() if name != field}
    with pytest.raises(BadRequest):
        decode(event, missing)
    with pytest.raises(BadRequest):
        decode(event, {**VALID[event], field: [1]})


@given(st.sampled_from(sorted(VALID)), json_values | st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_arbitrary_json_decodes_to_a_request_or_a_chat_error(event: str, body: object) -> None:
    outcome: requests.Request | ChatError
    try:
        outcome = decode(event, body)
    except ChatError as error:
        outcome = error
    if isinstance(outcome, ChatError):
        assert json.loads(codec.encode_error(outcome))["error"]["code"] in ERRORS_BY_CODE


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "json_invalid"),
        (b"{", "json_invalid"),
        (b"NaN", "json_invalid"),
        (b'{"room":"\\ud800","on":true}', "json_invalid"),
        (b"\xff", "json_invalid"),
        (b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "json_too_deep"),
        (b'{"room":"tea","on":true,"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "json_too_deep"),
        (b"[]", "field_invalid"),
    ],
)
def test_an_invalid_body_is_a_bad_request_with_a_reason(body: bytes, reason: str) -> None:
    decoders: tuple[Callable[[], object], ...] = (
        lambda: codec.decode_request("typing", body),
        lambda: codec.decode_push("typing", body),
        lambda: codec.decode_error(body),
    )
    for decode_body in decoders:
        with pytest.raises(BadRequest) as rejection:
            decode_body()
        assert rejection.value.reason == reason


def test_a_deeply_nested_array_is_a_bad_request() -> None:
    with pytest.raises(BadRequest) as rejection:
        codec.decode_request("typing", b"[" * 30_000 + b"]" * 30_000)
    assert rejection.value.reason == "json_too_deep"


def test_the_error_of_an_invalid_field_contains_its_path_and_at_most_200_characters() -> None:
    with pytest.raises(BadRequest) as rejection:
        decode("history", {"room": "tea", "before": 1, "limit": 0})
    assert "`$.limit`" in str(rejection.value.params["problem"])
    error = codec.to_bad_request(msgspec.ValidationError("x" * 300))
    assert error.params == {"problem": "x" * 200}


@pytest.mark.parametrize("name", ["connect", "disconnect", "message", "", "__proto__"])
def test_an_unknown_event_is_a_bad_request(name: str) -> None:
    with pytest.raises(BadRequest) as request:
        codec.decode_request(name, b"{}")
    assert request.value.reason == "request_unknown"
    with pytest.raises(BadRequest) as push:
        codec.decode_push(f"{name}?", b"{}")
    assert push.value.reason == "push_unknown"


@pytest.mark.parametrize("positions", [{}, {"before": 1, "after": 1}, {"before": 1, "after": 1, "around": 1}])
def test_history_requires_exactly_one_position(positions: dict[str, int]) -> None:
    with pytest.raises(BadRequest):
        decode("history", {"room": "tea", **positions})


@pytest.mark.parametrize(
    ("field", "value"), [("limit", 0), ("limit", 201), ("since", -1), ("since", 2**53), ("guestKey", "k" * 129)]
)
def test_out_of_range_values_are_bad_requests(field: str, value: object) -> None:
    with pytest.raises(BadRequest):
        decode("joinRoom", {**VALID["joinRoom"], field: value})


def test_a_client_id_must_be_a_uuid() -> None:
    with pytest.raises(BadRequest):
        decode("sendMessage", {**VALID["sendMessage"], "clientId": "1"})
    assert decode("sendMessage", {**VALID["sendMessage"], "clientId": "6f1e6a5c-3c44-4d33-8d5d-6a1f0f6a2b11"})


def test_responses_contain_ok_and_omit_absent_fields() -> None:
    assert codec.encode_response(responses.Empty()) == b'{"ok":true}'
    member = events.Member(member_id="g1", nick_name="小明", role="member")
    response = responses.JoinResponse(
        room=responses.RoomState(name="tea", topic="", log_id="log", first_seq=1, last_seq=0, visibility="public"),
        nick_name="小明",
        member_id="g1",
        guest_key="g1.k",
        members=[member],
        messages=[],
        has_more=False,
    )
    encoded = json.loads(codec.encode_response(response))
    assert encoded == {
        "ok": True,
        "room": {"name": "tea", "topic": "", "logId": "log", "firstSeq": 1, "lastSeq": 0, "visibility": "public"},
        "nickName": "小明",
        "memberId": "g1",
        "guestKey": "g1.k",
        "members": [{"memberId": "g1", "nickName": "小明", "role": "member"}],
        "messages": [],
        "hasMore": False,
    }
    assert codec.decode_response(responses.JoinResponse, codec.encode_response(response)) == response


def test_decoding_an_error_response_raises_the_original_error() -> None:
    with pytest.raises(RateLimited) as error:
        codec.decode_response(responses.Empty, codec.encode_error(RateLimited("too_many_requests", retry_after=1.5)))
    assert error.value.retry_after == error.value.copy().retry_after == 1.5
    assert error.value.message == "too many requests"
    assert error.value.reason == "too_many_requests"
    with pytest.raises(TooLong) as error:
        codec.decode_response(responses.Empty, codec.encode_error(TooLong("nick_too_long", limit=32)))
    assert error.value.params == {"limit": 32}
    assert error.value.message == "a nickname can have at most 32 characters"


@pytest.mark.parametrize(
    "body", [b"null", b"[]", b'{"ok":1}', b'{"ok":true}', b"{", b'{"ok":false}', b'{"ok":false,"error":null}']
)
def test_an_invalid_response_is_an_internal_error(body: bytes) -> None:
    with pytest.raises(InternalError):
        codec.decode_response(responses.SendResponse, body)


def test_parameters_of_an_error_with_the_names_of_its_attributes_are_dropped() -> None:
    body = b'{"code":"conflict","message":"no","reason":"r","params":{"message":"a","retry_after":1,"n":2}}'
    error = codec.decode_error(body)
    assert (type(error), error.reason, error.message, error.retry_after) == (Conflict, "r", "no", None)
    assert error.params == {"n": 2}
    copied = error.copy()
    assert (type(copied), copied.reason, copied.message, copied.retry_after) == (Conflict, "r", "no", None)
    assert copied.params == {"n": 2}


def test_an_unknown_error_code_is_an_internal_error() -> None:
    with pytest.raises(InternalError, match="short and stout"):
        codec.decode_response(responses.Empty, b'{"ok":false,"error":{"code":"teapot","message":"short and stout"}}')


COMMON_FIELDS: dict[str, Any] = {"room": "tea", "seq": 3, "id": 9, "ts": 1, "member_id": "g1", "nick_name": "ann"}
MEMBER_CHANGE = events.MemberChange(
    **COMMON_FIELDS,
    until=5,
    action="banned",
    target=events.MemberRef(member_id="g2", nick_name="bob"),
    by=events.MemberRef(member_id="g1", nick_name="ann", account="ann"),
)


def message(reply_to: int | None = None, reactions: dict[str, events.ReactionSummary] | None = None) -> events.Message:
    return events.Message(
        room="tea",
        seq=1,
        id=7,
        nick_name="ann",
        member_id="g1",
        message="hi",
        ts=5,
        reply_to=reply_to,
        reactions=reactions,
    )


@pytest.mark.parametrize(
    ("event", "push"),
    [
        ("message", message(reply_to=1, reactions={"👍": summarize("g1", g1="ann")})),
        ("message", events.JoinNotice(room="tea", nick_name="ann", member_id="g1", message="!", ts=1)),
        ("message", events.NickNotice(room="t", nick_name="b", old_nick_name="a", member_id="g", message="!", ts=1)),
        ("update", events.Deletion(room="tea", seq=2, id=8, ts=1, member_id="g1", nick_name="ann", target=1)),
        ("update", MEMBER_CHANGE),
        ("update", events.PolicyChange(**COMMON_FIELDS, speak="members", topic_role="owner", keep=Retention(days=3))),
        ("presence", events.PresencePush(room="tea", joined=[], left=["g1"], renamed=[])),
        ("typing", events.TypingPush(room="tea", member_id="g1", on=False)),
        ("goingAway", events.GoingAwayPush(reconnect_after=1.5)),
    ],
)
def test_pushes_round_trip(event: str, push: events.WireStruct) -> None:
    name, body = msgspec.json.decode(codec.encode_push(event, push), type=tuple[str, msgspec.Raw])
    assert name == event
    assert codec.decode_push(name, bytes(body)) == push


@pytest.mark.parametrize("kind", ["poll", ["poll"], {}, None])
def test_an_entry_of_an_unknown_kind_decodes_as_an_unknown_entry(kind: object) -> None:
    entry: dict[str, Any] = {
        "kind": kind,
        "room": "tea",
        "seq": 4,
        "id": 10,
        "ts": 7,
        "memberId": "g1",
        "nickName": 5,
        "choices": [],
    }
    unknown = events.UnknownEntry(room="tea", seq=4, id=10, ts=7, member_id="", nick_name="")
    assert codec.decode_push("update", json.dumps(entry)) == unknown
    known = json.loads(codec.encode_push("update", MEMBER_CHANGE))[1]
    page: dict[str, Any] = {
        "ok": True,
        "messages": [known, entry],
        "hasMore": False,
        "logId": "x",
        "firstSeq": 1,
        "lastSeq": 4,
    }
    response = codec.decode_response(responses.HistoryPage, json.dumps(page))
    assert response.messages == [MEMBER_CHANGE, unknown]


def test_an_update_of_a_known_kind_with_invalid_fields_is_rejected() -> None:
    with pytest.raises(BadRequest):
        codec.decode_push(
            "update", b'{"kind":"topic","room":"tea","seq":4,"id":10,"ts":7,"memberId":"g","nickName":"n"}'
        )


def test_a_message_push_omits_absent_fields() -> None:
    _, body = json.loads(codec.encode_push("message", message()))
    assert body == {
        "kind": "message",
        "room": "tea",
        "seq": 1,
        "id": 7,
        "nickName": "ann",
        "memberId": "g1",
        "message": "hi",
        "ts": 5,
    }


def test_socketio_json_rejects_nan_surrogates_and_deep_nesting() -> None:
    assert codec.SocketIOJson.dumps({"a": "小"}, separators=(",", ":")) == '{"a":"小"}'
    for invalid, problem in (('{"a": NaN}', "malformed"), ('"\\ud800"', "truncated"), ("[" * 30_000, "too deeply")):
        with pytest.raises(ValueError, match=problem):
            codec.SocketIOJson.loads(invalid)
