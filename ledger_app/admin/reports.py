"""The reports of a book, in the admin: to read, to print, and to take away as a file."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from itertools import islice
from typing import Any, Final

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import url_of
from config.doors.taken_files import taken
from ledger_app import errors
from ledger_app.admin.explanations import AsKnownForm, day_field
from ledger_app.admin.report_words import CELLS, COLUMNS, KIND_WORDS
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.books.rules.periods import COUNTS
from ledger_app.close.queries import closing
from ledger_app.explain import rules
from ledger_app.explain.queries import rights as report_rights
from ledger_app.models import Book, Period, User
from ledger_app.reports import book_reports, report_files
from ledger_app.reports.book_reports import Asked, Column, Report, Row
from ledger_app.templatetags import look

REPORTS: Final = _("Reports")
DESCRIPTION: Final = _("Trial balance, general ledger, movements of points: on a page, as CSV, XLSX or JSON.")
READS: Final = (
    "ledger_app.view_line",
    "ledger_app.view_entry",
    "ledger_app.view_posting",
    "ledger_app.view_seal",
    "ledger_app.view_lot",
)
ROWS_SHOWN: Final = 500
PERIODS_MOST: Final = 400
BOTH: Final = "both"
SEAL: Final = "seal "  # as reports begin the name of one
# What stands in the file alone, and what a page has where it says something.
LEFT_OUT: Final = frozenset({"unit", "seal", "running", "from", "to", "posted_at", "posted_by"})
WHERE_SAID: Final = frozenset({"reverses", "reverses_date", "prior_period", "of_no_age"})
FILES: Final = (
    ("CSV (UTF-8)", {"format": report_files.CSV, "encoding": report_files.UTF8_MARK}),
    ("CSV (cp932)", {"format": report_files.CSV, "encoding": report_files.CP932}),
    ("XLSX", {"format": report_files.XLSX}),
    ("JSON", {"format": report_files.JSON}),
)


class ReportForm(AsKnownForm):
    """Which report, of which days."""

    kind = forms.ChoiceField(label=_("Report"), choices=list(KIND_WORDS.items()))
    period = forms.ChoiceField(label=_("Period"), required=False, help_text=_("Or two days beside it."))
    first_on = day_field(_("From"))
    last_on = day_field(pgettext_lazy("span of days", "To"), _("Both days included."))
    by = forms.ChoiceField(
        label=_("Parted by"),
        required=False,
        choices=[(rules.ROLE, _("Role")), (rules.SOURCE, _("Source")), (rules.STORE, _("Store or other account of no member"))],
        help_text=_("Of a trial balance."),
    )
    compare = forms.ChoiceField(
        label=_("Beside it"),
        required=False,
        choices=[
            ("", "–"),
            (rules.PREVIOUS, _("the time before")),
            (rules.LAST_YEAR, _("the same of last year")),
            (BOTH, _("both")),
        ],
        help_text=_("Of a trial balance."),
    )
    role = forms.ChoiceField(label=_("Role"), required=False, help_text=_("Of a general ledger, or one account."))
    account = forms.CharField(label=_("Account"), required=False, max_length=64, help_text=_("Its code."))
    field_order = ("kind", "period", "first_on", "last_on", "known_at", "by", "compare", "role", "account")

    def __init__(self, book: Book, data: Any) -> None:
        """Offer the periods and the roles of a book."""
        super().__init__(data)
        self.book = book
        self.periods = {period.name: period for period in book.periods.order_by("-starts_on")[:PERIODS_MOST]}
        roles = [name for name in closing.control_names(book.pk) if name not in COUNTS]
        for field, names in (("period", list(self.periods)), ("role", roles)):
            self.fields[field].choices = [("", "–"), *((name, name) for name in names)]  # type: ignore[attr-defined]  # of a choice

    def clean(self) -> dict[str, Any]:
        """Take a period or two days, and not both."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        days = given.get("first_on"), given.get("last_on")
        if not self.errors and (bool(given.get("period")) == (None not in days) or (given.get("period") and any(days))):
            raise forms.ValidationError(gettext("Give a period, or both days."))
        return given

    def asked(self) -> Asked:
        """Return what is asked for.

        :raises errors.Refused: not_found
        """
        given = self.cleaned_data
        known_at = self.instant(self.book.time_zone)
        span = book_reports.span_of(self.book, self.periods.get(given["period"]), given["first_on"], given["last_on"], known_at)
        assert span is not None  # noqa: S101 - it was cleaned
        compare = given["compare"]
        return Asked(
            span=span,
            kind=given["kind"],
            by=given["by"] or rules.ROLE,
            compare=rules.COMPARED if compare == BOTH else (compare,) if compare else (),
            account=book_reports.find_account(self.book, given["account"]),
            role=given["role"],
        )


class ReportPages:
    """The page of a book's reports: added to the addresses of its admin."""

    def __init__(self, admin: ModelAdmin[Book]) -> None:
        """Serve the books of ``admin``."""
        self._admin = admin

    def urls(self) -> list[URLPattern]:
        """Return the address."""
        return [path("<int:pk>/reports/", self._admin.admin_site.admin_view(self.reports), name="ledger_app_book_reports")]

    def reports(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Show a report, or give it as a file where the address names a format."""
        book = Book.objects.filter(pk=pk).first()
        if book is None:
            raise Http404
        if (
            not self._admin.has_view_permission(request, book)
            or not request.user.has_perms(READS)
            or not reads_reports(request.user)
        ):
            raise PermissionDenied
        form = ReportForm(book, request.GET or _first_asked(book))
        context: dict[str, Any] = {"title": gettext("Reports of {book}").format(book=book.code), "form": form}
        if form.is_valid():
            try:
                asked = form.asked()
                book_reports.check(asked, request.user, is_waited_for=True)  # type: ignore[arg-type]  # signed in, as reads_reports says
                if (kind := request.GET.get("format", "")) in report_files.CONTENT_TYPES:
                    return taken(partial(report_files.write_named, asked, kind, _encoding(request)))
                with snapshot():
                    context |= _shown(book_reports.of(asked), form.data)
            except errors.LedgerError as refusal:
                context["reasons"] = [reason.as_dict() for reason in getattr(refusal, "reasons", (refusal,))]
        request.current_app = self._admin.admin_site.name
        shown = {
            **self._admin.admin_site.each_context(request),
            "opts": self._admin.opts,
            "book": book,
            "book_url": url_of(book),
            **context,
        }
        return TemplateResponse(request, "ledger_app/book_reports.html", shown)


def reads_reports(user: Any) -> bool:
    """Whether a user reads reports."""
    return isinstance(user, User) and not report_rights.objections(user)


def offer(period: Period, user: Any) -> dict[str, Any]:
    """Return the button of the page of a period, free or held back with its reasons."""
    query = urlencode({"kind": rules.TRIAL_BALANCE, "period": period.name})
    return {
        "name": "reports",
        "label": REPORTS,
        "description": DESCRIPTION,
        "url": f"{reverse('admin:ledger_app_book_reports', args=[period.book_id])}?{query}",
        "reasons": [reason.as_dict() for reason in report_rights.objections(user)],
        "primary": False,
    }


def _first_asked(book: Book) -> dict[str, str]:
    """Return what is asked for where nothing is: the trial balance of the last period that is frozen."""
    last = book.periods.filter(state=Period.State.FROZEN).order_by("-starts_on").first()
    return {} if last is None else {"kind": rules.TRIAL_BALANCE, "period": last.name}


def _encoding(request: HttpRequest) -> str:
    given = request.GET.get("encoding", report_files.UTF8_MARK)
    return given if given in report_files.ENCODINGS else report_files.UTF8_MARK


def _shown(report: Report, query: Mapping[str, Any]) -> dict[str, Any]:
    rows = list(islice(report.rows, ROWS_SHOWN + 1))
    left_out = LEFT_OUT | {name for name in WHERE_SAID if not any(row.get(name) for row in rows)}
    columns = [column for column in report.columns if column.name not in left_out]
    kept = {name: value for name, value in query.items() if value and name not in {"format", "encoding"}}
    return {
        "report": report,
        "kind": KIND_WORDS[report.asked.kind],
        "seal_name": report.sealed.removeprefix(SEAL),
        "columns": [(COLUMNS.get(column.name, column.name), column.is_amount) for column in columns],
        "rows": [(_is_sum(row), list(_cells(row, columns, report.asked.book))) for row in rows[:ROWS_SHOWN]],
        "is_more": len(rows) > ROWS_SHOWN,
        "rows_shown": ROWS_SHOWN,
        "files": [(label, "?" + urlencode({**kept, **more})) for label, more in FILES],
    }


def _is_sum(row: Row) -> bool:
    return row.get("category") == book_reports.TOTAL or row.get("kind") in {"opening", "closing", "all"}


def _cells(row: Row, columns: list[Column], book: Book) -> Iterator[tuple[Any, str]]:
    """Yield what stands in each cell, and what kind of cell it is."""
    for column in columns:
        value = row.get(column.name)
        if column.is_amount:
            yield look.amount_filter(value, book), "figure"
        elif column.name.endswith("_seal"):
            named = gettext("Seal {name}") if str(value).startswith(SEAL) else gettext("Not final")
            yield named.format(name=str(value).removeprefix(SEAL)) if value else "", ""
        elif isinstance(value, date):
            yield look.day_text(value), "day"
        else:
            yield CELLS.get(column.name, {}).get(str(value), value), "day" if column.name == "month" else ""
