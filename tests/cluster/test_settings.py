"""Selection of the message bus by the settings."""

import pytest

from server.settings import ConfigError, ServerSettings

POSTGRESQL = "postgresql://chat:secret@host/chat"


@pytest.mark.parametrize(
    ("values", "bus"),
    [
        ({}, "local"),
        ({"bus": "local"}, "local"),
        ({"database": POSTGRESQL}, "postgres"),
        ({"database": POSTGRESQL, "bus": "local"}, "local"),
        ({"database": POSTGRESQL, "bus": "redis://host:6379/0"}, "redis://host:6379/0"),
    ],
)
def test_the_bus_depends_on_the_database_and_the_setting(values: dict[str, str], bus: str) -> None:
    assert ServerSettings(**values).resolve_bus() == bus  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"bus": "postgres"}, "a SQLite database has one server"),
        ({"database": "sqlite:///chat.db", "bus": "redis://host"}, "a SQLite database has one server"),
        ({"database": POSTGRESQL, "bus": "nats://user:secret@host"}, "'nats://user:…@host' is not supported"),
        ({"database": POSTGRESQL, "bus": "redis://host:port"}, "'redis://host:port' is not supported"),
        ({"database": POSTGRESQL, "bus": "redis://host:65536"}, "'redis://host:65536' is not supported"),
    ],
)
def test_an_unsupported_bus_is_rejected_in_one_line(values: dict[str, str], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        ServerSettings(**values).resolve_bus()  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(error.value)


def test_descriptions_of_bus_and_database_hide_the_passwords() -> None:
    settings = ServerSettings(database=POSTGRESQL, bus="redis://user:secret@host:6379/0")
    assert settings.describe_bus() == "redis://user:…@host:6379/0"
    settings = ServerSettings(database="postgresql://host/chat?password=secret&ssl=require", bus="local")
    assert settings.describe_database() == "postgresql://host/chat?password=…&ssl=require"
