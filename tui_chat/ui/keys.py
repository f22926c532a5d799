"""Every key there is: bindings, footer, help screen and docs/keys.md are made from this one list.

Rule 1  A key that is not here does nothing; a key that is here does what its line says.
Rule 2  Where two places count at once (`AT_ONCE`), a key stands in one of them, once.
Rule 3  What a key does has an id, by which the settings give it other keys (`keymap`).
        An id never changes: it stands in people's files.
"""

from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding

from tui_chat.session.language import Translatable, mark


class Place(Enum):
    """Where a key counts; its value is the heading in the help."""

    ANYWHERE = mark("Anywhere")
    FORM = mark("The join form")
    CHAT = mark("Rooms and reading")
    COMPOSER = mark("Writing")
    SWITCHER = mark("The switcher (after F4)")
    SEARCH = mark("Searching what was said (after Alt+S)")
    PASTE = mark("A long paste")
    SEARCHING = mark("Searching what you sent (after Ctrl+R)")
    PICKING = mark("Picking a message (after Ctrl+S)")
    HELP = mark("The help screen")
    SETTINGS = mark("The settings (after F9)")
    THEMES = mark("The list of themes (after /theme)")
    LINKS = mark("Where a link leads (after o)")
    BARE = mark("The bare view (after Alt+L)")


@dataclass(frozen=True, slots=True)
class Key:
    """One thing a key does.

    Attributes:
        id: Its name in the settings and in docs/keys.md.
        keys: Textual's names of the keys that do it, the one to show first.
        action: The action, as its place has it (`action_<name>`).
        help: One line on what it does; None when the entry before speaks for it.
        place: Where it counts.
        footer: Its word in the footer; None keeps it out.
        first: It counts before what a widget would do with the same key.
        label: What stands for its keys, if not their names.
    """

    id: str
    keys: tuple[str, ...]
    action: str
    help: Translatable | None
    place: Place
    footer: Translatable | None = None
    first: bool = False
    label: str = ""


ALL: tuple[Key, ...] = (
    Key("help", ("f1",), "app.help", mark("show or close the help"), Place.ANYWHERE, mark("help"), first=True),
    Key(
        "palette",
        ("ctrl+backslash",),
        "app.command_palette",
        mark("all commands, to search and run"),
        Place.ANYWHERE,
        first=True,
    ),
    Key("quit", ("ctrl+q",), "app.leave", mark("quit"), Place.ANYWHERE, mark("quit"), first=True),
    Key("redraw", ("ctrl+l",), "app.redraw", mark("draw the screen anew"), Place.ANYWHERE, first=True),
    Key(
        "suspend",
        ("ctrl+z",),
        "app.suspend_process",
        mark("go to the background; `fg` comes back"),
        Place.ANYWHERE,
        first=True,
    ),
    Key(
        "toggle-mouse",
        ("alt+m",),
        "app.toggle_mouse",
        mark("take the mouse, or leave it to the terminal"),
        Place.ANYWHERE,
        first=True,
    ),
    Key("settings", ("f9",), "app.settings", mark("the settings, each explained"), Place.ANYWHERE, first=True),
    Key(
        "interrupt",
        ("ctrl+c",),
        "app.interrupt",
        mark("copy what is selected, or clear the line; twice quits"),
        Place.ANYWHERE,
        first=True,
    ),
    Key("join", ("enter",), "next_or_join", mark("go on to what is missing, or join"), Place.FORM, mark("join")),
    Key(
        "next-field", ("tab", "down"), "app.focus_next", mark("next field"), Place.FORM, mark("next field"), first=True
    ),
    Key("previous-field", ("shift+tab", "up"), "app.focus_previous", mark("field before"), Place.FORM, first=True),
    Key("stop-waiting", ("escape",), "stop", mark("stop waiting for the server"), Place.FORM),
    Key("next-room", ("alt+right", "ctrl+n"), "step(1)", mark("next room"), Place.CHAT, mark("rooms")),
    Key("previous-room", ("alt+left", "ctrl+p"), "step(-1)", mark("room before"), Place.CHAT),
    Key("room-1", ("alt+1",), "show_number(1)", mark("the room with that number"), Place.CHAT, label="Alt+1 … Alt+9"),
    *(Key(f"room-{n}", (f"alt+{n}",), f"show_number({n})", None, Place.CHAT) for n in range(2, 10)),
    Key("next-activity", ("alt+a",), "activity", mark("next room with something unread, mentions first"), Place.CHAT),
    Key("switch", ("f4",), "switch", mark("go to a room by some letters of its name"), Place.CHAT, first=True),
    Key("search", ("alt+s", "f5"), "search", mark("search what was said"), Place.CHAT, mark("search"), first=True),
    Key("page-up", ("pageup",), "page_up", mark("scroll up"), Place.CHAT, mark("scroll")),
    Key("page-down", ("pagedown",), "page_down", mark("scroll down"), Place.CHAT),
    Key("oldest", ("alt+home",), "top", mark("first line that is loaded"), Place.CHAT),
    Key(
        "back",
        ("escape",),
        "escape",
        mark("leave an answer or a change; go back; newest line"),
        Place.CHAT,
    ),
    Key("newest", ("alt+end",), "bottom", mark("newest line (End in an empty composer too)"), Place.CHAT),
    Key("first-unread", ("alt+u",), "unread", mark("first unread line"), Place.CHAT),
    Key("pick", ("ctrl+s",), "pick", mark("pick a message: answer, change, react, copy; load a gap"), Place.CHAT),
    Key(
        "bare-view", ("alt+l",), "bare", mark("bare view: only the talk, for the terminal's own selection"), Place.CHAT
    ),
    Key("toggle-rooms", ("f2",), "toggle_rooms", mark("show or hide the rooms"), Place.CHAT),
    Key("toggle-members", ("f3",), "toggle_members", mark("show or hide who is here"), Place.CHAT),
    Key("send", ("enter",), "submit", mark("send"), Place.COMPOSER, mark("send")),
    Key(
        "new-line",
        ("alt+enter", "ctrl+j", "shift+enter"),
        "newline",
        mark("new line"),
        Place.COMPOSER,
        mark("newline"),
    ),
    Key("complete", ("tab",), "complete(1)", mark("complete a name, a /command, a #room, an :emoji"), Place.COMPOSER),
    Key("complete-back", ("shift+tab",), "complete(-1)", mark("the completion before"), Place.COMPOSER),
    Key(
        "line-up",
        ("up",),
        "up",
        mark("line above; on the first, change or repeat what you sent"),
        Place.COMPOSER,
    ),
    Key("line-down", ("down",), "down", mark("line below; on the last, what you sent after"), Place.COMPOSER),
    Key("search-sent", ("ctrl+r",), "search_sent", mark("search what you sent here"), Place.COMPOSER),
    Key("cursor-left", ("left", "ctrl+b"), "cursor_left", mark("one character left"), Place.COMPOSER),
    Key("cursor-right", ("right", "ctrl+f"), "cursor_right", mark("one character right"), Place.COMPOSER),
    Key("word-left", ("alt+b", "ctrl+left"), "cursor_word_left", mark("one word left"), Place.COMPOSER),
    Key("word-right", ("alt+f", "ctrl+right"), "cursor_word_right", mark("one word right"), Place.COMPOSER),
    Key("line-start", ("home", "ctrl+a"), "cursor_line_start", mark("start of the line"), Place.COMPOSER),
    Key("line-end", ("end", "ctrl+e"), "line_end", mark("end of the line"), Place.COMPOSER),
    Key("select-left", ("shift+left",), "cursor_left(True)", mark("select to the left"), Place.COMPOSER),
    Key("select-right", ("shift+right",), "cursor_right(True)", mark("select to the right"), Place.COMPOSER),
    Key(
        "select-line-start",
        ("shift+home",),
        "cursor_line_start(True)",
        mark("select to the start of the line"),
        Place.COMPOSER,
    ),
    Key(
        "select-line-end",
        ("shift+end",),
        "cursor_line_end(True)",
        mark("select to the end of the line"),
        Place.COMPOSER,
    ),
    Key("delete-left", ("backspace", "ctrl+h"), "delete_left", mark("delete the character before"), Place.COMPOSER),
    Key("delete-right", ("delete", "ctrl+d"), "delete_right", mark("delete the character after"), Place.COMPOSER),
    Key("cut-word-left", ("ctrl+w",), "kill_word_left", mark("cut the word before"), Place.COMPOSER),
    Key("cut-word-right", ("alt+d",), "kill_word_right", mark("cut the word after"), Place.COMPOSER),
    Key("cut-to-start", ("ctrl+u",), "kill_to_start", mark("cut to the start of the line"), Place.COMPOSER),
    Key(
        "cut-to-end",
        ("ctrl+k",),
        "kill_to_end",
        mark("cut to the end of the line; at the very end, go to a room"),
        Place.COMPOSER,
    ),
    Key("yank", ("ctrl+y",), "yank", mark("put back what was cut last"), Place.COMPOSER),
    Key("cut", ("ctrl+x",), "cut", mark("cut what is selected"), Place.COMPOSER),
    Key("paste", ("ctrl+v",), "paste", mark("put in what was copied here"), Place.COMPOSER),
    Key("undo", ("ctrl+underscore",), "undo", mark("undo"), Place.COMPOSER),
    Key("switch-above", ("up", "ctrl+p", "shift+tab"), "move(-1)", mark("room above"), Place.SWITCHER, first=True),
    Key("switch-below", ("down", "ctrl+n", "tab"), "move(1)", mark("room below"), Place.SWITCHER, first=True),
    Key("switch-go", ("enter",), "go", mark("go there; a room that is not open is joined"), Place.SWITCHER),
    Key("switch-close", ("escape", "ctrl+g", "f4"), "close", mark("stay where you are"), Place.SWITCHER, first=True),
    Key("find-newer", ("up", "ctrl+p", "shift+tab"), "move(-1)", mark("newer message"), Place.SEARCH, first=True),
    Key(
        "find-older",
        ("down", "ctrl+n", "tab"),
        "move(1)",
        mark("older message, and more at the end"),
        Place.SEARCH,
        first=True,
    ),
    Key("find-page-up", ("pageup",), "page(-1)", mark("a page up"), Place.SEARCH, first=True),
    Key("find-page-down", ("pagedown",), "page(1)", mark("a page down"), Place.SEARCH, first=True),
    Key("find-go", ("enter",), "go", mark("go to where it was said; a room that is not open is joined"), Place.SEARCH),
    Key("find-scope", ("alt+s", "f5"), "scope", mark("search this room alone, or all"), Place.SEARCH, first=True),
    Key("find-close", ("escape", "ctrl+g"), "close", mark("back to where you were"), Place.SEARCH, first=True),
    Key(
        "paste-edit",
        ("e",),
        "wish('edit')",
        mark("put it into the message, to be changed first"),
        Place.PASTE,
        mark("edit"),
    ),
    Key(
        "paste-one",
        ("s",),
        "wish('one')",
        mark("send it as one message, or as few as can hold it"),
        Place.PASTE,
        mark("send"),
    ),
    Key("paste-lines", ("l",), "wish('lines')", mark("send each line as a message"), Place.PASTE, mark("lines")),
    Key("paste-drop", ("escape", "ctrl+g"), "close", mark("drop the paste"), Place.PASTE, mark("drop")),
    Key("search-older", ("ctrl+r", "up"), "search_older", mark("the one found before"), Place.SEARCHING, mark("older")),
    Key("search-newer", ("ctrl+s", "down"), "search_newer", mark("the one found after"), Place.SEARCHING),
    Key("search-erase", ("backspace", "ctrl+h"), "search_erase", mark("take back the last letter"), Place.SEARCHING),
    Key(
        "search-take", ("enter",), "search_take", mark("take it, to be changed or sent"), Place.SEARCHING, mark("take")
    ),
    Key(
        "search-leave",
        ("escape", "ctrl+g"),
        "search_leave",
        mark("back to what was there"),
        Place.SEARCHING,
        mark("back"),
    ),
    Key("pick-above", ("up", "k"), "cursor_up", mark("message above"), Place.PICKING),
    Key("pick-below", ("down", "j"), "cursor_down", mark("message below"), Place.PICKING),
    Key(
        "picked-reply",
        ("r",),
        "screen.reply_picked",
        mark("answer it; send again what was not sent"),
        Place.PICKING,
        mark("reply"),
    ),
    Key(
        "picked-edit",
        ("e",),
        "screen.edit_picked",
        mark("change what you said; write anew what was not sent"),
        Place.PICKING,
        mark("edit"),
    ),
    Key(
        "picked-delete",
        ("d",),
        "screen.delete_picked",
        mark("take it back (asks); drop what was not sent"),
        Place.PICKING,
        mark("delete"),
    ),
    Key(
        "picked-react",
        ("a",),
        "screen.react_picked",
        mark("put an emoji under it, or take it away"),
        Place.PICKING,
        mark("react"),
    ),
    Key(
        "picked-choose",
        ("enter",),
        "select_cursor",
        mark("what an answer answers; load a gap; send again"),
        Place.PICKING,
        mark("choose"),
    ),
    Key("picked-copy", ("y",), "screen.copy_picked", mark("copy the message"), Place.PICKING, mark("copy")),
    Key(
        "picked-mention", ("m",), "screen.mention_picked", mark("write to who said it"), Place.PICKING, mark("mention")
    ),
    Key(
        "picked-open",
        ("o",),
        "screen.open_picked",
        mark("see where its links lead, and open one"),
        Place.PICKING,
        mark("link"),
    ),
    Key("pick-oldest", ("home", "g"), "to_top", mark("first line that is loaded"), Place.PICKING),
    Key("pick-newest", ("end", "G"), "to_bottom", mark("newest line"), Place.PICKING),
    Key(
        "pick-leave",
        ("escape",),
        "screen.leave_picked",
        mark("back to writing, and to where you were before you went there"),
        Place.PICKING,
        mark("back"),
    ),
    Key("help-close", ("f1", "escape"), "app.help", mark("close"), Place.HELP, mark("close")),
    Key("setting-above", ("up", "k"), "move(-1)", mark("setting above"), Place.SETTINGS, first=True),
    Key("setting-below", ("down", "j"), "move(1)", mark("setting below"), Place.SETTINGS, first=True),
    Key("setting-next", ("right", "enter", "space"), "turn(1)", mark("next value"), Place.SETTINGS, first=True),
    Key("setting-previous", ("left",), "turn(-1)", mark("value before"), Place.SETTINGS, first=True),
    Key("digit-0", ("0",), "digit('0')", mark("a number, digit by digit"), Place.SETTINGS, label="0 … 9"),
    *(Key(f"digit-{n}", (f"{n}",), f"digit('{n}')", None, Place.SETTINGS) for n in range(1, 10)),
    Key("setting-erase", ("backspace",), "erase", mark("take the last digit away"), Place.SETTINGS),
    Key("setting-usual", ("delete",), "usual", mark("the usual value again"), Place.SETTINGS),
    Key("settings-close", ("escape", "q"), "close", mark("close"), Place.SETTINGS, first=True),
    Key("theme-above", ("up", "k"), "move(-1)", mark("try the theme above"), Place.THEMES, first=True),
    Key("theme-below", ("down", "j"), "move(1)", mark("try the theme below"), Place.THEMES, first=True),
    Key("theme-keep", ("enter",), "keep", mark("keep it"), Place.THEMES),
    Key("theme-back", ("escape", "q"), "close", mark("back to the theme from before"), Place.THEMES),
    Key("link-above", ("up", "k"), "move(-1)", mark("link above"), Place.LINKS, first=True),
    Key("link-below", ("down", "j"), "move(1)", mark("link below"), Place.LINKS, first=True),
    Key("link-open", ("enter", "o"), "open", mark("open it; over SSH copy it"), Place.LINKS),
    Key("link-copy", ("y",), "copy", mark("copy it"), Place.LINKS),
    Key("link-leave", ("escape", "q"), "close", mark("leave it"), Place.LINKS),
    Key("bare-up", ("pageup",), "page(1)", mark("a page up"), Place.BARE),
    Key("bare-down", ("pagedown",), "page(-1)", mark("a page down"), Place.BARE),
    Key("bare-leave", ("escape", "q", "alt+l", "enter"), "close", mark("back to the chat"), Place.BARE),
)

AT_ONCE: tuple[tuple[Place, Place], ...] = (
    *((Place.ANYWHERE, place) for place in Place if place is not Place.ANYWHERE),
    (Place.COMPOSER, Place.CHAT),
)
"""The places whose keys count at the same time; elsewhere an inner place covers the outer one."""

WRITTEN = frozenset(
    {Place.ANYWHERE, Place.FORM, Place.CHAT, Place.COMPOSER, Place.SWITCHER, Place.SEARCH, Place.SEARCHING, Place.HELP}
)
"""The places in which a letter is something to write and cannot be a key."""


STAYING = frozenset(
    {
        *("page_up", "page_down", "top", "bottom", "newline", "delete_left", "delete_right", "yank", "undo"),
        *("kill_word_left", "kill_word_right", "kill_to_start"),
        *("cursor_left", "cursor_right", "cursor_word_left", "cursor_word_right", "cursor_line_start", "line_end"),
        *("cursor_left(True)", "cursor_right(True)", "cursor_line_start(True)", "cursor_line_end(True)"),
    }
)
"""Actions of the composer that lead nowhere else: they change its text, its caret or what is in view."""


def at(place: Place) -> tuple[Key, ...]:
    """The keys of one place."""
    return tuple(key for key in ALL if key.place is place)


def bindings(place: Place) -> list[Binding]:
    """The bindings of one place, for the `BINDINGS` of what is there."""
    return [Binding(",".join(key.keys), key.action, show=False, priority=key.first, id=key.id) for key in at(place)]
