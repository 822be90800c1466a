"""A small world, and people of every role in front of their browsers."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string
from django_tasks_db.models import DBTaskResult

from config.doors import callers as doorways
from ingestion_app.deciding.queries import alerts
from ingestion_app.models import Batch
from ledger_app.models import Account, AuditRow, User
from tests.conftest import UserMaker
from tests.support import kept
from tests.support import world as worlds
from tests.support.alerted import alerted
from tests.support.page_clocks import Clock
from tests.support.world import Purchase, World, set_account

ROLES = ("support", "finance", "engineer", "auditor")

ClientOf = Callable[[User], Client]
RoleOf = Callable[[str], User]


world = kept.fixture(worlds.GROUND)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Have the doors tell a time that stands."""
    made = Clock()
    monkeypatch.setattr(doorways, "now", made)
    return made


@pytest.fixture
def root(make_user: UserMaker) -> User:
    """Return a superuser whom the pages let in."""
    user = make_user("root-1", None, is_superuser=True)
    user.is_staff = True
    user.save()
    return user


@pytest.fixture
def client_of() -> ClientOf:
    """Return a function that logs a user in. These clients must bring the token that stands in each form."""

    def client(user: User) -> Client:
        made = Client()
        made.force_login(user)
        return made

    return client


@pytest.fixture
def somebody(world: World, make_user: UserMaker) -> RoleOf:
    """Return a function that makes somebody of a role who has had no hand in anything yet."""

    def make(role: str) -> User:
        if role == "superuser":
            return make_user("superuser-9", "auditor", is_superuser=True)
        return make_user(f"{role}-9", role)

    return make


def page_of(row: Any) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def step_of(row: Any, name: str) -> str:
    """Return the address of a transition's confirmation page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_transition", args=[row.pk, name])


def hidden(batch: Batch, **more: Any) -> dict[str, Any]:
    """Return what the form of a batch's confirmation page sends along."""
    batch.refresh_from_db()
    plan = bytes(batch.plan_digest).hex() if batch.plan_digest else ""
    return {"version": batch.version, "plan": plan, "alerts": alerts.digest_of(batch), **more}


def refusals(row: Any) -> list[AuditRow]:
    """Return the refused attempts at a thing, the last first."""
    kind = row._meta.model_name
    return list(AuditRow.objects.filter(subject_type=kind, subject_id=row.pk, outcome="refused").order_by("-id"))


def work() -> list[dict[str, Any]]:
    """Do what is queued, as the worker does, and return what each task said."""
    said = []
    for row in DBTaskResult.objects.filter(status="READY").order_by("enqueued_at"):
        said.append(import_string(row.task_path).func(**row.args_kwargs["kwargs"]))
        row.delete()
    return said


def another_file(number: int, records: int = 8) -> bytes:
    """Return a file for the sequence ``number`` of the day, whose records no other file has."""
    held = [
        Purchase(str(1001 + place % 6), worlds.SHOPS[place % 2], f"n{number}-{place}", str(100 * place), "2017-01-09T12:00:00Z")
        for place in range(records)
    ]
    return worlds.card_file(held, sequence=number)


def name_of_file(number: int, day: date = worlds.DAY) -> str:
    """Return the name that says the slot of ``another_file``."""
    return f"till-{day}-{number}.csv"


def bring_to(world: World, state: str, number: int = 1) -> Batch:
    """Return a batch, received and validated by the engineer and approved by finance, in ``state``."""
    if state == "alerted":
        return alerted(world)
    batch = world.receive(another_file(number), name=name_of_file(number))
    steps = {
        "received": (),
        "validated": (world.validate,),
        "approved": (world.validate, world.approve),
        "applying": (world.validate, world.approve, begin_applying(world)),
        "half": (world.validate, world.approve, lambda each: apply_half(world, each)),
        "applied": (world.validate, world.approve, lambda each: world.apply(each).batch),
        "frozen": (world.validate, world.approve, lambda each: world.apply(each).batch, world.freeze),
        "withdrawn": (world.withdraw,),
    }[state]
    for step in steps:
        step(batch)
    batch.refresh_from_db()
    assert batch.state == ("applying" if state == "half" else state)
    return batch


def apply_half(world: World, batch: Batch) -> None:
    """Leave a batch paused in ``applying``, with a chunk that has stopped and others that are applied."""
    member = batch.records.filter(status="planned").order_by("line").last()
    assert member is not None
    shut = Account.objects.get(holder=member.holder_id, book=world.card)
    world.begin(batch)
    set_account(shut.code, "suspended")
    world.apply(batch)
    world.pause(batch)
    set_account(shut.code, "open")


def begin_applying(world: World) -> Callable[[Batch], Any]:
    """Return the step that leaves a batch in ``applying`` with every chunk still to come."""
    from ingestion_app.applying.operations import applying

    return lambda batch: applying.begin(batch_id=batch.pk, caller=world.caller())
