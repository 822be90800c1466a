"""Reason codes and limits of adjustments in the API: listed, and changed by proposals."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.doors.api.fields import ByNameField, KeyField, SwitchField, TextField, WholeNumberField
from config.doors.api.input import Input
from config.doors.api.views import LookView, Output
from ledger_app.adjustments.operations import reason_codes
from ledger_app.api.setting_changes import SettingChangeDetailOutput, propose
from ledger_app.models import AdjustmentLimit, ReasonCode
from ledger_app.values.most import WINDOW_DAYS_MOST


class ReasonCodeInput(Input):
    """A reason code as it is to be. Books that are left out keep no contra account."""

    code = KeyField(max_length=reason_codes.CODE_MOST)
    name = KeyField(max_length=reason_codes.NAME_MOST)
    may_waive_floor = SwitchField(required=False, default=False)
    is_active = SwitchField(required=False, default=True)
    contra_accounts = ByNameField(child=KeyField(max_length=64), required=False, default=dict)
    version = WholeNumberField(required=False, min_value=1)
    reason = TextField(allow_blank=True)


class ReasonCodeOutput(Output):
    """A reason code, with the account that takes the other side in each book."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    may_waive_floor = serializers.BooleanField()
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()
    contra_accounts = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_contra_accounts(self, row: ReasonCode) -> Any:
        """Return codes of accounts by codes of books."""
        return {each.book.code: each.account.code for each in row.contra_accounts.all()}


@extend_schema_view(list=extend_schema(summary="List reason codes"), retrieve=extend_schema(summary="Show a reason code"))
class ReasonCodeView(LookView):
    """Why balances are adjusted."""

    queryset = ReasonCode.objects.prefetch_related("contra_accounts__book", "contra_accounts__account")
    serializer_class = ReasonCodeOutput
    reads = ("ledger_app.view_contraaccount",)

    @extend_schema(
        summary="Propose to add or change a reason code", request=ReasonCodeInput, responses={201: SettingChangeDetailOutput}
    )
    def create(self, request: Request) -> Response:
        """Another person decides it; until then it stays as it is."""
        said = self.read(ReasonCodeInput, request.data)
        return propose(self, "reason_code", said, version=said.pop("version", None))


class LimitInput(Input):
    """How much a group decides in a book, in minor units."""

    group = KeyField(max_length=150)
    book = KeyField(max_length=20)
    amount_most = WholeNumberField(min_value=0)
    two_deciders_above = WholeNumberField(min_value=0)
    window_days = WholeNumberField(
        required=False,
        min_value=1,
        max_value=WINDOW_DAYS_MOST,
        help_text=_("Both are in sum over so many days. Left out, it stays as it is; at first 30."),
    )
    day_most = WholeNumberField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text=_("For all members together on one day; null: no such limit. Left out, it stays as it is; at first null."),
    )
    member_day_most = WholeNumberField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text=_(
            "What all together decide for one member on one day; null: no such limit. Left out, it stays as it is; at first null."
        ),
    )
    all_day_most = WholeNumberField(
        required=False,
        allow_null=True,
        min_value=0,
        help_text=_("What all together decide on one day; null: no such limit. Left out, it stays as it is; at first null."),
    )
    reason_code = KeyField(
        required=False,
        max_length=reason_codes.CODE_MOST,
        help_text=_("All of this is of what is adjusted with it, beside the limit of everything. Left out: of everything."),
    )
    reason = TextField(allow_blank=True)


class LimitOutput(Output):
    """How much a group decides in a book, in minor units."""

    id = serializers.IntegerField()
    group = serializers.CharField(source="group.name")
    book = serializers.CharField(source="book.code")
    amount_most = serializers.IntegerField()
    two_deciders_above = serializers.IntegerField()
    window_days = serializers.IntegerField()
    day_most = serializers.IntegerField(allow_null=True)
    member_day_most = serializers.IntegerField(allow_null=True)
    all_day_most = serializers.IntegerField(allow_null=True)
    reason_code = serializers.CharField()


@extend_schema_view(list=extend_schema(summary="List limits"), retrieve=extend_schema(summary="Show a limit"))
class LimitView(LookView):
    """How much who decides."""

    queryset = AdjustmentLimit.objects.select_related("group", "book")
    serializer_class = LimitOutput

    @extend_schema(summary="Propose a limit", request=LimitInput, responses={201: SettingChangeDetailOutput})
    def create(self, request: Request) -> Response:
        """Administrators propose and decide it: nobody raises the limit that binds them."""
        return propose(self, "limit", self.read(LimitInput, request.data))
