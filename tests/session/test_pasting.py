from hypothesis import given, settings
from hypothesis import strategies as st

from server.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.session.pasting import MESSAGES_MAX, Paste, PasteWish


def test_a_few_lines_do_not_ask_and_more_than_that_or_more_than_a_message_does() -> None:
    assert not Paste("one\ntwo\nthree\nfour\nfive").asks(5)
    assert Paste("1\n2\n3\n4\n5\n6").asks(5)
    assert not Paste("1\n2\n3\n4\n5\n6").asks(0)
    assert Paste("x" * (MESSAGE_CHARACTERS + 1)).asks(0)


def test_what_cannot_be_done_is_not_offered() -> None:
    assert Paste("a\n\nb\nc").wishes() == [(PasteWish.EDIT, 0), (PasteWish.ONE, 1), (PasteWish.LINES, 3)]
    assert Paste("\n".join("x" * 50)).wishes() == [(PasteWish.EDIT, 0), (PasteWish.ONE, 1)]
    long = "y" * (MESSAGE_CHARACTERS + 1)
    assert Paste(f"a\n{long}").wishes() == [(PasteWish.EDIT, 0), (PasteWish.PARTS, 3)]
    assert Paste("z" * MESSAGE_CHARACTERS * (MESSAGES_MAX + 1)).wishes() == [(PasteWish.EDIT, 0)]


@settings(deadline=None)  # a busy machine is slow
@given(st.lists(st.text("ab ", max_size=5000), max_size=12))
def test_in_parts_all_words_are_sent_in_their_order_and_each_part_fits(lines: list[str]) -> None:
    text = "\n".join(lines)
    parts = Paste(text).messages(PasteWish.PARTS)
    assert all(0 < len(part) <= MESSAGE_CHARACTERS for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_parts_break_between_lines() -> None:
    line = "x" * 1500
    assert Paste("\n".join([line] * 5)).messages(PasteWish.PARTS) == [f"{line}\n{line}", f"{line}\n{line}", line]
