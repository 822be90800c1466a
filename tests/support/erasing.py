"""A member with a name, an identifier, an attachment and audit rows that say the name; and the people who answer and decide."""

import io
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger_app.adjustments.operations import attachments
from ledger_app.base import proofs
from ledger_app.base.operations import filing
from ledger_app.erasures.operations import erasures, names
from ledger_app.members.operations import members, merges, opening, registering
from ledger_app.members.queries import merges as merge_rows
from ledger_app.members.rules.merges import digest
from ledger_app.models import Account, Adjustment, Attachment, Book, Erasure, Holder, Merge
from ledger_app.traces import operations as tracing
from tests.support import adjusting
from tests.support.adjusting import Desk

FIRST, NAME, OTHER = "Yamada Hanka", "山田花子", "Suzuki Ichiro"
BYTES = b"Yamada Hanako's receipt\n"


@dataclass(frozen=True)
class Office:
    """The desk, the member who asks to be erased, and another member."""

    desk: Desk
    member: Holder
    other: Holder
    adjustment: Adjustment
    directory: Path

    def ask(self, **changes: object) -> Erasure:
        """Ask for the erasure of the member."""
        said = {"holder_id": self.member.pk, "reason": "Article 17 request.", "ticket": "P-7", "caller": self.desk.proposer}
        return erasures.propose(**{**said, **changes})[0]  # type: ignore[arg-type]

    def erase(self) -> Erasure:
        """Ask for it, and have another person approve it."""
        row = self.ask()
        return erasures.approve(
            erasure_id=row.pk, caller=self.desk.decider, directory=self.directory, note="Identity checked.", version=row.version
        )

    def attach(self, name: str, content: bytes = BYTES, code: str = "points.M1") -> Adjustment:
        """Propose an adjustment with a file attached, and approve it."""
        file = attachments.take_in(
            stream=io.BytesIO(content), name=name, directory=self.directory, bytes_most=1_000, caller=self.desk.proposer
        )
        age(filing.path_of(self.directory, file.sha256))
        return self.desk.decide(self.desk.propose(account=code, attachments=(file,)))

    def merge(self, holder_id: int, survivor_id: int) -> Merge:
        """Merge one member into another."""
        wanted = merge_rows.proposal(holder_id=holder_id, survivor_id=survivor_id, reason="One person.")
        return self.carry_out(wanted)

    def undo(self, merge: Merge) -> Merge:
        """Undo a merge; the survivor of what is returned is the new member."""
        return self.carry_out(merge_rows.undoing(merge_id=merge.pk, reason="They are two."))

    def carry_out(self, wanted: Merge) -> Merge:
        """Propose it, and have another person approve it."""
        row = merges.propose(wanted, caller=self.desk.proposer)
        plan = merge_rows.facts(row, user=self.desk.decider.user, at=self.desk.decider.at).plan
        return merges.approve(merge_id=row.pk, digest_shown=digest(plan.as_json()).hex(), caller=self.desk.decider)


def build(directory: Path) -> Office:
    """Register two members; correct the name of one twice, adjust it with an attachment, and link what was traced."""
    desk = adjusting.build()
    opening.set_template(book=desk.ledger.book, role="points", category="liability", floor=0, caller=desk.administrator)
    lines = f'{{"member_number": "M1", "name": "{FIRST}"}}\n{{"member_number": "M2", "name": "{OTHER}"}}\n'
    registering.register(stream=io.BytesIO(lines.encode()), name="f", caller=desk.proposer)
    member, other = (Account.objects.get(code=code).holder for code in ("points.M1", "points.M2"))
    assert member is not None
    assert other is not None
    office = Office(desk, member, other, Adjustment(), directory)
    names.correct(
        holder_id=member.pk, name=NAME, shown=FIRST, reason=f"A slip: she is {NAME}, not yamada hanka.", caller=desk.proposer
    )
    members.add_identifier(holder_id=member.pk, kind="card_token", value="tok-1", caller=desk.proposer, reason=f"{NAME} rang.")
    row = office.attach("yamada.txt")
    link()
    return Office(desk, member, other, row, directory)


def age(path: Path) -> None:
    """Have bytes be stored long ago, also for those whose clock is of the year of the books."""
    os.utime(path, (0, 0))


def link() -> None:
    """Link all that was traced."""
    tracing.link(at=datetime.now(tz=UTC) + timedelta(minutes=1), distance=timedelta(0))


def breaches() -> list[str]:
    """Return what ``verify`` finds."""
    scope = proofs.Scope(list(Book.objects.order_by("id")), reads_bytes=True)
    return [f"{each.number}. {breach}" for each in proofs.invariants() for breach in each.breaches(scope)]


def attached(office: Office) -> Attachment:
    """Return the member's attachment."""
    return office.adjustment.attachments.get()
