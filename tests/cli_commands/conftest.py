from pathlib import Path

import pytest


@pytest.fixture
def command_home(tmp_path: Path) -> Path:
    """Home directory of the commands, without the files of the server."""
    directory = tmp_path / "home"
    directory.mkdir()
    return directory
