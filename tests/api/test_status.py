"""The status of a batch from afar: the same answer that its page gives."""

from rest_framework.test import APIClient

from tests.support.world import World


def test_the_status_of_a_batch(engineer_client: APIClient, world: World) -> None:
    world.load(chunk_records=1)
    batch = world.pause(world.begin(world.approved()))
    shown = engineer_client.get(f"/api/v1/batches/{batch.pk}/status/").json()
    assert (shown["batch"], shown["state"], shown["is_paused"], shown["due"]) == (batch.pk, "applying", True, None)
    assert (shown["rerun"]["safe"], shown["rerun"]["verdict"], shown["rerun"]["would_run"]["count"]) == (True, "paused", 0)
    assert (shown["rerun"]["paused"]["by"], shown["rerun"]["paused"]["by_itself"]) == ("erika", False)
    assert [reason["code"] for reason in shown["rerun"]["reasons"]] == ["paused"]
    assert shown["progress"]["chunks"] == {"applied": 0, "running": 0, "pending": 7, "stopped": 0}


def test_the_status_of_an_applied_batch(engineer_client: APIClient, world: World) -> None:
    shown = engineer_client.get(f"/api/v1/batches/{world.applied().pk}/status/").json()
    assert (shown["rerun"]["verdict"], shown["progress"]["percent"], shown["progress"]["running"]) == ("done", 100, False)
