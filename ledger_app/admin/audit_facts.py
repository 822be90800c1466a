"""What an audit row keeps beside its sentence, as people read it: names in words, amounts in the unit of what it is about, refusals as sentences."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import AMOUNTS, NOTHING, unit_of
from ledger_app.base.operations.transitions import UNTOLD
from ledger_app.errors import stored
from ledger_app.errors.printable import escaped
from ledger_app.errors.units import Unit
from ledger_app.models import AuditRow, Book
from ledger_app.templatetags import look
from ledger_app.values import instants

# Facts that are amounts of what the row is about, beside the columns that are.
OF_AMOUNTS: Final = AMOUNTS | {"settled"}
CONTROLS: Final = "controls"
COUNTS: Final = frozenset({"entries"})  # of the control totals: a number of things
STAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
DIGEST: Final = re.compile("[0-9a-f]{64}")
# What facts are called that no column of their subject is called by.
LABELS: Final[Mapping[str, str | Promise]] = {
    "account": _("account"),
    "accounts": _("accounts"),
    "active_from": _("from"),
    "added": _("added"),
    "added_at": _("added at"),
    "address": _("address"),
    "after": _("after"),
    "alerts": _("alerts"),
    "alone": _("alone"),
    "amount": _("amount"),
    "before": _("before"),
    "book": _("book"),
    "books": _("books"),
    "breakage_id": _("breakage account"),
    "bytes": _("bytes"),
    "changed": _("changed"),
    "chunk": _("chunk"),
    "chunks": _("chunks"),
    "code": _("code"),
    "codes": _("codes"),
    "content": _("content"),
    "contra": _("contra account"),
    CONTROLS: _("control totals"),
    "count": _("count"),
    "date": _("date"),
    "debits": _("debits"),
    "difference": _("difference"),
    "digest": _("digest"),
    "ends_at": _("ends at"),
    "entries": _("entries"),
    "entry": _("entry"),
    "event": _("event"),
    "failures": _("failures"),
    "findings": _("findings"),
    "found": _("found"),
    "from": _("from"),
    "from_key": _("key before"),
    "generation": _("generation"),
    "given": _("given"),
    "grants": _("grants"),
    "groups": _("groups"),
    "held": _("held"),
    "holder": _("member"),
    "identifier": _("identifier"),
    "is_active": _("in use"),
    "is_staff": _("works here"),
    "is_superuser": _("administrator"),
    "issuer": _("provider"),
    "key": _("key"),
    "kind": _("kind"),
    "kinds": _("kinds"),
    "last_four": _("last four"),
    "left": _("left"),
    "masked_bytes": _("bytes masked"),
    "member": _("member"),
    "merge": _("merge"),
    "minutes": _("minutes"),
    "name": _("name"),
    "names": _("names"),
    "new": _("new"),
    "number": _("number"),
    "old_ends_at": _("the one before ends at"),
    "operations": _("rights"),
    "other": _("other member"),
    "overlap_hours": _("hours of overlap"),
    "own": _("own"),
    "plan": _("plan"),
    "proposed_by": _("proposed by"),
    "provider": _("provider"),
    "reasons": _("reasons"),
    "receipt": _("receipt"),
    "receipts": _("receipts"),
    "records": _("records"),
    "repeated": _("lines repeated"),
    "replaces": _("replaces"),
    "replaces_id": _("number of what is replaced"),
    "reversal": _("reversal"),
    "reverses": _("reverses"),
    "right": _("right"),
    "rows": _("lines"),
    "seal": _("seal"),
    "setting_change": _("change of a setting"),
    "settled": _("settled"),
    "sha256": _("SHA-256"),
    "shown": _("what was shown"),
    "source_version": _("version of the source"),
    "state": _("state"),
    "subject": _("subject"),
    "survivor": _("member who remains"),
    "there": _("there already"),
    "ticket": _("ticket"),
    "to": _("until"),
    "token": _("token"),
    "undoes": _("undoes"),
    UNTOLD: _("not told to who asked"),
    "url": _("address"),
    "usable": _("usable"),
    "value": _("value"),
    "version": _("version"),
    "was_from": _("was from"),
    "was_to": _("was until"),
    "why": _("why"),
}


class _About(NamedTuple):
    """What a row is about: its model and its unit, where it has them."""

    model: type[Model] | None
    unit: Unit | None


def rows_of(row: AuditRow, facts: Mapping[str, Any], label: str | None) -> list[tuple[Any, Any]]:
    """Return the facts of a row as (name, value), both as people read them. ``label`` names the model of its subject, where it has one."""
    about = _about(row, facts, label)
    return [(capfirst(str(name_of(name, about.model))), _value(name, value, about)) for name, value in sorted(facts.items())]


def name_of(name: str, model: type[Model] | None) -> str | Promise:
    """Return what a fact is called; its name as it is kept where it has no other."""
    fields = {} if model is None else {field.name: field.verbose_name for field in model._meta.concrete_fields}  # noqa: SLF001 - Django's public API
    head, _space, rest = name.partition(" ")
    if rest and head in LABELS:
        return f"{LABELS[head]} {rest}"
    return LABELS.get(name) or fields.get(name) or name


def _about(row: AuditRow, facts: Mapping[str, Any], label: str | None) -> _About:
    """Find the unit by the book that the facts name, or else by what the row is about."""
    model: Any = apps.get_model(label) if label and apps.is_installed(label.split(".", maxsplit=1)[0]) else None
    book: Any = Book.objects.filter(code=str(facts["book"])).first() if "book" in facts else None
    if book is None and model is not None and row.subject_id:
        subject = model.objects.filter(pk=row.subject_id).first()
        book = subject if isinstance(subject, Book) else unit_of(subject)
    return _About(model, Unit(book.unit, book.exponent) if book is not None else None)


def _value(name: str, value: Any, about: _About) -> Any:
    if isinstance(value, str) and DIGEST.fullmatch(value):
        return look.digest_cell(value)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return format_html_join("", "<div>{}</div>", ((_text(name, each, about),) for each in value))
    return escaped(_text(name, value, about))


def _text(name: str, value: Any, about: _About) -> str:
    """Return a fact in words: what it holds with its names, lists with commas, nothing as a dash."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, dict):
        return _document(name, value, about)
    if isinstance(value, list):
        return ", ".join(_text(name, each, about) for each in value) or NOTHING
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if type(value) is int and name in OF_AMOUNTS and about.unit is not None:
        return about.unit.text(value)
    if isinstance(value, str) and STAMP.fullmatch(value):
        return instants.text(datetime.fromisoformat(value))
    if name == "state" and value in look.APPEARANCES:
        return str(look.APPEARANCES[value].word)
    return str(_choices(name, about.model).get(value, value))


def _document(name: str, value: dict[str, Any], about: _About) -> str:
    if {"code", "sentence"} <= value.keys():
        return str(stored.translated(value)["sentence"])
    if name == UNTOLD and (kind := stored.kinds().get(str(value.get("code")))) is not None:
        error = kind(**{key: each for key, each in value.items() if key != "code"})
        error.keep_unit(about.unit)
        value = error.facts_in_words()
    if name == CONTROLS and about.unit is not None:
        value = {key: each if key in COUNTS or type(each) is not int else about.unit.text(each) for key, each in value.items()}
    return "; ".join(f"{name_of(key, about.model)}: {_text(key, each, about)}" for key, each in value.items()) or NOTHING


def _choices(name: str, model: type[Model] | None) -> dict[Any, Any]:
    fields = [] if model is None else [field for field in model._meta.concrete_fields if field.name == name]  # noqa: SLF001 - Django's public API
    return {} if not fields else dict(getattr(fields[0], "flatchoices", None) or ())
