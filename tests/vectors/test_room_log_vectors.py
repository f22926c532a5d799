"""Test vectors of the room log against the Python implementation."""

from typing import Any

import msgspec

from tests.support.vectors import vector_cases
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.protocol.events import Entry, Message
from tui_chat.protocol.requests import History
from tui_chat.protocol.responses import HistoryPage, JoinResponse

ROOM = "tea"


def decode_page(response: dict[str, Any]) -> HistoryPage:
    """Decode a response of a vector, with defaults for the fields that vectors omit."""
    messages = [
        {"room": ROOM, "id": entry["seq"], "ts": entry["seq"], "memberId": "a", "nickName": "ann", **entry}
        for entry in response["messages"]
    ]
    return msgspec.convert({"logId": "log", "firstSeq": 1, **response, "messages": messages}, HistoryPage)


def decode_entry(entry: dict[str, Any]) -> Entry:
    """Decode an entry of a vector."""
    return decode_page({"messages": [entry], "hasMore": False, "lastSeq": 0}).messages[0]


def decode_join(response: dict[str, Any]) -> JoinResponse:
    """Decode the join response of a vector, with defaults for the fields that vectors omit."""
    page = decode_page(response)
    room = {"name": ROOM, "topic": "", "logId": "log", "firstSeq": 1, "lastSeq": page.last_seq, "visibility": "public"}
    joined: dict[str, Any] = {
        "room": room,
        "nickName": "ann",
        "memberId": "a",
        "guestKey": "k",
        "members": [],
        "messages": [],
    }
    return msgspec.structs.replace(
        msgspec.convert({**joined, "hasMore": page.has_more}, JoinResponse), messages=page.messages
    )


def describe_message(message: Message) -> dict[str, Any]:
    """Return the subset of the fields of a message that vectors contain."""
    fields = msgspec.to_builtins(message)
    return {name: fields[name] for name in ("seq", "message", "edited", "deleted", "reactions") if fields.get(name)} | {
        "message": message.message
    }


def describe_log(log: RoomLog) -> dict[str, Any]:
    """Return the state of a log in the form of the vectors."""
    return {
        "messages": [describe_message(message) for message in log.messages()],
        "lastSeq": log.last,
        "firstSeq": log.first,
        "gaps": [{"after": gap.after, "before": gap.before} for gap in log.gaps()],
        "hasOlder": log.has_older,
        "missingAfter": log.missing_after(),
    }


@vector_cases("room_log")
def test_the_room_log_matches_the_vectors(case: dict[str, Any]) -> None:
    log = RoomLog()
    states: list[dict[str, Any]] = []
    for operation in case["operations"]:
        match operation["op"]:
            case "join":
                log.apply_join(decode_join(operation["response"]), operation["since"])
            case "page":
                log.apply_page(decode_page(operation["response"]), History(room=ROOM, **operation["request"]))
            case "push":
                entry = decode_entry(operation["entry"])
                for offset in range(operation.get("count", 1)):
                    log.apply_push(msgspec.structs.replace(entry, seq=entry.seq + offset))
            case "disconnect":
                log.on_disconnected()
            case "trim":
                log.trim(operation["count"])
            case "reset":
                log.reset()
            case _:
                states.append(describe_log(log))
    assert states == case["expected"]
