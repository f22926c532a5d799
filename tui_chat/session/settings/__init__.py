"""Client settings: schema and file."""
