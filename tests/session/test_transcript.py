import uuid
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tui_chat.session import transcript as transcripts
from tui_chat.session.lines import DeliveryState, GapLine, Line, MessageLine, NoticeLine, Splice, UnreadLine
from tui_chat.session.membership_summary import MembershipChange, MembershipEvent
from tui_chat.session.transcript import Transcript, coalesce


def said(seq: int | None, text: str = "hi", **fields: object) -> MessageLine:
    line = MessageLine(f"message-{seq}", seq, 0, "ann", "a", False, text)
    return replace(line, **fields)


def shown(transcript: Transcript) -> list[str]:
    def one(line: Line) -> str:
        match line:
            case MessageLine():
                return line.text if line.delivery is DeliveryState.SENT else f"{line.text} ({line.delivery.value})"
            case NoticeLine():
                return f"* {line.text}"
            case GapLine():
                return f"gap {line.missing_count}"
            case UnreadLine():
                return "unread"

    return [one(line) for line in transcript.lines]


def apply(lines: list[Line], splices: list[Splice]) -> list[Line]:
    lines = list(lines)
    for splice in splices:
        assert len(lines) >= splice.index + splice.removed
        lines[splice.index : splice.index + splice.removed] = splice.lines
    return lines


def test_a_pending_line_stays_below_what_others_say_until_it_takes_its_place() -> None:
    transcript = Transcript()
    transcript.put_messages([said(1, "one")])
    transcript.add_unsent("id", said(None, "mine", delivery=DeliveryState.PENDING))
    transcript.put_messages([said(2, "two")])
    assert shown(transcript) == ["one", "two", "mine (pending)"]
    transcript.mark_sent("id", said(3, "mine"))
    transcript.put_messages([said(4, "four")])
    assert shown(transcript) == ["one", "two", "mine", "four"]


def test_a_settled_line_that_the_log_has_already_stands_once() -> None:
    transcript = Transcript()
    transcript.add_unsent("id", said(None, "mine", delivery=DeliveryState.PENDING))
    transcript.put_messages([said(1, "mine")])
    transcript.mark_sent("id", said(1, "mine"))
    assert shown(transcript) == ["mine"]


def test_sending_replaces_the_pending_line_in_one_splice() -> None:
    transcript = Transcript()
    transcript.add_unsent("id", said(None, "mine", delivery=DeliveryState.PENDING))
    transcript.pop_splices()
    transcript.mark_sent("id", said(1, "mine"))
    assert transcript.pop_splices() == [Splice(0, 1, (said(1, "mine"),))]


def test_a_page_of_older_history_is_one_splice() -> None:
    transcript = Transcript()
    transcript.put_messages([said(seq) for seq in range(201, 301)])
    transcript.pop_splices()
    transcript.put_messages([said(seq) for seq in range(1, 201)])
    (splice,) = transcript.pop_splices()
    assert (splice.index, splice.removed, len(splice.lines)) == (0, 0, 200)


def test_what_nobody_takes_is_given_up_and_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MAX_QUEUED_LINES", 20)
    transcript = Transcript()
    for seq in range(1, 100):
        transcript.put_messages([said(seq)])
    assert transcript.is_reset
    assert transcript.pop_splices() == []
    assert not transcript.is_reset
    transcript.put_messages([said(100)])
    assert transcript.pop_splices() == [Splice(99, 0, (said(100),))]


def test_a_gap_stands_between_what_is_known_and_goes_when_it_is_filled() -> None:
    transcript = Transcript()
    transcript.put_messages([said(1, "one"), said(9, "nine")])
    transcript.set_gaps([(1, 9)])
    assert shown(transcript) == ["one", "gap 7", "nine"]
    transcript.put_messages([said(8, "eight")])
    transcript.set_gaps([(1, 8)])
    assert shown(transcript) == ["one", "gap 6", "eight", "nine"]
    transcript.put_messages([said(seq, str(seq)) for seq in range(2, 8)])
    transcript.set_gaps([])
    assert shown(transcript) == ["one", "2", "3", "4", "5", "6", "7", "eight", "nine"]


def test_comings_and_goings_fold_into_one_line_until_somebody_speaks() -> None:
    transcript = Transcript()
    for nick in ("ann", "bob", "cai"):
        transcript.add_membership_event(0, MembershipEvent(MembershipChange.JOINED, nick, nick))
    transcript.add_membership_event(0, MembershipEvent(MembershipChange.LEFT, "bob", "bob"))
    transcript.put_messages([said(1, "one")])
    transcript.add_membership_event(0, MembershipEvent(MembershipChange.RENAMED, "ann", "anna", "ann"))
    assert shown(transcript) == ["* ann and cai joined · bob came and went", "one", "* ann is now anna"]


def test_a_storm_of_joins_stays_one_short_line() -> None:
    transcript = Transcript()
    for number in range(500):
        transcript.add_membership_event(0, MembershipEvent(MembershipChange.JOINED, str(number), f"guest{number}"))
    (line,) = shown(transcript)
    assert line == "* guest0, guest1, guest2, guest3 and 496 others joined"


def test_thousands_who_come_are_counted_in_one_line() -> None:
    transcript = Transcript()
    for number in range(5_000):
        transcript.add_membership_event(0, MembershipEvent(MembershipChange.JOINED, str(number), f"guest{number}"))
    for number in range(2):
        transcript.add_membership_event(0, MembershipEvent(MembershipChange.LEFT, str(number), f"guest{number}"))
    assert shown(transcript) == [
        "* guest2, guest3, guest4, guest5 and 4,994 others joined · guest0 and guest1 came and went"
    ]


def test_a_notice_keeps_its_place_when_older_history_comes() -> None:
    transcript = Transcript()
    transcript.put_messages([said(5, "five")])
    transcript.add_notice(0, "here you came")
    transcript.put_messages([said(6, "six")])
    transcript.put_messages([said(4, "four")])
    assert shown(transcript) == ["four", "five", "* here you came", "six"]


def test_the_unread_line_stands_above_the_first_unread_message() -> None:
    transcript = Transcript()
    transcript.put_messages([said(1, "one")])
    transcript.set_unread_line(1)
    transcript.put_messages([said(2, "two")])
    assert shown(transcript) == ["one", "unread", "two"]
    transcript.set_unread_line(None)
    assert shown(transcript) == ["one", "two"]


def test_an_edited_message_is_replaced_where_it_stands() -> None:
    transcript = Transcript()
    transcript.put_messages([said(1, "one"), said(2, "two"), said(3, "three")])
    transcript.pop_splices()
    transcript.put_messages([said(2, "too", edited=True)])
    assert transcript.pop_splices() == [Splice(1, 1, (said(2, "too", edited=True),))]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sets(st.integers(1, 40), min_size=1)),
        st.tuples(st.just("edit"), st.integers(1, 40)),
        st.tuples(st.just("pend"), st.none()),
        st.tuples(st.just("settle"), st.integers(1, 40)),
        st.tuples(st.just("fail"), st.none()),
        st.tuples(st.just("discard"), st.none()),
        st.tuples(st.just("notice"), st.none()),
        st.tuples(st.just("come"), st.sampled_from("abc")),
        st.tuples(st.just("gaps"), st.sets(st.integers(1, 19).map(lambda n: (2 * n, 2 * n + 2)))),
        st.tuples(st.just("unread"), st.one_of(st.none(), st.integers(0, 40))),
        st.tuples(st.just("clear"), st.none()),
        st.tuples(st.just("take"), st.none()),
    ),
    max_size=40,
)


@given(steps)
def test_the_splices_say_all_that_changes(script: list[tuple[str, object]]) -> None:
    transcript = Transcript()
    screen: list[Line] = []
    ids = count()
    waiting: list[str] = []
    for step, value in script:
        if step == "put":
            transcript.put_messages([said(seq) for seq in sorted(value)])  # type: ignore[type-var,arg-type,call-overload]
        elif step == "edit":
            transcript.put_messages([said(value, f"edited {next(ids)}")])  # type: ignore[arg-type]
        elif step == "pend":
            waiting.append(str(uuid.UUID(int=next(ids))))
            transcript.add_unsent(waiting[-1], said(None, delivery=DeliveryState.PENDING))
        elif step == "settle" and waiting:
            transcript.mark_sent(waiting.pop(0), said(value))  # type: ignore[arg-type]
        elif step == "fail" and waiting:
            transcript.set_delivery(waiting[0], DeliveryState.FAILED, "no")
        elif step == "discard" and waiting:
            transcript.discard_unsent(waiting.pop())
        elif step == "notice":
            transcript.add_notice(0, "word")
        elif step == "come":
            transcript.add_membership_event(0, MembershipEvent(MembershipChange.JOINED, str(value), str(value)))
        elif step == "gaps":
            transcript.set_gaps(value)  # type: ignore[arg-type]
        elif step == "unread":
            transcript.set_unread_line(value)  # type: ignore[arg-type]
        elif step == "clear":
            transcript.clear_notices()
        elif step == "take":
            screen = apply(screen, transcript.pop_splices())
            assert screen == list(transcript.lines)
    assert apply(screen, transcript.pop_splices()) == list(transcript.lines)
    seqs = [line.seq for line in transcript.lines if isinstance(line, MessageLine) and line.seq]
    assert seqs == sorted(set(seqs))
    keys = [line.key for line in transcript.lines if not isinstance(line, MessageLine) or line.seq]
    assert len(keys) == len(set(keys))


def test_a_storm_of_which_not_everybody_is_told_counts_the_others() -> None:
    transcript = Transcript()
    transcript.add_membership_event(0, MembershipEvent(MembershipChange.JOINED, "a", "ann"))
    transcript.add_membership_event(0, MembershipEvent(MembershipChange.JOINED, "b", "bob", unlisted_count=238))
    transcript.add_membership_event(0, MembershipEvent(MembershipChange.LEFT, "c", "cleo", unlisted_count=1))
    (line,) = transcript.lines
    assert isinstance(line, NoticeLine)
    assert line.text == "ann, bob and 238 others joined · cleo and 1 other left"


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 3)), max_size=8))
def test_joined_splices_do_the_same(shapes: list[tuple[int, int, int]]) -> None:
    start: list[Line] = [said(seq) for seq in range(1, 9)]
    lines, splices, fresh = list(start), list[Splice](), count(100)
    for index, removed, added in shapes:
        at = min(index, len(lines))
        splice = Splice(at, min(removed, len(lines) - at), tuple(said(next(fresh)) for _ in range(added)))
        splices.append(splice)
        lines = apply(lines, [splice])
    assert apply(start, coalesce(splices)) == lines
