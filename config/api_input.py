"""What comes in through the API, read strictly: shape only, and nothing is guessed, dropped or rounded."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import IO, Any, Final, NoReturn

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser

from config import instants

BODY_BYTES_MOST: Final = 1_000_000
BIGINT: Final = 2**63 - 1
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
DIGITS: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class StrictJSONParser(BaseParser):
    """JSON in UTF-8. A name that stands twice in one object is refused: which of the two was meant, nobody can say."""

    media_type = "application/json"
    bytes_most = BODY_BYTES_MOST

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Return what the body says."""
        del media_type, parser_context
        body = stream.read(self.bytes_most + 1)
        if len(body) > self.bytes_most:
            raise ParseError(_("The body is larger than {most} bytes.").format(most=self.bytes_most))
        try:
            return json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_decimal)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not JSON: {error}").format(error=error)) from error


class BulkJSONParser(StrictJSONParser):
    """The same for many items in one body."""

    bytes_most = 20 * BODY_BYTES_MOST


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _decimal(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError("a number is larger than any that is read")
    return number


class Input(serializers.Serializer[Any]):
    """The shape of a body or a query. What it does not name is refused: a misspelt name would be taken for one left out."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values by name."""
        if isinstance(data, Mapping):
            faults = {str(name): [_("There is no such field here.")] for name in data if name not in self.fields}
            if isinstance(data, QueryDict):
                faults |= {name: [_("Given more than once.")] for name, values in data.lists() if len(values) > 1}
            if faults:
                raise ValidationError(faults)
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON integer: no ``1.0``, no ``"1"``, no ``true``."""

    default_error_messages = {"invalid": _("Write a JSON integer: no decimals, no quotes.")}

    def __init__(self, **kwargs: Any) -> None:
        """Keep it within what the ledger's columns hold."""
        super().__init__(**{"min_value": -BIGINT, "max_value": BIGINT, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Return the integer."""
        if type(data) is not int:  # bool is an int to isinstance
            self.fail("invalid")
        return data


class NumberTextField(serializers.IntegerField):
    """A whole number of a query or a form, where all is text: ASCII digits."""

    default_error_messages = {"invalid": _("Write a whole number in digits.")}

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if not isinstance(data, str) or DIGITS.fullmatch(data) is None:
            self.fail("invalid")
        return int(data)


class DayField(serializers.DateField):
    """A date as YYYY-MM-DD and in no other way."""

    default_error_messages = {"invalid": _("Write a date that exists as YYYY-MM-DD.")}

    def to_internal_value(self, data: Any) -> date:
        """Return the date."""
        if not isinstance(data, str) or DATE.fullmatch(data) is None:
            self.fail("invalid")
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.fail("invalid")


class InstantField(serializers.DateTimeField):
    """An instant in ISO 8601 with its zone."""

    default_error_messages = {"invalid": _("Write an instant with its zone: 2017-02-01T09:00:00+09:00 or 2017-02-01T00:00:00Z.")}

    def to_internal_value(self, value: Any) -> datetime:
        """Return the instant."""
        if not isinstance(value, str):
            self.fail("invalid")
        try:
            return instants.read(value)
        except ValueError:
            self.fail("invalid")


class ControlsField(serializers.DictField):
    """Control totals by name, each an integer in minor units."""

    child = WholeNumberField()

    def to_internal_value(self, data: Any) -> dict[str, int]:
        """Return the totals by name."""
        totals: dict[str, int] = super().to_internal_value(data)
        name = serializers.CharField(max_length=64, trim_whitespace=False)
        return {name.run_validation(key): total for key, total in totals.items()}


class StepInput(Input):
    """What starting a step takes."""

    version = WholeNumberField(
        min_value=1, required=False, help_text=_("The version that you were shown; refused as stale where it has moved on.")
    )


class DecisionInput(StepInput):
    """What a decision takes."""

    reason = serializers.CharField(
        required=False, allow_blank=True, help_text=_("Kept in the audit row; required where the offer says so.")
    )
