"""Rules of the permission model for the private room as a group of the conversation dialect.

The rules are functions of the state machine, which contains them as attributes.
"""

from http import HTTPStatus
from typing import Any

from hypothesis.stateful import rule

from tests.support.permission_http import ModelMachine
from tests.support.permission_model import ACCOUNT_NAMES
from tests.support.permission_rooms import add_message


def list_group_ids(machine: ModelMachine, name: str) -> dict[str, set[int]]:
    """Return the ids of the groups of an account, `owner` and `member` by its role."""
    data: dict[str, list[dict[str, Any]]] = machine.stage.request_http(name, "GET", "/api/group/list").body["data"]
    return {role: {group["id"] for group in groups} for role, groups in data.items()}


@rule(name=ACCOUNT_NAMES)
def read_group(machine: ModelMachine, name: str) -> None:
    model = machine.rooms["vault"]
    ids, role = list_group_ids(machine, name), model.roles.get(name)
    assert (model.group_id in ids["owner"]) is (role == "owner")
    assert (model.group_id in ids["member"]) is (role in ("moderator", "member"))
    conversations = machine.stage.request_http(name, "GET", "/api/conversation/list").body["data"]
    assert (model.group_id in {item["groupId"] for item in conversations}) is (role is not None)
    group = machine.stage.request_http(name, "GET", f"/api/group/{model.group_id}")
    path = f"/api/conversation/group/message/list?groupId={model.group_id}&size=200"
    page = machine.stage.request_http(name, "GET", path)
    assert (group.status == HTTPStatus.OK) is (page.status == HTTPStatus.OK) is (role is not None)
    if role is not None:
        assert ("inviteCode" in group.body["data"]) is (role == "owner")
        found = [message["content"].partition("\n")[0] for message in page.body["data"]]
        assert found == [message.text for message in reversed(model.messages) if not message.is_deleted]


@rule(name=ACCOUNT_NAMES)
def post_to_group(machine: ModelMachine, name: str) -> None:
    model, text = machine.rooms["vault"], next(machine.texts)
    body = {"groupId": model.group_id, "content": text}
    response = machine.stage.request_http(name, "POST", "/api/conversation/group/message/text", body=body)
    machine.owner_of_text[text] = model
    assert (response.status == HTTPStatus.CREATED) is model.writes(name), response
    if response.status == HTTPStatus.CREATED:
        add_message(machine, model, name, text, name)
    else:
        assert response.status == (HTTPStatus.FORBIDDEN if model.sees(name) else HTTPStatus.NOT_ACCEPTABLE)
        machine.check_pushes()


@rule(name=ACCOUNT_NAMES, other=ACCOUNT_NAMES)
def join_group(machine: ModelMachine, name: str, other: str) -> None:
    """Only owners replace the code, which admits accounts that are neither members nor banned."""
    model = machine.rooms["vault"]
    response = machine.request(name, "replaceGroupCode", room=model.name)
    if machine.expect(response, model.roles.get(name) == "owner"):
        joined = machine.stage.request_http(other, "GET", f"/api/group/join/{response['code']}")
        assert (joined.status == HTTPStatus.OK) is (other not in model.roles and other not in model.banned)
        if joined.status == HTTPStatus.OK:
            model.roles[other] = "member"
