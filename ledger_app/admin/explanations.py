"""Where the balance of an account comes from, and its statements: pages to read, to print, and to take away as a file."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.doors import instants
from config.doors.admin.model_admin import url_of
from ledger_app import errors, sql
from ledger_app.admin.lot_tables import open_lots_table
from ledger_app.admin.origins import sentence_link
from ledger_app.base.operations import knowing
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.explain.queries import explain
from ledger_app.explain.queries import statements as lines
from ledger_app.explain.queries.statements import FIRST_DAY, Movement, Position, Span
from ledger_app.models import Account, Entry
from ledger_app.posting.queries import origins
from ledger_app.reports import statements
from ledger_app.values import sides
from ledger_app.values.instants import LAST_DAY
from ledger_app.values.most import LINES_RECOMPUTED_MOST

LINES_A_PAGE = 100
READS = ("ledger_app.view_line", "ledger_app.view_entry", "ledger_app.view_posting", "ledger_app.view_seal")
PLACE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,19})", re.ASCII)
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class AsKnownForm(forms.Form):
    """An instant in the zone of the account's book."""

    known_at = forms.DateTimeField(
        label=_("As known at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"),
        input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"],
        help_text=_("Without what was posted later; in the zone of the book. Empty: as known now."),
    )

    def clean_known_at(self) -> datetime | None:
        """Refuse an instant that has no date in every zone."""
        given: datetime | None = self.cleaned_data["known_at"]
        if given is not None and given.year not in instants.YEARS:
            raise forms.ValidationError(self.fields["known_at"].error_messages["invalid"])
        return given

    def instant(self, zone: str) -> datetime | None:
        """Return the instant, read in a zone."""
        given: datetime | None = self.cleaned_data.get("known_at")
        return given.replace(tzinfo=ZoneInfo(zone)) if given else None


def day_field(label: Any, text: Any = "") -> forms.DateField:
    """Return the field of a day that may be left out."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"], help_text=text)


class ExplainForm(AsKnownForm):
    """As of which day, and as known when."""

    at = day_field(_("As of"), _("Entries dated up to and on this day. Empty: all."))
    field_order = ("at", "known_at")


class StatementForm(AsKnownForm):
    """From which day to which, both included."""

    first_on = day_field(_("From"))
    last_on = day_field(pgettext_lazy("span of days", "To"), _("Both days included."))
    field_order = ("first_on", "last_on", "known_at")


class SumRow(NamedTuple):
    """One row of the sum that a balance is."""

    label: Any
    amount: int | None
    note: Any = ""
    kind: str = ""


class AccountPages:
    """The pages of one account beside its own: added to the addresses of its admin."""

    def __init__(self, admin: ModelAdmin[Account]) -> None:
        """Serve the accounts of ``admin``."""
        self._admin = admin

    def urls(self) -> list[URLPattern]:
        """Return the addresses of the pages."""
        view = self._admin.admin_site.admin_view
        return [
            path("<int:pk>/explain/", view(self.explain), name="ledger_app_account_explain"),
            path("<int:pk>/statement/", view(self.statement), name="ledger_app_account_statement"),
        ]

    def explain(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what the balance of a day is the sum of, and where each entry since the last seal came from."""
        account = self._account(request, pk)
        form = ExplainForm(request.GET)
        context: dict[str, Any] = {"title": gettext("Explanation of {account}").format(account=account.code), "form": form}
        if form.is_valid():
            asked = {"at": form.cleaned_data["at"], "known_at": form.instant(account.book.time_zone)}
            try:
                knowing.settle(book=account.book, known_at=asked["known_at"])
                with snapshot():
                    context |= self._explained(account, request.GET, **asked)
            except errors.LedgerError as refusal:
                context["reasons"] = [reason.as_dict() for reason in getattr(refusal, "reasons", (refusal,))]
        return self._answer(request, account, "ledger_app/account_explained.html", context)

    def statement(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a statement, or give it as a file where the address names a format."""
        account = self._account(request, pk)
        form = StatementForm(request.GET)
        context: dict[str, Any] = {"title": gettext("Statement of {account}").format(account=account.code), "form": form}
        if form.is_valid():
            given = form.cleaned_data
            span = Span(
                account,
                given["first_on"] or FIRST_DAY,
                given["last_on"] or LAST_DAY,
                form.instant(account.book.time_zone),
            )
            try:
                statements.check(span)
                if (kind := request.GET.get("format")) in KINDS:
                    return _file(span, kind)
                with snapshot():
                    context |= self._stated(span, request.GET)
            except errors.LedgerError as refusal:
                context["reasons"] = [reason.as_dict() for reason in getattr(refusal, "reasons", (refusal,))]
        return self._answer(request, account, "ledger_app/account_statement.html", context)

    def _account(self, request: HttpRequest, pk: int) -> Account:
        account = Account.objects.select_related("book", "holder").filter(pk=pk).first()
        if account is None:
            raise Http404
        if not self._admin.has_view_permission(request, account) or not request.user.has_perms(READS):
            raise PermissionDenied
        return account

    def _explained(
        self, account: Account, query: Mapping[str, Any], *, at: date | None, known_at: datetime | None
    ) -> dict[str, Any]:
        explained = explain.account(
            account,
            at=at,
            known_at=known_at,
            last=LINES_A_PAGE,
            before=position_of(query, "before"),
            lines_most=LINES_RECOMPUTED_MOST,
            sealed=LINES_A_PAGE,
            sealed_before=position_of(query, "sealed_before"),
        )
        told = origins.of(explained.shown_entries)
        rows = [_row(movement, account, told[movement.entry_id]) for movement in reversed(explained.movements)]
        sums, seal = explained.sums, explained.seal
        sealed = gettext("No period is sealed yet.")
        if seal is not None:
            sealed = gettext("Period {period}, seal {number}").format(period=seal.period.name, number=seal.number)
        summed = [
            SumRow(_("Sealed balance"), sums.opening, sealed),
            SumRow(_("Entries since"), sums.moved, _count(sums.line_count)),
            SumRow(_("Balance as asked"), sums.closing, kind="sum"),
        ]
        if sums.dated_later_count or sums.posted_later_count:
            summed += [
                SumRow(_("Dated later"), sums.dated_later, _count(sums.dated_later_count)),
                SumRow(_("Posted later"), sums.posted_later, _count(sums.posted_later_count)),
                SumRow(_("Sum of all lines"), sums.total, kind="sum"),
            ]
        differs = explained.claimed != sums.total
        if explained.is_recomputed:
            summed.append(SumRow(_("Stored balance"), explained.claimed, kind="differs" if differs else "ok"))
        else:
            note = gettext("not added up here: {count} lines are for verify to add up").format(count=f"{sums.total_count:,}")
            summed.append(SumRow(_("Stored balance"), explained.claimed, note))
            summed = [row if row.amount is not None else row._replace(note=_("not added up here")) for row in summed]
        older, sealed_older = explained.movements.goes_on, explained.sealed.goes_on
        return {
            "sums": [row._replace(amount=_natural(account, row.amount)) for row in summed],
            "complaints": [each.as_dict() for each in explained.complaints],
            "seal": seal,
            "rows": rows,
            "sealed_rows": [_row(each, account, told[each.entry_id]) for each in reversed(explained.sealed)],
            "sealed_older": _with(query, sealed_before=position_text(sealed_older)) if sealed_older else "",
            "is_short": any(page.goes_on and len(page) < LINES_A_PAGE for page in (explained.movements, explained.sealed)),
            "is_sealed_part": bool(query.get("sealed_before")),
            "lots": open_lots_table(account),
            "older": _with(query, before=position_text(older)) if older else "",
            "is_part": bool(older or query.get("before")),
        }

    def _stated(self, span: Span, query: Mapping[str, Any]) -> dict[str, Any]:
        account = span.account
        sums = lines.figures(span)
        after = position_of(query, "after")
        found = lines.page(span, after=after, limit=LINES_A_PAGE, summed=sums)
        return {
            "opening": _natural(account, sums.opening),
            "closing": _natural(account, sums.closing),
            "debit": sums.debit,
            "credit": None if sums.credit is None else -sums.credit,
            "is_added_up": None not in {sums.opening, sums.closing, sums.debit, *(each.known_running for each in found)},
            "span": span,
            "first_on": None if span.first_on == FIRST_DAY else span.first_on,
            "last_on": None if span.last_on == LAST_DAY else span.last_on,
            "rows": [_row(movement, account, None) for movement in found],
            "count": sums.line_count,
            "is_first": after is None,
            "is_last": found.goes_on is None,
            "is_short": found.goes_on is not None and len(found) < LINES_A_PAGE,
            "newer": _with(query, after=position_text(found.goes_on)) if found.goes_on else "",
            "files": [(kind.upper(), _with(query, format=kind)) for kind in KINDS],
        }

    def _answer(self, request: HttpRequest, account: Account, template: str, context: Mapping[str, Any]) -> HttpResponse:
        request.current_app = self._admin.admin_site.name
        shown = {
            **self._admin.admin_site.each_context(request),
            "opts": self._admin.opts,
            "account": account,
            "book": account.book,
            "account_url": url_of(account),
            "explain_url": reverse("admin:ledger_app_account_explain", args=[account.pk]),
            "statement_url": reverse("admin:ledger_app_account_statement", args=[account.pk]),
            **context,
        }
        return TemplateResponse(request, template, shown)


def _file(span: Span, kind: str) -> HttpResponse:
    """Return a statement as a file, which is whole before the first byte of it is sent."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    statements.write(span, kind, file)
    file.seek(0)
    name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{span.account.book.code}-{span.account.code}")
    response = FileResponse(file, as_attachment=True, filename=f"{name}.{kind}", content_type=KINDS[kind])
    return cast("HttpResponse", response)


def position_of(query: Mapping[str, Any], name: str) -> Position | None:
    """Return the place that a query names; None for none, or for what was not given out here."""
    match = PLACE.fullmatch(str(query.get(name, "")))
    if match is None:
        return None
    try:
        return Position(date.fromisoformat(match[1]), min(int(match[2]), 2**63 - 1))
    except ValueError:
        return None


def position_text(place: Position) -> str:
    """Return where a line stands, as an address names it."""
    return f"{place.effective_on.isoformat()}.{place.line_id}"


def _with(query: Mapping[str, Any], **more: str) -> str:
    """Return a query with something else in it, without the place of a page that it may name."""
    kept = {name: value for name, value in query.items() if value and name not in {"before", "after", "sealed_before", "format"}}
    return "?" + urlencode({**kept, **more})


def _natural(account: Account, amount: int | None) -> int | None:
    """Return an amount in the natural direction of an account; None where it was not added up."""
    return None if amount is None else sides.natural(account.category, amount)


def _count(count: int | None) -> str:
    return "" if count is None else ngettext("{count} line", "{count} lines", count).format(count=f"{count:,}")


def _row(movement: Movement, account: Account, told: origins.Provenance | None) -> dict[str, Any]:
    return {
        "date": movement.effective_on,
        "url": reverse("admin:ledger_app_entry_change", args=[movement.entry_id]),
        "reference": movement.reference,
        "description": movement.description,
        "debit": movement.amount if movement.amount > 0 else None,
        "credit": -movement.amount if movement.amount < 0 else None,
        "balance": _natural(account, movement.known_running),
        "prior_period": movement.reverses_on if movement.is_prior_period else None,
        "origin": sentence_link(told) if told else "",
        "raw": str(told.facts.get("raw") or "") if told else "",
        "sha256": str(told.facts.get("sha256") or "") if told else "",
        "complaints": [each.sentence for each in told.complaints] if told else [],
    }


def prior_period_of(entry: Entry) -> str:
    """Return the name of the earlier period that a reversal corrects on a later day; empty where it corrects none."""
    reversed_entry = entry.reverses
    if reversed_entry is None or reversed_entry.effective_on == entry.effective_on:
        return ""
    period = entry.book.periods.filter(sql.meeting(reversed_entry.effective_on, reversed_entry.effective_on)).first()
    return period.name if period else reversed_entry.effective_on.isoformat()


def offers_of(account: Account, user: Any) -> Sequence[tuple[Any, str]]:
    """Return what leads on from the page of an account for a user, as (label, address)."""
    found: list[tuple[Any, str]] = [
        (_("Explain the balance"), reverse("admin:ledger_app_account_explain", args=[account.pk])),
        (_("Statement"), reverse("admin:ledger_app_account_statement", args=[account.pk])),
    ]
    if user.has_perm("ledger_app.propose_adjustment"):
        found.append((_("Propose an adjustment"), f"{reverse('admin:ledger_app_adjustment_propose')}?account={account.pk}"))
    return found
