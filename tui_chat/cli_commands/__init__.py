"""Commands for scripts: `send`, `tail` and `who`.

Imports no Textual."""
