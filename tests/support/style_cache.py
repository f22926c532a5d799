"""Style rules shared by the apps of a test session.

Parsing of CSS files and matching of selectors take a third of the CPU time of a start, with the same results in all
apps.

- Parsed CSS: by text and variables.
- Matched rules: by parsed rules of the stylesheet, and type, id, classes and pseudo-classes of each node of the path
  from the app to the widget.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

# pyright: reportPrivateUsage=false


@dataclass
class MatchedRules:
    """Matched rules of all stylesheets with the same parsed rules.

    Attributes:
        rules: Parsed rules. The reference keeps the ids of the rules unique.
        pseudo_classes: Pseudo-classes in the selectors that may match a node, by type, id and classes of the node.
        flags: Values of `FLAGS` by type, id and classes of a node.
        by_path: Style values by signature of the path, None if no rule matches.
    """

    rules: tuple[RuleSet, ...]
    pseudo_classes: dict[Any, tuple[str, ...]] = field(default_factory=dict[Any, tuple[str, ...]])
    flags: dict[Any, tuple[bool, ...]] = field(default_factory=dict[Any, tuple[bool, ...]])
    by_path: dict[Any, Any] = field(default_factory=dict[Any, Any])


FLAGS = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
"""Attributes of a node that Textual derives from the pseudo-classes of its rules."""


def share_styles(patch: pytest.MonkeyPatch) -> None:
    """Share parsed CSS and matched rules between all apps until the end of `patch`."""
    original: Any = Stylesheet
    parse_rules, apply, replace_rules = original._parse_rules, original.apply, original.replace_rules
    parsed: dict[Any, Any] = {}
    matched: dict[tuple[int, ...], MatchedRules] = {}
    replaced: dict[DOMNode, Any] = {}

    def parse_rules_once(self: Stylesheet, *arguments: Any, **options: Any) -> Any:
        key = (tuple(self._variables.items()), arguments, tuple(options.items()))
        if key not in parsed:
            parsed[key] = parse_rules(self, *arguments, **options)
        return parsed[key]

    def find_matched_rules(stylesheet: Stylesheet) -> MatchedRules:
        rules_map = stylesheet.rules_map  # a new one after each change of the rules
        if stylesheet.__dict__.get("matched_for") is not rules_map:
            rules = tuple(stylesheet.rules)
            shared = matched.setdefault(tuple(map(id, rules)), MatchedRules(rules))
            stylesheet.__dict__.update(matched_for=rules_map, matched=shared)
        return stylesheet.__dict__["matched"]

    def apply_matched(self: Stylesheet, node: DOMNode, *, animate: bool = False, cache: Any = None) -> None:
        shared = find_matched_rules(self)
        identity = get_identity(node)
        names = shared.pseudo_classes.get(identity)
        if names is None:
            candidates = (self.rules_map[name] for name in self.rules_map.keys() & node._selector_names)
            names = tuple(set[str]().union(*(rule.pseudo_classes for rules in candidates for rule in rules)))
            shared.pseudo_classes[identity] = names
        signature = tuple((get_identity(parent), get_pseudo_classes(parent, names)) for parent in node.css_path_nodes)
        if signature in shared.by_path:
            for flag, value in zip(FLAGS, shared.flags[identity], strict=True):
                setattr(node, flag, value)
            if (rules := shared.by_path[signature]) is not None:
                self.replace_rules(node, rules, animate=animate)
            self._process_component_classes(node)
        else:
            apply(self, node, animate=animate, cache=cache)
            shared.flags[identity] = tuple(getattr(node, flag) for flag in FLAGS)
            shared.by_path[signature] = replaced.get(node)
        replaced.pop(node, None)

    def record_rules(_: type[Stylesheet], node: DOMNode, rules: Any, animate: bool = False) -> None:
        replaced[node] = rules
        replace_rules(node, rules, animate)

    patch.setattr(Stylesheet, "_parse_rules", parse_rules_once)
    patch.setattr(Stylesheet, "apply", apply_matched)
    patch.setattr(Stylesheet, "replace_rules", classmethod(record_rules))


def get_identity(node: DOMNode) -> tuple[type[DOMNode], str | None, frozenset[str]]:
    """Return type, id and classes of a node."""
    return type(node), node._id, frozenset(node._classes)


def get_pseudo_classes(node: DOMNode, names: tuple[str, ...]) -> tuple[bool, ...]:
    """Return for each name whether the node has the pseudo-class."""
    checks: Any = node._PSEUDO_CLASSES
    return tuple([name in checks and checks[name](node) for name in names])
