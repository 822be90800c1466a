"""Signing in by a provider, as an option: the way there, the way back, and the page on which somebody binds themselves.

What the provider says makes nobody a user and gives no right: it says who somebody is whom a user here is bound to.
"""

import hmac
import logging
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib import auth, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from config.doors import callers as doorways
from config.doors.signing import oidc, second_step, sessions
from ledger_app import errors
from ledger_app.base.operations.audit import Caller
from ledger_app.errors.signing import IdentityUnknown, SignOnRefused
from ledger_app.models import User
from ledger_app.people.operations import identities as operations
from ledger_app.people.operations import signing
from ledger_app.people.queries import factors, identities
from ledger_app.rights.queries.rights import is_program

PENDING: Final = "provider_asked"
# How long after the way there the way back may come: somebody may have to look for a device.
MINUTES_MOST: Final = 10
# What somebody is sent to the provider for.
SIGN_IN, AGAIN, BIND = "sign_in", "again", "bind"
# The pages from which somebody is sent there, and to which they are told why it came to nothing.
FROM: Final[Mapping[str, str]] = {SIGN_IN: "admin:login", AGAIN: "admin:again", BIND: "admin:identity"}
# Rights come from it, and it says who is disabled.
BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
UNKNOWN: Final = "identity_unknown"
CAUSES: Final[Mapping[str, str | Promise]] = {
    "busy": _("It is being asked by many others at this moment. Try again."),
    "away": _("It did not answer, or not to the end. Try again, or sign in with name and password."),
    "unclear": _("Its answer is not that of a provider of OpenID Connect as it is set up here. Tell whoever runs this."),
    "refused": _("It says that it did not let you in. Try again, or sign in with name and password."),
    "unasked": _("What came back was not asked for by this browser, or was used already. Begin again."),
    "slow": _("It took too long. Begin again."),
    "code": _("It does not take back what it gave your browser. Begin again."),
    "token": _("What it says of you cannot be believed. Tell whoever runs this."),
    "clock": _("What it says is not of this minute, or its clock and the one here differ. Tell whoever runs this."),
    "shown_before": _("It did not ask you anew who you are. Begin again; if it does not ask, tell whoever runs this."),
    "another": _("It knows you as somebody else than you are signed in as here. Sign in there as yourself."),
    "no_factor": _("It did not ask you for a second factor, which you have here. Use that one."),
    "disabled": _("Your user here may not sign in. Ask an administrator."),
    "program": _("These pages are for people. Programs sign in nowhere: they have tokens."),
}

log = logging.getLogger(__name__)


class Refused(oidc.Failure):
    """The provider says who somebody is, and they may not do this."""

    def __init__(self, cause: str, user: User) -> None:
        """Keep whom it is about."""
        super().__init__(cause, user.username)
        self.user = user


def urls(site: Any) -> list[URLPattern]:
    """Return the addresses: there, back, and those of one's own binding."""

    def unsigned(view: Any) -> Any:
        return never_cache(csrf_protect(lambda request: view(site, _on(request))))

    def signed(view: Any) -> Any:
        return site.admin_view(lambda request: view(site, _on(request)))

    return [
        path("login/provider/", unsigned(begin), name="provider"),
        path("login/provider/back/", unsigned(back), name="provider_back"),
        path("again/provider/", signed(begin_again), name="provider_again"),
        path("single-sign-on/", signed(own), name="identity"),
        path("single-sign-on/bind/", signed(begin_binding), name="identity_bind"),
        path("single-sign-on/unbind/", signed(unbind), name="identity_unbind"),
    ]


def sentence_of(code: str) -> str:
    """Return the sentence of why the provider signed nobody in; an empty text of what is none of its codes."""
    if code == UNKNOWN:
        return str(IdentityUnknown())
    return str(SignOnRefused(cause=CAUSES[code])) if code in CAUSES else ""


def may_show_again(user: User) -> bool:
    """Return whether a user who is signed in shows the provider again who they are, in the place of what they have here."""
    if not oidc.is_on() or identities.of(user) is None:
        return False
    return bool(settings.KAKUTEI_OIDC_FACTOR) or not factors.has(user)


def begin(site: Any, request: HttpRequest) -> HttpResponse:
    """Send a browser to the provider, to sign in."""
    # Nobody comes in by a sign-in at the provider that is older than what ends a session here by itself.
    return _send(site, request, SIGN_IN, seconds=settings.KAKUTEI_IDLE_MINUTES * 60)


def begin_again(site: Any, request: HttpRequest) -> HttpResponse:
    """Send the browser of somebody who is signed in to the provider, to show again who they are."""
    if not may_show_again(_user(request)):
        return HttpResponseRedirect(reverse("admin:again"))
    return _send(site, request, AGAIN, seconds=0)


def begin_binding(site: Any, request: HttpRequest) -> HttpResponse:
    """Send the browser of somebody who is signed in to the provider, to be bound to whom it knows."""
    return _send(site, request, BIND, seconds=0)


def own(site: Any, request: HttpRequest) -> HttpResponse:
    """Show what one is bound to."""
    context = {
        **site.each_context(request),
        "title": _("Single sign-on"),
        "identity": identities.of(_user(request)),
        "provider": oidc.name(),
    }
    request.current_app = site.name
    return TemplateResponse(request, "kakutei/identity.html", context)


def unbind(site: Any, request: HttpRequest) -> HttpResponse:
    """Take one's own binding away."""
    del site
    if request.method == "POST":
        try:
            is_gone = operations.unbind(username=_user(request).username, caller=doorways.from_request(request, "admin"))
        except errors.Refused as error:
            _tell(request, error)
        else:
            if is_gone:
                _stay(request)
                messages.success(request, gettext("You are unbound, and sign in with name and password."))
    return HttpResponseRedirect(reverse("admin:identity"))


def back(site: Any, request: HttpRequest) -> HttpResponse:
    """Take what the provider sent a browser back with: once, from the browser that was sent there, in time."""
    del site
    pending = request.session.pop(PENDING, None)
    try:
        asked, purpose, onward = _of(request, pending)
    except oidc.Failure as error:
        return _refuse(request, SIGN_IN, "", error)
    try:
        known = _known(request, asked)
        if purpose == SIGN_IN:
            return _sign_in(request, known, onward)
        if purpose == BIND:
            return _bind(request, known)
        return _show_again(request, known, onward)
    except oidc.Failure as error:
        return _refuse(request, purpose, onward, error)


def _send(site: Any, request: HttpRequest, purpose: str, *, seconds: int) -> HttpResponse:
    """Answer with a page that leads to the provider.

    It is no redirect, which would be of a form: browsers hold each place that a form leads to against the policy of the page, and the provider may lead on to others.
    """
    onward = second_step.safe(request, request.POST.get("next", ""))
    if request.method != "POST":
        # Nobody is sent there by a link that somebody else made; and a page that is opened again begins anew.
        return HttpResponseRedirect(reverse(FROM[purpose]))
    back_here = request.build_absolute_uri(reverse("admin:provider_back"))
    asked = oidc.question(back=back_here, at=sessions.seconds(doorways.now()), seconds=seconds)
    try:
        address = oidc.address(asked, language=get_language() or "en")
    except oidc.Failure as error:
        return _refuse(request, purpose, onward, error)
    user = request.user.pk if purpose != SIGN_IN else None
    request.session[PENDING] = {"asked": list(asked), "for": purpose, "next": onward, "user": user}
    context = {**site.each_context(request), "title": _("Single sign-on"), "address": address, "provider": oidc.name()}
    request.current_app = site.name
    response = TemplateResponse(request, "kakutei/to_provider.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _of(request: HttpRequest, pending: Any) -> tuple[oidc.Question, str, str]:
    """Return what was asked, what for, and where to go on to.

    :raises Failure: unasked
    """
    if not isinstance(pending, dict):
        raise oidc.Failure("unasked")
    asked = oidc.Question(*pending["asked"])
    said = request.GET.getlist("state")
    is_same = len(said) == 1 and hmac.compare_digest(said[0].encode(), asked.state.encode())
    # The user who was signed in when the browser was sent there is signed in still, and nobody else.
    if not is_same or (pending["user"] is not None and pending["user"] != request.user.pk):
        raise oidc.Failure("unasked")
    return asked, pending["for"], pending["next"]


def _known(request: HttpRequest, asked: oidc.Question) -> oidc.Known:
    now = doorways.now()
    if not 0 <= sessions.seconds(now) - asked.at <= MINUTES_MOST * 60:
        raise oidc.Failure("slow")
    # Where the provider says who it is (RFC 9207), it is the one that was asked.
    if request.GET.get("iss", settings.KAKUTEI_OIDC_ISSUER) != settings.KAKUTEI_OIDC_ISSUER:
        raise oidc.Failure("token", "iss of the answer")
    if "error" in request.GET:
        raise oidc.Failure("refused", request.GET["error"][:100])
    codes = request.GET.getlist("code")
    if len(codes) != 1 or not 0 < len(codes[0]) <= oidc.CODE_MOST:
        raise oidc.Failure("refused", "no code")
    return oidc.known(asked, codes[0], now=now)


def _sign_in(request: HttpRequest, known: oidc.Known, onward: str) -> HttpResponse:
    user = identities.user_of(issuer=known.issuer, subject=known.subject)
    if user is None:
        signing.refused(user=None, reason=IdentityUnknown(), caller=_system(request))
        return _to_login(request, UNKNOWN, onward)
    if is_program(user) or user.username == User.SYSTEM:
        raise Refused("program", user)
    if not user.is_active or not user.is_staff:
        raise Refused("disabled", user)
    user.backend = BACKEND
    if factors.has(user) and not known.has_factor:
        return second_step.begin(request, user, onward, provider=known.issuer)
    # A new key: somebody who put a session here beforehand does not share this one.
    request.session.flush()
    request.provider = known.issuer  # type: ignore[attr-defined]  # read by config.doors.signing.signals
    auth.login(request, user, backend=BACKEND)
    # What it is worth begins when they showed the provider who they are, and not when they came back.
    request.session[sessions.BEGAN] = request.session[sessions.SHOWN] = known.shown_at
    request.session[sessions.BY_PROVIDER] = True
    if known.has_factor:
        request.session[sessions.FACTOR] = sessions.PROVIDER
    return HttpResponseRedirect(second_step.safe(request, onward))


def _show_again(request: HttpRequest, known: oidc.Known, onward: str) -> HttpResponse:
    user = _user(request)
    if identities.user_of(issuer=known.issuer, subject=known.subject) != user:
        raise Refused("another", user)
    if factors.has(user) and not known.has_factor:
        raise Refused("no_factor", user)
    request.session[sessions.SHOWN] = known.shown_at
    if known.has_factor:
        request.session[sessions.FACTOR] = sessions.PROVIDER
    return HttpResponseRedirect(second_step.safe(request, onward))


def _bind(request: HttpRequest, known: oidc.Known) -> HttpResponse:
    caller = doorways.from_request(request, "admin")
    try:
        operations.bind(username=caller.user.username, issuer=known.issuer, subject=known.subject, caller=caller)
    except errors.Refused as error:
        _tell(request, error)
    else:
        _stay(request)
        messages.success(
            request, gettext("You are bound. From now on you can sign in by {provider}.").format(provider=oidc.name())
        )
    return HttpResponseRedirect(reverse("admin:identity"))


def _refuse(request: HttpRequest, purpose: str, onward: str, error: oidc.Failure) -> HttpResponse:
    """Let nobody in: say why, here, in the audit and in the log."""
    log.warning("single sign-on refused: %s", error)
    user = error.user if isinstance(error, Refused) else None
    signing.refused(user=user, reason=SignOnRefused(cause=CAUSES[error.cause]), caller=_system(request))
    if purpose == SIGN_IN:
        return _to_login(request, error.cause, onward)
    messages.error(request, sentence_of(error.cause))
    more = f"?{urlencode({'next': onward})}" if purpose == AGAIN else ""
    return HttpResponseRedirect(reverse(FROM[purpose]) + more)


def _to_login(request: HttpRequest, code: str, onward: str) -> HttpResponse:
    if isinstance(request.user, User) and request.user.is_staff:
        # The provider asks a user who is signed in there for nothing.
        messages.error(request, sentence_of(code))
        return HttpResponseRedirect(reverse("admin:index"))
    request.session[sessions.ENDED] = code
    more = f"?{urlencode({'next': onward})}" if onward else ""
    return HttpResponseRedirect(reverse("admin:login") + more)


def _tell(request: HttpRequest, error: errors.Refused) -> None:
    for reason in error.reasons:
        messages.error(request, str(reason))


def _stay(request: HttpRequest) -> None:
    """Keep this session, while the others of the user end."""
    user = _user(request)
    user.refresh_from_db()
    auth.update_session_auth_hash(request, user)


def _on(request: HttpRequest) -> HttpRequest:
    if not oidc.is_on():
        raise Http404
    return request


def _system(request: HttpRequest) -> Caller:
    return doorways.from_address(request, User.objects.get(username=User.SYSTEM))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the site lets nobody else in
    return request.user
