"""What the address of a list of the admin may say, read strictly before the list is made.

Django takes any look-up of any column, drops what it does not understand, and fails on what the database does not: a page would show everything, or
none at all, in the place of what was asked for.
"""

import re
from typing import Any, Final

from django.contrib.admin.options import IS_FACETS_VAR
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest

from config.doors.admin import typed_before
from config.doors.api.fields import NUMBER, day
from ledger_app.errors.printable import unseen

PAGE: Final = re.compile("[1-9][0-9]{0,5}")
COLUMN: Final = re.compile("-?([0-9]{1,2})")
TOKEN: Final = re.compile("[A-Za-z0-9_-]{1,40}")
TEXT_MOST: Final = 255
TRUTHS: Final = frozenset({"0", "1", "True", "False"})
LOOKUPS: Final = frozenset({"exact", "in", "isnull"})


def fault(request: HttpRequest, model_admin: Any) -> str:
    """Return the first thing that the address says and that the list does not take, as it was said; empty where it takes everything."""
    for name, values in request.GET.lists():
        if (
            len(values) != 1
            or not _is_text(name)
            or not _is_text(values[0])
            or not _is_taken(request, model_admin, name, values[0])
        ):
            return f"{name}={values[-1]}"
    return ""


def _is_text(text: str) -> bool:
    return len(text) <= TEXT_MOST and not unseen(text)


def _is_taken(request: HttpRequest, model_admin: Any, name: str, value: str) -> bool:
    if name == SEARCH_VAR:
        return bool(model_admin.get_search_fields(request))
    if name == PAGE_VAR:
        return PAGE.fullmatch(value) is not None
    if name == ORDER_VAR:
        columns = len(model_admin.get_list_display(request))
        found = [COLUMN.fullmatch(part) for part in value.split(".")]
        return all(each is not None and int(each[1]) <= columns for each in found)
    if name == IS_FACETS_VAR:
        return value in TRUTHS
    if name == typed_before.NAME:
        return TOKEN.fullmatch(value) is not None
    if name == ERROR_FLAG or not value:
        return False
    # The choices of a filter of ours are asked once they are known; one that has the name of a look-up has its form too.
    if name in _own_filters(request, model_admin) and "__" not in name:
        return True
    return _is_lookup(model_admin.model, name, value)


def _own_filters(request: HttpRequest, model_admin: Any) -> set[str]:
    return {name for each in model_admin.get_list_filter(request) if (name := getattr(each, "parameter_name", ""))}


def _is_lookup(model: type[models.Model], name: str, value: str) -> bool:
    """Return whether ``name`` is a column, of the list's rows or of what these belong to, and ``value`` could stand in it."""
    *path, last = name.split("__")
    if last not in LOOKUPS:
        path, last = [*path, last], "exact"
    field: Any = None
    here: Any = model
    for part in path:
        try:
            field = here._meta.get_field(part) if here is not None else None  # noqa: SLF001 - Django's public API
        except FieldDoesNotExist:
            return False
        if field is None:
            return False
        here = field.related_model
    if field is None:
        return False
    if last == "isnull":
        return value in TRUTHS
    return all(_fits(field, each) for each in (value.split(",") if last == "in" else [value]))


def _fits(field: Any, text: str) -> bool:
    if field.is_relation:
        return NUMBER.fullmatch(text) is not None
    if field.choices:
        return text in {str(each) for each, _label in field.flatchoices}
    if isinstance(field, models.BooleanField):
        return text in TRUTHS
    if isinstance(field, models.IntegerField):
        return NUMBER.fullmatch(text) is not None
    if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
        return day(text) is not None
    return isinstance(field, models.CharField) and bool(text)
