import uuid
from itertools import count

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from tui_chat.protocol.events import JoinNotice, LeaveNotice, NickNotice
from tui_chat.session import transcript as transcript_module
from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.session.transcript import Transcript, coalesce


def make_line(seq: int | None, text: str = "hi", **fields: object) -> MessageLine:
    line = MessageLine(f"message-{seq}", seq, 0, "ann", "a", False, text)
    return replace(line, **fields)


def join_notice(member_id: str, nick: str, more: int = 0) -> JoinNotice:
    return JoinNotice(room="tea", member_id=member_id, nick_name=nick, ts=0, message="", more=more)


def test_a_nickname_cannot_imitate_a_membership_notice() -> None:
    transcript = Transcript()
    transcript.add_membership_notice(join_notice("m1", "bob left · Ann and Bob"))
    transcript.add_membership_notice(
        NickNotice(room="tea", member_id="m2", nick_name="join: bob left", ts=0, message="", old_nick_name="cai")
    )
    assert displayed_texts(transcript) == ["* “bob left · Ann and Bob” joined · cai is now “join: bob left”"]


def leave_notice(member_id: str, nick: str, more: int = 0) -> LeaveNotice:
    return LeaveNotice(room="tea", member_id=member_id, nick_name=nick, ts=0, message="", more=more)


def displayed_texts(transcript: Transcript) -> list[str]:
    def format_line(line: Line) -> str:
        match line:
            case MessageLine():
                return line.text if line.delivery is DeliveryState.SENT else f"{line.text} ({line.delivery.value})"
            case NoticeLine():
                return f"* {line.text}"
            case GapLine():
                return f"gap {line.missing_count}"
            case UnreadLine():
                return "unread"

    return [format_line(line) for line in transcript.lines]


def apply_splices(lines: list[Line], splices: list[Splice]) -> list[Line]:
    lines = list(lines)
    for splice in splices:
        assert len(lines) >= splice.index + splice.removed
        lines[splice.index : splice.index + splice.removed] = splice.lines
    return lines


def test_a_pending_line_stays_below_new_messages_until_its_ack() -> None:
    transcript = Transcript()
    transcript.put_messages([make_line(1, "one")])
    transcript.add_unsent("id", make_line(None, "mine", delivery=DeliveryState.PENDING))
    transcript.put_messages([make_line(2, "two")])
    assert displayed_texts(transcript) == ["one", "two", "mine (pending)"]
    transcript.mark_sent("id", make_line(3, "mine"))
    transcript.put_messages([make_line(4, "four")])
    assert displayed_texts(transcript) == ["one", "two", "mine", "four"]


def test_an_acknowledged_line_that_is_already_in_the_log_appears_once() -> None:
    transcript = Transcript()
    transcript.add_unsent("id", make_line(None, "mine", delivery=DeliveryState.PENDING))
    transcript.put_messages([make_line(1, "mine")])
    transcript.mark_sent("id", make_line(1, "mine"))
    assert displayed_texts(transcript) == ["mine"]


def test_an_ack_replaces_the_pending_line_in_one_splice() -> None:
    transcript = Transcript()
    transcript.add_unsent("id", make_line(None, "mine", delivery=DeliveryState.PENDING))
    transcript.pop_splices()
    transcript.mark_sent("id", make_line(1, "mine"))
    assert transcript.pop_splices() == [Splice(0, 1, (make_line(1, "mine"),))]


def test_a_page_of_older_history_is_one_splice() -> None:
    transcript = Transcript()
    transcript.put_messages([make_line(seq) for seq in range(201, 301)])
    transcript.pop_splices()
    transcript.put_messages([make_line(seq) for seq in range(1, 201)])
    (splice,) = transcript.pop_splices()
    assert (splice.index, splice.removed, len(splice.lines)) == (0, 0, 200)


def test_unconsumed_splices_above_the_limit_require_a_reload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript_module, "MAX_QUEUED_LINES", 20)
    transcript = Transcript()
    for seq in range(1, 100):
        transcript.put_messages([make_line(seq)])
    assert transcript.needs_reload
    assert transcript.pop_splices() == []
    assert not transcript.needs_reload
    transcript.put_messages([make_line(100)])
    assert transcript.pop_splices() == [Splice(99, 0, (make_line(100),))]


def test_a_gap_line_shrinks_and_disappears_as_messages_are_loaded() -> None:
    transcript = Transcript()
    transcript.put_messages([make_line(1, "one"), make_line(9, "nine")])
    transcript.set_gaps([(1, 9)])
    assert displayed_texts(transcript) == ["one", "gap 7", "nine"]
    transcript.put_messages([make_line(8, "eight")])
    transcript.set_gaps([(1, 8)])
    assert displayed_texts(transcript) == ["one", "gap 6", "eight", "nine"]
    transcript.put_messages([make_line(seq, str(seq)) for seq in range(2, 8)])
    transcript.set_gaps([])
    assert displayed_texts(transcript) == ["one", "2", "3", "4", "5", "6", "7", "eight", "nine"]


def test_membership_events_are_summarized_in_one_line_until_the_next_message() -> None:
    transcript = Transcript()
    for nick in ("ann", "bob", "cai"):
        transcript.add_membership_notice(join_notice(nick, nick))
    transcript.add_membership_notice(leave_notice("bob", "bob"))
    transcript.put_messages([make_line(1, "one")])
    transcript.add_membership_notice(
        NickNotice(room="tea", member_id="ann", nick_name="anna", ts=0, message="", old_nick_name="ann")
    )
    transcript.add_membership_notice(leave_notice("ann", "anna"))
    assert displayed_texts(transcript) == [
        "* ann and cai joined · bob joined and left",
        "one",
        "* ann is now anna · anna left",
    ]


def test_many_joins_are_summarized_in_one_short_line() -> None:
    transcript = Transcript()
    for number in range(500):
        transcript.add_membership_notice(join_notice(str(number), f"guest{number}"))
    (line,) = displayed_texts(transcript)
    assert line == "* guest0, guest1, guest2, guest3 and 496 others joined"


def test_thousands_of_joins_and_leaves_are_counted_in_one_line() -> None:
    transcript = Transcript()
    for number in range(5_000):
        transcript.add_membership_notice(join_notice(str(number), f"guest{number}"))
    for number in range(2):
        transcript.add_membership_notice(leave_notice(str(number), f"guest{number}"))
    assert displayed_texts(transcript) == [
        "* guest2, guest3, guest4, guest5 and 4,994 others joined · guest0 and guest1 joined and left"
    ]


def test_the_oldest_notices_are_removed_above_the_limit() -> None:
    transcript = Transcript()
    transcript.put_messages([make_line(1)])
    for number in range(transcript_module.MAX_NOTICES + 2):
        transcript.add_notice(0, str(number))
    transcript.add_membership_notice(join_notice("bob", "bob"))
    shown = displayed_texts(transcript)
    assert len(shown) == transcript_module.MAX_NOTICES + 1
    assert shown[:2] == ["hi", "* 3"]
    assert shown[-1] == "* bob joined"


def test_a_notice_keeps_its_position_when_older_history_loads() -> None:
    transcript = Transcript()
    transcript.put_messages([make_line(5, "five")])
    transcript.add_notice(0, "here you came")
    transcript.put_messages([make_line(6, "six")])
    transcript.put_messages([make_line(4, "four")])
    assert displayed_texts(transcript) == ["four", "five", "* here you came", "six"]


def test_the_unread_divider_is_above_the_first_unread_message() -> None:
    transcript = Transcript()
    transcript.put_messages([make_line(1, "one")])
    transcript.set_unread_line(1)
    transcript.put_messages([make_line(2, "two")])
    assert displayed_texts(transcript) == ["one", "unread", "two"]
    transcript.set_unread_line(None)
    assert displayed_texts(transcript) == ["one", "two"]


def test_an_edited_message_is_replaced_in_place() -> None:
    transcript = Transcript()
    transcript.put_messages([make_line(1, "one"), make_line(2, "two"), make_line(3, "three")])
    transcript.pop_splices()
    transcript.put_messages([make_line(2, "too", edited=True)])
    assert transcript.pop_splices() == [Splice(1, 1, (make_line(2, "too", edited=True),))]


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sets(st.integers(1, 40), min_size=1)),
        st.tuples(st.just("edit"), st.integers(1, 40)),
        st.tuples(st.just("queue"), st.none()),
        st.tuples(st.just("acknowledge"), st.integers(1, 40)),
        st.tuples(st.just("fail"), st.none()),
        st.tuples(st.just("discard"), st.none()),
        st.tuples(st.just("notice"), st.none()),
        st.tuples(st.just("join"), st.sampled_from("abc")),
        st.tuples(st.just("gaps"), st.sets(st.integers(1, 19).map(lambda n: (2 * n, 2 * n + 2)))),
        st.tuples(st.just("unread"), st.one_of(st.none(), st.integers(0, 40))),
        st.tuples(st.just("clear"), st.none()),
        st.tuples(st.just("pop"), st.none()),
    ),
    max_size=40,
)


@given(OPERATIONS)
def test_splices_reproduce_every_change_of_the_transcript(operations: list[tuple[str, object]]) -> None:
    transcript = Transcript()
    displayed: list[Line] = []
    ids = count()
    pending_ids: list[str] = []
    for operation, value in operations:
        if operation == "put":
            transcript.put_messages([make_line(seq) for seq in sorted(value)])  # type: ignore[type-var,arg-type,call-overload]
        elif operation == "edit":
            transcript.put_messages([make_line(value, f"edited {next(ids)}")])  # type: ignore[arg-type]
        elif operation == "queue":
            pending_ids.append(str(uuid.UUID(int=next(ids))))
            transcript.add_unsent(pending_ids[-1], make_line(None, delivery=DeliveryState.PENDING))
        elif operation == "acknowledge" and pending_ids:
            transcript.mark_sent(pending_ids.pop(0), make_line(value))  # type: ignore[arg-type]
        elif operation == "fail" and pending_ids:
            transcript.set_delivery(pending_ids[0], DeliveryState.FAILED, "no")
        elif operation == "discard" and pending_ids:
            transcript.discard_unsent(pending_ids.pop())
        elif operation == "notice":
            transcript.add_notice(0, "word")
        elif operation == "join":
            transcript.add_membership_notice(join_notice(str(value), str(value)))
        elif operation == "gaps":
            transcript.set_gaps(value)  # type: ignore[arg-type]
        elif operation == "unread":
            transcript.set_unread_line(value)  # type: ignore[arg-type]
        elif operation == "clear":
            transcript.clear_notices()
        elif operation == "pop":
            displayed = apply_splices(displayed, transcript.pop_splices())
            assert displayed == list(transcript.lines)
    assert apply_splices(displayed, transcript.pop_splices()) == list(transcript.lines)
    seqs = [line.seq for line in transcript.lines if isinstance(line, MessageLine) and line.seq]
    assert seqs == sorted(set(seqs))
    keys = [line.key for line in transcript.lines if not isinstance(line, MessageLine) or line.seq]
    assert len(keys) == len(set(keys))


def test_unlisted_members_are_counted_in_the_summary() -> None:
    transcript = Transcript()
    transcript.add_membership_notice(join_notice("a", "ann"))
    transcript.add_membership_notice(join_notice("b", "bob", 238))
    transcript.add_membership_notice(leave_notice("c", "cleo", 1))
    (line,) = transcript.lines
    assert isinstance(line, NoticeLine)
    assert line.text == "ann, bob and 238 others joined · cleo and 1 other left"


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 3)), max_size=8))
def test_coalesced_splices_have_the_same_effect(shapes: list[tuple[int, int, int]]) -> None:
    start: list[Line] = [make_line(seq) for seq in range(1, 9)]
    lines, splices, new_seqs = list(start), list[Splice](), count(100)
    for index, removed, added in shapes:
        position = min(index, len(lines))
        splice = Splice(
            position, min(removed, len(lines) - position), tuple(make_line(next(new_seqs)) for _ in range(added))
        )
        splices.append(splice)
        lines = apply_splices(lines, [splice])
    assert apply_splices(start, coalesce(splices)) == lines
