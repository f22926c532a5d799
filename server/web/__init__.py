"""HTTP routes, static assets and the browser page.

Dependency rule: only `server.web.api` imports the gateway and storage.
"""
