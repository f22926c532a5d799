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

from server.protocol.errors import ChatError, NickInvalid, RoomInvalid, TooLong
from server.protocol.limits import NAME_CODE_POINTS, NICKNAME_GRAPHEMES, ROOM_NAME_GRAPHEMES

_ENDING = re.compile("[1-9][0-9]{0,8}$")


class _Profile(Protocol):
    def enforce(self, value: str) -> str: ...


NAME = cast(_Profile, precis_i18n.get_profile("NicknameCasePreserved"))
"""The profile as names are shown; `enforce` raises `UnicodeEncodeError`."""
_FOLDED = cast(_Profile, precis_i18n.get_profile("NicknameCaseMapped"))


@lru_cache(maxsize=4096)
def nickname(name: str) -> str:
    """The nickname as it is shown.

    Raises:
        NickInvalid: It is empty or holds a character that names cannot have.
        TooLong: It has more than `NICKNAME_GRAPHEMES` user-perceived characters.
    """
    return _name(name, "a nickname", NICKNAME_GRAPHEMES, NickInvalid)


@lru_cache(maxsize=4096)
def room_name(name: str) -> str:
    """The room's name as it is shown.

    Raises:
        RoomInvalid: It is empty or holds a character that names cannot have.
        TooLong: It has more than `ROOM_NAME_GRAPHEMES` user-perceived characters.
    """
    return _name(name, "a room name", ROOM_NAME_GRAPHEMES, RoomInvalid)


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """What tells names apart: width, case and spacing are folded away.

    Args:
        name: A name that `nickname` or `room_name` gave. What is no name, such as a
            foreign server may send for one, is like nothing but itself.
    """
    try:
        folded = _FOLDED.enforce(name)
    except UnicodeEncodeError:
        return f"\ufffd{name}"  # which no name holds
    # The profile lowers case (RFC 8264, section 5.2.3); folding it also makes ß and SS the same.
    return unicodedata.normalize("NFKC", folded.casefold())


def numbered(name: str, number: int) -> str:
    """The name with a number behind it, shortened so that it still fits."""
    ending = str(number)
    graphemes = list(iter_graphemes(name))
    return "".join(graphemes[: NICKNAME_GRAPHEMES - len(ending)]).rstrip() + ending


def is_numbered(nick: str, name: str) -> bool:
    """Whether the nickname is the name with a number behind it."""
    ending = _ENDING.search(nick)
    return ending is not None and numbered(name, int(ending[0])) == nick


def _name(name: str, what: str, limit: int, invalid: type[ChatError]) -> str:
    if len(name) > NAME_CODE_POINTS:
        raise TooLong(f"{what} can have {limit} characters")
    try:
        shown = NAME.enforce(name)
        _FOLDED.enforce(shown)
    except UnicodeEncodeError as refusal:
        raise invalid(_reason(refusal, what)) from None
    if sum(1 for _ in iter_graphemes(shown)) > limit:
        raise TooLong(f"{what} can have {limit} characters")
    return shown


def _reason(refusal: UnicodeEncodeError, what: str) -> str:
    if refusal.reason.endswith("/empty"):
        return f"{what} cannot be empty"
    character = refusal.object[refusal.start : refusal.start + 1]
    name = unicodedata.name(character, "a control character") if character else "this character"
    return f"{what} cannot hold U+{ord(character):04X} ({name.lower()})" if character else f"{what} cannot be this"
