"""What the columns of reports, and what stands in them, are called on a page. Files and programs have them by their names."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ledger_app.explain import rules
from ledger_app.models import Account, Lot, Posting

KIND_WORDS: Final[Mapping[str, Any]] = {
    rules.TRIAL_BALANCE: _("Trial balance"),
    rules.GENERAL_LEDGER: _("General ledger"),
    rules.POINTS: _("Movements of points"),
}
COLUMNS: Final[Mapping[str, Any]] = {
    "account": _("Account"),
    "adjusted": _("Adjusted"),
    "balance": _("Balance"),
    "category": _("Category"),
    "change": _("Change"),
    "closing": _("Closing"),
    "contra": _("Against"),
    "credit": _("Credit"),
    "date": _("Date"),
    "debit": _("Debit"),
    "description": _("Description"),
    "difference": _("Difference"),
    "expired": _("Expired"),
    "issued": _("Issued"),
    "kind": _("Kind"),
    "last_year_change": _("Change, last year"),
    "last_year_closing": _("Closing, last year"),
    "last_year_difference": _("Difference to last year"),
    "last_year_seal": _("Seal, last year"),
    "ledger": _("By the lines"),
    "ledger_difference": _("Lines less lots"),
    "month": _("Month"),
    "moved": _("Moved between members"),
    "of_no_age": _("Of no age"),
    "older": _("Twelve months and older"),
    "opening": _("Opening"),
    "origin": _("Origin"),
    "previous_change": _("Change, before"),
    "previous_closing": _("Closing, before"),
    "previous_difference": _("Difference to before"),
    "previous_seal": _("Seal, before"),
    "prior_period": _("Prior period"),
    "reference": _("Reference"),
    "reversed": _("Taken back"),
    "reverses": _("Reverses"),
    "reverses_date": _("Reverses, of"),
    "role": _("Role"),
    "source": _("Source"),
    "under_12_months": _("Under twelve months"),
    "under_3_months": _("Under three months"),
    "under_6_months": _("Under six months"),
    "used": _("Used"),
}
CELLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "category": {**dict(Account.Category.choices), "total": _("Total")},
    "kind": {
        **dict(Lot.Kind.choices),
        "all": _("All"),
        "without_lots": _("Without lots"),
        "opening": _("Opening"),
        "closing": _("Closing"),
        "movement": "",
    },
    "origin": dict(Posting.Origin.choices),
    "prior_period": {"yes": _("yes")},
}
