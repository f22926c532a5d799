"""Key bindings of the dialogs, part of the registry in `keys`."""

from tui_chat.session.i18n import mark
from tui_chat.ui.input.key_binding import KeyBinding, KeyScope, in_scope

DIALOG_BINDINGS: tuple[KeyBinding, ...] = (
    *in_scope(
        KeyScope.COMMAND_PALETTE,
        KeyBinding(
            "palette-above",
            ("up", "ctrl+p", "shift+tab"),
            "move(-1)",
            mark("command above"),
            mark("select"),
            priority=True,
        ),
        KeyBinding(
            "palette-below", ("down", "ctrl+n", "tab"), "move(1)", mark("command below"), mark("select"), priority=True
        ),
        KeyBinding("palette-page-up", ("pageup",), "page(-1)", mark("page up"), priority=True),
        KeyBinding("palette-page-down", ("pagedown",), "page(1)", mark("page down"), priority=True),
        KeyBinding(
            "palette-go", ("enter",), "go", mark("run the command, or insert it if it needs arguments"), mark("choose")
        ),
        KeyBinding(
            "palette-close", ("escape", "ctrl+g"), "dismiss", mark("close the palette"), mark("close"), priority=True
        ),
    ),
    *in_scope(
        KeyScope.ROOM_SWITCHER,
        KeyBinding(
            "switch-above", ("up", "ctrl+p", "shift+tab"), "move(-1)", mark("room above"), mark("select"), priority=True
        ),
        KeyBinding(
            "switch-below", ("down", "ctrl+n", "tab"), "move(1)", mark("room below"), mark("select"), priority=True
        ),
        KeyBinding("switch-go", ("enter",), "go", mark("switch to the room, or join it"), mark("switch")),
        KeyBinding(
            "switch-close",
            ("escape", "ctrl+g", "f4"),
            "dismiss",
            mark("close the switcher"),
            mark("close"),
            priority=True,
        ),
    ),
    *in_scope(
        KeyScope.MEMBER_PICKER,
        KeyBinding(
            "member-above",
            ("up", "ctrl+p", "shift+tab"),
            "move(-1)",
            mark("member above"),
            mark("select"),
            priority=True,
        ),
        KeyBinding(
            "member-below", ("down", "ctrl+n", "tab"), "move(1)", mark("member below"), mark("select"), priority=True
        ),
        KeyBinding("member-go", ("enter",), "go", mark("open the menu of the member"), mark("choose")),
        KeyBinding(
            "member-close",
            ("escape", "ctrl+g", "f6"),
            "dismiss",
            mark("close the picker"),
            mark("close"),
            priority=True,
        ),
    ),
    *in_scope(
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
    *in_scope(
        KeyScope.MESSAGE_SEARCH,
        KeyBinding(
            "search-hit-newer",
            ("up", "ctrl+p", "shift+tab"),
            "move(-1)",
            mark("newer message"),
            mark("select"),
            priority=True,
        ),
        KeyBinding(
            "search-hit-older",
            ("down", "ctrl+n", "tab"),
            "move(1)",
            mark("older message; loads more at the end"),
            mark("select"),
            priority=True,
        ),
        KeyBinding("search-hit-page-up", ("pageup",), "page(-1)", mark("page up"), priority=True),
        KeyBinding("search-hit-page-down", ("pagedown",), "page(1)", mark("page down"), priority=True),
        KeyBinding(
            "search-hit-go", ("enter",), "go", mark("jump to the message; join its room if necessary"), mark("jump")
        ),
        KeyBinding(
            "search-hit-scope",
            ("alt+s", "f5"),
            "toggle_scope",
            mark("search this room or all rooms"),
            mark("this room / all"),
            priority=True,
        ),
        KeyBinding(
            "search-hit-close", ("escape", "ctrl+g"), "dismiss", mark("close the search"), mark("close"), priority=True
        ),
    ),
    *in_scope(
        KeyScope.PASTE_DIALOG,
        KeyBinding("paste-edit", ("e",), "choose('edit')", mark("insert into the composer")),
        KeyBinding("paste-one", ("s",), "choose('one')", mark("send as one message, or as few as possible")),
        KeyBinding("paste-lines", ("l",), "choose('lines')", mark("send each line as a message")),
        KeyBinding("paste-file", ("f",), "choose('file')", mark("send as a text file")),
        KeyBinding("paste-discard", ("escape", "ctrl+g"), "dismiss", mark("discard the paste")),
    ),
    *in_scope(
        KeyScope.CONFIRM_DIALOG,
        KeyBinding("confirm-yes", ("y",), "confirm", mark("confirm")),
        KeyBinding("confirm-cancel", ("escape", "ctrl+g", "n"), "dismiss", mark("cancel")),
    ),
    *in_scope(
        KeyScope.ACCOUNT_FORM,
        KeyBinding(
            "form-next", ("tab", "down"), "app.focus_next", mark("next field"), mark("next field"), priority=True
        ),
        KeyBinding("form-previous", ("shift+tab", "up"), "app.focus_previous", mark("previous field"), priority=True),
        KeyBinding("form-close", ("escape", "ctrl+g"), "dismiss", mark("cancel"), mark("cancel"), priority=True),
    ),
    *in_scope(
        KeyScope.DEVICE_LIST,
        KeyBinding("device-above", ("up", "k"), "move(-1)", mark("device above"), priority=True),
        KeyBinding("device-below", ("down", "j"), "move(1)", mark("device below"), priority=True),
        KeyBinding(
            "device-log-out", ("enter", "d"), "log_out", mark("log out the device, after confirmation"), mark("log out")
        ),
        KeyBinding("device-close", ("escape", "q"), "dismiss", mark("close"), mark("close")),
    ),
    *in_scope(
        KeyScope.HELP,
        KeyBinding("help-close", ("escape", "f1"), "app.help", mark("close"), mark("close")),
    ),
    *in_scope(
        KeyScope.OUTPUT,
        KeyBinding("output-close", ("escape",), "dismiss", mark("close")),
    ),
    *in_scope(
        KeyScope.SETTINGS,
        KeyBinding("setting-above", ("up", "k"), "move(-1)", mark("setting above"), priority=True),
        KeyBinding("setting-below", ("down", "j"), "move(1)", mark("setting below"), priority=True),
        KeyBinding(
            "setting-previous", ("left",), "cycle_value(-1)", mark("previous value"), mark("change"), priority=True
        ),
        KeyBinding(
            "setting-next",
            ("right", "enter", "space"),
            "cycle_value(1)",
            mark("next value"),
            mark("change"),
            priority=True,
        ),
        KeyBinding("digit-0", ("0",), "append_digit('0')", mark("enter a number"), label="0 … 9"),
        *(KeyBinding(f"digit-{n}", (f"{n}",), f"append_digit('{n}')", None) for n in range(1, 10)),
        KeyBinding("setting-erase", ("backspace",), "erase_digit", mark("delete the last digit")),
        KeyBinding("setting-default", ("delete",), "reset_value", mark("reset to the default value"), mark("default")),
        KeyBinding("settings-close", ("escape", "q"), "dismiss", mark("close"), mark("close"), priority=True),
    ),
    *in_scope(
        KeyScope.THEME_LIST,
        KeyBinding(
            "theme-above", ("up", "k"), "move(-1)", mark("preview the theme above"), mark("preview"), priority=True
        ),
        KeyBinding(
            "theme-below", ("down", "j"), "move(1)", mark("preview the theme below"), mark("preview"), priority=True
        ),
        KeyBinding("theme-apply", ("enter",), "apply", mark("apply the theme"), mark("apply")),
        KeyBinding("theme-cancel", ("escape", "q"), "dismiss", mark("restore the previous theme"), mark("cancel")),
    ),
    *in_scope(
        KeyScope.LINK_DIALOG,
        KeyBinding("link-above", ("up", "k"), "move(-1)", mark("row above"), priority=True),
        KeyBinding("link-below", ("down", "j"), "move(1)", mark("row below"), priority=True),
        KeyBinding(
            "link-open", ("enter", "o"), "open", mark("open the file or link; over SSH, copy the link"), mark("open")
        ),
        KeyBinding("link-copy", ("y",), "copy", mark("copy the link or caption"), mark("copy")),
        KeyBinding("link-cancel", ("escape", "q"), "dismiss", mark("cancel"), mark("cancel")),
    ),
    *in_scope(
        KeyScope.COPY_MODE,
        KeyBinding("copy-mode-page-up", ("pageup",), "page(1)", mark("page up")),
        KeyBinding("copy-mode-page-down", ("pagedown",), "page(-1)", mark("page down")),
        KeyBinding("copy-mode-close", ("escape", "q", "alt+l", "enter"), "dismiss", mark("close copy mode")),
    ),
)
"""Bindings by scope, in the order of the help screen."""
