"""Effective key bindings: registry defaults plus overrides from the settings.

- Fallback: an invalid override adds one line to `Keymap.problems`, and the default binding still applies.
- Uniqueness: no key is bound to two actions within overlapping scopes. An occupied key must be unbound first.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations, groupby, product
from operator import itemgetter
from typing import NamedTuple

from tui_chat.session.i18n import Translatable, tr
from tui_chat.ui.input import key_names, keys
from tui_chat.ui.input.keys import LOCAL_ACTIONS, OVERLAPPING_SCOPES, TEXT_SCOPES, KeyBinding, KeyScope

# Placeholder for actions without a key in Textual's keymap, sent by no terminal.
UNBOUND = "unbound"

HELP_ID = "help"  # id of the binding shown first in each footer, because the help lists all other bindings

_BINDINGS_BY_ID = {binding.id: binding for binding in keys.ALL_BINDINGS}


class FooterKey(NamedTuple):
    """Footer entry: display name of the key, label, and Textual action in the scope of the binding."""

    key_name: str
    label: str
    action: str


class Keymap:
    """Effective bindings of all scopes.

    Args:
        overrides: Keys in user notation by binding id: one key, several keys, or an empty value to unbind.

    Attributes:
        problems: Error messages about invalid overrides, one sentence each.
        actions: Actions of each scope by Textual key name.
        local_keys: Keys of the scopes `CHAT` and `COMPOSER` that are bound to one of `keys.LOCAL_ACTIONS`.
    """

    def __init__(self, overrides: Mapping[str, str | tuple[str, ...]] | None = None) -> None:
        self.problems: tuple[str, ...] = ()
        self._overrides: dict[str, tuple[str, ...]] = {}
        for binding_id, key_texts in (overrides or {}).items():
            self._add_override(binding_id, (key_texts,) if isinstance(key_texts, str) else tuple(key_texts))
        self._resolve_conflicts()
        self.actions: dict[KeyScope, dict[str, str]] = {
            scope: {key: binding.action for binding in keys.bindings_in(scope) for key in self.keys_for(binding)}
            for scope in KeyScope
        }
        composer_actions = self.actions[KeyScope.CHAT] | self.actions[KeyScope.COMPOSER]
        self.local_keys = frozenset(key for key, action in composer_actions.items() if action in LOCAL_ACTIONS)

    def keys_for(self, binding: KeyBinding) -> tuple[str, ...]:
        """Return the Textual names of the binding's keys, preferred key first; empty if unbound."""
        return self._overrides.get(binding.id, binding.keys)

    def display_key(self, binding_id: str) -> str:
        """Return the display name of the binding's preferred key, empty if unbound.

        Raises:
            KeyError: No binding has this id.
        """
        bound_keys = self.keys_for(_BINDINGS_BY_ID[binding_id])
        return key_names.display_name(bound_keys[0]) if bound_keys else ""

    def close_hint(self, binding_id: str, scroll_keys: Iterable[str]) -> str:
        """Return the hint of a screen with scrollable text, such as `PgUp PgDn scroll · Esc close`.

        An unbound binding and empty scroll keys are omitted.
        """
        scroll, close = " ".join(filter(None, scroll_keys)), self.display_key(binding_id)
        hints = (tr("{keys} scroll", keys=scroll) if scroll else "", tr("{key} close", key=close) if close else "")
        return " · ".join(filter(None, hints))

    def dialog_footer(self, scope: KeyScope, labels: Mapping[str, Translatable] | None = None) -> str:
        """Return the footer of a dialog, such as `↑↓ select · Enter switch · Esc close`.

        Each entry shows the preferred keys of adjacent bindings with the same label; unbound actions are omitted.
        `labels` replace footer labels of the registry by binding id.
        """
        labeled_keys = [
            (tr((labels or {}).get(binding.id, binding.footer)), key)
            for binding in keys.bindings_in(scope)
            if binding.footer is not None and (key := self.display_key(binding.id))
        ]
        hints: list[str] = []
        for label, entries in groupby(labeled_keys, itemgetter(0)):
            names = [key for _, key in entries]
            separator = "" if all(len(name) == 1 for name in names) else " "
            hints.append(f"{separator.join(names)} {label}")
        return " · ".join(hints)

    def list_bindings(self, scope: KeyScope) -> list[tuple[list[str], KeyBinding]]:
        """Return the bindings of a scope that have a help text, with the display names of their keys.

        The `label` of a binding without an override replaces the names. An unbound binding has no names.
        """
        return [
            (self._display_keys(binding), binding) for binding in keys.bindings_in(scope) if binding.help is not None
        ]

    def footer_keys(self, scopes: Iterable[KeyScope]) -> list[FooterKey]:
        """Return the footer entry of the help, then those of the scopes in the given order.

        Each entry shows the preferred key; an unbound action is omitted.
        """
        bindings = [
            binding
            for scope in scopes
            for binding in keys.bindings_in(scope)
            if binding.footer is not None and binding.id != HELP_ID
        ]
        bindings.insert(0, _BINDINGS_BY_ID[HELP_ID])
        return [
            FooterKey(key_names.display_name(self.keys_for(binding)[0]), tr(binding.footer), binding.action)
            for binding in bindings
            if binding.footer is not None and self.keys_for(binding)
        ]

    def textual_keymap(self) -> dict[str, str]:
        """Return the valid overrides in the format of `App.set_keymap`: comma-separated keys by binding id.

        An unbound action has the key `UNBOUND`. Default bindings are not included.
        """
        return {binding_id: ",".join(bound_keys) or UNBOUND for binding_id, bound_keys in self._overrides.items()}

    def _display_keys(self, binding: KeyBinding) -> list[str]:
        """Return the display names of the keys, or the label of a binding without an override."""
        if binding.label and binding.id not in self._overrides:
            return [binding.label]
        return [key_names.display_name(key) for key in self.keys_for(binding)]

    def _add_override(self, binding_id: str, key_texts: tuple[str, ...]) -> None:
        """Add a valid override. An invalid one adds one problem, and all default keys remain.

        One invalid key rejects the complete override. Blank texts are ignored; an override without keys unbinds.
        """
        binding = _BINDINGS_BY_ID.get(binding_id)
        if binding is None:
            self.problems += (tr("[keys] {name}: unknown action. See docs/keys.md.", name=binding_id[:40]),)
            return
        parsed: list[str] = []
        for text in filter(None, (text.strip() for text in key_texts)):
            key = key_names.parse_key(text)
            if not key:
                self.problems += (tr("[keys] {name}: unknown key {key}.", name=binding_id, key=text[:40]),)
                return
            if binding.scope in TEXT_SCOPES and key_names.is_text_key(key):
                self.problems += (
                    tr("[keys] {name}: {key} types text here. Add Ctrl or Alt.", name=binding_id, key=text[:40]),
                )
                return
            parsed.append(key)
        self._overrides[binding_id] = tuple(dict.fromkeys(parsed))

    def _resolve_conflicts(self) -> None:
        """Drop overrides that bind an occupied key, until no conflict remains; each adds one problem.

        The default keys of a dropped override apply again. Of two overrides with a common key, that of the first
        binding in `_find_conflict` is dropped.
        """
        while conflict := self._find_conflict():
            first, second, shared_key = conflict
            dropped, winner = (first, second) if first.id in self._overrides else (second, first)
            del self._overrides[dropped.id]
            self.problems += (
                tr(
                    "[keys] {name}: {key} is bound to {owner}. Rebind {owner} first.",
                    name=dropped.id,
                    key=key_names.display_name(shared_key),
                    owner=winner.id,
                ),
            )

    def _find_conflict(self) -> tuple[KeyBinding, KeyBinding, str] | None:
        """Return two bindings with different actions in the same or overlapping scopes, and a key that they share.

        At least one of them is overridden. None without a conflict.
        """
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
