import logging

import pytest

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
