from collections.abc import Generator

import pytest

from tests.support.style_cache import share_styles


@pytest.fixture(scope="session", autouse=True)
def shared_styles() -> Generator[None]:
    """Share style rules between the apps of a session."""
    with pytest.MonkeyPatch.context() as patch:
        share_styles(patch)
        yield


@pytest.fixture(autouse=True)
def truecolor_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the terminal variables to fixed values, independent of the host."""
    for name in ("NO_COLOR", "TERM_PROGRAM", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
