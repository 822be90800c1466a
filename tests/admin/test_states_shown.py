"""A state that is shown is the thing's own, and a number is true, or told as the least, or absent."""

import pytest
from django.core.paginator import Paginator
from django.test import Client
from django.urls import reverse

from config.doors.admin import model_admin
from ingestion_app.admin import batch_page, units
from ingestion_app.batches.operations import workers
from ingestion_app.batches.queries import workers as seen
from ingestion_app.models import Batch, Chunk, Finding, Receipt, Record, Worker
from ledger_app.base.queries import clock
from ledger_app.errors import Refused
from tests.admin.conftest import ClientOf, bring_to, hidden, name_of_file, page_of, step_of
from tests.support import world as worlds
from tests.support.world import Purchase, World

KEPT = 3


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def reversed_batch(world: World) -> Batch:
    batch = bring_to(world, "applied")
    world.reversed(batch)
    return Batch.objects.get(pk=batch.pk)


def withdrawn_with_plan(world: World) -> Batch:
    return world.withdraw(bring_to(world, "approved"))


MADE = {
    "validated": lambda world: bring_to(world, "validated"),
    "approved": lambda world: bring_to(world, "approved"),
    "applying": lambda world: bring_to(world, "applying"),
    "applied": lambda world: bring_to(world, "applied"),
    "frozen": lambda world: bring_to(world, "frozen"),
    "withdrawn": withdrawn_with_plan,
    "reversed": reversed_batch,
}
RECORDS_ARE = {
    "validated": "To apply",
    "approved": "To apply",
    "applying": "To apply",
    "applied": "Applied",
    "frozen": "Applied",
    "withdrawn": "Never applied",
    "reversed": "Reversed",
}
CHUNKS_ARE = {**RECORDS_ARE, **dict.fromkeys(("validated", "approved", "applying"), "Waiting")}


@pytest.mark.parametrize("state", MADE)
def test_a_record_and_a_chunk_bear_the_state_that_they_have(world: World, client_of: ClientOf, state: str) -> None:
    batch = MADE[state](world)
    assert batch.state == state
    record = Record.objects.filter(batch=batch, status="planned").first()
    assert record is not None
    chunk = Chunk.objects.filter(batch=batch).first()
    assert chunk is not None
    client = client_of(world.finance)
    for row, told in ((record, RECORDS_ARE[state]), (chunk, CHUNKS_ARE[state])):
        page = text_of(client, page_of(row))
        listed = text_of(
            client, reverse(f"admin:ingestion_app_{row._meta.model_name}_changelist") + f"?batch__id__exact={batch.pk}"
        )
        for text in (page, listed):
            assert f">{told}</span>" in text or f"{told}</" in text, told
        wrong = {"To apply", "Waiting", "Never applied"} - {told}
        head = page[page.index("<h1") : page.index("<h1") + 600]
        assert not [each for each in wrong if each in head]


def test_what_stopped_is_said_to_have_stopped(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applying")
    worlds.set_account("receivable.1001", "suspended")
    world.apply(batch)
    chunk = Chunk.objects.filter(batch=batch, state="stopped").first()
    assert chunk is not None
    record = Record.objects.filter(chunk=chunk).first()
    page = text_of(client_of(world.engineer), page_of(record))
    assert "Stopped" in page[page.index("<h1") : page.index("<h1") + 600]


@pytest.mark.parametrize("state", ["withdrawn", "rejected"])
def test_of_what_will_never_be_applied_nothing_is_still_to_come(world: World, client_of: ClientOf, state: str) -> None:
    batch = withdrawn_with_plan(world) if state == "withdrawn" else world.validate(world.receive(worlds.card_file(count=99)))
    context = client_of(world.finance).get(page_of(batch)).context
    rows = {str(row["label"]): (row["records"], row["amount"]) for row in context["waterfall"]}
    assert rows["To apply"] == (0, 0)
    assert "Still to come" not in rows
    assert context["ledger_change"] == []
    assert context["progress"]["chunk_cells"] == []
    assert context["progress"]["total"] is None


def test_the_ledgers_change_has_the_sign_that_it_has(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applied")
    client = client_of(world.finance)
    rows = {str(row["label"]): row for row in client.get(page_of(batch)).context["waterfall"]}
    assert (rows["In the ledger"]["kind"], rows["In the ledger"]["records"]) == ("", 7)
    text = text_of(client, page_of(batch))
    change = text[text.index("change-of-ledger") : text.index("change-of-ledger") + 2500]
    assert "The ledger’s change" in change
    assert "−" not in change, "nothing was taken back"


def test_sums_that_were_never_read_are_absent_and_no_difference(world: World, client_of: ClientOf) -> None:
    broken = worlds.card_file([Purchase(amount="1.50"), Purchase(slip="s2")], total="150")
    batch = world.validate(world.receive(broken))
    assert (batch.state, batch.record_sum) == ("rejected", None)
    rows = {str(row["label"]): row for row in client_of(world.finance).get(page_of(batch)).context["waterfall"]}
    assert rows["In the file"]["amount"] is None
    assert rows["Trailer says"]["amount"] == 150
    assert str(rows["Trailer says"]["note"]) == "cannot be told"
    assert "Difference" not in rows


def test_records_without_effect_bear_the_sum_that_they_have(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    rows = {str(row["label"]): row for row in client_of(world.finance).get(page_of(batch)).context["waterfall"]}
    parts = rows["To apply"]["amount"] + rows["Without effect"]["amount"]
    assert parts == rows["In the file"]["amount"] == batch.record_sum


@pytest.fixture
def many_findings(world: World, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A batch whose rule saw more than is kept of it."""
    monkeypatch.setattr("ingestion_app.validating.operations.plans.FINDINGS_KEPT", KEPT)
    unknown = [Purchase("9999", "31", f"u{number}") for number in range(7)]
    return world.validate(world.receive(worlds.card_file(unknown)))


def test_findings_are_counted_as_findings_and_what_is_kept_of_them_is_said(
    world: World, client_of: ClientOf, many_findings: Batch
) -> None:
    client = client_of(world.finance)
    page = client.get(page_of(many_findings))
    (row,) = page.context["findings"]
    assert (row["count"], row["kept"]) == (7, KEPT)
    text = " ".join(page.content.decode().split())
    assert f"{KEPT} of them kept" in text
    assert "The findings that are kept ›" in text
    finding = Finding.objects.filter(batch=many_findings).first()
    text = text_of(client, page_of(finding))
    assert f"{KEPT} of 7 are kept ›" in text
    assert "all 7" not in text
    listed = text_of(client, reverse("admin:ingestion_app_finding_changelist") + f"?batch__id__exact={many_findings.pk}")
    assert f"Of the 7 findings of this batch {KEPT} are kept" in listed


def test_where_all_are_kept_all_are_said_to_be(world: World, client_of: ClientOf) -> None:
    batch = world.validate(world.receive(worlds.card_file([Purchase("9999")])))
    client = client_of(world.finance)
    assert client.get(page_of(batch)).context["findings"][0]["kept"] is None
    finding = Finding.objects.filter(batch=batch).first()
    assert "all 1 ›" in text_of(client, page_of(finding))


def test_a_count_that_stopped_is_told_as_the_least(world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_admin, "COUNTED_MOST", 5)
    bring_to(world, "validated")
    listed = text_of(client_of(world.finance), reverse("admin:ingestion_app_record_changelist"))
    assert "More than 5 records" in listed
    monkeypatch.setattr(model_admin, "COUNTED_MOST", 8)
    listed = text_of(client_of(world.finance), reverse("admin:ingestion_app_record_changelist"))
    assert "8 records" in listed
    assert "More than" not in listed


def test_a_count_of_what_was_counted_is_no_least() -> None:
    assert not model_admin.BoundedPaginator([1, 2], 1).is_at_least
    assert isinstance(model_admin.BoundedPaginator([1], 1), Paginator)


def test_a_validation_that_has_ended_gives_no_rate_to_what_is_applied(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    batch.attempts.update(ended_at=worlds.NOW, started_at=worlds.NOW.replace(hour=8))
    context = client_of(world.engineer).get(page_of(batch)).context["progress"]
    assert (context["done"], context["rate"]) == (0, None)


def green(client: Client, batch: Batch, name: str) -> tuple[bool, str]:
    """Ask for a step, and return whether the answer was green, and the page that it led to."""
    page = client.post(step_of(batch, name), hidden(batch), follow=True)
    (message,) = page.context["messages"]
    return message.level_tag == "success", f"{message} {' '.join(page.content.decode().split())}"


@pytest.mark.parametrize(("state", "name"), [("received", "validate"), ("approved", "apply")])
def test_what_is_asked_for_while_no_worker_lives_is_not_told_as_if_it_were_done(
    world: World, client_of: ClientOf, state: str, name: str
) -> None:
    client = client_of(world.other_engineer)
    is_green, text = green(client, bring_to(world, state), name)
    assert not is_green
    assert "No worker is there to take it up" in text
    workers.beat(kind="worker", instance="00000000.1.aaaaaaaa", host="far", process=7, at=clock.read())
    is_green, text = green(client, bring_to(world, state, number=2), name)
    assert is_green
    assert "No worker is there" not in text


def test_a_dead_worker_of_any_host_is_on_the_first_page_and_on_the_batch(world: World, client_of: ClientOf) -> None:
    client = client_of(world.engineer)
    assert "No worker is there: what is queued waits" in text_of(client, reverse("admin:index"))
    at = clock.read()
    workers.beat(kind="worker", instance="00000000.1.aaaaaaaa", host="far-away", process=7, at=at)
    text = text_of(client, reverse("admin:index"))
    assert "far-away:7" in text
    assert "No worker is there" not in text
    Worker.objects.update(seen_at=at - 2 * seen.SILENT_AFTER)
    batch = bring_to(world, "applying")
    for address in (reverse("admin:index"), page_of(batch)):
        text = text_of(client, address)
        assert "far-away:7" in text
    assert "A worker has died" in text
    assert "No worker is there" in text_of(client, reverse("admin:index"))


def test_what_holds_a_step_back_follows_while_the_batch_applies(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "applying")
    client = client_of(world.finance)
    fragment = reverse("admin:ingestion_app_batch_progress", args=[batch.pk])
    before = text_of(client, fragment)
    assert 'data-part="offers"' in before
    world.apply(batch)
    after = text_of(client, fragment)
    assert "why-not-freeze" in before
    assert "why-not-freeze" not in after


def test_advice_can_be_followed(world: World) -> None:
    ways = {"received": "Withdraw that batch", "applied": "Reverse that batch", "frozen": "That batch stays"}
    for number, (state, way) in enumerate(ways.items(), start=1):
        bring_to(world, state, number=number)
        with pytest.raises(Exception, match="slot_conflict") as refusal:
            world.receipt(worlds.card_file([Purchase(slip=f"other-{number}")], sequence=number), name=name_of_file(number))
        assert way in str(refusal.value)


def test_a_newer_version_of_the_source_is_said_on_the_page_and_asked_of_the_approver(world: World, client_of: ClientOf) -> None:
    batch = bring_to(world, "validated")
    world.load(chunk_records=2)
    client = client_of(world.finance)
    assert "version 2 of the source" in text_of(client, page_of(batch))
    asking = client.get(step_of(batch, "approve"))
    assert "I know that version 2 of the source was loaded since" in asking.content.decode()
    shown = dict(asking.context["token"])
    assert client.post(step_of(batch, "approve"), shown).status_code == 200, "asked again"
    batch.refresh_from_db()
    assert batch.state == "validated"
    world.load(chunk_records=4)
    late = client.post(step_of(batch, "approve"), {**shown, "knows_newer": "on"})
    assert late.status_code == 409, "there is another by now"
    now = dict(client.get(step_of(batch, "approve")).context["token"])
    assert client.post(step_of(batch, "approve"), {**now, "knows_newer": "on"}).status_code == 302
    batch.refresh_from_db()
    assert batch.state == "approved"


@pytest.mark.parametrize("state", ["received", "validated", "approved"])
def test_what_is_not_begun_is_told_in_its_zone_and_not_to_be_applied_again(world: World, client_of: ClientOf, state: str) -> None:
    text = text_of(client_of(world.finance), page_of(bring_to(world, state)))
    assert f"times in {world.card.time_zone}" in text
    assert "Apply the batch again" not in text


def test_an_amount_without_a_unit_has_no_empty_brackets(
    world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_page, "unit_of", lambda _version: units.UNKNOWN)
    client = client_of(world.finance)
    page = client.get(page_of(bring_to(world, "validated")), headers={"Accept-Language": "ja"}).content.decode()
    assert ("金額（）" in page, "金額</th>" in page) == (False, True)


def test_the_page_of_a_receipt_says_why_it_is_no_batch(world: World, client_of: ClientOf) -> None:
    bring_to(world, "received")
    for content, name, code in (
        (b"x", "no-slot.csv", "which business date and sequence"),
        (b"y", name_of_file(1), "Another file is already in"),
    ):
        with pytest.raises(Refused):
            world.receipt(content, name=name)
        text = text_of(client_of(world.engineer), page_of(Receipt.objects.latest("pk")))
        assert code in text
        assert "Why it was refused" in text
