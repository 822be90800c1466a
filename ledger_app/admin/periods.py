"""Periods in the admin: what a freeze asks for, and the buttons."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config.doors import callers as doorways
from config.doors.admin.transitions import TransitionAdmin, shown_version
from ledger_app import tasks
from ledger_app.admin import audit_kits, reports
from ledger_app.admin.amount_field import AmountField
from ledger_app.admin.books import sealed_facts, shown_trial_balance
from ledger_app.admin.exports import AccountingPages, handed_over
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import hands
from ledger_app.base.rules.transitions import Facts, Transition
from ledger_app.books.rules.periods import COUNTS, PERIOD, PeriodFacts
from ledger_app.close.operations import freezing, periods
from ledger_app.close.queries import closing, readiness
from ledger_app.models import FreezeAttempt, Period, Seal
from ledger_app.templatetags import look

SENTENCES_MOST = 3  # of one kind: the list behind it has all


@admin.register(Period)
class PeriodAdmin(AccountingPages, TransitionAdmin):
    """The periods of the books."""

    machine = PERIOD
    primary = {"open": "freeze", "provisional": "freeze"}
    list_display = ("shown_name", "shown_span", "shown_state")
    list_filter = ("book", "state")
    list_select_related = ("book",)
    ordering = ("-starts_on", "book__code")
    change_form_template = "ledger_app/period_detail.html"

    @admin.display(description=_("period"), ordering="starts_on")
    def shown_name(self, row: Period) -> str:
        """Book and name."""
        return str(row)

    @admin.display(description=_("dates"))
    def shown_span(self, row: Period) -> str:
        """First and last date."""
        return f"{look.day_text(row.starts_on)} – {look.day_text(row.ends_on)}"

    @admin.display(description=_("state"))
    def shown_state(self, row: Period) -> SafeString:
        """Open, provisional or frozen."""
        return look.state_pill(row.state)

    def facts(self, request: HttpRequest, row: Any) -> Facts:
        """Return what the guards are asked with. What reads every line is asked at the freeze itself, under its lock."""
        caller = doorways.from_request(request, "admin")
        return closing.facts(row, user=caller.user, at=caller.at, controls=None, proofs=False)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the checks, the trial balance, the seal and the buttons."""
        facts = self.facts(request, row)
        assert isinstance(facts, PeriodFacts)  # noqa: S101 - this machine's facts
        checks = _checks(row, facts, doorways.now())
        seal = Seal.objects.filter(period=row).select_related("previous__period__book", "sealed_by", "book").first()
        kit = [audit_kits.offer(row, seal, request.user)] if seal else []
        return {
            "title": str(row),
            "period": row,
            "book": row.book,
            "offers": [
                *(_said_once(offer, checks) for offer in self.offers(request, row)),
                *kit,
                reports.offer(row, request.user),
            ],
            "checks": checks,
            "seal": sealed_facts(seal) if seal else None,
            "trial_balance": shown_trial_balance(seal.trial_balance) if seal else None,
            "freeze": None if seal else self._freeze(row),
            "freeze_url": reverse("admin:ledger_app_period_freezing", args=[row.pk]),
            "accounting": handed_over(row, request.user),
            "audit": self.trail(row),
        }

    def get_urls(self) -> list[URLPattern]:
        """Add the fragment that the page asks for while the period is being frozen, and the audit kit."""
        view = self.admin_site.admin_view(self.freezing)
        freezing = path("<int:pk>/freezing/", view, name="ledger_app_period_freezing")
        return [freezing, *audit_kits.KitPage(self).urls(), *self.accounting_urls(), *super().get_urls()]

    def freezing(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the fragment that shows how far the last freeze that was asked for has come."""
        row = self.get_object(request, str(pk))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        freeze = self._freeze(row)
        if freeze is None:
            raise Http404
        return TemplateResponse(request, "ledger_app/_freezing.html", {"freeze": freeze, "book": row.book})

    def _freeze(self, row: Period) -> dict[str, Any] | None:
        """Return the last freeze that was asked for of an open period: how far it has come, or how it ended."""
        attempt = row.freezes.select_related("asked_by").order_by("-id").first()
        if attempt is None:
            return None
        return {
            "attempt": attempt,
            "runs": row.state != Period.State.FROZEN and attempt.state in FreezeAttempt.UNDER_WAY,
            "state": look.state_pill(attempt.state),
            "nobody_there": attempt.state == FreezeAttempt.State.WAITING and not hands.is_anybody_there(),
            "reasons": attempt.reasons,
        }

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Say what will happen to which dates. The ledger's own totals are not shown: figures from elsewhere have to prove them."""
        found: list[tuple[Any, Any]] = [(_("Period"), row), (_("Dates"), self.shown_span(row)), (_("Unit"), row.book.unit)]
        if transition.name == "freeze":
            found += [
                (_("How"), _("Every entry is proved in the background; the period's page says how it ended.")),
                (_("After this"), _("No entry will ever enter these dates; corrections are dated in a later period.")),
            ]
        return found

    def form_of(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
        """Ask for the control totals that finance holds from elsewhere."""
        if transition.name != "freeze":
            return None
        form = forms.Form(data)
        names = closing.control_names(row.book_id)
        amounts = [name for name in names if name not in COUNTS]
        for name in names:
            label, help_text = CONTROL_WORDS.get(name, OF_ROLE)
            form.fields[f"control_{name}"] = AmountField(
                0 if name in COUNTS else row.book.exponent,
                required=False,
                label=str(label).format(name=name, unit=row.book.unit),
                help_text=help_text,
            )
            if name in amounts:
                # The rules ask for one of them, whichever finance holds from elsewhere.
                marked = _("one of these is required") if len(amounts) > 1 else _("required")
                form.fields[f"control_{name}"].marked = marked  # type: ignore[attr-defined]
        return form

    def carry_out(self, transition: Transition, row: Any, caller: Caller, posted: Mapping[str, Any]) -> str:
        """Call the operation."""
        version = shown_version(posted)
        reason = str(posted.get("reason", ""))
        if transition.name == "freeze":
            prefix = "control_"
            controls = {
                name.removeprefix(prefix): amount
                for name, amount in posted.items()
                if name.startswith(prefix) and amount is not None
            }
            attempt = freezing.ask(period_id=row.pk, controls=controls, caller=caller, reason=reason, version=version)
            tasks.freeze_period.enqueue(attempt_id=attempt.pk, user_id=caller.user.pk)
            return gettext("The freeze of {period} is asked for: this page says how it ends.").format(period=row)
        done = periods.change(period_id=row.pk, name=transition.name, caller=caller, reason=reason, version=version)
        return gettext("{period} is {state} now.").format(period=done, state=done.get_state_display())


# What each control total is called where it is typed in, and what is meant by it.
CONTROL_WORDS = {
    "entries": (_("Entries, counted"), _("How many entries are dated in the period. A count alone is not enough.")),
    "debits": (
        _("Sum of all debits, in {unit}"),
        _("From the statement or the other system, never from a screen of this ledger."),
    ),
}
OF_ROLE = (
    _("Change of “{name}”, in {unit}"),
    _("Debits less credits of all its accounts in the period: with a minus sign where the credits are more."),
)


def _said_once(offer: dict[str, Any], checks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an offer whose blockers are counted, and not told again, where the checks beside it tell them."""
    told = {sentence for check in checks for line in check["lines"] for sentence in line["sentences"]}
    others = [each for each in offer["blockers"] if each["sentence"] not in told]
    if len(others) < len(offer["blockers"]):
        count = sum(check["verdict"] == DIFFERS for check in checks)
        sentence = ngettext(
            "{count} check of what a freeze asks for does not hold yet.",
            "{count} checks of what a freeze asks for do not hold yet.",
            count,
        )
        others.append({"code": "checks", "sentence": sentence.format(count=count)})
    return {**offer, "blockers": others}


HOLDS, DIFFERS, BY_FREEZE = "holds", "differs", "by_freeze"


def _checks(period: Period, facts: PeriodFacts, at: datetime) -> list[dict[str, Any]]:
    """Return each question of a freeze with its answer, and of what stands in the way how often, what clears it and who may."""
    return [
        {
            "label": check.label,
            "verdict": HOLDS if check.holds else DIFFERS if readiness.in_the_way([check]) else BY_FREEZE,
            "lines": [_line(line) for line in check.lines],
        }
        for check in readiness.checks(period, facts, at=at)
    ]


def _line(line: readiness.Line) -> dict[str, Any]:
    """Return one line of what stands in the way, with a link: to the row where there is one, else to the list of rows in that state."""
    url = ""
    if line.rows:
        first = line.rows[0]
        name = f"admin:{first.model.replace('.', '_')}"
        state = urlencode({"state__exact": first.state})
        url = reverse(f"{name}_change", args=[first.number]) if line.count == 1 else f"{reverse(f'{name}_changelist')}?{state}"
    return {
        "what": line.what,
        "count": f"{line.count:,}+" if line.is_more else f"{line.count:,}",
        "sentences": line.sentences[:SENTENCES_MOST],
        "clears": line.clears,
        "who": line.who,
        "url": url,
    }
