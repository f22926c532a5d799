"""Entries of the command palette, one per slash command, and their search."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tui_chat.session import fuzzy_match
from tui_chat.session.commands import registry
from tui_chat.session.commands.registry import Command
from tui_chat.session.i18n import tr

_APP_ACTIONS = {
    "help": "app.help",
    "settings": "app.settings",
    "theme": "app.choose_theme",
    "quit": "app.quit_when_sent",
}


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """Entry of the command palette.

    Attributes:
        command: Listed command.
        run: Function of the entry.
        matched_indices: Indices of the matched characters in the usage of the command.
    """

    command: Command
    run: Callable[[], Awaitable[object] | None]
    matched_indices: tuple[int, ...] = ()


def room_entries(run: Callable[[str], None], insert: Callable[[str], None]) -> list[PaletteEntry]:
    """Return the entries of the chat screen: all slash commands.

    Args:
        run: Runs a command without required arguments.
        insert: Inserts a command with required arguments into the composer.
    """
    return [
        PaletteEntry(
            command, partial(insert, f"/{command.name} ") if command.min_arguments else partial(run, f"/{command.name}")
        )
        for command in registry.COMMANDS
    ]


def app_entries(run_action: Callable[[str], Awaitable[object]]) -> list[PaletteEntry]:
    """Return the entries of the other screens: `/theme`, `/settings`, `/help` and `/quit`, in registry order.

    Args:
        run_action: Runs a Textual action.
    """
    return [
        PaletteEntry(command, partial(run_action, _APP_ACTIONS[command.name]))
        for command in registry.COMMANDS
        if command.name in _APP_ACTIONS
    ]


def find_entries(text: str, entries: Sequence[PaletteEntry]) -> list[PaletteEntry]:
    """Return the entries that match a query, best first, with their `matched_indices`.

    The name of a command with its `/` matches as of `fuzzy_match`. Commands with the query as a part of an alias or of
    the translated description follow, in any case and without `matched_indices`. Equal matches keep the order.

    Args:
        text: Typed query; a blank query matches every entry.
        entries: Entries in display order.
    """
    query, phrase = fuzzy_match.query_letters(text), text.strip().casefold()
    scored: list[tuple[int, PaletteEntry]] = []
    for entry in entries:
        command = entry.command
        score, matched = fuzzy_match.match(query, f"/{command.name}")
        if matched is not None:
            scored.append((score, PaletteEntry(command, entry.run, matched)))
        elif any(phrase in description.casefold() for description in (tr(command.help), *command.aliases)):
            scored.append((-1, PaletteEntry(command, entry.run)))
    return [entry for _, entry in sorted(scored, key=lambda item: -item[0])]
