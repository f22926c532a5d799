"""Lines of a transcript."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.transcript import format_entry
from tui_chat.protocol.events import (
    Attachment,
    Edit,
    Entry,
    MemberChange,
    MemberRef,
    Message,
    PolicyChange,
    TopicChange,
    UnknownEntry,
)
from tui_chat.protocol.policies import Retention

COMMON: dict[str, Any] = {
    "room": "tea",
    "seq": 1,
    "id": 1,
    "ts": 1_700_000_000_000,
    "member_id": "a",
    "nick_name": "ann",
}
ANN, BEN = MemberRef("a", "ann"), MemberRef("b", "ben")
FILE = Attachment("1", "tea.png", "image/png", 9, "/api/uploads/1/tea.png")
TIME = "2023-11-15 06:13:20"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (Message(**COMMON, message="  one\ntwo"), "ann:   one\n    two"),
        (Message(**COMMON, message="one", edited=3), "ann: one (edited)"),
        (Message(**COMMON, message="", attachments=[FILE]), "ann: tea.png /api/uploads/1/tea.png"),
        (
            Message(**COMMON, message="look", edited=3, attachments=[FILE]),
            "ann: look (edited)\n    tea.png /api/uploads/1/tea.png",
        ),
        (Message(**COMMON, message="", deleted=True), "ann: (deleted)"),
        (TopicChange(**COMMON, topic="green"), "* ann changed the topic to: green"),
        (TopicChange(**COMMON, topic=""), "* ann removed the topic"),
        (
            MemberChange(**COMMON, action="banned", target=BEN, by=ANN, until=1_700_003_600_000, reason="spam"),
            "* ann banned ben until 2023-11-15 07:13:20 (spam)",
        ),
        (MemberChange(**COMMON, action="role", target=BEN, by=ANN, role="moderator"), "* ann made ben moderator"),
        (MemberChange(**COMMON, action="joined", target=BEN, by=BEN), "* ben became a member"),
        (
            PolicyChange(**COMMON, speak="members", guest_post=False, keep=Retention(days=7), new_name="coffee"),
            '* ann changed the room: speak = "members", guestPost = false, keep = {"days":7}, newName = "coffee"',
        ),
    ],
)
def test_an_entry_is_a_line_with_its_time(entry: Entry, text: str) -> None:
    assert format_entry(entry, ZoneInfo("Asia/Shanghai")) == f"{TIME} {text}"


def test_changes_of_messages_have_no_line() -> None:
    assert format_entry(Edit(**COMMON, target=1, message="two"), None) is None
    assert format_entry(UnknownEntry(**COMMON), None) is None
