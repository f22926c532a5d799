"""Modules of the browser page for Node.js."""

import shutil
from importlib.resources import files
from pathlib import Path


def copy_page_modules(directory: Path) -> Path:
    """Copy the page's modules to a directory that Node.js treats as ES modules; return the directory."""
    shutil.copytree(str(files("server.web").joinpath("static")), directory, dirs_exist_ok=True)
    (directory / "package.json").write_text('{"type": "module"}')
    return directory
