"""Client vocabularies, each in a module (docs/dialects.md).

Dependency rule: a dialect imports the handlers and the fan-out, but no other dialect.
"""
