"""Translated error texts for reasons from the server and the SDK.

Reasons are English on the wire, because a bot logs them unchanged.

- Known reasons: the translation is chosen by the full reason, with its parameters.
- Unknown reasons: shown unchanged in English; other languages show the text of the error code, if known.
"""

import re
from functools import cache

from tui_chat.protocol.error_reasons import MESSAGES
from tui_chat.protocol.errors import ChatError, format_params
from tui_chat.session.i18n import Language, Translatable, active_language, mark, tr

_REASONS = (
    # Validation in tui_chat.protocol, used by client and server.
    mark("a nickname cannot be empty"),
    mark("a room name cannot be empty"),
    mark("a nickname can have at most {limit} characters"),
    mark("a room name can have at most {limit} characters"),
    mark("a nickname cannot contain {character}"),
    mark("a room name cannot contain {character}"),
    mark("a nickname cannot contain this combination of characters"),
    mark("a room name cannot contain this combination of characters"),
    mark("a message cannot be empty"),
    mark("a message can have at most {limit} characters; this one has {count}"),
    mark("a topic can have at most {limit} characters; this one has {count}"),
    mark("a query can have at most {limit} characters; this one has {count}"),
    mark("a reaction cannot be empty"),
    mark("use one emoji or a word of at most {count} columns"),
    mark("a query cannot be empty"),
    mark("the text contains a lone surrogate"),
    mark("unknown request"),
    mark("unknown push event"),
    mark("history takes exactly one of before, after, around and at"),
    mark("invalid response from the server"),
    # Server.
    mark("too many messages"),
    mark("too many joins"),
    mark("too many requests"),
    mark("too many searches"),
    mark("too many searches are waiting"),
    mark("rate limit exceeded for too long"),
    mark("too many connections from this address"),
    mark("too many new connections from this address"),
    mark("the server is stopping"),
    mark("internal server error; see the server log"),
    mark("the server could not save the change"),
    mark("the server cannot write to its storage"),
    mark("the server cannot read its storage"),
    mark("too many messages are waiting to be saved"),
    mark("too many requests are waiting to be read"),
    mark("this server does not support this request"),
    mark("a connection can join at most {count} rooms"),
    mark("this connection is already in the room as another member"),
    mark("join the room first"),
    mark("another member already uses this clientId in the room; generate a new one"),
    mark("the message was deleted"),
    mark("no such message"),
    mark("no such room"),
    mark("only the author or a moderator can change this message"),
    # SDK.
    mark("the client was closed"),
    mark("the server did not respond in time"),
    mark("the server does not respond"),
    mark("the server closed the connection"),
    mark("the connection was closed"),
    mark("no connection to the server"),
    mark("unknown host name"),
    mark("the server's certificate is not trusted"),
    mark("the server does not use TLS on this port"),
    mark("the server accepts no more connections"),
    mark("not a chat server (HTTP status {status})"),
    mark("not a chat server"),
    mark("the address is not valid"),
    mark("no server at this address and port"),
    mark("the server cannot be reached ({reason})"),
    mark("{file}: no certificates found"),
    mark("{file}: cannot be read"),
    mark("too many messages are queued"),
    mark("a basic server supports only joining and sending"),
    mark("a basic server supports only one room at a time"),
    mark("a basic server does not support edits, deletions and reactions"),
    mark("no confirmation from the server"),
    mark("you have left the room"),
    mark("you are no longer in this room"),
    mark("Unsent messages cannot be saved and are lost on exit: {reason}"),
    mark("The message history cannot be saved on this computer: {reason}"),
    mark("The local message history was damaged and moved to {file}"),
    mark("The outbox was damaged and moved to {file}"),
    mark("Enter a server address"),
    mark("Unknown scheme {scheme}: use http, https, chat or chats"),
    mark("Remove the path: only chat and chats addresses can contain a room"),
    mark("Unbalanced brackets in the IPv6 address"),
    mark("The address must not contain a user name or password"),
    mark("The address is not valid. Use host:port, or [::1]:3000 for IPv6"),
    mark("The host name is missing"),
    mark("{name} is not a valid host name"),
    mark("The port is missing after the colon"),
    mark("The port must be between 1 and 65535"),
)

_MESSAGES_BY_CODE = {
    "bad_request": mark("Invalid request"),
    "unauthorized": mark("Not signed in"),
    "forbidden": mark("Permission denied"),
    "not_joined": mark("You are not in that room"),
    "not_found": mark("Not found"),
    "nick_invalid": mark("Invalid nickname"),
    "room_invalid": mark("Invalid room name"),
    "too_long": mark("The text is too long"),
    "rate_limited": mark("Too many requests; wait a moment"),
    "conflict": mark("The request conflicts with an earlier one"),
    "unavailable": mark("The server is unavailable; try again later"),
    "internal": mark("Internal server error"),
}


def describe(error: ChatError) -> str:
    """Return the complete sentence for a failed request.

    A known `reason` is translated. Otherwise the text is the English message of the server, or the text of `code` in
    other languages.
    """
    text = _translate_reason(error)
    return _as_sentence(text) if text else sentence(error.message, error.code)


def _translate_reason(error: ChatError) -> str:
    """Return the text of a known reason; "" for a reason or parameters of another version."""
    try:
        return format_params(tr(MESSAGES[error.reason]), error.params)
    except KeyError:
        return ""


def sentence(reason: str, code: str = "") -> str:
    """Return a reason as a complete sentence.

    The first letter is capitalized; a final period is not doubled.

    Args:
        reason: English reason from the server or the SDK.
        code: Error code, "" if there is none.
    """
    return _as_sentence(phrase(reason.removesuffix("."), code))


def _as_sentence(text: str) -> str:
    return tr("{sentence}.", sentence=f"{text[:1].upper()}{text[1:]}")


def phrase(reason: str, code: str = "") -> str:
    """Return a reason as a phrase for use inside a sentence.

    English reasons are returned unchanged, also with a final period. Other languages fall back to the text of `code`,
    then to the English reason.

    Args:
        reason: English reason from the server or the SDK.
        code: Error code, "" if there is none.
    """
    if active_language() is Language.ENGLISH:
        return reason
    matches = ((pattern.fullmatch(reason.removesuffix(".")), text) for pattern, text in _reason_patterns())
    translations = (tr(text, **matched.groupdict()) for matched, text in matches if matched is not None)
    return next(translations, "") or (tr(_MESSAGES_BY_CODE[code]) if code in _MESSAGES_BY_CODE else reason)


@cache
def _reason_patterns() -> list[tuple[re.Pattern[str], Translatable]]:
    # Reasons without parameters come first, because a parameter matches any text.
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(reason.text)), re.DOTALL), reason)
        for reason in sorted(_REASONS, key=lambda reason: "{" in reason.text)
    ]
