"""Explanations and statements of accounts in the API."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors import callers as doorways
from config.doors.api.fields import DayField, InstantField, KeyField, NumberTextField, day
from config.doors.api.input import Input
from config.doors.api.views import LookView, Output, ReasonOutput
from ledger_app.base.operations import knowing
from ledger_app.base.queries.snapshots import snapshot
from ledger_app.explain.queries import explain, explanations
from ledger_app.explain.queries import statements as lines
from ledger_app.explain.queries.statements import FIRST_DAY, Position, Span
from ledger_app.models import Account
from ledger_app.posting.queries import origins
from ledger_app.reports import statements
from ledger_app.values.instants import LAST_DAY
from ledger_app.values.most import LINES_RECOMPUTED_MOST

LINES_A_PAGE = 100
PAGE_MOST = 1000
PLACE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,18})", re.ASCII)
READS = (
    "ledger_app.view_line",
    "ledger_app.view_entry",
    "ledger_app.view_posting",
    "ledger_app.view_seal",
    "ledger_app.view_lot",
)


class PlaceField(KeyField):
    """Where a page begins: as the answer before it said."""

    default_error_messages = {"invalid": _("This place was not given out here. Begin at the first page.")}

    def to_internal_value(self, data: Any) -> Any:
        """Return the place."""
        match = PLACE.fullmatch(super().to_internal_value(data))
        found = day(match[1]) if match else None
        return Position(found, int(match[2])) if match and found else self.fail("invalid")


class AsKnownInput(Input):
    """As known at which instant, and how much of it at a time."""

    known_at = InstantField(required=False, help_text=_("Without what was posted later; with a zone."))
    lines = NumberTextField(required=False, min_value=1, max_value=PAGE_MOST, default=LINES_A_PAGE)


class ExplanationInput(AsKnownInput):
    """What an explanation is asked for."""

    at = DayField(required=False, help_text=_("Entries dated up to and on this day."))
    before = PlaceField(required=False, help_text=_("The “older” of the answer before."))
    sealed_before = PlaceField(required=False, help_text=_("The “sealed_older” of the answer before."))


class StatementInput(AsKnownInput):
    """What a statement is asked for."""

    effective_from = DayField(required=False, help_text=_("The first date, included."))
    effective_to = DayField(required=False, help_text=_("The last date, included."))
    after = PlaceField(required=False, help_text=_("The “later” of the answer before."))


class ExplainedSealOutput(Output):
    """The seal that a balance rests on."""

    number = serializers.IntegerField()
    period = serializers.CharField()
    ends_on = serializers.DateField()
    digest = serializers.CharField()
    sealed_at = serializers.DateTimeField()
    recomputes = serializers.BooleanField(
        allow_null=True, help_text=_("Null: not recomputed here, as it reads the whole period.")
    )


class ExplainedLineOutput(Output):
    """An entry since the last seal, with where it came from."""

    entry = serializers.IntegerField()
    date = serializers.DateField()
    reference = serializers.CharField()
    description = serializers.CharField()
    amount = serializers.IntegerField()
    running = serializers.IntegerField(
        allow_null=True, help_text=_("The balance after it, in the order of dates; null: too far to add up while somebody waits.")
    )
    balance_after = serializers.IntegerField(help_text=_("The balance of the account's stripe after this line."))
    reverses = serializers.CharField()
    prior_period = serializers.BooleanField()
    posted_at = serializers.DateTimeField()
    posted_by = serializers.CharField()
    origin = serializers.DictField()


class OpenLotOutput(Output):
    """A lot of which something is left. A deficit is owed: its amounts are negative."""

    lot = serializers.IntegerField()
    kind = serializers.CharField(help_text="paid, free, deficit")
    granted_by = serializers.CharField()
    granted_on = serializers.DateField()
    due_on = serializers.DateField(allow_null=True, help_text=_("The day on which what is left expires."))
    amount = serializers.IntegerField()
    remaining = serializers.IntegerField()
    held = serializers.IntegerField()


class ExplanationOutput(Output):
    """What the balance of an account is the sum of. Amounts are signed minor units, debit positive; null takes reading too many lines."""

    kind = serializers.CharField()
    book = serializers.CharField()
    account = serializers.CharField()
    role = serializers.CharField()
    category = serializers.CharField()
    state = serializers.CharField()
    member_numbers = serializers.ListField(child=serializers.CharField())
    unit = serializers.CharField()
    exponent = serializers.IntegerField()
    at = serializers.DateField(allow_null=True)
    known_at = serializers.DateTimeField(allow_null=True)
    explained = serializers.IntegerField(allow_null=True, help_text=_("The balance as asked: sealed_balance and since."))
    seal = ExplainedSealOutput(allow_null=True)
    sealed_balance = serializers.IntegerField(allow_null=True)
    since = serializers.IntegerField(allow_null=True)
    since_count = serializers.IntegerField(allow_null=True)
    dated_later = serializers.IntegerField(allow_null=True)
    dated_later_count = serializers.IntegerField(allow_null=True)
    posted_later = serializers.IntegerField(allow_null=True)
    posted_later_count = serializers.IntegerField(allow_null=True)
    balance = serializers.IntegerField(help_text=_("The balance that is stored now."))
    recomputed = serializers.IntegerField(
        allow_null=True, help_text=_("The sum of all lines there are now; null: too many lines to add up while somebody waits.")
    )
    standing = serializers.DictField(help_text=_("Of now: held, overdue, upcoming and spendable, in the natural direction."))
    line_count = serializers.IntegerField()
    differing_stripes = serializers.ListField(child=serializers.DictField())
    open_lots = OpenLotOutput(many=True, help_text=_("What is left now of the account's lots, due first first, at most fifty."))
    lines = ExplainedLineOutput(many=True, help_text=_("The latest first."))
    sealed_lines = ExplainedLineOutput(
        many=True, help_text=_("What the sealed balance was made of, the latest first; in the same form.")
    )
    differs = ReasonOutput(many=True, help_text=_("What is stored and does not recompute."))
    older = serializers.CharField(allow_null=True, help_text=_("Where the next page begins: send it as “before”."))
    sealed_older = serializers.CharField(
        allow_null=True, help_text=_("Where the next page of sealed lines begins: send it as “sealed_before”.")
    )


class MovementOutput(Output):
    """One line of a statement."""

    line = serializers.IntegerField()
    entry = serializers.IntegerField()
    date = serializers.DateField()
    reference = serializers.CharField()
    description = serializers.CharField()
    amount = serializers.IntegerField()
    running = serializers.IntegerField(allow_null=True)
    reverses = serializers.CharField()
    reverses_date = serializers.DateField(allow_null=True)
    prior_period = serializers.BooleanField()
    posted_at = serializers.DateTimeField()
    posted_by = serializers.CharField()
    origin = serializers.CharField()
    origin_number = serializers.IntegerField()


class StatementHeadOutput(Output):
    """What a statement says beside its movements. Amounts are signed minor units, debit positive; null takes reading too many lines."""

    book = serializers.CharField()
    account = serializers.CharField()
    category = serializers.CharField()
    unit = serializers.CharField()
    exponent = serializers.IntegerField()
    known_at = serializers.DateTimeField(allow_null=True)
    opening = serializers.IntegerField(allow_null=True)
    debit = serializers.IntegerField(allow_null=True)
    credit = serializers.IntegerField(allow_null=True)
    closing = serializers.IntegerField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)
    movements = MovementOutput(many=True)
    later = serializers.CharField(allow_null=True, help_text=_("Where the next page begins: send it as “after”."))

    def get_fields(self) -> dict[str, Any]:
        """Add the two days, one of which has the name of a keyword."""
        day = serializers.DateField(allow_null=True)
        return {**super().get_fields(), "from": day, "to": serializers.DateField(allow_null=True)}


class ExplainedAccountView(LookView):
    """Explanation and statement, beside what else is shown of an account."""

    @extend_schema(
        summary="Explain the balance of an account at any day, as known at any instant",
        responses=ExplanationOutput,
    )
    @action(detail=True, asks=ExplanationInput, reads=READS)
    def explanation(self, _request: Request, pk: str) -> Response:
        """Answer with the sealed balance, the entries since with where they came from, and what does not recompute."""
        del pk
        asked = self.asked
        account: Account = self.get_object()
        knowing.settle(book=account.book, known_at=asked.get("known_at"))
        with snapshot():
            explained = explain.account(
                account,
                at=asked.get("at"),
                known_at=asked.get("known_at"),
                last=asked["lines"],
                before=asked.get("before"),
                sealed=asked["lines"],
                sealed_before=asked.get("sealed_before"),
                lines_most=LINES_RECOMPUTED_MOST,
            )
            found = explanations.as_object(explained, origins.of(explained.shown_entries), now=doorways.now())
        return Response({**found, "older": _text(explained.movements.goes_on), "sealed_older": _text(explained.sealed.goes_on)})

    @extend_schema(
        summary="Give the statement of an account for a span of dates, as known at any instant",
        responses=StatementHeadOutput,
    )
    @action(detail=True, asks=StatementInput, reads=READS)
    def statement(self, _request: Request, pk: str) -> Response:
        """Answer with opening, a page of movements with the running balance, and closing."""
        del pk
        asked = self.asked
        account: Account = self.get_object()
        span = Span(account, asked.get("effective_from", FIRST_DAY), asked.get("effective_to", LAST_DAY), asked.get("known_at"))
        statements.check(span)
        with snapshot():
            sums = lines.figures(span)
            found = lines.page(span, after=asked.get("after"), limit=asked["lines"], summed=sums)
            head = statements.head(span, sums)
        movements = [statements.movement_object(each) for each in found]
        return Response({**head, "movements": movements, "later": _text(found.goes_on)})


def _text(place: Position | None) -> str | None:
    return None if place is None else f"{place.effective_on.isoformat()}.{place.line_id}"
