"""How long a user stays signed in: until they did nothing for a while, for a working day at most, and not after they were disabled.

A user who still has the password that somebody else set gets to the page where they choose their own, and one who needs a second factor and has none yet
to those where one is set up; neither to anything else.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.api import problems
from config.doors.requests import rates
from ledger_app.models import User
from ledger_app.people.queries import factors

# In the session, as seconds since 1970: when it began, when somebody last did something, when they last showed who they are; and by what.
BEGAN, SEEN, SHOWN, FACTOR = "began_at", "seen_at", "shown_at", "factor"
ENDED: Final = "ended"
# A second factor that the provider asked for, and that counts here.
PROVIDER: Final = "provider"
# Whether the provider, and no password, said who it is.
BY_PROVIDER: Final = "by_provider"
# So seldom is it written down that somebody did something: a row is written each time.
SEEN_EVERY_SECONDS: Final = 30
WHY: Final[dict[str, str | Promise]] = {
    "idle": _("You were signed out, since nobody did anything here for a while. Sign in again to go on."),
    "long": _("You were signed out, as everybody is after a day of work. Sign in again to go on."),
    "gone": _("You were signed out: your password or your rights to sign in have changed, or your sessions were ended."),
    "slow": _("Signing in took too long. Begin again."),
}
# Where a user who still has to choose a password may go, and one who has to set a second factor up.
OF_PASSWORD: Final = frozenset(
    {
        *("admin:again", "admin:login", "admin:logout", "admin:password_change", "admin:password_change_done"),
        *("admin:jsi18n", "set_language"),
    }
)
FREE: Final = OF_PASSWORD | {
    *("admin:factors", "admin:factors_app", "admin:factors_passkey", "admin:factors_codes", "admin:factors_remove"),
    *("admin:provider", "admin:provider_again", "admin:provider_back"),
}


def install() -> None:
    """Listen for who signs in. Called once, when the project starts."""
    user_logged_in.connect(_signed_in, dispatch_uid="kakutei.sessions")


def seconds(at: datetime) -> int:
    """Return an instant as it is kept in a session."""
    return int(at.timestamp())


def shown(request: HttpRequest) -> None:
    """Note that the user who is signed in has just shown who they are."""
    request.session[SHOWN] = seconds(doorways.now())


def is_of_session(request: HttpRequest) -> bool:
    """Return whether somebody is signed in by a session, and not by a token, which the API asks first; pages ask for none, whatever is sent with it."""
    word = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower()
    is_by_token = word == "token" and problems.is_for_programs(request)
    return auth.SESSION_KEY in request.session and not is_by_token and request.user.is_authenticated


class Sessions:
    """Ends sessions, and sends a user who needs a second factor to the page that sets one up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what answers."""
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """End the session where it is to end, and answer."""
        if auth.SESSION_KEY in request.session:
            why = _ended(request)
            if why:
                # A browser that asks by itself would take the word from the person whom it is for.
                auth.logout(request)
                request.session[ENDED] = why
            elif answer := _flooded(request) or _sent_to_own_page(request):
                return answer
        return self._answer(request)


def _ended(request: HttpRequest) -> str:
    if not request.user.is_authenticated:
        return "gone"
    now, session = seconds(doorways.now()), request.session
    began, seen = session.get(BEGAN), session.get(SEEN)
    if not isinstance(began, int) or not isinstance(seen, int):
        # It began before this was counted.
        session[BEGAN] = session[SEEN] = now
        return ""
    if why := why_ended(began, seen, now):
        return why
    # A page that follows something asks by itself, no matter who sits before it.
    is_by_itself = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    if not is_by_itself and now - seen >= SEEN_EVERY_SECONDS:
        session[SEEN] = now
    return ""


def why_ended(began: int, seen: int, now: int) -> str:
    """Return why a session has ended by its times, in seconds since 1970; nothing where it goes on."""
    if now - began >= settings.KAKUTEI_SESSION_HOURS * 3600:
        return "long"
    return "idle" if now - seen >= settings.KAKUTEI_IDLE_MINUTES * 60 else ""


def _flooded(request: HttpRequest) -> HttpResponse | None:
    """Refuse a page to a user who sent too many requests. Requests to the API are counted where the owner of the token is known."""
    seconds_left = 0 if problems.is_for_programs(request) else rates.seconds_to_wait(request.user.pk or 0)
    return problems.answer(request, 429, "throttled", rates.TOLD, {"Retry-After": str(seconds_left)}) if seconds_left else None


def _sent_to_own_page(request: HttpRequest) -> HttpResponse | None:
    """Return the redirect for a user who has to choose a password or to set up a second factor; None for others."""
    if not is_of_session(request):
        return None
    user, policy = request.user, settings.KAKUTEI_SECOND_FACTOR
    assert isinstance(user, User)  # noqa: S101 - who is signed in
    # First of the two: anyone who set the password could set the second factor up as well.
    if must_choose(request):
        sentence = _("Somebody else set your password, and knows it. Choose your own on the page “Change password” first.")
        return _sent(request, OF_PASSWORD, "password_to_choose", sentence, "admin:password_change")
    if policy == "voluntary" or FACTOR in request.session or not factors.is_missing(user, policy):
        return None
    sentence = _("Your rights need a second factor. Set one up on your page “Second factor” first.")
    return _sent(request, FREE, "second_factor_needed", sentence, "admin:factors")


def must_choose(request: HttpRequest) -> bool:
    """Return whether the user signed in with a password that somebody else set."""
    return getattr(request.user, "secret_known_to_id", None) is not None and BY_PROVIDER not in request.session


def _sent(request: HttpRequest, free: frozenset[str], code: str, sentence: Promise, name: str) -> HttpResponse | None:
    try:
        asked = resolve(request.path_info).view_name
    except Resolver404:
        asked = ""
    if asked in free:
        return None
    if problems.is_for_programs(request):
        return problems.answer(request, 403, code, sentence)
    return HttpResponseRedirect(reverse(name))


def _signed_in(*, request: HttpRequest, **_told: Any) -> None:
    now = seconds(doorways.now())
    for name in (BEGAN, SEEN, SHOWN):
        request.session[name] = now
