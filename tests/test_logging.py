import logging
import sys
import threading
from pathlib import Path

import pytest

from tui_chat import cli
from tui_chat.logging import InternalErrorMonitor


@pytest.mark.parametrize(
    ("logger_name", "exit_code", "is_unhandled"),
    [("chat.session", 1, False), ("asyncio", 1, True), ("chat.client.library", 0, False)],
)
def test_internal_errors_set_the_exit_code(logger_name: str, exit_code: int, is_unhandled: bool) -> None:
    monitor, reports, logger = InternalErrorMonitor(), list[str](), logging.Logger(logger_name)
    monitor.on_unhandled = lambda: reports.append(logger_name)
    logger.addHandler(monitor)
    logger.error("no traceback")
    logger.warning("expected", exc_info=ValueError())
    assert monitor.exit_code == 0
    logger.error("unexpected", exc_info=ValueError())
    assert monitor.exit_code == exit_code
    assert bool(reports) == is_unhandled


def test_an_early_internal_error_is_logged_without_a_traceback_on_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> int:
        raise ValueError("broken installation")

    root = logging.getLogger()
    monkeypatch.setattr(cli, "_run", fail)
    monkeypatch.setattr(cli, "log_path", lambda: tmp_path / "chat-tui.log")
    # Restored after the test:
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    with pytest.raises(SystemExit, match=r"^1$"):
        cli.main()
    logging.captureWarnings(False)
    for handler in root.handlers:
        handler.close()
    assert capsys.readouterr().err == "chat-tui: Internal error. See the log for details.\n"
    assert "ValueError: broken installation" in (tmp_path / "chat-tui.log").read_text()
