"""Rules of the permission model for room administration, invites and webhooks.

The rules are functions of the state machine, which contains them as attributes.
"""

from http import HTTPStatus
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.support.permission_http import ModelMachine
from tests.support.permission_model import (
    ACCOUNT_NAMES,
    NATIVE_NAMES,
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
    machine.record_message(model, ExpectedMessage(message["seq"], author, text))


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
    if machine.expect(response, model.manages(name, 3)) and not has_title:
        model.name = new_name


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
    if machine.expect(response, model.invites(name)):
        model.invite_ids.add(response["invite"]["id"])


@rule(name=NATIVE_NAMES, room=ROOMS)
def list_invites(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "listInvites", room=model.name)
    if machine.expect(response, model.manages(name, 2)):
        assert {invite["id"] for invite in response["invites"]} == model.invite_ids
        assert all("code" not in invite for invite in response["invites"])


@rule(name=NATIVE_NAMES, room=ROOMS)
def revoke_invite(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    if model.invite_ids:
        invite_id = min(model.invite_ids)
        response = machine.request(name, "revokeInvite", room=model.name, id=invite_id)
        if machine.expect(response, model.manages(name, 2)):
            model.invite_ids.remove(invite_id)


@rule(name=NATIVE_NAMES, room=ROOMS)
def create_hook(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    response = machine.request(name, "createHook", room=model.name, nickName=f"hook{machine.stage.next_number()}")
    if machine.expect(response, model.creates_hooks(name)):
        model.hooks.append((name, urlsplit(str(response["url"])).path))


@rule(room=ROOMS)
def post_by_hook(machine: ModelMachine, room: str) -> None:
    """A webhook sends if its creator may write."""
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
