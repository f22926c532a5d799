"""What `/set`, `/theme` and `/notify` do."""

from typing import TYPE_CHECKING

from server.protocol import names
from tui_chat.session import people_words, setting_words, settings, words
from tui_chat.session.language import tr
from tui_chat.session.room_view import RoomView
from tui_chat.session.settings import Field
from tui_chat.ui.settings_app import settings_app

if TYPE_CHECKING:
    from tui_chat.ui.screens.chat import ChatScreen

USUAL = "default"
"""The word that takes a setting back to its usual value."""


def set_setting(arguments: tuple[str, ...], screen: "ChatScreen") -> str:
    """Say all settings, say one, or set one; why not, empty when that was done."""
    held = settings_app(screen).settings
    if not arguments:
        screen.session.say("\n".join(_said(field, getattr(held, field.name)) for field in settings.fields().values()))
        return ""
    name = arguments[0].casefold()
    field = settings.fields().get(name)
    if field is None:
        return setting_words.no_such_setting(arguments[0])
    if len(arguments) == 1:
        screen.session.say(
            f"{_said(field, getattr(held, name))}\n{field.help}\n{setting_words.setting_can_be(field.expected)}"
        )
        return ""
    try:
        value = None if arguments[1] == USUAL else settings.parse(name, arguments[1])
    except ValueError as refused:
        return str(refused)
    screen.set_setting(name, value)
    return ""


def set_theme(word: str, screen: "ChatScreen") -> str:
    """Take a theme, or let one be chosen; why not, empty when that was done."""
    if not word:
        settings_app(screen).action_themes()
        return ""
    try:
        screen.set_setting("theme", settings.parse("theme", word))
    except ValueError as refused:
        return str(refused)
    return ""


def set_level(word: str, screen: "ChatScreen") -> str:
    """Say, or set, of what in the shown room one is notified; why not, empty when that was done."""
    room = screen.session.current
    if room is None:
        return tr(words.NOT_IN_A_ROOM)
    held = settings_app(screen).settings
    if not word:
        screen.session.say(setting_words.level_is(room.name, held.level(room.name)))
        return ""
    others = {name: level for name, level in held.rooms.items() if names.key(name) != names.key(room.name)}
    level = word.casefold()
    if level == USUAL:
        screen.set_setting("rooms", others)
        level = held.notify
    else:
        try:
            screen.set_setting("rooms", settings.convert("rooms", {**others, room.name: level}))
        except ValueError:
            return setting_words.setting_refused("/notify", ", ".join((*settings.fields()["notify"].choices, USUAL)))
    screen.session.say(setting_words.level_is(room.name, level))
    return ""


def set_muted(room: RoomView, muted: bool, screen: "ChatScreen") -> None:
    """Mute a room, or end that: then it is as the others are."""
    held = settings_app(screen).settings
    others = {name: level for name, level in held.rooms.items() if names.key(name) != names.key(room.name)}
    if muted:
        screen.set_setting("rooms", {**others, room.name: "none"})
        screen.session.say(people_words.muted(room.name))
    else:
        if held.muted(room.name):
            screen.set_setting("rooms", others)
        screen.session.say(people_words.not_muted(room.name))


def _said(field: Field, value: object) -> str:
    mark = "  " if value == field.default else "* "
    return f"{mark}{field.name} = {settings.shown(value)}"
