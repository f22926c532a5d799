"""Translated texts of errors, chosen by their reason (docs/protocol.md, "Errors")."""

from tui_chat.protocol.error_reasons import MESSAGES
from tui_chat.protocol.errors import ChatError, format_params
from tui_chat.session.i18n import Language, active_language, mark, tr
from tui_chat.session.size_text import describe_size

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


_FILE_TOO_LARGE = mark("a file can have at most {size}")


def describe(error: ChatError) -> str:
    """Return the text of `phrase` as a complete sentence."""
    return sentence(phrase(error))


def sentence(text: str) -> str:
    """Return a translated text with a capital first letter and a final period."""
    return tr("{sentence}.", sentence=f"{text[:1].upper()}{text[1:]}".removesuffix("."))


def phrase(error: ChatError) -> str:
    """Return the text of an error for use inside a sentence.

    A known `reason` with its parameters is translated. Otherwise the text is the message of the server in English, and
    the text of `code` in other languages or without a message.
    """
    try:
        if error.reason == "file_too_large":
            return tr(_FILE_TOO_LARGE, size=describe_size(int(error.params["limit"])))
        return format_params(tr(MESSAGES[error.reason]), error.params)
    except (KeyError, ValueError, OverflowError):  # reason or parameters of another version
        message = error.message if active_language() is Language.ENGLISH else ""
        return message or tr(_MESSAGES_BY_CODE[error.code])
