"""Fixture: chat session at a fixed time."""

import pytest

from tui_chat.session.chat_session import ChatSession


@pytest.fixture
def session() -> ChatSession:
    return ChatSession(lambda: 1_000)
