"""Changes of settings in the API: proposed by one, decided by another."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors import callers as doorways
from config.doors.api.fields import DayField, KeyField, ListOfField, OneOfField, SwitchField, TextField, WholeNumberField
from config.doors.api.input import DecisionInput, Input
from config.doors.api.views import DigestOutput, LookView, OfferOutput, Output, offers
from ledger_app.accounting.rules.profile_toml import TEXT_BYTES_MOST
from ledger_app.models import LotRule, SettingChange
from ledger_app.setting_changes import operations as setting_changes
from ledger_app.setting_changes import queries as asked
from ledger_app.setting_changes.rules import CHANGE
from ledger_app.values.most import CLOSE_HOURS_MOST, MONTHS_AHEAD_MOST


class SettingChangeFilters(Input):
    """What a list of changes may be narrowed by."""

    state = OneOfField(choices=SettingChange.State.values, required=False)
    kind = OneOfField(choices=SettingChange.Kind.values, required=False)


class LotRuleInput(Input):
    """What the accounts of a role do with lots."""

    book = KeyField(max_length=20)
    role = KeyField(max_length=32)
    expiry = OneOfField(choices=LotRule.Expiry.values)
    validity = WholeNumberField(required=False, allow_null=True, min_value=1, help_text=_("Days or months."))
    fixed_on = DayField(required=False, allow_null=True)
    breakage = KeyField(max_length=64, help_text=_("The code of the account that takes what expires."))
    order = OneOfField(choices=LotRule.Order.values, required=False)
    kind = OneOfField(choices=LotRule.Kind.values, required=False)
    reason = TextField(allow_blank=True)


class HoldRuleInput(Input):
    """What a book says of holds. What is left out is not limited."""

    book = KeyField(max_length=20)
    amount_most = WholeNumberField(required=False, allow_null=True, min_value=1)
    amount_a_day = WholeNumberField(required=False, allow_null=True, min_value=1)
    hours_most = WholeNumberField(required=False, min_value=1)
    targets = ListOfField(child=KeyField(max_length=64), required=False)
    reason = TextField(allow_blank=True)


class ClosePolicyInput(Input):
    """What a book says of its close. Hours are counted from the end of a period's last day; what is left out is as usual."""

    book = KeyField(max_length=20)
    provisional_after_hours = WholeNumberField(required=False, min_value=0, max_value=CLOSE_HOURS_MOST)
    freeze_after_hours = WholeNumberField(required=False, min_value=0, max_value=CLOSE_HOURS_MOST)
    months_ahead = WholeNumberField(required=False, min_value=0, max_value=MONTHS_AHEAD_MOST)
    controls = ListOfField(child=KeyField(max_length=32), required=False, help_text=_("Control totals that a freeze needs."))
    reason = TextField(allow_blank=True)


class ProfileInput(Input):
    """What a profile of exports to accounting says. Book and name stand in it."""

    text = TextField(max_length=TEXT_BYTES_MOST, help_text=_("In TOML."))
    reason = TextField(allow_blank=True)


class RightsInput(Input):
    """Which rights a user is to have. A flag that is left out stays as it is."""

    user = KeyField(max_length=150)
    groups = ListOfField(child=KeyField(max_length=150), help_text=_("All that the user is to be in."))
    is_superuser = SwitchField(required=False)
    is_staff = SwitchField(required=False, help_text=_("Whether the pages let the user in."))
    is_active = SwitchField(required=False)
    reason = TextField(allow_blank=True)


class SettingChangeOutput(Output):
    """A proposal to change a setting."""

    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="limit, reason_code, template, lot_rule, hold_rule, close_policy, profile, rights")
    setting = serializers.CharField()
    arguments = serializers.DictField(help_text=_("What is set."))
    before = serializers.DictField(allow_null=True, help_text=_("What the setting said; null where there was none."))
    after = serializers.DictField(help_text=_("What the setting would say."))
    digest = DigestOutput()
    # The field of the shape, not of the framework.
    reason = serializers.CharField()
    state = serializers.CharField(help_text="proposed, applied, rejected, withdrawn")
    version = serializers.IntegerField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    decided_at = serializers.DateTimeField(allow_null=True)


class SettingChangeDetailOutput(SettingChangeOutput):
    """A proposal with what can be done next."""

    offers = serializers.SerializerMethodField()

    @extend_schema_field(OfferOutput(many=True))
    def get_offers(self, row: SettingChange) -> Any:
        """Return what can be done next."""
        caller = doorways.from_request(self.context["request"], "api")
        return OfferOutput(offers(CHANGE, asked.facts(row, user=caller.user, is_program=caller.is_program)), many=True).data


def propose(view: LookView, kind: str, said: Mapping[str, Any], *, version: int | None = None) -> Response:
    """Propose what ``said`` says, and answer with the proposal."""
    arguments = {name: value for name, value in said.items() if name != "reason"}
    row = setting_changes.propose(kind=kind, arguments=arguments, reason=said["reason"], caller=view.caller, version=version)
    shown = _shown(view, row.pk)
    shown.status_code = 201
    shown["Location"] = reverse("setting-change-detail", args=[row.pk], request=view.request)
    return shown


@extend_schema_view(
    list=extend_schema(summary="List changes of settings, newest first"),
    retrieve=extend_schema(summary="Show a change of a setting, and what can be done next"),
)
class SettingChangeView(LookView):
    """The proposals to change a setting that could move money."""

    queryset = SettingChange.objects.select_related("proposed_by", "decided_by")
    serializer_class = SettingChangeOutput
    detail_serializer_class = SettingChangeDetailOutput
    filters = SettingChangeFilters

    @extend_schema(summary="Propose a rule of lots", request=LotRuleInput, responses={201: SettingChangeDetailOutput})
    @action(detail=False, methods=["post"], url_path="lot-rules")
    def lot_rules(self, request: Request) -> Response:
        """Lots that are there keep their day."""
        said = self.read(LotRuleInput, request.data)
        if said.get("fixed_on") is not None:
            said["fixed_on"] = said["fixed_on"].isoformat()
        return propose(self, "lot_rule", said)

    @extend_schema(summary="Propose a rule of holds", request=HoldRuleInput, responses={201: SettingChangeDetailOutput})
    @action(detail=False, methods=["post"], url_path="hold-rules")
    def hold_rules(self, request: Request) -> Response:
        """Holds that are there stay as they are."""
        return propose(self, "hold_rule", self.read(HoldRuleInput, request.data))

    @extend_schema(summary="Propose a policy of the close", request=ClosePolicyInput, responses={201: SettingChangeDetailOutput})
    @action(detail=False, methods=["post"], url_path="close-policies")
    def close_policies(self, request: Request) -> Response:
        """Said whole, and in force from its approval on. What is frozen stays so."""
        return propose(self, "close_policy", self.read(ClosePolicyInput, request.data))

    @extend_schema(
        summary="Propose a profile of exports to accounting", request=ProfileInput, responses={201: SettingChangeDetailOutput}
    )
    @action(detail=False, methods=["post"])
    def profiles(self, request: Request) -> Response:
        """A profile that is there gets a new version; what was handed over stays."""
        return propose(self, "profile", self.read(ProfileInput, request.data))

    @extend_schema(summary="Propose which rights a user has", request=RightsInput, responses={201: SettingChangeDetailOutput})
    @action(detail=False, methods=["post"])
    def rights(self, request: Request) -> Response:
        """What is only taken away is not proposed: it is taken at once, on the pages. No token decides it."""
        return propose(self, "rights", self.read(RightsInput, request.data))

    @extend_schema(summary="Approve and apply a change", request=DecisionInput, responses={200: SettingChangeDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/approve")
    def approve(self, request: Request, pk: str) -> Response:
        """The setting is changed in the same transaction."""
        given = self.read(DecisionInput, request.data)
        note = given.pop("reason", "")
        setting_changes.approve(change_id=self.get_object().pk, caller=self.caller, note=note, **given)
        return _shown(self, int(pk))

    @extend_schema(summary="Reject a change", request=DecisionInput, responses={200: SettingChangeDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/reject")
    def reject(self, request: Request, pk: str) -> Response:
        """The setting stays as it is."""
        given = {"reason": "", **self.read(DecisionInput, request.data)}
        setting_changes.reject(change_id=self.get_object().pk, caller=self.caller, **given)
        return _shown(self, int(pk))

    @extend_schema(summary="Withdraw one's own change", request=DecisionInput, responses={200: SettingChangeDetailOutput})
    @action(detail=True, methods=["post"], url_path="transitions/withdraw")
    def withdraw(self, request: Request, pk: str) -> Response:
        """The setting stays as it is."""
        given = self.read(DecisionInput, request.data)
        setting_changes.withdraw(change_id=self.get_object().pk, caller=self.caller, **given)
        return _shown(self, int(pk))


def _shown(view: LookView, pk: int) -> Response:
    return Response(SettingChangeDetailOutput(asked.find(pk), context=view.get_serializer_context()).data)
