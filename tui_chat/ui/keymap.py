"""The keys in force: those of the registry, with those that the settings give in their place.

Rule 1  What the settings say wrong costs one sentence; the usual keys stay for it.
Rule 2  No key does two things at once: who wants a key that is taken frees it first.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import NamedTuple

from tui_chat.session import setting_words
from tui_chat.session.language import tr
from tui_chat.ui import key_names, keys
from tui_chat.ui.keys import AT_ONCE, STAYING, WRITTEN, Key, Place

UNBOUND = "unbound"
"""What Textual is told for a thing that has no key; no terminal sends it."""


HELP = "help"
"""The key that leads to all the others, and so stands in every footer."""


class FooterKey(NamedTuple):
    """A key in the footer.

    Attributes:
        shown: The key, as a person knows it.
        word: What it does.
        action: The action, as its place has it.
    """

    shown: str
    word: str
    action: str


class Keymap:
    """Which keys do what.

    Attributes:
        problems: What was wrong in the settings, a sentence each.
        staying: Keys that do one of `keys.STAYING` in the composer.
    """

    def __init__(self, wanted: Mapping[str, str | tuple[str, ...]] | None = None) -> None:
        """The usual keys, and those that are wanted instead.

        Args:
            wanted: Keys as a person writes them, by id; one, several, or none (empty).
        """
        self.problems: tuple[str, ...] = ()
        self._changed: dict[str, tuple[str, ...]] = {}
        for name, written in (wanted or {}).items():
            self._change(name, (written,) if isinstance(written, str) else tuple(written))
        self._settle()
        self._actions = {
            place: {name: key.action for key in keys.at(place) for name in self.keys_of(key)} for place in Place
        }
        written = {**self._actions[Place.CHAT], **self._actions[Place.COMPOSER]}
        self.staying = frozenset(name for name, action in written.items() if action in STAYING)

    def keys_of(self, key: Key) -> tuple[str, ...]:
        """Textual's names of the keys that do this, the one to show first."""
        return self._changed.get(key.id, key.keys)

    def actions(self, place: Place) -> Mapping[str, str]:
        """The action of each key of one place."""
        return self._actions[place]

    def shown(self, name: str) -> str:
        """The first key that does what has this id, as a person knows it; empty when none does."""
        key = next(key for key in keys.ALL if key.id == name)
        return key_names.shown(self.keys_of(key)[0]) if self.keys_of(key) else ""

    def listed(self, place: Place) -> list[tuple[list[str], Key]]:
        """What the keys of one place do, each with its keys as a person knows them."""
        return [(self._shown(key), key) for key in keys.at(place) if key.help is not None]

    def footer(self, places: Iterable[Place]) -> list[FooterKey]:
        """What the footer shows in these places: the help first, then the innermost place."""
        found = [key for place in places for key in keys.at(place) if key.footer is not None and key.id != HELP]
        found.insert(0, next(key for key in keys.ALL if key.id == HELP))
        return [
            FooterKey(key_names.shown(self.keys_of(key)[0]), tr(key.footer), key.action)
            for key in found
            if key.footer is not None and self.keys_of(key)
        ]

    def for_textual(self) -> dict[str, str]:
        """The changed keys, for `App.set_keymap`."""
        return {name: ",".join(changed) or UNBOUND for name, changed in self._changed.items()}

    def _shown(self, key: Key) -> list[str]:
        if key.label and key.id not in self._changed:
            return [key.label]
        return [key_names.shown(name) for name in self.keys_of(key)]

    def _change(self, name: str, written: tuple[str, ...]) -> None:
        key = next((key for key in keys.ALL if key.id == name), None)
        if key is None:
            self.problems += (setting_words.unknown_key_action(name),)
            return
        wanted: list[str] = []
        for text in filter(None, (text.strip() for text in written)):
            named = key_names.named(text)
            if not named:
                self.problems += (setting_words.unknown_key(name, text),)
                return
            if key.place in WRITTEN and key_names.is_text(named):
                self.problems += (setting_words.key_types_text(name, text),)
                return
            wanted.append(named)
        self._changed[name] = tuple(dict.fromkeys(wanted))

    def _settle(self) -> None:
        """Give the usual keys back to whatever wants a key that is taken, until nothing clashes."""
        while clash := self._clash():
            one, other, taken = clash
            loser, holder = (one, other) if one.id in self._changed else (other, one)
            del self._changed[loser.id]
            self.problems += (setting_words.key_in_use(loser.id, key_names.shown(taken), holder.id),)

    def _clash(self) -> tuple[Key, Key, str] | None:
        pairs = [pair for place in Place for pair in combinations(keys.at(place), 2)]
        pairs += [pair for one, other in AT_ONCE for pair in product(keys.at(one), keys.at(other))]
        for one, other in pairs:
            if one.action == other.action or not (one.id in self._changed or other.id in self._changed):
                continue
            if both := set(self.keys_of(one)) & set(self.keys_of(other)):
                return one, other, min(both)
        return None
