"""Database access: journal, log reader, rooms and search.

The only package that imports SQLAlchemy. Imports neither the gateway nor the transports."""
