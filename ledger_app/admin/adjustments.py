"""Adjustments in the admin: proposing with a preview, what waits for a decision, and the decision on what is shown."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import attachment_files, attachment_tokens, scanning
from config.doors import callers as doorways
from config.doors.admin.model_admin import NOTHING, link_to, url_of
from config.doors.admin.transitions import TransitionAdmin, shown_version
from config.doors.admin.typed_before import typed
from ledger_app.adjustments.operations import adjustments, attachments
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.queries import limits
from ledger_app.adjustments.rules import adjustments as rules
from ledger_app.adjustments.rules.adjustments import ADJUSTMENT, AdjustmentFacts, Preview
from ledger_app.adjustments.rules.attachments import StoredFile
from ledger_app.admin.accounts import member_link
from ledger_app.admin.answers import attachments_shown
from ledger_app.admin.lot_tables import shown_facts, shown_rows
from ledger_app.admin.propose_form import ProposeForm, beginning, may_propose, summed_up
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Transition
from ledger_app.books.queries import books
from ledger_app.errors import LedgerError, Refused
from ledger_app.models import Account, Adjustment, Attachment, Book, Entry
from ledger_app.templatetags import look
from ledger_app.values import sides

APPROVALS = frozenset({"approve", "endorse"})


@admin.register(Adjustment)
class AdjustmentAdmin(TransitionAdmin):
    """Proposals to adjust a balance, and what became of them."""

    machine = ADJUSTMENT
    primary = {"proposed": "approve", "endorsed": "approve"}
    list_display = (
        "shown_number",
        "shown_account",
        "shown_amount",
        "shown_date",
        "reason_code",
        "ticket",
        "proposed_by",
        "shown_state",
    )
    list_display_links = ("shown_number",)
    list_filter = ("state", "book", "reason_code")
    list_select_related = ("book", "account", "reason_code", "proposed_by")
    search_fields = ("ticket__exact", "account__code__exact")
    search_help_text = _("A whole ticket number or account code")
    change_form_template = "ledger_app/adjustment_detail.html"
    change_list_template = "ledger_app/adjustment_list.html"

    def name_of(self, row: Adjustment) -> str:
        """Return the number, as people say it."""
        return gettext("Adjustment {number}").format(number=row)

    def note_of(self, row: Adjustment) -> SafeString:
        """Return what an adjustment that waits is about: the account, how much, and the ticket."""
        ticket = f" · {row.ticket}" if row.ticket else ""
        return format_html("{} · {}{}", row.account.code, look.amount_cell(row.amount, row.book), ticket)

    @admin.display(description=_("number"), ordering="id")
    def shown_number(self, row: Adjustment) -> str:
        """The number."""
        return str(row)

    @admin.display(description=_("account"))
    def shown_account(self, row: Adjustment) -> SafeString | str:
        """The account, as a link."""
        return link_to(row.account)

    @admin.display(description=_("amount"))
    def shown_amount(self, row: Adjustment) -> SafeString:
        """The amount in the account's natural direction."""
        return look.amount_cell(row.amount, row.book)

    @admin.display(description=_("date"))
    def shown_date(self, row: Adjustment) -> str:
        """The date of the entry."""
        return look.day_text(row.effective_on)

    @admin.display(description=_("state"))
    def shown_state(self, row: Adjustment) -> SafeString:
        """What became of it."""
        return look.state_pill(row.state)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring what every page names."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("book", "account__holder", "contra_account", "reason_code", "proposed_by")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by the index of the tickets, or by the accounts, which are found first."""
        if term := search_term.strip():
            return queryset.filter(Q(ticket=term) | Q(**books.narrowed({"account": term}))), False
        return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that proposes, and the downloads."""
        view = self.admin_site.admin_view
        return [
            path("propose/", view(self.propose), name="ledger_app_adjustment_propose"),
            path("<int:pk>/attachments/<int:number>/", view(self.download), name="ledger_app_adjustment_attachment"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say whether the user may propose."""
        return super().changelist_view(request, {"may_propose": may_propose(request), **(extra_context or {})})

    def facts(self, request: HttpRequest, row: Any) -> AdjustmentFacts:
        """Return what the guards are asked with."""
        caller = doorways.from_request(request, "admin")
        return queries.facts(row, user=caller.user, at=caller.at)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what is proposed, what it would do now or did, and the buttons."""
        is_open = row.state in rules.UNDECIDED
        now = queries.preview(queries.terms_of(row)) if is_open else Preview(None, ())
        if row.state == Adjustment.State.APPROVED:
            # What was decided on stays to be seen: as it was posted, from the rows.
            now = queries.preview_as_posted(queries.terms_of(row))
        entry = Entry.objects.filter(posting__origin_kind="adjustment", posting__origin_id=row.pk).first()
        return {
            "title": self.name_of(row),
            "adjustment": row,
            "book": row.book,
            "facts": _facts_of(row, entry),
            "lines": shown_lines(now, row.book),
            "lots": shown_rows(now.shown.lots) if now.shown else (),
            "refusals": [reason.as_dict() for reason in now.refusals],
            "is_open": is_open,
            "is_posted": row.state == Adjustment.State.APPROVED,
            "decisions": row.decisions.select_related("decided_by").order_by("id"),
            "attachments": attachments_shown(row),
            "offers": self.offers(request, row),
            "audit": self.trail(row),
        }

    def token(self, transition: Transition, row: Any) -> list[tuple[str, str]]:
        """Bind an approval to what the page shows: the digest of it goes with the form."""
        token = super().token(transition, row)
        if transition.name in APPROVALS:
            token.append(("shown", _asked_now(row).digest))
        return token

    def form_of(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
        """Ask for nothing; a form has a place where it is said that what was shown has moved."""
        del row
        return forms.Form(data) if transition.name in APPROVALS else None

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Say what will happen to the balance."""
        found = _facts_of(row, None)
        now = _asked_now(row)
        if transition.name in APPROVALS and now.shown is not None:
            for balance in now.shown.balances:
                change = format_html(
                    "{} → {}", look.amount_text(balance.before, row.book.exponent), look.amount_cell(balance.after, row.book)
                )
                found.append((gettext("Balance of {account}").format(account=balance.account), change))
            found += shown_facts(now.shown.lots, row.book)
        return found

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Call the operation."""
        done = adjustments.decide(
            adjustment_id=row.pk,
            name=transition.name,
            caller=caller,
            digest_shown=str(posted.get("shown", "")),
            reason=str(posted.get("reason", "")),
            version=shown_version(posted),
        )
        return gettext("{adjustment} is {state} now.").format(adjustment=self.name_of(done), state=done.get_state_display())

    @attachment_files.takes_several
    def propose(self, request: HttpRequest) -> HttpResponse:
        """Ask what is proposed, show what it would do, and send it: each a POST of the same form with another step."""
        if not may_propose(request):
            raise PermissionDenied
        caller = doorways.from_request(request, "admin")
        if before := typed(request):
            return self._propose_as_typed(request, before, caller)
        if request.method != "POST":
            account = _account_named(request.GET.get("account", ""))
            zone = ZoneInfo(account.book.time_zone if account else settings.TIME_ZONE)
            form = ProposeForm(initial=beginning(account, caller.at.astimezone(zone).date()))
            return self._propose_page(request, form)
        form = ProposeForm(request.POST, request.FILES)
        tokens = request.POST.getlist("kept")
        if not form.is_valid():
            return self._propose_page(request, form, tokens=tokens)
        try:
            files = attachment_tokens.files_of(tokens, caller.user) + _taken_in(form, caller)
            attachments.check_kept(files, directory=attachment_files.directory(), count_most=settings.KAKUTEI_ATTACHMENTS)
        except LedgerError as error:
            return self._propose_page(request, form, reasons=_reasons(error), status=409)
        tokens = [attachment_tokens.token_of(file, caller.user) for file in files]
        if request.POST.get("step") == "change":
            again = {**form.cleaned_data, "amount": form.data["amount"], "attached": None}
            return self._propose_page(request, ProposeForm(initial=again), tokens=tokens)
        if request.POST.get("step") != "send":
            return self._preview_page(request, form, files, tokens)
        try:
            row = adjustments.propose(
                proposal=form.proposal(files),
                caller=caller,
                expires_at=caller.at + timedelta(days=settings.KAKUTEI_PROPOSAL_DAYS),
                digest_shown=request.POST.get("shown", ""),
            )
        except LedgerError as error:
            return self._preview_page(request, form, files, tokens, refused=_reasons(error), status=409)
        said = gettext("{adjustment} is proposed. Another person has to decide it.").format(adjustment=self.name_of(row))
        messages.success(request, said)
        return HttpResponseRedirect(url_of(row))

    def _propose_as_typed(self, request: HttpRequest, before: QueryDict, caller: Caller) -> HttpResponse:
        """Show the preview, or the form as it was filled in."""
        form, tokens = ProposeForm(before), before.getlist("kept")
        try:
            if not form.is_valid() or before.get("step") == "change":
                return self._propose_page(request, form, tokens=tokens)
            return self._preview_page(request, form, attachment_tokens.files_of(tokens, caller.user), tokens)
        except LedgerError as gone:
            return self._propose_page(request, form, reasons=_reasons(gone))

    def download(self, request: HttpRequest, pk: int, number: int) -> HttpResponse | FileResponse:
        """Send the bytes of an attachment, to be saved and never to be shown by the browser."""
        file = Attachment.objects.filter(pk=number, adjustment=pk).first()
        if file is None:
            raise Http404
        if not request.user.has_perm("ledger_app.view_attachment"):
            raise PermissionDenied
        return attachment_files.response(file)

    def _preview_page(
        self,
        request: HttpRequest,
        form: ProposeForm,
        files: tuple[StoredFile, ...],
        tokens: list[str],
        *,
        refused: Sequence[Mapping[str, Any]] = (),
        status: int = 200,
    ) -> HttpResponse:
        proposal = form.proposal(files)
        now = queries.preview_of_proposal(proposal)
        refusals = [reason.as_dict() for reason in now.refusals]
        # What is refused is shown once, and what can be sent again is sent with what is true now.
        said = [reason for reason in refused if reason["code"] not in {each["code"] for each in refusals}]
        book = books.find(proposal.book)
        account = Account.objects.filter(book=book, code=proposal.account).select_related("book").first()
        more = {
            "summary": [
                *summed_up(form, book),
                (_("Amount"), look.amount_cell(proposal.amount, book)),
                (_("Attachments"), ", ".join(file.name for file in files) or NOTHING),
                *([(_("Adjusted lately for this member"), _lately(account))] if account else []),
            ],
            "lines": shown_lines(now, book),
            "lots": shown_rows(now.shown.lots) if now.shown else (),
            "refusals": refusals,
            "may_send": not refusals,
            "shown": now.digest,
            "book": book,
            "is_preview": True,
        }
        return self._propose_page(request, form, tokens=tokens, reasons=said, status=status, **more)

    def _propose_page(
        self,
        request: HttpRequest,
        form: ProposeForm,
        *,
        tokens: Sequence[str] = (),
        reasons: Sequence[Mapping[str, Any]] = (),
        status: int = 200,
        **more: Any,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Propose an adjustment"),
            "form": form,
            "tokens": tokens,
            "reasons": reasons,
            **more,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ledger_app/propose.html", context, status=status)


def shown_lines(now: Preview, book: Book) -> list[dict[str, Any]]:
    """Return the lines of a preview, each with its account's balance before and after where the decision is bound to it."""
    if now.shown is None:
        return []
    balances = {each.account: each for each in now.shown.balances}
    named = Account.objects.filter(book=book, code__in=[line.account for line in now.shown.lines])
    addresses = {account.code: url_of(account) for account in named}
    found = []
    for line in now.shown.lines:
        balance = balances.get(line.account)
        found.append(
            {
                "account": line.account,
                "url": addresses.get(line.account, ""),
                "debit": line.amount if line.amount > 0 else None,
                "credit": -line.amount if line.amount < 0 else None,
                "before": balance.before if balance else None,
                "after": balance.after if balance else None,
                "unit": book.unit,
            }
        )
    return found


def _facts_of(row: Adjustment, entry: Entry | None) -> list[tuple[Any, Any]]:
    side = gettext("debit balance") if sides.is_debit(row.account.category) else gettext("credit balance")
    found: list[tuple[Any, Any]] = [
        (_("Account"), format_html("{} <em>{}</em>", link_to(row.account), side)),
        (_("Member"), member_link(row.account.holder)),
        (_("Amount"), look.amount_cell(row.amount, row.book)),
        (_("Contra account"), link_to(row.contra_account)),
        (_("Date"), look.day_text(row.effective_on)),
        (_("Reason code"), f"{row.reason_code.code} · {row.reason_code.name}"),
        (_("Why"), row.text),
        (_("Ticket"), row.ticket or NOTHING),
        (_("Break the floor"), gettext("yes") if row.waives_floor else gettext("no")),
        (_("Proposed by"), row.proposed_by.username),
        (_("Proposed at"), look.instant_cell(row.proposed_at, row.book)),
    ]
    if row.state in rules.UNDECIDED:
        found.append((_("To be decided until"), look.instant_cell(row.expires_at, row.book)))
        found.append((_("Adjusted lately for this member"), _lately(row.account)))
    if entry is not None:
        found.append((_("Entry"), link_to(entry)))
    return found


def _lately(account: Account) -> str:
    """Say what was adjusted for a member in the last days: what is small by itself may not be in sum."""
    given = limits.granted(account, at=doorways.now())
    told = gettext("{count} adjustments in {days} days, {size} in all without their signs")
    return told.format(count=given.number, days=given.days, size=look.amount_text(given.size, account.book.exponent))


def _asked_now(row: Any) -> Preview:
    """Return what a page that asks for a decision shows, made once: what is shown is what the decision is bound to."""
    if getattr(row, "shown_now", None) is None:
        row.shown_now = queries.preview(queries.terms_of(row))
    found: Preview = row.shown_now
    return found


def _account_named(number: str) -> Account | None:
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    return Account.objects.filter(pk=int(number)).select_related("book").first()


def _taken_in(form: ProposeForm, caller: Caller) -> tuple[StoredFile, ...]:
    return tuple(
        attachments.take_in(
            stream=file,
            name=file.name,
            directory=attachment_files.directory(),
            bytes_most=settings.KAKUTEI_ATTACHMENT_BYTES,
            scan=scanning.scanner(),
            caller=caller,
        )
        for file in form.cleaned_data["attached"][: settings.KAKUTEI_ATTACHMENTS + 1]
    )


def _reasons(error: LedgerError) -> list[dict[str, Any]]:
    return [reason.as_dict() for reason in (error.reasons if isinstance(error, Refused) else (error,))]
