from pathlib import Path

import pytest

from tui_chat.session.i18n import tr
from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.settings.name_lookup import is_ignored, is_room_muted, notification_level
from tui_chat.session.settings.schema import ClientSettings, RoomLevel, ValueKind, fields, format_value, parse


def test_every_setting_has_a_help_text_of_one_sentence() -> None:
    for field in fields().values():
        description = tr(field.description)
        assert description.endswith("."), field.name
        assert ". " not in description, field.name
        assert "\n" not in description, field.name


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("mouse", "off", False),
        ("mouse", "YES", True),
        ("theme", "Light", "light"),
        ("paste_lines", " 9 ", 9),
        ("ignored", "ann, bob", ("ann", "bob")),
        ("ignored", "", ()),
    ],
)
def test_typed_values_are_parsed_and_formatted_back(name: str, typed: str, value: object) -> None:
    assert parse(name, typed) == value
    assert parse(name, format_value(value)) == value


@pytest.mark.parametrize(
    ("name", "typed", "expected"),
    [
        ("mouse", "maybe", "on, off"),
        ("theme", "pink", "dark, light"),
        ("paste_lines", "1001", "0–1000"),
        ("paste_lines", "-1", "0–1000"),
        ("paste_lines", "9" * 5000, "0–1000"),
        ("paste_lines", "２", "0–1000"),
        ("room_notifications", "tea", "table"),
        ("colour", "red", "Unknown setting: colour"),
    ],
)
def test_an_invalid_value_reports_the_allowed_values(name: str, typed: str, expected: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        parse(name, typed)
    assert expected in str(error.value)


def test_room_levels_ignore_case_and_width_and_levels_of_the_server_take_precedence() -> None:
    levels: dict[str, RoomLevel] = {"Tea": "all", "dev": "none", "http://a:1/DEV": "default", "http://b/oak": "none"}
    settings = ClientSettings(notify="mentions", room_notifications=levels)
    for server, expected in (
        ("http://a:1", {"tea": "all", "DEV": "mentions", "other": "mentions", "oak": "mentions"}),
        ("http://b", {"tea": "all", "ＤＥＶ": "none", "other": "mentions", "Oak": "none"}),
    ):
        assert {room: notification_level(settings, server, room) for room in expected} == expected
        assert [room for room in expected if is_room_muted(settings, server, room)] == [
            room for room, level in expected.items() if level == "none"
        ]
    assert not is_room_muted(ClientSettings(notify="none"), "http://a:1", "tea")


def test_ignored_nicknames_are_compared_without_case_and_width() -> None:
    settings = ClientSettings(ignored=("Ann Lee",))
    assert [is_ignored(settings, nick) for nick in ("ann lee", "Ａnn\u3000Lee", "annlee")] == [True, True, False]


def test_every_default_value_is_formatted_and_parsed_back() -> None:
    for field in fields().values():
        assert field.allowed_values
        if field.kind is not ValueKind.TABLE:
            assert parse(field.name, format_value(field.default)) == field.default


def test_docs_settings_md_contains_the_generated_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings_schema.render_markdown() in page, "make docs"
