"""Key binding and its scope, the elements of the registry in `keys`."""

from collections.abc import Iterator
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from tui_chat.session.i18n import Translatable, mark


class KeyScope(Enum):
    """Context in which a binding is active. The value is the heading on the help screen."""

    GLOBAL = mark("Anywhere")
    JOIN_FORM = mark("Join form")
    CHAT = mark("Rooms and messages")
    COMPOSER = mark("Composer")
    COMMAND_PALETTE = mark("Command palette (Ctrl+\\)")
    ROOM_SWITCHER = mark("Room switcher (F4)")
    MEMBER_PICKER = mark("Member picker (F6)")
    MEMBER_MENU = mark("Member menu")
    MESSAGE_SEARCH = mark("Message search (Alt+S)")
    PASTE_DIALOG = mark("Long paste")
    CONFIRM_DIALOG = mark("Confirmation")
    ACCOUNT_FORM = mark("Account form (/login)")
    DEVICE_LIST = mark("Device list (/devices)")
    HISTORY_SEARCH = mark("Input history search (Ctrl+R)")
    MESSAGE_CURSOR = mark("Message selection (Ctrl+S)")
    HELP = mark("Help")
    SETTINGS = mark("Settings (F9)")
    THEME_LIST = mark("Theme list (/theme)")
    LINK_DIALOG = mark("Links and files (o)")
    COPY_MODE = mark("Copy mode (Alt+L)")
    OUTPUT = mark("Command output")


class KeyBinding(Struct, frozen=True):
    """Binding of one or more keys to an action.

    Attributes:
        id: Stable identifier for overrides, listed in docs/keys.md.
        keys: Textual key names, preferred key first.
        action: Textual action, resolved in the scope (`action_<name>`).
        help: One-line description; None if the preceding entry describes this binding as well.
        footer: Footer label, None to omit the binding from the footer.
        priority: Handle the key before the focused widget does.
        label: Display text in place of the key names.
        scope: Context in which the binding is active.
    """

    id: str
    keys: tuple[str, ...]
    action: str
    help: Translatable | None
    footer: Translatable | None = None
    priority: bool = False
    label: str = ""
    scope: KeyScope = KeyScope.GLOBAL


def in_scope(scope: KeyScope, *bindings: KeyBinding) -> Iterator[KeyBinding]:
    """Yield copies of the bindings with this scope."""
    return (replace(binding, scope=scope) for binding in bindings)
