"""The pages of one's own second factors: what one has, and how another comes to it and goes."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from config.doors import callers as doorways
from config.doors.signing import passkeys, sealing, second_step, sessions, step_up
from ledger_app.errors import LedgerError, Refused
from ledger_app.models import SecondFactor, User
from ledger_app.people.operations import factors as operations
from ledger_app.people.queries import factors
from ledger_app.people.rules import factors as rules

SALT: Final = "kakutei.new-app"
MINUTES_MOST: Final = 30


class NameForm(forms.Form):
    """What somebody calls a thing of theirs."""

    name = forms.CharField(label=_("Name"), max_length=rules.NAME_MOST, help_text=_("What you call the device, such as “phone”."))


class AppForm(NameForm):
    """An app, and a code that shows that it has the secret."""

    sealed = forms.CharField(widget=forms.HiddenInput, max_length=500)
    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text=_("The six digits that the app shows now."),
    )


class PasskeyForm(NameForm):
    """A passkey, as the browser made it."""

    answer = forms.CharField(widget=forms.HiddenInput, max_length=passkeys.ANSWER_MOST, required=False)


def urls(site: Any) -> list[URLPattern]:
    """Return the addresses of these pages, and of those that ask who somebody is."""

    def of(view: Any) -> Any:
        return site.admin_view(lambda request, **more: view(site, request, **more))

    return [
        # Nobody is signed in here yet.
        path("login/second/", _unsigned(site, second_step.view), name="second_step"),
        path("again/", of(step_up.view), name="again"),
        path("factors/", of(shown), name="factors"),
        path("factors/app/", of(add_app), name="factors_app"),
        path("factors/passkey/", of(add_passkey), name="factors_passkey"),
        path("factors/codes/", of(make_codes), name="factors_codes"),
        path("factors/<int:pk>/remove/", of(remove), name="factors_remove"),
    ]


def shown(site: Any, request: HttpRequest) -> HttpResponse:
    """Show what one has."""
    user = _user(request)
    there = factors.of(user)
    context = {
        "title": _("Second factor"),
        "factors": there,
        "codes_left": factors.codes_left(user),
        "is_needed": sessions.FACTOR not in request.session and factors.is_missing(user, settings.KAKUTEI_SECOND_FACTOR),
        "can_seal": sealing.can_seal(),
        "policy": settings.KAKUTEI_SECOND_FACTOR,
    }
    return _page(site, request, "kakutei/factors.html", context)


def add_app(site: Any, request: HttpRequest) -> HttpResponse:
    """Show a new secret, and on a POST with one of its codes keep it."""
    user = _user(request)
    if not sealing.can_seal():
        raise Http404
    form = AppForm(request.POST) if request.method == "POST" else AppForm(initial={"sealed": _new_secret(user)})
    secret = _secret(user, str(form["sealed"].value() or ""))
    if secret is None:
        messages.warning(request, gettext("That took too long. Here is another secret; the one before counts for nothing."))
        return HttpResponseRedirect(reverse("admin:factors_app"))
    reasons: Sequence[LedgerError] = ()
    if request.method == "POST" and form.is_valid():
        caller = doorways.from_request(request, "admin")
        step = rules.step_of(secret, form.cleaned_data["code"], at=caller.at)
        if step is None:
            form.add_error("code", gettext("This is no code of now. Is the clock of your device right?"))
        else:
            key_name, content = sealing.seal(secret, user_id=user.pk)
            try:
                name = form.cleaned_data["name"]
                operations.add_app(name=name, key_name=key_name, content=content, step=step, caller=caller)
            except LedgerError as error:
                reasons = error.reasons if isinstance(error, Refused) else (error,)
            else:
                return _added(site, request, second_step.APP)
    context = {
        "title": _("Add an app"),
        "form": form,
        "picture": _picture(rules.address_for_app(secret, username=user.username)),
        "by_hand": rules.secret_for_hand(secret),
        "reasons": [reason.as_dict() for reason in reasons],
    }
    return _page(site, request, "kakutei/factor_app.html", context, status=409 if reasons else 200)


def add_passkey(site: Any, request: HttpRequest) -> HttpResponse:
    """Have the browser make a passkey, and on a POST keep it."""
    user = _user(request)
    form = PasskeyForm(request.POST or None)
    reasons: Sequence[LedgerError] = ()
    if request.method == "POST" and form.is_valid():
        made = passkeys.made(request, form.cleaned_data["answer"])
        if made is None:
            form.add_error(None, gettext("The browser made no passkey. Try again, with another device if it does not help."))
        else:
            name = form.cleaned_data["name"]
            caller = doorways.from_request(request, "admin")
            try:
                operations.add_passkey(
                    name=name, credential_digest=made.credential_digest, content=made.content, step=made.step, caller=caller
                )
            except LedgerError as error:
                reasons = error.reasons if isinstance(error, Refused) else (error,)
            else:
                return _added(site, request, second_step.PASSKEY)
    # Asked anew each time: an answer is an answer to one question.
    context = {
        "title": _("Add a passkey"),
        "form": form,
        "passkey": passkeys.ask_to_make(request, user),
        "reasons": [reason.as_dict() for reason in reasons],
    }
    return _page(site, request, "kakutei/factor_passkey.html", context, status=409 if reasons else 200)


def make_codes(site: Any, request: HttpRequest) -> HttpResponse:
    """Ask, and on a POST make recovery codes and show them, this once."""
    user = _user(request)
    if not factors.has(user):
        return HttpResponseRedirect(reverse("admin:factors"))
    if request.method == "POST":
        return _codes(site, request)
    context = {
        "title": _("Make new recovery codes"),
        "lead": _("The recovery codes that you have count no more from then on."),
        "submit_label": _("Make new recovery codes"),
    }
    return _page(site, request, "kakutei/factor_form.html", context)


def remove(site: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and on a POST take one away."""
    row = SecondFactor.objects.filter(pk=pk, user=_user(request)).first()
    if row is None:
        messages.info(request, gettext("It is there no more."))
        return HttpResponseRedirect(reverse("admin:factors"))
    if request.method == "POST":
        operations.remove(factor_id=pk, caller=doorways.from_request(request, "admin"))
        _stay(request)
        if not factors.has(_user(request)) and request.session.get(sessions.FACTOR) != sessions.PROVIDER:
            request.session.pop(sessions.FACTOR, None)
        messages.success(request, gettext("“{name}” was removed.").format(name=row.name))
        return HttpResponseRedirect(reverse("admin:factors"))
    context = {
        "title": _("Remove a second factor"),
        "lead": gettext("“{name}” counts no more from then on. Where you are signed in elsewhere, that ends.").format(
            name=row.name
        ),
        "submit_label": _("Remove it"),
    }
    return _page(site, request, "kakutei/factor_form.html", context)


def _added(site: Any, request: HttpRequest, kind: str) -> HttpResponse:
    _stay(request)
    request.session[sessions.FACTOR] = kind
    sessions.shown(request)
    messages.success(request, gettext("Added. From now on you are asked for it when you sign in."))
    if factors.codes_left(_user(request)):
        return HttpResponseRedirect(reverse("admin:factors"))
    return _codes(site, request)


def _codes(site: Any, request: HttpRequest) -> HttpResponse:
    codes = operations.make_codes(caller=doorways.from_request(request, "admin"))
    return _page(site, request, "kakutei/recovery_codes.html", {"title": _("Your recovery codes"), "codes": codes})


def _stay(request: HttpRequest) -> None:
    """Keep this session, while the others of the user end."""
    user = _user(request)
    user.refresh_from_db()
    update_session_auth_hash(request, user)


def _page(site: Any, request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    request.current_app = site.name
    response = TemplateResponse(request, template, {**site.each_context(request), **context}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _new_secret(user: User) -> str:
    """Return a new secret as it goes through the page: sealed, for this user and for a while, so that it lies nowhere until it is kept."""
    key_name, content = sealing.seal(secrets.token_bytes(rules.SECRET_BYTES), user_id=user.pk)
    return signing.dumps([key_name, content.hex()], salt=SALT)


def _secret(user: User, sealed: str) -> bytes | None:
    try:
        key_name, content = signing.loads(sealed, salt=SALT, max_age=MINUTES_MOST * 60)
    except signing.BadSignature:
        return None
    return sealing.opened(key_name, bytes.fromhex(content), user_id=user.pk)


def _picture(address: str) -> SafeString:
    """Return a picture that an app reads, as SVG without a style of its own."""
    drawn = segno.make(address, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True, lineclass=None)
    return mark_safe(drawn)  # noqa: S308 - squares, drawn here  # nosec B308 B703


def _unsigned(site: Any, view: Any) -> Any:
    return never_cache(csrf_protect(lambda request: view(site, request)))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the site lets nobody else in
    return request.user
