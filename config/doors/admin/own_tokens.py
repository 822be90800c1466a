"""The pages of one's own tokens: what one has, how another comes to it, follows one, and goes."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.token_forms import IssueForm, ReplaceForm, scope_text
from ledger_app.errors import LedgerError, Refused
from ledger_app.models import Token, User
from ledger_app.rights.operations import tokens as operations
from ledger_app.rights.operations.tokens import Issued
from ledger_app.rights.queries import tokens
from ledger_app.rights.queries.rights import rights_of
from ledger_app.templatetags import look


def urls(site: Any) -> list[URLPattern]:
    """Return the addresses of these pages."""

    def of(view: Any) -> Any:
        return site.admin_view(lambda request, **more: view(site, request, **more))

    return [
        path("tokens/", of(shown), name="tokens"),
        path("tokens/issue/", of(issue), name="tokens_issue"),
        path("tokens/<int:pk>/replace/", of(replace), name="tokens_replace"),
        path("tokens/<int:pk>/end/", of(end), name="tokens_end"),
    ]


def shown(site: Any, request: HttpRequest) -> HttpResponse:
    """Show what one has: keys are shown nowhere but where they are issued."""
    user, at = _user(request), doorways.now()
    rows = [
        {"row": row, "does": does, "books": books, "is_good": row.ended_at is None and row.ends_at > at}
        for row in tokens.of(user)
        for does, books in [scope_text(row)]
    ]
    context = {"title": _("My tokens"), "tokens": rows, "may_issue": not user.is_superuser}
    return _page(site, request, "kakutei/tokens.html", context)


def issue(site: Any, request: HttpRequest) -> HttpResponse:
    """Ask what for, and on a POST issue a token and show its key, this once."""
    user = _user(request)
    form = IssueForm(request.POST or None, may=rights_of(user))
    lead = _("A program that calls the API in your name says so by a token. Let it do no more than the program needs.")
    context = {"title": _("Issue a token"), "lead": lead, "form": form}
    return _asked(site, request, context, lambda: form.issue(user.username, doorways.from_request(request, "admin")))


def replace(site: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for how long, and on a POST issue a token in the place of another."""
    row = _own(request, pk)
    form = ReplaceForm(request.POST or None)
    lead = gettext("Another token “{name}”, for the same. Until the old one ends, both open.").format(name=row.name)
    context = {"title": _("Replace a token"), "lead": lead, "form": form}
    return _asked(site, request, context, lambda: form.replace(row, doorways.from_request(request, "admin")))


def end(site: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and on a POST end a token."""
    row = _own(request, pk)
    lead = gettext("The token “{name}” ({prefix}…) opens nothing from then on.").format(name=row.name, prefix=row.prefix)
    context = {"title": _("End a token"), "lead": lead, "form": forms.Form(request.POST if request.method == "POST" else None)}

    def act() -> None:
        operations.end(token_id=row.pk, caller=doorways.from_request(request, "admin"))
        messages.success(request, gettext("The token “{name}” has ended.").format(name=row.name))

    return _asked(site, request, context, act)


def _asked(site: Any, request: HttpRequest, context: dict[str, Any], act: Callable[[], Issued | None]) -> HttpResponse:
    """Show the form, and on a POST that it takes act; show the key of what was issued."""
    reasons: Sequence[LedgerError] = ()
    issued: Issued | None = None
    if request.method == "POST" and context["form"].is_valid():
        try:
            issued = act()
        except LedgerError as error:
            reasons = error.reasons if isinstance(error, Refused) else (error,)
        else:
            if issued is None:
                return HttpResponseRedirect(reverse("admin:tokens"))
            if not issued.key:
                context["form"].add_error(None, there_already(issued.token))
    key = issued.key if issued is not None else ""
    context |= {
        "reasons": [each.as_dict() for each in reasons],
        "key": key,
        "token": issued and issued.token,
        "back": reverse("admin:tokens"),
    }
    return _page(site, request, "kakutei/token_form.html", context, status=409 if reasons else 200)


def there_already(token: Token) -> str:
    """Return what is said of a token that is there: until when it is good, and that its key cannot be shown again."""
    told = gettext(
        "There is such a token already, good until {ends_at}. Its key cannot be shown again; the token can be replaced, or ended."
    )
    return told.format(ends_at=look.instant_text(token.ends_at))


def _own(request: HttpRequest, pk: int) -> Token:
    row = tokens.of(_user(request)).filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _page(site: Any, request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    request.current_app = site.name
    response = TemplateResponse(request, template, {**site.each_context(request), **context}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the site lets nobody else in
    return request.user
