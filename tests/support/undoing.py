"""What tests of reversals do and ask."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from django.db import connection

from ingestion_app.applying.operations import applying
from ingestion_app.models import Batch
from ledger_app.base.operations import transactions
from ledger_app.errors import Refused
from ledger_app.models import Account, Balance, Entry, Holder
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from ledger_app.verification.operations import verification
from tests.support.origins import of_request
from tests.support.reversing import reverse_entry
from tests.support.world import DAY, NOW, PURCHASES, World, card_file, clock, codes, set_account

SECOND_NAME = "till-2017-01-31-2.csv"


def breaches(world: World) -> list[str]:
    verified = verification.verify(books=[world.card, world.points], at=NOW, now=clock)
    return [breach for result in verified.results for breach in result["breaches"]]


def amounts() -> dict[str, int]:
    """Return the balances that are not zero, stripes summed."""
    found: dict[str, int] = {}
    for code, amount in Balance.objects.values_list("account__code", "amount"):
        found[code] = found.get(code, 0) + amount
    return {code: amount for code, amount in found.items() if amount}


def refused(doing: Callable[[], object]) -> list[str]:
    with pytest.raises(Refused) as refusal:
        doing()
    return codes(refusal.value.reasons)


def reverse_singly(world: World, reference: str, on: date = DAY) -> None:
    entry = Entry.objects.get(reference=reference, book=world.card)
    reverse_entry(entry_id=entry.pk, effective_on=on, reason="Bought by another.", caller=world.caller(world.finance))


def spend(world: World, member: str, points: int) -> None:
    """Post an entry that takes points from a member, as another batch or a person does."""
    account = Account.objects.get(code=f"points.{member}")
    expense = Account.objects.get(code="programme.expense")
    origin = of_request(world.caller())
    draft = Draft(world.points.pk, DAY, f"spent-{origin.id}", "", ((account.pk, points), (expense.pk, -points)))
    transactions.run(lambda: entries.post(drafts=[draft], origin=origin, caller=world.caller()))


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def merge(member: str, into: str) -> Holder:
    """Merge a member into another, as support does, and return the other."""
    other = Account.objects.get(code=f"points.{into}").holder
    assert other is not None
    Holder.objects.filter(accounts__code=f"points.{member}").update(merged_into=other)
    return other


def stuck(world: World) -> Batch:
    """Return a batch whose chunk for shop 32 cannot be applied."""
    batch = world.approved(card_file([each._replace(shop="32" if each.member == "1006" else "31") for each in PURCHASES]))
    set_account("settlement.32", "suspended")
    done = world.apply(batch)
    assert (done.batch.state, len(done.stopped)) == ("applying", 1)
    return done.batch


def pause(world: World, batch: Batch) -> None:
    applying.pause(batch_id=batch.pk, reason="Shop 32 stays closed.", caller=world.caller())


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the triggers away for as long as somebody past every guard needs, and put them back."""
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SELECT 1")
            pytest.skip("MariaDB commits where a trigger is dropped; SQLite shows the same statements")
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _name, sql in triggers:
            cursor.execute(sql)
