"""Key bindings, key names and input order."""
