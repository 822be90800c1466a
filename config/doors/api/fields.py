"""The fields of what comes in: one strict one of each kind. Nothing is guessed, trimmed, rounded or turned from one kind into another.

A shape (``config.doors.api.input.Input``) has no other fields than these. Each says in ``described`` what the description of the API tells of it beside its
type, so that what is written there is what is held here.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.doors import instants
from ledger_app.errors import card_numbers
from ledger_app.errors.printable import code_point, unseen

BIGINT: Final = 2**63 - 1
KEY_MOST: Final = 255
TEXT_MOST: Final = 2000
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What is never seen, as every kind of regular expression writes it: of four digits, without what no character has been given yet. Halves of characters have
# no place in a description: no text holds them.
DESCRIBED: Final = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    r"\ue000-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffd"
)
LINES_END: Final = r"\u0000-\u001f"
LINES_KEPT: Final = r"\u0000-\u0008\u000b\u000c\u000e-\u001f"
CARD_NUMBER: Final = _(
    "It reads like a card number, or has the code of a card in it: it is not shown and kept nowhere. Leave it out."
)


class KeyField(serializers.CharField):
    """A key, a code, a name: text on one line, taken as it is. Blanks around it and characters that nobody sees are refused, and no number is text."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write text in quotes: a number or a word without them is none."),
        "surrounded": _("Blanks stand before or behind it. Nothing is cut off here: send it without them."),
        "invisible": _("It holds a character that cannot be seen, or that is none: {escaped}."),
        "card_number": CARD_NUMBER,
    }
    described: ClassVar[Mapping[str, Any]] = {"pattern": f"^[^\\s{DESCRIBED}]([^{DESCRIBED}]*[^\\s{DESCRIBED}])?$"}
    may_have_lines: ClassVar[bool] = False
    may_be_surrounded: ClassVar[bool] = False

    def __init__(self, *, may_be_card: bool = False, **kwargs: Any) -> None:
        """Keep the text within a length. Where it may be a card number, the code that stores it keeps a hash at most."""
        self._may_be_card = may_be_card
        super().__init__(**{"max_length": KEY_MOST, **kwargs, "trim_whitespace": False})

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        if found := unseen(data, may_have_lines=self.may_have_lines):
            self.fail("invisible", escaped=code_point(found))
        if not self.may_be_surrounded and data != data.strip():
            self.fail("surrounded")
        if not self._may_be_card and card_numbers.holds(data):
            self.fail("card_number")
        return data


class TextField(KeyField):
    """Text of one line or more, kept as it was written."""

    described: ClassVar[Mapping[str, Any]] = {"pattern": f"^[^{DESCRIBED.replace(LINES_END, LINES_KEPT)}]*$"}
    may_have_lines = True
    may_be_surrounded = True

    def __init__(self, **kwargs: Any) -> None:
        """Keep it within a length."""
        super().__init__(**{"max_length": TEXT_MOST, **kwargs})


class DigestField(KeyField):
    """A SHA-256 in hexadecimal."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "digest": _("Write the 64 hexadecimal digits of a digest, in small letters.")
    }
    described: ClassVar[Mapping[str, Any]] = {"pattern": "^[0-9a-f]{64}$"}

    def to_internal_value(self, data: Any) -> str:
        """Return the digest."""
        text = super().to_internal_value(data)
        if DIGEST.fullmatch(text) is None:
            self.fail("digest")
        return text


class OneOfField(serializers.ChoiceField):
    """One word of a list."""

    # The framework repeats what was given, whatever it is.
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid_choice": _("It is none of: {known}.")}
    described: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, data: Any) -> str:
        """Return the word."""
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", known=", ".join(map(str, self.choices)))
        return data


class SwitchField(serializers.BooleanField):
    """JSON's ``true`` or ``false``."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": _("Write true or false, without quotes.")}
    described: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class SwitchTextField(serializers.BooleanField):
    """``true`` or ``false`` in a query or a form, where all is text."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": _("Write true or false.")}
    described: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth."""
        if data not in ("true", "false"):
            self.fail("invalid")
        return bool(data == "true")


class WholeNumberField(serializers.IntegerField):
    """A JSON integer: no ``1.0``, no ``"1"``, no ``true``."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": _("Write a JSON integer: no decimals, no quotes.")}
    described: ClassVar[Mapping[str, Any]] = {"format": "int64"}

    def __init__(self, **kwargs: Any) -> None:
        """Keep it within what the ledger's columns hold."""
        super().__init__(**{"min_value": -BIGINT, "max_value": BIGINT, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Return the integer."""
        if type(data) is not int:  # bool is an int to isinstance
            self.fail("invalid")
        return data


class NumberTextField(serializers.IntegerField):
    """A whole number of a query or a form, where all is text: ASCII digits, without zeros before it."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": _("Write a whole number in digits.")}
    described: ClassVar[Mapping[str, Any]] = {"format": "int64"}

    def __init__(self, **kwargs: Any) -> None:
        """Keep it within what eighteen digits say."""
        super().__init__(**{"min_value": 0, "max_value": 10**18 - 1, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if not isinstance(data, str) or NUMBER.fullmatch(data) is None:
            self.fail("invalid")
        return int(data)


class DayField(serializers.DateField):
    """A date as YYYY-MM-DD and in no other way, of a year that every database keeps and that has a day before and after in every zone."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write a date that exists as YYYY-MM-DD, of a year from 1000 to 9998.")
    }
    described: ClassVar[Mapping[str, Any]] = {"pattern": "^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"}

    def to_internal_value(self, data: Any) -> date:
        """Return the date."""
        found = day(data) if isinstance(data, str) else None
        if found is None:
            self.fail("invalid")
        return found


class InstantField(serializers.DateTimeField):
    """An instant in ISO 8601 with its zone."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write an instant with its zone: 2017-02-01T09:00:00+09:00 or 2017-02-01T00:00:00Z.")
    }
    described: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, value: Any) -> datetime:
        """Return the instant."""
        if not isinstance(value, str) or INSTANT.fullmatch(value) is None:
            self.fail("invalid")
        try:
            return instants.read(value)
        except ValueError:
            self.fail("invalid")


class ListOfField(serializers.ListField):
    """A JSON list."""

    described: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the list."""
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        found: list[Any] = super().to_internal_value(data)
        return found


class ByNameField(serializers.DictField):
    """A JSON object whose names are somebody's own."""

    described: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, *, name_most: int = KEY_MOST, **kwargs: Any) -> None:
        """Keep the names within a length."""
        self.name = KeyField(max_length=name_most)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the values by name."""
        found: dict[str, Any] = super().to_internal_value(data)
        return {self.name.run_validation(name): value for name, value in found.items()}


class ControlsField(ByNameField):
    """Control totals by name, each an integer in minor units."""

    child = WholeNumberField()

    def __init__(self, **kwargs: Any) -> None:
        """Keep the names within what a control total is called by."""
        super().__init__(**{"name_most": 64, **kwargs})


class UploadedFileField(serializers.FileField):
    """A file of a form. One that is empty is a file."""

    described: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **kwargs: Any) -> None:
        """Take an empty one too: the reader of the field says what an empty one means."""
        super().__init__(**{"allow_empty_file": True, **kwargs})


STRICT: Final = (
    KeyField,
    OneOfField,
    SwitchField,
    SwitchTextField,
    WholeNumberField,
    NumberTextField,
    DayField,
    InstantField,
    ListOfField,
    ByNameField,
    UploadedFileField,
)


def day(text: str) -> date | None:
    """Return the date that ``text`` writes as YYYY-MM-DD, of a year from 1000 to 9998; None where it writes none."""
    if DAY.fullmatch(text) is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in instants.YEARS else None
