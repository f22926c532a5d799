"""Targets of moderation commands."""

import pytest

from tui_chat.protocol.events import MemberRef
from tui_chat.session.commands.moderation_handlers import match_person

CANDIDATES = [MemberRef(member_id=nick, nick_name=nick) for nick in ("", "ann", "bob", "bob:", "bob lee", "eve:")]


@pytest.mark.parametrize(
    ("argument", "nick", "rest"),
    [
        ("Ann  too  loud", "ann", "too loud"),
        ("ann:: spam", "ann", "spam"),
        ("bob spam", "bob", "spam"),
        ("bob: spam", "bob:", "spam"),
        ("bob Lee: spam", "bob lee", "spam"),
        ("eve: spam", "eve:", "spam"),
        ("eve:: spam", "eve:", "spam"),
    ],
)
def test_a_nickname_with_or_without_further_colons_selects_the_person(argument: str, nick: str, rest: str) -> None:
    assert match_person(argument, CANDIDATES) == (MemberRef(member_id=nick, nick_name=nick), rest)


@pytest.mark.parametrize("argument", ["", "anna spam", "annb: spam", "eve spam"])
def test_other_text_selects_no_person(argument: str) -> None:
    assert match_person(argument, CANDIDATES) is None
