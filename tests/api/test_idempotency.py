"""A request under a key is done once: what every POST of the API does under one, the clients of the other tests ask; here is what is refused."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from rest_framework.serializers import FileField
from rest_framework.test import APIClient

from ledger_app import errors
from ledger_app.models import AuditRow, Hold, IdempotencyKey
from ledger_app.posting.rules.lots import Grant, Named
from ledger_app.programs.operations import idempotency
from tests.api.conftest import is_problem
from tests.conftest import with_every_right
from tests.support import kept, lot_samples, samples
from tests.support.api_doors import doors

pytestmark = pytest.mark.django_db
HOLDS = "/api/v1/holds/"
UNTIL = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    found.gain("g-1", 520, lots=good(520))
    return found


def good(amount):
    return Named(grants=(Grant("paid", amount, UNTIL.date() + timedelta(days=90)),))


@pytest.fixture
def till(points, make_user) -> APIClient:
    user = make_user("till-1", "till")
    client = APIClient()
    client.force_authenticate(user)
    return client


def body(**changes):
    wanted = {"book": "POINTS", "account": "M1", "target": "programme", "amount": 300, "reference": "order-1"}
    return {**wanted, "expires_at": UNTIL.isoformat(), **changes}


def send(client, key="k-1", **changes):
    return client.post(HOLDS, body(**changes), format="json", headers={"Idempotency-Key": key})


def test_another_request_under_the_key_is_refused_with_the_names_of_what_differs(till):
    assert send(till).status_code == 201
    other = send(till, amount=200, description="Other")
    assert is_problem(other, 409, "idempotency_key_reused")
    assert other.json()["reasons"][0]["facts"]["differs"] == "amount, description"
    elsewhere = till.post(f"{HOLDS}1/transitions/release/", {"reason": "x"}, format="json", headers={"Idempotency-Key": "k-1"})
    assert elsewhere.json()["reasons"][0]["facts"]["differs"].startswith("address, ")
    assert Hold.objects.count() == 1


def test_names_that_differ_are_told_in_bounds(till):
    assert send(till).status_code == 201
    other = till.post(
        HOLDS, {f"{'n' * 10_000}{each}": 1 for each in range(50)}, format="json", headers={"Idempotency-Key": "k-1"}
    )
    assert is_problem(other, 409, "idempotency_key_reused")
    assert len(other.content) < 10_000


def test_the_order_of_names_and_the_way_of_writing_make_no_other_request(till):
    first = send(till)
    turned = till.post(HOLDS, dict(reversed(body().items())), format="json", headers={"Idempotency-Key": "k-1"})
    assert (turned.status_code, turned["Idempotent-Replayed"], turned.content) == (201, "true", first.content)


def test_what_was_refused_leaves_no_key_and_may_be_sent_again(till, points):
    assert is_problem(send(till, amount=521), 409, "lots_short")
    assert not IdempotencyKey.objects.exists()
    points.gain("g-2", 1, lots=good(1))
    assert send(till, amount=521).status_code == 201


def test_what_is_refused_by_its_shape_leaves_no_key(till):
    assert is_problem(send(till, amount="1"), 400, "shape_invalid")
    assert not IdempotencyKey.objects.exists()


def test_keys_are_each_callers_own(till, points, make_user):
    other = APIClient()
    other.force_authenticate(make_user("till-2", "till"))
    assert send(till).status_code == 201
    assert send(other, amount=100, reference="order-2").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "schlüssel", "a\tb", "a\x7f"])
def test_a_key_that_is_none_is_refused(till, key):
    assert is_problem(send(till, key=key), 409, "idempotency_key_invalid")
    assert Hold.objects.count() == 0


def test_every_address_that_is_posted_to_takes_a_key(make_user, db):
    """What takes none would not see that this is none."""
    client = APIClient()
    client.force_authenticate(with_every_right(make_user("everything-9", "auditor")))
    # What only looks writes nothing that could come of it twice.
    posted = [door for door in doors() if door.method == "POST" and door.view.action not in door.view.looks]
    assert len(posted) > 45
    for door in posted:
        where = "/" + re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]*>", "1", door.pattern).replace("\\.", ".")
        takes_files = any(isinstance(each, FileField) for each in door.body().fields.values()) if door.body else False
        answer = client.post(where, {}, format="multipart" if takes_files else "json", headers={"Idempotency-Key": "a b"})
        assert is_problem(answer, 409, "idempotency_key_invalid"), door.name


@pytest.mark.parametrize(
    "surprise", [RuntimeError("surprise"), errors.TryAgain(cause="x"), OperationalError("surprise")], ids=repr
)
def test_a_surprise_after_the_effect_undoes_it_with_the_key(till, monkeypatch, surprise):
    def fail(*_arguments):
        raise surprise

    till.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "keep", fail)
        assert send(till).status_code in {500, 503}
    assert (Hold.objects.count(), IdempotencyKey.objects.count(), AuditRow.objects.filter(action="place").count()) == (0, 0, 0)
    assert send(till).status_code == 201


def test_an_attempt_that_is_refused_has_its_audit_row_under_a_key_too(till):
    hold = send(till).json()["id"]
    refused = till.post(f"{HOLDS}{hold}/transitions/settle/", {"amount": 301}, format="json", headers={"Idempotency-Key": "k-2"})
    assert is_problem(refused, 409, "hold_exceeded")
    assert AuditRow.objects.filter(outcome="refused", action="settle", subject_id=hold).count() == 1


def test_no_value_of_the_request_is_kept_with_its_key(till):
    send(till, description="Sold to Tanaka Hanako")
    kept = IdempotencyKey.objects.get()
    assert "Tanaka" not in f"{kept.fields}{kept.path}"
    assert "order-1" not in str(kept.fields)


def test_keys_from_before_every_open_period_are_forgotten(till, points):
    send(till)
    assert idempotency.prune() == 0
    # In Tokyo it is the first of January 2017, in which the first open period begins.
    IdempotencyKey.objects.update(at=datetime(2016, 12, 31, 15, tzinfo=UTC))
    assert idempotency.prune() == 0
    IdempotencyKey.objects.update(at=datetime(2016, 12, 30, 15, tzinfo=UTC))
    call_command("prune_keys")
    assert not IdempotencyKey.objects.exists()
    assert AuditRow.objects.filter(action="place").count() == 1
