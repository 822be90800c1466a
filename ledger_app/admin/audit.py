"""What was done, what was refused, and when the books were proved."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.doors import telling
from config.doors.admin.list_filters import in_words
from config.doors.admin.model_admin import NOTHING, ReadOnlyAdmin, link_to
from config.doors.admin.sheets import Column, Facts, Part, Sheet, Table
from ledger_app.admin import audit_facts
from ledger_app.base.operations.transitions import UNTOLD
from ledger_app.books.rules.periods import PERIOD
from ledger_app.models import AuditRow, Verification
from ledger_app.templatetags import look
from ledger_app.verification.operations.verification import translated_results

# Which list a subject is found in, by its type.
MODELS = {
    "accessreview": "ledger_app.accessreview",
    "account": "ledger_app.account",
    "adjustment": "ledger_app.adjustment",
    "adjustmentlimit": "ledger_app.adjustmentlimit",
    "batch": "ingestion_app.batch",
    "book": "ledger_app.book",
    "closepolicy": "ledger_app.closepolicy",
    "entry": "ledger_app.entry",
    "export": "ledger_app.export",
    "hold": "ledger_app.hold",
    "holdrule": "ledger_app.holdrule",
    "login": "ledger_app.user",
    "lotrule": "ledger_app.lotrule",
    "member": "ledger_app.holder",
    "erasure": "ledger_app.erasure",
    "merge": "ledger_app.merge",
    "period": "ledger_app.period",
    "profile": "ledger_app.profile",
    "reasoncode": "ledger_app.reasoncode",
    "reversal": "ledger_app.reversal",
    "setting": "ledger_app.settingchange",
    "source": "ingestion_app.source",
    "user": "ledger_app.user",
    "token": "ledger_app.token",
    "webhook": "ledger_app.webhook",
}


@admin.register(AuditRow)
class AuditRowAdmin(ReadOnlyAdmin):
    """Each change of state, and each refused attempt at one."""

    list_display = ("shown_at", "sentence", "shown_subject", "shown_states", "why")
    list_filter = (
        "outcome",
        ("action", in_words(telling.action_word)),
        ("subject_type", in_words(telling.subject_word)),
        ("door", in_words(telling.door_word)),
    )
    search_fields = ("subject__startswith", "actor__username__exact")
    search_help_text = _("The beginning of a name, or a user")
    list_select_related = ("actor",)
    list_display_links = ("shown_at",)

    def name_of(self, row: AuditRow) -> str:
        """Return who did what."""
        return f"{row.actor} {telling.phrase_of(row)}"

    @admin.display(description=_("at"), ordering="id")
    def shown_at(self, row: AuditRow) -> SafeString:
        """When, in UTC."""
        return look.instant_cell(row.at)

    @admin.display(description=_("who did what"))
    def sentence(self, row: AuditRow) -> SafeString:
        """Who did what, in the past tense; a refusal is marked as one."""
        mark = look.state_pill(row.outcome) if row.outcome == AuditRow.Outcome.REFUSED else ""
        return format_html("{} <b>{}</b> {}", mark, row.actor.username, telling.phrase_of(row))

    @admin.display(description=_("what"))
    def shown_subject(self, row: AuditRow) -> SafeString:
        """What it was done to, as a link."""
        return format_html('<span class="nowrap">{}</span>', subject_link(row.subject_type, row.subject_id, row.subject))

    @admin.display(description=_("states"))
    def shown_states(self, row: AuditRow) -> SafeString:
        """The state before and the state after."""
        states = dict.fromkeys(state for state in (row.from_state, row.to_state) if state)
        pills = [look.state_pill(state) for state in states]
        return format_html_join(" → ", "{}", ((pill,) for pill in pills))

    @admin.display(description=_("why"))
    def why(self, row: AuditRow) -> str:
        """The reason that was given, or the reasons for the refusal."""
        return row.reason if row.outcome == AuditRow.Outcome.DONE else " ".join(str(each["sentence"]) for each in row.reasons)

    def sheet(self, request: HttpRequest, row: AuditRow) -> Sheet:
        """Return all that is known of one change or refusal."""
        main: list[Part] = [
            Facts(
                _("What was done"),
                [
                    (_("To"), subject_link(row.subject_type, row.subject_id, row.subject)),
                    (_("Outcome"), look.state_pill(row.outcome)),
                    (_("State before"), look.state_pill(row.from_state) if row.from_state else NOTHING),
                    (_("State after"), look.state_pill(row.to_state) if row.to_state else NOTHING),
                    (_("Reason given"), row.reason or NOTHING),
                ],
            )
        ]
        if row.reasons:
            columns = (Column(_("reason")), Column(_("code")))
            reasons = [(each["sentence"], format_html("<code>{}</code>", each["code"])) for each in row.reasons]
            main.append(Table(_("Why it was refused"), columns, reasons, empty=""))
        facts = dict(row.facts)
        if UNTOLD in facts and request.user.has_perm(str(PERIOD.transition("freeze").right)):
            # Who types control totals in would otherwise read the ledger's own here, one wrong guess later.
            facts[UNTOLD] = gettext("Not shown to those who may freeze a period.")
        if facts:
            main.append(Facts(_("What it was decided on"), audit_facts.rows_of(row, facts, MODELS.get(row.subject_type))))
        circumstances = [
            (_("By"), row.actor.username),
            (_("At"), look.instant_cell(row.at)),
            (_("Door"), telling.door_word(row.door)),
            (_("Request"), row.request or NOTHING),
            (_("System user"), row.os_user or NOTHING),
            (_("Host"), row.host or NOTHING),
        ]
        return Sheet(
            title=self.name_of(row), subtitle=row.subject, main=main, side=[Facts(_("Who, when, from where"), circumstances)]
        )


def subject_link(subject_type: str, subject_id: int, text: str) -> SafeString | str:
    """Return a subject as a link to its page, where it has one."""
    label = MODELS.get(subject_type)
    # What was typed in the place of a name is nobody's page.
    if label is None or not subject_id or not apps.is_installed(label.split(".", maxsplit=1)[0]):
        return text
    try:
        address = reverse(f"admin:{label.replace('.', '_')}_change", args=[subject_id])
    except NoReverseMatch:
        return text
    return format_html('<a href="{}">{}</a>', address, text)


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """The runs of ``verify``."""

    list_display = ("shown_at", "shown_book", "shown_breaches")
    list_select_related = ("book",)

    def name_of(self, row: Verification) -> str:
        """Return when it finished."""
        return look.instant_text(row.finished_at)

    @admin.display(description=_("finished at"), ordering="id")
    def shown_at(self, row: Verification) -> SafeString:
        """When it finished, in UTC."""
        return look.instant_cell(row.finished_at)

    @admin.display(description=_("book"))
    def shown_book(self, row: Verification) -> Any:
        """The book, or all."""
        return row.book or _("all books")

    @admin.display(description=_("breaches"))
    def shown_breaches(self, row: Verification) -> SafeString:
        """How many breaches it found."""
        return look.count_cell(row.breaches)

    def sheet(self, request: HttpRequest, row: Verification) -> Sheet:
        """Return each invariant and the breaches of it."""
        del request
        invariants = [
            (
                each["number"],
                each["says"],
                _verdict(each["breaches"]),
                format_html_join("", "<div>{}</div>", ((breach,) for breach in each["breaches"])) or NOTHING,
            )
            for each in translated_results(row)
        ]
        columns = (Column(_("number"), is_figure=True), Column(_("invariant")), Column(_("result")), Column(_("breaches")))
        facts = [
            (_("Book"), link_to(row.book, row.book.code) if row.book else _("all books")),
            (_("Started at"), look.instant_cell(row.started_at)),
            (_("Finished at"), look.instant_cell(row.finished_at)),
            (_("Breaches"), look.count_cell(row.breaches)),
        ]
        return Sheet(
            title=gettext("Verification of {at}").format(at=self.name_of(row)),
            main=[Table(_("What must always hold"), columns, invariants, _("Nothing was asked."))],
            side=[Facts(_("The run"), facts)],
        )


def _verdict(breaches: list[str]) -> SafeString:
    if breaches:
        return format_html('<span class="verdict differs"><span aria-hidden="true">✕</span> {}</span>', _("is broken"))
    return format_html('<span class="verdict"><span aria-hidden="true">✓</span> {}</span>', _("holds"))
