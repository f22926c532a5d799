"""Parser of the Redis serialization protocol."""

import pytest

from server.cluster.resp import RespParser, RespValue, encode_command

STREAM = (
    b"%1\r\n$6\r\nserver\r\n+redis\r\n:2\r\n_\r\n*0\r\n"
    b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\na\r\nb\xff\r\n-NOPERM no\r\n!4\r\nfail\r\n"
)

VALUES = [
    RespValue(b"%", [b"server", b"redis"]),
    RespValue(b":", b"2"),
    RespValue(b"_", b""),
    RespValue(b"*", []),
    RespValue(b">", [b"message", b"c", b"a\r\nb\xff"]),
    RespValue(b"-", b"NOPERM no"),
    RespValue(b"!", b"fail"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_values_do_not_depend_on_the_boundaries_of_reads(size: int) -> None:
    parser = RespParser()
    values: list[RespValue] = []
    for start in range(0, len(STREAM), size):
        values += parser.feed(STREAM[start : start + size])
    assert values == VALUES


def test_only_error_values_have_an_error_text() -> None:
    assert [value.error for value in VALUES if value.error is not None] == ["NOPERM no", "fail"]


def test_a_length_without_digits_is_rejected() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        RespParser().feed(b"$five\r\n")


def test_a_command_is_an_array_of_its_arguments() -> None:
    assert encode_command("PUBLISH", "é", b"a\r\n") == b"*3\r\n$7\r\nPUBLISH\r\n$2\r\n\xc3\xa9\r\n$3\r\na\r\n\r\n"
