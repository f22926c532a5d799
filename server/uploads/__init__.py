"""Uploads: reception, processing of images, storage of the bytes, and removal of unused files.

Imports `server.storage`, `server.domain` and `server.observability`, but no HTTP library.
"""
