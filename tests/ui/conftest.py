from collections.abc import Generator
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.css.stylesheet import Stylesheet
from textual.geometry import Size
from textual.strip import Strip

from tests.support.wait import wait_for_idle_loop
from tui_chat.session import i18n
from tui_chat.ui.app import ChatApp
from tui_chat.ui.screens import room_navigation


@pytest.fixture(scope="session", autouse=True)
def shared_stylesheet_cache() -> Generator[None]:
    """Share parsed CSS between the apps of a session, because each app parses the same files."""
    parse_rules = Stylesheet._parse_rules  # pyright: ignore[reportPrivateUsage]
    cache: dict[tuple[Any, ...], Any] = {}

    def cached_parse_rules(self: Stylesheet, *arguments: Any, **options: Any) -> Any:
        variables = tuple(self._variables.items())  # pyright: ignore[reportPrivateUsage]
        key = (variables, arguments, tuple(options.items()))
        if key not in cache:
            cache[key] = parse_rules(self, *arguments, **options)
        return cache[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", cached_parse_rules)
        yield


@pytest.fixture(scope="session", autouse=True)
def idle_event_loop() -> Generator[None]:
    """Replace the waits of Textual for an idle processor, of 20 ms and more each, by waits for an idle event loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textual.pilot.wait_for_idle", wait_for_idle_loop)
        patch.setattr("textual.app.wait_for_idle", wait_for_idle_loop)
        yield


@pytest.fixture(scope="session", autouse=True)
def frames_on_demand() -> Generator[Any]:
    """Skip frames of headless clients, because no terminal displays them.

    Rendered are the first frame of each screen, the first frame after a change of its size, screenshots, and the screen
    when a test reads it. Yields the original `Compositor.render_update`.
    """
    compositor_class: Any = Compositor
    render_update, render_strips = compositor_class.render_update, compositor_class.render_strips
    rendered_sizes: WeakKeyDictionary[Compositor, Size] = WeakKeyDictionary()

    def render_required_update(self: Any, full: bool = False, **options: Any) -> Any:
        app = self.root.app if self.root is not None else None
        if full or not isinstance(app, ChatApp) or not app.is_headless or rendered_sizes.get(self) != self.size:
            rendered_sizes[self] = self.size
            return render_update(self, full, **options)
        self._dirty_regions.clear()
        return None

    def render_strips_above_background(self: Any, size: Size | None = None) -> list[Strip]:
        """Render with the screens below a dialog, which earlier frames have left in a cache otherwise."""
        if self.root is not None and self.root is self.root.app.screen:
            visible_screen_stack.set(self.root.app._background_screens)
        return render_strips(self, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compositor, "render_update", render_required_update)
        patch.setattr(Compositor, "render_strips", render_strips_above_background)
        yield render_update


@pytest.fixture
def all_frames(frames_on_demand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Render all frames, for tests of the cost or the effects of rendering."""
    monkeypatch.setattr(Compositor, "render_update", frames_on_demand)


@pytest.fixture(autouse=True)
def long_switch_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extend the time limit of room switches to a minute, so that no text returns to the composer on a slow machine."""
    monkeypatch.setattr(room_navigation, "SWITCH_TIMEOUT", 60.0)


@pytest.fixture
def restored_language() -> Generator[None]:
    """Restore English after the test."""
    yield
    i18n.activate(i18n.Language.ENGLISH)


@pytest.fixture(autouse=True)
def truecolor_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the terminal variables to fixed values, independent of the host."""
    for name in ("NO_COLOR", "TERM_PROGRAM", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
