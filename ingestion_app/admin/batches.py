"""Batches in the admin: the page that answers where every record is, and the buttons."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors import scanning
from config.doors.admin.model_admin import url_of
from config.doors.admin.transitions import Done, TransitionAdmin, shown_version
from config.doors.requests.bodies import takes_files
from ingestion_app import tasks
from ingestion_app.admin import batch_page, batch_progress, undoing
from ingestion_app.admin.units import UnitChangeList
from ingestion_app.applying import queries as replays
from ingestion_app.applying.operations import applying, leaving
from ingestion_app.batches.queries import workers
from ingestion_app.deciding.operations import deciding, reversing
from ingestion_app.deciding.queries import alerts, batches
from ingestion_app.models import Attempt, Batch, Receipt, Source
from ingestion_app.receiving.operations import receiving
from ingestion_app.sources.queries.definitions import newer_version
from ingestion_app.states import BATCH
from ingestion_app.status.queries import jobs
from ingestion_app.status.queries.deadlines import deadline_of
from ingestion_app.status.queries.rerun import rerun_of
from ingestion_app.validating.operations import validating
from ledger_app.base.operations.audit import Caller
from ledger_app.base.rules.transitions import Facts, Transition
from ledger_app.errors import LedgerError
from ledger_app.models import User
from ledger_app.rights.queries.rights import rights_of
from ledger_app.templatetags import look

# In the address of a batch's page: the number of the last attempt before the one that was asked for.
ASKED_AFTER = "asked_after"
NUMBER_MOST = 10  # digits of the number of a version
RUNS_OUTSIDE = frozenset({"validate", "apply", "resume"})


class ReceiveForm(forms.Form):
    """A file, its source, and its slot where the name does not say it."""

    source = forms.ModelChoiceField(Source.objects.order_by("code"), label=_("Source"), empty_label=None)
    file = forms.FileField(label=_("File"), allow_empty_file=True, max_length=255)
    # Django's own fields for dates and numbers take full-width digits, and dates written in several ways.
    business_date = forms.RegexField(
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        label=_("Business date"),
        required=False,
        help_text=_("YYYY-MM-DD, where the file's name does not say it"),
        error_messages={"invalid": _("Write the date like 2017-01-31.")},
    )
    sequence = forms.RegexField(
        "^[0-9]{1,4}$",
        label=_("Sequence"),
        required=False,
        error_messages={"invalid": _("Write a number from 1 to 9999.")},
    )

    def clean_business_date(self) -> date | None:
        """Return the date, or None where none was given."""
        text = self.cleaned_data["business_date"]
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as no_date:
            raise forms.ValidationError(gettext("{text} is no date.").format(text=text)) from no_date

    def clean_sequence(self) -> int | None:
        """Return the number, or None where none was given."""
        text = self.cleaned_data["sequence"]
        if text and int(text) == 0:
            raise forms.ValidationError(self.fields["sequence"].error_messages["invalid"])
        return int(text) if text else None


class ApprovalForm(forms.Form):
    """What an approver is asked where a newer version of the source was loaded after the plan was made."""

    knows_newer = forms.BooleanField(error_messages={"required": _("Say that you know of it, or validate the batch again.")})


@admin.register(Batch)
class BatchAdmin(TransitionAdmin):
    """The batches."""

    machine = BATCH
    primary = {
        "received": "validate",
        "rejected": "withdraw",
        "validated": "approve",
        "approved": "apply",
        "applying": "resume",
        "applied": "freeze",
    }
    list_display = (
        "shown_name",
        "shown_state",
        "shown_records",
        "shown_sum",
        "shown_findings",
        "received_by",
        "shown_received_at",
    )
    list_filter = ("state", "source")
    list_select_related = ("source", "receipt", "received_by", "source_version")
    search_fields = ("business_date__exact",)
    search_help_text = _("A business date, YYYY-MM-DD")
    change_form_template = "ingestion_app/batch_detail.html"
    change_list_template = "ingestion_app/batch_list.html"

    @admin.display(description=_("batch"), ordering="id")
    def shown_name(self, row: Batch) -> str:
        """Source, business date, sequence."""
        return str(row)

    @admin.display(description=_("state"))
    def shown_state(self, row: Batch) -> SafeString:
        """The state, and whether it is paused in it."""
        pills = format_html_join(" ", "{}", ((look.state_pill(each),) for each in self.pills_of(row)))
        return format_html('<span class="nowrap">{}</span>', pills)

    @admin.display(description=_("records"))
    def shown_records(self, row: Batch) -> SafeString:
        """How many records the file has."""
        return look.count_cell(row.record_count)

    @admin.display(description=_("sum of records"))
    def shown_sum(self, row: Any) -> SafeString:
        """The sum of the records' amounts."""
        return look.amount_cell(row.record_sum, row.unit)

    @admin.display(description=_("findings"))
    def shown_findings(self, row: Batch) -> str:
        """How many of each severity."""
        return batch_page.findings_text(row)

    @admin.display(description=_("received at"))
    def shown_received_at(self, row: Batch) -> SafeString:
        """When, in UTC; nothing arrived where a batch reverses another."""
        return look.instant_cell(row.receipt.received_at if row.receipt else None)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[UnitChangeList]:
        """Return the list that brings the unit of the amounts with each row."""
        del request, kwargs
        return UnitChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring with each row what says what it is for and until when it is due."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("source", "source_version", "receipt", "received_by", "reverses__source")

    def note_of(self, row: Batch) -> str:
        """Return what is to be known of a batch that waits, beside its name: until when it is due, and whether it has stopped."""
        at = doorways.now()
        deadline = deadline_of(row)
        stopped = gettext("it has stopped: a person must start it again or end it") if jobs.waits_for_person(row, at=at) else ""
        return " · ".join(filter(None, [stopped, deadline.sentence(at) if deadline else ""]))

    def pills_of(self, row: Batch) -> list[str]:
        """Return the state, and whether it is paused in it."""
        return [row.state, "paused"] if row.is_paused else [row.state]

    def get_urls(self) -> list[URLPattern]:
        """Add the door for files, and the fragment that the page asks for while it applies."""
        view = self.admin_site.admin_view
        return [
            path("receive/", view(self.receive), name="ingestion_app_batch_receive"),
            path("<int:pk>/progress/", view(self.progress), name="ingestion_app_batch_progress"),
            path("<int:pk>/check/", view(self.check_rows), name="ingestion_app_batch_check"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say whether the user may receive files."""
        may = isinstance(request.user, User) and receiving.RIGHT in rights_of(request.user)
        return super().changelist_view(request, {"may_receive": may, **(extra_context or {})})

    def facts(self, request: HttpRequest, row: Any) -> Facts:
        """Return what the guards are asked with: what stands in a few rows. What reads a whole batch is asked by the operation, and by nobody who looks."""
        assert isinstance(request.user, User)  # noqa: S101 - the admin lets nobody else in
        return batches.facts(row, user=request.user, deep=False)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return all that the batch page shows."""
        asked_after = _asked_after(request)
        query = "" if asked_after is None else f"?{ASKED_AFTER}={asked_after}"
        context = batch_page.context(row, asked_after)
        return {
            **context,
            "offers": self._offers(request, row, is_running=context["progress"]["running"]),
            "audit": self.trail(row),
            "progress_url": reverse("admin:ingestion_app_batch_progress", args=[row.pk]) + query,
            "check_url": reverse("admin:ingestion_app_batch_check", args=[row.pk])
            if row.state in batch_page.HAS_POSTED
            else None,
            "undoing": undoing.shown(row) if undoing.is_previewed(row) else None,
        }

    def _offers(self, request: HttpRequest, row: Batch, *, is_running: bool) -> list[dict[str, Any]]:
        """Return what can be done; while somebody is at it, to begin it once more does no harm, but is not what comes next."""
        offers = self.offers(request, row)
        if not is_running:
            return offers
        return [{**offer, "primary": False} for offer in sorted(offers, key=lambda offer: offer["name"] != "pause")]

    def check_rows(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the fragment that says whether plan and ledger are what was approved: every line of the batch is read for it."""
        row = self.get_object(request, str(pk))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        answer = rerun_of(row, at=doorways.now(), check=True)
        return TemplateResponse(request, "ingestion_app/_rerun.html", {"rerun": batch_progress.rerun(answer, row)})

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the fragment that shows how far a batch has come."""
        row = self.get_object(request, str(pk))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        followed = batch_page.followed(row, _asked_after(request))
        offers = self._offers(request, row, is_running=followed["progress"]["running"])
        return TemplateResponse(request, "ingestion_app/_followed.html", {**followed, "offers": offers})

    def onward(self, transition: Transition, row: Any) -> str:
        """Have the page follow what runs outside the request: from before its attempt begins until the attempt has ended."""
        address = super().onward(transition, row)
        if transition.name not in RUNS_OUTSIDE:
            return address
        return f"{address}?{ASKED_AFTER}={_last_attempt(row)}"

    @takes_files(right=receiving.RIGHT, bytes_most=lambda: settings.KAKUTEI_UPLOAD_BYTES)
    def receive(self, request: HttpRequest) -> HttpResponse:
        """Take a file in."""
        if not isinstance(request.user, User) or receiving.RIGHT not in rights_of(request.user):
            raise PermissionDenied
        form = ReceiveForm(request.POST or None, request.FILES or None)
        reasons: list[dict[str, Any]] = []
        if request.method == "POST" and form.is_valid():
            try:
                receipt = _receive(form.cleaned_data, doorways.from_request(request, "admin"))
            except LedgerError as error:
                reasons = [reason.as_dict() for reason in getattr(error, "reasons", [error])]
            else:
                first = receipt.first or receipt
                told = (
                    gettext("The file is in.")
                    if receipt.first is None
                    else gettext("These bytes came in before: this is the batch of their first arrival.")
                )
                messages.success(request, told)
                return HttpResponseRedirect(url_of(first.batch))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Receive a file"),
            "form": form,
            "reasons": reasons,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "ingestion_app/receive.html", context, status=409 if reasons else 200)

    def token(self, transition: Transition, row: Any) -> list[tuple[str, str]]:
        """Bind the decision to the version and to the plan that are shown, and to the newer version of the source, where there is one."""
        newer = newer_version(row) if transition.name == "approve" else None
        known = [("newer_version", str(newer))] if newer else []
        shown = [("alerts", alerts.digest_of(row))] if transition.name == "acknowledge" else []
        return [*super().token(transition, row), ("plan", batches.hexadecimal(row.plan_digest)), *known, *shown]

    def form_of(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
        """Return the form of an approval of a plan that was made under an earlier version of the source."""
        newer = newer_version(row) if transition.name == "approve" and row.state == Batch.State.VALIDATED else None
        if newer is None:
            return None
        form = ApprovalForm(data)
        text = gettext(
            "I know that version {newest} of the source was loaded since, and approve the plan made under version {planned}."
        )
        form.fields["knows_newer"].label = text.format(newest=newer, planned=row.source_version.number)
        return form

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Say what will happen in records, money and periods."""
        return batch_page.effects(transition.name, row)

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str | Done:
        """Call the operation; what takes long is asked now, decided now, and runs outside the request."""
        version = shown_version(posted)
        reason = str(posted.get("reason", ""))
        if transition.name == "validate":
            validating.ask(batch_id=row.pk, caller=caller, version=version)
            tasks.validate_batch.enqueue(batch_id=row.pk, user_id=caller.user.pk, version=row.version)
            return _asked_for(gettext("{batch} is to be validated.").format(batch=row))
        if transition.name in {"apply", "resume"}:
            begun = applying.begin(batch_id=row.pk, caller=caller, version=version, name=transition.name)
            if begun.state != Batch.State.APPLYING:
                told = gettext("{batch} was applied before; nothing is left to do.").format(batch=row)
                return f"{told} {batch_progress.receipt_sentence(replays.replay_of(begun, None))}"
            tasks.apply_batch.enqueue(batch_id=row.pk, user_id=caller.user.pk)
            return _asked_for(gettext("{batch} is to be applied.").format(batch=row))
        if transition.name == "reverse":
            made = reversing.propose(batch_id=row.pk, reason=reason, caller=caller, version=version)
            tasks.validate_batch.enqueue(batch_id=made.pk, user_id=caller.user.pk, version=made.version)
            asked = _asked_for(gettext("The reversal is proposed and is to be validated; then another person has to approve it."))
            return asked._replace(address=f"{url_of(made)}?{ASKED_AFTER}={_last_attempt(made)}")
        if transition.name == "pause":
            applying.pause(batch_id=row.pk, caller=caller, reason=reason, version=version)
            return gettext("{batch} is paused. Chunks that are being applied come to their end.").format(batch=row)
        if transition.name == "approve":
            plan = str(posted.get("plan", ""))
            known = str(posted.get("newer_version", "")) if posted.get("knows_newer") else ""
            done = deciding.approve(
                batch_id=row.pk,
                digest_shown=plan,
                caller=caller,
                note=reason,
                version=version,
                acknowledged_version=int(known) if known.isascii() and known.isdecimal() and len(known) < NUMBER_MOST else None,
            )
        elif transition.name == "acknowledge":
            shown = str(posted.get("alerts", ""))
            done = deciding.acknowledge(batch_id=row.pk, reason=reason, alerts_shown=shown, caller=caller, version=version)
            return gettext("The alerts of {batch} are acknowledged. It can be approved now.").format(batch=done)
        elif transition.name == "leave":
            done = leaving.leave(batch_id=row.pk, reason=reason, caller=caller, version=version)
        elif transition.name == "withdraw":
            done = deciding.withdraw(batch_id=row.pk, reason=reason, caller=caller, version=version)
        else:
            done = deciding.freeze(batch_id=row.pk, caller=caller, reason=reason, version=version)
        return gettext("{batch} is {state} now.").format(batch=done, state=done.get_state_display())


def _asked_for(sentence: str) -> Done:
    """Say what a worker is going to do; where none is there, that it waits for one."""
    if workers.is_any_worker_there():
        return Done(f"{sentence} {gettext('A worker takes it up.')}")
    return Done(
        f"{sentence} {gettext('No worker is there to take it up: it waits until one is started (db_worker).')}", is_warning=True
    )


def _last_attempt(batch: Batch) -> int:
    """Return the last attempt there is of a batch, by its id; 0 where there is none."""
    last: int | None = Attempt.objects.filter(batch=batch).aggregate(last=Max("id"))["last"]
    return last or 0


def _asked_after(request: HttpRequest) -> int | None:
    """Return the last attempt there was when this person asked for a step that runs outside the request."""
    text = request.GET.get(ASKED_AFTER, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _receive(given: Mapping[str, Any], caller: Caller) -> Receipt:
    return receiving.receive(
        stream=given["file"],
        name=given["file"].name,
        source_code=given["source"].code,
        directory=Path(settings.KAKUTEI_FILES_DIR),
        caller=caller,
        business_date=given["business_date"],
        sequence=given["sequence"],
        scan=scanning.scanner(),
    )
