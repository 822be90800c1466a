"""A period is frozen from the admin by who may, with control totals typed as people type them, or not at all."""

from typing import Any

import pytest
from django import forms
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from ingestion_app.batches.operations import workers
from ledger_app.admin.amount_field import AmountField
from ledger_app.base.queries import clock
from ledger_app.close.queries.closing import control_totals
from ledger_app.models import AuditRow, Entry, Period, Seal
from tests.admin.conftest import ROLES, ClientOf, RoleOf, bring_to, page_of, refusals, step_of, work
from tests.support import world as worlds
from tests.support.world import World


@pytest.fixture
def january(world: World) -> Period:
    """January of the book CARD: one frozen batch of 28.00 USD, 7 entries."""
    bring_to(world, "frozen")
    period = Period.objects.get(book=world.card, name="2017-01")
    assert (control_totals(period)["debits"], control_totals(period)["entries"]) == (2800, 7)
    return period


def snapshot(period: Period) -> Any:
    return worlds.ledger(), list(Period.objects.order_by("id").values()), Seal.objects.count()


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("373,300.23", 37330023),
        ("373300.23", 37330023),
        ("373300", 37330000),
        (" 28.00 ", 2800),
        ("-5", -500),
        ("−5.00", -500),
        ("0", 0),
        ("", None),
        ("1,234,567.89", 123456789),
    ],
)
def test_an_amount_is_read_exactly(text: str, amount: int | None) -> None:
    assert AmountField(2, required=False).clean(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1e3",
            "１２３",
            "12.5",
            "12.505",
            "1_000",
            "NaN",
            "--5",
            "+5",
            "5-",
            "0x10",
            "1 000",
            "1.000,00",
            "12,34.00",
            ",123",
            "1,23",
        ),
        *("٣", "1,0000", ".50", "5.", "5.1\n", "1\x00", "∞", "1" * 31),
    ],
)
def test_what_is_no_amount_is_never_guessed(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        AmountField(2, required=False).clean(text)


def test_a_unit_without_decimals_takes_none() -> None:
    assert AmountField(0).clean("1,234") == 1234
    for text in ("1.0", "1.", "12.34"):
        with pytest.raises(forms.ValidationError):
            AmountField(0).clean(text)


@pytest.mark.parametrize("typed", ["28.00", "28", "0,028.00"[2:]])
def test_finance_freezes_with_the_right_total(january: Period, world: World, client_of: ClientOf, typed: str) -> None:
    client = client_of(world.finance)
    shown = client.get(step_of(january, "freeze"))
    assert shown.status_code == 200
    form = dict(shown.context["token"])
    response = client.post(step_of(january, "freeze"), {**form, "control_debits": typed, "control_entries": "7"})
    assert response.status_code == 302
    assert 'data-running="true"' in client.get(response["Location"]).content.decode()
    (said,) = work()
    january.refresh_from_db()
    assert january.state == "frozen"
    assert Seal.objects.get(period=january).controls == {"debits": 2800, "entries": 7}
    assert said["seal"] == bytes(Seal.objects.get().digest).hex()
    text = client.get(response["Location"]).content.decode()
    assert "28.00" in text
    assert "data-running" not in text


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({}, "control_missing"),
        ({"control_debits": ""}, "control_missing"),
        ({"control_entries": "7"}, "control_without_amount"),
    ],
)
def test_without_an_amount_nothing_is_tried_and_the_totals_can_be_typed_again(
    january: Period, world: World, client_of: ClientOf, typed: dict[str, str], code: str
) -> None:
    before = snapshot(january)
    client = client_of(world.finance)
    response = client.post(step_of(january, "freeze"), {"version": january.version, "reason": "month end", **typed})
    assert response.status_code == 409
    text = response.content.decode()
    assert 'name="control_debits"' in text
    assert "month end" in text
    for value in filter(None, typed.values()):
        assert f'value="{value}"' in text
    assert snapshot(january) == before
    # A field that was forgotten is told, and is no refused attempt.
    assert [[reason["code"] for reason in row.reasons] for row in refusals(january)] == (
        [] if code == "control_missing" else [[code]]
    )


@pytest.mark.parametrize("typed", [{"control_debits": "28.01"}, {"control_debits": "-28.00"}, {"control_settlement": "1"}])
def test_a_total_that_is_wrong_freezes_nothing(january: Period, world: World, client_of: ClientOf, typed: dict[str, str]) -> None:
    before = snapshot(january)
    assert client_of(world.finance).post(step_of(january, "freeze"), {"version": january.version, **typed}).status_code == 302
    (said,) = work()
    assert said["refused"].startswith("control_differs: ")
    assert snapshot(january) == before
    assert [reason["code"] for reason in refusals(january)[0].reasons] == ["control_differs"]
    assert january.freezes.get().state == "refused"


def test_a_wrong_total_is_answered_in_its_unit_and_without_the_ledgers_own(
    january: Period, world: World, client_of: ClientOf, somebody: RoleOf
) -> None:
    client = client_of(world.finance)
    shown = client.get(step_of(january, "freeze")).content.decode()
    typed = {"version": january.version, "control_debits": "1,031.00", "control_entries": "8"}
    where = client.post(step_of(january, "freeze"), typed)["Location"]
    (said,) = work()
    told = client.get(where).content.decode()
    assert "The control total debits, 1,031.00 USD, is not what the ledger has." in told
    assert "The control total entries, 8, is not what the ledger has." in told
    row = refusals(january)[0]
    assert [(each["name"], each["given"], each["found"]) for each in row.facts["untold"]] == [
        ("debits", 103100, 2800),
        ("entries", 8, 7),
    ]
    # Neither where it is typed, nor in the answer, nor one step further.
    audit = page_of(row)
    for text in (
        shown,
        told,
        said["refused"],
        str(row.reasons),
        str(january.freezes.get().reasons),
        client.get(audit).content.decode(),
    ):
        assert "28.00" not in text
        assert "2800" not in text
    assert "28.00" in client_of(somebody("auditor")).get(audit).content.decode()


def test_a_freeze_that_was_asked_for_again_leaves_it_to_the_newer_one(january: Period, world: World, client_of: ClientOf) -> None:
    client = client_of(world.finance)
    typed = {"version": january.version, "control_debits": "28.00"}
    for _time in range(2):
        # As when the worker of the first was killed: nothing stands in the way of the second.
        assert client.post(step_of(january, "freeze"), typed).status_code == 302
    assert list(january.freezes.order_by("id").values_list("state", flat=True)) == ["superseded", "waiting"]
    first, second = work()
    assert (first["seal"], second["seal"]) == (None, bytes(Seal.objects.get().digest).hex())


def test_looking_at_a_period_adds_no_line_up(january: Period, world: World, client_of: ClientOf) -> None:
    client = client_of(world.finance)
    addresses = (page_of(january), step_of(january, "freeze"), step_of(january, "provisional"), f"/api/v1/periods/{january.pk}/")
    with CaptureQueriesContext(connection) as asked:
        for address in addresses:
            assert client.get(address).status_code == 200
    assert not [each["sql"] for each in asked if "ledger_app_line" in each["sql"] or 'FROM "ledger_app_entry"' in each["sql"]]


@pytest.mark.parametrize("typed", ["1e3", "１２３", "12.5"])
def test_a_total_that_is_no_amount_is_asked_for_again_before_anything_is_tried(
    january: Period, world: World, client_of: ClientOf, typed: str
) -> None:
    before = snapshot(january)
    response = client_of(world.finance).post(step_of(january, "freeze"), {"version": january.version, "control_debits": typed})
    assert response.status_code == 200
    assert "Write the amount like 1,234.56." in response.content.decode()
    assert snapshot(january) == before


@pytest.mark.parametrize("role", ["support", "engineer", "auditor"])
@pytest.mark.parametrize("name", ["freeze", "provisional"])
def test_only_finance_closes(january: Period, world: World, client_of: ClientOf, somebody: RoleOf, role: str, name: str) -> None:
    before = snapshot(january)
    response = client_of(somebody(role)).post(
        step_of(january, name), {"version": january.version, "control_debits": "28.00", "reason": "x"}
    )
    assert response.status_code == 403
    assert snapshot(january) == before
    assert [reason["code"] for reason in refusals(january)[0].reasons] == ["not_permitted"]


@pytest.mark.parametrize("role", [*ROLES, "superuser"])
def test_nobody_reopens_or_changes_a_frozen_period(
    january: Period, world: World, client_of: ClientOf, somebody: RoleOf, role: str
) -> None:
    world.freeze_period(january)
    january.refresh_from_db()
    before = snapshot(january)
    client = client_of(somebody(role))
    assert [offer["name"] for offer in client.get(page_of(january)).context["offers"]] == [
        "kit",
        "reports",
    ]  # which change nothing
    for name in ("reopen", "provisional", "freeze"):
        response = client.post(step_of(january, name), {"version": january.version, "reason": "x", "control_debits": "28.00"})
        assert response.status_code in {403, 409}
        assert "wrong_state" in {reason["code"] for reason in response.context["reasons"]}
    assert snapshot(january) == before


def test_a_period_goes_provisional_and_back_with_a_reason(january: Period, world: World, client_of: ClientOf) -> None:
    client = client_of(world.finance)
    assert client.post(step_of(january, "provisional"), {"version": january.version}).status_code == 302
    january.refresh_from_db()
    assert january.state == "provisional"
    assert client.post(step_of(january, "reopen"), {"version": january.version}).status_code == 409
    done = client.post(step_of(january, "reopen"), {"version": january.version, "reason": "A late file."})
    assert done.status_code == 302
    row = AuditRow.objects.filter(subject_type="period", outcome="done").latest("id")
    assert (row.action, row.reason) == ("reopen", "A late file.")


def test_a_freeze_on_an_old_page_is_refused(january: Period, world: World, client_of: ClientOf) -> None:
    shown = january.version
    client = client_of(world.finance)
    client.post(step_of(january, "provisional"), {"version": shown})
    response = client.post(step_of(january, "freeze"), {"version": shown, "control_debits": "28.00"})
    assert response.status_code == 409
    assert {reason["code"] for reason in response.context["reasons"]} == {"stale"}


def test_the_page_of_a_period_says_what_a_freeze_still_waits_for(world: World, client_of: ClientOf) -> None:
    bring_to(world, "validated")
    period = Period.objects.get(book=world.card, name="2017-02")
    found = client_of(world.finance).get(page_of(period)).context["checks"]
    assert {str(check["label"]): check["verdict"] for check in found} == {
        "The period's last day has passed": "holds",
        "The time has passed that the book's policy leaves for what comes late": "holds",
        "Every earlier period is frozen": "differs",
        "It follows the period before it day by day": "holds",
        "Every batch and every proposal dated in it has ended": "holds",
        "What was due in it has expired": "holds",
        "Every entry is what its digest says": "by_freeze",
        "Every balance is the sum of its lines": "by_freeze",
        "The control totals are given and match": "by_freeze",
    }
    assert not Entry.objects.exists()
    shown = client_of(world.finance).get(page_of(period))
    ((line,),) = [check["lines"] for check in shown.context["checks"] if check["verdict"] == "differs"]
    waits = line["sentences"]
    assert [shown.content.decode().count(escape(sentence)) for sentence in waits] == [1]
    (freeze,) = [offer for offer in shown.context["offers"] if offer["name"] == "freeze"]
    assert "1 check of what a freeze asks for does not hold yet." in [reason["sentence"] for reason in freeze["blockers"]]


def test_a_freeze_that_waits_says_whether_a_worker_is_there(january: Period, world: World, client_of: ClientOf) -> None:
    client = client_of(world.finance)
    where = client.post(step_of(january, "freeze"), {"version": january.version, "control_debits": "28.00"})["Location"]
    told = client.get(where).content.decode()
    assert "No worker is there to take it up" in told
    assert "A worker will take it up." not in told
    workers.beat(kind="worker", instance="far.1.1", host="far", process=7, at=clock.read())
    told = client.get(where).content.decode()
    assert "A worker will take it up." in told
    assert "No worker is there to take it up" not in told
