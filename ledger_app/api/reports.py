"""Reports of a book in the API: what they say, and as files."""

from functools import partial
from typing import Any

from django.http import FileResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors.api.fields import DayField, InstantField, KeyField, NumberTextField, OneOfField
from config.doors.api.input import Input
from config.doors.api.views import LookView, Output
from config.doors.taken_files import taken
from ledger_app import errors
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.books.queries import books
from ledger_app.explain import rules
from ledger_app.reports import book_reports, report_files
from ledger_app.reports.book_reports import Asked

KIND = "(?P<kind>[a-z0-9-]{1,32})"
ROWS_MOST = 10_000
ROWS = 1000
BOTH = "both"
READS = (
    *("ledger_app.view_account", "ledger_app.view_line", "ledger_app.view_entry", "ledger_app.view_posting"),
    *("ledger_app.view_period", "ledger_app.view_seal", "ledger_app.view_lot"),
)
KINDS = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=rules.KINDS)


class ReportInput(Input):
    """What a report is asked for: a period, or two days."""

    period = KeyField(max_length=20, required=False, help_text=_("The name of a period of the book."))
    effective_from = DayField(required=False, help_text=_("The first day, where no period is given."))
    effective_to = DayField(required=False, help_text=_("The last day, included."))
    known_at = InstantField(required=False, help_text=_("Without what was posted later; with a zone."))
    by = OneOfField(choices=rules.PARTS, default=rules.ROLE, help_text=_("What a trial balance is parted by."))
    compare = OneOfField(choices=(*rules.COMPARED, BOTH), required=False, help_text=_("What a trial balance is held beside."))
    account = KeyField(max_length=64, required=False, help_text=_("Whose general ledger it is."))
    role = KeyField(max_length=32, required=False, help_text=_("Of which accounts the general ledger is."))


class ReportRowsInput(ReportInput):
    """What a report is asked for, and how much of it."""

    rows = NumberTextField(required=False, min_value=1, max_value=ROWS_MOST, default=ROWS)


class ReportFileInput(ReportInput):
    """What a file of a report is asked for."""

    form = OneOfField(choices=(report_files.CSV, report_files.XLSX, report_files.JSON), default=report_files.CSV)
    encoding = OneOfField(choices=tuple(report_files.ENCODINGS), default=report_files.UTF8_MARK, help_text=_("Of a CSV."))


class ReportOutput(Output):
    """A report. Amounts are integers in minor units; a trial balance is signed debit positive, points in the members' direction."""

    report = serializers.CharField()
    book = serializers.CharField()
    unit = serializers.CharField()
    exponent = serializers.IntegerField()
    known_at = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField()
    compare = serializers.ListField(child=serializers.CharField())
    account = serializers.CharField(allow_null=True)
    role = serializers.CharField(allow_null=True)
    final = serializers.BooleanField(help_text=_("Whether all of its days are frozen, and everything ties out."))
    seal = serializers.CharField(
        help_text=_("The number of the seal that it agrees with and the beginning of its digest, or “not final”.")
    )
    differences = serializers.ListField(child=serializers.CharField(), help_text=_("What does not tie out."))
    rows = serializers.ListField(child=serializers.DictField(), help_text=_("By the columns that the documentation names."))
    more = serializers.BooleanField(help_text=_("Whether there are more rows: the file has all."))

    def get_fields(self) -> dict[str, Any]:
        """Add the two days, one of which has the name of a keyword."""
        return {**super().get_fields(), "from": serializers.DateField(), "to": serializers.DateField()}


class ReportedBookView(LookView):
    """Reports, beside what else is shown of a book."""

    @extend_schema(summary="Give a report of a book", parameters=[KINDS], responses=ReportOutput)
    @action(detail=True, url_path=f"reports/{KIND}", asks=ReportRowsInput, reads=READS)
    def report(self, _request: Request, code: str, kind: str) -> Response:
        """Answer with the trial balance, a general ledger or the movements of points of a span of days."""
        del code
        asked = self._asked_report(kind)
        with snapshot():
            found = report_files.as_object(book_reports.of(asked), self.asked["rows"])
        return Response(found)

    @extend_schema(
        summary="Give a report of a book as a file",
        parameters=[KINDS],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    @action(detail=True, url_path=f"reports/{KIND}/file", url_name="report-file", asks=ReportFileInput, reads=READS)
    def report_file(self, _request: Request, code: str, kind: str) -> FileResponse:
        """Answer with the file, which is whole before its first byte is sent. One that is not final is named draft-…."""
        del code
        asked = self._asked_report(kind)
        return taken(partial(report_files.write_named, asked, self.asked["form"], self.asked["encoding"]))

    def _asked_report(self, kind: str) -> Asked:
        """Return what is asked for, once it is seen that it can be told, and to whom."""
        if kind not in rules.KINDS:
            raise errors.Refused([errors.NotFound(what=_("report"), name=kind)])
        given, book = self.asked, self.get_object()
        days = given.get("effective_from"), given.get("effective_to")
        if ("period" in given) == (None not in days) or ("period" in given and any(days)):
            raise ValidationError({"period": [_("Give a period, or both days.")]})
        period = books.find_period(book.code, given["period"]) if "period" in given else None
        span = book_reports.span_of(book, period, *days, given.get("known_at"))
        assert span is not None  # noqa: S101 - one of the two was given
        compare = given.get("compare")
        asked = Asked(
            span=span,
            kind=kind,
            by=given["by"],
            compare=rules.COMPARED if compare == BOTH else (compare,) if compare else (),
            account=book_reports.find_account(book, given.get("account")),
            role=given.get("role", ""),
        )
        book_reports.check(asked, self.caller.user, is_waited_for=True)
        return asked
