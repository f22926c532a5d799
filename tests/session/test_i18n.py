"""Selection of the display language and translation of texts."""

from collections.abc import Iterator

import pytest

from tui_chat.protocol.errors import ChatError, Forbidden, NickInvalid, RateLimited, TooLong
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
    assert chat_strings.joined(["小明", "ann", "Bo"]) == "小明、ann和Bo 加入了房间"
    assert chat_strings.joined(["a", "b", "c", "d", "e", "f"], unlisted_count=1_000).startswith(
        "a、b、c、d和另外 1,002 人"
    )
    assert plural("{count:,} room", "{count:,} rooms", 1) == "1 个房间"


def test_user_text_is_never_interpreted_as_a_format_string() -> None:
    assert tr(chat_strings.RENAMED, old="{new}", new="{0.__class__}") == "{new} is now {0.__class__}"
    assert chat_strings.typing_indicator(["{count}"]) == "{count} is typing…"


def test_errors_are_formatted_as_english_sentences() -> None:
    assert (
        error_text.describe(Forbidden("unknown", message="only its author may do this"))
        == "Only its author may do this."
    )
    assert error_text.sentence("The port is missing after the colon.") == "The port is missing after the colon."


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
def test_an_unknown_reason_without_a_code_is_shown_verbatim() -> None:
    assert error_text.phrase("unknown reason {x}") == "unknown reason {x}"
