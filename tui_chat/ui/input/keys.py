"""Registry of all key bindings, the source of the Textual bindings, the footer, the help screen and docs/keys.md.

- Completeness: every action key is in this registry.
- Uniqueness: a key is bound at most once within overlapping scopes (`OVERLAPPING_SCOPES`).
- Stable ids: settings override the keys of a binding by id (`keymap`). Ids are part of users' settings files and never
  change.
"""

from collections.abc import Iterator
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace
from textual.binding import Binding

from tui_chat.session.i18n import Translatable, mark


class KeyScope(Enum):
    """Context in which a binding is active. The value is the heading on the help screen."""

    GLOBAL = mark("Anywhere")
    JOIN_FORM = mark("Join form")
    CHAT = mark("Rooms and messages")
    COMPOSER = mark("Composer")
    ROOM_SWITCHER = mark("Room switcher (F4)")
    MEMBER_PICKER = mark("Member picker (F6)")
    MEMBER_MENU = mark("Member menu")
    MESSAGE_SEARCH = mark("Message search (Alt+S)")
    PASTE_DIALOG = mark("Long paste")
    CONFIRM_DIALOG = mark("Question before a deletion")
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


OVERLAPPING_SCOPES: tuple[tuple[KeyScope, KeyScope], ...] = (
    *((KeyScope.GLOBAL, scope) for scope in KeyScope if scope is not KeyScope.GLOBAL),
    (KeyScope.COMPOSER, KeyScope.CHAT),
)
"""Pairs of scopes that are active together. In all other pairs the inner scope hides the outer one."""

TEXT_SCOPES = frozenset(
    {
        KeyScope.GLOBAL,
        KeyScope.JOIN_FORM,
        KeyScope.ACCOUNT_FORM,
        KeyScope.CHAT,
        KeyScope.COMPOSER,
        KeyScope.ROOM_SWITCHER,
        KeyScope.MEMBER_PICKER,
        KeyScope.MESSAGE_SEARCH,
        KeyScope.HISTORY_SEARCH,
        KeyScope.HELP,
    }
)
"""Scopes with text input, in which a printable key cannot be bound."""


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


def _in_scope(scope: KeyScope, *bindings: KeyBinding) -> Iterator[KeyBinding]:
    return (replace(binding, scope=scope) for binding in bindings)


ALL_BINDINGS: tuple[KeyBinding, ...] = (
    *_in_scope(
        KeyScope.GLOBAL,
        KeyBinding("help", ("f1",), "app.help", mark("open or close the help"), mark("help"), priority=True),
        KeyBinding("palette", ("ctrl+backslash",), "app.command_palette", mark("command palette"), priority=True),
        KeyBinding("quit", ("ctrl+q",), "app.quit_when_sent", mark("quit"), mark("quit"), priority=True),
        KeyBinding("redraw", ("ctrl+l",), "app.redraw", mark("redraw the screen"), priority=True),
        KeyBinding("suspend", ("ctrl+z",), "app.suspend_process", mark("suspend; `fg` resumes"), priority=True),
        KeyBinding("toggle-mouse", ("alt+m",), "app.toggle_mouse", mark("turn mouse support on or off"), priority=True),
        KeyBinding("settings", ("f9",), "app.settings", mark("open the settings"), priority=True),
        KeyBinding(
            "interrupt",
            ("ctrl+c",),
            "app.interrupt",
            mark("copy the selection, or clear the line; press twice to quit"),
            priority=True,
        ),
    ),
    *_in_scope(
        KeyScope.JOIN_FORM,
        KeyBinding("join", ("enter",), "submit", mark("next empty field, or join"), mark("join")),
        KeyBinding(
            "next-field", ("tab", "down"), "app.focus_next", mark("next field"), mark("next field"), priority=True
        ),
        KeyBinding("previous-field", ("shift+tab", "up"), "app.focus_previous", mark("previous field"), priority=True),
        KeyBinding("cancel-connecting", ("escape",), "cancel", mark("cancel connecting")),
    ),
    *_in_scope(
        KeyScope.CHAT,
        KeyBinding("next-room", ("alt+right", "ctrl+n"), "step_room(1)", mark("next room"), mark("rooms")),
        KeyBinding("previous-room", ("alt+left", "ctrl+p"), "step_room(-1)", mark("previous room")),
        KeyBinding("room-1", ("alt+1",), "show_room_number(1)", mark("room with this number"), label="Alt+1 … Alt+9"),
        *(KeyBinding(f"room-{n}", (f"alt+{n}",), f"show_room_number({n})", None) for n in range(2, 10)),
        KeyBinding("next-activity", ("alt+a",), "next_unread", mark("next unread room, mentions first")),
        KeyBinding("switch", ("f4",), "switch_room", mark("switch to a room by part of its name"), priority=True),
        KeyBinding("search", ("alt+s", "f5"), "search", mark("search messages"), mark("search"), priority=True),
        KeyBinding("page-up", ("pageup",), "page_up", mark("scroll up"), mark("scroll")),
        KeyBinding("page-down", ("pagedown",), "page_down", mark("scroll down")),
        KeyBinding("oldest", ("alt+home",), "top", mark("oldest loaded message")),
        KeyBinding(
            "back",
            ("escape",),
            "escape",
            mark("cancel the reply or edit, return from a jump, or go to the newest message"),
        ),
        KeyBinding("newest", ("alt+end",), "bottom", mark("newest message (also End at the end of a line)")),
        KeyBinding("first-unread", ("alt+u",), "first_unread", mark("first unread message")),
        KeyBinding(
            "select-message",
            ("ctrl+s",),
            "select_message",
            mark("select a message: reply, edit, react, copy; load missing messages"),
        ),
        KeyBinding(
            "copy-mode", ("alt+l",), "copy_mode", mark("copy mode: messages only, for the terminal's own selection")
        ),
        KeyBinding("toggle-rooms", ("f2",), "toggle_rooms", mark("show or hide the room list")),
        KeyBinding("toggle-members", ("f3",), "toggle_members", mark("show or hide the member list")),
        KeyBinding(
            "choose-member",
            ("f6",),
            "choose_member",
            mark("choose a member: direct message, details, block, moderation"),
            priority=True,
        ),
    ),
    *_in_scope(
        KeyScope.COMPOSER,
        KeyBinding("send", ("enter",), "submit", mark("send"), mark("send")),
        KeyBinding("new-line", ("alt+enter", "ctrl+j", "shift+enter"), "newline", mark("new line"), mark("new line")),
        KeyBinding("complete", ("tab",), "complete(1)", mark("complete a nickname, /command, #room or :emoji")),
        KeyBinding("complete-back", ("shift+tab",), "complete(-1)", mark("previous completion")),
        KeyBinding("line-up", ("up",), "up", mark("line above; on the first line, edit or resend sent messages")),
        KeyBinding("line-down", ("down",), "down", mark("line below; on the last line, newer sent messages")),
        KeyBinding("search-sent", ("ctrl+r",), "search_history", mark("search the messages you sent here")),
        KeyBinding("cursor-left", ("left", "ctrl+b"), "cursor_left", mark("one character left")),
        KeyBinding("cursor-right", ("right", "ctrl+f"), "cursor_right", mark("one character right")),
        KeyBinding("word-left", ("alt+b", "ctrl+left"), "cursor_word_left", mark("one word left")),
        KeyBinding("word-right", ("alt+f", "ctrl+right"), "cursor_word_right", mark("one word right")),
        KeyBinding("line-start", ("home", "ctrl+a"), "cursor_line_start", mark("start of the line")),
        KeyBinding("line-end", ("end", "ctrl+e"), "line_end", mark("end of the line")),
        KeyBinding("select-left", ("shift+left",), "cursor_left(True)", mark("select to the left")),
        KeyBinding("select-right", ("shift+right",), "cursor_right(True)", mark("select to the right")),
        KeyBinding(
            "select-line-start", ("shift+home",), "cursor_line_start(True)", mark("select to the start of the line")
        ),
        KeyBinding("select-line-end", ("shift+end",), "cursor_line_end(True)", mark("select to the end of the line")),
        KeyBinding("delete-left", ("backspace", "ctrl+h"), "delete_left", mark("delete the previous character")),
        KeyBinding("delete-right", ("delete", "ctrl+d"), "delete_right", mark("delete the next character")),
        KeyBinding("cut-word-left", ("ctrl+w",), "kill_word_left", mark("cut the previous word")),
        KeyBinding("cut-word-right", ("alt+d",), "kill_word_right", mark("cut the next word")),
        KeyBinding("cut-to-start", ("ctrl+u",), "kill_to_start", mark("cut to the start of the line")),
        KeyBinding(
            "cut-to-end",
            ("ctrl+k",),
            "kill_to_end",
            mark("cut to the end of the line; at the end of the text, switch rooms"),
        ),
        KeyBinding("yank", ("ctrl+y",), "yank", mark("insert the text cut with Ctrl+W, Alt+D, Ctrl+U or Ctrl+K")),
        KeyBinding("cut", ("ctrl+x",), "cut", mark("cut the selection")),
        KeyBinding("paste", ("ctrl+v",), "paste", mark("paste the text copied in chat-tui")),
        KeyBinding("undo", ("ctrl+underscore",), "undo", mark("undo")),
    ),
    *_in_scope(
        KeyScope.ROOM_SWITCHER,
        KeyBinding("switch-above", ("up", "ctrl+p", "shift+tab"), "move(-1)", mark("room above"), priority=True),
        KeyBinding("switch-below", ("down", "ctrl+n", "tab"), "move(1)", mark("room below"), priority=True),
        KeyBinding("switch-go", ("enter",), "go", mark("switch to the room, or join it")),
        KeyBinding("switch-close", ("escape", "ctrl+g", "f4"), "dismiss", mark("close the switcher"), priority=True),
    ),
    *_in_scope(
        KeyScope.MEMBER_PICKER,
        KeyBinding("member-above", ("up", "ctrl+p", "shift+tab"), "move(-1)", mark("member above"), priority=True),
        KeyBinding("member-below", ("down", "ctrl+n", "tab"), "move(1)", mark("member below"), priority=True),
        KeyBinding("member-go", ("enter",), "go", mark("open the menu of the member")),
        KeyBinding("member-close", ("escape", "ctrl+g", "f6"), "dismiss", mark("close the picker"), priority=True),
    ),
    *_in_scope(
        KeyScope.MEMBER_MENU,
        KeyBinding("member-message", ("m",), "choose('query')", mark("send a direct message")),
        KeyBinding("member-details", ("w",), "choose('whois')", mark("show details")),
        KeyBinding("member-block", ("b",), "choose('block')", mark("block or unblock the member")),
        KeyBinding("member-silence", ("s",), "choose('silence')", mark("silence, after entering the details")),
        KeyBinding("member-kick", ("r",), "choose('kick')", mark("remove, after entering the details")),
        KeyBinding("member-ban", ("x",), "choose('ban')", mark("ban, after entering the details")),
        KeyBinding("member-appoint", ("o",), "choose('op')", mark("make moderator, after Enter")),
        KeyBinding("member-menu-close", ("escape", "ctrl+g", "q"), "dismiss", mark("close the menu")),
    ),
    *_in_scope(
        KeyScope.MESSAGE_SEARCH,
        KeyBinding("search-hit-newer", ("up", "ctrl+p", "shift+tab"), "move(-1)", mark("newer message"), priority=True),
        KeyBinding(
            "search-hit-older",
            ("down", "ctrl+n", "tab"),
            "move(1)",
            mark("older message; loads more at the end"),
            priority=True,
        ),
        KeyBinding("search-hit-page-up", ("pageup",), "page(-1)", mark("page up"), priority=True),
        KeyBinding("search-hit-page-down", ("pagedown",), "page(1)", mark("page down"), priority=True),
        KeyBinding("search-hit-go", ("enter",), "go", mark("jump to the message; join its room if necessary")),
        KeyBinding(
            "search-hit-scope", ("alt+s", "f5"), "toggle_scope", mark("search this room or all rooms"), priority=True
        ),
        KeyBinding("search-hit-close", ("escape", "ctrl+g"), "dismiss", mark("close the search"), priority=True),
    ),
    *_in_scope(
        KeyScope.PASTE_DIALOG,
        KeyBinding("paste-edit", ("e",), "choose('edit')", mark("insert into the composer"), mark("edit")),
        KeyBinding(
            "paste-one", ("s",), "choose('one')", mark("send as one message, or as few as possible"), mark("send")
        ),
        KeyBinding("paste-lines", ("l",), "choose('lines')", mark("send each line as a message"), mark("lines")),
        KeyBinding("paste-file", ("f",), "choose('file')", mark("send as a text file"), mark("file")),
        KeyBinding("paste-discard", ("escape", "ctrl+g"), "dismiss", mark("discard the paste"), mark("discard")),
    ),
    *_in_scope(
        KeyScope.CONFIRM_DIALOG,
        KeyBinding("confirm-yes", ("y",), "confirm", mark("confirm"), mark("confirm")),
        KeyBinding("confirm-cancel", ("escape", "ctrl+g", "n"), "dismiss", mark("cancel"), mark("cancel")),
    ),
    *_in_scope(
        KeyScope.ACCOUNT_FORM,
        KeyBinding(
            "form-next", ("tab", "down"), "app.focus_next", mark("next field"), mark("next field"), priority=True
        ),
        KeyBinding("form-previous", ("shift+tab", "up"), "app.focus_previous", mark("previous field"), priority=True),
        KeyBinding("form-close", ("escape", "ctrl+g"), "dismiss", mark("cancel"), mark("cancel"), priority=True),
    ),
    *_in_scope(
        KeyScope.DEVICE_LIST,
        KeyBinding("device-above", ("up", "k"), "move(-1)", mark("device above"), priority=True),
        KeyBinding("device-below", ("down", "j"), "move(1)", mark("device below"), priority=True),
        KeyBinding("device-log-out", ("enter", "d"), "log_out", mark("log out the device, after a question")),
        KeyBinding("device-close", ("escape", "q"), "dismiss", mark("close")),
    ),
    *_in_scope(
        KeyScope.HISTORY_SEARCH,
        KeyBinding("search-older", ("ctrl+r", "up"), "search_older", mark("older match"), mark("older")),
        KeyBinding("search-newer", ("ctrl+s", "down"), "search_newer", mark("newer match")),
        KeyBinding("search-erase", ("backspace", "ctrl+h"), "search_erase", mark("delete the last character")),
        KeyBinding("search-accept", ("enter",), "search_accept", mark("insert into the composer"), mark("accept")),
        KeyBinding("search-cancel", ("escape", "ctrl+g"), "search_cancel", mark("cancel the search"), mark("back")),
    ),
    *_in_scope(
        KeyScope.MESSAGE_CURSOR,
        KeyBinding("message-above", ("up", "k"), "cursor_up", mark("message above")),
        KeyBinding("message-below", ("down", "j"), "cursor_down", mark("message below")),
        KeyBinding(
            "message-reply", ("r",), "screen.reply_to_selected", mark("reply; retry an unsent message"), mark("reply")
        ),
        KeyBinding(
            "message-edit", ("e",), "screen.edit_selected", mark("edit your message, or an unsent one"), mark("edit")
        ),
        KeyBinding(
            "message-delete",
            ("d",),
            "screen.delete_selected",
            mark("delete after a question; discard an unsent message"),
            mark("delete"),
        ),
        KeyBinding(
            "message-react", ("a",), "screen.react_to_selected", mark("add or remove a reaction"), mark("react")
        ),
        KeyBinding(
            "message-open-target",
            ("enter",),
            "select_cursor",
            mark("go to the replied-to message; load missing messages; retry"),
            mark("open"),
        ),
        KeyBinding("message-undo", ("u",), "screen.undo_selected_deletion", mark("undo the deletion")),
        KeyBinding("message-copy", ("y",), "screen.copy_selected", mark("copy the message"), mark("copy")),
        KeyBinding("message-mention", ("m",), "screen.mention_selected", mark("mention the author"), mark("mention")),
        KeyBinding("message-save", ("s",), "screen.save_selected_files", mark("save the files of the message")),
        KeyBinding(
            "message-open-link", ("o",), "screen.open_selected_links", mark("open links and files"), mark("link")
        ),
        KeyBinding("message-mark-unread", ("U",), "screen.mark_selected_unread", mark("mark as unread from here")),
        KeyBinding("message-oldest", ("home", "g"), "to_top", mark("oldest loaded message")),
        KeyBinding("message-newest", ("end", "G"), "to_bottom", mark("newest message")),
        KeyBinding(
            "message-leave",
            ("escape",),
            "screen.leave_message_cursor",
            mark("return to the composer and the previous position"),
            mark("back"),
        ),
    ),
    *_in_scope(
        KeyScope.HELP,
        KeyBinding("help-close", ("f1", "escape"), "app.help", mark("close"), mark("close")),
    ),
    *_in_scope(
        KeyScope.OUTPUT,
        KeyBinding("output-close", ("escape",), "dismiss", mark("close"), mark("close")),
    ),
    *_in_scope(
        KeyScope.SETTINGS,
        KeyBinding("setting-above", ("up", "k"), "move(-1)", mark("setting above"), priority=True),
        KeyBinding("setting-below", ("down", "j"), "move(1)", mark("setting below"), priority=True),
        KeyBinding("setting-next", ("right", "enter", "space"), "cycle_value(1)", mark("next value"), priority=True),
        KeyBinding("setting-previous", ("left",), "cycle_value(-1)", mark("previous value"), priority=True),
        KeyBinding("digit-0", ("0",), "append_digit('0')", mark("enter a number"), label="0 … 9"),
        *(KeyBinding(f"digit-{n}", (f"{n}",), f"append_digit('{n}')", None) for n in range(1, 10)),
        KeyBinding("setting-erase", ("backspace",), "erase_digit", mark("delete the last digit")),
        KeyBinding("setting-default", ("delete",), "reset_value", mark("reset to the default value")),
        KeyBinding("settings-close", ("escape", "q"), "dismiss", mark("close"), priority=True),
    ),
    *_in_scope(
        KeyScope.THEME_LIST,
        KeyBinding("theme-above", ("up", "k"), "move(-1)", mark("preview the theme above"), priority=True),
        KeyBinding("theme-below", ("down", "j"), "move(1)", mark("preview the theme below"), priority=True),
        KeyBinding("theme-apply", ("enter",), "apply", mark("apply the theme")),
        KeyBinding("theme-cancel", ("escape", "q"), "dismiss", mark("restore the previous theme")),
    ),
    *_in_scope(
        KeyScope.LINK_DIALOG,
        KeyBinding("link-above", ("up", "k"), "move(-1)", mark("row above"), priority=True),
        KeyBinding("link-below", ("down", "j"), "move(1)", mark("row below"), priority=True),
        KeyBinding("link-open", ("enter", "o"), "open", mark("open the file or link; over SSH, copy the link")),
        KeyBinding("link-copy", ("y",), "copy", mark("copy the link or caption")),
        KeyBinding("link-cancel", ("escape", "q"), "dismiss", mark("cancel")),
    ),
    *_in_scope(
        KeyScope.COPY_MODE,
        KeyBinding("copy-mode-page-up", ("pageup",), "page(1)", mark("page up")),
        KeyBinding("copy-mode-page-down", ("pagedown",), "page(-1)", mark("page down")),
        KeyBinding("copy-mode-close", ("escape", "q", "alt+l", "enter"), "dismiss", mark("close copy mode")),
    ),
)

LOCAL_ACTIONS = frozenset(
    {
        *("page_up", "page_down", "top", "bottom", "newline", "delete_left", "delete_right", "yank", "undo"),
        *("kill_word_left", "kill_word_right", "kill_to_start"),
        *("cursor_left", "cursor_right", "cursor_word_left", "cursor_word_right", "cursor_line_start", "line_end"),
        *("cursor_left(True)", "cursor_right(True)", "cursor_line_start(True)", "cursor_line_end(True)"),
    }
)
"""Composer and chat actions that affect only text, cursor or scroll position, so that later keys need not wait."""


def bindings_in(scope: KeyScope) -> tuple[KeyBinding, ...]:
    """Return the bindings of a scope, in the order of the help screen."""
    return tuple(binding for binding in ALL_BINDINGS if binding.scope is scope)


def textual_bindings(scope: KeyScope) -> list[Binding]:
    """Return the default bindings of a scope in the format of Textual's `BINDINGS`."""
    return [
        Binding(",".join(binding.keys), binding.action, show=False, priority=binding.priority, id=binding.id)
        for binding in bindings_in(scope)
    ]
