"""Entries in the admin."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.doors.admin.model_admin import NOTHING, ReadOnlyAdmin, link_to, url_of
from ledger_app.admin.explanations import prior_period_of
from ledger_app.admin.lot_tables import allocation_table
from ledger_app.admin.origins import shown_rows
from ledger_app.admin.reversals import ProposePage
from ledger_app.base.queries.totals import Total, TotalOf
from ledger_app.explain.queries import explain
from ledger_app.models import Entry, Line
from ledger_app.posting.queries import origins
from ledger_app.reversals import queries as reversals
from ledger_app.templatetags import look
from ledger_app.values.most import LINES_RECOMPUTED_MOST

LINES_A_PAGE = 200
NUMBER = re.compile("[0-9]{1,18}", re.ASCII)


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """Entries, newest first, and each with its lines and where it comes from."""

    list_display = ("reference", "book", "shown_date", "description", "shown_amount")
    list_filter = ("book",)
    search_fields = ("reference__exact",)
    is_searched_by_book = True
    search_help_text = _("A whole reference")
    list_select_related = ("book",)
    change_form_template = "ledger_app/entry_detail.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the sum of debits with each row."""
        debits = (
            Line.objects.filter(entry=OuterRef("pk"))
            .order_by()
            .values("entry")
            .annotate(total=Total("amount", filter=Q(amount__gt=0)))
        )
        rows: QuerySet[Any] = super().get_queryset(request).annotate(debits=TotalOf(debits.values("total")))
        return rows

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which a reversal is proposed."""
        return [*ProposePage(self).urls(), *super().get_urls()]

    @admin.display(description=_("date"))
    def shown_date(self, row: Entry) -> str:
        """The date in the book's zone."""
        return look.day_text(row.effective_on)

    @admin.display(description=_("amount"))
    def shown_amount(self, row: Any) -> SafeString:
        """The sum of debits."""
        return look.amount_cell(row.debits, row.book)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the lines, the facts and the origin."""
        entry = Entry.objects.select_related("book", "posting__posted_by", "reverses").get(pk=row.pk)
        asked = NUMBER.fullmatch(request.GET.get("after", ""))
        last_seen = int(asked[0]) if asked else 0
        explained = explain.entry(entry, shown=LINES_A_PAGE, after=last_seen, lines_most=LINES_RECOMPUTED_MOST)
        shown = entry.lines.filter(id__gt=last_seen).select_related("account").order_by("id")
        lines = [
            {
                "account": line.account.code,
                "url": url_of(line.account),
                "note": f"{line.account.role} · {line.account.get_category_display()}",
                "debit": line.amount if line.amount > 0 else None,
                "credit": -line.amount if line.amount < 0 else None,
            }
            for line in shown[:LINES_A_PAGE]
        ]
        reversal = Entry.objects.filter(reverses=entry).first()
        before, after = explain.neighbours(entry)
        proposal = reversals.current(entry)
        told = origins.of([entry.pk], whole=True)[entry.pk]
        facts: list[tuple[Any, Any]] = [
            (_("Book"), link_to(entry.book)),
            (_("Date"), look.day_text(entry.effective_on)),
            (_("Posted at"), look.instant_cell(entry.posting.posted_at, entry.book)),
            (_("Posted by"), entry.posting.posted_by.username),
            (_("Reason"), entry.posting.reason or NOTHING),
            (_("Digest"), look.digest_cell(bytes(entry.digest))),
        ]
        return {
            "title": entry.reference,
            "entry": entry,
            "book": entry.book,
            "facts": facts,
            "lines": lines,
            "lots": allocation_table(entry),
            "debit_total": explained.debit,
            "credit_total": -explained.credit,
            "line_count": explained.line_count,
            "is_part": asked is not None or explained.after is not None,
            "further": f"?after={explained.after}" if explained.after else "",
            "is_proved": explained.digest_holds is not None,
            "origin": shown_rows(told),
            "complaints": [each.as_dict() for each in [*explained.complaints, *told.complaints]],
            "prior_period": prior_period_of(entry),
            "proposal": {"text": str(proposal), "url": url_of(proposal), "state": proposal.state} if proposal else None,
            "offers": ProposePage(self).offers(request, entry),
            "reverses": {"text": entry.reverses.reference, "url": url_of(entry.reverses)} if entry.reverses else None,
            "reversed_by": {"text": reversal.reference, "url": url_of(reversal)} if reversal else None,
            "replaces": {"text": before.pk, "url": url_of(before)} if before else None,
            "replaced_by": {"text": after.pk, "url": url_of(after)} if after else None,
        }
