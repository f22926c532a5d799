"""Fields and values of `/policy`."""

import pytest

from tui_chat.protocol.policies import PolicyFields, Retention
from tui_chat.session.commands.policy_parser import parse_field
from tui_chat.session.commands.registry import CommandRejected


@pytest.mark.parametrize(
    ("name", "value", "change"),
    [
        ("speak", "Members", PolicyFields(speak="members")),
        ("GUESTPOST", "false", PolicyFields(guest_post=False)),
        ("topic", "owner", PolicyFields(topic_role="owner")),
        ("invite", "moderators", PolicyFields(invite_role="moderators")),
        ("keep", "30d", PolicyFields(keep=Retention(days=30))),
        ("keep", "36500D", PolicyFields(keep=Retention(days=36_500))),
        ("keep", "1000", PolicyFields(keep=Retention(messages=1000))),
        ("keep", "10000000", PolicyFields(keep=Retention(messages=10_000_000))),
        ("keep", "all", PolicyFields(keep=Retention())),
    ],
)
def test_a_field_is_parsed_in_any_case(name: str, value: str, change: PolicyFields) -> None:
    assert parse_field(name, value) == change


@pytest.mark.parametrize("value", ["", "0", "0d", "36501d", "10000001", "30 d", "-1", "d", "30m"])
def test_an_invalid_retention_is_rejected_with_examples(value: str) -> None:
    with pytest.raises(CommandRejected, match=r"keep: expected 30d, 1000, all\."):
        parse_field("keep", value)
