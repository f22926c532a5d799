import pytest


@pytest.fixture(autouse=True)
def a_terminal_of_many_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a program sees of its terminal does not depend on where the tests run."""
    for name in ("NO_COLOR", "TERM_PROGRAM", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
