"""Wire protocol: requests, responses, events, limits and text rules.

Dependency rule: no other package of the project and no I/O library.
"""
