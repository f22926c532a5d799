"""Schema of the client settings.

- Single source: `/set`, the settings screen, the comments of the settings file and docs/settings.md derive from
  `ClientSettings`.
- Validation: `parse` checks typed text, `convert` the content of a file.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from tui_chat.session.i18n import Translatable, mark, tr
from tui_chat.session.strings import settings as settings_strings

NotificationLevel = Literal["all", "mentions", "none"]
"""Messages of a room that cause a notification."""

RoomLevel = Literal["all", "mentions", "none", "default"]
"""Notification level of one room; `default` is the setting `notify`."""

PaneVisibility = Literal["auto", "always", "never"]
"""Visibility of a side pane; `auto` depends on the width of the terminal."""

JoinVisibility = Literal["all", "smart", "none"]
"""Visible membership events: all, the relevant ones (`RecentSpeakers.is_relevant`), or none."""

DEFAULT_VALUE = "default"
"""Command argument that restores the default of a setting."""

IDLE_CHECK_INTERVAL = 10.0
"""Seconds between two checks of the time without input (`away_after`)."""


class ClientSettings(Struct, frozen=True):
    """All settings; each description is user-visible help text."""

    language: Annotated[
        Literal["auto", "en", "zh"],
        Meta(description="Language; auto uses the system language."),
    ] = "auto"
    theme: Annotated[
        Literal["dark", "light", "contrast", "warm", "terminal"],
        Meta(description="Color theme; terminal uses the terminal's 16 colors."),
    ] = "dark"
    clock: Annotated[
        Literal["24h", "12h", "seconds", "none"],
        Meta(description="Format of message times."),
    ] = "24h"
    nick_width: Annotated[
        int,
        Meta(description="Width of the nickname column; 0 adapts it to the window.", ge=0, le=32),
    ] = 0
    room_list: Annotated[
        PaneVisibility,
        Meta(description="Room list on the left; auto shows it for two or more rooms if there is space."),
    ] = "auto"
    member_list: Annotated[
        PaneVisibility,
        Meta(description="Member list on the right; auto shows it if there is space."),
    ] = "auto"
    joins: Annotated[
        JoinVisibility,
        Meta(description="Join and leave notices; smart shows those of members who wrote in the last 30 minutes."),
    ] = "smart"
    emoji: Annotated[
        Literal["auto", "full", "safe"],
        Meta(description="Joined emoji and flags: one symbol (full) or parts (safe); auto measures the terminal."),
    ] = "auto"
    images: Annotated[
        Literal["auto", "kitty", "sixel", "blocks", "off"],
        Meta(description="Images: terminal graphics (kitty, sixel), colored blocks, or captions (off); auto selects."),
    ] = "auto"
    mouse: Annotated[
        bool,
        Meta(description="Use the mouse; off leaves it to the terminal, for its own selection."),
    ] = True
    terminal_title: Annotated[
        bool,
        Meta(description="Show the room and the unread count in the terminal title."),
    ] = True
    restore_rooms: Annotated[
        bool,
        Meta(description="Reopen the rooms of the last session; --room opens only the given room."),
    ] = True
    send_typing: Annotated[
        bool,
        Meta(description="Send typing indicators to other members."),
    ] = True
    away_after: Annotated[
        int,
        Meta(
            description="Minutes without input after which others see you as away; 0 disables the automatic status.",
            ge=0,
            le=1440,
        ),
    ] = 0
    paste_lines: Annotated[
        int,
        Meta(description="Confirm a paste of more lines than this; 0 disables the line limit.", ge=0, le=1000),
    ] = 5
    notify: Annotated[
        NotificationLevel,
        Meta(description="Messages that cause a notification; /notify overrides it for one room."),
    ] = "mentions"
    notification_method: Annotated[
        Literal["auto", "bell", "osc9", "osc99", "osc777"],
        Meta(description="Notification method; auto uses what the terminal supports, otherwise the bell."),
    ] = "auto"
    notification_preview: Annotated[
        bool,
        Meta(description="Show the message text in notifications."),
    ] = True
    room_notifications: Annotated[
        Mapping[str, RoomLevel],
        Meta(
            description='Notifications of rooms: tea = "none" on all servers, "https://host:443/tea" = "none" on one.'
        ),
    ] = MappingProxyType({})
    ignored: Annotated[
        tuple[str, ...],
        Meta(description="Nicknames whose messages are not shown."),
    ] = ()
    keys: Annotated[
        Mapping[str, str | tuple[str, ...]],
        Meta(description='Key bindings, by the names in docs/keys.md: help = "f1"; several keys in [ ]; "" for none.'),
    ] = MappingProxyType({})


class ValueKind(Enum):
    """Value type of a setting."""

    CHOICE = "choice"
    BOOLEAN = "switch"
    NUMBER = "number"
    LIST = "list"
    TABLE = "table"


_KINDS: dict[Any, ValueKind] = {
    Literal: ValueKind.CHOICE,
    bool: ValueKind.BOOLEAN,
    int: ValueKind.NUMBER,
    tuple: ValueKind.LIST,
    Mapping: ValueKind.TABLE,
}


class SettingField(Struct, frozen=True):
    """Metadata of one setting.

    Attributes:
        name: Key in the settings file and argument of `/set`.
        type: Annotated type for validation.
        choices: Valid values of the setting or of each table entry, empty if not enumerable.
        minimum: Minimum of a number, 0 for other kinds.
        maximum: Maximum of a number, 0 for other kinds.
    """

    name: str
    kind: ValueKind
    description: Translatable
    default: Any
    type: Any
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 0

    @property
    def title(self) -> Translatable:
        """Name with spaces."""
        return mark(self.name.replace("_", " "))

    @property
    def allowed_values(self) -> str:
        """Valid values as text: `a, b`, `on, off` or `0–32`; notation of the settings file for a list or table."""
        return {
            ValueKind.CHOICE: ", ".join(self.choices),
            ValueKind.BOOLEAN: "on, off",
            ValueKind.NUMBER: f"{self.minimum}–{self.maximum}",
            ValueKind.LIST: '["…", "…"]',
            ValueKind.TABLE: f"[{self.name}]",
        }[self.kind]


@cache
def fields() -> Mapping[str, SettingField]:
    """Return the settings by name, in display order."""
    return {
        name: _build_field(name, hint) for name, hint in get_type_hints(ClientSettings, include_extras=True).items()
    }


def _build_field(name: str, hint: Any) -> SettingField:
    """Return the metadata of a setting from its annotation."""
    annotation, meta = get_args(hint)
    kind = _KINDS[get_origin(annotation) or annotation]
    choice_type = get_args(annotation)[1] if kind is ValueKind.TABLE else annotation
    return SettingField(
        name,
        kind,
        mark(meta.description),
        default=getattr(ClientSettings(), name),
        type=hint,
        choices=get_args(choice_type) if get_origin(choice_type) is Literal else (),
        minimum=meta.ge or 0,
        maximum=meta.le or 0,
    )


def convert(name: str, value: object) -> Any:
    """Return the validated value of a setting from a file.

    The value must have the type of the setting and the exact spelling of a choice. One invalid entry rejects a complete
    table or list.

    Raises:
        ValueError: The setting is unknown or the value is invalid; the text is a translated sentence.
    """
    field = _find_field(name)
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        raise ValueError(tr(settings_strings.INVALID_VALUE, name=name, expected=field.allowed_values)) from None


_ON, _OFF = {"on", "yes", "true", "1"}, {"off", "no", "false", "0"}


def parse(name: str, text: str) -> Any:
    """Return the validated value of a setting from typed text.

    Surrounding whitespace and the case of choices and Booleans are ignored. A Boolean is on, off, yes, no, true, false,
    1 or 0. A number has at most 8 ASCII digits and no sign. The items of a list are separated by commas or spaces; an
    empty text is an empty list.

    Raises:
        ValueError: The setting is unknown or a table, or the value is invalid; the text is a translated sentence.
    """
    field, stripped = _find_field(name), text.strip()
    value: object = stripped
    match field.kind:
        case ValueKind.BOOLEAN:
            value = True if stripped.casefold() in _ON else False if stripped.casefold() in _OFF else stripped
        case ValueKind.NUMBER:
            value = int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 9 else stripped
        case ValueKind.CHOICE:
            value = next((choice for choice in field.choices if choice.casefold() == stripped.casefold()), stripped)
        case ValueKind.LIST:
            value = tuple(stripped.replace(",", " ").split())
        case ValueKind.TABLE:
            raise ValueError(tr("{name} is a table. Edit it in the settings file.", name=name))
    return convert(name, value)


def format_value(value: Any) -> str:
    """Return a value as text in the notation of `/set`: `on`, `5`, `ann, bob`, `lobby: none`; "" if empty."""
    match value:
        case bool():
            return "on" if value else "off"
        case tuple():
            return ", ".join(map(str, cast("tuple[str, ...]", value)))
        case Mapping():
            return ", ".join(f"{name}: {format_value(item)}" for name, item in cast("Mapping[str, Any]", value).items())
        case _:
            return str(value)


def render_markdown() -> str:
    """Return the settings table of docs/settings.md."""
    lines = ["| Setting | Default | Values | Description |", "|---|---|---|---|"]
    for field in fields().values():
        default = format_value(field.default)
        lines.append(
            f"| `{field.name}` | {default and f'`{default}`'} | {field.allowed_values} | {tr(field.description)} |"
        )
    return "\n".join(lines) + "\n"


def _find_field(name: str) -> SettingField:
    field = fields().get(name)
    if field is None:
        raise ValueError(settings_strings.unknown_setting(name))
    return field
