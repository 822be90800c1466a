"""Balances, records and chunks near 2^62, of which two come to more than sixty-four bits hold: every page, answer and proof still says what they come to."""

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from ingestion_app.batches.queries.sums import sums_of
from ingestion_app.models import Batch, Chunk, Record
from ledger_app.base import proofs
from ledger_app.explain.queries import balances
from ledger_app.members.queries import merges
from ledger_app.models import Account, Balance, Holder
from tests.admin.conftest import ClientOf, bring_to, page_of
from tests.conftest import issue_token
from tests.support import world as worlds
from tests.support.world import World

LARGE = 2**62


@pytest.fixture
def large(world: World) -> Batch:
    """A batch whose chunks say that they are applied, with all balances, records and chunks as large as a column takes, and more in sum."""
    batch = bring_to(world, "approved")
    Balance.objects.update(amount=LARGE, sequence=1, last_on=worlds.DAY)
    Record.objects.filter(batch=batch).exclude(status=Record.Status.WITHOUT_EFFECT).update(amount=LARGE)
    totals = {"CARD": [1, 2, LARGE], "POINTS": [1, 2, LARGE]}
    Chunk.objects.filter(batch=batch).update(state="applied", applied_at=worlds.NOW, record_sum=LARGE, totals=totals)
    return Batch.objects.get(pk=batch.pk)


def test_the_verification_names_what_is_wrong_and_does_not_fail(world: World, large: Batch) -> None:
    found = {each.number for each in proofs.invariants() if list(each.breaches(proofs.Scope([world.card, world.points])))}
    assert {2, 7} <= found


def test_the_sums_are_whole(world: World, large: Batch) -> None:
    chunks = Chunk.objects.filter(batch=large).count()
    assert chunks > 1
    summed = sums_of(large)
    assert (summed.amount, summed.applied_amount, summed.posted["CARD"][2]) == (chunks * LARGE,) * 3
    striped = Account.objects.filter(book=world.card, stripes__gt=1).first()
    assert striped is not None
    told = {each.code: each.amount for each in balances.of_book(world.card)}
    assert abs(told[striped.code]) == LARGE * striped.stripes > 2**63
    assert balances.total(world.card) == sum(Balance.objects.filter(account__book=world.card).values_list("amount", flat=True))
    holder = Holder.objects.filter(accounts__isnull=False).first()
    assert holder is not None
    survivor = Holder.objects.filter(accounts__isnull=False).exclude(pk=holder.pk).first()
    assert survivor is not None
    assert merges.proposal(holder_id=holder.pk, survivor_id=survivor.pk, reason="x").holder_id == holder.pk


def test_every_page_and_answer_opens(world: World, large: Batch, client_of: ClientOf) -> None:
    client, api = client_of(world.finance), APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {issue_token(world.finance)}")
    striped = Account.objects.filter(book=world.card, stripes__gt=1).first()
    holder = Holder.objects.filter(accounts__isnull=False).first()
    assert striped is not None
    pages = [
        *(page_of(row) for row in (striped, holder, world.card, large, world.opened[0])),
        *(reverse(f"admin:{name}_changelist") for name in ("ledger_app_account", "ledger_app_holder", "ingestion_app_batch")),
    ]
    answers = [
        *(reverse(f"{name}-list") for name in ("account", "batch")),
        *(reverse(f"{name}-detail", args=[row.pk]) for name, row in (("account", striped), ("batch", large))),
        f"{reverse('batch-detail', args=[large.pk])}status/",
        f"{reverse('batch-detail', args=[large.pk])}progress/",
    ]
    for get, addresses in ((client.get, pages), (api.get, answers)):
        for address in addresses:
            assert get(address).status_code == 200, address
