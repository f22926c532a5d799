"""Validation and comparison of nicknames and room names (docs/protocol.md, "Text and names")."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import assume, given, strategies as st
from wcwidth import iter_graphemes

from tui_chat.protocol import names
from tui_chat.protocol.errors import ChatError, NickInvalid, RoomInvalid, TooLong
from tui_chat.protocol.limits import NAME_CODE_POINTS, NICKNAME_GRAPHEMES


@given(st.text(max_size=40))
def test_a_valid_name_is_normalized_and_printable(raw: str) -> None:
    try:
        name = names.validate_nickname(raw)
    except (NickInvalid, TooLong):
        return
    assert names.validate_nickname(name) == name
    assert names.canonical_key(names.canonical_key(name)) == names.canonical_key(name)
    assert all(unicodedata.category(character)[0] != "C" for character in name)
    assert name == name.strip()


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_names_that_differ_only_in_case_share_a_key(raw: str) -> None:
    try:
        name, upper = names.validate_nickname(raw), names.validate_nickname(raw.upper())
    except ChatError:
        assume(False)
        return
    if unicodedata.normalize("NFKC", raw).casefold() == unicodedata.normalize("NFKC", raw.upper()).casefold():
        assert names.canonical_key(name) == names.canonical_key(upper)


@pytest.mark.parametrize(
    ("first", "second"), [("Ann", "ann"), ("Ａｎｎ", "ANN"), ("Ann  Lee", " ann lee "), ("ﬁn", "FIN")]
)
def test_case_width_and_space_variants_share_a_key(first: str, second: str) -> None:
    assert names.canonical_key(names.validate_nickname(first)) == names.canonical_key(names.validate_nickname(second))


@pytest.mark.parametrize("raw", ["", "  ", "\x1b[31mred", "a\u200bb", "a\u202eb", "a\nb", "\ud800", "\u0000"])
def test_empty_names_and_control_and_invisible_characters_are_rejected_with_a_message(raw: str) -> None:
    with pytest.raises(NickInvalid) as nick:
        names.validate_nickname(raw)
    with pytest.raises(RoomInvalid) as room:
        names.validate_room_name(raw)
    assert nick.value.message.startswith("a nickname cannot")
    assert room.value.message.startswith("a room name cannot")
    assert "\x1b" not in nick.value.message


@pytest.mark.parametrize(
    ("character", "description"),
    [
        ("\x1b", "U+001B (a control character)"),
        ("\ue000", "U+E000 (a private-use character)"),
        ("\u0378", "U+0378 (an unassigned character)"),
        ("\u202e", "U+202E (right-to-left override)"),
    ],
)
def test_a_rejected_character_is_described(character: str, description: str) -> None:
    with pytest.raises(NickInvalid) as error:
        names.validate_nickname(f"a{character}b")
    assert error.value.params == {"character": description}


def test_name_limits_count_grapheme_clusters() -> None:
    accented = "e\u0323\u0301"  # NFC: one grapheme cluster of two code points
    assert names.validate_nickname(accented * 32)
    with pytest.raises(TooLong):
        names.validate_nickname("小" * 33)
    assert names.validate_room_name("小" * 64)
    with pytest.raises(TooLong):
        names.validate_room_name("小" * 65)


def test_invalid_and_reserved_names_are_rejected_with_a_reason() -> None:
    validations: list[tuple[Callable[[str], str], str, str]] = [
        (names.validate_nickname, "a" * 33, "nick_too_long"),
        (names.validate_nickname, "a" + " " * NAME_CODE_POINTS, "nick_too_long"),
        (names.validate_nickname, "\uff32oom", "nick_reserved"),
        (names.validate_nickname, "Everyone", "nick_reserved"),
        (names.validate_nickname, "ann: hi", "nick_combination"),
        (names.validate_nickname, "* ann", "nick_combination"),
        (names.validate_nickname, "e" + "\u0317" * 5, "nick_combination"),
        (names.validate_nickname, "a \u0317b", "nick_combination"),
        (names.validate_nickname, " ", "nick_empty"),
        (names.validate_nickname, "a\u2800", "nick_character"),
        (names.validate_room_name, "a" * 65, "room_name_too_long"),
        (names.validate_room_name, "&audits", "room_name_reserved"),
        (names.validate_room_name, "~" + "a" * 15, "room_name_reserved"),
        (names.validate_room_title, "", "room_name_empty"),
    ]
    for validate, name, reason in validations:
        with pytest.raises(ChatError) as rejection:
            validate(name)
        assert (name, rejection.value.reason) == (name, reason)


def test_names_at_a_limit_and_addresses_of_rooms_are_accepted() -> None:
    assert names.validate_nickname("a" + " " * (NAME_CODE_POINTS - 1)) == "a"
    assert names.validate_nickname("e" + "\u0317" * 4)
    for name in ("&audit", "~" + "a" * 16):
        assert names.validate_room_name(name) == names.validate_room_title(name) == name
    assert names.validate_room_title("&more") == "&more"


@pytest.mark.parametrize(
    ("name", "number", "suffixed", "starts"),
    [
        ("ann", 2, "ann2", [3]),
        ("ann", 12, "ann12", [3, 4]),
        ("a" * 32, 10, "a" * 30 + "10", [30, 31]),
        ("a" * 30 + " b", 2, "a" * 30 + "2", [30]),
        ("a1", 234567890, "a1234567890", list(range(2, 11))),
    ],
)
def test_a_suffix_follows_the_truncated_name(name: str, number: int, suffixed: str, starts: list[int]) -> None:
    assert names.with_suffix(name, number) == suffixed
    assert list(names.suffix_starts(suffixed)) == starts
    assert names.has_suffix(suffixed, name)


def test_a_name_without_a_number_has_no_suffix() -> None:
    assert list(names.suffix_starts("ann")) == []


def test_a_name_above_the_code_point_limit_is_too_long() -> None:
    with pytest.raises(TooLong):
        names.validate_nickname("e" + "\u0301" * 300)


@given(st.text(st.sampled_from("ab小ẹ́"), min_size=1, max_size=40), st.integers(2, 99999))
def test_a_suffixed_name_ends_with_its_number_within_the_limit(raw: str, number: int) -> None:
    try:
        name = names.validate_nickname(raw)
    except ChatError:
        assume(False)
        return
    suffixed = names.with_suffix(name, number)
    assert suffixed.endswith(str(number))
    assert sum(1 for _ in iter_graphemes(suffixed)) <= NICKNAME_GRAPHEMES


@pytest.mark.parametrize("text", ["", "\u200b", "a\x1bb", "\ufffd", " "])
def test_keys_of_invalid_names_are_distinct(text: str) -> None:
    assert names.canonical_key(text) not in {
        names.canonical_key("a"),
        names.canonical_key("ab"),
        names.canonical_key(f"{text}x"),
    }


@pytest.mark.parametrize(
    ("nick", "base", "expected"),
    [
        ("ann12", "ann", True),
        ("ann12", "ann1", True),
        ("ann102", "ann10", True),
        ("ann102", "ann1", False),
        ("ann", "ann", False),
        ("ann2", "Ann", False),
    ],
)
def test_has_suffix_is_case_sensitive_and_permits_digits_in_the_base_name(nick: str, base: str, expected: bool) -> None:
    assert names.has_suffix(nick, base) is expected
