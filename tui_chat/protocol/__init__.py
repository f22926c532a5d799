"""Wire protocol: requests, responses, events, limits and text rules.

Imports no other package of the project and no I/O library."""
