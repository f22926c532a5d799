"""What others wrote is cleaned again here: the server may be old, foreign or hostile.

Rule 1  The rules are those of `server.protocol.text`; whatever passes unchanged is the
        same object, which is nearly everything.
Rule 2  What is longer than the protocol allows is cut to what it allows, with a mark
        where it was: a plain server may send a message of megabytes, which would be
        40,000 rows of a terminal. Cutting again changes nothing.
"""

from collections.abc import Iterable

from msgspec.structs import replace
from wcwidth import iter_graphemes

from server.protocol.answers import RoomSummary
from server.protocol.entries import (
    Deletion,
    Edit,
    Entry,
    JoinNotice,
    LeaveNotice,
    Member,
    Message,
    NickNotice,
    Reaction,
    TopicChange,
)
from server.protocol.limits import (
    MESSAGE_CHARACTERS,
    NAME_CODE_POINTS,
    NICKNAME_GRAPHEMES,
    REACTION_CODE_POINTS,
    ROOM_NAME_GRAPHEMES,
    TOPIC_CHARACTERS,
)
from server.protocol.text import sanitize_body, sanitize_line
from tui_chat.client.present_state import MessageChange

LINE_CHARACTERS = 2 * NAME_CODE_POINTS + 100
"""Two names and a few words: no line that a chat server tells is longer."""

ID_CHARACTERS = 2 * NAME_CODE_POINTS
"""Of a member: our own are 22 characters."""

CUT = "…"
"""Stands at the end of what was cut; behind a message, too, how many characters are missing."""


def entry(given: Entry) -> Entry:
    """An entry that is safe to show."""
    nick, who = nickname(given.nick_name), member_id(given.member_id)
    if nick is not given.nick_name or who is not given.member_id:
        given = replace(given, nick_name=nick, member_id=who)
    match given:
        case Message():
            return _message(given)
        case Edit():
            text = body(given.message)
            return given if text is given.message else replace(given, message=text)
        case Reaction():
            emoji = line(given.emoji, REACTION_CODE_POINTS)
            return given if emoji is given.emoji else replace(given, emoji=emoji)
        case TopicChange():
            topic = line(given.topic, TOPIC_CHARACTERS)
            return given if topic is given.topic else replace(given, topic=topic)
        case Deletion():
            return given


def message(given: Message) -> Message:
    """A message that is safe to show."""
    cleaned = entry(given)
    assert isinstance(cleaned, Message)
    return cleaned


def change(given: MessageChange) -> MessageChange:
    """A change of a message that is safe to show."""
    cleaned = entry(given)
    assert isinstance(cleaned, MessageChange)
    return cleaned


def entries(given: Iterable[Entry]) -> list[Entry]:
    """Entries that are safe to show."""
    return [entry(each) for each in given]


def member(given: Member) -> Member:
    """A member whose every word is safe to show."""
    who, nick = member_id(given.member_id), nickname(given.nick_name)
    account, via = _maybe(given.account), _maybe(given.via)
    if who is given.member_id and nick is given.nick_name and account is given.account and via is given.via:
        return given
    return replace(given, member_id=who, nick_name=nick, account=account, via=via)


def notice(given: JoinNotice | LeaveNotice | NickNotice) -> JoinNotice | LeaveNotice | NickNotice:
    """A notice that is safe to show."""
    cleaned = replace(
        given,
        nick_name=nickname(given.nick_name),
        member_id=member_id(given.member_id),
        message=line(given.message),
        via=_maybe(given.via),
    )
    if isinstance(cleaned, NickNotice):
        return replace(cleaned, old_nick_name=nickname(cleaned.old_nick_name))
    return cleaned


def summary(given: RoomSummary) -> RoomSummary:
    """A room of a list that is safe to show."""
    return replace(given, name=room_name(given.name), topic=topic(given.topic))


def _maybe(text: str | None) -> str | None:
    return None if text is None else nickname(text)


def nickname(text: str) -> str:
    """A nickname, or an account's name."""
    return _name(text, NICKNAME_GRAPHEMES)


def room_name(text: str) -> str:
    """A room's name."""
    return _name(text, ROOM_NAME_GRAPHEMES)


def topic(text: str) -> str:
    """What a room is about."""
    return line(text, TOPIC_CHARACTERS)


def member_id(text: str) -> str:
    """A member's id, which is never shown."""
    return text if len(text) <= ID_CHARACTERS else text[:ID_CHARACTERS]


def line(text: str, most: int = LINE_CHARACTERS) -> str:
    """One line of so many characters at most; the same object when there is nothing to clean."""
    if len(text) <= most and text.isascii() and text.isprintable() and text.strip() == text:
        return text
    cleaned = sanitize_line(text[:most])
    if max(len(text), len(cleaned)) > most:  # composing characters anew can make a text longer
        return cleaned[: most - len(CUT)] + CUT
    return text if cleaned == text else cleaned


def body(text: str) -> str:
    """A message's text; the same object when there is nothing to clean."""
    if len(text) <= MESSAGE_CHARACTERS and text.isascii() and text.isprintable():
        return text
    cleaned = sanitize_body(text[:MESSAGE_CHARACTERS])
    missing = max(len(text), len(cleaned)) - MESSAGE_CHARACTERS
    if missing > 0:
        mark = f"{CUT} ✂ +{missing:,}"
        return cleaned[: MESSAGE_CHARACTERS - len(mark)] + mark
    return text if cleaned == text else cleaned


def _name(text: str, most: int) -> str:
    text = line(text, NAME_CODE_POINTS)
    if len(text) > most and len(graphemes := list(iter_graphemes(text))) > most:
        return "".join(graphemes[: most - 1]) + CUT
    return text


def _message(given: Message) -> Message:
    text = body(given.message)
    if text is not given.message:
        given = replace(given, message=text)
    if given.account is not None:
        given = replace(given, account=nickname(given.account))
    if given.reactions is not None:
        reactions = {line(emoji, REACTION_CODE_POINTS): chosen for emoji, chosen in given.reactions.items()}
        given = replace(given, reactions=reactions)
    return given
