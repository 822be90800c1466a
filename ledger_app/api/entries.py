"""Entries with their lines and their origin in the API."""

from typing import Any

from django.db.models import OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors.api.fields import DayField, KeyField, NumberTextField, OneOfField
from config.doors.api.input import Input
from config.doors.api.reading import KeysetAscending
from config.doors.api.views import DigestOutput, LookView, Output
from ledger_app.api.lots import ShownLotOutput
from ledger_app.api.reversals import ReversalPreviewOutput
from ledger_app.base.queries.totals import Total, TotalOf
from ledger_app.books.queries import books
from ledger_app.explain.queries import explain
from ledger_app.models import Entry, Line, Posting
from ledger_app.points.queries import shown_lots
from ledger_app.posting.queries import origins
from ledger_app.reversals import queries as reversals


class EntryFilters(Input):
    """What a list of entries may be narrowed by."""

    book = KeyField(required=False, help_text=_("The code of the book."))
    reference = KeyField(
        required=False, help_text=_("The whole reference: the entry that stands, and those under it that were reversed.")
    )
    effective_from = DayField(required=False, source="effective_on__gte", help_text=_("The first date, included."))
    effective_to = DayField(required=False, source="effective_on__lte", help_text=_("The last date, included."))
    origin_kind = OneOfField(choices=Posting.Origin.values, required=False, source="posting__origin_kind")
    origin_id = NumberTextField(
        required=False, source="posting__origin_id", help_text=_("For chunk: the id that a batch's list of chunks gives.")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A number alone could be that of a chunk or of a reversal."""
        if "posting__origin_id" in attrs and "posting__origin_kind" not in attrs:
            raise ValidationError({"origin_kind": [_("Give it with origin_id: a number alone says nothing.")]})
        return attrs


class EntryNameOutput(Output):
    """An entry, by name."""

    id = serializers.IntegerField()
    reference = serializers.CharField()


class OriginOutput(Output):
    """Where an entry comes from: the call of ``post`` that wrote it."""

    kind = serializers.CharField(source="origin_kind", help_text=", ".join(Posting.Origin.values))
    id = serializers.IntegerField(source="origin_id")
    posted_by = serializers.CharField(source="posted_by.username")
    posted_at = serializers.DateTimeField()
    reason = serializers.CharField()


class EntryLineOutput(Output):
    """A line, as its entry sees it."""

    id = serializers.IntegerField()
    account = serializers.IntegerField(source="account_id")
    account_code = serializers.CharField(source="account.code")
    stripe = serializers.IntegerField()
    sequence = serializers.IntegerField()
    amount = serializers.IntegerField(help_text=_("Signed minor units, debit positive."))
    balance_after = serializers.IntegerField(help_text=_("The balance of the account's stripe after this line."))


class EntryOutput(Output):
    """An entry."""

    id = serializers.IntegerField()
    book = serializers.CharField(source="book.code")
    effective_on = serializers.DateField()
    reference = serializers.CharField()
    turn = serializers.IntegerField(help_text=_("How many entries under this reference were reversed before it."))
    description = serializers.CharField()
    debits = serializers.IntegerField(help_text=_("The sum of its debits, in minor units; its credits come to the same."))
    digest = DigestOutput()
    reverses = EntryNameOutput(allow_null=True, help_text=_("The entry that this one takes back."))


class EntryDetailOutput(EntryOutput):
    """An entry with its lines and its origin."""

    reversed_by = serializers.SerializerMethodField()
    replaces = serializers.SerializerMethodField()
    replaced_by = serializers.SerializerMethodField()
    prior_period = serializers.SerializerMethodField()
    line_count = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()
    lots = serializers.SerializerMethodField()
    origin = OriginOutput(source="posting")
    told = serializers.SerializerMethodField()

    @extend_schema_field(EntryNameOutput(allow_null=True))
    def get_reversed_by(self, entry: Entry) -> Any:
        """Return the entry that takes this one back, if any."""
        reversal = Entry.objects.filter(reverses=entry).first()
        return EntryNameOutput(reversal).data if reversal else None

    @extend_schema_field(EntryNameOutput(allow_null=True))
    def get_replaces(self, entry: Entry) -> Any:
        """Return the entry that had the reference before, and was reversed; null where this is the first."""
        before, _after = explain.neighbours(entry)
        return EntryNameOutput(before).data if before else None

    @extend_schema_field(EntryNameOutput(allow_null=True))
    def get_replaced_by(self, entry: Entry) -> Any:
        """Return the entry that has the reference since this one was reversed, if any."""
        _before, after = explain.neighbours(entry)
        return EntryNameOutput(after).data if after else None

    def get_line_count(self, entry: Entry) -> int:
        """Return how many lines the entry has."""
        return entry.lines.count()

    @extend_schema_field(EntryLineOutput(many=True))
    def get_lines(self, entry: Entry) -> Any:
        """Return the first thousand lines; all of them are given a page at a time."""
        shown = entry.lines.select_related("account").order_by("id")[: explain.ENTRY_LINES_SHOWN]
        return EntryLineOutput(shown, many=True).data

    @extend_schema_field(ShownLotOutput(many=True))
    def get_lots(self, entry: Entry) -> Any:
        """Return the lots that the entry made, and what it took of lots or gave back."""
        return ShownLotOutput(shown_lots.of_entry(entry, explain.ENTRY_LINES_SHOWN), many=True).data

    def get_prior_period(self, entry: Entry) -> bool:
        """Return whether this entry corrects, on a day of its own, what is dated in an earlier period."""
        return entry.reverses is not None and entry.reverses.effective_on != entry.effective_on

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_told(self, entry: Entry) -> Any:
        """Return where the entry came from as far as it is known, down to the bytes of a file."""
        told = origins.of([entry.pk], whole=True)[entry.pk]
        return {"sentence": told.sentence, **told.facts, "differs": [each.as_dict() for each in told.complaints]}


@extend_schema_view(
    list=extend_schema(summary="List entries, newest first"),
    retrieve=extend_schema(summary="Show an entry with its lines and its origin"),
)
class EntryView(LookView):
    """The entries."""

    queryset = Entry.objects.all()
    book_path = "book__code"
    serializer_class = EntryOutput
    detail_serializer_class = EntryDetailOutput
    filters = EntryFilters
    reads = ("ledger_app.view_line", "ledger_app.view_posting")

    def get_queryset(self) -> QuerySet[Any]:
        """Bring what is shown with each row, in a number of statements that does not depend on the rows."""
        debits = (
            Line.objects.filter(entry=OuterRef("pk"))
            .order_by()
            .values("entry")
            .annotate(total=Total("amount", filter=Q(amount__gt=0)))
        )
        rows: QuerySet[Any] = super().get_queryset()
        rows = rows.select_related("book", "reverses").annotate(debits=TotalOf(debits.values("total")))
        if self.action == "retrieve":
            rows = rows.select_related("posting__posted_by")
        return rows

    @extend_schema(summary="List the lines of an entry, in their order", responses=EntryLineOutput(many=True))
    @action(detail=True, serializer_class=EntryLineOutput, pages=True, pagination_class=KeysetAscending)
    def lines(self, _request: Request, pk: str) -> Response:
        """Answer with a page of lines."""
        del pk
        return self.page(Line.objects.filter(entry=self.get_object()).select_related("account"))

    @extend_schema(summary="Say what reversing an entry would do, and what would refuse it", responses=ReversalPreviewOutput)
    @action(detail=True, url_path="reversal-preview", reads=("ledger_app.view_balance",))
    def reversal_preview(self, _request: Request, pk: str) -> Response:
        """Answer with the date, the balances before and after, and every refusal. Nothing is written."""
        del pk
        entry = Entry.objects.select_related("book", "posting").get(pk=self.get_object().pk)
        preview = reversals.preview(entry)
        return Response(ReversalPreviewOutput(preview._replace(refusals=(*reversals.standing(entry), *preview.refusals))).data)

    def narrow(self, rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
        """Return the entries that were asked for."""
        wanted = dict(asked)
        if "book" in wanted:
            wanted["book"] = books.find(wanted["book"])
        return rows.filter(**wanted)
