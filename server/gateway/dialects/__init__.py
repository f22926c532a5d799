"""Client vocabularies, one module each (docs/dialects.md).

Dependency rule: a dialect imports the handlers and the fan-out, but no other dialect.
"""
