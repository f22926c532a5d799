"""Sanitizing and validation of texts (docs/protocol.md, "Text and names")."""

import unicodedata

import pytest
from hypothesis import example, given, strategies as st

from tui_chat.protocol import sanitize
from tui_chat.protocol.errors import BadRequest, TooLong

BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

encodable_text = st.text(st.characters(exclude_categories=["Cs"]))
"""Text without lone surrogates, unlike `st.text()`."""

hostile_text = (
    st.text(st.sampled_from("\x1b\x9b\x07\x00\r\n\t\x7f\x85\u2028\u2029\u202e\u2066\u200d\u0301ae小👨é[]31m;"))
    | encodable_text
)


@given(hostile_text)
@example("e\x00\u0301")
@example("\u0958")
def test_sanitizing_is_idempotent(raw: str) -> None:
    assert sanitize.sanitize_body(sanitize.sanitize_body(raw)) == sanitize.sanitize_body(raw)
    assert sanitize.sanitize_line(sanitize.sanitize_line(raw)) == sanitize.sanitize_line(raw)


@given(hostile_text)
def test_sanitizing_never_lengthens_the_nfc_form(raw: str) -> None:
    without_controls = "".join(
        character for character in raw if unicodedata.category(character) != "Cc" or character in "\t\n\r\x85"
    )
    longest = max(len(unicodedata.normalize("NFC", raw)), len(unicodedata.normalize("NFC", without_controls)))
    assert len(sanitize.sanitize_body(raw)) <= longest
    assert len(sanitize.sanitize_line(raw)) <= longest


@given(hostile_text)
def test_control_and_bidirectional_characters_are_removed(raw: str) -> None:
    body, line = sanitize.sanitize_body(raw), sanitize.sanitize_line(raw)
    assert {character for character in body if unicodedata.category(character) == "Cc"} <= {"\n", "\t"}
    assert not {character for character in line if unicodedata.category(character) in ("Cc", "Zl", "Zp")}
    assert not BIDI & set(body + line)
    assert not {"\u2028", "\u2029"} & set(body)
    assert body == unicodedata.normalize("NFC", body)
    body.encode()
    line.encode()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a \x1b[31mred\x1b[0m b", "a red b"),
        ("\x9b1mbold\x9b0m", "bold"),
        ("\x1b]8;;http://localhost\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1bP1$r0m\x1b\\\x1b_Gi=1;OK\x1b\\text", "text"),
        ("\x1b]0;open title\nnext line", "0;open title\nnext line"),
        ("\x1b(Bline\x1b7\x1b[12", "line"),
        ("\x1b[1;é\x1b", "1;é"),
        ("\x9b1;é", "1;é"),
        ("\x9dfoo", "foo"),
        ("\x90a\x98b\x9ec\x9fd", "abcd"),
    ],
)
def test_escape_sequences_are_removed_except_unterminated_strings(raw: str, text: str) -> None:
    assert sanitize.remove_escape_sequences(raw) == text


@given(encodable_text, st.sampled_from(["\ud800", "\udfff"]), encodable_text)
def test_a_lone_surrogate_is_rejected(before: str, surrogate: str, after: str) -> None:
    for sanitizer in (sanitize.sanitize_body, sanitize.sanitize_line):
        with pytest.raises(BadRequest):
            sanitizer(before + surrogate + after)


@pytest.mark.parametrize("raw", ["a\r\nb", "a\rb", "a\nb", "a\u0085b", "a\u2028b", "a\u2029b"])
def test_line_breaks_become_newlines_in_a_body_and_spaces_in_a_line(raw: str) -> None:
    assert sanitize.sanitize_body(raw) == "a\nb"
    assert sanitize.sanitize_line(raw) == "a b"


def test_a_body_preserves_tabs_and_newlines() -> None:
    assert sanitize.sanitize_body("a\tb\nc") == "a\tb\nc"


def test_emoji_joiners_and_right_to_left_marks_are_preserved() -> None:
    family = "👨\u200d👩\u200d👧"
    assert sanitize.sanitize_body(family) == family
    assert sanitize.sanitize_body("abc\u200f") == "abc\u200f"


def test_escape_sequences_lose_their_control_characters() -> None:
    assert sanitize.sanitize_body("\x1b]52;c;aGk=\x07hi\x9b31m") == "]52;c;aGk=hi31m"


def test_text_above_the_limit_is_too_long() -> None:
    assert sanitize.validate_message_body("a" * 4000) == "a" * 4000
    with pytest.raises(TooLong) as too_long:
        sanitize.validate_message_body("a" * 4001)
    assert (too_long.value.reason, too_long.value.params) == ("message_too_long", {"limit": 4000, "count": 4001})
    assert sanitize.validate_topic("t" * 250)
    with pytest.raises(TooLong) as too_long:
        sanitize.validate_topic("t" * 251)
    assert (too_long.value.reason, too_long.value.params) == ("topic_too_long", {"limit": 250, "count": 251})


@pytest.mark.parametrize("raw", ["", "   ", "\n\n", "\x00\x1b", "\u202e"])
def test_a_blank_message_is_rejected(raw: str) -> None:
    with pytest.raises(BadRequest) as rejection:
        sanitize.validate_message_body(raw)
    assert rejection.value.reason == "message_empty"
