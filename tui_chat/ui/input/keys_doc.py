"""The text of docs/keys.md, from the two registries: `python -m tui_chat.ui.input.keys_doc > docs/keys.md`."""

import sys

from tui_chat.session.commands import registry
from tui_chat.session.i18n import tr
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope

_HEADER = """\
# Keys and commands

Made from `tui_chat/ui/input/keys.py` and `tui_chat/session/commands/registry.py` by `python -m tui_chat.ui.input.keys_doc`.

F1 shows both in the chat, and searches them. Every key can be another: the settings file has a table `[keys]`, in
which the name at the right gets one key, several, or none.

```toml
[keys]
next-room = "ctrl+down"
palette = ["f6", "ctrl+backslash"]
suspend = ""
```

A key that is taken is freed first (`pick = ""`); what cannot be is said at the start, and the usual key stays.
"""


def render_markdown() -> str:
    """The page."""
    lines = [_HEADER]
    default_keymap = Keymap()
    for scope in KeyScope:
        lines += [f"## {tr(scope.value)}", "", "| key | what it does | name |", "|---|---|---|"]
        for names, key in default_keymap.list_bindings(scope):
            keys_cell = ", ".join(f"`{name}`" for name in names)
            lines.append(f"| {keys_cell} | {tr(key.help) if key.help else ''} | `{key.id}` |")
        lines.append("")
    lines += ["## Commands", "", "| command | what it does | other names |", "|---|---|---|"]
    for command in registry.COMMANDS:
        aliases = ", ".join(f"`/{alias}`" for alias in command.aliases)
        usage = command.usage.replace("|", "\\|")
        lines.append(f"| `{usage}` | {tr(command.help)} | {aliases} |")
    lines += [
        "",
        "Upper and lower case are the same. `//x` says `/x`; what looks like a command and is none is not sent.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_markdown())
