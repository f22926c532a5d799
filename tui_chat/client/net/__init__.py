"""Connection to one server: transport, reconnection and basic servers."""
