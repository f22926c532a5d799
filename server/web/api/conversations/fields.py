"""Fields of JSON bodies, queries and forms of the conversation dialect."""

from collections.abc import Mapping
from typing import Any

from tui_chat.protocol.limits import SEQ_MAX


class ValidationFailed(Exception):
    """Invalid fields of a request.

    Attributes:
        problems: One sentence per problem; each starts with the name of its field.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class FieldReader:
    """Reader of fields, which collects the problems of all fields until `finish`.

    Args:
        fields: Values by name, from JSON or as text; null counts as absent.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self._problems: list[str] = []

    def read_text(self, name: str, minimum: int, maximum: int, *, required: bool = True) -> str:
        """Return a text unchanged, even of a wrong length; empty for an absent field and for another type.

        A missing required field, another type and a wrong length each add a problem.

        Args:
            name: Name of the field.
            minimum: Minimum length in characters; not checked for an absent or empty optional field.
            maximum: Maximum length in characters.
            required: Add a problem for an absent field, and check the length of an empty one.
        """
        value = self._fields.get(name)
        if not required and value in (None, ""):
            return ""
        if not isinstance(value, str):
            self._problems.append(f"{name} must be a string")
            return ""
        if len(value) < minimum:
            self._problems.append(f"{name} must be longer than or equal to {minimum} characters")
        if len(value) > maximum:
            self._problems.append(f"{name} must be shorter than or equal to {maximum} characters")
        return value

    def read_id(self, name: str, *, default: int | None = None) -> int:
        """Return a positive integer up to `SEQ_MAX`, a number or digits; add a problem and return 0 for other values.

        Args:
            name: Name of the field.
            default: Value of an absent or empty field and of 0; None for a required field.
        """
        value = self._fields.get(name)
        if value in (None, "", 0, "0") and default is not None:
            return default
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(SEQ_MAX)):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= SEQ_MAX:
            return value
        self._problems.append(f"{name} must be a positive integer")
        return 0

    def reject(self, problem: str) -> None:
        """Add a problem."""
        self._problems.append(problem)

    def finish(self) -> None:
        """Check that no problem was added.

        Raises:
            ValidationFailed: All added problems, in order.
        """
        if self._problems:
            raise ValidationFailed(self._problems)
