"""Rules of the permission model for requests over HTTP, and for the addresses of files.

The rules are functions of the state machine, which contains them as attributes.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote

from hypothesis.stateful import rule

from tests.support.permission_model import ACCOUNT_NAMES, KINDS, NATIVE_NAMES, ROOMS, ExpectedMessage, ExpectedRoom
from tests.support.permission_stage import Stage


class ModelMachine(Protocol):
    """State machine of the model.

    Attributes:
        stage: Server and persons.
        rooms: Expected state of the rooms.
        texts: Unique texts.
        owner_of_text: Room of each text in use.
    """

    stage: Stage
    rooms: dict[str, ExpectedRoom]
    texts: Iterator[str]
    owner_of_text: dict[str, ExpectedRoom]

    def request(self, name: str, event: str, **fields: Any) -> dict[str, Any]:
        """Send a request of a person, and return the acknowledgement."""
        ...

    def expect(self, response: dict[str, Any], is_permitted: bool) -> bool:
        """Assert that a request succeeded if and only if it is permitted; return `is_permitted`."""
        ...

    def check_pushes(self, texts: dict[str, set[str]] | None = None) -> None:
        """Compare the received texts with the expected ones by person."""

    def record_message(self, model: ExpectedRoom, message: ExpectedMessage) -> None:
        """Add a message to the model, and check its pushes."""


# -- rooms


def expected_status(model: ExpectedRoom, name: str) -> HTTPStatus:
    """Return the status of a request of a person for the contents of a room."""
    if model.reads(name):
        return HTTPStatus.OK
    return HTTPStatus.FORBIDDEN if model.sees(name) else HTTPStatus.NOT_FOUND


@rule(name=NATIVE_NAMES, room=ROOMS)
def read_room(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    path = f"/api/rooms/{quote(model.name)}"
    state, page = [machine.stage.request_http(name, "GET", path + suffix) for suffix in ("", "/messages?limit=200")]
    assert state.status == page.status, (state, page)
    if state.status == HTTPStatus.NOT_FOUND and room == "open" and not (model.present or model.messages):
        return  # the room ended with its last member
    assert state.status == expected_status(model, name), state
    if state.status == HTTPStatus.OK:
        assert state.body["members"] == len(model.present)
        model.expect_entries(page.body["messages"])


@rule(name=NATIVE_NAMES, room=ROOMS)
def post_message(machine: ModelMachine, name: str, room: str) -> None:
    model, text = machine.rooms[room], next(machine.texts)
    body = {"message": text, "nickName": name}
    response = machine.stage.request_http(name, "POST", f"/api/rooms/{quote(model.name)}/messages", body=body)
    machine.owner_of_text[text] = model
    assert (response.status == HTTPStatus.CREATED) is model.writes(name), response
    if response.status == HTTPStatus.CREATED:
        assert response.body["memberId"] == machine.stage.persons[name].member_id
        machine.record_message(model, ExpectedMessage(response.body["seq"], name, text))
    else:
        assert model.sees(name) or response.status == HTTPStatus.NOT_FOUND
        machine.check_pushes()


@rule(name=NATIVE_NAMES)
def list_rooms(machine: ModelMachine, name: str) -> None:
    listed = {room["name"] for room in machine.stage.request_http(name, "GET", "/api/rooms").body["rooms"]}
    for model in machine.rooms.values():
        assert model.visibility == "public" or model.name not in listed


# -- files


def upload(machine: ModelMachine, name: str, model: ExpectedRoom) -> dict[str, Any] | None:
    """Upload a file for a room; return its description, None for a rejected upload."""
    path = f"/api/uploads?room={quote(model.name)}&name=a"
    response = machine.stage.request_http(name, "POST", path, data=b"file")
    assert (response.status == HTTPStatus.CREATED) is model.uploads(name), response
    return response.body if response.status == HTTPStatus.CREATED else None


@rule(name=NATIVE_NAMES, room=ROOMS)
def send_file(machine: ModelMachine, name: str, room: str) -> None:
    model, text = machine.rooms[room], next(machine.texts)
    attachment = upload(machine, name, model) if model.messages else None
    if attachment is None or name not in model.present:
        return
    machine.owner_of_text[text] = model
    sent = machine.request(name, "sendMessage", room=model.name, message=text, attachments=[attachment["id"]])
    machine.record_message(model, ExpectedMessage(sent["seq"], name, text, file_path=attachment["path"]))


@rule(name=NATIVE_NAMES, other=NATIVE_NAMES, room=ROOMS)
def use_unsent_file(machine: ModelMachine, name: str, other: str, room: str) -> None:
    """Only the uploader reads and sends a file without a message."""
    model = machine.rooms[room]
    attachment = upload(machine, name, model)
    if attachment is None or name == other:
        return
    for person, status in ((name, HTTPStatus.OK), (other, HTTPStatus.NOT_FOUND)):
        assert machine.stage.request_http(person, "GET", attachment["path"]).status == status
        signed = machine.request(person, "signAttachments", paths=[attachment["path"]])
        assert (signed["urls"] == [None]) is (person == other)
    body = {"message": "stolen", "nickName": other, "attachments": [attachment["id"]]}
    posted = machine.stage.request_http(other, "POST", f"/api/rooms/{quote(model.name)}/messages", body=body)
    assert posted.status != HTTPStatus.CREATED
    assert posted.reason == "upload_not_found" or not model.writes(other), posted


@rule(name=NATIVE_NAMES, room=ROOMS)
def read_files(machine: ModelMachine, name: str, room: str) -> None:
    model = machine.rooms[room]
    for message in model.messages:
        if message.file_path and not message.is_deleted:
            response = machine.stage.request_http(name, "GET", message.file_path)
            assert response.status == (HTTPStatus.OK if model.reads(name) else HTTPStatus.NOT_FOUND), response
            signed = machine.request(name, "signAttachments", paths=[message.file_path])
            assert (signed["urls"] != [None]) is model.reads(name), signed


# -- accounts


@rule(name=NATIVE_NAMES)
def read_profile(machine: ModelMachine, name: str) -> None:
    response = machine.stage.request_http(name, "GET", "/api/me")
    if KINDS[name][0] == "guest":
        assert response.status == HTTPStatus.UNAUTHORIZED
    else:
        person = machine.stage.persons[name]
        assert (response.body["account"], response.body["memberId"]) == (name, person.member_id)
        assert response.body["about"] in ("", f"about {name}")


@rule(name=NATIVE_NAMES)
def change_profile(machine: ModelMachine, name: str) -> None:
    response = machine.stage.request_http(name, "PATCH", "/api/me", body={"about": f"about {name}"})
    is_guest = KINDS[name][0] == "guest"
    assert response.status == (HTTPStatus.UNAUTHORIZED if is_guest else HTTPStatus.OK), response


@rule(name=NATIVE_NAMES, other=ACCOUNT_NAMES)
def revoke_session_of_other(machine: ModelMachine, name: str, other: str) -> None:
    if name == other:
        return
    (session,) = machine.stage.request_http(other, "GET", "/api/sessions").body["sessions"]
    response = machine.stage.request_http(name, "DELETE", f"/api/sessions/{session['id']}")
    is_guest = KINDS[name][0] == "guest"
    assert response.status == (HTTPStatus.UNAUTHORIZED if is_guest else HTTPStatus.NOT_FOUND), response
    assert machine.stage.request_http(other, "GET", "/api/sessions").body["sessions"] == [session]
