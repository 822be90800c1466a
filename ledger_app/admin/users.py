"""Users and groups in the admin: users by form, groups to look at, by superusers alone."""

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from config.doors import callers as doorways
from config.doors.admin.context import GROUPS
from config.doors.admin.model_admin import HistoryShown, LookingAdmin, StrictList, link_to, url_of
from config.doors.admin.sheets import Column, Facts, Sheet, Table
from config.doors.signing.password_forms import GivenPasswordForm, NewUserForm
from ledger_app.admin.factors import FactorsReset
from ledger_app.admin.setting_changes import tell_proposed
from ledger_app.errors import LedgerError, Refused
from ledger_app.models import User
from ledger_app.people.operations import people
from ledger_app.rights.rules import rights
from ledger_app.rights.rules.granting import FLAGS
from ledger_app.templatetags import look
from ledger_app.values.most import REASON_MOST

# It comes with a form that changes groups and leaves no word of it.
admin.site.unregister(Group)


class UserForm(UserChangeForm):  # type: ignore[type-arg]  # generic in its stubs alone
    """What a user is called, and may do."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MOST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Needed where the user is given a right, or may log in again: another administrator reads it, and decides. What is taken away is taken at once."
        ),
    )


@admin.register(User)
class UserAdmin(FactorsReset, StrictList, HistoryShown, DjangoUserAdmin[User]):
    """Who works here, and in which groups. Users are never deleted, only made inactive: what they did stays theirs."""

    list_display = ("username", "full_name", "group_names", "is_active", "shown_last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("username__exact",)
    ordering = ("username",)
    actions = None
    list_max_show_all = 0
    # Rights come from groups; Django's two-list chooser has no accessible name.
    filter_horizontal = ()
    readonly_fields = ("shown_last_login", "shown_date_joined", "shown_factors", "shown_identity", "shown_sessions")
    form = UserForm
    add_form = NewUserForm
    fieldsets = (
        (None, {"fields": ("username", "password", "shown_factors", "shown_identity", "first_name", "last_name", "email")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "reason")}),
        (_("Times"), {"fields": ("shown_last_login", "shown_date_joined", "shown_sessions")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave out, for who only looks, what is there to be changed: the password, of which the form shows a part, and the reason."""
        shown: Any = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return shown
        kept = [(name, [each for each in said["fields"] if each not in {"password", "reason"}]) for name, said in shown]
        return [(name, {"fields": fields}) for name, fields in kept]

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        """Nobody deletes users."""
        return False

    @admin.display(description=_("name"))
    def full_name(self, row: User) -> str:
        """First and last name."""
        return row.get_full_name()

    @admin.display(description=_("last login"), ordering="last_login")
    def shown_last_login(self, row: User) -> SafeString:
        """When the user last logged in, in UTC."""
        return look.instant_cell(row.last_login)

    @admin.display(description=_("registered at"))
    def shown_date_joined(self, row: User) -> SafeString:
        """When the user was registered, in UTC."""
        return look.instant_cell(row.date_joined)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Leave a name as it is: proposals and audit rows call the user by it."""
        return (*super().get_readonly_fields(request, obj), *(("username",) if obj is not None else ()))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form, and on a POST call the operation, which opens the transaction itself."""
        return self._not_refused(request, lambda: self._changeform_view(request, object_id, form_url, extra_context))

    @method_decorator([sensitive_post_parameters(), csrf_protect])
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the form, and on a POST call the operation, which opens the transaction itself."""
        shown: HttpResponse = self._add_view(request, form_url, extra_context)
        return shown

    def _not_refused(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """Answer with the page; where the operation refuses, with the reasons above the form as it is now."""
        try:
            return view()
        except LedgerError as error:
            for reason in error.reasons if isinstance(error, Refused) else (error,):
                messages.error(request, str(reason))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 - as it is called
        """Call the operation: what is given waits for another, where there is one."""
        said: dict[str, Any] = form.cleaned_data
        caller = doorways.from_request(request, "admin")
        if not change:
            password = said["password1"] if said.get("usable_password", True) else None
            kept = people.keep_user(username=obj.username, groups=[], password=password, caller=caller, is_new=True)
            obj.pk, obj._state.adding = kept.user.pk, False  # noqa: SLF001 - Django's public name for it
            request.made_password = form.made  # type: ignore[attr-defined]  # for response_add, below
            return
        kept = people.keep_user(
            username=obj.username,
            groups=[group.name for group in said["groups"]],
            flags={flag: said[flag] for flag in FLAGS},
            reason=said["reason"],
            called={name: said[name] for name in people.CALLED if name in said},
            caller=caller,
        )
        if kept.proposed is not None:
            messages.warning(request, tell_proposed(kept.proposed))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - as it is called
        """Leave the groups to the operation."""

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the user's page; where a password was made, show it before, this once."""
        made = getattr(request, "made_password", "")
        return self._shown_once(request, obj, made) if made else super().response_add(request, obj, post_url_continue)

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - as it is called
        """Show the form of a password, whose ``save`` is the operation, and what it made, this once."""
        asked, made = copy(self), list[str]()
        caller = doorways.from_request(request, "admin")
        asked.change_password_form = partial(GivenPasswordForm, caller=caller, made=made)
        answer = self._not_refused(request, lambda: super(UserAdmin, asked).user_change_password(request, id, form_url))
        return self._shown_once(request, User.objects.get(pk=id), made[0]) if made else answer

    def _shown_once(self, request: HttpRequest, user: User, password: str) -> HttpResponse:
        """Return a page with a password that was made, which leads to the user's page."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Password of {user}").format(user=user.username),
            "password": password,
            "back": url_of(user),
        }
        request.current_app = self.admin_site.name
        response = TemplateResponse(request, "kakutei/made_password.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Bring the groups with the rows."""
        rows: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return rows

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a user's form, which leads to the history."""
        return super().change_view(request, object_id, form_url, {"has_history": True, **(extra_context or {})})

    @admin.display(description=_("groups"))
    def group_names(self, row: User) -> str:
        """The groups, by name."""
        return ", ".join(group.name for group in row.groups.all())


@admin.register(Group)
class GroupAdmin(LookingAdmin):
    """The groups and their rights, which are a table in the code: nobody changes or deletes one here."""

    list_display = ("name", "shown_label")
    ordering = ("name",)

    @admin.display(description=_("who"))
    def shown_label(self, row: Group) -> str:
        """What people call the group."""
        return str(GROUPS.get(row.name, row.name))

    def sheet(self, request: HttpRequest, row: Group) -> Sheet:
        """Return what the group may do, and who is in it."""
        del request
        acts = set(rights.ACTIONS.get(row.name, ()))
        there = {
            f"{each.content_type.app_label}.{each.codename}": each for each in row.permissions.select_related("content_type")
        }
        may = [(gettext(there[name].name), format_html("<code>{}</code>", name)) for name in sorted(acts & there.keys())]
        people_of = User.objects.filter(groups=row).order_by("username")
        members = [(link_to(user, user.username), gettext("yes") if user.is_active else gettext("no")) for user in people_of]
        return Sheet(
            title=row.name,
            subtitle=str(GROUPS.get(row.name, "")),
            remark=gettext("Groups and their rights are part of the program, and change with its version."),
            main=[
                Table(_("What it may do"), (Column(_("right")), Column(_("code"))), may, _("It only reads.")),
                Table(_("Who is in it"), (Column(_("user")), Column(_("active"))), members, _("Nobody yet.")),
            ],
            side=[Facts(_("The group"), [(_("Rights to look"), look.count_cell(len(there.keys() - acts)))])],
        )
