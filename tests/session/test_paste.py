from hypothesis import given, settings
from hypothesis import strategies as st

from tui_chat.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.session.paste import MAX_MESSAGES, Paste, PasteMode


def test_a_few_lines_do_not_ask_and_more_than_that_or_more_than_a_message_does() -> None:
    assert not Paste("one\ntwo\nthree\nfour\nfive").needs_confirmation(5)
    assert Paste("1\n2\n3\n4\n5\n6").needs_confirmation(5)
    assert not Paste("1\n2\n3\n4\n5\n6").needs_confirmation(0)
    assert Paste("x" * (MESSAGE_CHARACTERS + 1)).needs_confirmation(0)


def test_what_cannot_be_done_is_not_offered() -> None:
    assert Paste("a\n\nb\nc").available_modes() == [
        (PasteMode.EDIT, 0),
        (PasteMode.SINGLE_MESSAGE, 1),
        (PasteMode.LINE_BY_LINE, 3),
    ]
    assert Paste("\n".join("x" * 50)).available_modes() == [(PasteMode.EDIT, 0), (PasteMode.SINGLE_MESSAGE, 1)]
    long = "y" * (MESSAGE_CHARACTERS + 1)
    assert Paste(f"a\n{long}").available_modes() == [(PasteMode.EDIT, 0), (PasteMode.CHUNKS, 3)]
    assert Paste("z" * MESSAGE_CHARACTERS * (MAX_MESSAGES + 1)).available_modes() == [(PasteMode.EDIT, 0)]


@settings(deadline=None)  # a busy machine is slow
@given(st.lists(st.text("ab ", max_size=5000), max_size=12))
def test_in_parts_all_words_are_sent_in_their_order_and_each_part_fits(lines: list[str]) -> None:
    text = "\n".join(lines)
    parts = Paste(text).messages(PasteMode.CHUNKS)
    assert all(0 < len(part) <= MESSAGE_CHARACTERS for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_parts_break_between_lines() -> None:
    line = "x" * 1500
    assert Paste("\n".join([line] * 5)).messages(PasteMode.CHUNKS) == [f"{line}\n{line}", f"{line}\n{line}", line]
