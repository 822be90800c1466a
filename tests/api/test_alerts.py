"""Alerts are told and acknowledged through the API and on the batch's page as by the operation: by what was shown, before the batch is approved."""

import pytest
from rest_framework.test import APIClient

from ingestion_app.deciding.queries import alerts
from ingestion_app.models import Batch
from tests.api.conftest import act, is_problem
from tests.support.alerted import alerted
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_alerts_are_told_acknowledged_and_then_the_batch_is_approved(
    world: World, finance_client: APIClient, engineer_client: APIClient
) -> None:
    batch = alerted(world)
    address = f"/api/v1/batches/{batch.pk}/"
    told = finance_client.get(address).json()["alerts"]
    assert (told["count"], told["digest"], told["acknowledged_by"]) == (2, alerts.digest_of(batch), None)
    assert finance_client.get(f"{address}status/").json()["alerts"] == told
    found = finance_client.get(f"{address}findings/?severity=alert").json()["results"]
    assert {each["rule"] for each in found} == {"shape.count_outside", "shape.sum_outside"}
    plan = finance_client.get(address).json()["plan"]
    assert is_problem(act(finance_client, batch.pk, "approve", plan=plan), 409, "alerts_open")
    given = {"alerts": told["digest"], "reason": "A sale.", "version": batch.version}
    assert is_problem(act(engineer_client, batch.pk, "acknowledge", **given), 403, "not_permitted")
    assert is_problem(act(finance_client, batch.pk, "acknowledge", **{**given, "alerts": "0" * 64}), 409, "alerts_not_shown")
    done = act(finance_client, batch.pk, "acknowledge", **given)
    assert done.status_code == 200
    assert (done.json()["alerts"]["reason"], done.json()["state"]) == ("A sale.", "validated")
    assert act(finance_client, batch.pk, "approve", plan=plan).json()["state"] == "approved"
    assert Batch.objects.get(pk=batch.pk).approved_digest is not None
