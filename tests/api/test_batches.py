"""A file goes from bytes to frozen through the API, and what is refused on the way is refused with its reasons."""

import json

import pytest
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from ingestion_app.models import Batch, Receipt
from ledger_app.models import AuditRow, Entry, Period
from tests.api.conftest import ClientOf, act, is_problem, upload, work
from tests.support import world as worlds
from tests.support.world import World


def offers(client: APIClient, batch_id: int) -> dict[str, list[str]]:
    """Return the codes of the reasons by the name of each transition that lies ahead."""
    shown = client.get(f"/api/v1/batches/{batch_id}/").json()
    assert all(offer["is_free"] == (not offer["reasons"]) for offer in shown["offers"])
    return {offer["name"]: [reason["code"] for reason in offer["reasons"]] for offer in shown["offers"]}


def test_a_file_goes_all_the_way_to_frozen(world: World, engineer_client: APIClient, finance_client: APIClient) -> None:
    received = upload(engineer_client, worlds.card_file())
    assert received.status_code == 201
    number = received.json()["batch"]["id"]
    assert received["Location"].endswith(f"/api/v1/batches/{number}/")
    assert received.json()["outcome"] == "accepted"

    asked = act(engineer_client, number, "validate", version=1)
    assert (asked.status_code, asked.json()["state"]) == (202, "received")
    assert work() == [{"batch": number, "state": "validated"}]

    shown = finance_client.get(f"/api/v1/batches/{number}/").json()
    assert (shown["record_count"], shown["record_sum"]) == (8, 14644)
    assert (shown["trailer_count"], shown["trailer_sum"], shown["without_effect_count"]) == (8, 14644, 1)
    assert shown["totals"]["CARD"] == {"entries": 7, "lines": 14, "debits": 14644}
    assert shown["progress"]["percent"] == 0
    approved = act(finance_client, number, "approve", plan=shown["plan"], version=shown["version"], reason="As announced.")
    assert (approved.status_code, approved.json()["approved_by"]) == (200, "fumiko")
    assert approved.json()["approved_plan"] == shown["plan"]

    begun = act(engineer_client, number, "apply")
    assert (begun.status_code, begun.json()["state"]) == (202, "applying")
    assert work() == [{"batch": number, "state": "applied", "stopped": 0}]
    progress = engineer_client.get(f"/api/v1/batches/{number}/progress/").json()
    assert (progress["state"], progress["percent"]) == ("applied", 100)
    assert [attempt["step"] for attempt in progress["attempts"]] == ["apply", "validate"]

    frozen = act(finance_client, number, "freeze")
    assert (frozen.status_code, frozen.json()["state"], frozen.json()["offers"]) == (200, "frozen", [])
    doors = AuditRow.objects.filter(subject_type="batch", outcome="done").order_by("id").values_list("action", "door")
    assert list(doors) == [
        ("receive", "api"),
        ("validate", "task"),
        ("approve", "api"),
        ("apply", "api"),
        ("finish", "task"),
        ("freeze", "api"),
    ]
    assert AuditRow.objects.get(action="approve").reason == "As announced."


def test_the_same_bytes_again_point_to_the_first_receipt(world: World, engineer_client: APIClient) -> None:
    first = upload(engineer_client, worlds.card_file()).json()
    again = upload(engineer_client, worlds.card_file(), name="renamed.csv")
    assert again.status_code == 200
    assert (again.json()["outcome"], again.json()["first"]) == ("duplicate", first["id"])
    assert again.json()["batch"]["id"] == first["batch"]["id"]
    assert Receipt.objects.count() == 2
    assert Batch.objects.count() == 1


def test_another_file_in_the_same_slot_is_a_conflict_and_is_kept(world: World, engineer_client: APIClient) -> None:
    number = upload(engineer_client, worlds.card_file()).json()["batch"]["id"]
    other = worlds.card_file(worlds.PURCHASES[:2])
    response = upload(engineer_client, other)
    assert is_problem(response, 409, "slot_conflict")
    assert response.json()["reasons"][0]["facts"]["batch"] == number
    assert world.kept(other)


def test_a_slot_may_be_given_where_the_name_does_not_say_it(world: World, engineer_client: APIClient) -> None:
    assert is_problem(upload(engineer_client, worlds.card_file(), name="x.csv"), 409, "slot_unknown")
    response = upload(engineer_client, worlds.card_file(sequence=2), name="x.csv", business_date="2017-01-31", sequence="2")
    assert response.status_code == 201
    assert (response.json()["batch"]["business_date"], response.json()["batch"]["sequence"]) == ("2017-01-31", 2)


def test_an_empty_file_is_received_and_found_empty(world: World, engineer_client: APIClient) -> None:
    number = upload(engineer_client, b"").json()["batch"]["id"]
    act(engineer_client, number, "validate")
    assert work() == [{"batch": number, "state": "rejected"}]
    findings = engineer_client.get(f"/api/v1/batches/{number}/findings/").json()["results"]
    assert [(finding["rule"], finding["severity"], finding["line"]) for finding in findings] == [("file.empty", "error", 0)]
    assert findings[0]["sentence"] == "The file holds no bytes."
    assert findings[0]["remedy"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"business_date": "20170131"}, "business_date"),
        ({"business_date": "2017-02-30"}, "business_date"),
        ({"business_date": "２０１７-01-31"}, "business_date"),
        ({"sequence": "0"}, "sequence"),
        ({"sequence": "1e3"}, "sequence"),
        ({"sequence": "１"}, "sequence"),
        ({"sequence": "-1"}, "sequence"),
        ({"sequense": "1"}, "sequense"),
        ({"source": ""}, "source"),
        ({"file": ""}, "file"),
        ({"sequence": ["1", "2"]}, "sequence"),
    ],
)
def test_an_upload_of_another_shape_is_refused_before_anything_is_kept(
    world: World, engineer_client: APIClient, fields: dict[str, str], named: str
) -> None:
    response = upload(engineer_client, worlds.card_file(), **fields)
    assert is_problem(response, 400, "shape_invalid")
    assert [fault["field"] for fault in response.json()["faults"]] == [named]
    assert not Receipt.objects.exists()


def test_an_unknown_source_is_not_found(world: World, engineer_client: APIClient) -> None:
    assert is_problem(upload(engineer_client, b"x", source="nobody"), 404, "not_found")


def test_the_offers_give_the_reasons_that_the_attempt_would_be_refused_with(
    world: World, engineer_client: APIClient, finance_client: APIClient
) -> None:
    batch = world.validated()
    assert offers(engineer_client, batch.pk)["approve"] == ["not_permitted", "own_proposal", "own_proposal"]
    assert offers(engineer_client, batch.pk)["withdraw"] == []
    assert offers(finance_client, batch.pk)["approve"] == []
    assert offers(finance_client, batch.pk)["freeze"][0] == "wrong_state"

    plan = engineer_client.get(f"/api/v1/batches/{batch.pk}/").json()["plan"]
    refused = act(engineer_client, batch.pk, "approve", plan=plan)
    assert is_problem(refused, 403, "not_permitted")
    assert [reason["code"] for reason in refused.json()["reasons"]] == offers(engineer_client, batch.pk)["approve"]


def test_what_lies_behind_a_batch_is_not_offered(world: World, finance_client: APIClient) -> None:
    assert list(offers(finance_client, world.applied().pk)) == ["freeze", "reverse"]


def test_nobody_approves_what_they_received_superusers_included(world: World, client_of: ClientOf) -> None:
    client = client_of(world.superuser)
    number = upload(client, worlds.card_file()).json()["batch"]["id"]
    act(client, number, "validate")
    work()
    plan = client.get(f"/api/v1/batches/{number}/").json()["plan"]
    assert is_problem(act(client, number, "approve", plan=plan), 409, "own_proposal")
    assert Batch.objects.get().state == "validated"


def test_an_approval_names_the_plan_that_was_shown(world: World, finance_client: APIClient) -> None:
    batch = world.validated()
    assert is_problem(act(finance_client, batch.pk, "approve"), 400, "shape_invalid")
    assert is_problem(act(finance_client, batch.pk, "approve", plan="f" * 64), 409, "plan_not_shown")
    for shape in ("F" * 64, "f" * 63, "f" * 64 + "\n", "", None, 7):
        assert is_problem(act(finance_client, batch.pk, "approve", plan=shape), 400, "shape_invalid")
    batch.refresh_from_db()
    assert batch.state == "validated"


def test_a_version_that_moved_on_is_stale(world: World, finance_client: APIClient, engineer_client: APIClient) -> None:
    batch = world.validated()
    plan = finance_client.get(f"/api/v1/batches/{batch.pk}/").json()["plan"]
    assert is_problem(act(finance_client, batch.pk, "approve", plan=plan, version=1), 409, "stale")
    assert is_problem(act(engineer_client, batch.pk, "validate", version=1), 409, "stale")
    assert is_problem(act(engineer_client, batch.pk, "withdraw", reason="Wrong.", version=1), 409, "stale")
    assert not DBTaskResult.objects.exists()


def test_a_plan_whose_period_was_closed_is_not_approved(world: World, finance_client: APIClient) -> None:
    batch = world.validated()
    Period.objects.filter(book=world.card, name="2017-01").update(state="provisional")
    plan = finance_client.get(f"/api/v1/batches/{batch.pk}/").json()["plan"]
    assert is_problem(act(finance_client, batch.pk, "approve", plan=plan), 409, "plan_moved")


def test_a_refused_attempt_leaves_an_audit_row_and_wakes_nobody(world: World, finance_client: APIClient) -> None:
    batch = world.receive()
    assert is_problem(act(finance_client, batch.pk, "validate"), 403, "not_permitted")
    assert is_problem(act(finance_client, batch.pk, "apply"), 403, "not_permitted")
    rows = AuditRow.objects.filter(outcome="refused").order_by("id").values_list("action", "door", "actor__username")
    assert list(rows) == [("validate", "api", "fumiko"), ("apply", "api", "fumiko")]
    assert not DBTaskResult.objects.exists()


def test_a_reason_that_is_missing_is_asked_for(world: World, engineer_client: APIClient) -> None:
    batch = world.receive()
    assert is_problem(act(engineer_client, batch.pk, "withdraw"), 409, "reason_required")
    assert is_problem(act(engineer_client, batch.pk, "withdraw", reason="x" * 501), 409, "reason_too_long")
    assert act(engineer_client, batch.pk, "withdraw", reason="Sent by mistake.").json()["state"] == "withdrawn"


def test_applying_again_changes_nothing(world: World, engineer_client: APIClient) -> None:
    batch = world.applied()
    entries = Entry.objects.count()
    response = act(engineer_client, batch.pk, "apply")
    assert (response.status_code, response.json()["state"]) == (200, "applied")
    assert not DBTaskResult.objects.exists()
    assert Entry.objects.count() == entries


def test_a_validation_that_was_asked_for_twice_does_not_undo_what_was_decided_between(
    world: World, engineer_client: APIClient, finance_client: APIClient
) -> None:
    batch = world.receive()
    assert [act(engineer_client, batch.pk, "validate").status_code for _ in range(2)] == [202, 202]
    late = DBTaskResult.objects.order_by("-enqueued_at")[0]
    DBTaskResult.objects.filter(pk=late.pk).update(status="RUNNING")
    work()
    plan = finance_client.get(f"/api/v1/batches/{batch.pk}/").json()["plan"]
    assert act(finance_client, batch.pk, "approve", plan=plan).status_code == 200
    DBTaskResult.objects.filter(pk=late.pk).update(status="READY")
    assert [list(said) for said in work()] == [["batch", "refused"]]
    batch.refresh_from_db()
    assert batch.state == "approved"


def test_a_chunk_that_stopped_says_why_and_the_batch_is_resumed(world: World, engineer_client: APIClient) -> None:
    batch = world.approved()
    worlds.set_account("receivable.1001", "suspended")
    refused = act(engineer_client, batch.pk, "apply")
    assert is_problem(refused, 409, "plan_moved")
    worlds.set_account("receivable.1001", "open")
    assert act(engineer_client, batch.pk, "apply").status_code == 202
    worlds.set_account("receivable.1001", "suspended")
    assert [said["stopped"] for said in work()] == [1]
    stopped = engineer_client.get(f"/api/v1/batches/{batch.pk}/chunks/", {"state": "stopped"}).json()["results"]
    assert {reason["code"] for chunk in stopped for reason in chunk["reasons"]} == {"account_not_open"}
    assert offers(engineer_client, batch.pk)["resume"] == []
    worlds.set_account("receivable.1001", "open")
    assert act(engineer_client, batch.pk, "resume").status_code == 202
    assert [said["state"] for said in work()] == ["applied"]


def test_an_approved_batch_is_not_begun_by_resuming_it(world: World, engineer_client: APIClient) -> None:
    batch = world.approved()
    assert is_problem(act(engineer_client, batch.pk, "resume"), 409, "wrong_state")
    batch.refresh_from_db()
    assert (batch.state, work()) == ("approved", [])


def test_records_and_chunks_are_told(world: World, engineer_client: APIClient) -> None:
    batch = world.applied()
    records = engineer_client.get(f"/api/v1/batches/{batch.pk}/records/").json()["results"]
    assert [record["line"] for record in records] == list(range(2, 10))
    assert records[0]["values"] == {
        "member": "1001",
        "shop": "31",
        "slip": "s1",
        "amount": 150,
        "bought_at": records[0]["values"]["bought_at"],
    }
    assert [record["line"] for record in records if record["status"] == "no_effect"] == [6]
    chunks = engineer_client.get(f"/api/v1/batches/{batch.pk}/chunks/").json()["results"]
    assert [chunk["number"] for chunk in chunks] == list(range(len(chunks)))
    assert sum(chunk["record_sum"] for chunk in chunks) == 14644
    of_first = engineer_client.get(f"/api/v1/batches/{batch.pk}/records/", {"chunk": chunks[0]["id"]}).json()["results"]
    assert len(of_first) == chunks[0]["record_count"]
    assert engineer_client.get(f"/api/v1/chunks/{chunks[0]['id']}/").json()["batch"] == batch.pk


def test_batches_are_found_by_state_source_and_date(world: World, engineer_client: APIClient) -> None:
    batch = world.receive()
    for query, found in [
        ({"state": "received"}, [batch.pk]),
        ({"state": "frozen"}, []),
        ({"source": "till", "business_date": "2017-01-31"}, [batch.pk]),
        ({"business_date": "2017-01-30"}, []),
    ]:
        results = engineer_client.get("/api/v1/batches/", query).json()["results"]
        assert [row["id"] for row in results] == found
    assert is_problem(engineer_client.get("/api/v1/batches/", {"source": "tell"}), 404, "not_found")
    assert is_problem(engineer_client.get("/api/v1/batches/", {"state": "done"}), 400, "shape_invalid")


@pytest.mark.parametrize(
    "body",
    [
        '{"version": 1.0}',
        '{"version": "1"}',
        '{"version": true}',
        '{"version": null}',
        '{"version": 0}',
        '{"version": 1, "version": 2}',
        '{"versoin": 1}',
        '{"version": NaN}',
        '{"version": 99999999999999999999}',
        '{"version": 1',
        "[1]",
        "1",
        "\ufeff{}",
        "[" * 100_000,
        '{"version": ' + "9" * 5000 + "}",
        '{"version": 1e999}',
    ],
)
def test_a_body_of_another_shape_is_refused(world: World, engineer_client: APIClient, body: str) -> None:
    batch = world.receive()
    response = engineer_client.generic(
        "POST", f"/api/v1/batches/{batch.pk}/transitions/validate/", body, content_type="application/json"
    )
    assert is_problem(response, 400, "shape_invalid")
    assert not DBTaskResult.objects.exists()


def test_a_body_over_a_megabyte_is_not_read(world: World, engineer_client: APIClient) -> None:
    address = f"/api/v1/batches/{world.receive().pk}/transitions/validate/"
    response = engineer_client.generic("POST", address, " " * 1_000_001, content_type="application/json")
    assert is_problem(response, 413, "body_too_large")
    assert not DBTaskResult.objects.exists()


def test_text_that_no_database_keeps_is_refused(world: World, engineer_client: APIClient) -> None:
    batch = world.receive()
    for text in ("\\ud800", "a\\u0000b"):
        response = engineer_client.generic(
            "POST",
            f"/api/v1/batches/{batch.pk}/transitions/withdraw/",
            json.dumps({"reason": "-"}).replace("-", text),
            content_type="application/json",
        )
        assert is_problem(response, 400, "shape_invalid")


def test_a_sum_that_was_never_read_is_null_and_not_nothing(world, client_of):
    batch = world.validate(
        world.receive(worlds.card_file([worlds.Purchase(amount="1.50"), worlds.Purchase(slip="s2")], total="150"))
    )
    told = client_of(world.engineer).get(f"/api/v1/batches/{batch.pk}/").json()
    assert (told["state"], told["record_count"], told["record_sum"], told["set_aside_sum"]) == ("rejected", 2, None, None)


def test_a_newer_version_is_told_and_acknowledged_by_its_number(world, client_of):
    batch = world.validated()
    world.load(chunk_records=2)
    client = client_of(world.finance)
    address = f"/api/v1/batches/{batch.pk}/"
    told = client.get(address).json()
    assert (told["source_version"], told["newer_source_version"]) == (1, 2)
    asked = {"plan": told["plan"]}
    assert is_problem(client.post(f"{address}transitions/approve/", asked, format="json"), 409, "source_version_newer")
    done = client.post(f"{address}transitions/approve/", {**asked, "acknowledged_version": 2}, format="json")
    assert (done.status_code, done.json()["state"], done.json()["newer_source_version"]) == (200, "approved", 2)


def test_the_status_is_checked_where_it_is_asked(world, client_of):
    batch = world.applied()
    address = f"/api/v1/batches/{batch.pk}/status/"
    client = client_of(world.engineer)
    assert client.get(address).json()["rerun"]["checked"] is False
    assert client.get(f"{address}?check=true").json()["rerun"]["checked"] is True
