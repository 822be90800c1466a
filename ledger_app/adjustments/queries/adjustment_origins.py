"""Tells of adjustments, many at once, as what entries came from: who proposed, who approved, why."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from ledger_app import sql
from ledger_app.models import Adjustment, AdjustmentDecision


class Decided(NamedTuple):
    """What is known of an adjustment that was approved. ``approvals`` are (who, when), in their order."""

    number: int
    reason: str
    ticket: str
    text: str
    proposed_by: str
    proposed_at: datetime
    approvals: tuple[tuple[str, datetime], ...]

    @property
    def sentence(self) -> str:
        """The whole in one sentence, in the active language."""
        return _("Adjustment {adjustment}, proposed by {proposer} and approved by {deciders}: {reason}, {text}").format(
            adjustment=f"#{self.number}",
            proposer=self.proposed_by,
            deciders=", ".join(who for who, _at in self.approvals),
            reason=f"{self.reason} {self.ticket}".strip(),
            text=self.text,
        )


def decided_of(numbers: Collection[int]) -> dict[int, Decided]:
    """Return what is known of these adjustments, by number, in two statements for nine hundred of them."""
    found: dict[int, Decided] = {}
    keys = sorted(set(numbers))
    for start in range(0, len(keys), sql.LIST_MOST):
        part = keys[start : start + sql.LIST_MOST]
        words = AdjustmentDecision.objects.filter(adjustment__in=part, decision=AdjustmentDecision.Decision.APPROVED)
        approvals: dict[int, list[tuple[str, datetime]]] = {}
        for key, who, at in words.order_by("id").values_list("adjustment_id", "decided_by__username", "decided_at"):
            approvals.setdefault(key, []).append((who, at))
        rows = Adjustment.objects.filter(id__in=part)
        columns = ("id", "reason_code__code", "ticket", "text", "proposed_by__username", "proposed_at")
        for key, reason, ticket, text, proposer, at in rows.values_list(*columns):
            found[key] = Decided(key, reason, ticket, text, proposer, at, tuple(approvals.get(key, ())))
    return found
