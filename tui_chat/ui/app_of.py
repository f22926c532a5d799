"""Typed access to the app of a widget."""

from typing import Any, cast

from textual.app import App
from textual.dom import DOMNode


def app_of(node: DOMNode) -> "App[Any]":
    """Return the app of `node`."""
    return cast("App[Any]", node.app)  # pyright: ignore[reportUnknownMemberType]
