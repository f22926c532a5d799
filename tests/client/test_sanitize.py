"""What a server sends is cut to what the protocol allows (docs/protocol.md, "Limits")."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from tui_chat.client import sanitize
from tui_chat.protocol.events import Member, Message, NickNotice, Reaction, TopicChange
from tui_chat.protocol.responses import RoomSummary

LONG = "é\u0958👩\u200d💻 " * 2_000
ABOUT: dict[str, Any] = {"room": "tea", "seq": 1, "id": 1, "ts": 1}

anything = st.builds("".join, st.lists(st.sampled_from(["a", "\n", "e\u0301", "\u0958", "👩\u200d💻", " ", "\x1b"])))


@given(anything, st.sampled_from([1, 300, 5_000]))
@example("\u0958 ", 1_990)  # longer once it is composed
@example("\u0958 ", 120)
@example("\u0958 ", 15)
def test_what_was_cut_is_not_cut_again(some: str, times: int) -> None:
    text = some * times
    for cut in (sanitize.body, sanitize.line, sanitize.nickname, sanitize.room_name, sanitize.topic):
        assert cut(cut(text)) == cut(text)


@pytest.mark.parametrize("text", ["x" * 4_000, "x", "小" * 4_000, "one\ntwo"])
def test_what_the_protocol_allows_is_the_same_object(text: str) -> None:
    assert sanitize.body(text) is text


def test_every_text_of_an_entry_has_an_end() -> None:
    member = Member(member_id=LONG, nick_name=LONG, role="member", account=LONG, via=LONG)
    entries = (
        Message(**ABOUT, nick_name=LONG, member_id=LONG, message=LONG, account=LONG, reactions={LONG: ["m"]}),
        Reaction(**ABOUT, nick_name=LONG, member_id=LONG, target=1, emoji=LONG, on=True),
        TopicChange(**ABOUT, nick_name=LONG, member_id=LONG, topic=LONG),
    )
    notice = NickNotice(room="tea", ts=1, nick_name=LONG, member_id=LONG, message=LONG, via=LONG, old_nick_name=LONG)
    room = RoomSummary(name=LONG, topic=LONG, members=1, last_seq=1)
    cleaned = [sanitize.member(member), *map(sanitize.entry, entries), sanitize.notice(notice), sanitize.summary(room)]
    for each in cleaned:
        texts = {name: getattr(each, name) for name in each.__struct_fields__}
        assert {name for name, text in texts.items() if isinstance(text, str) and len(text) > 4_000} == set()
        if "nick_name" in texts:
            assert sum(1 for _ in iter_graphemes(texts["nick_name"])) <= 32
            assert texts["nick_name"].endswith(sanitize.ELLIPSIS)
    message = cleaned[1]
    assert isinstance(message, Message)
    assert [len(emoji) for emoji in message.reactions or ()] == [16]
