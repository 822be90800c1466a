"""Members in the API: found by any identifier, given identifiers, merged."""

import io
import json
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors import callers as doorways
from config.doors.api.fields import DayField, DigestField, KeyField, OneOfField, TextField, WholeNumberField
from config.doors.api.input import DecisionInput, Input
from config.doors.api.views import DigestOutput, LookView, OfferOutput, Output, ReasonOutput, offers
from ledger_app.api.erasures import NameActions
from ledger_app.api.registering import MembersInput, RegisteredOutput
from ledger_app.members.operations import members as operations
from ledger_app.members.operations import merges as merging
from ledger_app.members.operations import registering
from ledger_app.members.queries import members, merges
from ledger_app.members.rules.merges import MERGE, digest
from ledger_app.models import Holder, Identifier, Merge
from ledger_app.points.queries import standing
from ledger_app.values.identifiers import KINDS


class FindInput(Input):
    """What a search takes: in the body, since a card number does not belong in an address."""

    text = KeyField(
        max_length=64, may_be_card=True, help_text=_("An identifier, whole or its beginning, or the beginning of a name.")
    )
    by = OneOfField(choices=[each.value for each in members.By], required=False)
    after = KeyField(required=False, allow_blank=True, max_length=120, help_text=_("What the page before gave out."))
    most = WholeNumberField(required=False, min_value=1, max_value=1000)


class MatchOutput(Output):
    """A member that was found."""

    member = serializers.IntegerField()
    name = serializers.CharField()
    member_numbers = serializers.ListField(child=serializers.CharField())
    remains = serializers.IntegerField(
        help_text=_("The member who remains after merges; the member itself where there was none.")
    )
    kind = serializers.CharField(help_text=_("The kind of the identifier that was found; empty for a name."))
    value = serializers.CharField(help_text=_("What was found; of a card number the last four."))


class FoundOutput(Output):
    """A page of members."""

    by = serializers.CharField()
    matches = MatchOutput(many=True)
    after = serializers.CharField(help_text=_("Leads to the next page; empty on the last."))


class IdentifierInput(Input):
    """An identifier to be given to a member."""

    kind = OneOfField(choices=list(KINDS))
    value = KeyField(max_length=64, may_be_card=True)
    active_from = DayField(required=False, allow_null=True)
    active_to = DayField(required=False, allow_null=True)
    reason = TextField(max_length=500)


class EndInput(Input):
    """How an identifier ends."""

    identifier = WholeNumberField(min_value=1, help_text=_("The number of the identifier."))
    active_to = DayField(help_text=_("Its last day."))
    reason = TextField(max_length=500)


class IdentifierOutput(Output):
    """An identifier; of a card number the last four."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    value = serializers.CharField(source="shown")
    active_from = serializers.DateField(allow_null=True)
    active_to = serializers.DateField(allow_null=True)


class AnsweredOutput(Output):
    """An identifier of which something was asked."""

    id = serializers.IntegerField(source="identifier.pk")
    kind = serializers.CharField(source="identifier.kind")
    value = serializers.CharField(source="identifier.shown")
    active_from = serializers.DateField(source="identifier.active_from", allow_null=True)
    active_to = serializers.DateField(source="identifier.active_to", allow_null=True)


class GivenOutput(AnsweredOutput):
    """An identifier that was asked to be given, and what became of it."""

    answer = serializers.ChoiceField(
        choices=[each.value for each in operations.GIVING],
        help_text=_(
            "“given” where it is new, “already” where the member has it, “ahead” where the member has it from a later day on, “again” where it had ended."
        ),
    )


class EndedOutput(AnsweredOutput):
    """An identifier that was asked to end, and what became of it."""

    answer = serializers.ChoiceField(
        choices=[each.value for each in operations.ENDING],
        help_text=_("“ended” where it has this last day now, “already” where it had: nothing was written then."),
    )


class MemberOutput(Output):
    """A member."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    opened_at = serializers.DateTimeField()
    merged_into = serializers.IntegerField(source="merged_into_id", allow_null=True)


class MemberDetailOutput(MemberOutput):
    """A member with its identifiers, accounts and merges."""

    remains = serializers.SerializerMethodField()
    identifiers = serializers.SerializerMethodField()
    accounts = serializers.SerializerMethodField()
    merges = serializers.SerializerMethodField()

    @extend_schema_field(int)
    def get_remains(self, holder: Holder) -> int:
        """Return who remains after merges."""
        return merges.survivors([holder.pk])[holder.pk]

    @extend_schema_field(IdentifierOutput(many=True))
    def get_identifiers(self, holder: Holder) -> Any:
        """Return the identifiers."""
        return IdentifierOutput(holder.identifiers.order_by("kind", "id"), many=True).data

    @extend_schema_field({"type": "array", "items": {"type": "object"}})
    def get_accounts(self, holder: Holder) -> list[dict[str, Any]]:
        """Return the accounts with their signed balances, and what of them can be spent, in their natural direction."""
        names = ("id", "book", "role", "code", "category", "state", "amount")
        found = standing.of_member(holder.pk, at=doorways.now())
        return [
            {**{name: getattr(each, name) for name in names}, **found[each.id].parts()} for each in merges.accounts_of(holder.pk)
        ]

    @extend_schema_field({"type": "array", "items": {"type": "integer"}})
    def get_merges(self, holder: Holder) -> list[int]:
        """Return the numbers of the last merges that name the member, whichever way."""
        return [each.pk for each in merges.of_member(holder.pk, members.PAGE)]


@extend_schema_view(
    list=extend_schema(summary="List members"),
    retrieve=extend_schema(summary="Show a member with identifiers, accounts and merges"),
)
class MemberView(NameActions, LookView):
    """The members."""

    looks = frozenset({"find"})
    queryset = Holder.objects.all()
    serializer_class = MemberOutput
    detail_serializer_class = MemberDetailOutput
    reads = ("ledger_app.view_identifier", "ledger_app.view_account", "ledger_app.view_balance", "ledger_app.view_merge")

    @extend_schema(summary="Register members", request=MembersInput, responses={200: RegisteredOutput, 422: RegisteredOutput})
    def create(self, request: Request) -> Response:
        """All or none, with the accounts that the books' templates say. A larger number goes by a file and the command."""
        said = self.read(MembersInput, request.data)["members"]
        lines = "".join(json.dumps(dict(each), ensure_ascii=False) + "\n" for each in said)
        receipt = registering.register(stream=io.BytesIO(lines.encode()), name="API", caller=self.caller)
        shown = {**receipt.counts(), "findings": [finding.as_dict() for finding in receipt.findings]}
        return Response(RegisteredOutput(shown).data, status=422 if receipt.finding_count else 200)

    @extend_schema(summary="Find members by any identifier or name", request=FindInput, responses={200: FoundOutput})
    @action(detail=False, methods=["post"])
    def find(self, request: Request) -> Response:
        """Look for members, and write nothing."""
        given = self.read(FindInput, request.data)
        by = members.By(given["by"]) if "by" in given else None
        found = members.search(given["text"], by=by, after=given.get("after", ""), most=given.get("most", members.PAGE))
        shown = members.shown(match.holder_id for match in found.matches)
        matches = [
            {**shown[match.holder_id]._asdict(), "member": match.holder_id, "kind": match.kind, "value": match.value}
            for match in found.matches
        ]
        return Response(FoundOutput({"by": found.by.value, "matches": matches, "after": found.after}).data)

    @extend_schema(summary="Give an identifier to a member", request=IdentifierInput, responses={200: GivenOutput})
    @action(detail=True, methods=["post"])
    def identifiers(self, request: Request, pk: str) -> Response:
        """Give an identifier, or find it given."""
        del pk
        given = self.read(IdentifierInput, request.data)
        span = operations.Span(given.pop("active_from", None), given.pop("active_to", None))
        return Response(GivenOutput(operations.give(holder_id=self.get_object().pk, caller=self.caller, span=span, **given)).data)

    @extend_schema(summary="End an identifier of a member", request=EndInput, responses={200: EndedOutput})
    @action(detail=True, methods=["post"], url_path="identifiers/end")
    def end_identifier(self, request: Request, pk: str) -> Response:
        """Set an identifier's last day."""
        del pk
        given = self.read(EndInput, request.data)
        # One of somebody else's is none of this member's.
        own = Identifier.objects.filter(holder=self.get_object(), pk=given.pop("identifier")).values_list("id", flat=True)
        return Response(EndedOutput(operations.end_identifier(identifier_id=own.first() or 0, caller=self.caller, **given)).data)


class AmountInput(Input):
    """What an undoing gives back on one account."""

    book = KeyField(max_length=20)
    role = KeyField(max_length=32)
    amount = WholeNumberField(min_value=1, help_text=_("Minor units, in the natural direction of the account."))


class MergeInput(Input):
    """A merge to be proposed: of two members, or the undoing of a merge."""

    holder = WholeNumberField(required=False, min_value=1, help_text=_("The member who ends."))
    survivor = WholeNumberField(required=False, min_value=1, help_text=_("The member who remains."))
    undoes = WholeNumberField(required=False, min_value=1, help_text=_("The merge to be undone, in place of the two members."))
    amounts = AmountInput(
        many=True, required=False, help_text=_("What an undoing gives back; what was moved where it is not given.")
    )
    effective_on = DayField(required=False, help_text=_("The date of the entries; without it the day of the decision."))
    reason = TextField(max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what names neither two members nor a merge, or both."""
        named = {"holder", "survivor", "undoes", "amounts"} & attrs.keys()
        if named != {"holder", "survivor"} and named - {"amounts"} != {"undoes"}:
            raise serializers.ValidationError(_("Name holder and survivor, or the merge to be undone."))
        return attrs


class MergeApproveInput(DecisionInput):
    """What approving a merge takes."""

    plan = DigestField(help_text=_("The digest of the plan that you were shown."))


class MergeOutput(Output):
    """A merge, proposed, decided or withdrawn."""

    id = serializers.IntegerField()
    state = serializers.CharField(help_text="proposed, done, rejected, withdrawn")
    version = serializers.IntegerField()
    holder = serializers.IntegerField(source="holder_id")
    survivor = serializers.IntegerField(source="survivor_id", allow_null=True)
    undoes = serializers.IntegerField(source="undoes_id", allow_null=True)
    effective_on = serializers.DateField(allow_null=True)
    reason = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    decided_at = serializers.DateTimeField(allow_null=True)
    preview = serializers.DictField(help_text=_("What it came to when it was proposed."))
    decided_preview = serializers.DictField(allow_null=True)
    decided_digest = DigestOutput(allow_null=True)


class MergeDetailOutput(MergeOutput):
    """A merge with what it would do now, and what can be done next."""

    plan_now = serializers.SerializerMethodField()
    plan = serializers.SerializerMethodField(help_text=_("The digest of the plan as it is now, which an approval names."))
    offers = serializers.SerializerMethodField()

    def to_representation(self, instance: Merge) -> dict[str, Any]:
        """Gather once what the guards are asked with."""
        caller = doorways.from_request(self.context["request"], "api")
        self.facts = merges.facts(instance, user=caller.user, at=caller.at)
        shown: dict[str, Any] = super().to_representation(instance)
        return shown

    @extend_schema_field({"type": "object"})
    def get_plan_now(self, _merge: Merge) -> dict[str, Any]:
        """Return what an approval would do now."""
        return self.facts.plan.as_json()

    @extend_schema_field({"type": "string"})
    def get_plan(self, _merge: Merge) -> str:
        """Return the digest of that."""
        return digest(self.facts.plan.as_json()).hex()

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, _merge: Merge) -> Any:
        """Return what can be done next."""
        return OfferOutput(offers(MERGE, self.facts), many=True).data


class MergePreviewOutput(Output):
    """What a proposal would come to."""

    plan_now = serializers.DictField(help_text=_("What would move, as things are now."))
    refusals = ReasonOutput(many=True, help_text=_("What would refuse it now; empty where nothing would."))


class MergeFilters(Input):
    """What a list of merges may be narrowed by."""

    state = OneOfField(choices=Merge.State.values, required=False)


@extend_schema_view(
    list=extend_schema(summary="List merges, newest first"),
    retrieve=extend_schema(summary="Show a merge, what it would do, and what can be done next"),
)
class MergeView(LookView):
    """The merges of members."""

    looks = frozenset({"preview"})
    queryset = Merge.objects.select_related("proposed_by", "decided_by", "undoes")
    serializer_class = MergeOutput
    detail_serializer_class = MergeDetailOutput
    filters = MergeFilters
    reads = ("ledger_app.view_holder", "ledger_app.view_identifier", "ledger_app.view_account", "ledger_app.view_balance")

    @extend_schema(summary="Propose a merge, or the undoing of one", request=MergeInput, responses={201: MergeDetailOutput})
    def create(self, request: Request) -> Response:
        """Propose; another person decides."""
        made = merging.propose(self._wanted(request), caller=self.caller)
        return self._shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Say what a merge, or the undoing of one, would do", request=MergeInput, responses={200: MergePreviewOutput}
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Write nothing."""
        plan, refusals, _shown = merges.preview(self._wanted(request), user=self.caller.user, at=self.caller.at)
        said = {"plan_now": plan.as_json(), "refusals": [reason.as_dict() for reason in refusals]}
        return Response(MergePreviewOutput(said).data)

    def _wanted(self, request: Request) -> Merge:
        given = self.read(MergeInput, request.data)
        shared = {"reason": given["reason"], "effective_on": given.get("effective_on")}
        if "undoes" not in given:
            return merges.proposal(holder_id=given["holder"], survivor_id=given["survivor"], **shared)
        amounts = [(each["book"], each["role"], each["amount"]) for each in given["amounts"]] if "amounts" in given else None
        return merges.undoing(merge_id=given["undoes"], amounts=amounts, **shared)

    @extend_schema(summary="Approve a merge and carry it out", request=MergeApproveInput, responses={200: MergeDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/approve")
    def approve(self, request: Request, pk: str) -> Response:
        """Carry out what was shown, or say that it has changed."""
        given = self.read(MergeApproveInput, request.data)
        merging.approve(merge_id=self.get_object().pk, digest_shown=given.pop("plan"), caller=self.caller, **given)
        return self._shown(int(pk))

    @extend_schema(summary="Reject a merge", request=DecisionInput, responses={200: MergeDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/reject")
    def reject(self, request: Request, pk: str) -> Response:
        """Nothing moves."""
        return self._end("reject", request, pk)

    @extend_schema(summary="Withdraw a proposal", request=DecisionInput, responses={200: MergeDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """Nothing moves."""
        return self._end("withdraw", request, pk)

    def _end(self, name: str, request: Request, pk: str) -> Response:
        given = {"reason": "", **self.read(DecisionInput, request.data)}
        merging.end(merge_id=self.get_object().pk, name=name, caller=self.caller, **given)
        return self._shown(int(pk))

    def _shown(self, pk: int, number: int = status.HTTP_200_OK) -> Response:
        merge = self.get_queryset().get(pk=pk)
        return Response(MergeDetailOutput(merge, context=self.get_serializer_context()).data, status=number)
