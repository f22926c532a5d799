"""Client vocabularies, one module each (docs/dialects.md).

A dialect imports the handlers and the fan-out, never another dialect except its base."""
