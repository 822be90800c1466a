"""Many things in one request: entries, adjustments, holds and settlements, each with an outcome of its own."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors.api import problems
from config.doors.api.fields import BIGINT, DayField, KeyField, OneOfField, SwitchField, TextField, WholeNumberField, day
from config.doors.api.input import BulkJSONParser, Input, StepInput
from config.doors.api.views import DoorView, Output, ProblemOutput, ReasonOutput
from ledger_app import errors
from ledger_app.adjustments.operations import adjustments
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.api.adjustments import PlainProposalInput
from ledger_app.api.holds import BalanceInput, HoldInput
from ledger_app.base.operations import outcomes
from ledger_app.base.operations.audit import Caller
from ledger_app.base.operations.outcomes import ITEMS_MOST, Outcome
from ledger_app.books.queries import books
from ledger_app.errors.requests import BulkRefused, KeyTwice
from ledger_app.models import Adjustment, Hold
from ledger_app.points.operations import holds, placing
from ledger_app.points.queries import holds as hold_rows
from ledger_app.programs.operations import ahead, submissions
from ledger_app.programs.operations.submissions import Expected, Given

ALL, EACH = "all", "each"
# Reasons of a request that are told item by item; of those after it, the gravest of each item alone.
REASONS_MOST: Final = 2_000

Action = TypeVar("Action", bound=Callable[..., Any])


class Items(serializers.ListSerializer[Any]):
    """A list of shapes within a body."""


class ManyInput(Input):
    """What every request of many items says of itself."""

    mode = OneOfField(
        choices=[ALL, EACH],
        help_text=_("“all”: where one is refused, nothing is done. “each”: each for itself, in the order given."),
    )
    dry_run = SwitchField(
        required=False, default=False, help_text=_("Do all of it and undo it: the answer is what would have been done.")
    )


class EntryLineInput(Input):
    """A line of an entry."""

    account = KeyField(max_length=64, help_text=_("The code of the account."))
    amount = WholeNumberField(help_text=_("Signed minor units, debit positive; not 0. The lines of an entry come to 0."))


class EntryItems(Items):
    """Entries of a request. What has the plain form of one is taken at once; anything else is told what is wrong, field by field."""

    def run_child_validation(self, data: Any) -> Any:
        """Return one entry."""
        found = _plain(data)
        if found is None:
            said = super().run_child_validation(data)
            lines = tuple((line["account"], line["amount"]) for line in said.pop("lines"))
            return Given(**said, lines=lines)
        return found


class EntryInput(Input):
    """An entry to be posted."""

    book = KeyField(max_length=64, help_text=_("The code of the book."))
    effective_on = DayField()
    reference = KeyField(max_length=100, help_text=_("A name of your own, once in a book: sent again, it is found."))
    description = TextField(max_length=200, required=False, allow_blank=True, default="")
    lines = Items(child=EntryLineInput(), min_length=2)


class ExpectedInput(Input):
    """A balance that the caller believes in."""

    book = KeyField(max_length=64)
    account = KeyField(max_length=64)
    balance = WholeNumberField(help_text=_("Before the request, in the natural direction of the account."))


class EntriesInput(ManyInput):
    """Entries to be posted."""

    entries = EntryItems(child=EntryInput(), min_length=1, max_length=ITEMS_MOST)
    expected = Items(
        child=ExpectedInput(),
        required=False,
        default=list,
        max_length=100,
        help_text=_("Refused as a whole where one of them is another."),
    )


class ProposalsInput(ManyInput):
    """Adjustments to be proposed."""

    adjustments = Items(child=PlainProposalInput(), min_length=1, max_length=ITEMS_MOST)


class HoldsInput(ManyInput):
    """Holds to be placed."""

    holds = Items(child=HoldInput(), min_length=1, max_length=ITEMS_MOST)


class SettlementInput(BalanceInput, StepInput):
    """A settlement of a hold."""

    book = KeyField(max_length=64, help_text=_("The code of the book."))
    reference = KeyField(max_length=100, help_text=_("The reference of the hold."))
    amount = WholeNumberField(help_text=_("Minor units, no more than is held; the rest is let go."))
    effective_on = DayField(required=False, allow_null=True, default=None)


class SettlementsInput(ManyInput):
    """Holds to be settled."""

    settlements = Items(child=SettlementInput(), min_length=1, max_length=ITEMS_MOST)


class OutcomeOutput(Output):
    """What became of an item."""

    outcome = serializers.ChoiceField(
        choices=[outcomes.CREATED, outcomes.EXISTS, outcomes.REFUSED, outcomes.LEFT],
        help_text=_("“left”: it could have been done, and was not, as others were refused."),
    )
    id = serializers.IntegerField(allow_null=True, help_text=_("The number of what was made or found."))
    reasons = ReasonOutput(many=True)


class ManyOutput(Output):
    """The outcomes, in the order of the items."""

    dry_run = serializers.BooleanField()
    created = serializers.IntegerField()
    exists = serializers.IntegerField()
    refused = serializers.IntegerField()
    outcomes = OutcomeOutput(many=True)


class ManyRefusedOutput(ProblemOutput):
    """Nothing was done, and what each item would have come to."""

    outcomes = OutcomeOutput(many=True)


def _described(summary: str, request: type[Input]) -> Callable[[Action], Action]:
    refused = {(409, problems.MEDIA_TYPE): ManyRefusedOutput}
    described: Callable[[Action], Action] = extend_schema(
        summary=summary, request=request, responses={200: ManyOutput, **refused}
    )
    return described


class ManyView(DoorView):
    """Requests of many items. Who may do what, the operations decide for each item."""

    permission_classes = [IsAuthenticated]
    parser_classes = [BulkJSONParser]
    pagination_class = None
    serializer_class = ManyOutput
    names_books = frozenset({"entries", "adjustments", "holds", "settlements"})

    @_described("Post entries", EntriesInput)
    @action(detail=False, methods=["post"])
    def entries(self, request: Request) -> Response:
        """Post up to 10,000 entries, as a program of the group “machine”."""
        given = self.read(EntriesInput, request.data)
        done = submissions.submit(
            given=given["entries"],
            caller=self.caller,
            is_all=given["mode"] == ALL,
            is_dry=given["dry_run"],
            expected=[Expected(**each) for each in given["expected"]],
        )
        return _answer(done, given)

    @_described("Propose adjustments", ProposalsInput)
    @action(detail=False, methods=["post"])
    def adjustments(self, request: Request) -> Response:
        """Propose up to 10,000 adjustments, each by its key, which stands for one of a request. What is attached is proposed one at a time."""
        caller = self.caller
        expires_at = caller.at + timedelta(days=settings.KAKUTEI_PROPOSAL_DAYS)

        given = self.read(ProposalsInput, request.data)
        firsts: dict[str, int] = {}
        for place, each in enumerate(given["adjustments"]):
            firsts.setdefault(each["key"], place)

        def propose(each: dict[str, Any]) -> tuple[int, bool]:
            first = firsts[each["key"]]
            if each != given["adjustments"][first]:
                raise errors.Refused([KeyTwice(key=each["key"], first=first)])
            key = {"proposed_by": caller.user, "key": each["key"]}
            is_new = not Adjustment.objects.filter(**key).exists()
            row = adjustments.propose(proposal=Proposal(**each, attachments=()), caller=caller, expires_at=expires_at)
            return row.pk, is_new

        return self._each(given, "adjustments", propose)

    @_described("Hold points of many accounts", HoldsInput)
    @action(detail=False, methods=["post"])
    def holds(self, request: Request) -> Response:
        """Place up to 10,000 holds, each by its reference."""
        given = self.read(HoldsInput, request.data)
        done = placing.place_many(
            given=[placing.Given(each.pop("book"), each.pop("account"), each.pop("target"), each) for each in given["holds"]],
            caller=self.caller,
            is_all=given["mode"] == ALL,
            is_dry=given["dry_run"],
        )
        return _answer(done, given)

    @_described("Settle many holds", SettlementsInput)
    @action(detail=False, methods=["post"])
    def settlements(self, request: Request) -> Response:
        """Settle up to 10,000 holds, each by its reference."""
        caller = self.caller

        def settle(each: dict[str, Any]) -> tuple[int, bool]:
            row = hold_rows.find(books.find(each.pop("book")), each.pop("reference"))
            holds.settle(hold_id=row.pk, caller=caller, **each)
            return row.pk, row.state != Hold.State.SETTLED

        given = self.read(SettlementsInput, request.data)
        settled = {(each["book"], each["reference"]): each["effective_on"] for each in given["settlements"]}
        return self._each(given, "settlements", settle, lock_ahead=lambda: ahead.for_settlements(settled, caller=caller))

    def _each(
        self,
        given: dict[str, Any],
        name: str,
        do: Callable[[dict[str, Any]], tuple[int, bool]],
        *,
        lock_ahead: Callable[[], None] | None = None,
    ) -> Response:
        """Do each of the items by ``do``, which is given a copy: what is tried again begins with what was sent."""
        caller: Caller = self.caller
        done = outcomes.of_each(
            given[name],
            lambda each: do(dict(each)),
            what=f"{len(given[name])} {name}",
            caller=caller,
            is_all=given["mode"] == ALL,
            is_dry=given["dry_run"],
            lock_ahead=lock_ahead,
        )
        return _answer(done, given)


def _answer(done: Sequence[Outcome], given: dict[str, Any]) -> Response:
    shown = []
    told = 0
    for each in done:
        # Bounded, since a request names an account in fewer bytes than its refusal is told in, and the answer is kept under a key.
        reasons = each.reasons[: outcomes.REASONS_KEPT if told < REASONS_MOST else 1]
        told += len(reasons)
        shown.append({"outcome": each.outcome, "id": each.id, "reasons": [reason.as_dict() for reason in reasons]})
    refused = sum(each.outcome == outcomes.REFUSED for each in done)
    if refused and given["mode"] == ALL:
        error = BulkRefused(refused=refused, count=len(done))
        number = status.HTTP_409_CONFLICT
        body = problems.body(number, error.code, error.sentence, outcomes=shown)
        return Response(body, status=number, content_type=problems.MEDIA_TYPE)
    counts = {name: sum(each.outcome == name for each in done) for name in (outcomes.CREATED, outcomes.EXISTS)}
    return Response({"dry_run": given["dry_run"], **counts, "refused": refused, "outcomes": shown})


def _plain(data: Any) -> Given | None:
    """Return an entry that has the plain form of one; None of anything else, which the fields are asked about."""
    try:
        book, on, reference, lines = data["book"], data["effective_on"], data["reference"], data["lines"]
        description = data.get("description", "")
        if len(data) != 4 + ("description" in data) or type(lines) is not list or len(lines) < 2:
            return None
        for text in (book, reference, description):
            if type(text) is not str or not text.isascii() or not text.isprintable() or len(text) > 64:
                return None
        effective_on = day(on)
        if effective_on is None or not book or not reference or book != book.strip() or reference != reference.strip():
            return None
        found = []
        for line in lines:
            code, amount = line["account"], line["amount"]
            is_sound = (
                type(code) is str and code.isascii() and code.isprintable() and 0 < len(code) <= 64 and code == code.strip()
            )
            if not is_sound or type(amount) is not int or not -BIGINT <= amount <= BIGINT or len(line) != 2:
                return None
            found.append((code, amount))
        return Given(book, effective_on, reference, description, tuple(found))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
