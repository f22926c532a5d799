"""Subcommands: `send`, `tail` and `who` for scripts, `login` and `logout`.

- Start-up: no module of this package imports Textual.
"""
