from datetime import datetime
from typing import Any

import pytest

from tui_chat.protocol.events import MemberChange, MemberRef, PolicyChange
from tui_chat.protocol.policies import Retention
from tui_chat.session.strings.moderation import member_changed, policy_changed

COMMON_FIELDS: dict[str, Any] = {"room": "tea", "seq": 3, "id": 9, "ts": 1, "member_id": "g1", "nick_name": "ann"}
UNTIL = int(datetime(2031, 1, 2, 3, 4).timestamp() * 1000)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"action": "banned"}, "ann banned bob."),
        ({"action": "banned", "until": UNTIL, "reason": "spam"}, "ann banned bob (until 2031-01-02 03:04, spam)."),
        ({"action": "muted", "until": UNTIL}, "ann silenced bob (until 2031-01-02 03:04)."),
        ({"action": "role", "role": "moderator"}, "ann made bob moderator."),
        ({"action": "joined"}, "bob became a member."),
        ({"action": "promoted", "reason": "thanks"}, "ann changed the membership of bob (thanks)."),
    ],
)
def test_a_member_change_is_one_sentence_with_its_end_and_reason(fields: dict[str, Any], sentence: str) -> None:
    target, by = MemberRef(member_id="g2", nick_name="bob"), MemberRef(member_id="g1", nick_name="ann")
    assert member_changed(MemberChange(**COMMON_FIELDS, target=target, by=by, **fields)) == sentence


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"speak": "members", "topic_role": "owner"}, "ann changed the room: speak = members, topic = owner"),
        ({"guest_post": False}, "ann changed the room: guestPost = false"),
        ({"keep": Retention(days=3)}, "ann changed the room: keep = 3 days"),
        ({"keep": Retention()}, "ann changed the room: keep = everything"),
        ({"new_name": "green", "keep": Retention(messages=1)}, "ann changed the room: name = green, keep = 1 message"),
    ],
)
def test_a_policy_change_lists_the_new_values(fields: dict[str, Any], sentence: str) -> None:
    assert policy_changed(PolicyChange(**COMMON_FIELDS, **fields)) == sentence
