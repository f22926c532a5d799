"""Subcommands for scripts: `send`, `tail` and `who`.

- Start-up: no module of this package imports Textual.
"""
