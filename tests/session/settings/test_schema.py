from pathlib import Path

import pytest

from tui_chat.session.settings import schema as settings_schema
from tui_chat.session.settings.schema import ClientSettings, ValueKind, fields, format_value, parse


def test_every_setting_says_in_one_sentence_what_it_does() -> None:
    for field in fields().values():
        assert field.help.endswith("."), field.name
        assert "\n" not in field.help


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
def test_what_is_typed_becomes_a_value_and_back(name: str, typed: str, value: object) -> None:
    assert parse(name, typed) == value
    assert parse(name, format_value(value)) == value


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("mouse", "maybe", "on, off"),
        ("theme", "pink", "dark, light"),
        ("paste_lines", "1001", "0–1000"),
        ("paste_lines", "-1", "0–1000"),
        ("paste_lines", "9" * 5000, "0–1000"),
        ("paste_lines", "２", "0–1000"),
        ("rooms", "tea", "table"),
        ("colour", "red", "no setting colour"),
    ],
)
def test_what_is_not_allowed_says_what_is(name: str, typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as refused:
        parse(name, typed)
    assert said in str(refused.value)


def test_a_room_can_have_its_own_level_in_any_case_of_its_name() -> None:
    chosen = ClientSettings(notify="mentions", rooms={"Tea": "all", "dev": "none"})
    assert (chosen.notification_level("tea"), chosen.notification_level("DEV"), chosen.notification_level("other")) == (
        "all",
        "none",
        "mentions",
    )
    assert [chosen.is_muted(room) for room in ("tea", "Dev", "other")] == [False, True, False]
    assert not ClientSettings(notify="none").is_muted("tea")


def test_every_setting_can_be_shown_and_knows_what_is_allowed() -> None:
    for field in fields().values():
        assert format_value(field.default) is not None
        assert field.allowed_values
        if field.kind is not ValueKind.TABLE:
            assert parse(field.name, format_value(field.default)) == field.default


def test_the_documentation_has_every_setting() -> None:
    page = (Path(__file__).parents[3] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings_schema.render_markdown() in page, "python -m tui_chat.session.settings.schema"
