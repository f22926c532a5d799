"""Generator of docs/keys.md from the registries of keys and commands.

Usage: `python -m tui_chat.ui.input.keys_doc > docs/keys.md`
"""

from tui_chat.session.commands import registry
from tui_chat.session.i18n import tr
from tui_chat.ui.input.key_scopes import KeyScope
from tui_chat.ui.input.keymap import Keymap

_HEADER = """\
# Keys and commands

Generated from `tui_chat/ui/input/keys.py` and `tui_chat/session/commands/registry.py` by
`make docs`.

F1 opens a searchable list of keys and commands in the app. To rebind an action, add its name to the `[keys]` table of
the settings file with one key, a list of keys, or an empty string:

```toml
[keys]
next-room = "ctrl+down"
palette = ["f6", "ctrl+backslash"]
suspend = ""
```

To use a key of another action, unbind that action first: `select-message = ""` frees `Ctrl+S`. Invalid entries are
reported at startup, and the default key remains bound.
"""


def render_markdown() -> str:
    """Return the reference page in Markdown."""
    lines = [_HEADER]
    default_keymap = Keymap()
    for scope in KeyScope:
        lines += [f"## {tr(scope.value)}", "", "| Key | Action | Name |", "|---|---|---|"]
        for key_labels, binding in default_keymap.list_bindings(scope):
            keys_cell = ", ".join(f"`{label}`" for label in key_labels)
            lines.append(f"| {keys_cell} | {tr(binding.help) if binding.help else ''} | `{binding.id}` |")
        lines.append("")
    lines += ["## Commands", "", "| Command | Action | Aliases |", "|---|---|---|"]
    for command in registry.COMMANDS:
        aliases = ", ".join(f"`/{alias}`" for alias in command.aliases)
        usage = command.usage.replace("|", "\\|")
        lines.append(f"| `{usage}` | {tr(command.help)} | {aliases} |")
    lines += [
        "",
        "Command names are case-insensitive. `//x` sends the text `/x`. Unknown commands are not sent.",
    ]
    return "\n".join(lines) + "\n"
