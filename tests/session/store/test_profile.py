import stat
from pathlib import Path

import pytest

from tui_chat.session.store import guest_identities
from tui_chat.session.store.guest_identities import add_identity, find_guest_key
from tui_chat.session.store.profile import FILE_NAME, Identity, Profile, load, save


def test_a_saved_profile_is_loaded_again(tmp_path: Path) -> None:
    profile = add_identity(Profile("茶", "ann", "http://host:3000"), Identity("http://host:3000", "Ann", "k"))
    assert save(tmp_path / "new" / "folder", profile) == ""
    assert load(tmp_path / "new" / "folder") == (profile, "")
    assert find_guest_key(profile, "http://host:3000", "ann") == "k"
    assert find_guest_key(profile, "http://other:3000", "ann") is None


def test_a_missing_file_yields_an_empty_profile(tmp_path: Path) -> None:
    assert load(tmp_path) == (Profile(), "")


def test_the_profile_is_private_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    save(tmp_path, Profile(room="a"))
    save(tmp_path, Profile(room="b"))
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b'{"room": 5, "guest', b'{"room": "\xff"}'])
def test_a_corrupt_file_is_moved_aside_and_reported_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    profile, notice = load(tmp_path)
    assert profile == Profile()
    assert "was damaged and moved" in notice
    assert (tmp_path / "profile.damaged").read_bytes() == content
    assert load(tmp_path) == (Profile(), "")


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in save(tmp_path / "file", Profile())


def test_a_new_guest_key_replaces_the_old_key_and_evicts_the_oldest_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_identities, "MAX_IDENTITIES", 3)
    profile = Profile()
    for number in range(5):
        profile = add_identity(profile, Identity("s", f"n{number}", "k"))
    profile = add_identity(profile, Identity("s", "N3", "newer"))
    assert [(i.nick, i.guest_key) for i in profile.identities] == [("N3", "newer"), ("n4", "k"), ("n2", "k")]
