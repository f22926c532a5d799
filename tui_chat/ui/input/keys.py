"""Registry of all key bindings, the source of the Textual bindings, the footer, the help screen and docs/keys.md.

- Completeness: every action key is in this registry.
- Uniqueness: a key is bound at most once within overlapping scopes (`OVERLAPPING_SCOPES`).
- Stable ids: settings override the keys of a binding by id (`keymap`). Ids are part of users' settings files and never
  change.
"""

from textual.binding import Binding

from tui_chat.session.i18n import mark
from tui_chat.ui.input.dialog_keys import DIALOG_BINDINGS
from tui_chat.ui.input.key_binding import KeyBinding, KeyScope, in_scope

OVERLAPPING_SCOPES: tuple[tuple[KeyScope, KeyScope], ...] = (
    *((KeyScope.GLOBAL, scope) for scope in KeyScope if scope is not KeyScope.GLOBAL),
    (KeyScope.COMPOSER, KeyScope.CHAT),
)
"""Pairs of scopes that are active at the same time."""

TEXT_SCOPES = frozenset(
    {
        KeyScope.GLOBAL,
        KeyScope.JOIN_FORM,
        KeyScope.ACCOUNT_FORM,
        KeyScope.CHAT,
        KeyScope.COMPOSER,
        KeyScope.COMMAND_PALETTE,
        KeyScope.ROOM_SWITCHER,
        KeyScope.MEMBER_PICKER,
        KeyScope.MESSAGE_SEARCH,
        KeyScope.HISTORY_SEARCH,
        KeyScope.HELP,
    }
)
"""Scopes with text input, in which a printable key cannot be bound."""

ALL_BINDINGS: tuple[KeyBinding, ...] = (
    *in_scope(
        KeyScope.GLOBAL,
        KeyBinding("help", ("f1",), "app.help", mark("open or close the help"), mark("help"), priority=True),
        KeyBinding(
            "palette",
            ("ctrl+backslash",),
            "app.command_palette",
            mark("open or close the command palette"),
            priority=True,
        ),
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
    *in_scope(
        KeyScope.JOIN_FORM,
        KeyBinding("join", ("enter",), "submit", mark("next empty field, or join"), mark("join")),
        KeyBinding(
            "next-field", ("tab", "down"), "app.focus_next", mark("next field"), mark("next field"), priority=True
        ),
        KeyBinding("previous-field", ("shift+tab", "up"), "app.focus_previous", mark("previous field"), priority=True),
        KeyBinding("cancel-connecting", ("escape",), "cancel", mark("cancel connecting")),
    ),
    *in_scope(
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
    *in_scope(
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
    *in_scope(
        KeyScope.HISTORY_SEARCH,
        KeyBinding("search-older", ("ctrl+r", "up"), "search_older", mark("older match"), mark("older")),
        KeyBinding("search-newer", ("ctrl+s", "down"), "search_newer", mark("newer match")),
        KeyBinding("search-erase", ("backspace", "ctrl+h"), "search_erase", mark("delete the last character")),
        KeyBinding("search-accept", ("enter",), "search_accept", mark("insert into the composer"), mark("accept")),
        KeyBinding("search-cancel", ("escape", "ctrl+g"), "search_cancel", mark("cancel the search"), mark("back")),
    ),
    *in_scope(
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
            mark("delete after confirmation; discard an unsent message"),
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
    *DIALOG_BINDINGS,
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
