"""What is there is compared with what is wanted: the same is done already, and other content is refused by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.errors import units
from ledger_app.errors.words import Amount, Word, differing
from ledger_app.models import Account
from ledger_app.values.amounts import OF_SETTINGS

Said = tuple[Word, Any, Any]  # what something is called, what is there, and what is given


def check_same(what: Word, name: str, row: Any, wanted: Mapping[str, object], beside: Iterable[Said] = ()) -> None:
    """Refuse where ``row`` differs from what is wanted, naming each column, or where what is said ``beside`` does."""
    # What is to be opened is no row yet.
    model: Any = type(row) if isinstance(row, models.Model) else Account
    fields = {name: field for field in model._meta.fields for name in (field.name, field.attname)}  # noqa: SLF001 - Django's public API
    said = [
        (fields[column].verbose_name, _word(fields[column], getattr(row, column)), _word(fields[column], value))
        for column, value in wanted.items()
    ]
    if differs := differing([*said, *beside]):
        raise errors.Refused(units.belonging([errors.DefinitionConflict(what=what, name=name, differs=differs)], row))


def _word(field: Any, value: Any) -> Any:
    """Return what a column holds as a sentence tells it: an amount in its unit, a choice and a switch by their words."""
    if field.name in OF_SETTINGS and type(value) is int:
        return Amount(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return dict(field.flatchoices or ()).get(value, value)
