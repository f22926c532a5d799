"""Rules of the permission model for history, searches, lists, read markers and event streams.

The rules are functions of the state machine, which contains them as attributes.
"""

import json
from typing import Any
from urllib.parse import quote

from hypothesis.stateful import rule

from tests.support.permission_http import ModelMachine, expected_status
from tests.support.permission_model import (
    ACCOUNT_NAMES,
    KINDS,
    NAMES,
    NATIVE_NAMES,
    POSITIONS,
    ROOMS,
    ExpectedRoom,
)

MENTIONS_LIMIT = 100
"""Maximum number of mentions in a response."""


def expect_read_state(model: ExpectedRoom, name: str, read: dict[str, Any]) -> None:
    """Compare the numbers of the read marker of a person with the messages of the room."""
    assert read["unread"] == sum(message.seq > read["seq"] for message in model.messages)
    assert read["mentions"] == sum(message.seq > read["seq"] for message in model.list_mentions(name))


@rule(name=NAMES, room=ROOMS)
def read_history(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "history", room=model.name, after=0, limit=200)
    if machine.expect(response, name in model.present | model.observers):
        assert model.reads(name)
        model.expect_entries(response["messages"])


@rule(name=NAMES, room=ROOMS)
def list_members(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "listMembers", room=model.name)
    if machine.expect(response, name in model.present | model.observers):
        assert {member["memberId"] for member in response["members"]} == {
            machine.stage.persons[present].member_id for present in model.present
        }


@rule(name=NAMES, room=ROOMS)
def search_room(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "search", room=model.name, query="text", limit=100)
    exists = bool(model.messages) or model.owned or name in model.present or room != "open"
    if not exists and not response["ok"]:
        assert response["error"]["reason"] in ("room_not_found", "member_banned")
    elif machine.expect(response, model.reads(name)):
        texts = [message.text for message in model.messages if not message.is_deleted]
        assert [message["message"] for message in response["messages"]] == texts[:-101:-1]


@rule(name=NAMES)
def search_everywhere(machine: ModelMachine, name: str) -> None:
    response = machine.request(name, "search", query="text", limit=100)
    assert response["ok"], response
    for message in response["messages"]:
        for model in machine.rooms.values():
            if message["room"] == model.name:
                assert model.reads(name)
                assert model.visibility == "public" or name in model.present | set(model.roles)


@rule(name=NAMES)
def list_rooms(machine: ModelMachine, name: str) -> None:
    response = machine.request(name, "listRooms", limit=200)
    listed = {room["name"] for room in response["rooms"]}
    for model in machine.rooms.values():
        if model.name in listed:
            assert model.visibility == "public"


@rule(name=ACCOUNT_NAMES)
def list_memberships(machine: ModelMachine, name: str) -> None:
    listed = {room["name"]: room for room in machine.request(name, "myRooms")["rooms"]}
    for model in machine.rooms.values():
        assert (model.name in listed) is (name in model.roles)
        if name in model.roles:
            assert listed[model.name]["role"] == model.roles[name]
            expect_read_state(model, name, listed[model.name]["read"])


@rule(name=NAMES)
def list_resources(machine: ModelMachine, name: str) -> None:
    client = machine.stage.persons[name].client
    for resource in machine.stage.run(client.request("findAllChatroom")):
        for model in machine.rooms.values():
            if resource["name"] != model.name:
                continue
            assert model.visibility == "public"
            client.pushes.clear()
            result = machine.stage.run(client.request("findChatroomMessages", {"id": resource["id"]}))
            assert ("error" not in result) is model.reads(name), result
            if "error" not in result:
                packets = [packet for packet in client.pushes if packet.startswith('42["chatroomMessage",')]
                texts = [json.loads(packet[2:])[1]["message"].partition("\n")[0] for packet in packets]
                assert [text for text in texts if text] == [
                    message.text for message in model.messages if not message.is_deleted
                ]
            client.pushes.clear()


# -- read markers and mentions


@rule(name=NATIVE_NAMES, room=ROOMS, position=POSITIONS)
def mark_read(machine: ModelMachine, name: str, room: str, position: int) -> None:
    model = machine.rooms[room]
    message = model.get_message(position)
    if message is None:
        return
    response = machine.request(name, "markRead", room=model.name, seq=message.seq)
    if machine.expect(response, KINDS[name][0] != "guest" and name in model.roles):
        expect_read_state(model, name, response["read"])


@rule(name=NATIVE_NAMES)
def list_mentions(machine: ModelMachine, name: str) -> None:
    response = machine.request(name, "listMentions", limit=MENTIONS_LIMIT)
    machine.expect(response, KINDS[name][0] != "guest")
    messages = response.get("messages", ())
    for model in machine.rooms.values():
        found = [message["seq"] for message in messages if message["room"] == model.name]
        expected = [message.seq for message in reversed(model.list_mentions(name)) if name in model.roles]
        assert found == (expected if len(messages) < MENTIONS_LIMIT else expected[: len(found)])


# -- event streams


@rule(name=NATIVE_NAMES, room=ROOMS)
def read_events(machine: ModelMachine, name: str, room: str) -> None:
    """Readers receive the log; the status for all others is that of the room."""
    model = machine.rooms[room]
    if model.reads(name):
        last_seq = model.messages[-1].seq if model.messages else 0
        model.expect_entries(machine.stage.read_events(name, model.name, last_seq))
    else:
        response = machine.stage.request_http(name, "GET", f"/api/rooms/{quote(model.name)}/events?after=0")
        assert response.status == expected_status(model, name), response
