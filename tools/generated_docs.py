"""Generated parts of the documents: `make docs`.

- `docs/keys.md`: the complete page.
- `docs/settings.md` and `docs/operating.md`: the table of settings; the text around the table is written by hand.
- `docs/moderation.md`: the table of permissions.
"""

from collections.abc import Iterable
from pathlib import Path

from server import settings as server_settings
from server.domain.permissions import RULES, Action, Policy, Role, Rule, Standing, is_permitted
from tui_chat.session.commands import registry
from tui_chat.session.i18n import tr
from tui_chat.session.settings import schema as client_settings
from tui_chat.ui.input.keymap import Keymap
from tui_chat.ui.input.keys import KeyScope

DOCUMENTS = Path(__file__).parents[1] / "docs"
KEYS_HEADER = """\
# Keys and commands

Generated from `tui_chat/ui/input/keys.py` and `tui_chat/session/commands/registry.py` by
`make docs`.

F1 opens a searchable list of keys and commands in the app. To rebind an action, add its name to the `[keys]` table of
the settings file with one key, a list of keys, or an empty string:

```toml
[keys]
next-room = "ctrl+down"
palette = ["f7", "ctrl+backslash"]
suspend = ""
```

To use a key of another action, unbind that action first: `select-message = ""` frees `Ctrl+S`. Invalid entries are
reported at startup, and the default key remains bound.

Letters act on a message only during a message selection, which starts with its own key (`Ctrl+S`). A jump by search,
date or reply only highlights its target, and the same rule applies to the browser page. During a selection, a printable
key without a binding ends the selection and is typed into the composer. A deletion asks first, with Cancel as the
initial choice: `y` confirms. For 5 seconds, `/undo`, `u` in the selection or a click on the line restores the message.
Quitting sends a delayed deletion at once, and offline deletions are sent after the reconnect.
"""


def keys_page() -> str:
    """Return docs/keys.md from the registries of keys and commands."""
    lines = [KEYS_HEADER]
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


def permissions_table() -> str:
    """Return the table of permissions in docs/moderation.md, for a public room with an owner and the default policy."""
    roles = {role: Standing(role=role, is_member=role is not Role.GUEST) for role in Role}
    header = ("action", "guest", "member", "moderator", "owner", "administrator", "policies", "while silenced")
    rows: list[tuple[str, ...]] = []
    for action, rule in RULES.items():
        policies = ", ".join(
            f"`{name}`" for name in (*rule.policy_fields, *(["guestPost"] if rule.needs_guest_post else []))
        )
        cells = (_permission_cell(action, rule, standing) for standing in roles.values())
        rows.append((action.value, *cells, policies, "no" if rule.blocked_by_mute else "yes"))
    separator = "|---" * len(header) + "|"
    return "\n".join((_join_cells(header), separator, *map(_join_cells, rows))) + "\n"


def _join_cells(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _permission_cell(action: Action, rule: Rule, standing: Standing) -> str:
    """Return the cell of a role: “no”, “yes”, or “lower roles” for an action on persons of lower role."""
    if not is_permitted(action, Policy(owned=True), standing, Standing()):
        return "no"
    return "lower roles" if rule.needs_lower_target else "yes"


def replace_table(document: str, table: str) -> str:
    """Return a document with `table` in place of the first table that has the same header row.

    Raises:
        ValueError: The document contains no such header row.
    """
    lines = document.splitlines()
    first = lines.index(table.splitlines()[0])
    end = next((index for index in range(first, len(lines)) if not lines[index].startswith("|")), len(lines))
    return "\n".join([*lines[:first], *table.splitlines(), *lines[end:]]) + "\n"


def main() -> None:
    """Write the generated parts into the documents.

    Raises:
        ValueError: A document lacks the header row of its table.
    """
    (DOCUMENTS / "keys.md").write_text(keys_page(), encoding="utf-8")
    for name, table in (
        ("settings.md", client_settings.render_markdown()),
        ("operating.md", server_settings.render_markdown()),
        ("moderation.md", permissions_table()),
    ):
        path = DOCUMENTS / name
        path.write_text(replace_table(path.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
