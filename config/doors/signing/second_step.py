"""The second step of signing in: a code of an app, a passkey or a recovery code, for users who have one; and the page that asks for it."""

from typing import Any, Final, NamedTuple

from django import forms
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.signing import lockouts, passkeys, sealing, sessions
from ledger_app.models import User
from ledger_app.people.operations import factors as operations
from ledger_app.people.queries import factors
from ledger_app.people.rules import factors as rules

PENDING: Final = "signing_in"
# How long after the password the second step may come.
MINUTES_MOST: Final = 5
SAID_MOST: Final = 100
APP, PASSKEY, RECOVERY = "app", "passkey", "recovery"


_BY_PASSWORD: Final = _("Your password was right. Show now that you have what you registered beside it.")
_BY_PROVIDER: Final = _("The provider knows you. Show now that you have what you registered here.")


class Prompt(NamedTuple):
    """What a page asks of whom, and what was wrong with what was said before."""

    user: User
    title: Any
    lead: Any
    next: str
    error: str = ""
    is_password: bool = False
    by_provider: bool = False


class CodeForm(forms.Form):
    """A code that is typed."""

    code = forms.CharField(
        label=_("Code"),
        required=False,
        max_length=SAID_MOST,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
        help_text=_("Six digits from your app, or one of your recovery codes."),
    )


class PasswordForm(forms.Form):
    """A password that is typed again."""

    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


def begin(request: HttpRequest, user: User, onward: str, *, provider: str = "") -> HttpResponse:
    """Remember whose password was right, or whom a provider named, and go on to the second step. Nobody is signed in yet."""
    # A new key: somebody who put a session here beforehand does not share this one.
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk,
        "backend": user.backend,
        "bound": user.get_session_auth_hash(),
        "at": sessions.seconds(doorways.now()),
        "next": onward,
        "provider": provider,
    }
    return HttpResponseRedirect(reverse("admin:second_step"))


def view(site: Any, request: HttpRequest) -> HttpResponse:
    """Ask for the second step, and on a POST sign in."""
    pending = request.session.get(PENDING)
    user = _of(pending)
    if pending is None or user is None:
        request.session.pop(PENDING, None)
        request.session[sessions.ENDED] = "slow"
        return HttpResponseRedirect(reverse("admin:login"))
    error = ""
    if request.method == "POST":
        kind, error = proof(request, user)
        if kind:
            del request.session[PENDING]
            request.provider = pending["provider"]  # type: ignore[attr-defined]  # read by config.doors.signing.signals
            auth.login(request, user, backend=pending["backend"])
            request.session[sessions.FACTOR] = kind
            if pending["provider"]:
                request.session[sessions.BY_PROVIDER] = True
            return HttpResponseRedirect(safe(request, pending["next"]))
    lead = _BY_PROVIDER if pending["provider"] else _BY_PASSWORD
    asked = Prompt(user, _("Second step"), lead, "", error)
    return page(site, request, asked, "kakutei/second_step.html")


def proof(request: HttpRequest, user: User) -> tuple[str, str]:
    """Return by which second factor somebody showed who they are; or an empty text, and what to tell them."""
    if lockouts.is_locked(request, user.username):
        return "", lockouts.sentence(request, user.username)
    kind = _shown(request, user)
    if kind:
        lockouts.succeeded(request, user.username)
        return kind, ""
    lockouts.failed(request, user.username)
    if lockouts.is_locked(request, user.username):
        return "", lockouts.sentence(request, user.username)
    if any(row.failures >= rules.FAILURES_MOST for row in factors.of(user, APP)):
        told = gettext(
            "Too many wrong codes: those of your app are taken no more. Use a recovery code, or ask an administrator to reset your second factors."
        )
        return "", told
    return "", gettext("That was not right, or was used already. A code counts once; wait for the next one.")


def page(site: Any, request: HttpRequest, asked: Prompt, template: str) -> HttpResponse:
    """Return the page that asks."""
    is_locked = lockouts.is_locked(request, asked.user.username)
    error = asked.error or (lockouts.sentence(request, asked.user.username) if is_locked else "")
    context = {
        **site.each_context(request),
        "title": asked.title,
        "lead": asked.lead,
        "next": asked.next,
        "error": error,
        "form": PasswordForm() if asked.is_password else CodeForm(),
        "has_code": asked.is_password or bool(factors.of(asked.user, APP)) or bool(factors.codes_left(asked.user)),
        "passkey": "" if asked.is_password else passkeys.ask_to_show(request, asked.user),
        "is_password": asked.is_password,
        "by_provider": asked.by_provider,
    }
    request.current_app = site.name
    response = TemplateResponse(request, template, context)
    response["Cache-Control"] = "no-store"
    return lockouts.refused(request, response, {"username": asked.user.username}) if is_locked else response  # type: ignore[return-value]


def safe(request: HttpRequest, address: str) -> str:
    """Return an address of this site; the first page where it is none."""
    is_here = url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return address if address and is_here else reverse("admin:index")


def _of(pending: Any) -> User | None:
    if not isinstance(pending, dict) or sessions.seconds(doorways.now()) - pending["at"] > MINUTES_MOST * 60:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    return user if user is not None and user.get_session_auth_hash() == pending["bound"] else None


def _shown(request: HttpRequest, user: User) -> str:
    answer, said = request.POST.get("answer", ""), request.POST.get("code", "")[:SAID_MOST]
    caller = doorways.from_address(request, user)
    if answer:
        found = passkeys.shown(request, user, answer)
        if found is None:
            return ""
        row, count = found
        is_counting = count > 0 or row.step > 0
        return PASSKEY if operations.use(factor_id=row.pk, step=count, at=caller.at, is_counting=is_counting) else ""
    if rules.is_like_recovery(said):
        return RECOVERY if operations.use_code(said=said, caller=caller) else ""
    for row in factors.of(user, APP):
        secret = sealing.opened(row.key_name, bytes(row.content), user_id=user.pk)
        step = None if secret is None else rules.step_of(secret, said, at=caller.at)
        if step is not None and operations.use(factor_id=row.pk, step=step, at=caller.at):
            return APP
    operations.failed(user_id=user.pk)
    return ""
