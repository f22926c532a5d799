"""Nicknames and room names: what they may hold, and when two are the same.

Both follow the Nickname profile of PRECIS (RFC 8266): letters, digits, symbols
and spaces of any script, in compatibility form, without controls or invisible
characters. Two names are the same when their keys are equal.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Protocol, cast

import precis_i18n
from wcwidth import iter_graphemes

from tui_chat.protocol.errors import ChatError, NickInvalid, RoomInvalid, TooLong
from tui_chat.protocol.limits import NAME_CODE_POINTS, NICKNAME_GRAPHEMES, ROOM_NAME_GRAPHEMES

_NUMERIC_SUFFIX = re.compile("[1-9][0-9]{0,8}$")


class _PrecisProfile(Protocol):
    def enforce(self, value: str) -> str: ...


NICKNAME_PROFILE = cast(_PrecisProfile, precis_i18n.get_profile("NicknameCasePreserved"))
"""The profile as names are shown; `enforce` raises `UnicodeEncodeError`."""
_CASE_MAPPED_PROFILE = cast(_PrecisProfile, precis_i18n.get_profile("NicknameCaseMapped"))


@lru_cache(maxsize=4096)
def validate_nickname(name: str) -> str:
    """The nickname as it is shown.

    Raises:
        NickInvalid: It is empty or holds a character that names cannot have.
        TooLong: It has more than `NICKNAME_GRAPHEMES` user-perceived characters.
    """
    return _validate_name(name, "a nickname", NICKNAME_GRAPHEMES, NickInvalid)


@lru_cache(maxsize=4096)
def validate_room_name(name: str) -> str:
    """The room's name as it is shown.

    Raises:
        RoomInvalid: It is empty or holds a character that names cannot have.
        TooLong: It has more than `ROOM_NAME_GRAPHEMES` user-perceived characters.
    """
    return _validate_name(name, "a room name", ROOM_NAME_GRAPHEMES, RoomInvalid)


@lru_cache(maxsize=4096)
def canonical_key(name: str) -> str:
    """What tells names apart: width, case and spacing are folded away.

    Args:
        name: A name that `nickname` or `room_name` gave. What is no name, such as a
            foreign server may send for one, is like nothing but itself.
    """
    try:
        folded = _CASE_MAPPED_PROFILE.enforce(name)
    except UnicodeEncodeError:
        return f"\ufffd{name}"  # which no name holds
    # The profile lowers case (RFC 8264, section 5.2.3); folding it also makes ß and SS the same.
    return unicodedata.normalize("NFKC", folded.casefold())


def with_suffix(name: str, number: int) -> str:
    """The name with a number behind it, shortened so that it still fits."""
    suffix = str(number)
    graphemes = list(iter_graphemes(name))
    return "".join(graphemes[: NICKNAME_GRAPHEMES - len(suffix)]).rstrip() + suffix


def has_suffix(nick: str, base_name: str) -> bool:
    """Whether the nickname is the name with a number behind it."""
    suffix = _NUMERIC_SUFFIX.search(nick)
    return suffix is not None and with_suffix(base_name, int(suffix[0])) == nick


def _validate_name(name: str, label: str, max_graphemes: int, error_type: type[ChatError]) -> str:
    if len(name) > NAME_CODE_POINTS:
        raise TooLong(f"{label} can have {max_graphemes} characters")
    try:
        display_name = NICKNAME_PROFILE.enforce(name)
        _CASE_MAPPED_PROFILE.enforce(display_name)
    except UnicodeEncodeError as error:
        raise error_type(_describe_rejection(error, label)) from None
    if sum(1 for _ in iter_graphemes(display_name)) > max_graphemes:
        raise TooLong(f"{label} can have {max_graphemes} characters")
    return display_name


def _describe_rejection(error: UnicodeEncodeError, label: str) -> str:
    if error.reason.endswith("/empty"):
        return f"{label} cannot be empty"
    character = error.object[error.start : error.start + 1]
    character_name = unicodedata.name(character, "a control character") if character else "this character"
    return (
        f"{label} cannot hold U+{ord(character):04X} ({character_name.lower()})"
        if character
        else f"{label} cannot be this"
    )
