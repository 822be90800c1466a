"""The plan of a batch's reversal says what posting it would say, entry by entry: on random days, with and without lots, whatever was spent since."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion_app.models import Batch
from ingestion_app.reversing.queries import objections, reversals, trial
from ledger_app import errors
from ledger_app.base.operations import transactions
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.models import Account, Period
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from ledger_app.posting.operations import entries
from ledger_app.posting.rules.drafts import Draft
from tests.support import world as worlds
from tests.support.origins import of_request
from tests.support.undoing import refused
from tests.support.world import Purchase, World

pytestmark = pytest.mark.django_db

FIRST = date(2017, 1, 1)
MEMBERS = ("1001", "1002", "1003")
Bought = list[tuple[str, int, int]]  # member, points, days after the first
bought = st.tuples(st.sampled_from(MEMBERS), st.integers(1, 9), st.integers(0, 40))
spent = st.tuples(st.sampled_from(MEMBERS), st.integers(-4, 9).filter(bool), st.integers(0, 50))


def keep_lots(world: World) -> None:
    books.open_accounts(
        book=world.points, openings=[AccountOpening("breakage", "breakage", "income")], caller=world.caller(world.system)
    )
    given = RuleGiven(expiry="days", validity=25, breakage="breakage")
    lot_rules.set_rule(book=world.points, role="points", given=given, caller=world.caller(world.superuser))
    Account.objects.filter(book=world.points, role="points").update(keeps_lots=True)


def spend(world: World, member: str, points: int, day: int) -> None:
    """Post what takes points on a day, or gives some; what is refused is left."""
    account, expense = (Account.objects.get(code=code) for code in (f"points.{member}", "programme.expense"))
    origin = of_request(world.caller())
    on = FIRST + timedelta(days=day)
    draft = Draft(world.points.pk, on, f"spent-{origin.id}", "", ((account.pk, points), (expense.pk, -points)))
    try:
        transactions.run(lambda: entries.post(drafts=[draft], origin=origin, caller=world.caller()))
    except errors.Refused:
        return


def file_of(records: Bought) -> bytes:
    return worlds.card_file(
        [
            Purchase(member, "31", f"s{number}", str(points * 100), f"{FIRST + timedelta(days=day)}T10:00:00Z")
            for number, (member, points, day) in enumerate(records)
        ]
    )


def said(reasons: Any) -> list[tuple[str, str]]:
    return sorted((reason.code, str(sorted(reason.facts.items()))) for reason in reasons)


def tried(world: World, original: Batch) -> list[tuple[str, str]]:
    """Propose, approve and apply the reversal past the judge, and return what posting it refused."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reversals, "floors_broken", lambda _batch: [])
        reversal = world.approve(world.reverse(original))
    return said(reason for reasons in world.apply(reversal).stopped.values() for reason in reasons)


@pytest.mark.parametrize("keeps_lots", [False, True])
def test_what_planning_says_is_what_posting_says(world: World, keeps_lots: bool) -> None:
    if keeps_lots:
        keep_lots(world)

    @settings(max_examples=20, deadline=None)
    @given(records=st.lists(bought, min_size=1, max_size=8), moves=st.lists(spent, max_size=8), is_shut=st.booleans())
    def ask(records: Bought, moves: Bought, is_shut: bool) -> None:
        with undone():
            original = world.applied(file_of(records))
            for member, points, day in moves:
                spend(world, member, points, day)
            if is_shut:
                Period.objects.filter(book=world.points, name="2017-01").update(state="frozen")
            expected = said(trial.refusals(original))
            assert bool(expected) == bool(reversals.refusals(original))
            assert tried(world, original) == expected

    ask()


@contextmanager
def undone() -> Iterator[None]:
    """Undo all that is done inside, operations with their own transactions included."""
    outer = transaction.atomic()
    outer._from_testcase = True  # type: ignore[attr-defined] # as Django marks the transaction around each of its own tests
    with outer:
        yield
        transaction.set_rollback(True)


def test_a_day_in_between_that_would_close_below_the_floor_is_refused_before_it_is_approved(world: World) -> None:
    original = world.applied(file_of([("1001", 10, 4)]))
    spend(world, "1001", 10, 9)
    spend(world, "1001", -10, 20)
    assert refused(lambda: world.reverse(original)) == ["floor_broken_on"]
    (reason,) = objections.floors_broken(original)
    assert (reason.facts["date"], reason.facts["balance"]) == ("2017-01-10", -10)
    assert Batch.objects.get(reverses=original).plan_digest is None
