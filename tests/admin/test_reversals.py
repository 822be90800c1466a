"""A reversal in the admin: previewed before anybody approves, proposed by a button, and a batch with a page of its own."""

import pytest
from django.urls import reverse

from ingestion_app.models import Batch, Chunk
from ingestion_app.queries import reversals
from ledger_app.errors import LedgerError
from tests.admin.conftest import ROLES, ClientOf, RoleOf, bring_to, hidden, page_of, step_of, work
from tests.ingestion_app.operations import world as worlds
from tests.ingestion_app.operations.world import World


def undoing_of(batch: Batch) -> str:
    return reverse("admin:ingestion_app_batch_undoing", args=[batch.pk])


def test_before_anybody_approves_a_batch_it_is_shown_what_undoing_it_would_come_to(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    client = client_of(world.finance)
    effects = [(str(label), str(value)) for label, value in client.get(step_of(batch, "approve")).context["effects"]]
    assert ("If undone, book CARD", "7 entries, 28.00 USD") in effects
    assert ("If undone, dates", "CARD 2017-01: on their own dates") in effects
    assert "By the plan." in client.get(page_of(batch)).content.decode(), "and on its page"


def test_of_an_applied_batch_it_is_counted_from_the_ledger_and_names_who_would_refuse(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applied")
    client = client_of(world.engineer)
    assert f'href="{undoing_of(batch)}"' in client.get(page_of(batch)).content.decode(), "not before it is asked for"
    text = client.get(undoing_of(batch)).content.decode()
    assert "28.00 <abbr>USD</abbr>" in text
    assert "The ledger would take it now" in text
    worlds.set_account("receivable.1002", "suspended")
    text = client.get(undoing_of(batch)).content.decode()
    assert "The ledger would refuse it now" in text
    assert "receivable.1002" in text
    confirmation = client.get(step_of(batch, "reverse"))
    assert {reason["code"] for reason in confirmation.context["reasons"]} == {"account_not_open"}, "and there is no button"


def test_the_page_that_asks_before_a_reversal_reads_the_batch_once(
    world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = bring_to(world, "applied")
    worlds.set_account("receivable.1002", "suspended")
    read: list[Batch] = []

    def floors_broken(of: Batch) -> list[LedgerError]:
        read.append(of)
        return []

    monkeypatch.setattr(reversals, "floors_broken", floors_broken)
    page = client_of(world.engineer).get(step_of(batch, "reverse"))
    assert [reason["code"] for reason in page.context["reasons"]] == ["account_not_open"]
    assert "The reversal, would be refused" in [str(label) for label, _value in page.context["effects"]]
    assert read == [batch]


def test_a_reversal_goes_its_whole_way_by_buttons_and_both_batches_lead_to_each_other(
    world: World, client_of: ClientOf, somebody: RoleOf
) -> None:
    batch = bring_to(world, "applied")
    before = worlds.ledger()
    proposed = client_of(world.engineer).post(step_of(batch, "reverse"), hidden(batch, reason="The wrong file."), follow=True)
    made = Batch.objects.get(reverses=batch)
    assert proposed.redirect_chain[-1][0] == page_of(made)
    assert worlds.ledger() == before, "nothing is posted by a proposal"
    text = " ".join(proposed.content.decode().split())
    assert "This batch reverses" in text
    assert "<q>The wrong file.</q>" in text
    assert proposed.context["dates"] == [
        "CARD 2017-01: on their own dates (7 entries)",
        "POINTS 2017-01: on their own dates (7 entries)",
    ]
    assert f'href="{page_of(batch)}"' in text
    (state, *_rest) = [step["state"] for step in proposed.context["steps"]]
    assert state == "validated", "nothing arrived"
    assert [row["planned_label"] for row in proposed.context["ledger_change"]] == ["To reverse"] * 2
    assert f'href="{page_of(made)}"' in client_of(world.engineer).get(page_of(batch)).content.decode()
    finance = client_of(world.finance)
    effects = {str(label): str(value) for label, value in finance.get(step_of(made, "approve")).context["effects"]}
    assert effects["Reverses"].count(str(batch)) == 1
    assert finance.post(step_of(made, "approve"), hidden(made)).status_code == 302
    assert client_of(world.engineer).post(step_of(made, "apply"), hidden(made)).status_code == 302
    work()
    made.refresh_from_db()
    batch.refresh_from_db()
    assert (made.state, batch.state) == ("applied", "reversed")
    shown = finance.get(page_of(made))
    assert [(row["kind"], row["entries_left"]) for row in shown.context["ledger_change"]] == [("even", 0)] * 2
    text = finance.get(page_of(batch)).content.decode()
    assert "Reversed by" in text
    assert [step["state"] for step in finance.get(page_of(batch)).context["steps"]][-1] == "reversed"


def test_every_page_holds_for_batches_that_nothing_arrived_for(world: World, client_of: ClientOf, somebody: RoleOf) -> None:
    original = bring_to(world, "applied")
    reversal = world.reverse(original)
    chunk = Chunk.objects.filter(batch=reversal).earliest("id")
    for role in ROLES:
        client = client_of(somebody(role))
        for address in (
            page_of(reversal),
            page_of(original),
            page_of(chunk),
            undoing_of(reversal),
            reverse("admin:index"),
            reverse("admin:ingestion_app_batch_changelist"),
            reverse("admin:ingestion_app_batch_progress", args=[reversal.pk]),
            *(step_of(reversal, name) for name in ("validate", "approve", "apply", "pause", "reverse", "withdraw")),
        ):
            assert client.get(address).status_code == 200, (role, address)


def test_an_entry_of_a_reversal_leads_to_both_batches(world: World, client_of: ClientOf) -> None:
    original = bring_to(world, "applied")
    reversal = world.reverse(original)
    world.approve(reversal)
    world.apply(reversal)
    entry = world.card.entries.filter(reverses__isnull=False).earliest("id")
    text = client_of(world.engineer).get(page_of(entry)).content.decode()
    assert page_of(original) in text
    assert page_of(reversal) in text
