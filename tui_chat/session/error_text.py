"""Translated error texts for reasons from the server and the SDK.

Reasons are English on the wire, because a bot logs them unchanged.

- Known reasons: the translation is chosen by the full reason, with its parameters.
- Unknown reasons: shown unchanged in English; other languages show the text of the error code, if known.
"""

import re
from functools import cache

from tui_chat.protocol.errors import ChatError
from tui_chat.session.i18n import Language, Translatable, active_language, mark, tr

_REASONS = (
    # Validation in tui_chat.protocol, used by client and server.
    mark("a nickname cannot be empty"),
    mark("a room name cannot be empty"),
    mark("a nickname can have {limit} characters"),
    mark("a room name can have {limit} characters"),
    mark("a nickname cannot hold {character}"),
    mark("a room name cannot hold {character}"),
    mark("a nickname cannot be this"),
    mark("a room name cannot be this"),
    mark("a message cannot be empty"),
    mark("a message can have {limit} characters, this one has {count}"),
    mark("a topic can have {limit} characters, this one has {count}"),
    mark("a query can have {limit} characters, this one has {count}"),
    mark("a reaction cannot be empty"),
    mark("a reaction is one emoji, or a word of at most {count} columns"),
    mark("a query cannot be empty"),
    mark("the text holds a lone surrogate"),
    mark("there is no such request"),
    mark("there is no such push"),
    mark("history takes exactly one of before, after, around and at"),
    mark("the server's answer could not be read"),
    # Server.
    mark("too many messages"),
    mark("too many joins"),
    mark("too many requests"),
    mark("too many searches"),
    mark("too many searches are waiting"),
    mark("too much, for too long"),
    mark("too many connections from this address"),
    mark("too many new connections from this address"),
    mark("the server is stopping"),
    mark("the server made a mistake; its log has the details"),
    mark("the server could not save this"),
    mark("the server cannot save anything right now"),
    mark("the server cannot read its storage right now"),
    mark("too many messages are waiting to be saved"),
    mark("too many requests are waiting to be read"),
    mark("this server does not serve this request"),
    mark("a connection can be in {count} rooms"),
    mark("this connection is in the room as somebody else"),
    mark("join the room first"),
    mark("this clientId is taken in the room"),
    mark("the message was deleted"),
    mark("there is no such message"),
    mark("there is no such room"),
    mark("only its author or a moderator may change a message"),
    # SDK.
    mark("the client was closed"),
    mark("the server did not answer in time"),
    mark("the server does not answer"),
    mark("the server closed the connection"),
    mark("the connection has ended"),
    mark("the connection to the server is lost"),
    mark("there is no host of this name"),
    mark("the server's certificate is not trusted"),
    mark("the server does not speak TLS at this port"),
    mark("the server takes no more connections now"),
    mark("what answers there is no chat server (HTTP status {status})"),
    mark("what answers there is no chat server"),
    mark("the address is not valid"),
    mark("nothing answers at this address and port"),
    mark("the server cannot be reached ({reason})"),
    mark("{file}: there are no certificates in it"),
    mark("{file}: it cannot be read"),
    mark("too many messages wait already"),
    mark("this is a plain server: it knows only joining and talking"),
    mark("this is a plain server: one room at a time"),
    mark("this is a plain server: what was said cannot be changed"),
    mark("nothing came back, so nobody knows whether it was said"),
    mark("you have left the room"),
    mark("you are no longer in this room"),
    mark("What you write is sent, but would not survive the end of this: {reason}"),
    mark("The history kept here could not be read, and was set aside as {file}"),
    mark("What waited to be sent could not be read, and was set aside as {file}"),
    mark("The server's address is missing"),
    mark("An address starts with http, https, chat or chats, not with {scheme}"),
    mark("Leave out what follows the port: the server's address is enough"),
    mark("The brackets around an IPv6 address do not match"),
    mark("An address cannot hold a name or password"),
    mark("An IPv6 address is written like [::1]:3000"),
    mark("The server's name is missing"),
    mark("{name} is not a server's name"),
    mark("The port is missing after the colon"),
    mark("A port is a number from 1 to 65535"),
)

_MESSAGES_BY_CODE = {
    "bad_request": mark("The server did not understand that"),
    "unauthorized": mark("The server does not know you"),
    "forbidden": mark("You may not do that here"),
    "not_joined": mark("You are not in that room"),
    "not_found": mark("There is no such thing here"),
    "nick_invalid": mark("That cannot be a nickname"),
    "room_invalid": mark("That cannot be a room's name"),
    "too_long": mark("That is too long"),
    "rate_limited": mark("That was too fast; wait a moment"),
    "conflict": mark("That no longer fits what is there"),
    "unavailable": mark("The server cannot do that now"),
    "internal": mark("Something went wrong on the server"),
}


def describe(error: ChatError) -> str:
    """Return the complete sentence for a failed request."""
    return sentence(error.message, error.code)


def sentence(reason: str, code: str = "") -> str:
    """Return a reason as a complete sentence.

    Args:
        reason: English reason from the server or the SDK.
        code: Error code, "" if there is none.
    """
    text = phrase(reason.removesuffix("."), code)
    return tr("{sentence}.", sentence=f"{text[:1].upper()}{text[1:]}")


def phrase(reason: str, code: str = "") -> str:
    """Return a reason as a phrase for use inside a sentence.

    Args:
        reason: English reason from the server or the SDK.
        code: Error code, "" if there is none.
    """
    if active_language() is Language.ENGLISH:
        return reason
    return _translate(reason.removesuffix(".")) or (
        tr(_MESSAGES_BY_CODE[code]) if code in _MESSAGES_BY_CODE else reason
    )


def _translate(reason: str) -> str:
    exact = _fixed_reasons().get(reason)
    if exact is not None:
        return tr(exact)
    for pattern, translatable in _reason_patterns():
        if (matched := pattern.fullmatch(reason)) is not None:
            return tr(translatable, **matched.groupdict())
    return ""


@cache
def _fixed_reasons() -> dict[str, Translatable]:
    return {reason.text: reason for reason in _REASONS if "{" not in reason.text}


@cache
def _reason_patterns() -> list[tuple[re.Pattern[str], Translatable]]:
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(reason.text)), re.DOTALL), reason)
        for reason in _REASONS
        if "{" in reason.text
    ]
