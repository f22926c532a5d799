"""Validation and comparison of nicknames and room names.

The rules are the PRECIS Nickname profile (RFC 8266): letters, digits, punctuation, symbols and spaces of all scripts,
without control or invisible characters. Two names are equal if their canonical keys are equal.

- Display form: the case is kept, compatibility characters are replaced, and spaces are single, with none at the ends.
- Emoji: presentation selectors are dropped. Joiners and tags are allowed inside emoji sequences (UTS #51), although the
  profile forbids them.
- Marks: no word of a name starts with a combining mark, and a letter has at most four combining marks.
- Separators: a nickname cannot imitate the author or a list of names in a line of text, such as `ann: hi` or `* ann`.
- Reserved names: the nicknames `room` and `everyone`, and room names that start with `&` or `~`, except `AUDIT_ROOM`
  and room addresses.
- Room addresses: private and direct rooms have an address instead of a name, `~` and 16 characters of `a`–`z` and
  `2`–`7`. The server generates all addresses.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Protocol, cast

import precis_i18n
from wcwidth import iter_graphemes, table_grapheme

from tui_chat.protocol.errors import ChatError, NickInvalid, RoomInvalid, TooLong
from tui_chat.protocol.limits import NAME_CODE_POINTS, NICKNAME_GRAPHEMES, ROOM_NAME_GRAPHEMES
from tui_chat.protocol.sanitize import BLANK_GLYPHS

PICTOGRAPH = "[{}]".format(
    "".join(f"{chr(first)}-{chr(last)}" for first, last in table_grapheme.EXTENDED_PICTOGRAPHIC if last > 0x7F)
)
"""Pattern of one non-ASCII pictographic character (UTS #51)."""

_SKIN_TONE = "[\U0001f3fb-\U0001f3ff]"
_TAGS = "[\U000e0020-\U000e007e]+\U000e007f"
EMOJI_ELEMENT = f"{PICTOGRAPH}[\ufe0e\ufe0f]?{_SKIN_TONE}?(?:{_TAGS})?"
"""Pattern of one element of a joined emoji sequence (UTS #51, section 1.4.9)."""

_PLACEHOLDER = "\u2603"  # of an emoji sequence during the enforcement of a profile
_INVISIBLE = re.compile(f"[{BLANK_GLYPHS}]")
_NICK_SEPARATORS = re.compile("[:,;] |\u3001|^\\* ")
_MAX_MARKS = 4  # combining marks in a row
_RESERVED_NICK_KEYS = frozenset({"room", "everyone"})
RESERVED_ROOM_PREFIXES = ("&", "~")
AUDIT_ROOM = "&audit"
"""Room with the actions on accounts, visible to administrators; the only permitted name with the prefix `&`."""

_ROOM_ADDRESS = re.compile("~[a-z2-7]{16}")
_UNNAMED_CHARACTERS = {"Cc": "a control character", "Co": "a private-use character", "Cs": "a lone surrogate"}
_NUMERIC_SUFFIX = re.compile("[0-9]{1,9}$")


class PrecisProfile(Protocol):
    """Profile of PRECIS (RFC 8264)."""

    def enforce(self, value: str) -> str:
        """Return a text in the form of the profile; raise `UnicodeEncodeError` for an empty or invalid text."""
        ...


NICKNAME_PROFILE = cast(PrecisProfile, precis_i18n.get_profile("NicknameCasePreserved"))
"""Case-preserving profile for display names."""

_CASE_MAPPED_PROFILE = cast(PrecisProfile, precis_i18n.get_profile("NicknameCaseMapped"))


@lru_cache(maxsize=4096)
def validate_nickname(name: str) -> str:
    """Return the display form of a nickname.

    Raises:
        NickInvalid: The nickname is empty, reserved or contains a forbidden character or combination.
        TooLong: The nickname exceeds `NICKNAME_GRAPHEMES` grapheme clusters, or `NAME_CODE_POINTS` as received.
    """
    nick = _validate_name(name, "nick", NICKNAME_GRAPHEMES, NickInvalid)
    if canonical_key(nick) in _RESERVED_NICK_KEYS:
        raise NickInvalid("nick_reserved")
    if _NICK_SEPARATORS.search(nick):
        raise NickInvalid("nick_combination")
    return nick


@lru_cache(maxsize=4096)
def validate_room_name(name: str) -> str:
    """Return the display form of a room name; a room address and `AUDIT_ROOM` are unchanged.

    Raises:
        RoomInvalid: The room name is empty, reserved or contains a forbidden character or combination.
        TooLong: The room name exceeds `ROOM_NAME_GRAPHEMES` grapheme clusters, or `NAME_CODE_POINTS` as received.
    """
    room_name = validate_room_title(name)
    is_special = room_name == AUDIT_ROOM or is_room_address(room_name)
    if room_name.startswith(RESERVED_ROOM_PREFIXES) and not is_special:
        raise RoomInvalid("room_name_reserved", character=room_name[0])
    return room_name


def validate_room_title(title: str) -> str:
    """Return the display form of the title of a private room.

    The rules are those of room names, but no title is reserved.

    Raises:
        RoomInvalid: The title is empty or contains a forbidden character or combination.
        TooLong: The title exceeds `ROOM_NAME_GRAPHEMES` grapheme clusters, or `NAME_CODE_POINTS` as received.
    """
    return _validate_name(title, "room_name", ROOM_NAME_GRAPHEMES, RoomInvalid)


def is_room_address(name: str) -> bool:
    """Return whether a room name is the address of a private or direct room."""
    return _ROOM_ADDRESS.fullmatch(name) is not None


@lru_cache(maxsize=4096)
def canonical_key(name: str) -> str:
    """Return the comparison key of a name, independent of case, width and spacing.

    An empty or invalid name is its own key, with the prefix U+FFFD.
    """
    try:
        folded = _enforce(_CASE_MAPPED_PROFILE, name)
    except UnicodeEncodeError:
        return f"\ufffd{name}"
    # The profile converts to lower case (RFC 8264, section 5.2.3); case folding additionally equates ß and SS.
    return unicodedata.normalize("NFKC", folded.casefold())


def with_suffix(name: str, number: int) -> str:
    """Return a nickname with a numeric suffix, for example `ann2` for `ann` and 2.

    The name is truncated so that the result fits `NICKNAME_GRAPHEMES`. The result is not validated.
    """
    suffix = str(number)
    graphemes = list(iter_graphemes(name))
    return "".join(graphemes[: NICKNAME_GRAPHEMES - len(suffix)]).rstrip() + suffix


def has_suffix(nick: str, base_name: str) -> bool:
    """Return whether a nickname is the base name with a numeric suffix.

    The comparison is case-sensitive, and includes base names truncated by `with_suffix`.
    """
    return any(with_suffix(base_name, int(nick[start:])) == nick for start in suffix_starts(nick))


def suffix_starts(nick: str) -> range:
    """Return the possible start indexes of the numeric suffix, at most nine: 3 and 4 for `ann12`, none for `ann`."""
    digits = _NUMERIC_SUFFIX.search(nick)
    return range(digits.start(), len(nick)) if digits is not None else range(0)


def _validate_name(name: str, subject: str, max_graphemes: int, error_type: type[ChatError]) -> str:
    """Return the display form of a name; reserved names are valid here.

    Args:
        subject: `nick` or `room_name`, the start of the error reasons.
        error_type: Type of the error for an empty name, a forbidden character and a forbidden combination.

    Raises:
        ChatError: An error of `error_type`; `TooLong` above `max_graphemes`, or above `NAME_CODE_POINTS` as received.
    """
    if len(name) > NAME_CODE_POINTS:
        raise TooLong(f"{subject}_too_long", limit=max_graphemes)
    try:
        display_name = _enforce(NICKNAME_PROFILE, name)
        _enforce(_CASE_MAPPED_PROFILE, display_name)
    except UnicodeEncodeError as error:
        raise _create_rejection(error, subject, error_type) from None
    if (invisible := _INVISIBLE.search(display_name)) is not None:
        raise _create_character_rejection(invisible[0], subject, error_type)
    if not display_name.isascii() and not _has_valid_marks(display_name):
        raise error_type(f"{subject}_combination")
    if sum(1 for _ in iter_graphemes(display_name)) > max_graphemes:
        raise TooLong(f"{subject}_too_long", limit=max_graphemes)
    return display_name


def _enforce(profile: PrecisProfile, name: str) -> str:
    """Return a name in the form of a profile, with its emoji sequences unchanged except for dropped selectors.

    The profile permits `BLANK_GLYPHS`, any number of marks, and joiners after a virama (RFC 5892, appendix A).
    `_validate_name` checks the glyphs and marks.

    Raises:
        UnicodeEncodeError: The name is empty, or has a character that the profile forbids.
    """
    if name.isascii():
        return profile.enforce(name)
    selector_pattern, sequence_pattern = _compile_emoji_patterns()
    name = selector_pattern.sub("", name)
    sequences = iter(sequence_pattern.findall(name))
    return re.sub(_PLACEHOLDER, lambda _: next(sequences), profile.enforce(sequence_pattern.sub(_PLACEHOLDER, name)))


@cache
def _compile_emoji_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a dropped selector, and of an emoji sequence outside of the profiles."""
    return (
        re.compile(f"(?<={PICTOGRAPH})[\ufe0e\ufe0f]|(?<={_SKIN_TONE})\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)"),
        re.compile(f"{EMOJI_ELEMENT}(?:\u200d{EMOJI_ELEMENT})+|{PICTOGRAPH}{_SKIN_TONE}?{_TAGS}|{_PLACEHOLDER}"),
    )


def _has_valid_marks(name: str) -> bool:
    """Return whether no word starts with a combining mark, and at most `_MAX_MARKS` marks follow each other."""
    marks = "".join("\u0300" if unicodedata.category(character)[0] == "M" else character for character in name)
    return not re.search(f"(?:^| )\u0300|\u0300{{{_MAX_MARKS + 1}}}", marks)


def _create_rejection(error: UnicodeEncodeError, subject: str, error_type: type[ChatError]) -> ChatError:
    """Return the error of a name that a profile rejects as empty, for one character, or for a combination.

    The parameter `character` is the code point with its Unicode name, for example `U+0007 (a control character)`.
    """
    if error.reason.endswith("/empty"):
        return error_type(f"{subject}_empty")
    character = error.object[error.start : error.start + 1]
    if not character:
        return error_type(f"{subject}_combination")
    return _create_character_rejection(character, subject, error_type)


def _create_character_rejection(character: str, subject: str, error_type: type[ChatError]) -> ChatError:
    unnamed = _UNNAMED_CHARACTERS.get(unicodedata.category(character), "an unassigned character")
    name = unicodedata.name(character, unnamed).lower()
    return error_type(f"{subject}_character", character=f"U+{ord(character):04X} ({name})")
