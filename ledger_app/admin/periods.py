"""Periods in the admin: what a freeze asks for, and the buttons."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config import doorways
from config.transition_admin import TransitionAdmin, shown_version
from ledger_app.admin.books import sealed_facts, shown_trial_balance
from ledger_app.errors import ControlDiffers, LedgerError
from ledger_app.models import Period, Seal
from ledger_app.operations import periods
from ledger_app.operations.audit import Caller
from ledger_app.queries import closing, seals
from ledger_app.rules.periods import PERIOD, PeriodFacts
from ledger_app.rules.transitions import Facts, Transition
from ledger_app.templatetags import look


class AmountField(forms.CharField):
    """An amount as people write it, read exactly: digits, thousands separated by commas or not at all, the unit's decimals or none."""

    def __init__(self, exponent: int, **kwargs: Any) -> None:
        """Read amounts of a unit with ``exponent`` decimals."""
        super().__init__(max_length=30, **kwargs)
        self._exponent = exponent
        decimals = rf"(?:\.([0-9]{{{exponent}}}))?" if exponent else "()"
        self._pattern = re.compile(rf"([-−]?)([0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+){decimals}")

    def clean(self, value: Any) -> Any:
        """Return the amount in minor units, or None where nothing was typed."""
        text = super().clean(value)
        if not text:
            return None
        match = self._pattern.fullmatch(text.strip())
        if match is None:
            example = look.amount_text(123456, self._exponent)
            raise forms.ValidationError(gettext("Write the amount like {example}.").format(example=example))
        sign, whole, decimals = match[1], match[2].replace(",", ""), match[3] or "0" * self._exponent
        minor = int(whole + decimals)
        return -minor if sign else minor


@admin.register(Period)
class PeriodAdmin(TransitionAdmin):
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

    def facts(self, request: HttpRequest, row: Any, transition: Transition | None = None) -> Facts:
        """Return what the guards are asked with. What reads every line is asked at the freeze itself, under its lock."""
        del transition
        caller = doorways.from_request(request, "admin")
        return closing.facts(row, user=caller.user, at=caller.at, controls=None, proofs=False)

    def page(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return the checks, the trial balance, the seal and the buttons."""
        facts = self.facts(request, row)
        assert isinstance(facts, PeriodFacts)  # noqa: S101 - this machine's facts
        seal = Seal.objects.filter(period=row).select_related("previous__period__book", "sealed_by", "book").first()
        rows = seal.trial_balance if seal else seals.trial_balance(row)
        return {
            "title": str(row),
            "period": row,
            "book": row.book,
            "offers": self.offers(request, row),
            "checks": [] if seal else _checks(facts),
            "seal": sealed_facts(seal) if seal else None,
            "trial_balance": shown_trial_balance(rows),
            "audit": self.trail(row),
        }

    def effects(self, transition: Transition, row: Any) -> Sequence[tuple[Any, Any]]:
        """Say what will happen in entries, money and dates."""
        totals = closing.control_totals(row)
        found: list[tuple[Any, Any]] = [
            (_("Period"), row),
            (_("Dates"), self.shown_span(row)),
            (_("Entries"), look.count_cell(totals["entries"])),
            (_("Sum of debits"), look.amount_cell(totals["debits"], row.book)),
        ]
        if transition.name == "freeze":
            found.append((_("After this"), _("No entry will ever enter these dates; corrections are dated in a later period.")))
        return found

    def asked(self, transition: Transition, row: Any, data: Any = None) -> forms.Form | None:
        """Ask for the control totals that finance holds from elsewhere."""
        if transition.name != "freeze":
            return None
        form = forms.Form(data)
        for name in closing.control_totals(row):
            exponent = 0 if name == "entries" else row.book.exponent
            unit = gettext("entries") if name == "entries" else row.book.unit
            form.fields[f"control_{name}"] = AmountField(
                exponent, required=False, label=gettext("{name}, in {unit}").format(name=name, unit=unit)
            )
        return form

    def said(self, reason: LedgerError, row: Any) -> str:
        """Say how a control total differs in the unit in which it was typed."""
        if not isinstance(reason, ControlDiffers):
            return super().said(reason, row)
        exponent = 0 if reason.facts["name"] == "entries" else row.book.exponent
        amounts = {name: look.amount_text(reason.facts[name], exponent) for name in ("given", "found", "difference")}
        return str(reason.template).format(**{**reason.facts, **amounts})

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
            seal = periods.freeze(
                period_id=row.pk,
                controls=controls,
                caller=caller,
                code_version=settings.KAKUTEI_CODE_VERSION,
                reason=reason,
                version=version,
            )
            return gettext("{period} is frozen under seal {digest}.").format(period=row, digest=bytes(seal.digest).hex()[:12])
        done = periods.change(period_id=row.pk, name=transition.name, caller=caller, reason=reason, version=version)
        return gettext("{period} is {state} now.").format(period=done, state=done.get_state_display())


def _checks(facts: PeriodFacts) -> list[dict[str, Any]]:
    """Return each guard of a freeze that can be answered without reading every line, with its answer."""
    labels = {
        "has_ended": _("The period's last day has passed"),
        "follows_frozen": _("Every earlier period is frozen"),
        "work_has_ended": _("Every batch dated in it has ended"),
        "expiries_are_posted": _("What was due in it has expired"),
    }
    found = []
    for guard in PERIOD.transition("freeze").guards:
        if guard.__name__ in labels:
            reasons = guard(facts)
            detail = " ".join(reason.sentence for reason in reasons)
            found.append({"label": labels[guard.__name__], "ok": not reasons, "detail": detail})
    return found
