"""What is asked for on the page of a member where the member asks: a corrected name, all that is kept, an erasure."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import attachment_files
from config.doors.admin.model_admin import url_of
from ledger_app.admin.member_forms import MemberPage, ReasonForm
from ledger_app.base.operations.audit import Caller
from ledger_app.erasures import queries
from ledger_app.erasures.operations import disclosures, erasures, names
from ledger_app.erasures.operations.disclosures import DISCLOSE
from ledger_app.erasures.operations.erasures import PROPOSING
from ledger_app.erasures.operations.names import CORRECT
from ledger_app.erasures.rules import ANSWER, ANSWERERS
from ledger_app.errors import NotPermitted
from ledger_app.members.rules.member_files import NAME_MOST
from ledger_app.models import Adjustment, Attachment, Erasure, Holder, User
from ledger_app.reports import member_data
from ledger_app.rights.queries.rights import rights_of
from ledger_app.values.most import TICKET_MOST

TICKET_HELP = _("Of the member’s own request.")


class NameForm(ReasonForm):
    """What a member is called; what it was called where this was asked for comes back with it."""

    name = forms.CharField(max_length=NAME_MOST, required=False, label=_("Name"))
    shown = forms.CharField(max_length=NAME_MOST, required=False, widget=forms.HiddenInput)
    field_order = ("name", "reason", "shown")


class TicketForm(forms.Form):
    """Under which request all that is kept is handed out."""

    ticket = forms.CharField(max_length=TICKET_MOST, label=_("Ticket"), help_text=TICKET_HELP)


class ErasureForm(ReasonForm):
    """Why, and under which request, a member is to be erased."""

    ticket = forms.CharField(max_length=TICKET_MOST, label=_("Ticket"), help_text=TICKET_HELP)
    field_order = ("ticket", "reason")


class Answers:
    """The pages, for the admin of members."""

    def answer_urls(self) -> list[URLPattern]:
        """Return the addresses."""
        wrap = self.admin_site.admin_view  # type: ignore[attr-defined]  # of the framework's admin
        return [
            path("<int:pk>/correct/", wrap(self.correct), name="ledger_app_holder_correct"),
            path("<int:pk>/disclose/", wrap(self.disclose), name="ledger_app_holder_disclose"),
            path("<int:pk>/erase/", wrap(self.erase), name="ledger_app_holder_erase"),
        ]

    def correct(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the right name, and write it."""
        holder = Holder.objects.filter(pk=pk).first()
        if holder is None:
            raise Http404

        def write(caller: Caller, row: Holder, given: Mapping[str, Any]) -> str:
            names.correct(holder_id=row.pk, caller=caller, **given)
            return gettext("The name is corrected.")

        sentence = _("The member is called so from now on. What it was called before stays in the history.")
        initial = {"name": holder.name, "shown": holder.name}
        page = MemberPage(CORRECT, sentence, NameForm, right=ANSWER, who=ANSWERERS, initial=initial)
        return self._asked(request, pk, page, write)  # type: ignore[attr-defined,no-any-return]  # of the admin of members

    def disclose(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask under which request, keep that it was handed out, and send all that is kept as a file."""

        def hand_out(caller: Caller, row: Holder, given: Mapping[str, Any]) -> HttpResponse:
            disclosures.disclose(holder_id=row.pk, caller=caller, **given)
            lines = (f"{line}\n".encode() for line in member_data.lines(row.pk, at=caller.at))
            answer = StreamingHttpResponse(lines, content_type="application/json")
            answer["Content-Disposition"] = f'attachment; filename="member-{row.pk}.json"'
            answer["Cache-Control"] = "private, no-store"
            return answer  # type: ignore[return-value]  # of the framework, a response as any other

        sentence = _(
            "A file with all that is kept of the member is sent to your browser. Who the member is must have been checked before."
        )
        page = MemberPage(DISCLOSE, sentence, TicketForm, right=ANSWER, who=ANSWERERS)
        return self._asked(request, pk, page, hand_out)  # type: ignore[attr-defined,no-any-return]  # as above

    def erase(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for an erasure; another person decides it on the page of the request."""

        def ask(caller: Caller, row: Holder, given: Mapping[str, Any]) -> HttpResponse:
            return HttpResponseRedirect(url_of(erasures.propose(holder_id=row.pk, caller=caller, **given)[0]))

        sentence = _(
            "Another person decides. Then the name goes from the row, its history and the audit, and what was attached goes with its bytes. Accounts and entries stay."
        )
        page = MemberPage(PROPOSING, sentence, ErasureForm, right=ANSWER, who=ANSWERERS)
        return self._asked(request, pk, page, ask)  # type: ignore[attr-defined,no-any-return]  # as above


def offers(row: Holder, user: User) -> list[dict[str, Any]]:
    """Return what a member can be answered with, each with its address or with whose right it is."""
    said = (
        ("correct", CORRECT, _("What the member was called before stays in the history.")),
        ("disclose", DISCLOSE, _("One file, for a request for access.")),
        ("erase", PROPOSING, _("What tells who the member is goes, once another person has approved it.")),
    )
    may = ANSWER in rights_of(user)
    return [
        {
            "name": name,
            "label": label,
            "description": description,
            "url": reverse(f"admin:ledger_app_holder_{name}", args=[row.pk]),
            "blockers": [] if may else [NotPermitted(user=user.username, right=label, who=ANSWERERS).as_dict()],
            "primary": False,
        }
        for name, label, description in said
    ]


def approve(row: Erasure, caller: Caller, note: str, version: int | None) -> Erasure:
    """Approve an erasure, whose bytes lie where attachments are."""
    return erasures.approve(erasure_id=row.pk, caller=caller, note=note, version=version, directory=attachment_files.directory())


def attachments_shown(row: Adjustment) -> list[tuple[Attachment, str, Erasure | None]]:
    """Return the attachments of a proposal, each with its address and by which request it was erased, where it was."""
    files = list(row.attachments.order_by("name"))
    gone = queries.of_attachments([file.pk for file in files])
    return [
        (file, reverse("admin:ledger_app_adjustment_attachment", args=[row.pk, file.pk]), gone.get(file.pk)) for file in files
    ]
