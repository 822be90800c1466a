"""A reversal in the admin: previewed before anybody approves, proposed by a button, and a batch with a page of its own."""

import pytest
from django.urls import reverse

from ingestion_app.models import Batch, Chunk
from ingestion_app.reversing.queries import reversals
from tests.admin.conftest import ROLES, ClientOf, RoleOf, bring_to, hidden, page_of, step_of, work
from tests.support import world as worlds
from tests.support.world import World


def test_before_anybody_approves_a_batch_it_is_shown_what_undoing_it_would_come_to(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    client = client_of(world.finance)
    effects = [(str(label), str(value)) for label, value in client.get(step_of(batch, "approve")).context["effects"]]
    assert ("If undone, book CARD", "7 entries, 28.00 USD") in effects
    assert ("If undone, dates", "CARD 2017-01: on their own dates") in effects
    assert "Whether every account takes it" in client.get(page_of(batch)).content.decode(), "and on its page"


def test_of_an_applied_batch_it_is_what_is_in_the_ledger(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applied")
    text = client_of(world.engineer).get(page_of(batch)).content.decode()
    assert "28.00 <abbr>USD</abbr>" in text[text.index("If it has to be undone") :]
    assert "Whether every account takes it is asked when a worker makes its plan." in text


def test_no_page_before_a_reversal_reads_the_batch(world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million entries would be judged within the request: that is done by a worker, which makes the plan."""
    batch = bring_to(world, "applied")

    def read(*_given: object, **_named: object) -> None:
        raise AssertionError("an entry of the batch is read")

    for name in ("floors_broken", "accounts_away", "days_of", "entries_of"):
        monkeypatch.setattr(reversals, name, read)
    client = client_of(world.engineer)
    assert client.get(page_of(batch)).status_code == 200
    assert client.get(step_of(batch, "reverse")).context["reasons"] == []
    assert client.post(step_of(batch, "reverse"), hidden(batch, reason="The wrong file.")).status_code == 302


def test_what_is_in_the_way_of_a_reversal_is_told_on_its_page_with_the_ways_on(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applied")
    worlds.set_account("receivable.1002", "suspended")
    client = client_of(world.engineer)
    client.post(step_of(batch, "reverse"), hidden(batch, reason="The wrong file."))
    made = Batch.objects.get(reverses=batch)
    work()
    page = client.get(page_of(made))
    text = page.content.decode()
    assert "receivable.1002" in text
    offered = {offer["name"] for offer in page.context["offers"] if not offer["blockers"]}
    assert {"validate", "withdraw"} <= offered
    worlds.set_account("receivable.1002", "open")
    client.post(step_of(made, "validate"), hidden(made))
    work()
    made.refresh_from_db()
    assert made.state == "validated"


def test_a_reversal_goes_its_whole_way_by_buttons_and_both_batches_lead_to_each_other(
    world: World, client_of: ClientOf, somebody: RoleOf
) -> None:
    batch = bring_to(world, "applied")
    before = worlds.ledger()
    proposed = client_of(world.engineer).post(step_of(batch, "reverse"), hidden(batch, reason="The wrong file."), follow=True)
    made = Batch.objects.get(reverses=batch)
    assert proposed.redirect_chain[-1][0] == f"{page_of(made)}?asked_after=0"
    work()
    proposed = client_of(world.engineer).get(page_of(made))
    made.refresh_from_db()
    assert worlds.ledger() == before, "nothing is posted by a proposal"
    text = " ".join(proposed.content.decode().split())
    assert "This batch reverses" in text
    assert "<q>The wrong file.</q>" in text
    assert proposed.context["dates"] == [
        "CARD 2017-01: on their own dates (7 entries)",
        "POINTS 2017-01: on their own dates (7 entries)",
    ]
    assert f'href="{page_of(batch)}"' in text
    assert [step["state"] for step in proposed.context["steps"] if step["now"]] == ["validated"]
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
