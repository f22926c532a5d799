"""Selection of the display language and translation of texts."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tui_chat.client.outbox.store import Outbox, OutboxScope
from tui_chat.client.outbox_item import OutboxItem
from tui_chat.protocol.errors import ChatError, Forbidden, NickInvalid, NotFound, RateLimited, TooLong
from tui_chat.protocol.requests import SendMessage
from tui_chat.session import error_text, i18n
from tui_chat.session.i18n import Language, mark, plural, tr
from tui_chat.session.strings import chat as chat_strings


@pytest.fixture
def chinese() -> Iterator[None]:
    i18n.activate(Language.CHINESE)
    yield
    i18n.activate(Language.ENGLISH)


@pytest.mark.parametrize(
    ("flag", "settings", "environ", "expected"),
    [
        ("", "", {}, Language.ENGLISH),
        ("", "", {"LANG": "zh_CN.UTF-8"}, Language.CHINESE),
        ("", "", {"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, Language.ENGLISH),
        ("", "", {"LC_ALL": "zh_CN", "LC_MESSAGES": "en_GB.UTF-8", "LANG": "C"}, Language.CHINESE),
        ("", "", {"LC_ALL": "", "LANG": "zh"}, Language.CHINESE),
        ("", "", {"LANG": "fr_FR.UTF-8"}, Language.ENGLISH),
        ("", "zh", {"LANG": "en_US.UTF-8"}, Language.CHINESE),
        ("en", "zh", {"LANG": "zh_CN.UTF-8"}, Language.ENGLISH),
        ("zh-Hans-CN", "", {}, Language.CHINESE),
    ],
)
def test_the_language_flag_overrides_the_settings_and_the_locale(
    flag: str, settings: str, environ: dict[str, str], expected: Language
) -> None:
    assert i18n.select_language(flag, settings, environ) is expected


@pytest.mark.usefixtures("chinese")
def test_an_activated_language_applies_immediately() -> None:
    marked = mark("Copied.")
    assert tr(marked) == tr("Copied.") == "已复制。"
    i18n.activate(Language.ENGLISH)
    assert tr(marked) == "Copied."


@pytest.mark.usefixtures("chinese")
def test_chinese_name_lists_and_counts_use_chinese_separators() -> None:
    assert chat_strings.joined([*map(chat_strings.notice_nick, ["小明", "ann", "Bo"])]) == "“小明”、ann和Bo 加入了房间"
    assert chat_strings.joined(["a", "b", "c", "d", "e", "f"], unlisted_count=1_000).startswith(
        "a、b、c、d和另外 1,002 人"
    )
    assert plural("{count:,} room", "{count:,} rooms", 1) == "1 个房间"


def test_user_text_is_never_interpreted_as_a_format_string() -> None:
    assert tr(chat_strings.RENAMED, old="{new}", new="{0.__class__}") == "{new} is now {0.__class__}"
    assert chat_strings.typing_indicator(["{count}"]) == "“{count}” is typing…"


def test_errors_are_formatted_as_english_sentences() -> None:
    assert (
        error_text.describe(Forbidden("unknown", message="only its author may do this"))
        == "Only its author may do this."
    )
    assert error_text.describe(RateLimited("", message="")) == "Too many requests; wait a moment."
    assert error_text.sentence("the port is missing.") == "The port is missing."


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TooLong("nick_too_long", limit=32), "昵称最多 32 个字符。"),
        (
            TooLong("message_too_long", limit=4000, count=5021),
            "消息最多 4,000 个字符，这条有 5,021 个。",
        ),
        (NickInvalid("nick_unknown", message="unknown reason"), "昵称无效。"),
        (RateLimited("", message="slow down, {nick}!"), "操作太频繁，请稍等片刻。"),
    ],
)
def test_errors_are_translated_by_reason_and_otherwise_by_code(error: ChatError, expected: str) -> None:
    assert error_text.describe(error) == expected


@pytest.mark.usefixtures("chinese")
def test_the_message_of_an_error_never_selects_its_translation() -> None:
    assert error_text.describe(NotFound("", message="no such room")) == "未找到。"
    assert error_text.phrase(NotFound("room_not_found", message="a text of another version")) == "没有这个房间"


@pytest.mark.usefixtures("chinese")
def test_errors_of_the_outbox_file_are_translated_by_reason(tmp_path: Path) -> None:
    async def store_and_load() -> OutboxItem:
        scope = OutboxScope("http://127.0.0.1:3000", "tea", "", "ann")
        item = OutboxItem("tea", uuid4(), SendMessage(room="tea", message="one"), 1)
        async with Outbox(tmp_path) as outbox:
            await outbox.add(scope, item)
            await outbox.set_error(item.client_id, TooLong("message_too_long", limit=4_000, count=5_021))
        async with Outbox(tmp_path) as outbox:
            (loaded_item,) = await outbox.claim_orphans(scope, "tea")
        return loaded_item

    error = asyncio.run(store_and_load()).error
    assert error is not None
    assert error_text.describe(error) == "消息最多 4,000 个字符，这条有 5,021 个。"
