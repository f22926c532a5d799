from hypothesis import given, settings, strategies as st

from tui_chat.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.session.paste import MAX_MESSAGES, Paste, PasteMode


def test_confirmation_is_needed_above_the_line_limit_or_the_message_length() -> None:
    assert not Paste("one\ntwo\nthree\nfour\nfive").needs_confirmation(5)
    assert Paste("1\n2\n3\n4\n5\n6").needs_confirmation(5)
    assert not Paste("1\n2\n3\n4\n5\n6").needs_confirmation(0)
    assert Paste("x" * (MESSAGE_CHARACTERS + 1)).needs_confirmation(0)


def test_only_applicable_paste_modes_are_available() -> None:
    assert Paste("a\n\nb\nc").available_modes() == [
        (PasteMode.EDIT, 0),
        (PasteMode.SINGLE_MESSAGE, 1),
        (PasteMode.LINE_BY_LINE, 3),
    ]
    assert Paste("\n".join("x" * 50)).available_modes() == [(PasteMode.EDIT, 0), (PasteMode.SINGLE_MESSAGE, 1)]
    long = "y" * (MESSAGE_CHARACTERS + 1)
    assert Paste(f"a\n{long}").available_modes() == [(PasteMode.EDIT, 0), (PasteMode.CHUNKS, 3)]
    assert Paste("z" * MESSAGE_CHARACTERS * (MAX_MESSAGES + 1)).available_modes() == []
    assert Paste("short").available_modes(may_upload=True)[-1] == (PasteMode.FILE, 1)


@settings(deadline=None)  # duration depends on the machine load
@given(st.lists(st.text("ab ", max_size=5000), max_size=12))
def test_chunks_preserve_all_words_in_order_and_fit_the_message_length(lines: list[str]) -> None:
    text = "\n".join(lines)
    chunks = Paste(text).messages(PasteMode.CHUNKS)
    assert all(0 < len(chunk) <= MESSAGE_CHARACTERS for chunk in chunks)
    assert "".join("".join(chunks).split()) == "".join(text.split())


def test_chunks_break_between_lines() -> None:
    line = "x" * 1500
    assert Paste("\n".join([line] * 5)).messages(PasteMode.CHUNKS) == [f"{line}\n{line}", f"{line}\n{line}", line]
