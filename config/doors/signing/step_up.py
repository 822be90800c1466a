"""Who decides, exports or changes rights shows again who they are, where that was some time ago: by which addresses, in one table."""

import re
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import ResolverMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors import telling
from config.doors.admin import typed_before
from config.doors.api import problems
from config.doors.signing import lockouts, second_step, sessions, single_sign_on
from ledger_app.models import User
from ledger_app.people.queries import factors

# Of one's own second factors, tokens and sessions it is always asked, after so many minutes at most: a token does what it is for without being asked anything.
OWN_MINUTES: Final = 10
OF_OWN: Final = frozenset(
    {
        *("admin:factors_app", "admin:factors_passkey", "admin:factors_codes", "admin:factors_remove"),
        *("admin:tokens_issue", "admin:tokens_replace", "admin:identity_bind", "admin:identity_unbind"),
        "admin:sessions_end",
    }
)
# Rights over users, and what lets somebody in; looking at them, without the right to change them, is free.
OF_RIGHTS: Final = {
    "admin:ledger_app_user_add": "ledger_app.change_user",
    "admin:ledger_app_user_change": "ledger_app.change_user",
    "admin:ledger_app_user_reset_factors": "ledger_app.change_user",
    "admin:ledger_app_user_end_sessions": "ledger_app.change_user",
    "admin:ledger_app_user_unbind_identity": "ledger_app.change_user",
    "admin:auth_user_password_change": "ledger_app.change_user",
    "admin:ledger_app_failedtry_release": "ledger_app.change_user",
    "admin:ledger_app_accessreview_sign": "ledger_app.sign_accessreview",
    "admin:ledger_app_accessreview_csv": "ledger_app.look_accessreview",
    "setting-change-rights": "ledger_app.change_user",
    "user-list": "ledger_app.change_user",
    "admin:ledger_app_token_add": "ledger_app.give_token",
    "admin:ledger_app_token_replace": "ledger_app.give_token",
    "admin:ledger_app_token_end": "ledger_app.give_token",
}
IN_PAGES: Final = re.compile(r"admin:\w+_transition")
IN_API: Final = re.compile(r"/transitions/([a-z_]+)/$")
# What gives a file away.
EXPORTING: Final = "format"


class StepUp:
    """Asks a user who is about to do such a thing to sign in again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return self._answer(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Return where to sign in again; None where it need not be."""
        del view, args, kwargs
        minutes = minutes_of(request)
        if not minutes or not sessions.is_of_session(request) or _is_fresh(request, minutes):
            return None
        if problems.is_for_programs(request):
            sentence = _("This asks you to show again who you are. Open {address}, and send the same again.")
            told = str(sentence).format(address=reverse("admin:again"))
            return problems.answer(request, 403, "sign_in_again", told)
        # What was typed meanwhile is there again afterwards.
        onward = typed_before.keep(request) if request.method == "POST" else request.get_full_path()
        return HttpResponseRedirect(f"{reverse('admin:again')}?{urlencode({'next': onward})}")


def minutes_of(request: HttpRequest) -> int:
    """Return for how many minutes it counts that somebody showed who they are, for what a request is about to do; 0 where it is not asked."""
    match = request.resolver_match
    if match is None:
        return 0
    if match.view_name in OF_OWN:
        return OWN_MINUTES
    minutes: int = settings.KAKUTEI_STEP_UP_MINUTES
    return minutes if minutes and (_decides(request, match) or _is_of_rights(request, match) or _exports(request)) else 0


def deciding() -> frozenset[str]:
    """Return the names of the transitions that are decisions, of whatever kind of thing."""
    return frozenset(each.name for machine in telling.MACHINES.values() for each in machine.transitions if each.decides)


def view(site: Any, request: HttpRequest) -> HttpResponse:
    """Ask who somebody is who is signed in, and on a POST go on to where they were going."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - who is signed in
    onward = second_step.safe(request, request.POST.get("next", request.GET.get("next", "")))
    by_provider = single_sign_on.may_show_again(user)
    is_password = not factors.has(user) and user.has_usable_password()
    error = ""
    if request.method == "POST":
        error = _wrong_password(request, user) if is_password else second_step.proof(request, user)[1]
        if not error:
            sessions.shown(request)
            return HttpResponseRedirect(onward)
    lead = _("What you are about to do cannot be done by whoever finds your screen open. Show that it is you.")
    asked = second_step.Prompt(user, _("Show again who you are"), lead, onward, error, is_password, by_provider)
    return second_step.page(site, request, asked, "kakutei/again.html")


def _wrong_password(request: HttpRequest, user: User) -> str:
    if authenticate(request, username=user.username, password=request.POST.get("password", "")) == user:
        lockouts.succeeded(request, user.username)
        return ""
    if lockouts.is_locked(request, user.username):
        return lockouts.sentence(request, user.username)
    return gettext("The password is not right.")


def _is_fresh(request: HttpRequest, minutes: int) -> bool:
    at = request.session.get(sessions.SHOWN)
    return isinstance(at, int) and 0 <= sessions.seconds(doorways.now()) - at < minutes * 60


def _decides(request: HttpRequest, match: ResolverMatch) -> bool:
    if IN_PAGES.fullmatch(match.view_name):
        return match.kwargs.get("name") in deciding()
    found = IN_API.search(request.path) if problems.is_for_programs(request) and request.method == "POST" else None
    return found is not None and found[1] in deciding()


def _is_of_rights(request: HttpRequest, match: ResolverMatch) -> bool:
    right = OF_RIGHTS.get(match.view_name)
    # An address of the API that is only looked at there changes nothing.
    is_look = problems.is_for_programs(request) and request.method in {"GET", "HEAD", "OPTIONS"}
    return right is not None and not is_look and request.user.has_perm(right)


def _exports(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/") and bool(request.GET.get(EXPORTING))
