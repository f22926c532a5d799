"""Controller, chat state, commands and settings of a session, shared by all front ends.

- Dependency: no module of this package imports Textual or a front end.
"""
