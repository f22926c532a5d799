"""HTTP routes, static assets and the browser page.

Dependency rule: no import of the gateway or storage.
"""
