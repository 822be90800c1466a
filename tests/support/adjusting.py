"""People who propose and decide adjustments in the small ledger, with reason codes and limits."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from django.contrib.auth.models import Group

from ledger_app.adjustments.operations import adjustments, reason_codes
from ledger_app.adjustments.queries import adjustments as queries
from ledger_app.adjustments.rules.adjustments import Proposal
from ledger_app.base.operations.audit import Caller
from ledger_app.models import Adjustment, User
from tests.support import samples
from tests.support.samples import SmallLedger

AT = samples.AFTER_JANUARY
NEVER = datetime(2999, 1, 1, tzinfo=UTC)
LIMIT, ALONE = 5_000, 1_000  # in the book of the small ledger, for finance
_keys = count(1)


def person(name: str, group: str | None, *, is_superuser: bool = False, at: datetime = AT) -> Caller:
    """Return a person of a group, on the first of February."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": is_superuser})
    if group is not None:
        user.groups.add(Group.objects.get(name=group))
    return Caller(user=user, at=at, door="command")


@dataclass(frozen=True)
class Desk:
    """The small ledger with 700 in the wallet, and everybody who has to do with adjustments of it."""

    ledger: SmallLedger
    proposer: Caller
    decider: Caller
    second: Caller
    administrator: Caller

    def proposal(self, **changes: Any) -> Proposal:
        """Return a proposal to give 200 to the wallet, with ``changes``."""
        said = Proposal(
            key=f"k-{next(_keys)}",
            book="CARD",
            account="wallet",
            amount=200,
            effective_on=date(2017, 2, 1),
            reason="goodwill",
            text="The till was down.",
            ticket="T-1",
        )
        return replace(said, **changes)

    def propose(self, *, until: datetime = NEVER, **changes: Any) -> Adjustment:
        """Send a proposal, which can be decided as long as pages ask for the time of the day when the tests run."""
        return adjustments.propose(proposal=self.proposal(**changes), caller=self.proposer, expires_at=until)

    def shown(self, row: Adjustment) -> str:
        """Return the digest of what is shown of a proposal now."""
        row.refresh_from_db()
        return queries.preview(queries.terms_of(row)).digest

    def decide(self, row: Adjustment, name: str = "approve", who: Caller | None = None, **given: Any) -> Adjustment:
        """Decide on what is shown now, unless something else is given."""
        said = {"digest_shown": self.shown(row), "reason": "Seen in the log.", "version": row.version, **given}
        return adjustments.decide(adjustment_id=row.pk, name=name, caller=who or self.decider, **said)


def build() -> Desk:
    """Open the small ledger, give the wallet 700, and set up the desk."""
    ledger = samples.open_ledger(samples.machine_caller())
    ledger.post(ledger.draft("begin", ("cash", 700), ("wallet", -700)), at=datetime(2017, 1, 10, 9, tzinfo=UTC))
    return set_up(ledger)


def set_up(ledger: SmallLedger) -> Desk:
    """Set up the desk: people, reason codes, limits."""
    administrator = person("administrator-1", "auditor", is_superuser=True)
    desk = Desk(
        ledger=ledger,
        proposer=person("support-1", "support"),
        decider=person("finance-1", "finance"),
        second=person("finance-2", "finance"),
        administrator=administrator,
    )
    contra = {"CARD": "sales"}
    reason_codes.keep(code="goodwill", name="Goodwill", contra_accounts=contra, caller=desk.decider)
    reason_codes.keep(code="chargeback", name="Chargeback", contra_accounts=contra, may_waive_floor=True, caller=desk.decider)
    reason_codes.set_limit(group="finance", book="CARD", amount_most=LIMIT, two_deciders_above=ALONE, caller=administrator)
    return desk
