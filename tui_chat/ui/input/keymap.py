"""The keys in force: those of the registry, with those that the settings give in their place.

Rule 1  What the settings say wrong costs one sentence; the usual keys stay for it.
Rule 2  No key does two things at once: who wants a key that is taken frees it first.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import NamedTuple

from tui_chat.session.i18n import tr
from tui_chat.session.strings import settings as settings_strings
from tui_chat.ui.input import key_names, keys
from tui_chat.ui.input.keys import LOCAL_ACTIONS, OVERLAPPING_SCOPES, TEXT_SCOPES, KeyBinding, KeyScope

UNBOUND = "unbound"
"""What Textual is told for a thing that has no key; no terminal sends it."""


HELP_ID = "help"
"""The key that leads to all the others, and so stands in every footer."""


class FooterKey(NamedTuple):
    """A key in the footer.

    Attributes:
        shown: The key, as a person knows it.
        word: What it does.
        action: The action, as its place has it.
    """

    key_name: str
    label: str
    action: str


class Keymap:
    """Which keys do what.

    Attributes:
        problems: What was wrong in the settings, a sentence each.
        staying: Keys that do one of `keys.STAYING` in the composer.
    """

    def __init__(self, overrides: Mapping[str, str | tuple[str, ...]] | None = None) -> None:
        """The usual keys, and those that are wanted instead.

        Args:
            wanted: Keys as a person writes them, by id; one, several, or none (empty).
        """
        self.problems: tuple[str, ...] = ()
        self._overrides: dict[str, tuple[str, ...]] = {}
        for name, key_texts in (overrides or {}).items():
            self._override(name, (key_texts,) if isinstance(key_texts, str) else tuple(key_texts))
        self._resolve_conflicts()
        self._actions_by_scope = {
            scope: {name: key.action for key in keys.bindings_in(scope) for name in self.keys_for(key)}
            for scope in KeyScope
        }
        key_texts = {**self._actions_by_scope[KeyScope.CHAT], **self._actions_by_scope[KeyScope.COMPOSER]}
        self.local_keys = frozenset(name for name, action in key_texts.items() if action in LOCAL_ACTIONS)

    def keys_for(self, key: KeyBinding) -> tuple[str, ...]:
        """Textual's names of the keys that do this, the one to show first."""
        return self._overrides.get(key.id, key.keys)

    def actions(self, scope: KeyScope) -> Mapping[str, str]:
        """The action of each key of one place."""
        return self._actions_by_scope[scope]

    def display_key(self, binding_id: str) -> str:
        """The first key that does what has this id, as a person knows it; empty when none does."""
        key = next(key for key in keys.ALL_BINDINGS if key.id == binding_id)
        return key_names.display_name(self.keys_for(key)[0]) if self.keys_for(key) else ""

    def list_bindings(self, scope: KeyScope) -> list[tuple[list[str], KeyBinding]]:
        """What the keys of one place do, each with its keys as a person knows them."""
        return [(self._display_keys(key), key) for key in keys.bindings_in(scope) if key.help is not None]

    def footer_keys(self, scopes: Iterable[KeyScope]) -> list[FooterKey]:
        """What the footer shows in these places: the help first, then the innermost place."""
        bindings = [
            key for scope in scopes for key in keys.bindings_in(scope) if key.footer is not None and key.id != HELP_ID
        ]
        bindings.insert(0, next(key for key in keys.ALL_BINDINGS if key.id == HELP_ID))
        return [
            FooterKey(key_names.display_name(self.keys_for(key)[0]), tr(key.footer), key.action)
            for key in bindings
            if key.footer is not None and self.keys_for(key)
        ]

    def textual_keymap(self) -> dict[str, str]:
        """The changed keys, for `App.set_keymap`."""
        return {name: ",".join(bound_keys) or UNBOUND for name, bound_keys in self._overrides.items()}

    def _display_keys(self, key: KeyBinding) -> list[str]:
        if key.label and key.id not in self._overrides:
            return [key.label]
        return [key_names.display_name(name) for name in self.keys_for(key)]

    def _override(self, binding_id: str, key_texts: tuple[str, ...]) -> None:
        key = next((key for key in keys.ALL_BINDINGS if key.id == binding_id), None)
        if key is None:
            self.problems += (settings_strings.unknown_key_action(binding_id),)
            return
        parsed: list[str] = []
        for text in filter(None, (text.strip() for text in key_texts)):
            key_name = key_names.parse_key(text)
            if not key_name:
                self.problems += (settings_strings.unknown_key(binding_id, text),)
                return
            if key.scope in TEXT_SCOPES and key_names.is_text_key(key_name):
                self.problems += (settings_strings.key_types_text(binding_id, text),)
                return
            parsed.append(key_name)
        self._overrides[binding_id] = tuple(dict.fromkeys(parsed))

    def _resolve_conflicts(self) -> None:
        """Give the usual keys back to whatever wants a key that is taken, until nothing clashes."""
        while conflict := self._find_conflict():
            first, second, shared_key = conflict
            loser, holder = (first, second) if first.id in self._overrides else (second, first)
            del self._overrides[loser.id]
            self.problems += (settings_strings.key_in_use(loser.id, key_names.display_name(shared_key), holder.id),)

    def _find_conflict(self) -> tuple[KeyBinding, KeyBinding, str] | None:
        pairs = [pair for scope in KeyScope for pair in combinations(keys.bindings_in(scope), 2)]
        pairs += [
            pair
            for first, second in OVERLAPPING_SCOPES
            for pair in product(keys.bindings_in(first), keys.bindings_in(second))
        ]
        for one, other in pairs:
            if one.action == other.action or not (one.id in self._overrides or other.id in self._overrides):
                continue
            if shared := set(self.keys_for(one)) & set(self.keys_for(other)):
                return one, other, min(shared)
        return None
