"""Periods in the admin: what a freeze asks for, and the buttons."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from config import doorways
from config.transition_admin import TransitionAdmin, shown_version
from ledger_app import tasks
from ledger_app.admin.amount_field import AmountField
from ledger_app.admin.books import sealed_facts, shown_trial_balance
from ledger_app.admin.exports import AccountingPages, handed_over
from ledger_app.models import FreezeAttempt, Period, Seal
from ledger_app.operations import freezing, periods
from ledger_app.operations.audit import Caller
from ledger_app.queries import closing, hands
from ledger_app.rules.periods import COUNTS, PERIOD, PeriodFacts
from ledger_app.rules.transitions import Facts, Transition
from ledger_app.templatetags import look


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
        checks = _checks(facts)
        seal = Seal.objects.filter(period=row).select_related("previous__period__book", "sealed_by", "book").first()
        return {
            "title": str(row),
            "period": row,
            "book": row.book,
            "offers": [_said_once(offer, checks) for offer in self.offers(request, row)],
            "checks": [] if seal else checks,
            "seal": sealed_facts(seal) if seal else None,
            "trial_balance": shown_trial_balance(seal.trial_balance) if seal else None,
            "freeze": None if seal else self._freeze(row),
            "freeze_url": reverse("admin:ledger_app_period_freezing", args=[row.pk]),
            "accounting": handed_over(row, request.user),
            "audit": self.trail(row),
        }

    def get_urls(self) -> list[URLPattern]:
        """Add the fragment that the page asks for while the period is being frozen."""
        view = self.admin_site.admin_view(self.freezing)
        freezing = path("<int:pk>/freezing/", view, name="ledger_app_period_freezing")
        return [freezing, *self.accounting_urls(), *super().get_urls()]

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
        """Say what will happen to which dates. What the ledger adds up to is not shown: it is to be proved by what comes from elsewhere."""
        found: list[tuple[Any, Any]] = [(_("Period"), row), (_("Dates"), self.shown_span(row)), (_("Unit"), row.book.unit)]
        if transition.name == "freeze":
            found += [
                (_("How"), _("Every entry is proved in the background; the period's page says how it ended.")),
                (_("After this"), _("No entry will ever enter these dates; corrections are dated in a later period.")),
            ]
        return found

    def asked(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
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
    """Return an offer of which the reasons that the checks tell beside it are counted, and not told again."""
    told = {sentence for check in checks for sentence in check["sentences"]}
    others = [reason for reason in offer["reasons"] if reason["sentence"] not in told]
    if len(others) < len(offer["reasons"]):
        count = sum(not check["ok"] for check in checks)
        sentence = ngettext(
            "{count} check of what a freeze asks for does not hold yet.",
            "{count} checks of what a freeze asks for do not hold yet.",
            count,
        )
        others.append({"code": "checks", "sentence": sentence.format(count=count)})
    return {**offer, "reasons": others}


def _checks(facts: PeriodFacts) -> list[dict[str, Any]]:
    """Return each guard of a freeze that can be answered without reading every line, with its answer."""
    labels = {
        "has_ended": _("The period's last day has passed"),
        "follows_frozen": _("Every earlier period is frozen"),
        "leaves_no_gap": _("It follows the period before it day by day"),
        "work_has_ended": _("Every batch dated in it has ended"),
        "expiries_are_posted": _("What was due in it has expired"),
    }
    found = []
    for guard in PERIOD.transition("freeze").guards:
        if guard.__name__ in labels:
            reasons = guard(facts)
            sentences = [reason.sentence for reason in reasons]
            found.append({"label": labels[guard.__name__], "ok": not reasons, "sentences": sentences})
    return found
