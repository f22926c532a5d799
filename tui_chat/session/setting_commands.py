"""What `/set`, `/notify`, `/mute` and `/unmute` do."""

from server.protocol import names
from tui_chat.session import people_words, setting_words, settings, words
from tui_chat.session.front import Front, not_there, room_named
from tui_chat.session.language import tr
from tui_chat.session.settings import Field

USUAL = "default"
"""The word that takes a setting back to its usual value."""


def set_setting(arguments: tuple[str, ...], front: Front) -> str:
    """Say all settings, say one, or set one; why not, empty when that was done."""
    held = front.held
    if not arguments:
        front.answer("\n".join(_said(field, getattr(held, field.name)) for field in settings.fields().values()))
        return ""
    name = arguments[0].casefold()
    field = settings.fields().get(name)
    if field is None:
        return setting_words.no_such_setting(arguments[0])
    if len(arguments) == 1:
        front.answer(
            f"{_said(field, getattr(held, name))}\n{field.help}\n{setting_words.setting_can_be(field.expected)}"
        )
        return ""
    try:
        value = None if arguments[1] == USUAL else settings.parse(name, arguments[1])
    except ValueError as refused:
        return str(refused)
    front.set_setting(name, value)
    return ""


def set_level(word: str, front: Front) -> str:
    """Say, or set, of what in the shown room one is notified; why not, empty when that was done."""
    room = front.session.current
    if room is None:
        return tr(words.NOT_IN_A_ROOM)
    held = front.held
    if not word:
        front.answer(setting_words.level_is(room.name, held.level(room.name)))
        return ""
    others = {
        name: level for name, level in held.rooms.items() if names.canonical_key(name) != names.canonical_key(room.name)
    }
    level = word.casefold()
    if level == USUAL:
        front.set_setting("rooms", others)
        level = held.notify
    else:
        try:
            front.set_setting("rooms", settings.convert("rooms", {**others, room.name: level}))
        except ValueError:
            return setting_words.setting_refused("/notify", ", ".join((*settings.fields()["notify"].choices, USUAL)))
    front.answer(setting_words.level_is(room.name, level))
    return ""


def set_muted(name: str, muted: bool, front: Front) -> str:
    """Mute a room (the shown one for no name), or end that; why not, empty when that was done."""
    room = room_named(name, front)
    if room is None:
        return not_there(name)
    held = front.held
    others = {
        name: level for name, level in held.rooms.items() if names.canonical_key(name) != names.canonical_key(room.name)
    }
    if muted:
        front.set_setting("rooms", {**others, room.name: "none"})
        front.answer(people_words.muted(room.name))
    else:
        if held.muted(room.name):
            front.set_setting("rooms", others)
        front.answer(people_words.not_muted(room.name))
    return ""


def _said(field: Field, value: object) -> str:
    mark = "  " if value == field.default else "* "
    return f"{mark}{field.name} = {settings.shown(value)}"
