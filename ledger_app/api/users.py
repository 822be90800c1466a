"""Users in the API: registered, and looked at. No request sets a password, and none is told."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from config.doors.api.fields import KeyField, ListOfField, SwitchField, TextField
from config.doors.api.input import Input
from config.doors.api.views import LookView, Output
from ledger_app.models import User
from ledger_app.people.operations import people
from ledger_app.rights.rules.granting import FLAGS


class UserInput(Input):
    """A user as they are to be. A flag that is left out stays as it is."""

    username = KeyField(max_length=people.NAME_MOST)
    groups = ListOfField(child=KeyField(max_length=150), help_text=_("All that the user is to be in."))
    is_superuser = SwitchField(required=False)
    is_staff = SwitchField(required=False, help_text=_("Whether the pages let the user in."))
    is_active = SwitchField(required=False)
    reason = TextField(required=False, allow_blank=True, default="", help_text=_("For whoever decides on what is given."))


class UserOutput(Output):
    """Who works here, and in which groups now."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    groups = serializers.SerializerMethodField()
    is_superuser = serializers.BooleanField()
    is_staff = serializers.BooleanField()
    is_active = serializers.BooleanField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_groups(self, row: User) -> Any:
        """Return the names of the groups, sorted."""
        return sorted(group.name for group in row.groups.all())


class KeptUserOutput(UserOutput):
    """The user, whether something changed at once, and what waits for another's decision."""

    changed = serializers.BooleanField()
    proposed = serializers.IntegerField(
        allow_null=True, help_text=_("The number of the change of a setting that another decides.")
    )


@extend_schema_view(list=extend_schema(summary="List users"), retrieve=extend_schema(summary="Show a user"))
class UserView(LookView):
    """Who works here."""

    queryset = User.objects.prefetch_related("groups")
    serializer_class = UserOutput
    reads = ("auth.view_group",)

    @extend_schema(
        summary="Register a user, or change one",
        request=UserInput,
        responses={201: KeptUserOutput, 200: KeptUserOutput},
    )
    def create(self, request: Request) -> Response:
        """What gives a right waits for another, where there is one; what is taken away is so at once, and by no token. A new user has no password."""
        said: dict[str, Any] = self.read(UserInput, request.data)
        kept = people.keep_user(
            username=said["username"],
            groups=said["groups"],
            flags={flag: said[flag] for flag in FLAGS if flag in said},
            reason=said["reason"],
            caller=self.caller,
        )
        row = self.get_queryset().get(pk=kept.user.pk)
        what = {"changed": kept.is_changed, "proposed": kept.proposed.pk if kept.proposed else None}
        shown = Response({**UserOutput(row).data, **what}, status=201 if kept.is_new else 200)
        shown["Location"] = reverse("user-detail", args=[row.pk], request=request)
        return shown
