"""Validation and comparison of nicknames and room names.

The rules are the PRECIS Nickname profile (RFC 8266): letters, digits, symbols and spaces of all scripts, in
compatibility form, without control or invisible characters. Two names are equal if their canonical keys are equal.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Protocol, cast

import precis_i18n
from wcwidth import iter_graphemes

from tui_chat.protocol.errors import ChatError, NickInvalid, RoomInvalid, TooLong
from tui_chat.protocol.limits import NAME_CODE_POINTS, NICKNAME_GRAPHEMES, ROOM_NAME_GRAPHEMES

_NUMERIC_SUFFIX = re.compile("[0-9]{1,9}$")


class _PrecisProfile(Protocol):
    def enforce(self, value: str) -> str: ...


NICKNAME_PROFILE = cast(_PrecisProfile, precis_i18n.get_profile("NicknameCasePreserved"))
"""Case-preserving profile for display names; `enforce` raises `UnicodeEncodeError` for an invalid name."""
_CASE_MAPPED_PROFILE = cast(_PrecisProfile, precis_i18n.get_profile("NicknameCaseMapped"))


@lru_cache(maxsize=4096)
def validate_nickname(name: str) -> str:
    """Return the display form of a nickname.

    The display form keeps the case, has compatibility characters replaced, and has single spaces inside and none at the
    ends.

    Raises:
        NickInvalid: The nickname is empty or contains a forbidden character.
        TooLong: The nickname exceeds `NICKNAME_GRAPHEMES` grapheme clusters, or `NAME_CODE_POINTS` as received.
    """
    return _validate_name(name, "nick", NICKNAME_GRAPHEMES, NickInvalid)


@lru_cache(maxsize=4096)
def validate_room_name(name: str) -> str:
    """Return the display form of a room name.

    The display form keeps the case, has compatibility characters replaced, and has single spaces inside and none at the
    ends.

    Raises:
        RoomInvalid: The room name is empty or contains a forbidden character.
        TooLong: The room name exceeds `ROOM_NAME_GRAPHEMES` grapheme clusters, or `NAME_CODE_POINTS` as received.
    """
    return _validate_name(name, "room_name", ROOM_NAME_GRAPHEMES, RoomInvalid)


@lru_cache(maxsize=4096)
def canonical_key(name: str) -> str:
    """Return the comparison key of a name, independent of case, width and spacing.

    Args:
        name: Validated name. An invalid name, for example from another server implementation, is its own key with the
            prefix U+FFFD.
    """
    try:
        folded = _CASE_MAPPED_PROFILE.enforce(name)
    except UnicodeEncodeError:
        return f"\ufffd{name}"  # marks the key of an invalid name
    # The profile converts to lower case (RFC 8264, section 5.2.3); case folding additionally equates ß and SS.
    return unicodedata.normalize("NFKC", folded.casefold())


def with_suffix(name: str, number: int) -> str:
    """Return a nickname with a numeric suffix; the name is truncated so that the result fits `NICKNAME_GRAPHEMES`.

    No space separates name and suffix.
    """
    suffix = str(number)
    graphemes = list(iter_graphemes(name))
    return "".join(graphemes[: NICKNAME_GRAPHEMES - len(suffix)]).rstrip() + suffix


def has_suffix(nick: str, base_name: str) -> bool:
    """Return whether a nickname is the base name with a numeric suffix.

    The comparison is case-sensitive, and includes base names truncated by `with_suffix`. The bare base name yields
    False.
    """
    digits = _NUMERIC_SUFFIX.search(nick)
    return digits is not None and any(
        with_suffix(base_name, int(nick[start:])) == nick for start in range(digits.start(), len(nick))
    )


def _validate_name(name: str, subject: str, max_graphemes: int, error_type: type[ChatError]) -> str:
    if len(name) > NAME_CODE_POINTS:
        raise TooLong(f"{subject}_too_long", limit=max_graphemes)
    try:
        display_name = NICKNAME_PROFILE.enforce(name)
        _CASE_MAPPED_PROFILE.enforce(display_name)
    except UnicodeEncodeError as error:
        raise _create_rejection(error, subject, error_type) from None
    if sum(1 for _ in iter_graphemes(display_name)) > max_graphemes:
        raise TooLong(f"{subject}_too_long", limit=max_graphemes)
    return display_name


def _create_rejection(error: UnicodeEncodeError, subject: str, error_type: type[ChatError]) -> ChatError:
    if error.reason.endswith("/empty"):
        return error_type(f"{subject}_empty")
    character = error.object[error.start : error.start + 1]
    if not character:
        return error_type(f"{subject}_combination")
    name = unicodedata.name(character, "a control character").lower()
    return error_type(f"{subject}_character", character=f"U+{ord(character):04X} ({name})")
