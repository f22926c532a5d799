"""Table of bounded size."""

from server.domain.lru_table import LruTable


def test_the_least_recently_read_or_stored_entry_is_dropped_first() -> None:
    table = LruTable[str, int](2)
    table.put("a", 1)
    table.put("b", 2)
    assert table.get("a") == 1
    table.put("c", 3)
    assert (table.get("b"), table.items()) == (None, [("a", 1), ("c", 3)])
    table.put("a", 4)
    assert table.items() == [("c", 3), ("a", 4)]
    table.remove("c")
    table.remove("c")
    assert table.items() == [("a", 4)]
