"""Marks periods provisional, reopens and freezes them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from ledger_app import errors
from ledger_app.base.operations import transitions
from ledger_app.base.operations.audit import Caller
from ledger_app.base.queries import clock
from ledger_app.books.rules.periods import PERIOD, PeriodFacts
from ledger_app.close.queries import closing, proving, seals
from ledger_app.errors import bounds, units
from ledger_app.models import Period, Seal
from ledger_app.traces import operations as traces

DEBITS_MOST = 2**63 - 1  # what the column of a seal holds

# The last is taken by the close itself, and by nobody who asks.
COME_DUE = "come_due"
CHANGES = frozenset({"provisional", "reopen", COME_DUE})


def change(*, period_id: int, name: str, caller: Caller, reason: str = "", version: int | None = None) -> Period:
    """Carry out ``provisional`` or ``reopen``; or ``come_due``, as the system.

    :raises errors.Refused: with every reason; not_found where ``name`` is none of them
    """
    if name not in CHANGES:
        # A freeze is more than a change of state: it is decided on proofs and writes a seal.
        raise errors.Refused([errors.NotFound(what=_("change of a period"), name=name)])
    return transitions.perform(
        transitions.Request(
            machine=PERIOD,
            name=name,
            model=Period,
            pk=period_id,
            caller=caller,
            facts=lambda row: closing.facts(row, user=caller.user, at=caller.at, controls=None, proofs=False),
            reason=reason,
            version=version,
        )
    )


def freeze(
    *,
    period_id: int,
    controls: Mapping[str, int],
    caller: Caller,
    code_version: str,
    reason: str = "",
    version: int | None = None,
    amount_required: bool = False,
    on_progress: Callable[[int], None] = lambda _count: None,
    is_wanted: Callable[[], None] = lambda: None,
) -> Seal:
    """Freeze a period and return its seal.

    Everything is proved first, which takes as long as the book is large and keeps nobody waiting. Then the period's row is locked: posting into
    it waits for that, and that for posting that is under way; what came since is proved, and the seal is written.

    ``controls`` are the control totals that finance holds from elsewhere, in minor units, at least one; ``amount_required`` asks for one that is
    no mere count. ``on_progress`` is called with the number of entries proved so far; ``is_wanted`` under the lock of the
    period's row, before the seal is written, and refuses where the freeze is not wanted any more.

    :raises errors.Refused: with every reason
    """

    def write_seal(row: Period, facts: PeriodFacts) -> Mapping[str, Any]:
        is_wanted()
        proof = facts.proof
        assert proof is not None, "a freeze is decided on a proof"  # noqa: S101 - the facts below ask for it
        _refuse_turnover(row, proof.debit_total)
        before = seals.previous(row)
        seal = Seal.objects.create(
            book=row.book,
            period=row,
            number=before.number + 1 if before else 1,
            previous=before,
            digest=proof.digest,
            form=seals.FORM,
            entry_count=proof.entry_count,
            line_count=proof.line_count,
            debit_total=proof.debit_total,
            trial_balance=seals.trial_balance(row, proof.moved),
            controls=dict(controls),
            code_version=code_version,
            sealed_by=caller.user,
            sealed_at=clock.now(),
        )
        traces.cover(seal)
        return {}

    asked: dict[str, Any] = {"user": caller.user, "at": caller.at, "controls": dict(controls), "amount_required": amount_required}
    with proving.Proved(Period.objects.select_related("book").get(pk=period_id), on_progress=on_progress) as proved:
        proved.prove()
        traces.link(at=caller.at, distance=timedelta(0))  # before any lock: the seal covers the head of the chain
        frozen = transitions.perform(
            transitions.Request(
                machine=PERIOD,
                name="freeze",
                model=Period,
                pk=period_id,
                caller=caller,
                facts=lambda row: closing.facts(row, **asked, proofs=proved),
                write=write_seal,
                reason=reason,
                version=version,
                audit_facts=lambda row: {"seal": bytes(row.seal.digest).hex(), "controls": dict(controls)},
            )
        )
    return Seal.objects.get(period=frozen)


def _refuse_turnover(row: Period, total: int) -> None:
    if total > DEBITS_MOST:
        raise errors.Refused(units.belonging([bounds.TurnoverTooLarge(period=str(row), total=total, most=DEBITS_MOST)], row))
