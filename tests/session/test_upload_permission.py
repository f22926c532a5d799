"""Known permission to upload files, compared with that of the server."""

from typing import Any

import msgspec

from server.domain.permissions import Action, Policy, Role, Standing, require
from tests.support.fake_room import FakeRoom
from tests.support.vectors import vector_cases
from tui_chat.protocol.errors import Forbidden
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.session.commands.completion import complete
from tui_chat.session.upload_permission import find_upload_refusal, unavailable_commands


def find_server_refusal(role: str | None, policy: RoomPolicy) -> Forbidden | None:
    """Return the error of the server."""
    standing = Standing(role=Role[(role or "guest").upper()], is_member=role is not None)
    try:
        require(Action.UPLOAD, Policy(speak=policy.speak, guest_post=policy.guest_post, upload=policy.upload), standing)
    except Forbidden as error:
        return error
    return None


@vector_cases("upload_permission")
def test_uploads_obey_the_policy_of_the_room(case: dict[str, Any]) -> None:
    role, policy = case["input"]["role"], msgspec.convert(case["input"]["policy"], RoomPolicy)
    room = FakeRoom("tea", role=role, policy=policy)
    for refusal in (find_upload_refusal(room), find_server_refusal(role, policy)):
        assert (None if refusal is None else refusal.reason) == case["expected"]
    completion = complete("/up", (), (), hidden_commands=unavailable_commands(room))
    assert (completion is None) is (case["expected"] is not None)
