"""View state of a chat session, shared by all front ends.

- Dependency: no module of this package imports Textual or a front end.
"""
