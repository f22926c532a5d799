"""JSON endpoints below `/api/` (docs/protocol.md, "HTTP")."""
