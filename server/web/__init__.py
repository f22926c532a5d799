"""HTTP routes, static assets and the browser page.

Imports neither the gateway nor storage."""
