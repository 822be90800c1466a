"""The reversal of a batch through the API: previewed, proposed, approved by another, applied; and pausing what is stuck, to reverse it."""

from rest_framework.test import APIClient

from ingestion_app.models import Batch
from tests.api.conftest import ClientOf, act, is_problem, work
from tests.support import world as worlds
from tests.support.world import World


def show(client: APIClient, batch_id: int, part: str = "") -> dict[str, object]:
    response = client.get(f"/api/v1/batches/{batch_id}/{part}")
    assert response.status_code == 200
    shown: dict[str, object] = response.json()
    return shown


def test_a_batch_is_reversed(world: World, engineer_client: APIClient, finance_client: APIClient) -> None:
    original = world.applied()
    version = show(engineer_client, original.pk)["version"]
    proposed = act(engineer_client, original.pk, "reverse", reason="The wrong file.", version=version)
    made = proposed.json()["id"]
    assert (proposed.status_code, proposed.json()["state"], proposed.json()["plan"]) == (202, "received", None)
    assert proposed["Location"].endswith(f"/api/v1/batches/{made}/jobs/validate/1/")
    assert engineer_client.get(proposed["Location"]).json()["state"] == "waiting"
    assert work() == [{"batch": made, "state": "validated"}]
    assert engineer_client.get(proposed["Location"]).json()["state"] == "done"
    shown = engineer_client.get(f"/api/v1/batches/{made}/").json()
    assert (shown["state"], shown["reverses"], shown["receipt"], shown["file_name"], shown["received_at"]) == (
        "validated",
        original.pk,
        None,
        None,
        None,
    )
    assert shown["reversal_dates"][0] == {"book": "CARD", "period": "2017-01", "moved_to": None, "entries": 7}
    assert show(engineer_client, original.pk)["reversal"] == shown["id"]

    plan = {"plan": shown["plan"], "version": shown["version"]}
    assert is_problem(act(engineer_client, shown["id"], "approve", **plan), 403, "not_permitted")
    assert act(finance_client, shown["id"], "approve", **plan).status_code == 200
    assert act(engineer_client, shown["id"], "apply").status_code == 202
    assert work() == [{"batch": shown["id"], "state": "applied", "stopped": 0}]
    assert show(engineer_client, original.pk)["state"] == "reversed"
    chunks = engineer_client.get(f"/api/v1/batches/{shown['id']}/chunks/").json()["results"]
    assert [chunk["undoes"] for chunk in chunks] == [*original.chunks.order_by("-number").values_list("id", flat=True)]
    assert {(chunk["lease_token"] >= 0, chunk["leased_by"] is not None) for chunk in chunks} == {(True, True)}


def test_a_reversal_is_in_the_list_of_batches(world: World, engineer_client: APIClient) -> None:
    original = world.applied()
    reversal = world.reverse(original)
    rows = engineer_client.get("/api/v1/batches/").json()["results"]
    assert [(row["id"], row["reverses"], row["is_paused"]) for row in rows] == [
        (reversal.pk, original.pk, False),
        (original.pk, None, False),
    ]
    found = engineer_client.get("/api/v1/batches/", {"state": "reversed"})
    assert (found.status_code, found.json()["results"]) == (200, [])


def test_a_proposal_that_is_refused_says_why(world: World, engineer_client: APIClient, finance_client: APIClient) -> None:
    original = world.applied()
    assert is_problem(act(finance_client, original.pk, "reverse", reason="x"), 403, "not_permitted")
    assert is_problem(act(engineer_client, original.pk, "reverse"), 409, "reason_required")
    assert is_problem(act(engineer_client, original.pk, "reverse", reason="x", version=1), 409, "stale")
    assert act(engineer_client, original.pk, "reverse", reason="x").status_code == 202
    again = act(engineer_client, original.pk, "reverse", reason="x")
    assert is_problem(again, 409, "reversal_open")
    assert again.json()["reasons"][0]["facts"]["reversal"] == Batch.objects.get(reverses=original).pk


def test_a_reversal_is_previewed_before_the_original_is_approved(world: World, finance_client: APIClient) -> None:
    batch = world.validated()
    shown = show(finance_client, batch.pk, "reversal-preview/")
    assert shown == {
        "is_posted": False,
        "totals": {
            "CARD": {"entries": 7, "lines": 14, "debits": 14644},
            "POINTS": {"entries": 6, "lines": 12, "debits": 144},
        },
        "dates": [
            {"book": "CARD", "period": "2017-01", "moved_to": None, "entries": None},
            {"book": "POINTS", "period": "2017-01", "moved_to": None, "entries": None},
        ],
        "refusals": [],
    }


def test_a_job_names_what_is_in_the_way_of_a_reversal(world: World, engineer_client: APIClient, client_of: ClientOf) -> None:
    batch = world.applied()
    worlds.set_account("receivable.1001", "suspended")
    proposed = act(engineer_client, batch.pk, "reverse", reason="The wrong file.")
    work()
    job = engineer_client.get(proposed["Location"]).json()
    assert job["state"] == "refused"
    assert [(reason["code"], reason["facts"]["account"]) for reason in job["reasons"]] == [
        ("account_not_open", "receivable.1001")
    ]
    assert client_of(None).get(f"/api/v1/batches/{batch.pk}/reversal-preview/").status_code == 401


def test_a_batch_that_is_stuck_is_paused_and_then_resumed_or_reversed(
    world: World, engineer_client: APIClient, finance_client: APIClient
) -> None:
    batch = world.approved()
    assert is_problem(act(engineer_client, batch.pk, "pause", reason="x"), 409, "wrong_state")
    assert act(engineer_client, batch.pk, "apply").status_code == 202
    worlds.set_account("receivable.1004", "suspended")
    assert [said["stopped"] for said in work()] == [1]
    assert is_problem(act(engineer_client, batch.pk, "reverse", reason="x"), 409, "still_applying")
    assert is_problem(act(finance_client, batch.pk, "pause", reason="x"), 403, "not_permitted")
    assert is_problem(act(engineer_client, batch.pk, "pause"), 409, "reason_required")
    paused = act(engineer_client, batch.pk, "pause", reason="The account stays suspended.")
    assert (paused.status_code, paused.json()["is_paused"], paused.json()["state"]) == (200, True, "applying")
    assert is_problem(act(engineer_client, batch.pk, "pause", reason="x"), 409, "paused_already")
    assert is_problem(act(engineer_client, batch.pk, "apply"), 409, "paused")

    resumed = act(engineer_client, batch.pk, "resume")
    assert (resumed.status_code, resumed.json()["is_paused"]) == (202, False)
    work()
    act(engineer_client, batch.pk, "pause", reason="It still does.")
    proposed = act(engineer_client, batch.pk, "reverse", reason="Received anew without that member.")
    assert (proposed.status_code, proposed.json()["reverses"]) == (202, batch.pk)
    assert is_problem(act(engineer_client, batch.pk, "resume"), 409, "reversal_open")
