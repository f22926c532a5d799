"""What may stand under a message (docs/protocol.md, `react`)."""

import pytest
from emoji import EMOJI_DATA
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from tui_chat.protocol.errors import BadRequest, ChatError, TooLong
from tui_chat.protocol.reactions import validate_reaction


def test_every_emoji_there_is_is_taken_as_it_is() -> None:
    assert [emoji for emoji in EMOJI_DATA if not passes(emoji)] == []


@pytest.mark.parametrize(
    "text", ["+1", "-1", "lol", ":-)", "100%", "赞", "收到", "да", "✓", "ﾊｲ", "thumbsup", "धन्यवाद"]
)
def test_a_short_word_is_taken(text: str) -> None:
    assert validate_reaction(f" {text}\n") == validate_reaction(text)


@pytest.mark.parametrize(
    "text",
    [
        "a word",
        "I agree",
        "我完全同意你的看法",
        "wonderful!",
        "👍👍",
        "👍 ok then",
        "👍\u0301\u0301",
        "\u200d",
        "\u200b",
        "\u2060",
        "\ufe0f",
        "\u3164",
        "\u2800",
        "\U000e0061",
        "👍\u200d",
        "\u200d👍",
        "🇨",
        "🇨🇳🇨",
        "a\u20e3",
        "x\u202ey",
        "\u0301",
        " \t\n",
        "\x1b",
        "",
    ],
)
def test_sentences_heaps_and_what_nobody_sees_are_refused(text: str) -> None:
    try:
        kept = validate_reaction(text)
    except BadRequest:
        return
    assert kept == "xy"  # without the character that reorders


def test_what_an_older_version_took_can_be_taken_away() -> None:
    assert validate_reaction("I agree", on=False) == "I agree"
    for text in ("", "\x1b", "x" * 17):
        with pytest.raises(ChatError):
            validate_reaction(text, on=False)


def test_what_is_too_long_is_refused_by_its_length() -> None:
    with pytest.raises(TooLong, match="one emoji, or a word of at most 8 columns"):
        validate_reaction("x" * 17)


@given(st.text(max_size=16))
def test_what_is_taken_is_seen_and_taken_again_unchanged(text: str) -> None:
    try:
        kept = validate_reaction(text)
    except ChatError:
        return
    assert validate_reaction(kept) == kept
    assert wcswidth(kept) > 0
    assert not any(character.isspace() for character in kept)


def passes(text: str) -> bool:
    try:
        return validate_reaction(text) == text
    except ChatError:
        return False
