"""What a worker does is told at an address of its own: 202 leads there, for each kind that is queued."""

from typing import Any

import pytest
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from ingestion_app import errors
from ingestion_app.batches.operations import attempts
from ingestion_app.models import Attempt, Batch, ValidationRequest
from ledger_app.base.operations.measuring import Measured
from ledger_app.models import FreezeAttempt, Period
from tests.api.conftest import act, is_problem, upload, work
from tests.support import world as worlds
from tests.support.world import World, card_file, set_account

PERIODS = "/api/v1/periods/"


def version_of(batch: int) -> int:
    return Batch.objects.values_list("version", flat=True).get(pk=batch)


def job_of(started: Any) -> str:
    """Return the address of the job that a request has begun."""
    assert started.status_code == 202, started.content
    return str(started["Location"]).removeprefix("http://testserver")


def asked(client: APIClient, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def batch(engineer_client: APIClient) -> int:
    return int(upload(engineer_client, card_file()).json()["batch"]["id"])


def test_a_validation_waits_and_is_done(engineer_client: APIClient, batch: int) -> None:
    started = act(engineer_client, batch, "validate", version=1)
    address = job_of(started)
    assert address.endswith(f"/api/v1/batches/{batch}/jobs/validate/1/")
    job = asked(engineer_client, address)
    assert (job["kind"], job["state"], job["tries"], job["result"], job["started_at"]) == ("validate", "waiting", 0, None, None)
    work()
    job = asked(engineer_client, address)
    assert (job["state"], job["tries"], job["reasons"]) == ("done", 1, [])
    assert job["result"] == {"state": "validated", "version": version_of(batch)}
    records = Batch.objects.get(pk=batch).record_count
    assert job["progress"] == {"done": records, "total": records, "unit": "records"}
    assert asked(engineer_client, job["of"])["state"] == "validated"
    # The next one is a job of its own.
    second = job_of(act(engineer_client, batch, "validate", version=version_of(batch)))
    assert second.endswith("/jobs/validate/2/")
    assert (asked(engineer_client, second)["state"], asked(engineer_client, address)["state"]) == ("waiting", "done")


def test_a_validation_that_came_too_late_is_refused(engineer_client: APIClient, batch: int) -> None:
    address = job_of(act(engineer_client, batch, "validate", version=1))
    assert act(engineer_client, batch, "withdraw", version=1, reason="Not this one.").status_code == 200
    work()
    job = asked(engineer_client, address)
    assert (job["state"], [reason["code"] for reason in job["reasons"]]) == ("refused", ["job_not_begun"])


def test_a_validation_that_failed_is_to_be_tried_again_and_then_failed(
    world: World, engineer_client: APIClient, batch: int
) -> None:
    address = job_of(act(engineer_client, batch, "validate", version=1))
    DBTaskResult.objects.all().delete()
    row = Batch.objects.get(pk=batch)
    for tries in (1, 2, 3):
        attempt = attempts.begin(batch=row, step=Attempt.Step.VALIDATE, caller=world.caller(), host="h", process=1)
        reasons = [errors.Surprise(what="OSError")]
        attempts.end(attempt=attempt, at=worlds.NOW, outcome="failed", done_records=3, measured=Measured(), reasons=reasons)
        job = asked(engineer_client, address)
        assert (job["state"], job["tries"]) == ("waiting" if tries < 3 else "failed", tries)
        assert [reason["code"] for reason in job["reasons"]] == ["surprise"]
    assert ValidationRequest.objects.exists()


def test_applying_waits_is_refused_is_resumed_and_is_done(world: World, engineer_client: APIClient) -> None:
    batch = world.approved()
    set_account("settlement.32", "suspended")
    address = job_of(act(engineer_client, batch.pk, "apply"))
    assert address.endswith("/jobs/apply/1/")
    assert asked(engineer_client, address)["state"] == "waiting"
    work()
    job = asked(engineer_client, address)
    assert (job["state"], job["result"]) == ("refused", None)
    assert job["reasons"]
    assert 0 < job["progress"]["done"] < job["progress"]["total"]
    set_account("settlement.32", "open")
    resumed = job_of(act(engineer_client, batch.pk, "resume", version=version_of(batch.pk)))
    assert resumed.endswith("/jobs/apply/2/")
    assert asked(engineer_client, resumed)["state"] == "waiting"
    work()
    job = asked(engineer_client, resumed)
    assert (job["state"], job["result"]["state"]) == ("done", "applied")
    assert job["progress"]["done"] == job["progress"]["total"]
    assert asked(engineer_client, address)["state"] == "refused"


def test_a_job_that_is_paused_before_it_is_begun_says_so(world: World, engineer_client: APIClient) -> None:
    batch = world.approved()
    address = job_of(act(engineer_client, batch.pk, "apply"))
    said = {"version": version_of(batch.pk), "reason": "Wait."}
    assert act(engineer_client, batch.pk, "pause", **said).status_code == 200
    assert asked(engineer_client, address)["state"] == "paused"


def test_a_running_attempt_is_running_and_one_whose_process_is_gone_waits(world: World, engineer_client: APIClient) -> None:
    batch = world.approved()
    address = job_of(act(engineer_client, batch.pk, "apply"))
    row = Batch.objects.get(pk=batch.pk)
    attempt = attempts.begin(batch=row, step=Attempt.Step.APPLY, caller=world.caller(), host="elsewhere", process=1)
    Attempt.objects.filter(pk=attempt.pk).update(heartbeat_at="2999-01-01T00:00:00Z")
    assert asked(engineer_client, address)["state"] == "running"
    Attempt.objects.filter(pk=attempt.pk).update(heartbeat_at="2017-01-01T00:00:00Z")
    assert asked(engineer_client, address)["state"] == "waiting"


def test_a_freeze_waits_is_superseded_is_refused_and_is_done(world: World, finance_client: APIClient) -> None:
    world.freeze(world.applied())
    period = world.opened[0]
    freeze = f"{PERIODS}{period.pk}/transitions/freeze/"
    wrong, right = {"controls": {"debits": 14645}}, {"controls": {"debits": 14644}}
    first = job_of(finance_client.post(freeze, wrong))
    assert first.endswith(f"{PERIODS}{period.pk}/jobs/freeze/{FreezeAttempt.objects.get().pk}/")
    job = asked(finance_client, first)
    assert (job["kind"], job["state"], job["tries"]) == ("freeze", "waiting", 0)
    second = job_of(finance_client.post(freeze, wrong))
    assert asked(finance_client, first)["state"] == "superseded"
    work()
    job = asked(finance_client, second)
    assert (job["state"], job["result"], job["tries"]) == ("refused", None, 1)
    assert [reason["code"] for reason in job["reasons"]] == ["control_differs"]
    third = job_of(finance_client.post(freeze, right))
    work()
    job = asked(finance_client, third)
    assert (job["state"], job["result"]["state"], job["reasons"]) == ("done", "frozen", [])
    assert job["progress"] == {"done": 7, "total": 7, "unit": "entries"}
    assert asked(finance_client, job["of"])["seal"]


@pytest.mark.parametrize("address", ["jobs/validate/7/", "jobs/apply/9/", "jobs/freeze/1/"])
def test_a_job_that_is_not_there_is_not_found(engineer_client: APIClient, batch: int, address: str) -> None:
    assert is_problem(engineer_client.get(f"/api/v1/batches/{batch}/{address}"), 404, "not_found")


def test_a_freeze_of_another_period_is_not_found(world: World, finance_client: APIClient) -> None:
    period = Period.objects.order_by("id").first()
    assert period is not None
    assert is_problem(finance_client.get(f"{PERIODS}{period.pk}/jobs/freeze/1/"), 404, "not_found")
