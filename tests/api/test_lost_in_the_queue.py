"""Whatever is left to a worker is done, though the queue has lost it or never had it: ``wake`` queues it again, for whoever asked for it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult
from rest_framework.test import APIClient

from config.doors import callers as doorways
from ingestion_app import tasks
from ingestion_app.models import Attempt, Batch, ValidationRequest
from ingestion_app.status.queries.progress import progress_of
from ingestion_app.validating.operations import validating
from ledger_app import tasks as ledger_tasks
from ledger_app.close.queries.closing import control_totals
from ledger_app.errors import Refused, TryAgain
from ledger_app.models import FreezeAttempt, User
from tests.api.conftest import act, work
from tests.support.world import NOW, World

Asked = tuple[Callable[[], Any], Callable[[], str], int]  # what asks, what tells the state, who asked
PATIENCE = timedelta(seconds=30)


def client(user: User) -> APIClient:
    """Return a client that sends no keys: under one, what is asked for and the entry of the queue are there together or not at all."""
    made = APIClient()
    made.force_authenticate(user)
    return made


def a_validation(world: World) -> Asked:
    batch = world.receive()
    asking = lambda: act(client(world.engineer), batch.pk, "validate")  # noqa: E731
    return asking, lambda: Batch.objects.get(pk=batch.pk).state, world.engineer.pk


def an_application(world: World) -> Asked:
    batch = world.approved()
    asking = lambda: act(client(world.engineer), batch.pk, "apply")  # noqa: E731
    return asking, lambda: Batch.objects.get(pk=batch.pk).state, world.system.pk


def a_freeze(world: World) -> Asked:
    world.freeze(world.applied())
    period = world.opened[0]
    body = {"controls": {"debits": control_totals(period)["debits"]}}
    asking = lambda: client(world.finance).post(f"/api/v1/periods/{period.pk}/transitions/freeze/", body, format="json")  # noqa: E731

    def state() -> str:
        period.refresh_from_db()
        return period.state

    return asking, state, world.finance.pk


# Every kind of work that is queued: the task, what asks for it, and the state in which it ends.
KINDS: dict[Any, tuple[Callable[[World], Asked], str]] = {
    tasks.validate_batch: (a_validation, "validated"),
    tasks.apply_batch: (an_application, "applied"),
    ledger_tasks.freeze_period: (a_freeze, "frozen"),
}


def every_task() -> Iterator[Any]:
    for config in apps.get_app_configs():
        if config.name in {"ledger_app", "ingestion_app", "config"}:
            try:
                module = import_module(f"{config.name}.tasks")
            except ModuleNotFoundError:
                continue
            yield from (each for each in vars(module).values() if isinstance(each, Task))


def test_every_kind_of_work_is_listed() -> None:
    assert {each.module_path for each in every_task()} == {each.module_path for each in KINDS}


@pytest.mark.parametrize("task", KINDS, ids=lambda each: each.name)
@pytest.mark.parametrize("how", ["the row is deleted", "the process dies before it queues"])
def test_what_the_queue_lost_is_queued_again_and_done(world: World, monkeypatch: pytest.MonkeyPatch, task: Any, how: str) -> None:
    make, end = KINDS[task]
    asking, state, who = make(world)
    if how == "the row is deleted":
        assert asking().status_code == 202
        assert DBTaskResult.objects.all().delete()[0] == 1
    else:
        with monkeypatch.context() as patched:
            patched.setattr(Task, "enqueue", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                asking()
    assert not DBTaskResult.objects.exists()
    call_command("wake")
    call_command("wake")
    (row,) = DBTaskResult.objects.all()
    assert (row.task_path, row.args_kwargs["kwargs"]["user_id"]) == (task.module_path, who)
    work()
    assert state() == end
    call_command("wake")
    assert not DBTaskResult.objects.exists()


def test_a_freeze_whose_worker_was_killed_is_queued_again_and_done(world: World) -> None:
    asking, state, who = a_freeze(world)
    assert asking().status_code == 202
    # Taken up, and killed: the queue holds it as running for ever.
    DBTaskResult.objects.update(status="RUNNING")
    FreezeAttempt.objects.update(state="running", started_at=NOW, seen_at=NOW)
    call_command("wake")
    call_command("wake")
    (row,) = DBTaskResult.objects.ready()
    assert row.args_kwargs["kwargs"]["user_id"] == who
    work()
    assert state() == "frozen"


def test_a_freeze_whose_worker_lives_is_left_to_it(world: World, settings: Any) -> None:
    settings.KAKUTEI_LEASE_SECONDS = 1
    asking, _state, _who = a_freeze(world)
    assert asking().status_code == 202
    DBTaskResult.objects.update(status="RUNNING")
    # A sign of life comes every ten seconds, however short the leases of chunks are.
    lately = doorways.now() - timedelta(seconds=ledger_tasks.BEAT_SECONDS * 2)
    FreezeAttempt.objects.update(state="running", started_at=lately, seen_at=lately)
    call_command("wake")
    assert not DBTaskResult.objects.ready().exists()


def asked(world: World) -> Batch:
    batch = world.receive()
    validating.ask(batch_id=batch.pk, caller=world.caller())
    return batch


def test_a_validation_that_was_refused_is_answered(world: World) -> None:
    batch = asked(world)
    with pytest.raises(Refused):
        world.validate(batch, user=world.support)
    assert not ValidationRequest.objects.exists()
    assert tasks.wake(at=NOW, silent_after=PATIENCE) == []


def test_a_validation_of_a_batch_that_moved_since_is_not_queued_again(world: World) -> None:
    batch = asked(world)
    world.withdraw(batch)
    assert tasks.wake(at=NOW, silent_after=PATIENCE) == []


@pytest.mark.parametrize("where", ["_change", "_Validation"])
def test_a_validation_that_fails_again_and_again_is_left_to_people(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    batch = asked(world)

    def away(*_args: Any, **_kwargs: Any) -> None:
        raise TryAgain(cause="away")

    monkeypatch.setattr(validating, where, away)
    late = datetime.now(UTC)
    for times in range(3):
        assert tasks.wake(at=late, silent_after=PATIENCE) == [batch.pk], times
        work()
        late += timedelta(days=1)
    assert [*Attempt.objects.filter(batch=batch).values_list("outcome", flat=True)] == ["failed"] * 3
    assert tasks.wake(at=late, silent_after=PATIENCE) == []
    monkeypatch.undo()
    assert progress_of(batch, at=late).has_given_up
    page = Client()
    page.force_login(world.engineer)
    told = page.get(f"/admin/ingestion_app/batch/{batch.pk}/change/").content.decode()
    assert "Nothing is tried again before somebody asks for a validation again." in told
    validating.ask(batch_id=batch.pk, caller=world.caller())
    assert not progress_of(batch, at=late).has_given_up
    assert tasks.wake(at=late, silent_after=PATIENCE) == [batch.pk], "a person has asked again"


def test_a_validation_whose_process_is_gone_is_queued_again(world: World) -> None:
    batch = asked(world)
    Attempt.objects.create(
        batch=batch, step="validate", number=1, actor=world.engineer, host="far", process=7, started_at=NOW, heartbeat_at=NOW
    )
    assert tasks.wake(at=NOW, silent_after=PATIENCE) == [], "somebody works on it"
    assert tasks.wake(at=NOW + timedelta(hours=1), silent_after=PATIENCE) == [batch.pk]
