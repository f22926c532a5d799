"""The app a widget belongs to, with a type that a checker knows."""

from typing import Any, cast

from textual.app import App
from textual.dom import DOMNode


def app_of(node: DOMNode) -> "App[Any]":
    """The app that `node` belongs to."""
    return cast("App[Any]", node.app)  # pyright: ignore[reportUnknownMemberType]
