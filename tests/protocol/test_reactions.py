"""Validation of reactions (docs/protocol.md, `react`)."""

import pytest
from emoji import EMOJI_DATA
from hypothesis import given, strategies as st
from wcwidth import wcswidth

from tui_chat.protocol.errors import BadRequest, ChatError, TooLong
from tui_chat.protocol.reactions import validate_reaction


def test_every_known_emoji_is_accepted_unchanged() -> None:
    assert [emoji for emoji in EMOJI_DATA if not is_accepted_unchanged(emoji)] == []


@pytest.mark.parametrize(
    "text", ["+1", "-1", "lol", ":-)", "100%", "赞", "收到", "да", "✓", "ハイ", "thumbsup", "धन्यवाद"]
)
def test_short_words_are_accepted(text: str) -> None:
    assert validate_reaction(f" {text}\n") == text


@pytest.mark.parametrize(
    "text",
    [
        "a word",
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
        "\u0301",
        " \t\n",
        "\x1b",
        "",
    ],
)
def test_sentences_sequences_and_invisible_text_are_rejected(text: str) -> None:
    with pytest.raises(BadRequest):
        validate_reaction(text)


def test_halfwidth_characters_and_bidirectional_controls_are_normalized() -> None:
    assert (validate_reaction("ﾊｲ"), validate_reaction("x\u202ey")) == ("ハイ", "xy")


def test_a_reaction_of_several_words_can_be_removed_but_not_added() -> None:
    assert validate_reaction("I agree", on=False) == "I agree"
    with pytest.raises(BadRequest):
        validate_reaction("I agree")
    for text in ("", "\x1b", "x" * 17):
        with pytest.raises(ChatError):
            validate_reaction(text, on=False)


def test_an_overlong_reaction_is_too_long() -> None:
    with pytest.raises(TooLong, match="one emoji or a word of at most 8 columns"):
        validate_reaction("x" * 17)


@given(st.text(max_size=16))
def test_accepted_reactions_are_visible_and_unchanged_by_a_second_validation(text: str) -> None:
    try:
        reaction = validate_reaction(text)
    except ChatError:
        return
    assert validate_reaction(reaction) == reaction
    assert wcswidth(reaction) > 0
    assert not any(character.isspace() for character in reaction)


def is_accepted_unchanged(text: str) -> bool:
    try:
        return validate_reaction(text) == text
    except ChatError:
        return False
