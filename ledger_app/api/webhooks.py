"""Webhooks in the API: where events are sent to, and what could not be delivered."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors import webhooks
from config.doors.api.fields import KeyField, ListOfField, NumberTextField, OneOfField, SwitchField, WholeNumberField
from config.doors.api.input import Input
from config.doors.api.once import SECRETS
from config.doors.api.views import LookView, Output
from ledger_app.models import DeadLetter, Webhook
from ledger_app.programs.operations import webhooks as operations
from ledger_app.programs.operations.webhooks import NAME_MOST, NONE_THERE, Given
from ledger_app.programs.rules import KINDS_MOST, OVERLAP_HOURS, OVERLAP_HOURS_MOST, URL_MOST


class WebhookInput(Input):
    """A webhook as it is to be."""

    url = KeyField(max_length=URL_MOST, help_text=_("By https, at a host that KAKUTEI_WEBHOOK_HOSTS names."))
    kinds = ListOfField(
        child=KeyField(max_length=52),
        required=False,
        default=list,
        max_length=KINDS_MOST,
        help_text=_("“posting.posted”, or “batch” for all that is done to batches; none: all events."),
    )
    is_active = SwitchField(required=False, default=True)


class WebhookNewInput(WebhookInput):
    """A new webhook."""

    name = KeyField(max_length=NAME_MOST)


class WebhookChangeInput(WebhookInput):
    """A webhook as it is to be; what is left out is as at first."""

    version = WholeNumberField(min_value=1)


class RotateInput(Input):
    """Another secret."""

    version = WholeNumberField(min_value=1)
    overlap_hours = WholeNumberField(
        required=False,
        default=OVERLAP_HOURS,
        min_value=0,
        max_value=OVERLAP_HOURS_MOST,
        help_text=_("So long what is sent is signed under the secret before, too."),
    )


class ReplayInput(Input):
    """Events that are to be sent again."""

    version = WholeNumberField(min_value=1)
    after = WholeNumberField(min_value=0, help_text=_("The events that follow this number are sent."))


class WebhookOutput(Output):
    """A webhook, and how far it is."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    kinds = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()
    generation = serializers.IntegerField(help_text=_("How many secrets it has had."))
    overlap_until = serializers.DateTimeField(allow_null=True)
    kept_by = serializers.CharField(source="kept_by.username")
    cursor = serializers.IntegerField(help_text=_("The number of the last event that is done with."))
    failures = serializers.IntegerField(help_text=_("How often the next one was tried in vain."))
    why = serializers.CharField()
    next_at = serializers.DateTimeField(allow_null=True)
    is_gone = serializers.BooleanField(
        help_text=_("It is out of use, as the receiver answered 410: it is there no more. Kept as in use, it is tried again.")
    )


class WebhookSecretOutput(WebhookOutput):
    """A webhook with its secret, which is shown this once."""

    secret = serializers.CharField(
        allow_null=True, help_text=_("Shown when it is made, and never again: null where the request is repeated.")
    )


class DeadLetterFilters(Input):
    """Which are wanted."""

    webhook = NumberTextField(required=False)
    state = OneOfField(choices=DeadLetter.State.values, required=False)


class DeadLetterOutput(Output):
    """An event that a webhook did not take."""

    id = serializers.IntegerField()
    webhook = serializers.IntegerField(source="webhook_id")
    event = serializers.IntegerField(source="event.number", help_text=_("The number of the event."))
    kind = serializers.CharField(source="event.kind")
    state = serializers.ChoiceField(choices=DeadLetter.State.values)
    tries = serializers.IntegerField()
    why = serializers.CharField()
    at = serializers.DateTimeField()


@extend_schema_view(list=extend_schema(summary="List webhooks"), retrieve=extend_schema(summary="Show a webhook"))
class WebhookView(LookView):
    """Where events are sent to."""

    queryset = Webhook.objects.select_related("kept_by")
    serializer_class = WebhookOutput

    @extend_schema(
        summary="Add a webhook", request=WebhookNewInput, responses={200: WebhookSecretOutput, 201: WebhookSecretOutput}
    )
    def create(self, request: Request) -> Response:
        """It is told what happens from now on. Its secret is in the answer, and nowhere else."""
        given = Given(**self.read(WebhookNewInput, request.data))
        row, is_new = operations.keep(given=given, caller=self.caller, version=NONE_THERE, **webhooks.rules_here())
        shown = _with_secret(row, is_shown=is_new)
        shown.status_code = 201 if is_new else 200
        shown["Location"] = reverse("webhook-detail", args=[row.pk], request=request)
        return shown

    @extend_schema(summary="Change a webhook", request=WebhookChangeInput, responses={200: WebhookOutput})
    @action(detail=True, methods=["post"])
    def keep(self, request: Request, pk: str) -> Response:
        """Make it what is said here."""
        del pk
        said = self.read(WebhookChangeInput, request.data)
        version = said.pop("version")
        given = Given(name=self.get_object().name, **said)
        row, _changed = operations.keep(given=given, caller=self.caller, version=version, **webhooks.rules_here())
        return Response(WebhookOutput(row).data)

    @extend_schema(summary="Give a webhook another secret", request=RotateInput, responses={200: WebhookSecretOutput})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """The new secret is in the answer, and nowhere else."""
        del pk
        said = self.read(RotateInput, request.data)
        row = operations.rotate(webhook_id=self.get_object().pk, caller=self.caller, **said)
        return _with_secret(row, is_shown=True)

    @extend_schema(summary="Send events again", request=ReplayInput, responses={200: WebhookOutput})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Every event that follows a number is sent, in order."""
        del pk
        said = self.read(ReplayInput, request.data)
        row = operations.replay(webhook_id=self.get_object().pk, caller=self.caller, **said)
        return Response(WebhookOutput(row).data)


@extend_schema_view(
    list=extend_schema(summary="List events that could not be delivered"),
    retrieve=extend_schema(summary="Show an event that could not be delivered"),
)
class DeadLetterView(LookView):
    """What webhooks did not take."""

    queryset = DeadLetter.objects.select_related("event")
    serializer_class = DeadLetterOutput
    reads = ("ledger_app.view_event",)
    filters = DeadLetterFilters

    @extend_schema(summary="Send an event again", request=Input, responses={200: DeadLetterOutput})
    @action(detail=True, methods=["post"], url_path="send-again")
    def send_again(self, request: Request, pk: str) -> Response:
        """It is sent the next time that something is."""
        del pk
        self.read(Input, request.data)
        letter, _changed = operations.send_again(letter_id=self.get_object().pk, caller=self.caller)
        return Response(DeadLetterOutput(letter).data)


def _with_secret(row: Webhook, *, is_shown: bool) -> Response:
    """Answer with a secret that no key keeps and no cache."""
    data: dict[str, Any] = {**WebhookOutput(row).data, "secret": webhooks.secret_of(row) if is_shown else None}
    answer = Response(data, headers={"Cache-Control": "no-store"})
    setattr(answer, SECRETS, ("secret",))
    return answer
