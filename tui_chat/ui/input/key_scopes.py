"""Scopes of key bindings and the relations between them."""

from enum import Enum

from tui_chat.session.i18n import mark


class KeyScope(Enum):
    """Context in which a binding is active. The value is the heading on the help screen."""

    GLOBAL = mark("Anywhere")
    JOIN_FORM = mark("Join form")
    CHAT = mark("Rooms and messages")
    COMPOSER = mark("Composer")
    ROOM_SWITCHER = mark("Room switcher (F4)")
    MESSAGE_SEARCH = mark("Message search (Alt+S)")
    PASTE_DIALOG = mark("Long paste")
    HISTORY_SEARCH = mark("Input history search (Ctrl+R)")
    MESSAGE_CURSOR = mark("Message selection (Ctrl+S)")
    HELP = mark("Help")
    SETTINGS = mark("Settings (F9)")
    THEME_LIST = mark("Theme list (/theme)")
    LINK_DIALOG = mark("Link (o)")
    COPY_MODE = mark("Copy mode (Alt+L)")


OVERLAPPING_SCOPES: tuple[tuple[KeyScope, KeyScope], ...] = (
    *((KeyScope.GLOBAL, scope) for scope in KeyScope if scope is not KeyScope.GLOBAL),
    (KeyScope.COMPOSER, KeyScope.CHAT),
)
"""Pairs of scopes that are active together. In all other pairs the inner scope hides the outer one."""

TEXT_SCOPES = frozenset(
    {
        KeyScope.GLOBAL,
        KeyScope.JOIN_FORM,
        KeyScope.CHAT,
        KeyScope.COMPOSER,
        KeyScope.ROOM_SWITCHER,
        KeyScope.MESSAGE_SEARCH,
        KeyScope.HISTORY_SEARCH,
        KeyScope.HELP,
    }
)
"""Scopes with text input, in which a printable key cannot be bound."""
