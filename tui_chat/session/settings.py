"""What a person can set, each with one sentence on what it does.

Rule 1  `/set`, the settings screen, the comments in the file and docs/settings.md are
        all made from `Settings`: a setting that is not here does nothing, one that is
        here acts at once.
Rule 2  What is not allowed never gets in: `parse` and `convert` are the only ways.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from tui_chat.session import setting_words
from tui_chat.session.language import Marked, mark, tr

Level = Literal["all", "mentions", "none"]
"""Of what in a room one is notified."""

Shown = Literal["auto", "always", "never"]


class Settings(Struct, frozen=True, rename=None):
    """All settings. The sentence with each is what people read."""

    language: Annotated[
        Literal["auto", "en", "zh"],
        Meta(description="The language of the program; auto takes the system's."),
    ] = "auto"
    theme: Annotated[
        Literal["dark", "light", "contrast", "warm", "terminal"],
        Meta(description="The colours; terminal takes the 16 colours of your terminal."),
    ] = "dark"
    clock: Annotated[
        Literal["24h", "12h", "seconds", "none"],
        Meta(description="How the time stands beside a message."),
    ] = "24h"
    nick_width: Annotated[
        int,
        Meta(description="Columns for nicknames beside the messages; 0 takes them from the width.", ge=0, le=32),
    ] = 0
    room_list: Annotated[
        Shown,
        Meta(description="The list of rooms at the left; auto shows it where there is space and a second room."),
    ] = "auto"
    member_list: Annotated[
        Shown,
        Meta(description="The list of who is here at the right; auto shows it where there is space."),
    ] = "auto"
    show_joins: Annotated[
        bool,
        Meta(description="Say in the room who comes and who leaves."),
    ] = True
    mouse: Annotated[
        bool,
        Meta(description="Take the mouse; off leaves it to the terminal, for its own selection."),
    ] = True
    terminal_title: Annotated[
        bool,
        Meta(description="Show the room, and how much is unread, in the title of the terminal."),
    ] = True
    come_back: Annotated[
        bool,
        Meta(description="Go into the rooms, too, that were open when you left; --room opens that one alone."),
    ] = True
    send_typing: Annotated[
        bool,
        Meta(description="Tell the others in a room that you are typing."),
    ] = True
    paste_lines: Annotated[
        int,
        Meta(
            description="Ask before a paste of more lines than this goes into a message; 0 never asks.", ge=0, le=1000
        ),
    ] = 5
    notify: Annotated[
        Level,
        Meta(description="What to notify you of while you are not looking; a room can have its own."),
    ] = "mentions"
    notify_by: Annotated[
        Literal["auto", "bell", "osc9", "osc99", "osc777"],
        Meta(description="How: auto takes what your terminal understands, else the bell."),
    ] = "auto"
    notify_text: Annotated[
        bool,
        Meta(description="Show in a notification what was said; off says only that something was."),
    ] = True
    rooms: Annotated[
        Mapping[str, Level],
        Meta(description="Rooms of which you want to be notified otherwise; none mutes a room."),
    ] = MappingProxyType({})
    ignored: Annotated[
        tuple[str, ...],
        Meta(description="Nicknames whose messages are not shown."),
    ] = ()
    keys: Annotated[
        Mapping[str, str | tuple[str, ...]],
        Meta(description='Other keys, by the names in docs/keys.md: help = "f1", several in [ ], none with "".'),
    ] = MappingProxyType({})

    def level(self, room: str) -> Level:
        """Of what in this room one wants to be notified."""
        wanted = room.casefold()
        own: Level | None = next((level for name, level in self.rooms.items() if name.casefold() == wanted), None)
        return self.notify if own is None else own

    def muted(self, room: str) -> bool:
        """Whether nothing of this room is wanted, whatever is wanted of the others."""
        wanted = room.casefold()
        return any(level == "none" and name.casefold() == wanted for name, level in self.rooms.items())

    def ignores(self, nick: str) -> bool:
        """Whether what this nickname says is not wanted."""
        wanted = nick.casefold()
        return any(name.casefold() == wanted for name in self.ignored)


class Kind(Enum):
    """What a setting can be."""

    CHOICE = "choice"
    SWITCH = "switch"
    NUMBER = "number"
    LIST = "list"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting.

    Attributes:
        name: As in the file and after `/set`.
        sentence: What it does.
        default: What it is when nothing was set.
        choices: What it, or what each entry of a table, can be; empty when that is not a choice.
        least: The smallest number allowed.
        most: The largest number allowed.
    """

    name: str
    kind: Kind
    sentence: Marked
    default: Any
    type: Any
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0

    @property
    def title(self) -> Marked:
        """Its name in words."""
        return mark(self.name.replace("_", " "))

    @property
    def help(self) -> str:
        """One sentence on what it does."""
        return tr(self.sentence)

    @property
    def expected(self) -> str:
        """What is allowed, in words."""
        match self.kind:
            case Kind.CHOICE:
                return ", ".join(self.choices)
            case Kind.SWITCH:
                return "on, off"
            case Kind.NUMBER:
                return f"{self.least}–{self.most}"
            case Kind.LIST:
                return '["…", "…"]'
            case Kind.TABLE:
                return f"[{self.name}]"


@cache
def fields() -> Mapping[str, Field]:
    """All settings by their names, in the order to show them."""
    return {name: _field(name, hint) for name, hint in get_type_hints(Settings, include_extras=True).items()}


def _field(name: str, hint: Any) -> Field:
    of, meta = get_args(hint)
    default, says = getattr(Settings(), name), mark(meta.description)
    origin = get_origin(of)
    if origin is Literal:
        return Field(name, Kind.CHOICE, says, default, hint, tuple(get_args(of)))
    if of is bool:
        return Field(name, Kind.SWITCH, says, default, hint)
    if of is int:
        return Field(name, Kind.NUMBER, says, default, hint, least=meta.ge, most=meta.le)
    if origin is tuple:
        return Field(name, Kind.LIST, says, default, hint)
    choices = get_args(get_args(of)[1])
    return Field(name, Kind.TABLE, says, default, hint, choices if get_origin(get_args(of)[1]) else ())


def convert(name: str, value: object) -> Any:
    """The value of a setting from what stands in a file.

    Raises:
        ValueError: It is none that this setting can have; one sentence for a person.
    """
    field = _named(name)
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError:
        raise ValueError(setting_words.setting_refused(name, field.expected)) from None


_ON, _OFF = {"on", "yes", "true", "1"}, {"off", "no", "false", "0"}


def parse(name: str, text: str) -> Any:
    """The value of a setting from what a person typed.

    Raises:
        ValueError: It is none that this setting can have; one sentence for a person.
    """
    field, typed = _named(name), text.strip()
    value: object = typed
    match field.kind:
        case Kind.SWITCH:
            value = True if typed.casefold() in _ON else False if typed.casefold() in _OFF else typed
        case Kind.NUMBER:
            value = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else typed
        case Kind.CHOICE:
            value = next((choice for choice in field.choices if choice.casefold() == typed.casefold()), typed)
        case Kind.LIST:
            value = tuple(part for part in typed.replace(",", " ").split() if part)
        case Kind.TABLE:
            raise ValueError(setting_words.setting_in_file(name))
    return convert(name, value)


def shown(value: Any) -> str:
    """A value as a person types it."""
    match value:
        case bool():
            return "on" if value else "off"
        case tuple():
            return ", ".join(map(str, cast("tuple[str, ...]", value)))
        case Mapping():
            return ", ".join(f"{name}: {shown(each)}" for name, each in cast("Mapping[str, Any]", value).items())
        case _:
            return str(value)


def markdown() -> str:
    """The table of docs/settings.md."""
    lines = ["| setting | usual | can be | what it does |", "|---|---|---|---|"]
    for field in fields().values():
        usual = shown(field.default)
        lines.append(f"| `{field.name}` | {usual and f'`{usual}`'} | {field.expected} | {field.help} |")
    return "\n".join(lines) + "\n"


def _named(name: str) -> Field:
    field = fields().get(name)
    if field is None:
        raise ValueError(setting_words.no_such_setting(name))
    return field


if __name__ == "__main__":
    sys.stdout.write(markdown())
