"""What comes in through the API, read strictly: shape only, and nothing is guessed, dropped or rounded."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, Final, NoReturn

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import BaseParser

from config.doors.api.fields import TextField, WholeNumberField
from ledger_app.errors import card_numbers
from ledger_app.errors.printable import escaped

BODY_BYTES_MOST: Final = 1_000_000
NAME_SHOWN_MOST: Final = 100
# JSON may write half a character as an escape: no database takes it, and no answer can repeat it.
HALF: Final = re.compile("[\ud800-\udfff]")


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
            found = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_float=_decimal)
            _refuse_halves(found)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not JSON: {error}").format(error=escaped(str(error)))) from error
        return found


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


def _refuse_halves(found: Any) -> None:
    """Refuse halves of characters in names and in values, however deep they stand."""
    left = [found]
    while left:
        here = left.pop()
        if isinstance(here, dict):
            left += [*here, *here.values()]
        elif isinstance(here, list):
            left += here
        elif isinstance(here, str) and HALF.search(here):
            raise ValueError("a text in it holds half a character")


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
            faults: dict[str, list[Any]] = {
                _shown(name): [ErrorDetail(str(_("There is no such field here.")), code="unknown")]
                for name in data
                if name not in self.fields
            }
            if isinstance(data, QueryDict):
                twice = [name for name, values in data.lists() if len(values) > 1]
                faults |= {_shown(name): [ErrorDetail(str(_("Given more than once.")), code="repeated")] for name in twice}
                # The framework takes an empty value of a form for one that was left out: an empty filter would be no filter.
                data = data.dict()
            if faults:
                raise ValidationError(faults)
        return super().to_internal_value(data)


def _shown(name: Any) -> str:
    """Return a name that somebody made up as an answer can repeat it."""
    return escaped(card_numbers.masked_text(str(name))[:NAME_SHOWN_MOST])


def _version(*, required: bool) -> WholeNumberField:
    return WholeNumberField(
        min_value=1, required=required, help_text=_("The version that you were shown; refused as stale where it has moved on.")
    )


def _reason() -> TextField:
    return TextField(
        required=False,
        allow_blank=True,
        help_text=_("Kept in the audit row; required where the offer says so."),
    )


class StepInput(Input):
    """What starting a step takes that is done once: asked for again, it is found done."""

    version = _version(required=False)


class DecisionInput(StepInput):
    """What a decision takes that nothing undoes."""

    reason = _reason()


class StepOnShownInput(Input):
    """What starting a step takes where the state can come back: without what was shown, a request that is sent again would undo what others did since."""

    version = _version(required=True)


class DecisionOnShownInput(StepOnShownInput):
    """What a decision takes where the state can come back."""

    reason = _reason()
