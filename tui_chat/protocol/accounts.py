"""Validation of account names, passwords and addresses, shared by server and clients.

- Account names: nicknames of letters, digits, `.`, `_` and `-`, so that a name is one word in commands and mentions.
- Passwords: the OpaqueString profile of PRECIS (RFC 8265), so that a password is the same on all keyboards.
"""

import re
from typing import cast

import precis_i18n

from tui_chat.protocol.errors import BadRequest, TooLong
from tui_chat.protocol.limits import PASSWORD_CHARACTERS, PASSWORD_MIN_CHARACTERS
from tui_chat.protocol.names import PrecisProfile, canonical_key, validate_nickname

DELETED_PREFIX = "deleted-"
"""Start of the account names that deleted accounts receive; no account may choose such a name."""

_NAME_PATTERN = re.compile(r"\w[\w.-]*")
_EMAIL_PATTERN = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+")
_EMAIL_CHARACTERS = 254  # of a path in SMTP, without its brackets (RFC 5321, section 4.5.3.1.3)
_PASSWORD_PROFILE = cast(PrecisProfile, precis_i18n.get_profile("OpaqueString"))


def validate_account_name(name: str) -> str:
    """Return the display form of an account name (`validate_nickname`).

    Raises:
        BadRequest: The name contains a character other than letters, digits, `.`, `_` and `-`, starts with `.` or `-`,
            or is reserved for deleted accounts.
        NickInvalid, TooLong: The name is no valid nickname.
    """
    display_name = validate_nickname(name)
    if not _NAME_PATTERN.fullmatch(display_name) or canonical_key(display_name).startswith(DELETED_PREFIX):
        raise BadRequest("account_name_invalid")
    return display_name


def validate_password(password: str, account_name: str) -> str:
    """Return the normalized form of a new password; the length limits apply to the received form.

    Raises:
        BadRequest: The password is too short, contains a character that the profile excludes (such as a control
            character), or equals the account name, independent of case and width.
        TooLong: The password has more than `PASSWORD_CHARACTERS` characters.
    """
    if len(password) > PASSWORD_CHARACTERS:
        raise TooLong("password_too_long", limit=PASSWORD_CHARACTERS)
    if len(password) < PASSWORD_MIN_CHARACTERS:
        raise BadRequest("password_too_short", limit=PASSWORD_MIN_CHARACTERS)
    normalized = normalize_password(password)
    if not normalized:
        raise BadRequest("password_character")
    if canonical_key(normalized) == canonical_key(account_name):
        raise BadRequest("password_is_name")
    return normalized


def validate_email(email: str) -> str | None:
    """Return an e-mail address without surrounding space, None for a blank text.

    Raises:
        BadRequest: The address has more than 254 characters, contains a space or control character, or has no text on
            both sides of one `@`.
    """
    address = email.strip()
    if not address:
        return None
    if len(address) > _EMAIL_CHARACTERS or not _EMAIL_PATTERN.fullmatch(address):
        raise BadRequest("email_invalid")
    return address


def normalize_password(password: str) -> str:
    """Return the normalized form of a password, empty for one that is empty, too long or has an excluded character."""
    try:
        return _PASSWORD_PROFILE.enforce(password) if len(password) <= PASSWORD_CHARACTERS else ""
    except UnicodeEncodeError:
        return ""
