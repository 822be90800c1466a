"""A trial of many holds, settlements or adjustments answers what the real thing does, and so does each of them sent alone; and a trial leaves nothing."""

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from ledger_app.base import proofs
from ledger_app.books.operations import books
from ledger_app.models import Adjustment, AuditRow, Entry, Event, Hold, HoldLot, OpenLot
from ledger_app.points.operations import hold_rules, holds
from ledger_app.points.operations.hold_rules import HoldRuleGiven
from ledger_app.posting.rules.lots import Grant, Named
from tests.api.conftest import ClientOf
from tests.support import adjusting, kept, lot_samples, samples

pytestmark = pytest.mark.django_db

UNTIL = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
WAYS = ("all", "each", "alone")
often = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
rounds = itertools.count(1)


@kept.fixture
def points(_folder):
    found = lot_samples.open_points(samples.machine_caller())
    books.open_period(book=found.book, name="now", starts_on=date(2018, 1, 1), ends_on=date(2099, 12, 31), caller=found.caller)
    last = UNTIL.date() + timedelta(days=90)
    for number in range(4):
        found.gain(
            f"g-{number}", 700, lots=Named(grants=(Grant("paid", 400, last + timedelta(days=number)), Grant("free", 300, last)))
        )
    found.gain("g-9", 90, who="M2", lots=Named(grants=(Grant("paid", 90, last),)))
    return found


@pytest.fixture
def limits(points, finance, caller_of):
    """Set a rule of holds; return who did."""
    caller = caller_of(finance)
    hold_rules.set_rule(book=points.book, given=HoldRuleGiven(amount_most=40, amount_a_day=50), caller=caller)
    return caller


@pytest.fixture
def till(points, make_user, client_of: ClientOf) -> APIClient:
    return client_of(make_user("till-1", "till"))


def rows() -> list[Any]:
    """Return what would show that something was left."""
    remainders = OpenLot.objects.order_by("lot_id").values_list("lot_id", "remaining", "held")
    models = (Hold, HoldLot, Adjustment, Entry, AuditRow, Event)
    return [list(remainders), *(model.objects.count() for model in models)]


def told(answer: Any) -> list[tuple[str, Any]]:
    return [(each["outcome"], each["reasons"]) for each in answer.json()["outcomes"]]


def codes(outcomes: list[tuple[str, Any]]) -> list[list[str]]:
    return [[reason["code"] for reason in reasons] for _outcome, reasons in outcomes]


def compare(client: APIClient, name: str, items: list[dict[str, Any]], way: str, alone: Any) -> None:
    """Try the items, and then have them done: in one request, or each by ``alone``, which returns the codes of what it was refused for."""
    before = rows()
    body = {"mode": "all" if way == "all" else "each", name: items}
    trial = client.post(f"/api/v1/bulk/{name}/", {**body, "dry_run": True}, format="json")
    assert trial.status_code in {200, 409}, trial.content
    assert rows() == before
    if way == "alone":
        assert [alone(item) for item in items] == codes(told(trial))
    else:
        real = client.post(f"/api/v1/bulk/{name}/", body, format="json")
        assert (real.status_code, told(real)) == (trial.status_code, told(trial))


def refused(answer: Any) -> list[str]:
    return [] if answer.status_code in {200, 201} else [reason["code"] for reason in answer.json()["reasons"]]


wanted_holds = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.sampled_from(["M1", "M1", "M2", "M9", "programme"]),
        st.integers(0, 45),
        st.sampled_from([None, None, None, 2_800, 90]),
    ),
    min_size=1,
    max_size=8,
)


@given(requests=st.lists(st.tuples(wanted_holds, st.sampled_from(WAYS)), min_size=1, max_size=4))
@often
def test_of_holds(points, limits, till, requests):
    number = next(rounds)
    for wanted, way in requests:
        items = [
            {
                "book": "POINTS",
                "account": account,
                "target": "programme",
                "amount": amount,
                "reference": f"{number}-{name}",
                "expires_at": UNTIL.isoformat(),
                "expected_balance": expected,
            }
            for name, account, amount, expected in wanted
        ]
        compare(till, "holds", items, way, lambda item: refused(till.post("/api/v1/holds/", item, format="json")))
    assert breaches(points.book) == []
    # What is let go is no part of the day, which the next round begins anew.
    for hold in Hold.objects.filter(state="open"):
        holds.release(hold_id=hold.pk, reason="Over.", caller=limits)


def breaches(book: Any) -> list[str]:
    return [said for invariant in proofs.invariants() for said in invariant.breaches(proofs.Scope([book]))]


wanted_settlements = st.lists(
    st.tuples(
        st.sampled_from("abcz"), st.integers(0, 11), st.sampled_from([None, None, 1, 2]), st.sampled_from([None, None, None, 5])
    ),
    min_size=1,
    max_size=6,
)


@given(requests=st.lists(st.tuples(wanted_settlements, st.sampled_from(WAYS)), min_size=1, max_size=3))
@often
def test_of_settlements(points, till, requests):
    number = next(rounds)
    for name, account in (("a", "M1"), ("b", "M1"), ("c", "M2")):
        said = {"book": "POINTS", "account": account, "target": "programme", "amount": 10 if account == "M1" else 1}
        till.post("/api/v1/holds/", {**said, "reference": f"{number}-{name}", "expires_at": UNTIL.isoformat()}, format="json")

    def alone(item: dict[str, Any]) -> list[str]:
        hold = Hold.objects.filter(reference=item["reference"]).first()
        if hold is None:
            return ["not_found"]
        said = {name: value for name, value in item.items() if name not in {"book", "reference"}}
        return refused(till.post(f"/api/v1/holds/{hold.pk}/transitions/settle/", said, format="json"))

    for wanted, way in requests:
        items = [
            {
                "book": "POINTS",
                "reference": f"{number}-{name}",
                "amount": amount,
                "expected_balance": expected,
                **({} if version is None else {"version": version}),
            }
            for name, amount, version, expected in wanted
        ]
        compare(till, "settlements", items, way, alone)
    assert breaches(points.book) == []


@kept.fixture
def desk(_folder):
    return adjusting.build()


wanted_adjustments = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([0, 5, 6, -9_000]), st.sampled_from(["cash", "wallet", "nowhere"])),
    min_size=1,
    max_size=5,
)


@given(requests=st.lists(st.tuples(wanted_adjustments, st.sampled_from(WAYS)), min_size=1, max_size=3))
@often
def test_of_adjustments(desk, client_of: ClientOf, requests):
    """A key stands for one of a request: of what is sent alone, it is in the way only of what is there."""
    client, number = client_of(desk.proposer.user), next(rounds)
    said = {"book": "CARD", "effective_on": "2017-01-05", "reason": "goodwill", "text": "A gift."}
    for wanted, way in requests:
        items = [{**said, "key": f"{number}-{name}", "amount": amount, "account": account} for name, amount, account in wanted]

        def alone(item: dict[str, Any], items: list[dict[str, Any]] = items) -> list[str]:
            first = next(each for each in items if each["key"] == item["key"])
            return ["key_twice"] if item != first else refused(client.post("/api/v1/adjustments/", item, format="json"))

        compare(client, "adjustments", items, way, alone)
