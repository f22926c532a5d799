"""Settings schema and settings file."""
