"""Known permission to upload files."""

import pytest

from tests.support.fake_room import FakeRoom
from tui_chat.protocol.policies import RoomPolicy
from tui_chat.session.commands.completion import complete
from tui_chat.session.upload_permission import find_upload_refusal, unavailable_commands


@pytest.mark.parametrize(
    ("role", "policy", "reason"),
    [
        (None, RoomPolicy(), None),
        (None, RoomPolicy(guest_post=False), "guests_read_only"),
        ("member", RoomPolicy(guest_post=False), None),
        (None, RoomPolicy(upload="members"), "members_only"),
        (None, RoomPolicy(speak="members"), "members_only"),
        ("member", RoomPolicy(upload="members"), None),
        ("member", RoomPolicy(upload="moderators"), "moderators_only"),
        ("moderator", RoomPolicy(upload="moderators"), None),
        ("admin", RoomPolicy(speak="moderators"), None),
    ],
)
def test_uploads_obey_the_policy_of_the_room(role: str | None, policy: RoomPolicy, reason: str | None) -> None:
    room = FakeRoom("tea", role=role, policy=policy)
    refusal = find_upload_refusal(room)
    assert (None if refusal is None else refusal.reason) == reason
    completion = complete("/up", (), (), hidden_commands=unavailable_commands(room))
    assert (completion is None) is (reason is not None)
