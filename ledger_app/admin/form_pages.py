"""A page that asks for something and calls one operation: the form, its refusals, and the message afterwards."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse

from config.doors import callers as doorways
from ledger_app.base.operations.audit import Caller
from ledger_app.errors import LedgerError, NotPermitted, Refused
from ledger_app.members.rules.member_files import Finding


class Found(Exception):
    """What was given has findings: nothing was done."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep them."""
        super().__init__()
        self.findings = findings


class Page(NamedTuple):
    """The frame of the page: the title, which is on the button too, the lead, and the page that one goes back to."""

    title: Any
    lead: Any
    back: str
    place: str = ""  # what it is of, as it stands beside the title and on the way to it


def ask(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    *,
    page: Page,
    form: forms.Form,
    act: Callable[[Mapping[str, Any], Caller], str | HttpResponse],
) -> HttpResponse:
    """Show the form, and on a POST call ``act``, which returns the message to show, or the page to answer with."""
    reasons: Sequence[LedgerError] = ()
    findings: Sequence[Finding] = ()
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            told = act(form.cleaned_data, doorways.from_request(request, "admin"))
        except Found as found:
            findings, status = found.findings, 422
        except LedgerError as error:
            reasons = error.reasons if isinstance(error, Refused) else (error,)
            status = 403 if any(isinstance(reason, NotPermitted) for reason in reasons) else 409
        else:
            if isinstance(told, HttpResponseBase):
                return told
            messages.success(request, told)
            return HttpResponseRedirect(page.back)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": page.title,
        "lead": page.lead,
        "place_name": page.place,
        "form": form,
        "reasons": [reason.as_dict() for reason in reasons],
        "findings": [finding.as_dict() for finding in findings],
        "back": page.back,
        "submit_label": page.title,
    }
    request.current_app = admin.admin_site.name
    return TemplateResponse(request, "ledger_app/form_page.html", context, status=status)
