"""The page of one's own sessions: how many are open, since when, and the way to end the others."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.signing import sessions
from ledger_app.models import User
from ledger_app.people.operations import sessions as operations


class Open(NamedTuple):
    """A session in which somebody is signed in: under which key it is kept, since when, and when something was last done in it."""

    key: str
    began_at: datetime
    seen_at: datetime


def of(user: User) -> list[Open]:
    """Return the sessions in which a user is signed in, the one last used first. What is kept of each is sealed by its key: all are looked at."""
    now, hashes = doorways.now(), [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    found = []
    for row in Session.objects.filter(expire_date__gt=now).iterator():
        said = row.get_decoded()
        if said.get(SESSION_KEY) != str(user.pk) or not _is_good(str(said.get(HASH_SESSION_KEY, "")), hashes):
            continue
        began, seen = (said.get(name) for name in (sessions.BEGAN, sessions.SEEN))
        if isinstance(began, int) and isinstance(seen, int) and sessions.why_ended(began, seen, sessions.seconds(now)) == "":
            found.append(Open(row.session_key, *(datetime.fromtimestamp(each, UTC) for each in (began, seen))))
    return sorted(found, key=lambda each: each.seen_at, reverse=True)


def urls(site: Any) -> list[URLPattern]:
    """Return the addresses of the page."""
    return [
        path("sessions/", site.admin_view(lambda request: shown(site, request)), name="sessions"),
        path("sessions/end/", site.admin_view(end), name="sessions_end"),
    ]


def shown(site: Any, request: HttpRequest) -> HttpResponse:
    """Show them."""
    there = of(_user(request))
    context = {
        **site.each_context(request),
        "title": _("My sessions"),
        "sessions": [{"row": each, "is_this": each.key == request.session.session_key} for each in there],
        "others": sum(each.key != request.session.session_key for each in there),
        "idle_minutes": settings.KAKUTEI_IDLE_MINUTES,
        "session_hours": settings.KAKUTEI_SESSION_HOURS,
    }
    request.current_app = site.name
    response = TemplateResponse(request, "kakutei/sessions.html", context)
    response["Cache-Control"] = "no-store"
    return response


def end(request: HttpRequest) -> HttpResponse:
    """End the others, on a POST."""
    if request.method == "POST":
        user = _user(request)
        operations.end_own(caller=doorways.from_request(request, "admin"))
        user.refresh_from_db()
        update_session_auth_hash(request, user)
        messages.success(request, gettext("You are signed in nowhere else any more."))
    return HttpResponseRedirect(reverse("admin:sessions"))


def _is_good(bound: str, hashes: list[str]) -> bool:
    return any(constant_time_compare(bound, each) for each in hashes)


def _user(request: HttpRequest) -> User:
    user = auth.get_user(request)
    assert isinstance(user, User)  # noqa: S101 - the site lets nobody else in
    return user
