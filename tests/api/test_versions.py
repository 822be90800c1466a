"""Where a state can come back, every door asks for what was shown: found in the machines' own arrows, so that an arrow that is added is asked too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from rest_framework.test import APIClient

from config.doors import telling
from config.doors.admin.transitions import TransitionAdmin
from config.doors.api.fields import DigestField, WholeNumberField
from ingestion_app.models import Batch
from ledger_app.base.rules.transitions import Machine, Transition
from ledger_app.models import Account, AuditRow, Period
from tests.admin.conftest import bring_to, step_of
from tests.api.conftest import is_problem
from tests.conftest import UserMaker
from tests.support import adjusting
from tests.support.alerted import alerted
from tests.support.api_doors import doors, fields_of
from tests.support.world import World, build, set_account

ADMINS = {each.machine.subject: each for each in admin.site._registry.values() if isinstance(each, TransitionAdmin)}
MACHINES: dict[str, Machine] = {subject: each.machine for subject, each in ADMINS.items()}
ADDRESSES = {
    "account": "accounts",
    "adjustment": "adjustments",
    "batch": "batches",
    "erasure": "erasures",
    "hold": "holds",
    "merge": "merges",
    "period": "periods",
    "reversal": "reversals",
    "setting": "setting-changes",
}
ARROWS = [(subject, each) for subject, machine in MACHINES.items() for each in machine.transitions if not each.automatic]
RETURNING = [(subject, each) for subject, each in ARROWS if MACHINES[subject].comes_back(each)]


def account(world: World, state: str) -> Account:
    set_account("receivable.1001", state)
    return Account.objects.get(code="receivable.1001")


def period(world: World, state: str) -> Period:
    Period.objects.filter(pk=world.opened[0].pk).update(state=state)
    return Period.objects.get(pk=world.opened[0].pk)


def paused(world: World) -> Batch:
    begun = bring_to(world, "half")
    assert begun.is_paused
    return begun


# What brings a subject to where the arrow is free.
SUBJECTS: dict[str, Callable[[Path], Any]] = {
    "account.suspend": lambda files: account(build(files), "open"),
    "account.reopen": lambda files: account(build(files), "suspended"),
    "adjustment.endorse": lambda _files: adjusting.build().propose(),
    "batch.acknowledge": lambda files: alerted(build(files)),
    "batch.approve": lambda files: bring_to(build(files), "validated"),
    "batch.pause": lambda files: bring_to(build(files), "applying"),
    "batch.resume": lambda files: paused(build(files)),
    "batch.reverse": lambda files: bring_to(build(files), "applied"),
    "batch.validate": lambda files: bring_to(build(files), "validated"),
    "period.provisional": lambda files: period(build(files), "open"),
    "period.reopen": lambda files: period(build(files), "provisional"),
}


def ids(value: Any) -> str:
    return value.name if isinstance(value, Transition) else str(value)


def test_every_machine_is_known_and_so_is_every_arrow_that_comes_back() -> None:
    assert telling.MACHINES.keys() == MACHINES.keys() == ADDRESSES.keys()
    assert {f"{subject}.{each.name}" for subject, each in RETURNING} == SUBJECTS.keys()


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.subject)
def test_an_arrow_comes_back_where_a_walk_along_the_arrows_takes_it_twice(machine: Machine) -> None:
    for each in machine.transitions:
        walks = [[(source, each.target or source)] for source in each.sources]
        found = False
        for _ in range(len(machine.states) + 1):
            found = found or any(walk[-1][1] in each.sources for walk in walks)
            walks = [
                [*walk, (walk[-1][1], arrow.target)]
                for walk in walks
                for arrow in machine.transitions
                if walk[-1][1] in arrow.sources and arrow.target and arrow.target not in {end for _start, end in walk}
            ]
        assert machine.comes_back(each) is found, each.name


@pytest.mark.parametrize(("subject", "arrow"), ARROWS, ids=ids)
def test_the_body_of_an_arrow_that_comes_back_has_a_version_or_a_digest_that_is_required(subject: str, arrow: Transition) -> None:
    where = f"api/v1/{ADDRESSES[subject]}/(?P<pk>[0-9]{{1,18}})/transitions/{arrow.name}/"
    (door,) = [each for each in doors() if each.pattern == where]
    assert door.body is not None
    fields = dict(fields_of(door.body))
    assert isinstance(fields["version"], WholeNumberField)
    said = [
        field for field in fields.values() if field.required and (isinstance(field, DigestField) or field is fields["version"])
    ]
    assert bool(said) or not MACHINES[subject].comes_back(arrow)


@pytest.mark.parametrize(("subject", "arrow"), RETURNING, ids=ids)
def test_the_api_does_nothing_without_it(
    db: None, files_dir: Path, make_user: UserMaker, subject: str, arrow: Transition
) -> None:
    row = SUBJECTS[f"{subject}.{arrow.name}"](files_dir)
    client = APIClient()
    client.force_authenticate(make_user("somebody", "auditor", is_superuser=True))
    where = f"/api/v1/{ADDRESSES[subject]}/{row.pk}/transitions/{arrow.name}/"
    refused = client.post(
        where, {"reason": "Sent again."} if subject != "batch" or arrow.name not in {"validate", "resume"} else {}
    )
    assert is_problem(refused, 400, "shape_invalid")
    assert {fault["field"] for fault in refused.json()["faults"]} <= {"version", "plan", "shown", "alerts"}
    before = row.version
    row.refresh_from_db()
    assert row.version == before


@pytest.mark.parametrize(("subject", "arrow"), RETURNING, ids=ids)
def test_the_admin_does_nothing_without_it(
    db: None, files_dir: Path, make_user: UserMaker, subject: str, arrow: Transition
) -> None:
    row = SUBJECTS[f"{subject}.{arrow.name}"](files_dir)
    client = Client()
    client.force_login(make_user("somebody", "auditor", is_superuser=True))
    kept = AuditRow.objects.filter(outcome="done").count()
    for more in ({}, {"version": ""}, {"version": "x"}, {"version": str(row.version - 1)}):
        refused = client.post(step_of(row, arrow.name), {"reason": "Sent again.", **more})
        assert refused.status_code in {200, 409}, (more, refused.status_code)
    before = row.version
    row.refresh_from_db()
    assert row.version == before
    assert AuditRow.objects.filter(outcome="done").count() == kept


def test_a_repeated_validation_takes_no_approval_away(world: World) -> None:
    batch = world.validated()
    client = APIClient()
    client.force_authenticate(world.engineer)
    body = {"version": batch.version}
    world.approve(batch)
    assert is_problem(client.post(f"/api/v1/batches/{batch.pk}/transitions/validate/", body), 409, "stale")
    batch.refresh_from_db()
    assert batch.state == "approved"
