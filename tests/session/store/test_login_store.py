import stat
from pathlib import Path

from tui_chat.session.store.login_store import FILE_NAME, LoginStore, SavedLogin

ANN = SavedLogin("http://one:3000", "ann", "ct_1")
BOB = SavedLogin("http://two:3000", "bob", "ct_2")


def test_each_server_has_one_login(tmp_path: Path) -> None:
    store = LoginStore(tmp_path / "new" / "folder")
    assert store.find(ANN.server) == (None, "")
    assert [store.save(login) for login in (ANN, BOB)] == ["", ""]
    replacement = SavedLogin(ANN.server, "eve", "ct_3")
    assert store.save(replacement) == ""
    assert store.find(ANN.server) == (replacement, "")
    assert store.remove(ANN.server) == ""
    assert store.remove(ANN.server) == ""
    assert store.find(ANN.server) == (None, "")
    assert store.find(BOB.server) == (BOB, "")


def test_the_file_becomes_private_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    store = LoginStore(tmp_path)
    (tmp_path / FILE_NAME).write_text("{}")
    (tmp_path / FILE_NAME).chmod(0o644)
    store.save(ANN)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_two_stores_preserve_each_others_logins(tmp_path: Path) -> None:
    first, second = LoginStore(tmp_path), LoginStore(tmp_path)
    first.save(ANN)
    second.save(BOB)
    first.remove(ANN.server)
    assert second.find(BOB.server) == (BOB, "")


def test_a_damaged_file_is_moved_aside_and_reported_once(tmp_path: Path) -> None:
    store = LoginStore(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b'{"logins": [{"server"')
    login, problem = store.find(ANN.server)
    assert login is None
    assert "was damaged and moved" in problem
    assert (tmp_path / "logins.damaged").read_bytes() == b'{"logins": [{"server"'
    assert store.save(ANN) == ""
    assert store.find(ANN.server) == (ANN, "")


def test_an_inaccessible_file_is_reported_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    store = LoginStore(tmp_path)
    assert "cannot be read" in store.find(ANN.server)[1]
    assert "cannot be written" in store.save(ANN)
    assert (tmp_path / FILE_NAME).is_dir()
