import stat
from pathlib import Path

from tui_chat.session.store.profile import FILE_NAME, Identity, Profile, load, save


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    kept = Profile("茶", "ann", "http://host:3000").with_identity(Identity("http://host:3000", "Ann", "k"))
    assert save(tmp_path / "new" / "folder", kept) == ""
    assert load(tmp_path / "new" / "folder") == (kept, "")
    assert kept.guest_key("http://host:3000", "ann") == "k"
    assert kept.guest_key("http://other:3000", "ann") is None


def test_nothing_kept_yet_is_no_fault(tmp_path: Path) -> None:
    assert load(tmp_path) == (Profile(), "")


def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    save(tmp_path, Profile(room="a"))
    save(tmp_path, Profile(room="b"))
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_damaged_file_is_set_aside_and_told_once(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'{"room": 5, "guest')
    remembered, notice = load(tmp_path)
    assert remembered == Profile()
    assert "set aside" in notice
    assert (tmp_path / "remembered.damaged").read_bytes() == b'{"room": 5, "guest'
    assert load(tmp_path) == (Profile(), "")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in save(tmp_path / "file", Profile())


def test_a_newer_key_replaces_the_older_and_the_oldest_go(tmp_path: Path) -> None:
    kept = Profile()
    for number in range(5):
        kept = kept.with_identity(Identity("s", f"n{number}", "k"), limit=3)
    kept = kept.with_identity(Identity("s", "N3", "newer"), limit=3)
    assert [(i.nick, i.guest_key) for i in kept.identities] == [("N3", "newer"), ("n4", "k"), ("n2", "k")]
