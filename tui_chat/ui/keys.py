"""Every key there is: bindings, footer, help screen and docs/keys.md are made from this one list.

Rule 1  A key that is not here does nothing; a key that is here does what its line says.
Rule 2  Within one place (and the places around it) a key stands once.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding

from tui_chat.session.language import Marked, mark, tr


class Place(Enum):
    """Where a key counts; its value is the heading in the help."""

    ANYWHERE = mark("Anywhere")
    FORM = mark("The join form")
    CHAT = mark("Rooms and reading")
    COMPOSER = mark("Writing")
    SWITCHER = mark("The switcher (after F4)")
    PASTE = mark("A long paste")
    SEARCHING = mark("Searching what you sent (after Ctrl+R)")
    PICKING = mark("Picking a message (after Ctrl+S)")
    HELP = mark("The help screen")


@dataclass(frozen=True, slots=True)
class Key:
    """One thing a key does.

    Attributes:
        keys: Textual's names of the keys that do it, the one to show first.
        action: The action, as its place has it (`action_<name>`).
        help: One line on what it does; None when the entry before speaks for it.
        place: Where it counts.
        footer: Its word in the footer; None keeps it out.
        first: It counts before what a widget would do with the same key.
        label: What stands for its keys, if not their names.
    """

    keys: tuple[str, ...]
    action: str
    help: Marked | None
    place: Place
    footer: Marked | None = None
    first: bool = False
    label: str = ""


ALL: tuple[Key, ...] = (
    Key(("f1",), "app.help", mark("show or close the help"), Place.ANYWHERE, mark("help"), first=True),
    Key(
        ("ctrl+backslash",), "app.command_palette", mark("all commands, to search and run"), Place.ANYWHERE, first=True
    ),
    Key(("ctrl+q",), "app.leave", mark("quit"), Place.ANYWHERE, mark("quit"), first=True),
    Key(("ctrl+l",), "app.redraw", mark("draw the screen anew"), Place.ANYWHERE, first=True),
    Key(("ctrl+z",), "app.suspend_process", mark("go to the background; `fg` comes back"), Place.ANYWHERE, first=True),
    Key(
        ("alt+m",), "app.toggle_mouse", mark("take the mouse, or leave it to the terminal"), Place.ANYWHERE, first=True
    ),
    Key(
        ("ctrl+c",),
        "app.interrupt",
        mark("copy what is selected, or clear the line; twice quits"),
        Place.ANYWHERE,
        first=True,
    ),
    Key(("enter",), "next_or_join", mark("go on to what is missing, or join"), Place.FORM, mark("join")),
    Key(("tab", "down"), "app.focus_next", mark("next field"), Place.FORM, mark("next field"), first=True),
    Key(("shift+tab", "up"), "app.focus_previous", mark("field before"), Place.FORM, first=True),
    Key(("escape",), "stop", mark("stop waiting for the server"), Place.FORM),
    Key(("alt+right", "ctrl+n"), "step(1)", mark("next room"), Place.CHAT, mark("rooms")),
    Key(("alt+left", "ctrl+p"), "step(-1)", mark("room before"), Place.CHAT),
    Key(("alt+1",), "show_number(1)", mark("the room with that number"), Place.CHAT, label="Alt+1 … Alt+9"),
    *(Key((f"alt+{n}",), f"show_number({n})", None, Place.CHAT) for n in range(2, 10)),
    Key(("alt+a",), "activity", mark("next room with something unread, mentions first"), Place.CHAT),
    Key(("f4",), "switch", mark("go to a room by some letters of its name"), Place.CHAT, first=True),
    Key(("pageup",), "page_up", mark("scroll up"), Place.CHAT, mark("scroll")),
    Key(("pagedown",), "page_down", mark("scroll down"), Place.CHAT),
    Key(("alt+home",), "top", mark("first line that is loaded"), Place.CHAT),
    Key(("escape",), "escape", mark("leave an answer or a change; newest line"), Place.CHAT),
    Key(("alt+end",), "bottom", mark("newest line (End in an empty composer too)"), Place.CHAT),
    Key(("alt+u",), "unread", mark("first unread line"), Place.CHAT),
    Key(("ctrl+s",), "pick", mark("pick a message: answer, change, react, copy; load a gap"), Place.CHAT),
    Key(("f2",), "toggle_rooms", mark("show or hide the rooms"), Place.CHAT),
    Key(("f3",), "toggle_members", mark("show or hide who is here"), Place.CHAT),
    Key(("enter",), "submit", mark("send"), Place.COMPOSER, mark("send")),
    Key(("alt+enter", "ctrl+j", "shift+enter"), "newline", mark("new line"), Place.COMPOSER, mark("new line")),
    Key(("tab",), "complete(1)", mark("complete a nickname, a /command, a #room"), Place.COMPOSER),
    Key(("shift+tab",), "complete(-1)", mark("the completion before"), Place.COMPOSER),
    Key(
        ("up",),
        "up",
        mark("line above; on the first, change or repeat what you sent"),
        Place.COMPOSER,
    ),
    Key(("down",), "down", mark("line below; on the last, what you sent after"), Place.COMPOSER),
    Key(("ctrl+r",), "search_sent", mark("search what you sent here"), Place.COMPOSER),
    Key(("left", "ctrl+b"), "cursor_left", mark("one character left"), Place.COMPOSER),
    Key(("right", "ctrl+f"), "cursor_right", mark("one character right"), Place.COMPOSER),
    Key(("alt+b", "ctrl+left"), "cursor_word_left", mark("one word left"), Place.COMPOSER),
    Key(("alt+f", "ctrl+right"), "cursor_word_right", mark("one word right"), Place.COMPOSER),
    Key(("home", "ctrl+a"), "cursor_line_start", mark("start of the line"), Place.COMPOSER),
    Key(("end", "ctrl+e"), "line_end", mark("end of the line"), Place.COMPOSER),
    Key(("shift+left",), "cursor_left(True)", mark("select to the left"), Place.COMPOSER),
    Key(("shift+right",), "cursor_right(True)", mark("select to the right"), Place.COMPOSER),
    Key(("shift+home",), "cursor_line_start(True)", mark("select to the start of the line"), Place.COMPOSER),
    Key(("shift+end",), "cursor_line_end(True)", mark("select to the end of the line"), Place.COMPOSER),
    Key(("backspace", "ctrl+h"), "delete_left", mark("delete the character before"), Place.COMPOSER),
    Key(("delete", "ctrl+d"), "delete_right", mark("delete the character after"), Place.COMPOSER),
    Key(("ctrl+w",), "kill_word_left", mark("cut the word before"), Place.COMPOSER),
    Key(("alt+d",), "kill_word_right", mark("cut the word after"), Place.COMPOSER),
    Key(("ctrl+u",), "kill_to_start", mark("cut to the start of the line"), Place.COMPOSER),
    Key(("ctrl+k",), "kill_to_end", mark("cut to the end of the line; at the very end, go to a room"), Place.COMPOSER),
    Key(("ctrl+y",), "yank", mark("put back what was cut last"), Place.COMPOSER),
    Key(("ctrl+x",), "cut", mark("cut what is selected"), Place.COMPOSER),
    Key(("ctrl+v",), "paste", mark("put in what was copied here"), Place.COMPOSER),
    Key(("ctrl+underscore",), "undo", mark("undo"), Place.COMPOSER),
    Key(("up", "ctrl+p", "shift+tab"), "move(-1)", mark("room above"), Place.SWITCHER, first=True),
    Key(("down", "ctrl+n", "tab"), "move(1)", mark("room below"), Place.SWITCHER, first=True),
    Key(("enter",), "go", mark("go there; a room that is not open is joined"), Place.SWITCHER),
    Key(("escape", "ctrl+g", "f4"), "close", mark("stay where you are"), Place.SWITCHER, first=True),
    Key(("e",), "wish('edit')", mark("put it into the message, to be changed first"), Place.PASTE, mark("edit")),
    Key(("s",), "wish('one')", mark("send it as one message, or as few as can hold it"), Place.PASTE, mark("send")),
    Key(("l",), "wish('lines')", mark("send each line as a message"), Place.PASTE, mark("lines")),
    Key(("escape", "ctrl+g"), "close", mark("drop the paste"), Place.PASTE, mark("drop")),
    Key(("ctrl+r", "up"), "search_older", mark("the one found before"), Place.SEARCHING, mark("older")),
    Key(("ctrl+s", "down"), "search_newer", mark("the one found after"), Place.SEARCHING),
    Key(("backspace", "ctrl+h"), "search_erase", mark("take back the last letter"), Place.SEARCHING),
    Key(("enter",), "search_take", mark("take it, to be changed or sent"), Place.SEARCHING, mark("take")),
    Key(("escape", "ctrl+g"), "search_leave", mark("back to what was there"), Place.SEARCHING, mark("back")),
    Key(("up", "k"), "pick_up", mark("message above"), Place.PICKING, mark("pick")),
    Key(("down", "j"), "pick_down", mark("message below"), Place.PICKING),
    Key(("enter",), "choose", mark("load a gap; send again what was not sent"), Place.PICKING, mark("choose")),
    Key(("r",), "screen.reply_picked", mark("answer it; send again what was not sent"), Place.PICKING, mark("reply")),
    Key(
        ("e",),
        "screen.edit_picked",
        mark("change what you said; write anew what was not sent"),
        Place.PICKING,
        mark("edit"),
    ),
    Key(
        ("d",),
        "screen.delete_picked",
        mark("take it back (asks); drop what was not sent"),
        Place.PICKING,
        mark("delete"),
    ),
    Key(("a",), "screen.react_picked", mark("put an emoji under it, or take it away"), Place.PICKING, mark("react")),
    Key(("y",), "screen.copy_picked", mark("copy the message"), Place.PICKING, mark("copy")),
    Key(("m",), "screen.mention_picked", mark("write to who said it"), Place.PICKING, mark("mention")),
    Key(("home", "g"), "to_top", mark("first line that is loaded"), Place.PICKING),
    Key(("end", "G"), "to_bottom", mark("newest line"), Place.PICKING),
    Key(("escape",), "leave", mark("back to writing"), Place.PICKING, mark("back")),
    Key(("f1", "escape", "q"), "app.help", mark("close"), Place.HELP, mark("close")),
)

_NAMES = {
    "backslash": "\\",
    "underscore": "_",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
    "ctrl": "Ctrl",
    "delete": "Del",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
}


def at(place: Place) -> tuple[Key, ...]:
    """The keys of one place."""
    return tuple(key for key in ALL if key.place is place)


def bindings(place: Place) -> list[Binding]:
    """The bindings of one place, for the `BINDINGS` of what is there."""
    return [Binding(",".join(key.keys), key.action, show=False, priority=key.first) for key in at(place)]


def actions(place: Place) -> dict[str, str]:
    """The action of each key of one place."""
    return {name: key.action for key in at(place) for name in key.keys}


def shown(key: str) -> str:
    """A key as a person knows it: `ctrl+j` is `Ctrl+J`."""
    return "+".join(_NAMES.get(part, part.upper() if len(part) == 1 else part.capitalize()) for part in key.split("+"))


def listed(place: Place) -> list[tuple[list[str], str]]:
    """The keys of one place as a person knows them, and what they do."""
    return [
        ([key.label] if key.label else [shown(name) for name in key.keys], tr(key.help))
        for key in at(place)
        if key.help is not None
    ]


def footer(places: Iterable[Place]) -> list[tuple[str, str, str]]:
    """What the footer shows in these places: key, word, action; the innermost place first."""
    return [
        (shown(key.keys[0]), tr(key.footer), key.action)
        for place in places
        for key in at(place)
        if key.footer is not None
    ]


def markdown() -> str:
    """The text of docs/keys.md."""
    lines = ["# Keys", "", "Made from `tui_chat/ui/keys.py` by `python -m tui_chat.ui.keys`.", ""]
    for place in Place:
        lines += [f"## {tr(place.value)}", "", "| key | what it does |", "|---|---|"]
        for names, what in listed(place):
            lines.append(f"| {', '.join(f'`{name}`' for name in names)} | {what} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
