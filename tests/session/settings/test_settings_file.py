import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings as with_settings, strategies as st

from tui_chat.session.i18n import tr
from tui_chat.session.settings.name_lookup import notification_level
from tui_chat.session.settings.schema import ClientSettings, fields, parse
from tui_chat.session.settings.settings_file import SettingsFile, render_template


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def load_text(path: Path, text: str) -> SettingsFile:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return SettingsFile.load(path)


def test_a_missing_file_yields_the_defaults_and_is_not_created(path: Path) -> None:
    loaded = SettingsFile.load(path)
    assert (loaded.settings, loaded.problems) == (ClientSettings(), ())
    assert not path.parent.exists()


def test_changed_settings_are_loaded_again(path: Path) -> None:
    loaded = SettingsFile.load(path)
    assert loaded.change("theme", "light") == ""
    assert loaded.change("ignored", ("ann", "小明")) == ""
    assert loaded.change("room_notifications", {"tea time": "all", "茶": "none"}) == ""
    reloaded = SettingsFile.load(path)
    assert reloaded.problems == ()
    assert reloaded.settings == loaded.settings
    assert notification_level(reloaded.settings, "http://127.0.0.1:1", "tea time") == "all"


def test_the_first_change_writes_a_file_with_the_help_of_every_setting(path: Path) -> None:
    SettingsFile.load(path).change("mouse", False)
    text = path.read_text(encoding="utf-8")
    assert all(tr(field.description) in text for field in fields().values())
    assert tomllib.loads(text) == {"mouse": False, "room_notifications": {}, "keys": {}}
    assert text.count("mouse =") == 1, "the setting replaces its commented default"


def test_the_uncommented_template_equals_the_defaults(path: Path) -> None:
    uncommented = "\n".join(
        line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line
        for line in render_template().splitlines()
    )
    loaded = load_text(path, uncommented)
    assert loaded.problems == ()
    assert loaded.settings == ClientSettings()


def test_new_table_entries_follow_the_others_and_precede_the_comment_of_the_next_table(path: Path) -> None:
    loaded = load_text(path, '[room_notifications]\ntea = "all" # mine\n\n# keys\n[keys]\n')
    loaded.change("room_notifications", {"tea": "all", "dev": "none"})
    loaded.change("keys", {"help": "f2"})
    assert path.read_text(encoding="utf-8") == (
        '[room_notifications]\ntea = "all" # mine\ndev = "none"\n\n# keys\n[keys]\nhelp = "f2"\n'
    )


def test_a_table_with_parts_between_other_tables_is_replaced(path: Path) -> None:
    loaded = load_text(path, '[keys]\n[room_notifications]\ntea = "all"\n[other]\n[room_notifications.den]\nx = "y"\n')
    assert loaded.change("room_notifications", {"dev": "none"}) == ""
    assert SettingsFile.load(path).settings == ClientSettings(room_notifications={"dev": "none"})


def test_the_template_lists_the_allowed_values_of_table_entries_with_choices() -> None:
    *_, rooms, keys = render_template().split("\n\n")
    assert rooms.splitlines()[1:] == [
        "# Allowed values of each entry: all, mentions, none, default.",
        "[room_notifications]",
    ]
    assert [line for line in keys.splitlines() if not line.startswith("# ")] == ["[keys]"]
    assert "Allowed values" not in keys


def test_a_change_preserves_comments_order_and_unknown_settings(path: Path) -> None:
    before = (
        '# mine\nfuture = 1   # of a later version\ntheme = "dark" # like night\n\n[keys]\n# the help\nhelp = "f5"\n'
    )
    loaded = load_text(path, before)
    assert [problem for problem in loaded.problems if "line 2" in problem and "future" in problem]
    assert loaded.change("theme", "warm") == ""
    assert path.read_text() == before.replace('"dark"', '"warm"')
    assert loaded.change("mouse", False) == ""
    assert SettingsFile.load(path).settings == ClientSettings(theme="warm", mouse=False, keys={"help": "f5"})
    assert loaded.change("theme", None) == ""
    assert "theme" not in path.read_text()


def test_an_invalid_value_is_ignored_and_reported_with_its_line(path: Path) -> None:
    loaded = load_text(path, 'mouse = false\npaste_lines = "many"\n\n[room_notifications]\ntea = "sometimes"\n')
    assert loaded.settings == ClientSettings(mouse=False)
    paste, rooms = loaded.problems
    assert "line 2" in paste
    assert "0–1000" in paste
    assert "line 4" in rooms


@pytest.mark.parametrize(
    ("text", "line"),
    [("theme = \n", 1), ("mouse = true\nmouse = false", 2), ("[room_notifications\n", 1), ('theme = "dark', 1)],
)
def test_a_malformed_file_is_reported_with_its_line_and_never_overwritten(path: Path, text: str, line: int) -> None:
    loaded = load_text(path, text)
    assert loaded.settings == ClientSettings()
    assert f"line {line}" in loaded.problems[0]
    assert "was not changed" in loaded.change("theme", "light")
    assert loaded.settings.theme == "light", "the change applies to the running program"
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('keys = "x"\nmouse = false\n', "keys", ClientSettings(mouse=False, keys={"help": "f5"})),
        (
            'room_notifications = "all"\nmouse = false\n[keys]\n',
            "room_notifications",
            ClientSettings(mouse=False, room_notifications={"tea": "none"}),
        ),
        ('mouse = false\n[[keys]]\nhelp = "f1"\n', "keys", ClientSettings(mouse=False, keys={"help": "f5"})),
    ],
)
def test_a_change_of_a_table_replaces_an_invalid_value(
    path: Path, text: str, name: str, expected: ClientSettings
) -> None:
    loaded = load_text(path, text)
    assert [problem for problem in loaded.problems if name in problem]
    assert loaded.change(name, getattr(expected, name)) == ""
    reloaded = SettingsFile.load(path)
    assert (reloaded.settings, reloaded.problems) == (expected, ())


@pytest.mark.parametrize(
    "text",
    [
        "# theme = dark or light\nmouse = false\n",
        'mouse = false\n\n[keys]\n# theme = "x"\n',
        "mouse = false\n[keys]\n#theme = dark or light\n",
        '[keys] # my keys\n#theme = "dark"\n',
    ],
)
def test_a_change_preserves_comments_that_are_no_default_of_the_setting(path: Path, text: str) -> None:
    loaded = load_text(path, text)
    assert loaded.change("theme", "light") == ""
    reloaded = SettingsFile.load(path)
    assert (reloaded.settings.theme, reloaded.settings.keys, reloaded.problems) == ("light", {}, ())
    assert [line for line in path.read_text().splitlines() if line.startswith("#")] == [
        line for line in text.splitlines() if line.startswith("#")
    ]


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 5000 + "]" * 5000], ids=["long number", "deep nesting"])
def test_a_value_that_cannot_be_parsed_is_reported_and_the_file_is_never_overwritten(path: Path, value: str) -> None:
    text = f"paste_lines = {value}\n"
    loaded = load_text(path, text)
    assert loaded.settings == ClientSettings()
    assert "a number is too long, or values are nested too deeply" in loaded.problems[0]
    assert "was not changed" in loaded.change("theme", "light")
    assert path.read_text() == text


def test_a_byte_order_mark_is_ignored(path: Path) -> None:
    file = load_text(path, '\ufeffclock = "12h"\r\n')
    assert (file.settings.clock, file.problems) == ("12h", ())
    assert file.change("clock", "24h") == ""
    assert SettingsFile.load(path).settings.clock == "24h"


def test_a_file_that_is_not_utf_8_is_never_overwritten(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\xff\xfe\x00theme")
    loaded = SettingsFile.load(path)
    problems = loaded.problems
    assert "UTF-8" in problems[0]
    expected = f"{path} is not UTF-8 and was not changed. The setting applies until you quit."
    assert loaded.change("theme", "light") == expected
    assert loaded.settings.theme == "light"
    assert loaded.problems == problems
    assert path.read_bytes() == b"\xff\xfe\x00theme"


def test_a_change_preserves_concurrent_edits_of_the_file(path: Path) -> None:
    loaded = load_text(path, 'theme = "light"\n')
    path.write_text('theme = "warm"\nclock = "12h"\n')
    loaded.change("mouse", False)
    assert tomllib.loads(path.read_text()) == {"theme": "warm", "clock": "12h", "mouse": False}


def test_an_unwritable_folder_is_reported_and_the_setting_applies_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    loaded = SettingsFile.load(tmp_path / "file" / "settings.toml")
    assert loaded.problems
    problems = loaded.problems
    problem = loaded.change("theme", "light")
    assert "settings.toml" in problem
    assert problem.endswith("The setting applies until you quit.")
    assert loaded.problems == problems
    assert loaded.settings.theme == "light"


def test_a_change_preserves_symlinks_and_file_permissions(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    real.chmod(0o640)
    link = tmp_path / "settings.toml"
    link.symlink_to(real)
    SettingsFile.load(link).change("theme", "light")
    assert link.is_symlink()
    assert tomllib.loads(real.read_text())["theme"] == "light"
    assert real.stat().st_mode & 0o777 == 0o640


VALUES = st.sampled_from(
    [
        ("theme", "light"),
        ("theme", None),
        ("mouse", False),
        ("mouse", None),
        ("paste_lines", 7),
        ("ignored", ("a", "b")),
    ]
) | st.tuples(
    st.just("room_notifications"),
    st.none() | st.dictionaries(st.text(min_size=1, max_size=8), st.sampled_from(["all", "none"]), max_size=3),
)


@given(changes=st.lists(VALUES, max_size=8))
@with_settings(deadline=None)  # disk latency varies
def test_any_sequence_of_changes_survives_a_reload(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.toml"
    loaded = SettingsFile.load(path)
    for name, value in changes:
        assert loaded.change(name, value) == ""
    reloaded = SettingsFile.load(path)
    assert reloaded.problems == ()
    assert reloaded.settings == loaded.settings


def test_change_accepts_parsed_values(path: Path) -> None:
    loaded = SettingsFile.load(path)
    for name, typed in (("clock", "12h"), ("mouse", "off"), ("nick_width", "12"), ("ignored", "ann bob")):
        assert loaded.change(name, parse(name, typed)) == ""
    assert SettingsFile.load(path).settings == loaded.settings
