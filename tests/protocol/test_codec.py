import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.protocol import codec, events, requests, responses
from tui_chat.protocol.errors import (
    ERRORS_BY_CODE,
    BadRequest,
    ChatError,
    InternalError,
    RateLimited,
    TooLong,
    error_from_code,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
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
]

VALID: dict[str, dict[str, Any]] = {
    "joinRoom": {"roomName": "tea", "nickName": "ann"},
    "leaveRoom": {"room": "tea"},
    "sendMessage": {"room": "tea", "message": "hi"},
    "history": {"room": "tea", "before": 5},
    "editMessage": {"room": "tea", "seq": 1, "message": "hi"},
    "deleteMessage": {"room": "tea", "seq": 1},
    "react": {"room": "tea", "seq": 1, "emoji": "👍", "on": True},
    "typing": {"room": "tea", "on": True},
    "markRead": {"room": "tea", "seq": 0},
    "search": {"query": "tea"},
    "listRooms": {},
    "changeNick": {"nickName": "bob"},
    "setTopic": {"room": "tea", "topic": ""},
    "kick": {"room": "tea", "memberId": "g1"},
    "ban": {"room": "tea", "memberId": "g1"},
    "unban": {"room": "tea", "memberId": "g1"},
    "createInvite": {"room": "tea"},
    "setRole": {"room": "tea", "memberId": "g1", "role": "moderator"},
    "setVisibility": {"room": "tea", "visibility": "private"},
}


def decode(event: str, body: object) -> requests.Request:
    return codec.decode_request(event, json.dumps(body).encode())


def test_every_request_of_the_wire_is_known() -> None:
    assert set(VALID) == set(codec.REQUEST_EVENTS)


@pytest.mark.parametrize("event", VALID)
def test_a_valid_request_survives_the_way_there_and_back(event: str) -> None:
    request = decode(event, VALID[event])
    assert request.event == event
    assert decode(event, codec.request_to_builtins(request)) == request


@pytest.mark.parametrize("event", VALID)
def test_unknown_fields_are_ignored(event: str) -> None:
    assert decode(event, {**VALID[event], "colour": "green"}) == decode(event, VALID[event])


@pytest.mark.parametrize(("event", "field"), [(event, field) for event in VALID for field in VALID[event]])
def test_a_missing_field_or_a_wrong_type_is_a_bad_request(event: str, field: str) -> None:
    if event == "history":
        missing = {"room": "tea"} if field == "before" else {"before": 5}
    else:
        missing = {name: value for name, value in VALID[event].items() if name != field}
    with pytest.raises(BadRequest):
        decode(event, missing)
    with pytest.raises(BadRequest):
        decode(event, {**VALID[event], field: [1]})


@given(st.sampled_from(sorted(VALID)), json_values | st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_whatever_json_arrives_is_a_request_or_an_error_of_the_tree(event: str, body: object) -> None:
    outcome: requests.Request | ChatError
    try:
        outcome = decode(event, body)
    except ChatError as refusal:
        outcome = refusal
    if isinstance(outcome, ChatError):
        assert json.loads(codec.encode_error(outcome))["error"]["code"] in ERRORS_BY_CODE


@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b'{"room":"\\ud800","on":true}', b"[" * 3000 + b"]" * 3000, b"\xff"]
)
def test_bytes_that_are_not_json_are_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        codec.decode_request("typing", body)


def test_deep_json_in_an_ignored_field_is_a_bad_request() -> None:
    deep = b'{"room":"tea","on":true,"x":' + b"[" * 2000 + b"]" * 2000 + b"}"
    with pytest.raises(BadRequest):
        codec.decode_request("typing", deep)


@pytest.mark.parametrize("name", ["connect", "disconnect", "message", "", "__proto__"])
def test_a_name_that_is_no_request_is_a_bad_request(name: str) -> None:
    with pytest.raises(BadRequest):
        codec.decode_request(name, b"{}")


@pytest.mark.parametrize("places", [{}, {"before": 1, "after": 1}, {"before": 1, "after": 1, "around": 1}])
def test_history_takes_exactly_one_place(places: dict[str, int]) -> None:
    with pytest.raises(BadRequest):
        decode("history", {"room": "tea", **places})


@pytest.mark.parametrize(
    ("field", "value"), [("limit", 0), ("limit", 201), ("since", -1), ("since", 2**53), ("guestKey", "k" * 129)]
)
def test_a_value_out_of_its_range_is_a_bad_request(field: str, value: object) -> None:
    with pytest.raises(BadRequest):
        decode("joinRoom", {**VALID["joinRoom"], field: value})


def test_a_client_id_is_a_uuid() -> None:
    with pytest.raises(BadRequest):
        decode("sendMessage", {**VALID["sendMessage"], "clientId": "1"})
    assert decode("sendMessage", {**VALID["sendMessage"], "clientId": "6f1e6a5c-3c44-4d33-8d5d-6a1f0f6a2b11"})


def test_an_answer_starts_with_ok_and_leaves_out_what_is_not_there() -> None:
    assert codec.encode_response(responses.Empty()) == b'{"ok":true}'
    member = events.Member(member_id="g1", nick_name="小明", role="member")
    answer = responses.JoinResponse(
        room=responses.RoomState(name="tea", topic="", last_seq=0, visibility="public"),
        nick_name="小明",
        member_id="g1",
        guest_key="g1.k",
        members=[member],
        messages=[],
        has_more=False,
    )
    encoded = json.loads(codec.encode_response(answer))
    assert encoded == {
        "ok": True,
        "room": {"name": "tea", "topic": "", "lastSeq": 0, "visibility": "public"},
        "nickName": "小明",
        "memberId": "g1",
        "guestKey": "g1.k",
        "members": [{"memberId": "g1", "nickName": "小明", "role": "member"}],
        "messages": [],
        "hasMore": False,
    }
    assert codec.decode_response(responses.JoinResponse, codec.encode_response(answer)) == answer


def test_an_error_answer_raises_what_the_server_raised() -> None:
    with pytest.raises(RateLimited) as refusal:
        codec.decode_response(responses.Empty, codec.encode_error(RateLimited("slow down", 1.5)))
    assert refusal.value.retry_after == 1.5
    assert refusal.value.message == "slow down"
    with pytest.raises(TooLong):
        codec.decode_response(responses.Empty, codec.encode_error(TooLong("long")))


@pytest.mark.parametrize("body", [b"null", b"[]", b'{"ok":1}', b'{"ok":true}', b"{", b'{"ok":false}'])
def test_an_answer_that_is_none_is_an_internal_error(body: bytes) -> None:
    with pytest.raises(InternalError):
        codec.decode_response(responses.SendResponse, body)


def test_an_error_code_of_a_later_version_is_internal() -> None:
    assert isinstance(error_from_code("teapot", "?"), InternalError)


def message(reply_to: int | None = None, reactions: dict[str, list[str]] | None = None) -> events.Message:
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
        ("message", message(reply_to=1, reactions={"👍": ["g1"]})),
        ("message", events.JoinNotice(room="tea", nick_name="ann", member_id="g1", message="!", ts=1)),
        ("message", events.NickNotice(room="t", nick_name="b", old_nick_name="a", member_id="g", message="!", ts=1)),
        ("update", events.Deletion(room="tea", seq=2, id=8, ts=1, member_id="g1", nick_name="ann", target=1)),
        ("presence", events.PresencePush(room="tea", joined=[], left=["g1"], renamed=[])),
        ("typing", events.TypingPush(room="tea", member_id="g1", on=False)),
        ("goingAway", events.GoingAwayPush(reconnect_after=1.5)),
    ],
)
def test_a_push_survives_the_way_there_and_back(event: str, push: events.WireStruct) -> None:
    name, body = msgspec.json.decode(codec.encode_push(event, push), type=tuple[str, msgspec.Raw])
    assert name == event
    assert codec.decode_push(name, bytes(body)) == push


def test_a_message_push_holds_what_plain_clients_read() -> None:
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


def test_the_json_of_the_library_refuses_what_others_choke_on() -> None:
    assert codec.SocketIOJson.dumps({"a": "小"}, separators=(",", ":")) == '{"a":"小"}'
    for bad in ('{"a": NaN}', '"\\ud800"', "[" * 3000):
        with pytest.raises(ValueError, match=r".*"):
            codec.SocketIOJson.loads(bad)
