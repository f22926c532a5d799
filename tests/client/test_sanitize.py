"""Sanitizing of text from the server, with the limits of docs/protocol.md, "Limits"."""

from typing import Any

import pytest
from hypothesis import example, given, strategies as st
from wcwidth import iter_graphemes

from tests.support.reactions import summarize
from tui_chat.client import sanitize
from tui_chat.protocol.events import (
    Member,
    MemberChange,
    MemberRef,
    Message,
    NickNotice,
    PolicyChange,
    Reaction,
    TopicChange,
    UnknownEntry,
)
from tui_chat.protocol.limits import (
    NAME_CODE_POINTS,
    NICKNAME_GRAPHEMES,
    REACTION_CODE_POINTS,
    REASON_CHARACTERS,
    STATUS_CHARACTERS,
    STORED_MESSAGE_CHARACTERS,
    TOPIC_CHARACTERS,
)
from tui_chat.protocol.responses import HookCreated, Invite, RoomSummary

LONG = "é\u0958👩\u200d💻 " * 2_000
COMMON_FIELDS: dict[str, Any] = {"room": "tea", "seq": 1, "id": 1, "ts": 1}

fragments = st.builds("".join, st.lists(st.sampled_from(["a", "\n", "e\u0301", "\u0958", "👩\u200d💻", " ", "\x1b"])))


@given(fragments, st.sampled_from([1, 300, 5_000]))
@example("\u0958 ", 1_990)  # NFC composition lengthens this text
@example("\u0958 ", 120)
@example("\u0958 ", 15)
def test_truncation_is_idempotent(fragment: str, times: int) -> None:
    text = fragment * times
    for sanitizer in (sanitize.body, sanitize.line, sanitize.nickname, sanitize.room_name, sanitize.topic):
        assert sanitizer(sanitizer(text)) == sanitizer(text)


@pytest.mark.parametrize("text", ["x" * 5_000, "x", "小" * 5_000, "one\ntwo"])
def test_a_valid_message_body_is_returned_unchanged(text: str) -> None:
    assert sanitize.body(text) is text


FIELD_LIMITS = {
    "member_id": sanitize.MAX_ID_LENGTH,
    "message": STORED_MESSAGE_CHARACTERS,
    "topic": TOPIC_CHARACTERS,
    "reason": REASON_CHARACTERS,
    "away": STATUS_CHARACTERS,
    "emoji": REACTION_CODE_POINTS,
}
"""Maximum length of text fields other than names."""
LONG_REF = MemberRef(member_id="x" * 9_000, nick_name="x" * 9_000, account="x" * 9_000)
LONG_REACTION = summarize(**{f"{LONG}{number}": LONG for number in range(30)})


def test_every_text_field_is_truncated_to_its_limit() -> None:
    member = Member(member_id=LONG, nick_name=LONG, role="member", account=LONG, via=LONG, away=LONG)
    entries = (
        Message(
            **COMMON_FIELDS,
            nick_name=LONG,
            member_id=LONG,
            message=LONG,
            account=LONG,
            reactions={LONG: LONG_REACTION},
        ),
        Reaction(**COMMON_FIELDS, nick_name=LONG, member_id=LONG, target=1, emoji=LONG, on=True),
        TopicChange(**COMMON_FIELDS, nick_name=LONG, member_id=LONG, topic=LONG),
        MemberChange(
            **COMMON_FIELDS,
            nick_name=LONG,
            member_id=LONG,
            action="role",
            target=LONG_REF,
            by=LONG_REF,
            reason=LONG,
            role=LONG,
        ),
        PolicyChange(**COMMON_FIELDS, nick_name=LONG, member_id=LONG, new_name=LONG, title=LONG),
        UnknownEntry(**COMMON_FIELDS, nick_name=LONG, member_id=LONG),
        LONG_REF,
    )
    notice = NickNotice(room="tea", ts=1, nick_name=LONG, member_id=LONG, message=LONG, via=LONG, old_nick_name=LONG)
    room = RoomSummary(name=LONG, topic=LONG, members=1, last_seq=1)
    sanitized = [sanitize.received(item) for item in (member, *entries, notice, room)]
    change = sanitized[4]
    assert isinstance(change, MemberChange)
    for item in (*sanitized, change.target, change.by):
        texts = {field: getattr(item, field) for field in item.__struct_fields__}
        assert {
            field
            for field, text in texts.items()
            if isinstance(text, str) and len(text) > FIELD_LIMITS.get(field, NAME_CODE_POINTS)
        } == set()
        if "nick_name" in texts:
            assert sum(1 for _ in iter_graphemes(texts["nick_name"])) <= NICKNAME_GRAPHEMES
            assert texts["nick_name"].endswith(sanitize.ELLIPSIS)
    message = sanitized[1]
    assert isinstance(message, Message)
    ((emoji, summary),) = (message.reactions or {}).items()
    assert (len(emoji), summary.count, len(summary.by)) == (REACTION_CODE_POINTS, 30, 20)
    assert all(reactor.nick_name.endswith(sanitize.ELLIPSIS) for reactor in summary.by)


def test_invites_and_webhooks_have_printable_texts_and_a_valid_expiry() -> None:
    texts = {"id": "1\u202e", "url": "chat://host/\u202etea"}
    invite = sanitize.received(Invite(**texts, uses=1, expires_at=10**17, code="a\x1bb"))
    assert (invite.id, invite.code, invite.expires_at) == ("1", "ab", sanitize.MAX_TIMESTAMP)
    assert invite.url == sanitize.received(HookCreated(**texts)).url == "chat://host/tea"
