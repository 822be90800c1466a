"""The batch page: who holds what, what is paused and why, until when it is due, and sums whose last row is the difference."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ingestion_app.batches.operations import attempts
from ingestion_app.models import Attempt, Batch, Chunk
from ingestion_app.sources import operations as sources
from ledger_app.books.operations import books
from ledger_app.books.operations.books import AccountOpening
from ledger_app.models import AuditRow
from ledger_app.points.operations import lot_rules
from ledger_app.points.operations.lot_rules import RuleGiven
from tests.admin.conftest import ClientOf, bring_to, hidden, page_of, step_of, work
from tests.support import definitions
from tests.support import world as worlds
from tests.support.world import World, definition


def shown(client: Client, batch: Batch) -> str:
    response = client.get(page_of(batch))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.fixture
def begun(world: World) -> Batch:
    """A batch in applying whose members each have a chunk of their own."""
    world.load(chunk_records=1)
    return bring_to(world, "applying")


def test_a_chunk_that_is_being_worked_on_has_a_cell_and_a_word_of_its_own_and_says_who_holds_it(
    world: World, client_of: ClientOf, begun: Batch
) -> None:
    worlds.hold(begun, 1, until=timezone.now() + timedelta(seconds=30), by="far:4711")
    worlds.hold(begun, 2, until=timezone.now() - timedelta(seconds=1), by="gone:1")
    client = client_of(world.engineer)
    text = shown(client, begun)
    assert text.count('<i class="cell cell-running">') == 3, "the cell, its key, and the list"
    assert "Being worked on 1" in text
    assert "Chunk 1 · far:4711" in text
    assert "gone:1" not in text
    fragment = client.get(reverse("admin:ingestion_app_batch_progress", args=[begun.pk])).content.decode()
    assert 'data-part="rerun"' in fragment
    assert "far:4711" in fragment


@pytest.mark.parametrize(
    ("state", "answer"),
    [("withdrawn", "<b>Nothing to run</b>"), ("received", "<b>Nothing to run</b>"), ("approved", "<b>Yes</b>")],
)
def test_where_there_is_nothing_to_run_the_page_says_neither_yes_nor_no(
    world: World, client_of: ClientOf, state: str, answer: str
) -> None:
    text = shown(client_of(world.engineer), bring_to(world, state))
    said = [each for each in ("<b>Yes</b>", "<b>No</b>", "<b>Nothing to run</b>") if each in text]
    assert said == [answer]


def test_pausing_stops_what_is_to_come_and_is_plain_to_see(world: World, client_of: ClientOf, begun: Batch) -> None:
    client = client_of(world.engineer)
    assert client.post(step_of(begun, "pause"), hidden(begun)).status_code == 409, "a pause has a reason"
    assert client.post(step_of(begun, "pause"), hidden(begun, reason="The sender called.")).status_code == 302
    begun.refresh_from_db()
    assert (begun.state, begun.is_paused) == ("applying", True)
    page = client.get(page_of(begun))
    text = " ".join(page.content.decode().split())
    assert "by erika<q>The sender called.</q>" in text
    assert "step-paused" in text
    (now,) = [step for step in page.context["steps"] if step["now"]]
    assert (str(now["note"]), now["by"]) == ("Paused", "erika")
    assert "Nothing runs before somebody resumes it." in text
    offers = {offer["name"]: [reason["code"] for reason in offer["blockers"]] for offer in page.context["offers"]}
    assert (offers["resume"], offers["pause"]) == ([], ["paused_already"])
    for address in (reverse("admin:index"), reverse("admin:ingestion_app_batch_changelist")):
        assert "Paused" in client.get(address).content.decode()


def test_who_resumes_is_told_who_paused_and_why(world: World, client_of: ClientOf, begun: Batch) -> None:
    world.pause(begun, user=world.other_engineer)
    client = client_of(world.engineer)
    facts = {str(label): str(value) for label, value in client.get(step_of(begun, "resume")).context["effects"]}
    assert (facts["Paused by"], facts["Why it is paused"]) == ("emil", "The sender called.")
    assert client.post(step_of(begun, "resume"), hidden(begun)).status_code == 302
    (said,) = work()
    assert said["state"] == "applied"
    begun.refresh_from_db()
    assert not begun.is_paused


def test_a_pause_that_applying_made_by_itself_is_told_as_one(world: World, client_of: ClientOf, begun: Batch) -> None:
    world.pause(begun, reason="10 chunks have stopped.")
    world.begin(begun, name="resume")
    # As the circuit breaker writes it down.
    row = AuditRow.objects.get(action="pause")
    values = {field.attname: getattr(row, field.attname) for field in AuditRow._meta.concrete_fields if field.name != "id"}
    AuditRow.objects.create(**{**values, "action": "trip"})
    Batch.objects.filter(pk=begun.pk).update(is_paused=True)
    assert "by itself, applying for erika<q>10 chunks have stopped.</q>" in shown(client_of(world.engineer), begun)


def test_the_last_row_of_each_sum_is_the_difference_and_ends_at_zero(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    batch = bring_to(world, "approved")
    change = {row["book"].code: row for row in client.get(page_of(batch)).context["ledger_change"]}
    assert [(row["kind"], row["entries_left"], row["entries_posted"]) for row in change.values()] == [("left", 7, 0)] * 2
    world.apply(batch)
    change = {row["book"].code: row for row in client.get(page_of(batch)).context["ledger_change"]}
    assert {code: (row["kind"], row["entries_left"], row["amount_left"]) for code, row in change.items()} == {
        "CARD": ("even", 0, 0),
        "POINTS": ("even", 0, 0),
    }
    assert all(row["is_counted"] for row in change.values()), "counted from the ledger's rows"
    assert '0.00 <abbr>USD</abbr></span><em><span aria-hidden="true">✓</span> equal' in shown(client, batch)


def test_while_it_applies_the_sums_follow_by_the_chunks_that_are_applied(world: World, client_of: ClientOf, begun: Batch) -> None:
    attempt = attempts.begin(batch=begun, step="apply", caller=world.caller(), host="here", process=7)
    Chunk.objects.filter(batch=begun, number=0).update(state="applied", applied_at=timezone.now(), attempt=attempt)
    planned = Chunk.objects.get(batch=begun, number=0).totals["CARD"]
    response = client_of(world.engineer).get(reverse("admin:ingestion_app_batch_progress", args=[begun.pk]))
    change = {row["book"].code: row for row in response.context["ledger_change"]}["CARD"]
    assert not change["is_counted"]
    assert (change["entries_posted"], change["amount_posted"]) == (planned[0], planned[2])
    assert "that of its applied chunks" in response.content.decode()


def test_a_run_of_an_applied_batch_tells_what_it_found_and_that_it_added_nothing(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applied")
    client = client_of(world.engineer)
    text = client.post(step_of(batch, "apply"), hidden(batch), follow=True).content.decode()
    assert "records found applied; new entries: 0; the ledger’s change equals the plan." in text
    receipt = client.get(page_of(batch)).context["receipt"]
    assert (receipt["attempt"], receipt["chunks_found"], receipt["equal"]) == (1, 0, True)
    assert receipt["new_entries"] == 14


def test_what_an_attempt_costs_is_told(world: World, client_of: ClientOf, begun: Batch) -> None:
    made = attempts.begin(batch=begun, step="apply", caller=world.caller(), host="here", process=7)
    Attempt.objects.filter(pk=made.pk).update(
        heartbeat_at=timezone.now(),
        phase="recount",
        seconds={"write": 3, "commit": 1},
        counts={"deadlocks": 1, "lock_waits": 0, "taken_over": 2},
    )
    text = shown(client_of(world.engineer), begun)
    for told in (
        "25 % of the time",
        "1 deadlock · 0 lock waits",
        "2 chunks of workers that were gone",
        "Adding up the ledger’s change",
    ):
        assert told in text


def test_until_when_a_file_is_due_stands_on_its_page_and_where_it_waits(world: World, client_of: ClientOf) -> None:
    agreed = definition().replace("[layout]\n", "[sla]\napplied_within_minutes = 60\n\n[layout]\n", 1)
    sources.load(text=agreed, caller=world.caller())
    batch = bring_to(world, "received")
    client = client_of(world.engineer)
    assert "late by" in shown(client, batch), "it came in 2017"
    page = client.get(reverse("admin:index"))
    items: list[dict[str, Any]] = [item for kind in page.context["waiting"] for item in kind["items"]]
    assert [item["note"].startswith("late by") for item in items] == [True]


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (definitions.NO_CONTROLS, "none: nothing from the sender says that the file is whole"),
        ('trailer_count = "count"\n', "count alone: nothing from the sender says that the amounts are right"),
    ],
)
def test_whoever_approves_is_told_which_controls_are_missing(world: World, client_of: ClientOf, roles: str, said: str) -> None:
    trailer = '[layout.trailer]\nmarker = "T"\ncolumns = [{ name = "count", kind = "count" }]\n'
    has_trailer = "trailer" in roles
    text = definitions.text(roles=definitions.ROLES + roles, types=trailer if has_trailer else "")
    sources.load(text=text, caller=world.caller())
    batch = world.validated(b"1001,31,s1,150,2017-01-05\n" + (b"T,1\n" if has_trailer else b""))
    client = client_of(world.finance)
    assert said in shown(client, batch)
    confirmation = client.get(step_of(batch, "approve"))
    assert confirmation.status_code == 200
    assert said in confirmation.content.decode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"expiry": "never"}, "Never · "),
        ({"expiry": "days", "validity": 1}, "1 day after granting · "),
        ({"expiry": "days", "validity": 1200}, "1,200 days after granting · "),
        ({"expiry": "months", "validity": 12}, "12 months after granting, to the month’s end · "),
        ({"expiry": "fixed", "fixed_on": date(2018, 3, 31)}, "On 2018-03-31 · "),
    ],
)
def test_whoever_approves_is_shown_the_rules_of_lots_that_the_plan_keeps(
    world: World, client_of: ClientOf, given: dict[str, Any], said: str
) -> None:
    books.open_accounts(book=world.points, openings=[AccountOpening("expired", "breakage", "income")], caller=world.caller())
    rule = RuleGiven(**given, breakage="expired", order="oldest_first", kind="paid")
    lot_rules.set_rule(book=world.points, role="points", given=rule, caller=world.caller(world.superuser))
    batch = bring_to(world, "validated")
    client = client_of(world.finance)
    for page in (page_of(batch), step_of(batch, "approve")):
        text = " ".join(client.get(page).content.decode().split())
        assert "Lots of POINTS, role points" in text
        assert f"{said}Oldest first · Paid · expired" in text
