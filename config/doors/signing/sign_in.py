"""How a person signs in: by name and password, then by a second factor where there is one; and where too many tries have failed, not before a time that is told."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.doors.signing import lockouts, second_step, sessions, single_sign_on
from ledger_app.people.queries import factors


class SignInForm(AdminAuthenticationForm):
    """Name and password."""

    def clean(self) -> dict[str, Any]:
        """Look at them.

        :raises ValidationError: they are not right; or nobody may try, and until when
        """
        assert self.request is not None, "a form of a page"  # noqa: S101 - the view sees to it
        try:
            return super().clean()
        except ValidationError as error:
            if getattr(self.request, "axes_locked_out", False):
                told = lockouts.sentence(self.request, str(self.cleaned_data.get("username") or ""))
                raise ValidationError(told, code="locked_out") from error
            raise


class SignIn(LoginView):
    """The first step."""

    authentication_form = SignInForm
    template_name = "admin/login.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign in a user who has only a password; ask the others for the second factor."""
        user = form.get_user()
        if factors.has(user):
            return second_step.begin(self.request, user, self.get_success_url())
        return super().form_valid(form)


def view(site: Any, request: HttpRequest, extra: dict[str, Any] | None = None) -> HttpResponseBase:
    """Show the form, as the admin does, with the word of why somebody was signed out; and on a POST take it."""
    if request.method == "GET" and site.has_permission(request):
        return HttpResponseRedirect(reverse("admin:index", current_app=site.name))
    ended = request.session.pop(sessions.ENDED, "") if sessions.ENDED in request.session else ""
    context = {
        **site.each_context(request),
        "title": _("Log in"),
        "subtitle": None,
        "app_path": request.get_full_path(),
        "username": request.user.get_username(),
        "ended": sessions.WHY.get(ended, ""),
        "refused": single_sign_on.sentence_of(ended),
        **(extra or {}),
    }
    if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
        context[REDIRECT_FIELD_NAME] = reverse("admin:index", current_app=site.name)
    request.current_app = site.name
    return SignIn.as_view(extra_context=context)(request)
