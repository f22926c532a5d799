"""Rules of the permission model for room administration, invites, webhooks, read markers and event streams.

The rules are functions of the state machine, which contains them as attributes.
"""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.support.permission_http import ModelMachine
from tests.support.permission_model import (
    ACCOUNT_NAMES,
    KINDS,
    MENTIONED,
    NAMES,
    NATIVE_NAMES,
    POSITIONS,
    ROOMS,
    ExpectedMessage,
    ExpectedRoom,
)


def add_message(machine: ModelMachine, model: ExpectedRoom, author: str, text: str, reader: str) -> None:
    """Add a message that was sent without an acknowledgement of its `seq`, and check its pushes.

    Args:
        machine: State machine.
        model: Room of the message.
        author: Author in the model.
        text: Unique text.
        reader: Person who may read the room.
    """
    path = f"/api/rooms/{quote(model.name)}/messages?limit=1"
    (message,) = machine.stage.request_http(reader, "GET", path).body["messages"]
    assert message["message"] == text
    model.messages.append(ExpectedMessage(message["seq"], author, text))
    machine.check_pushes({person: {text} for person in model.present | model.observers})


# -- administration


def list_resource_ids(machine: ModelMachine, name: str) -> dict[str, int]:
    """Return the ids of the listed rooms by name."""
    resources = machine.stage.run(machine.stage.persons[name].client.request("findAllChatroom"))
    return {resource["name"]: resource["id"] for resource in resources}


@rule(name=NATIVE_NAMES, room=ROOMS)
def rename_room(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    new_name = f"{room}{machine.stage.next_number()}"
    has_title = model.visibility in ("private", "direct")
    response = machine.request(name, "updateRoom", room=model.name, **{"title" if has_title else "roomName": new_name})
    assert response["ok"] is model.manages(name, 3), response
    if response["ok"] and not has_title:
        model.name = new_name


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


@rule(name=ACCOUNT_NAMES, room=ROOMS)
def rename_resource(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    ids = list_resource_ids(machine, name)
    assert (model.name in ids) is (model.visibility == "public")
    if model.name in ids:
        new_name = f"{room}{machine.stage.next_number()}"
        response = machine.request(name, "updateChatroom", id=ids[model.name], name_=new_name)
        assert ("error" not in response) is model.manages(name, 3), response
        if "error" not in response:
            model.name = new_name


@rule(name=NATIVE_NAMES, creator=ACCOUNT_NAMES, is_private=st.booleans(), is_resource=st.booleans())
def delete_room(machine: ModelMachine, name: str, creator: str, is_private: bool, is_resource: bool) -> None:
    """Only the owner, and for a public room administrators, delete a new room."""
    title = f"spare{machine.stage.next_number()}"
    fields = {"title": title, "visibility": "private"} if is_private else {"roomName": title}
    room = machine.request(creator, "createRoom", **fields)["room"]["name"]
    ids = list_resource_ids(machine, name)
    assert (room in ids) is not is_private
    if is_resource and not is_private:
        is_deleted = "error" not in machine.request(name, "removeChatroom", id=ids[room])
    else:
        is_deleted = machine.request(name, "deleteRoom", room=room)["ok"]
    assert is_deleted is (name == creator or (name == "admin" and not is_private))
    if not is_deleted:
        assert machine.request(creator, "deleteRoom", room=room)["ok"]


# -- invites and webhooks


@rule(name=NATIVE_NAMES, room=ROOMS)
def create_invite(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "createInvite", room=model.name)
    assert response["ok"] is model.invites(name), response
    if response["ok"]:
        model.invite_ids.add(response["invite"]["id"])


@rule(name=NATIVE_NAMES, room=ROOMS)
def list_invites(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "listInvites", room=model.name)
    assert response["ok"] is model.manages(name, 2), response
    if response["ok"]:
        assert {invite["id"] for invite in response["invites"]} == model.invite_ids
        assert all("code" not in invite for invite in response["invites"])


@rule(name=NATIVE_NAMES, room=ROOMS)
def revoke_invite(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    if model.invite_ids:
        invite_id = min(model.invite_ids)
        response = machine.request(name, "revokeInvite", room=model.name, id=invite_id)
        assert response["ok"] is model.manages(name, 2), response
        if response["ok"]:
            model.invite_ids.remove(invite_id)


@rule(name=NATIVE_NAMES, room=ROOMS)
def create_hook(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "createHook", room=model.name, nickName=f"hook{machine.stage.next_number()}")
    assert response["ok"] is model.creates_hooks(name), response
    if response["ok"]:
        model.hooks.append((name, urlsplit(str(response["url"])).path))


@rule(room=ROOMS)
def post_by_hook(machine: ModelMachine, room: str) -> None:
    """A webhook sends exactly what its creator may send."""
    model, text = machine.rooms[room], next(machine.texts)
    if not model.hooks:
        return
    creator, path = model.hooks[-1]
    response = machine.stage.request_http("guest", "POST", path, body={"text": text})
    machine.owner_of_text[text] = model
    assert (response.status == HTTPStatus.OK) is model.writes(creator), response
    if response.status == HTTPStatus.OK:
        add_message(machine, model, "hook", text, creator)
    else:
        machine.check_pushes()


# -- read markers and mentions


def expect_read_state(model: ExpectedRoom, read: dict[str, Any]) -> None:
    """Compare the numbers of a read marker with the messages of the room."""
    assert read["unread"] == sum(message.seq > read["seq"] for message in model.messages)
    assert read["mentions"] <= read["unread"]


@rule(name=NATIVE_NAMES, room=ROOMS, position=POSITIONS)
def mark_read(machine: ModelMachine, name: str, room: str, position: int) -> None:
    model = machine.rooms[room]
    message = model.get_message(position)
    if message is None:
        return
    response = machine.request(name, "markRead", room=model.name, seq=message.seq)
    assert response["ok"] is (KINDS[name][0] != "guest" and name in model.roles), response
    if response["ok"]:
        expect_read_state(model, response["read"])


@rule(name=NATIVE_NAMES)
def list_mentions(machine: ModelMachine, name: str) -> None:
    response = machine.request(name, "listMentions", limit=100)
    assert response["ok"] is (KINDS[name][0] != "guest"), response
    for message in response.get("messages", ()):
        assert name in MENTIONED
        for model in machine.rooms.values():
            if message["room"] == model.name:
                assert model.reads(name)
                texts = [known.text for known in model.messages if not known.is_deleted]
                assert message["message"].partition("\n")[0] in texts


# -- event streams


@rule(name=NATIVE_NAMES, room=ROOMS)
def read_events(machine: ModelMachine, name: str, room: str) -> None:
    """A stream contains the log, or is answered like the room."""
    model = machine.rooms[room]
    if model.reads(name):
        last_seq = model.messages[-1].seq if model.messages else 0
        model.expect_entries(machine.stage.read_events(name, model.name, last_seq))
    else:
        response = machine.stage.request_http(name, "GET", f"/api/rooms/{quote(model.name)}/events?after=0")
        assert response.status == (HTTPStatus.FORBIDDEN if model.sees(name) else HTTPStatus.NOT_FOUND), response
