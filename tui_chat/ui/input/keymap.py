"""Effective key bindings: registry defaults plus overrides from the settings.

- Fallback: an invalid override adds one line to `Keymap.problems`, and the default binding stays in force.
- Uniqueness: no key is bound twice within overlapping scopes. An occupied key must be unbound first.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations, product
from typing import NamedTuple

from tui_chat.session.i18n import tr
from tui_chat.session.strings import settings as settings_strings
from tui_chat.ui.input import key_names, keys
from tui_chat.ui.input.keys import LOCAL_ACTIONS, OVERLAPPING_SCOPES, TEXT_SCOPES, KeyBinding, KeyScope

UNBOUND = "unbound"
"""Placeholder key for actions without a key in Textual's keymap. No terminal sends it."""


HELP_ID = "help"
"""Binding shown first in each footer, because the help lists all others."""


class FooterKey(NamedTuple):
    """Footer entry.

    Attributes:
        key_name: Display name of the key.
        label: Short description of the action.
        action: Textual action, resolved in the scope of the binding.
    """

    key_name: str
    label: str
    action: str


class Keymap:
    """Effective bindings of all scopes.

    Attributes:
        problems: Error messages about invalid overrides, one sentence each.
        local_keys: Composer keys bound to one of `keys.LOCAL_ACTIONS`.
    """

    def __init__(self, overrides: Mapping[str, str | tuple[str, ...]] | None = None) -> None:
        """Merge the overrides into the default bindings.

        Args:
            overrides: Keys in user notation by binding id: one key, several keys, or an empty value to unbind.
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
        """Return the Textual names of the binding's keys, preferred key first."""
        return self._overrides.get(key.id, key.keys)

    def actions(self, scope: KeyScope) -> Mapping[str, str]:
        """Return the actions of a scope by Textual key name."""
        return self._actions_by_scope[scope]

    def display_key(self, binding_id: str) -> str:
        """Return the display name of the binding's preferred key, empty if unbound."""
        key = next(key for key in keys.ALL_BINDINGS if key.id == binding_id)
        return key_names.display_name(self.keys_for(key)[0]) if self.keys_for(key) else ""

    def list_bindings(self, scope: KeyScope) -> list[tuple[list[str], KeyBinding]]:
        """Return the documented bindings of a scope with the display names of their keys."""
        return [(self._display_keys(key), key) for key in keys.bindings_in(scope) if key.help is not None]

    def footer_keys(self, scopes: Iterable[KeyScope]) -> list[FooterKey]:
        """Return the footer entries of the scopes: help first, then the scopes in the given order."""
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
        """Return the overrides in the format of `App.set_keymap`."""
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
        """Drop overrides that claim an occupied key until no conflict is left."""
        while conflict := self._find_conflict():
            first, second, shared_key = conflict
            loser, holder = (first, second) if first.id in self._overrides else (second, first)
            del self._overrides[loser.id]
            self.problems += (settings_strings.key_in_use(loser.id, key_names.display_name(shared_key), holder.id),)

    def _find_conflict(self) -> tuple[KeyBinding, KeyBinding, str] | None:
        pairs = [pair for scope in KeyScope for pair in combinations(keys.bindings_in(scope), 2)]
        pairs += [
            pair
            for outer, inner in OVERLAPPING_SCOPES
            for pair in product(keys.bindings_in(outer), keys.bindings_in(inner))
        ]
        for first, second in pairs:
            if first.action == second.action or not (first.id in self._overrides or second.id in self._overrides):
                continue
            if shared := set(self.keys_for(first)) & set(self.keys_for(second)):
                return first, second, min(shared)
        return None
